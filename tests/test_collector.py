"""The collector: one text a release whatever the process, arguments of the type that is said, files that install it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from documents import written
from make import ESTATE_YAML, ROOT, write

from auditor import shelves
from auditor.cli import main
from auditor.commands import inputs
from auditor.evaluate import collector
from auditor.framing.collector import digest, elevated_text, elevation, version
from auditor.framing.sh import HELLO, Reader, question
from auditor.kinds import Probe
from auditor.model import Answer, Command, Failure, Output

NONCE = "0123456789abcdef"
SHELLS = ("dash", "bash", "busybox sh")
SITE = """
from auditor.kinds import Dialect, Probe
from auditor.model import Command

PROBE = Probe(
    title={"en": "Mine", "fr": "La mienne"},
    facts={"type": "object", "properties": {}},
    dialects={"linux": Dialect(lambda args: {"all": Command("id -u # mine", elevated=True)}, lambda answers, args: {})},
)
"""


def auditor(*words: str, **environment: str) -> Result:
    result = CliRunner().invoke(main, list(words), env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def asked(shell: list[str], *commands: Command) -> list[Answer]:
    """What the text of these questions answers as whoever runs the tests, in their order."""
    catalogue = tuple({question(c): replace(c, arguments=()) for c in commands}.values())
    words = [w for i, c in enumerate(commands) for w in (str(i), question(c), "\n".join(c.arguments))]
    done = subprocess.run(
        [*shell, "-s", "--", NONCE, *words], input=elevated_text(catalogue).encode(), capture_output=True, check=False
    )
    distinct = tuple(replace(c, timeout_s=20 + i) for i, c in enumerate(commands))  # equal ones are asked again here
    reader = Reader(distinct, NONCE)
    told = dict([*reader.feed(done.stdout, 1.0), *reader.finish(Failure("closed", "", 1.0))])
    return [told[c] for c in distinct]


# ---------------------------------------------------------------- types of arguments

GOOD = {
    "address": ("192.0.2.1", "::1", "fe80::1", "2001:DB8::ff", "::ffff:192.0.2.1"),
    "number": ("0", "42", "9" * 18),
    "name": ("auditor", "_x", "a.b-c@d", "9lives"),
    "path": ("/var/log", "/a b", "/-n", "/it's", '/"$(id)"', "/var/log/", "/.hidden", "/a..b", "/\u00e9t\u00e9", "/*"),
}
BAD = {
    "address": ("web01", "1", "abc", "1.2.3.4;id", "$(id)", "192.0.2.1 -x", "-1.2", "fe80::1%eth0", "1." * 30, "\u0662.\u0662"),
    "number": ("-1", "1e9", "0x10", "1 ", "9" * 19, "\u0662"),
    "name": ("-x", ".", "a b", "a/b", "a;id", "$(id)", "*", "a" * 256, "\u00e9t\u00e9"),
    "path": ("var", "", "/", "//", "/a//b", "/a/./b", "/a/../b", "/..", "/a/..", "-x", "~", "/proc", "/proc/1/environ", "/sys/x",
             "/dev/sda", "/" + "a" * 4096, "$(id)"),
}  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("kind", GOOD)
def test_an_argument_of_the_type_is_data_and_any_other_is_refused(
    shell: str, kind: str, program: Callable[[str], str]
) -> None:
    echo = Command("printf '<%s>' \"$@\"", elevated=True, takes=kind)  # type: ignore[arg-type]
    words = [program(shell.split(maxsplit=1)[0]), *shell.split()[1:]]
    given = [*GOOD[kind], *filter(None, BAD[kind])]
    told = dict(zip(given, asked(words, *(replace(echo, arguments=(w,)) for w in given)), strict=True))
    for word in GOOD[kind]:
        answer = told[word]
        assert isinstance(answer, Output), word
        assert answer.text == f"<{word}>"
    for word in filter(None, BAD[kind]):
        answer = told[word]
        assert isinstance(answer, Failure), word
        assert answer.cause == "not_asked"
        assert "type" in answer.message
    several, none, mixed = asked(
        words, replace(echo, arguments=GOOD[kind]), echo, replace(echo, arguments=(GOOD[kind][0], BAD[kind][0]))
    )
    assert isinstance(several, Output)
    assert several.text == "".join(f"<{w}>" for w in GOOD[kind])
    assert isinstance(none, Output)
    assert isinstance(mixed, Failure), "one wrong argument among right ones"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_question_without_a_type_takes_no_argument(shell: str, program: Callable[[str], str]) -> None:
    words = [program(shell.split(maxsplit=1)[0]), *shell.split()[1:]]
    plain, read = Command("echo ran", elevated=True), Command("/etc/hostname", kind="read", elevated=True)
    told = asked(words, plain, replace(plain, arguments=("/etc",)), read, replace(read, arguments=("/etc/shadow",)))
    assert [isinstance(a, Output) for a in told] == [True, False, True, True]
    both = [a for a in told[2:] if isinstance(a, Output)]
    assert both[0].stdout == both[1].stdout, "a file that is not in the text is not read"


def given_arguments() -> Iterator[tuple[str, Command]]:
    """Each elevated command of the shipped probes with the arguments that the recorded cases give it."""
    for name, probe in shelves.probes().items():
        if not isinstance(probe, Probe) or "linux" not in probe.dialects:
            continue
        cases = [written(p.read_text()) for p in sorted((ROOT / "tests/probes" / name).glob("*.yaml"))]
        for args in [{}, *(c["arguments"] for c in cases if c["platform"] == "linux")]:
            for command in probe.dialects["linux"].commands(args).values():
                if command.elevated and command.arguments:
                    yield name, command


def test_every_argument_of_a_shipped_elevated_question_is_of_its_type() -> None:
    commands = list(dict.fromkeys(c for _, c in given_arguments()))
    assert commands
    assert not [c.text[:60] for c in commands if not c.takes]
    tried = [Command(f"echo {i}", elevated=True, takes=c.takes, arguments=c.arguments) for i, c in enumerate(commands)]
    assert not [c.arguments for c, a in zip(tried, asked(["sh"], *tried), strict=True) if not isinstance(a, Output)]


def test_who_needs_root_says_why_in_both_languages() -> None:
    for name, probe in shelves.probes().items():
        if isinstance(probe, Probe) and any(
            c.elevated for d in probe.dialects.values() for c in d.commands({}).values()
        ):
            assert probe.privilege.get("en"), name
            assert probe.privilege.get("fr"), name


# ---------------------------------------------------------------- one text a release


def test_the_text_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Whatever the order of Python's sets, the locale and the place; and its digest is what a run keeps."""
    texts = set()
    for seed, lang in (("0", "C"), ("1", "fr_FR.UTF-8"), ("4242", "C.UTF-8")):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-m", "auditor", "collector", "install-files", str(folder)],
            env={**os.environ, "PYTHONHASHSEED": seed, "LANG": lang}, check=True, capture_output=True, cwd=ROOT,
        )  # fmt: skip
        files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        texts.add(tuple((p.relative_to(folder).as_posix(), p.read_bytes()) for p in files))
    assert len(texts) == 1
    catalogue = inputs.elevated(shelves.probes())
    written = dict(texts.pop())
    assert hashlib.sha256(written["auditor-elevated"]).hexdigest() == digest(catalogue)
    assert elevated_text(tuple(reversed(catalogue))).encode() == written["auditor-elevated"]
    assert (
        written["auditor-elevated"]
        .split(b"\n")[1]
        .startswith(b"# auditor collector %s: " % version(catalogue).encode())
    )


