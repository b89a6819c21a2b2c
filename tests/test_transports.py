"""The one contract of every transport, against real shells, a real sshd and a WinRM endpoint that the real client logs in to.

There is no PowerShell here: behind the endpoint a shell runs the questions, and frames come as PowerShell frames them. Contracts
that only a POSIX shell can keep are asked of `way`, all others of `any_way`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import lacking
from sshd import Sshd, private, started
from winrm_double import PASSWORD, PowerShell, certified, hello, listening
from winrm_double import USER as WINDOWS_USER

from auditor.framing import ps
from auditor.framing.collector import INSTALLED, version
from auditor.framing.sh import HELLO, elevated_text, question
from auditor.kinds import Ask, Settings
from auditor.model import Answer, Command, Failure, Host, Obstacle, Output
from auditor.readers import files
from auditor.transports import local, openssh, ssh, winrm

CATALOGUE = (
    Command('id -u; for a in "$@"; do echo "<$a>"; done', elevated=True, takes="path"),
    Command("/etc/hostname /etc/shadow /etc/nowhere*", kind="read", elevated=True),
    Command("exit 7", elevated=True, timeout_s=5),
)
WHO, FILES, SEVEN = CATALOGUE


@dataclass(frozen=True, slots=True)
class Way:
    """A transport opened, and a host to ask by it."""

    ask: Ask
    host: Host

    def __call__(self, *commands: Command, deadline_s: float = 30.0, become: bool = True) -> dict[Command, Answer]:
        told = list(self.ask(replace(self.host, become=become), commands, deadline_s))
        assert len(told) == len(commands), "each question has exactly one answer"
        assert {c for c, _ in told} == set(commands)
        return dict(told)

    def one(self, text: str, **rest: object) -> Answer:
        command = Command(text, **rest)  # type: ignore[arg-type]
        return self(command)[command]


# ---------------------------------------------------------------- the ways in, and the shells behind them

SHELLS = {"dash": "dash", "bash": "bash", "busybox": "busybox"}


def instead_of_sh(shell: str) -> str:
    """Shell lines that put another shell in the place of this machine's, to run in a private mount namespace."""
    real = os.path.realpath("/bin/sh")
    return f"mount --bind {shell} {real}" if os.path.realpath(shell) != real else ":"


def only_busybox(busybox: str, folder: Path) -> str:
    """Shell lines that leave nothing but busybox in /usr/bin, as on a small appliance."""
    tools, passwd = folder / "tools", folder / "passwd"
    return f"""mkdir {tools}
cp {busybox} {tools}/busybox
{tools}/busybox --install -s {tools}
sed 's|^\\(root:.*\\):[^:]*$|\\1:/bin/sh|' /etc/passwd > {passwd}
mount --bind {passwd} /etc/passwd
mount --bind {tools} /usr/bin"""


def over_ssh(server: Sshd) -> Way:
    settings = Settings(time.time, CATALOGUE, (server.known_hosts_file(),))
    host = Host("it", "127.0.0.1", port=server.port, user=server.user, key_file=server.key_file)
    return Way(ssh.TRANSPORT.open(settings), host)


def by_openssh(server: Sshd) -> Way:
    settings = Settings(time.time, CATALOGUE, (server.known_hosts_file(),), ssh_config=())
    host = Host("it", "127.0.0.1", connection="openssh", port=server.port, user=server.user, key_file=server.key_file)
    return Way(openssh.TRANSPORT.open(settings), host)


def here() -> Way:
    return Way(local.TRANSPORT.open(Settings(time.time, CATALOGUE)), Host("it", "localhost", connection="local"))


