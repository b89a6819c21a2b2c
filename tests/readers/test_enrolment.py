"""Who holds which proofs, as a host tells it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Failure, Output
from auditor.readers import enrolment

GOOGLE = "pam_google_authenticator"
FILE = "/home/bob/.google_authenticator"
WHOLE = f"""shadow\ttold
set\troot
empty\tguest
place\t{GOOGLE}\t~/.google_authenticator
place\tpam_oath\t@/etc/users.oath
has\tpam_oath\tcarol
has\t{GOOGLE}\tbob\t1000\t{FILE}
hidden\t{GOOGLE}\tdora\t1002\t/net/dora/.google_authenticator
own\t1000\t{FILE}
end
"""


def told(text: str, exit_code: int = 0) -> enrolment.Proofs:
    return enrolment.read(Output(exit_code, text.encode(), b"", 0.0))


def test_enrolment_is_told_for_each_account_and_module() -> None:
    found = told(WHOLE)
    assert found.missing is None
    assert (found.has("bob"), found.lacks("bob")) == ({GOOGLE}, {"pam_oath"})
    assert (found.has("carol"), found.lacks("carol")) == ({"pam_oath"}, {GOOGLE})
    assert (found.has("dora"), found.lacks("dora")) == (frozenset(), {"pam_oath"})
    assert found.locked("bob") and not found.locked("root") and found.empty("guest") and not found.empty("root")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("own\t1000", "own\t1001"),  # another's file
        (f"own\t1000\t{FILE}\n", ""),
        ("place\tpam_oath", f"place\t{GOOGLE}\t?\nplace\tpam_oath"),
        ("place\tpam_oath", f"place\t{GOOGLE}\t/etc/ga/x\nplace\tpam_oath"),  # two places, and which one asks?
        ("place\tpam_oath", f"loose\t{GOOGLE}\nplace\tpam_oath"),
    ],
)
def test_what_is_doubtful_is_neither_had_nor_lacked(old: str, new: str) -> None:
    found = told(WHOLE.replace(old, new))
    assert GOOGLE not in found.has("bob") | found.lacks("bob")


def test_accounts_beyond_the_limit_are_not_said_to_lack_anything() -> None:
    found = told(WHOLE.replace("end\n", "left\nend\n"))
    assert found.has("bob") == {GOOGLE} and found.lacks("carol") == frozenset()


def test_without_a_shadow_file_nobody_is_locked() -> None:
    found = told(WHOLE.replace("shadow\ttold\n", ""))
    assert not found.locked("bob") and not found.empty("guest")


def test_what_is_cut_or_failed_tells_nothing() -> None:
    texts = ["", WHOLE[:-5], WHOLE.replace("has\tpam_oath\tcarol", "has\tpam_oath"), WHOLE + "more\n"]
    for found in (*map(told, texts), told(WHOLE, 1), enrolment.read(Failure("no_privilege"))):
        assert found.missing is not None
        assert not found.locked("bob") and not found.has("bob") and not found.lacks("bob")


@given(st.text(alphabet="hasplceown\t\n@/~?01bo ", max_size=200), st.text(max_size=20))
def test_no_text_raises(text: str, name: str) -> None:
    for found in (told(text + "\nend\n"), told(text)):
        assert not found.has(name) & found.lacks(name)
