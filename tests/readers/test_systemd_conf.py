"""systemd's precedence: which file hides which, which assignment wins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.readers.systemd_conf import assignments, effective, globs, last_valid, separate

NAME = "journald.conf"


def storage(texts: list[str]) -> list[str]:
    return assignments(texts, "Journal", "Storage")


def test_a_drop_in_hides_its_namesake_and_comes_after_the_main_file() -> None:
    texts = {
        "/etc/systemd/journald.conf.d/b.conf": "[Journal]\nStorage=b-etc\n",
        "/usr/lib/systemd/journald.conf": "[Journal]\nStorage=vendor\n",
        "/usr/lib/systemd/journald.conf.d/b.conf": "[Journal]\nStorage=b-usr\n",
        "/usr/lib/systemd/journald.conf.d/a.conf": "[Journal]\nStorage=a-usr\n",
        "/etc/systemd/journald.conf": "[Journal]\nStorage=main\n",
    }
    assert storage(effective(texts, NAME)) == ["main", "a-usr", "b-etc"]


def test_an_empty_drop_in_hides_too() -> None:
    texts = {
        "/etc/systemd/journald.conf.d/a.conf": "",
        "/usr/lib/systemd/journald.conf.d/a.conf": "[Journal]\nStorage=x\n",
    }
    assert storage(effective(texts, NAME)) == []


def test_every_place_is_read() -> None:
    assert "/run/systemd/journald.conf.d/*.conf" in globs(NAME).split()


def test_a_section_ends_with_its_file() -> None:
    catted = (
        "# /etc/systemd/journald.conf\n[Journal]\nStorage=one\n\n# /etc/systemd/journald.conf.d/x.conf\nStorage=two\n"
    )
    assert storage(separate(catted, NAME)) == ["one"]


def test_a_comment_that_names_a_file_ends_nothing() -> None:
    catted = "# /etc/systemd/journald.conf\n[Journal]\n# /etc/systemd/journald.conf.d/x.conf\nStorage=two\n"
    assert storage(separate(catted, NAME)) == ["two"]


def test_comments_continuations_and_other_sections() -> None:
    text = "Storage=0\n[Other]\nStorage=1\n[Journal]\n#Storage=2\n;Storage=3\nStorage=\\\n  4\n Storage = 5 \n"
    assert storage([text]) == ["4", "5"]


def test_an_unknown_value_is_ignored_and_an_empty_one_resets() -> None:
    assert last_valid(["one", "two", "Two"], ("one", "two"), "zero") == "two"
    assert last_valid(["one", ""], ("one", "two"), "zero") == "zero"


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    storage(separate(text, NAME))