@pytest.fixture(scope="session")
def servers(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Sshd]]:
    """`servers("dash")`: an sshd whose hosts have that shell as their `sh`; each is started once."""
    known: dict[str, Sshd] = {}
    with ExitStack() as stack:

        def server(shell: str) -> Sshd:
            if shell not in known:
                folder = tmp_path_factory.mktemp(f"sshd-{shell}")
                small = shell == "busybox-only"
                inside = only_busybox(program("busybox"), folder) if small else instead_of_sh(program(SHELLS[shell]))
                known[shell] = stack.enter_context(
                    started(folder, program("sshd"), program("ssh-keygen"), inside=inside)
                )
            return known[shell]

        yield server


def shell_first(shell: str, folder: Path) -> str:
    """A PATH whose `sh` runs in a namespace where `shell` is /bin/sh, also for the questions' own shells."""
    inside = f'{instead_of_sh(shell)}; exec /bin/sh "$@"'
    script = folder / "sh"
    script.write_text(f'#!/bin/bash\nexec unshare -m /bin/bash -c {shlex.quote(inside)} sh "$@"\n')
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


WAYS = [
    "local",
    "ssh",
    "openssh",
    *(pytest.param(f"local {s}", marks=pytest.mark.root) for s in SHELLS),
    *(pytest.param(f"ssh {s}", marks=pytest.mark.root) for s in (*SHELLS, "busybox-only")),
    pytest.param("openssh busybox-only", marks=pytest.mark.root),
]


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Way:
    return opened(request, request.param, program, tmp_path, monkeypatch)


def opened(
    request: pytest.FixtureRequest,
    name: str,
    program: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Way:
    transport, _, shell = name.partition(" ")
    if transport in ("ssh", "openssh"):
        server = request.getfixturevalue("servers")(shell) if shell else request.getfixturevalue("sshd")
        return over_ssh(server) if transport == "ssh" else by_openssh(server)
    if shell:
        monkeypatch.setenv("PATH", shell_first(program(SHELLS[shell]), tmp_path))
    return here()


class InAShell(Mapping[str, Any]):
    """What the endpoint answers a question with: what a shell makes of it. An error of PowerShell has no exit code but 1."""

    def __getitem__(self, text: str) -> Any:
        return hello() if text == ps._HELLO else lambda *words: self.told(text, *words)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    @staticmethod
    def told(text: str, *words: str) -> str:
        asked = ["sh", "-c", text, "sh", *words]
        try:
            return subprocess.run(asked, capture_output=True, timeout=20, check=False).stdout.decode()
        except subprocess.TimeoutExpired:  # whoever asked has gone long ago
            return ""


@pytest.fixture(params=[*WAYS, "winrm http", "winrm https"])
def any_way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    transport, _, scheme = request.param.partition(" ")
    if transport != "winrm":
        programs = request.getfixturevalue("program")
        yield opened(request, request.param, programs, tmp_path, monkeypatch)
        return
    monkeypatch.setenv("WINDOWS_PASSWORD", PASSWORD)
    tls = certified(tmp_path, "127.0.0.1") if scheme == "https" else None
    with listening(tmp_path, program=PowerShell(InAShell()), tls=tls) as double:
        said = {"scheme": scheme, **({"ca_trust_path": tls.authority} if tls else {})}
        host = Host("it", "127.0.0.1", "winrm", double.port, WINDOWS_USER, platform="windows", password="env:WINDOWS_PASSWORD", winrm=said)  # fmt: skip
        yield Way(winrm.TRANSPORT.open(Settings(time.time, connect_timeout_s=5.0)), host)


# ---------------------------------------------------------------- the contract


def test_answers_are_what_was_said(way: Way) -> None:
    commands = [Command(f"echo out{n}; echo err{n} >&2; exit {n}") for n in (0, 1, 2, 42, 126, 127, 255)]
    told = way(*commands)
    assert [(a.exit_code, a.stdout, a.stderr) for a in map(told.get, commands) if isinstance(a, Output)] == [
        (n, b"out%d\n" % n, b"err%d" % n) for n in (0, 1, 2, 42, 126, 127, 255)
    ]


@pytest.mark.parametrize(
    ("text", "stdout"),
    [
        (":", b""),
        ("echo", b"\n"),
        ("printf 'a\\n\\n\\n'", b"a\n\n\n"),
        ("printf a", b"a"),
        ("printf '\\303\\251\\377\\376\\033[2J\\r\\n'", b"\xc3\xa9\xff\xfe\x1b[2J\r\n"),
        ("printf 'a\\000b'", b"ab"),  # a shell's variable holds no NUL: it is lost, nothing else is
        ("cat; echo end", b"end\n"),  # standard input is empty, not the rest of the script
        ('read x; echo "<$x>$?"', b"<>1\n"),
        ("echo $LC_ALL $PATH", b"C /usr/sbin:/usr/bin:/sbin:/bin\n"),
        ("exec 3>&1 4>&1; printf '@%s 0 o 3\\nabc\\n' x >&3", b"@x 0 o 3\nabc\n"),
        ("cd /; pwd; exec >&-; echo lost", b"/\n"),
    ],
)
def test_bytes_come_as_they_are(way: Way, text: str, stdout: bytes) -> None:
    found = way.one(text)
    assert isinstance(found, Output)
    assert found.stdout == stdout


def test_arguments_are_data(any_way: Way) -> None:
    awkward = ("", "a b", "it's", '"$(id)"', "`id`", "two\nlines\n", "\\n", "-n", "*", "é")
    command = Command('for a in "$@"; do printf "<%s>" "$a"; done', arguments=awkward)
    found = any_way(command)[command]
    assert isinstance(found, Output)
    assert found.stdout == "".join(f"<{a}>" for a in awkward).encode()


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("head -c 1000 /dev/zero | tr '\\0' x", True),
        ("head -c 1033 /dev/zero | tr '\\0' x", False),
        ("yes | head -c 100000", False),
        ("yes '' | head -n 1000", True),
        ("yes '' | head -n 5000", False),  # the cut falls among line feeds
        ("cat /dev/zero", False),
        ("head -c 1010 /dev/zero", True),
    ],
)
def test_the_cap_is_exact_or_said(way: Way, text: str, fits: bool) -> None:
    command, after = Command(text, cap_bytes=1000), Command("echo after")
    told = way(command, after)
    found = told[command]
    if fits:
        assert isinstance(found, Output)
        assert len(found.stdout) == (0 if "tr" not in text and "zero" in text else 1000)
    else:
        assert isinstance(found, Failure)
        assert found.cause == "truncated"
    assert isinstance(told[after], Output)


