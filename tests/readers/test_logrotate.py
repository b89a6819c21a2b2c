"""How long logrotate keeps a file, as far as its configuration tells."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Unknown
from auditor.readers.logrotate import TABOO, kept_below, kept_days

MAIN = "weekly\nrotate 4\ncreate\ninclude /etc/logrotate.d\n"


def kept(block: str, path: str = "/var/log/syslog") -> object:
    return kept_days({"/etc/logrotate.conf": MAIN, "/etc/logrotate.d/x": block}, path)


@pytest.mark.parametrize(
    ("block", "days"),
    [
        ("/var/log/syslog {\n}", 28.0),
        ("/var/log/syslog { \n daily\n rotate 7\n}", 7.0),
        ("/var/log/syslog\n/var/log/mail.log\n{\n\tmonthly\n\trotate 12\n}", 364.8),
        ('"/var/log/syslog" /var/log/x {\n yearly\n rotate 2\n}', 730.0),
        ("/var/log/sys* {\n daily\n rotate 400\n maxage 365\n}", 365.0),
        ("/var/log/syslog {\n rotate=3\n}", 21.0),
        ("/var/log/syslog {\n postrotate\n  rotate 99\n }\n endscript\n daily\n}", 4.0),
        ("daily\n/var/log/syslog {\n}", 4.0),
        ("# /var/log/syslog {\n#}\n", None),
        ("/var/log/other {\n}", None),
        ("/var/log/syslog {\n rotate 99999999999999999999\n}", 28.0),
    ],
)
def test_days(block: str, days: float | None) -> None:
    assert kept(block) == days


@pytest.mark.parametrize("word", ["size 10M", "maxsize 10M", "minsize 1M", "daily\n size=10M"])
def test_a_size_says_nothing_of_days(word: str) -> None:
    assert isinstance(kept("/var/log/syslog {\n " + word + "\n rotate 400\n}"), Unknown)


def test_no_period_is_a_size() -> None:
    assert isinstance(kept_days({"/etc/logrotate.conf": "/var/log/syslog {\n rotate 9\n}"}, "/var/log/syslog"), Unknown)


def test_the_shortest_below_a_directory() -> None:
    text = "/var/log/remote/*/*.log {\n daily\n rotate 365\n}\n/var/log/remote/auth/*.log {\n daily\n rotate 30\n}\n"
    assert kept_below({"/etc/logrotate.conf": text}, "/var/log/remote") == 30.0
    assert kept_below({"/etc/logrotate.conf": text}, "/var/log/remot") is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    kept(text)
    kept_below({"/etc/logrotate.conf": text}, "/")


# The files, of which the first is the main one, that include each other by `D/`, the folder that they lie in.
SETS = {
    "first wins": {"main": "weekly\nrotate 4\ninclude D/d\n", "d/a": "D/log { rotate 9\n}\n", "d/b": "D/log {\n rotate 1\n}\n"},
    "globals behind": {"main": "include D/d\nweekly\nrotate 52\n", "d/a": "D/log {\n}\n"},
    "globals of another": {"main": "daily\nrotate 3\ninclude D/d\n", "d/a": "weekly\nrotate 52\n", "d/b": "D/log {\n}\n"},
    "taboo": {"main": "weekly\nrotate 4\ninclude D/d\n", **{f"d/a{e}": "D/log {\n rotate 9\n}\n" for e in TABOO}, "d/b": "D/log {\n rotate 8\n}\n"},
    "more taboo": {"main": "weekly\ntabooext + .x\ninclude D/d\n", "d/a.x": "D/log {\n rotate 9\n}\n", "d/b": "D/log {\n rotate 8\n}\n"},
    "nothing included": {"main": "weekly\nrotate 4\n", "d/a": "D/log {\n}\n"},
    "one file": {"main": "weekly\nrotate 4\ninclude D/d/a\n", "d/a": "D/log {\n rotate 7\n}\n", "d/b": "D/log {\n rotate 8\n}\n"},
    "main first": {"main": "daily\nD/log {\n rotate 5\n}\ninclude D/d\n", "d/a": "D/log {\n rotate 7\n}\n"},
}  # fmt: skip
SAID = re.compile(r"rotating pattern: \S+/log +(?:(weekly|daily|after 1 days) \(([0-9]+) rotations\)|(.*))")
DAYS = {"weekly": 7.0, "daily": 1.0, "after 1 days": 1.0}


@pytest.mark.parametrize("name", SETS)
def test_logrotate_says_the_same(tmp_path: Path, name: str) -> None:
    texts = {f"{tmp_path}/{path}": text.replace("D/", f"{tmp_path}/") for path, text in SETS[name].items()}
    (tmp_path / "d").mkdir(mode=0o755)
    for path, text in {f"{tmp_path}/log": "", **texts}.items():
        Path(path).write_text(text)
        Path(path).chmod(0o644)
    words = ["/usr/sbin/logrotate", "-d", "-s", f"{tmp_path}/state", f"{tmp_path}/main"]
    said = SAID.search(subprocess.run(words, capture_output=True, text=True, check=False).stderr)
    told = kept_days(texts, f"{tmp_path}/log")
    if said is None:
        assert told is None
    elif said[3]:
        assert isinstance(told, Unknown)
    else:
        assert told == DAYS[said[1]] * int(said[2])
