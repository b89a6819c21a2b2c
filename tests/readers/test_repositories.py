"""What a host tells of its repositories; the place of each, told without the password that may stand in its address."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Output
from auditor.probes import backups
from auditor.probes.questions.repositories.place import PLACE
from auditor.probes.questions.repositories.settings import ASSIGNMENTS, QUOTED
from auditor.readers import repositories

PLACES = [
    ("restic", "/srv/r", "/srv/r", "local", ""),
    ("restic", "local:/srv/r", "/srv/r", "local", ""),
    ("restic", "relative/r", "...", "odd", ""),
    ("restic", "sftp:CANARY@h.ex:/p", "sftp:h.ex:/p", "ssh", "h.ex"),
    ("restic", "sftp:CANARY@CANARY@h.ex:/p", "sftp:h.ex:/p", "ssh", "h.ex"),
    ("restic", "sftp://u:CANARY@h:22//p", "sftp://h:22//p", "ssh", "h"),
    ("restic", "sftp:u@[fe80::1]:/p", "sftp:[fe80::1]:/p", "ssh", "fe80::1"),
    ("restic", "sftp:-oProxyCommand=x:/p", "...", "odd", ""),
    ("restic", "rest:https://u:CANARY@h:8000/x", "rest:https://h:8000/x", "url", "h"),
    ("restic", "rest:https://u:C/ANARY@h:8000/x", "rest:https://...", "odd", ""),
    ("restic", "rest:https://u:1/CANARY@h/x", "rest:https://...", "odd", ""),
    ("restic", "rest:https://u:1?CANARY@h/x", "rest:https://...", "odd", ""),
    ("restic", "rest:https://u:1#CANARY@h/x", "rest:https://...", "odd", ""),
    ("restic", "rest:http://h/x?key=CANARY", "rest:http://h/x", "url", "h"),
    ("restic", "rest:http://[::1]:80/x", "rest:http://[::1]:80/x", "url", "::1"),
    ("restic", "s3:http://CANARY:CANARY@h/b", "s3:http://h/b", "url", "h"),
    ("restic", "s3:s3.amazonaws.com/b", "s3:s3.amazonaws.com/b", "url", "s3.amazonaws.com"),
    ("restic", "b2:b:p", "b2:b:p", "service", "api.backblazeb2.com"),
    ("restic", "rclone:r:p", "rclone:r:p", "rclone", ""),
    ("restic", "rclone::sftp,pass=CANARY:p", "...", "odd", ""),
    ("restic", "swift:c:/p", "...", "odd", ""),
    ("restic", "new://u:CANARY@h/", "...", "odd", ""),
    ("borg", "/srv/b", "/srv/b", "local", ""),
    ("borg", "file:///srv/b", "/srv/b", "local", ""),
    ("borg", "ssh://u:CANARY@h:22/./r", "ssh://h:22/./r", "ssh", "h"),
    ("borg", "CANARY@h:r", "h:r", "ssh", "h"),
    ("borg", "h:/r", "h:/r", "ssh", "h"),
    ("borg", "relative", "...", "odd", ""),
]

AWKS = [a for a in (["mawk"], ["gawk"], ["original-awk"], ["busybox", "awk"]) if shutil.which(a[0])] or [["awk"]]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("tool", "address", "shown", "kind", "host"), PLACES, ids=[p[1] for p in PLACES])
def test_places(awk: list[str], tool: str, address: str, shown: str, kind: str, host: str) -> None:
    environment = {"tool": tool, "repo": address, "PATH": "/usr/bin:/bin"}
    said = subprocess.run([*awk, PLACE], env=environment, capture_output=True, text=True, check=True).stdout
    (one,) = repositories.read(f"@ {tool}\n{said}end\n").repositories
    assert (one.repository, one.kind, one.host) == (shown, kind, host)
    assert "CANARY" not in said


ASSIGNED = [
    ("shell", "RESTIC_PASSWORD=a-b", "a-b"),
    ("shell", "export RESTIC_PASSWORD=a  # why", "a"),
    ("shell", "RESTIC_PASSWORD='a $b \"c'", 'a $b "c'),
    ("shell", r'RESTIC_PASSWORD="a \$b \"c\\ \d"', r'a $b "c\ \d'),
    ("shell", 'RESTIC_PASSWORD="it\'s"', "it's"),
    ("shell", 'RESTIC_PASSWORD="$HOME"', None),
    ("shell", "RESTIC_PASSWORD=$(x)", None),
    ("shell", "RESTIC_PASSWORD=`x`", None),
    ("shell", "RESTIC_PASSWORD=a b", None),
    ("shell", "RESTIC_PASSWORD='a'b", None),
    ("shell", "RESTIC_PASSWORD='a", None),
    ("shell", "RESTIC_PASSWORD=~/x", None),
    ("unit", "RESTIC_PASSWORD=a $b 'c", "a $b 'c"),
    ("unit", 'RESTIC_PASSWORD="a \\"b"', 'a "b'),
    ("unit", "RESTIC_PASSWORD='a b'  ", "a b"),
    ("unit", "RESTIC_PASSWORD=a\\tb", None),
]


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
@pytest.mark.parametrize(("syntax", "line", "value"), ASSIGNED, ids=[f"{a[0]} {a[1]}" for a in ASSIGNED])
def test_assignments_are_read_and_never_executed(awk: list[str], syntax: str, line: str, value: str | None) -> None:
    text = 'eval "$(' + " ".join(awk) + ' -v syntax=$1 "$2")"\nprintf \'%s|%s|%s\' "$RESTIC_PASSWORD" "$odd" "$parsed"'
    ran = subprocess.run(
        ["sh", "-c", text, "sh", syntax, QUOTED + ASSIGNMENTS],
        input=f"# x\nPATH=/nowhere\nLD_PRELOAD=x\n{line}\n",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == ("| RESTIC_PASSWORD|1" if value is None else f"{value}||1")
    assert ran.stderr == ""


def test_the_host_itself() -> None:
    here = repositories.here("name h\naddress 10.0.0.1\naddress 2001:DB8::1\naddress what\ntool borg\nend\n")
    assert here == repositories.Here("h", ("10.0.0.1", "2001:db8::1"), ("borg",))


@pytest.mark.parametrize("text", ["", "name h\n", "tool borg\nend\n", "name \nend\n"])
def test_a_host_that_does_not_say_who_it_is(text: str) -> None:
    with pytest.raises(Unreadable):
        repositories.here(text)


LINES = st.sampled_from("@ name source repository kind host alias resolved mount transport exit said json end".split())
VALUES = st.sampled_from(
    ["", "ssh", "url", "local", "0", "::1", "fe80::1%e0", "[]", "null", "h", "restic", "borg"]
) | st.text(max_size=6)


@given(st.lists(st.tuples(LINES, VALUES), max_size=20), st.sampled_from([None, -1e18, 0.0, 1795000000.0]))
def test_nothing_that_a_host_says_breaks_the_probe(lines: list[tuple[str, str]], host_at: float | None) -> None:
    said = "\n".join(f"{name} {value}" for name, value in lines)
    tools = Output(0, b"name h\naddress 10.0.0.1\ntool restic\nend\n", b"", 1795000000.0, host_at)
    answers = {"tools": tools, "repositories": Output(0, said.encode(), b"", 1795000000.0, host_at)}
    facts = backups.PROBE.dialects["linux"].parse(answers, {})
    assert set(facts) == set(backups.PROBE.facts["properties"])