def test_what_is_longer_than_its_cap_is_said_and_costs_no_other_its_answer(any_way: Way) -> None:
    fits, longer, after = (Command(f"printf '%0{n}d' 7", cap_bytes=1000) for n in (1000, 5000, 3))
    told = any_way(fits, longer, after)
    assert [a.stdout for c in (fits, after) if isinstance(a := told[c], Output)] == [b"0" * 999 + b"7", b"007"]
    assert getattr(told[longer], "cause", told[longer]) == "truncated"


@pytest.mark.parametrize(
    "text", ["", "a", "a\\n\\n\\n", "\\303\\251 \\342\\202\\254 \\033[2J\\r\\n", "@x 0 o 3\\nabc\\n"]
)
def test_text_comes_as_it_was_said(any_way: Way, text: str) -> None:
    command = Command("printf '%b' \"$1\"", arguments=(text,))
    found = any_way(command)[command]
    assert isinstance(found, Output)
    assert (found.exit_code, found.stdout) == (0, text.encode().decode("unicode_escape").encode("latin-1"))


def test_no_length_near_the_cap_changes_an_exit_code(way: Way) -> None:
    """A cut within the last line must not look whole. NUL bytes are lost by the shell, and counted by the cap of a question alone."""
    for asked, said, slow in (
        ("/dev/zero", "", 30),
        ("/dev/zero | tr '\\0' x", "", 20),
        ("/dev/zero | tr '\\0' x", "y", 30),
    ):
        commands = [
            Command(f"printf '{said}'; head -c {n} {asked}; exit 124", timeout_s=slow, cap_bytes=100)
            for n in range(95, 125)
        ]
        assert {getattr(a, "cause", a) for a in way(*commands).values()} == {"timeout", "truncated"}