def test_any_change_of_a_question_is_another_version() -> None:
    one = Command("a", elevated=True)
    others = [replace(one, text="b"), replace(one, timeout_s=9), replace(one, cap_bytes=9), replace(one, takes="path")]
    assert len({version((c,)) for c in (one, *others)}) == 5
    assert len({digest((c,)) for c in (one, *others)}) == 5
    assert version((one,)) == version((one, one))
    assert elevation((one,)).text.endswith(version((one,)))


# ---------------------------------------------------------------- install-files


def site_probes(tmp_path: Path) -> str:
    (tmp_path / "probes").mkdir(mode=0o755)
    (tmp_path / "probes" / "mine.py").write_text(SITE)
    (tmp_path / "probes" / "mine.py").chmod(0o644)
    return str(tmp_path / "probes")


def test_what_it_writes_and_says(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "files"
    told = auditor("collector", "install-files", str(folder))
    assert told.exit_code == 0
    catalogue = inputs.elevated(shelves.probes())
    lines = told.stdout.splitlines()
    assert lines[0] == f"Collector {version(catalogue)}, SHA-256 {digest(catalogue)}"
    written = [p for p in folder.rglob("*") if p.is_file()]
    assert {line.strip() for line in lines[1 : len(written) + 1]} == {str(p) for p in written}
    assert {p.relative_to(folder).as_posix() for p in written} == {
        "auditor-elevated", "auditor.sudoers", "on-each-host.sh", "auditor-account.yml",
        "roles/auditor_account/tasks/main.yml", "roles/auditor_account/files/auditor-elevated",
        "roles/auditor_account/files/auditor.sudoers",
    }  # fmt: skip
    assert "Own" not in told.stdout
    assert lines[-1].startswith("Next: ")
    assert (
        auditor("collector", "install-files", str(tmp_path / "fr"), "--lang", "fr").stdout.splitlines()[-1][:8]
        == "Ensuite "
    )


def test_own_probes_are_in_it_and_it_says_so(tmp_path: Path) -> None:
    probes = site_probes(tmp_path)
    told = auditor("collector", "install-files", str(tmp_path / "files"), "--probes", probes)
    assert "With the questions of your own probes: mine" in told.stdout
    assert "id -u # mine" in (tmp_path / "files" / "auditor-elevated").read_text()
    assert version(inputs.elevated(shelves.probes())) not in told.stdout
    auditor("collector", "install-files", str(tmp_path / "without"))
    assert "id -u # mine" not in (tmp_path / "without" / "auditor-elevated").read_text()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert auditor("collector", "install-files", str(tmp_path / "empty")).exit_code == 0
    again = auditor("collector", "install-files", str(tmp_path / "empty"))
    assert (again.exit_code, again.stdout) == (2, "")
    assert "not empty" in again.stderr
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert auditor("collector", "install-files", str(tmp_path / "dangling")).exit_code == 2
    (tmp_path / "file").write_text("x")
    assert auditor("collector", "install-files", str(tmp_path / "file" / "below")).exit_code == 2


@pytest.mark.parametrize(("answer", "code", "words"), [("exit 0", 0, "nothing wrong"), ("echo bad; exit 1", 2, "bad")])
def test_visudo_is_asked_where_it_is(tmp_path: Path, answer: str, code: int, words: str) -> None:
    """A visudo of our own, first on the PATH: its word counts, and it is given the file that was written."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "visudo").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n{answer}\n')
    (tmp_path / "bin" / "visudo").chmod(0o755)
    told = auditor("collector", "install-files", str(tmp_path / "f"), PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert told.exit_code == code
    assert words in told.output
    assert (tmp_path / "asked").read_text() == f"-cf {tmp_path}/f/auditor.sudoers\n"


# ---------------------------------------------------------------- plan --privileges


def test_privileges_are_told_by_hosts_that_are_alike_then_why(tmp_path: Path) -> None:
    hosts = ("web01: {}, web02: {}, log01: {}, nobecome: {ansible_become: false}, dc01: {auditor_platform: windows},"
             " p: {ansible_host: nowhere.invalid}")  # fmt: skip
    more = "  log01: {roles: [log-collector]}\n  p: {platform: other, connection: none, why: a printer}\n"
    write(tmp_path / "town", hosts=f"all: {{hosts: {{{hosts}}}}}", estate=ESTATE_YAML + more)
    told = auditor("plan", "--privileges", "-i", str(tmp_path / "town"))
    assert told.exit_code == 0
    first, *why = told.stdout.split("\n\n")
    titles = [line for line in first.splitlines() if not line.startswith(" ")]
    names = [line.split(":")[0] for line in titles]
    assert names == ["web[01-02]", "log01", "nobecome", "dc01", "p"]
    assert f"by collector {version(inputs.elevated(shelves.probes()))} and nothing else" in titles[0]
    assert "ansible_become is false" in titles[2]
    assert "a privilege of the account" in titles[3]
    assert titles[4].endswith("nothing that needs a privilege")
    assert first.count("  log_archive: ") == 1, "it is asked of the collector of logs alone"
    assert "  admins: sudoers, root_keys" in first
    by_probe = {block.split(":")[0]: block for block in why}
    assert set(by_probe) == {line.split(":")[0].strip() for line in first.splitlines() if line.startswith("  ")}
    for name, block in by_probe.items():
        probe = shelves.probes()[name]
        assert isinstance(probe, Probe)
        assert probe.privilege["en"] in block
    assert "uid-zero-only-root" in by_probe["admins"].splitlines()[-1]
    french = auditor("plan", "--privileges", "-i", str(tmp_path / "town"), "--lang", "fr").stdout
    assert "\n  pourquoi: root, pour lire sudoers" in french


# ---------------------------------------------------------------- what answered as root


def hello(uid: str, *more: str, system: str = "Linux") -> dict[Command, Answer]:
    lines = "\n".join([system, "web01", uid, "1795000000", "a" * 32, *more])
    return {HELLO: Output(0, f"{lines}\n".encode(), b"", 1.0), Command("x", elevated=True): Output(0, b"", b"", 1.0)}


SHA = "5a" * 32


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (hello("1000", "none"), "piped"),
        (hello("1000", "unread"), "piped"),
        (hello("1000", f"{SHA}  /usr/local/libexec/auditor-elevated"), f"installed {SHA}"),
        (hello("0", f"{SHA}  /usr/local/libexec/auditor-elevated"), "piped"),  # root is sent the text itself
        (hello("1000", f"{SHA}{SHA}"), "piped"),
        (hello("1000"), "piped"),
        (hello("0", "none", system="Windows"), ""),
        ({**hello("1000", "none"), Command("x", elevated=True): Failure("no_privilege")}, ""),
        ({**hello("1000", "none"), HELLO: Failure("closed")}, ""),
        ({}, ""),
    ],
)
def test_what_answered_as_root(told: dict[Command, Answer], expected: str) -> None:
    assert collector(told) == expected
