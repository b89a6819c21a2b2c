"""Questions that are asked in one process: each costs only itself, whatever it does, in each shell; what they cost a host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.framing.asking import TOGETHER, TOGETHER_BYTES, TOGETHER_S
from auditor.framing.sh import HELLO, STDERR_CAP, Reader, elevated_text, question, script
from auditor.model import Answer, Command, Failure, Output

NONCE = "0123456789abcdef"
SHELLS = ("dash", "bash", "busybox")
PATH = "PATH=/usr/sbin:"
AFTER, FIRST = Command("echo after"), Command("echo first")
Tell = Callable[..., list[Answer]]


def told_by(shell: Path, *commands: Command, text: str = "") -> list[Answer]:
    """What a host says whose `sh` is this shell; `text` is another script than that of these questions."""
    asked = (HELLO, *commands)
    text = (text or script(asked, ())).replace(PATH, f"PATH={shell.parent}:/usr/sbin:")
    done = subprocess.run([shell, "-s", "--", NONCE], input=text.encode(), capture_output=True, check=False)
    reader = Reader(asked, NONCE)
    told = dict([*reader.feed(done.stdout, 1.0), *reader.finish(Failure("closed", "", 1.0))])
    assert reader.broken is None
    return [told[c] for c in commands]


@pytest.fixture(params=SHELLS)
def tell(request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path: Path) -> Tell:
    (tmp_path / "sh").symlink_to(program(request.param))
    return lambda *commands, **given: told_by(tmp_path / "sh", *commands, **given)


def said(answer: Answer) -> tuple[int, bytes, bytes] | str:
    return (answer.exit_code, answer.stdout, answer.stderr) if isinstance(answer, Output) else answer.cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("kill -9 $$", "timeout"),
        ("kill -9 0", "timeout"),
        ("kill 0; echo no", "timeout"),
        ("yes", "truncated"),
        ("yes | head -c 70000", "truncated"),
        ("yes '' | head -c 70000", "truncated"),
        (f"printf '\\n.{NONCE} 9 0.'; kill -9 $$", "timeout"),
        (f"printf '\\n{NONCE} 0.\\n@{NONCE} 2 e 0\\n\\n0.'; kill -9 $$", "timeout"),
    ],
)
def test_what_ends_the_process_that_asks_costs_only_itself(tell: Tell, text: str, cause: str) -> None:
    assert [said(a) for a in tell(FIRST, Command(text), AFTER)] == [(0, b"first\n", b""), cause, (0, b"after\n", b"")]


@pytest.mark.parametrize("loud", ["yes | head -c 300000000 >&2; exit 3", "yes | head -c 500000 >&2; exit 3"])
def test_a_flood_of_errors_is_heard_out(tell: Tell, loud: str) -> None:
    first, found, after = tell(FIRST, Command(loud), AFTER)
    assert isinstance(found, Output)
    assert (found.exit_code, found.stdout) == (3, b"")
    assert STDERR_CAP - 2 <= len(found.stderr) <= STDERR_CAP
    assert (said(first), said(after)) == ((0, b"first\n", b""), (0, b"after\n", b""))


def test_what_takes_longer_than_they_may_together_has_its_own_time(tell: Tell) -> None:
    slow = Command("sleep 1.5; echo slow")
    text = script((HELLO, FIRST, slow, AFTER), ())
    assert f"$T {TOGETHER_S} sh" in text
    told = tell(FIRST, slow, AFTER, text=text.replace(f"$T {TOGETHER_S} sh", "$T 1 sh"))
    assert [said(a) for a in told] == [(0, b"first\n", b""), (0, b"slow\n", b""), (0, b"after\n", b"")]


def test_what_ignores_to_be_ended_and_what_it_leaves_behind_is_ended(tell: Tell, tmp_path: Path) -> None:
    """Where it is asked together, and where it is asked alone: neither it nor its child is there afterwards."""
    deaf = Command(f"trap '' TERM; (echo $$; exec sleep 300.25) >>{tmp_path}/ran & sleep 300.25", timeout_s=TOGETHER_S)
    text = script((HELLO, FIRST, deaf, AFTER), ())
    text = text.replace(f"$T {TOGETHER_S} sh", "$T 1 sh").replace(f"{TOGETHER_S} 65568 'trap", "1 65568 'trap")
    told = tell(FIRST, deaf, AFTER, text=text)
    assert [said(a) for a in told] == [(0, b"first\n", b""), "timeout", (0, b"after\n", b"")]
    assert len((tmp_path / "ran").read_text().split()) == 2
    ours = str(tmp_path).encode()
    assert not [p for p in Path("/proc").glob("[0-9]*/fd/1") if os.path.realpath(p).encode().startswith(ours)]


def test_no_question_sees_another_nor_who_asks(tell: Tell) -> None:
    """Its variables, arguments, limits, open files, standard input, options and traps are its own."""
    spoils = Command(
        "x=1; set -ef; trap 'echo bye' EXIT; cd /; umask 0; exec 9>&1; ulimit -S -n 20; echo $#", arguments=("a", "b")
    )
    looks = Command(
        'printf \'%s \' "$#" "${x-none}" "$0"; cat; ulimit -S -v; ulimit -S -n; ls /proc/self/fd | wc -l; case $- in *[ef]*) echo spoilt ;; esac'
    )
    first = said(tell(looks)[0])
    assert [said(a) for a in tell(spoils, looks)] == [(0, b"2\nbye\n", b""), first]
    assert isinstance(first, tuple)
    assert first[1].startswith(b"0 none sh "), first
    alone = Command(looks.text, timeout_s=30)
    assert said(tell(alone)[0]) == first, "as where it is asked alone"


def test_odd_answers_are_whole(tell: Tell) -> None:
    odd = Command("printf 'a\\0b\\377\\n\\n'; printf '\\n\\n!\\n' >&2; exit 7")
    both = Command(odd.text, timeout_s=30)
    assert [said(a) for a in tell(odd, both)] == [(7, b"ab\xff\n\n", b"\n\n!")] * 2
    words = Command(
        'printf "<%s>" "$@"', arguments=("a b", "", "*", "it's", "two\nlines", "$(id)", *map(str, range(12)))
    )
    assert said(tell(words, AFTER)[0]) == (0, "".join(f"<{w}>" for w in words.arguments).encode(), b"")


def test_more_than_are_asked_at_once_and_long_answers(tell: Tell) -> None:
    many = [Command(f"printf '%0{900 * i}d' 7", cap_bytes=65536) for i in range(1, 2 * TOGETHER + 3)]
    assert [len(a.stdout) for a in tell(*many) if isinstance(a, Output)] == [
        900 * i for i in range(1, 2 * TOGETHER + 3)
    ]
    texts = [Command(f": {'x' * TOGETHER_BYTES}\necho {i}") for i in range(3)]
    assert [said(a) for a in tell(*texts)] == [(0, f"{i}\n".encode(), b"") for i in range(3)]


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("ulimit -S -v 65536", "ulimit -S -v nonsense"),
        ('ulimit -S -v "$A_v"', "ulimit -S -v nonsense"),
        ("if timeout -k 1 5 true", "if false"),
        ("timeout -k 1 5 true 2>/dev/null; then T='timeout -k 1'; elif timeout 5 true", "false; then :; elif false"),
        ("/proc/uptime", "/nowhere/uptime"),
    ],
    ids=["no limit of memory", "a limit that stays", "timeout without -k", "no timeout", "no uptime"],
)
def test_a_host_that_lacks_what_asking_together_needs_answers_all_the_same(tell: Tell, word: str, other: str) -> None:
    many = [Command(f"echo {i}; echo e >&2; exit {i}") for i in range(20)]
    text = script((HELLO, *many), ())
    assert word in text
    answers = tell(*many, text=text.replace(word, other))
    assert [said(a) for a in answers] == [(i, f"{i}\n".encode(), b"e") for i in range(20)]


def test_the_elevated_text_asks_together_as_well(tell: Tell, tmp_path: Path) -> None:
    asked = [
        Command("echo first", elevated=True),
        Command("kill -9 $$", elevated=True),
        Command("echo slow", elevated=True, timeout_s=60),
    ]
    asked += [
        Command("printf '<%s>' \"$@\"", elevated=True, takes="number", arguments=(str(i), "2"))
        for i in range(TOGETHER + 3)
    ]
    words = [w for i, c in enumerate(asked) for w in (str(i), question(c), "\n".join(c.arguments))]
    text = elevated_text(tuple(asked[:4])).replace(PATH, f"PATH={tmp_path}:/usr/sbin:")
    done = subprocess.run(
        [tmp_path / "sh", "-s", "--", NONCE, *words], input=text.encode(), capture_output=True, check=False
    )
    reader = Reader(tuple(asked), NONCE)
    told = dict([*reader.feed(done.stdout, 1.0), *reader.finish(Failure("closed", "", 1.0))])
    assert [said(told[c]) for c in asked[:3]] == [(0, b"first\n", b""), "timeout", (0, b"slow\n", b"")]
    assert [said(told[c]) for c in asked[3:]] == [(0, f"<{i}><2>".encode(), b"") for i in range(TOGETHER + 3)]


@pytest.mark.root
@pytest.mark.parametrize("slow", [False, True], ids=["together", "alone"])
def test_what_a_question_costs_in_processes(program: Callable[[str], str], tmp_path: Path, slow: bool) -> None:
    """Counted by the kernel, in a namespace of its own: one who asks together makes two, and shares what runs them."""
    shell = program("dash")

    def forked(count: int) -> int:
        asked = (HELLO, *(Command(f": {i}", timeout_s=30 if slow else 20) for i in range(count)))
        (tmp_path / "script").write_text(script(asked, ()))
        count_them = f"{shell} -s -- {NONCE} <{tmp_path}/script >/dev/null; sh -c 'echo $$'"
        done = subprocess.run(
            ["unshare", "-pf", "--mount-proc", "sh", "-c", count_them], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    each = (forked(4 * TOGETHER) - forked(2 * TOGETHER)) / (2 * TOGETHER)
    assert 6 <= each <= 7 if slow else 2 <= each <= 2.5