def test_a_question_is_timed_on_the_host(way: Way) -> None:
    slow, after = Command("sleep 150", timeout_s=1), Command("echo after")
    told = way(slow, after)
    assert isinstance(told[slow], Failure)
    assert told[slow].cause == "timeout"
    assert isinstance(told[after], Output)


def test_the_deadline_ends_the_host_and_keeps_what_was_answered(any_way: Way) -> None:
    slow, quick, slower = (
        Command("sleep 150; echo no", timeout_s=200),
        Command("echo quick"),
        Command("echo", timeout_s=300),
    )
    told = any_way(slow, quick, slower, deadline_s=2.5)
    assert isinstance(told[quick], Output)
    assert [a.cause for c in (slow, slower) if isinstance(a := told[c], Failure)] == ["timeout", "timeout"]


def test_two_hundred_questions(any_way: Way) -> None:
    commands = [Command('echo "$1"', arguments=(str(n),)) for n in range(200)]
    told = any_way(*commands)
    assert [a.text for c in commands if isinstance(a := told[c], Output)] == [f"{n}\n" for n in range(200)]


def test_nothing_asked(any_way: Way) -> None:
    assert any_way() == {}


def test_a_loud_question_is_heard_out(way: Way) -> None:
    found = way.one("yes error | head -c 1000000 >&2; echo done; exit 3")
    assert isinstance(found, Output)
    assert (found.exit_code, found.stdout) == (3, b"done\n")
    assert 2000 < len(found.stderr) <= 2048


def test_a_child_left_behind(way: Way) -> None:
    told = [way.one("(sleep 150 >/dev/null 2>&1 &); echo a"), way.one("sleep 1 & echo b")]
    assert [a.stdout for a in told if isinstance(a, Output)] == [b"a\n", b"b\n"]


def test_a_question_that_kills_its_shell_costs_no_other_its_answer(way: Way) -> None:
    killer, after = Command("kill -9 $$"), Command("echo after")
    told = way(killer, after)
    assert not isinstance(told[killer], Output)
    assert isinstance(told[after], Output)


def test_the_host_says_its_clock_first(any_way: Way) -> None:
    told = any_way(Command("echo"), HELLO)
    hello, other = told[HELLO], told[Command("echo")]
    assert isinstance(hello, Output)
    assert hello.host_at is not None
    assert abs(hello.host_at - time.time()) < 60
    assert isinstance(other, Output)


def test_files_are_read(way: Way, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "a.conf").write_bytes(b"one\n\n")
    (tmp_path / "b c.conf").write_bytes(b"")
    (tmp_path / "d.conf").mkdir()
    globs = f"{tmp_path}/*.conf {tmp_path}/missing {tmp_path}/none/*"
    if " " in str(tmp_path):
        lacking("globs are separated by spaces: give a --basetemp without any")
    command = Command(globs, kind="read")
    found = files.read(way(command)[command])
    assert found.texts == {f"{tmp_path}/a.conf": "one\n\n", f"{tmp_path}/b c.conf": ""}
    assert not found.denied


# ---------------------------------------------------------------- what needs root


@pytest.mark.root
def test_elevated_as_root(way: Way) -> None:
    asked = replace(WHO, arguments=("/it's", "/a b", "/*", "/-n", '/"$(id)"'))
    told = way(asked, SEVEN, FILES, Command("echo plain"))
    assert told[asked].text == '0\n</it\'s>\n</a b>\n</*>\n</-n>\n</"$(id)">\n'
    assert told[SEVEN].exit_code == 7
    assert "/etc/shadow" in files.read(told[FILES]).texts


def test_not_to_become_root(way: Way) -> None:
    told = way(WHO, Command("echo plain"), become=False)
    assert told[WHO].cause == "no_privilege"
    assert isinstance(told[Command("echo plain")], Output)


