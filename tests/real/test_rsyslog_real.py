"""Files for rsyslog, generated: a real rsyslogd parses them, and both readings, of hosts and of trees, say the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from namespaces import need

from auditor.framing.sh import GONE
from auditor.probes.questions.forwarders.mask import MASK
from auditor.readers.forwarders import mask
from auditor.readers.forwarders.target import Target
from auditor.readers.rsyslog import targets

_ACTION = re.compile(r" ACTION [0-9]+ \[builtin:omfwd:@@?([\w.-]+)")
_MODERN = re.compile(r"rainerscript\.c: target:  '([^']*)'")


def parsed(file: Path) -> tuple[set[str], bool]:
    """Where rsyslogd sends by what it parsed, and whether it parsed all of it."""
    done = subprocess.run(["/usr/sbin/rsyslogd", "-N1", "-d", "-f", str(file)], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode < 0 or "RSYSLOG_DefaultRuleset" in text  # of some errors it dies
    ended = done.returncode < 0 or "could not interpret master config file" in text
    modern = set() if ended else set(_MODERN.findall(text))
    return set(_ACTION.findall(text)) | modern, not ended


def in_a_tree(file: Path) -> list[Target]:
    return targets([mask.rsyslog(file.read_bytes()).decode("latin-1")])


def on_a_host(file: Path) -> list[Target]:
    script = GONE + MASK + f'm rsyslog 3 "{file}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})  # fmt: skip
    lines = done.stdout.decode("latin-1").split("\n")
    return targets(["\n".join(line[1:] for line in lines if line.startswith("|"))])


def agree(file: Path) -> None:
    seen, whole = parsed(file)
    for told in (in_a_tree(file), on_a_host(file)):
        sure = {t.to for t in told if isinstance(t.to, str)}
        unsure = any(not isinstance(t.to, str) for t in told)
        assert {t.to for t in told if isinstance(t.to, str) and t.partial is False} <= seen
        if not unsure:
            assert whole
            assert seen <= sure


FILES = {
    "*.* @@\\\n   logs.example\n": ["logs.example"],
    "*.* @@logs.\\\nexample\n": ["logs.example"],
    "*.* @@logs.\\ \t\r\n \v example\n": ["logs.example"],
    "# x \\\n*.* @@logs.example\n": [],
    "# x \\ \n*.* @@logs.example\n": [],
    "# x \\\t\r\n*.* @@logs.example\n": [],
    "# x \\\n\\\n*.* @@logs.example\n": [],
    "# x \\\n\n*.* @@logs.example\n": ["logs.example"],
    "# x \\ y\n*.* @@logs.example\n": ["logs.example"],
    "*.* /var/log/a # x \\\n*.* @@logs.example\n": [],
    "*.* /var/log/a # x \\\n*.* @@logs.example\n*.* @@logs.example\n": ["logs.example"],
    "/* x \\\n*/\n*.* @@logs.example\n": ["logs.example"],
    '# x \\\naction(type="omfwd" target="logs.example")\n': [],
    'action(type="omfwd" # x \\\n  target="logs.example")\naction(type="omfwd" target="other")\n': None,
    'action(type="om\\\nfwd" target="logs.example")\n': ["logs.example"],
    'action(type="omfwd" \\\n  target="logs.example")\n': ["logs.example"],
    'action(type="omfwd" \\\n  target="lost"\n)\n*.* @@logs.example\n': None,
    'if $msg == "a" or \\\n  $msg == "b"\nthen @@lost\n*.* @@logs.example\n': None,
    'if $msg == "a" or \\\n  $msg == "b" then\n  @@logs.example\n': ["logs.example"],
    "*.* @@lost \\\n*.* @@lost\n": None,
    "*.* @@lost /* x\n*.* @@logs.example\n": None,
    'if $msg == "a" then { @@lost }\n*.* @@logs.example\n': None,
    "*.* /var/log/a /* x\n*.* @@logs.example\n": ["logs.example"],
    "*.* /var/log/a 'x\n*.* @@logs.example\n": ["logs.example"],
    '*.* /var/log/a "x\n*.* @@logs.example\n': ["logs.example"],
    "#" + "x" * 10238 + "*.* @@logs.example\n": ["logs.example"],
    "#" + "x" * 10200 + "*.* @@logs.example\n": [],
    "#" + "x" * 10237 + "\\*.* @@logs.example\n": [],
    "*.* @@logs.example \\": ["logs.example"],
    "#*.* @@logs.example \\": [],
}  # fmt: skip


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_lines_that_go_on_are_one_as_rsyslog_has_them(text: str, tmp_path: Path) -> None:
    """None: rsyslogd refuses a line, or ends there, and so nobody is sure."""
    need("rsyslogd")
    file = tmp_path / "rsyslog.conf"
    file.write_text(text, newline="")
    agree(file)
    for told in (in_a_tree(file), on_a_host(file)):
        names = [t.to for t in told if isinstance(t.to, str)]
        assert any(not isinstance(t.to, str) for t in told) if FILES[text] is None else names == FILES[text]


ENDS = ["\n", "\n", "\n", "\\\n", "\\\n", " \\\n", " \\ \t\n  ", "\\\r\n", "\r\n", "\\\n\n"]
HASHED = [*ENDS, " # c\n", " # c \\\n", " # c \\ \n", " # c \\\n\n"]
WHOLE = ["*.* @@h%d:1", "local0.* @h%d", "*.* @@h%d;RSYSLOG_ForwardFormat", "# note", "# *.* @@h%d", "#*.* @@h%d:1", "*.* /var/log/h%d", "", "  ",
         "/* c */", '*.* action(type="omfwd" target="h%d")', 'if $msg == "x" then @@h%d', ':msg, contains, "h%d" @@h%d', "*.* /var/log/a /* c",
         "# /* c", "$ActionQueueType Direct", "# */", "*.* -/var/log/a 'b", '*.* /var/log/a "b']  # fmt: skip
LAST = [end for end in HASHED if not end.startswith("\\")]  # no word of two statements
# Of several lines: what stands between them, and what may end each but the last.
PARTS = [
    (['*.* action(type="omfwd"', '  target="h%d"', '  port="1"', ")"], HASHED),
    (['action(type="omfwd" target="h%d"', ")"], [*HASHED, " /* c */\n"]),
    (['if $msg == "x" or', '  $msg == "y"', "then", "  @@h%d"], ENDS),
    (['if $msg == "x" then {', "@@h%d", "}"], ENDS),
    (["/* c", "*.* @@h%d", "*/"], HASHED),
    (["*.* @@h%d:", "1"], ENDS),
]


@st.composite
def statements(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return str(draw(st.sampled_from(WHOLE))) + str(draw(st.sampled_from(LAST)))
    parts, ends = draw(st.sampled_from(PARTS))
    between = [draw(st.sampled_from(ends)) for _ in parts[1:]]
    return "".join(part + end for part, end in zip(parts, [*between, draw(st.sampled_from(LAST))], strict=True))


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(statements(), min_size=1, max_size=6))
def test_rsyslogd_and_both_readings_say_the_same_of_any_lines(tmp_path: Path, said: list[str]) -> None:
    need("rsyslogd")
    file = tmp_path / "rsyslog.conf"
    file.write_text("".join(one.replace("%d", str(n)) for n, one in enumerate(said)) + "\n*.* @@last:1\n", newline="")
    agree(file)