# ---------------------------------------------------------------- sudo: a user of its own, in a namespace of its own

USER = "auditor-test"
KEYS = "/etc/ssh/keys-of-the-test"
RULE = f"echo '{USER} ALL=(root) NOPASSWD: {INSTALLED}' > /etc/sudoers.d/test"
PLACED = f"mkdir -p /usr/local/libexec\ncp {{text}} {INSTALLED}\nchmod 755 {INSTALLED}"
NEEDED = f"collector {version(CATALOGUE)} needed: {INSTALLED} "
CASES = {
    "no rule": "",
    "sh": f"echo '{USER} ALL=(root) NOPASSWD: /usr/bin/sh, /bin/sh' > /etc/sudoers.d/test",
    "installed": f"""mkdir -p /usr/local/libexec
cp {{text}} /usr/local/libexec/auditor-elevated
chmod 755 /usr/local/libexec/auditor-elevated
echo '{USER} ALL=(root) NOPASSWD: /usr/local/libexec/auditor-elevated' > /etc/sudoers.d/test""",
    "another release": f"""mkdir -p /usr/local/libexec
cp {{older}} /usr/local/libexec/auditor-elevated
chmod 755 /usr/local/libexec/auditor-elevated
echo '{USER} ALL=(root) NOPASSWD: /usr/local/libexec/auditor-elevated' > /etc/sudoers.d/test""",
    "absent": RULE,
    "altered": f"{PLACED}\necho '# mine' >> {INSTALLED}\n{RULE}",
    "foreign": f"{PLACED}\necho 'id -u' > {INSTALLED}\n{RULE}",
    "closed": f"{PLACED}\nchmod 700 {INSTALLED}\n{RULE}",
    "no sudo": "rm -f /usr/bin/sudo",
}


def with_user(case: str, folder: Path) -> str:
    """Shell lines that make a user and a sudo rule that exist in this mount namespace only."""
    (folder / "text").write_text(elevated_text(CATALOGUE))
    (folder / "older").write_text(elevated_text((WHO,)))
    rule = CASES[case].format(text=folder / "text", older=folder / "older")
    return private(
        folder,
        f"""useradd --create-home --shell /bin/sh --password '*' {USER}
cp {folder}/authorized_keys {KEYS}
chmod 644 {KEYS}
mkdir -p /etc/sudoers.d
rm -f /etc/sudoers.d/test
{rule}""",
    )


@pytest.fixture
def sudo(request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path) -> Iterator[Way]:
    program("sudo")
    inside = with_user(request.param, tmp_path)
    with started(tmp_path, program("sshd"), program("ssh-keygen"), inside=inside, user=USER, keys=KEYS) as server:
        yield over_ssh(server)


PLAIN = Command("id -un")


@pytest.mark.root
@pytest.mark.parametrize("sudo", ["sh", "installed"], indirect=True)
def test_sudo_without_a_password(sudo: Way) -> None:
    asked = replace(WHO, arguments=("/it's", "/a b"))
    told = sudo(PLAIN, asked, SEVEN, FILES)
    assert told[PLAIN].text == f"{USER}\n"
    assert told[asked].text == "0\n</it's>\n</a b>\n"
    assert told[SEVEN].exit_code == 7
    assert "/etc/shadow" in files.read(told[FILES]).texts


@pytest.mark.root
@pytest.mark.parametrize(
    ("sudo", "words"),
    [("no rule", "password is required"), ("no sudo", "no sudo on this host")],
    indirect=["sudo"],
)
def test_sudo_that_we_may_not_use_costs_only_what_needs_it(sudo: Way, words: str) -> None:
    plain_read = Command("/etc/shadow", kind="read")
    told = sudo(PLAIN, WHO, FILES, plain_read)
    assert told[PLAIN].text == f"{USER}\n"
    for command in (WHO, FILES):
        assert told[command].cause == "no_privilege"
        assert words in told[command].message
    seen = files.read(told[plain_read])
    assert (seen.texts, list(seen.denied)) == ({}, ["/etc/shadow"])


@pytest.mark.root
@pytest.mark.parametrize("sudo", ["another release"], indirect=True)
def test_the_installed_text_of_another_release_is_not_asked(sudo: Way) -> None:
    """Not even for the question that both releases ask in the same words; both are named."""
    told = sudo(PLAIN, WHO, SEVEN)
    assert told[PLAIN].text == f"{USER}\n"
    for command in (WHO, SEVEN):
        assert told[command].cause == "no_privilege"
        assert told[command].message == NEEDED + f"is collector {version((WHO,))}"
        assert told[command].obstacle == Obstacle("old_text")


@pytest.mark.root
@pytest.mark.parametrize(
    ("sudo", "words"),
    [
        ("absent", "is not there"),
        ("altered", "was altered"),
        ("foreign", "is of another release"),
        ("closed", "cannot be read"),
    ],
    indirect=["sudo"],
)
def test_what_is_installed_must_be_the_very_text(sudo: Way, words: str) -> None:
    told = sudo(PLAIN, WHO, FILES)
    assert told[PLAIN].text == f"{USER}\n"
    for command in (WHO, FILES):
        assert told[command].cause == "no_privilege"
        assert told[command].message.endswith(NEEDED + words)
        assert told[command].obstacle == Obstacle("old_text")


@pytest.mark.root
@pytest.mark.parametrize("sudo", ["installed"], indirect=True)
def test_root_by_the_installed_text_does_what_it_holds_and_nothing_else(sudo: Way) -> None:
    """Whoever has the account cannot make it ask otherwise: arguments are typed, questions named, words have their shape."""
    call = f"sudo -n {INSTALLED} abc0 "
    asked = [
        sudo.one(call + words)
        for words in (
            f"1 {question(WHO)} /etc",
            f"1 {question(WHO)} 'not a path'",
            f"1 {question(WHO)} /var/../etc",
            f"1 {question(SEVEN)} /etc",
            "1 123456789abc ''",
            f"'1;id' {question(WHO)} ''",
            f"1 '{question(WHO)}) id; *' ''",
        )
    ]
    texts = [a.text if isinstance(a, Output) else a for a in asked]
    assert texts[0] == "@abc0 1 o 17\n0\n</etc>\n\nabc0 0.\n@abc0 1 e 0\n\n"
    assert texts[1:4] == ["@abc0 1 ! 0\n\n"] * 3
    assert texts[4:] == ["@abc0 1 ? 0\n\n", "", "@abc0 1 ? 0\n\n"]
    for nonce in ("''", "'a b'", "'$(id)'", "xyz"):
        refused = sudo.one(f"sudo -n {INSTALLED} {nonce} 1 {question(WHO)} /etc; echo $?")
        assert isinstance(refused, Output)
        assert refused.text == "2\n"


@pytest.mark.root
@pytest.mark.parametrize(
    ("transport", "shell"), [("ssh", "busybox-only"), *((t, s) for t in ("local", "ssh") for s in SHELLS)]
)
def test_the_shells_of_this_suite_are_what_they_are_called(
    transport: str,
    shell: str,
    servers: Callable[[str], Sshd],
    program: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if transport == "local":
        monkeypatch.setenv("PATH", shell_first(program(SHELLS[shell]), tmp_path))
    asked = here() if transport == "local" else over_ssh(servers(shell))
    nested = asked.one(
        'echo "${BASH_VERSION:+bash}"; cat /proc/$$/comm; ls /usr/bin/dpkg; head --help 2>&1 | head -n 1; :'
    )
    assert isinstance(nested, Output)
    bash, comm, *_ = nested.text.split("\n")
    assert (bash == "bash") == (shell == "bash")
    assert comm == "sh"
    assert ("BusyBox" in nested.text) == (shell == "busybox-only")
