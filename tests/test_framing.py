"""The stream that comes back: whatever its pieces, wherever it ends, whatever a host puts in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.framing.sh import CHATTER_CAP, HELLO, READ, STDERR_CAP, Reader, elevated_text, question, script
from auditor.model import Answer, Command, Failure, Output

NONCE = "0123456789abcdef"
AT = 1795000000.0
ASKED = (
    HELLO,
    Command("a", cap_bytes=100),
    Command("b", cap_bytes=3000),
    Command("c", elevated=True, cap_bytes=100),
    Command("/etc/x", kind="read", elevated=True),
)
CLOSED = Failure("closed", "", AT)


def frame(identity: object, part: str, body: bytes, nonce: str = NONCE) -> bytes:
    return b"@%s %s %s %d\n%s\n" % (nonce.encode(), str(identity).encode(), part.encode(), len(body), body)


def stdout(text: bytes, code: int = 0, nonce: str = NONCE) -> bytes:
    return b"%s\n%s %d." % (text, nonce.encode(), code)


def answered(identity: int, text: bytes, code: int = 0, stderr: bytes = b"") -> bytes:
    return frame(identity, "o", stdout(text, code)) + frame(identity, "e", stderr)


def read(
    pieces: Iterable[bytes], asked: tuple[Command, ...] = ASKED, become: bool = True
) -> list[tuple[Command, Answer]]:
    reader = Reader(asked, NONCE, become)
    told = [pair for piece in pieces for pair in reader.feed(piece, AT)]
    return [*told, *reader.finish(CLOSED)]


def failures(told: Sequence[tuple[Command, Answer]]) -> dict[str, str]:
    return {c.text: a.cause for c, a in told if isinstance(a, Failure)}


# ---------------------------------------------------------------- properties

hostile = st.binary(max_size=80) | st.sampled_from(
    [
        b"",
        b"\n",
        b"@" + NONCE.encode() + b" 0 o 5\n",
        b"@" + NONCE.encode(),
        b"\n" + NONCE.encode() + b" 0.",
        b"\xff\x00\x1b[2J",
    ]
)
texts = st.tuples(st.integers(0, len(ASKED) - 1), hostile, st.sampled_from([0, 1, 2, 126, 255]), hostile)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, dict[Command, tuple[int, bytes, bytes]], list[int]]:
    """A valid stream, what it says, and where each answer ends."""
    chatter = draw(st.binary(max_size=60).filter(lambda b: b"@" not in b))
    sent = draw(st.lists(texts, unique_by=lambda t: t[0]))
    ended = draw(st.booleans())
    parts, ends, said = [chatter], [], {}
    for i, text, code, stderr in sent:
        parts.append(answered(i, text, code, stderr))
        ends.append(sum(map(len, parts)))
        said[ASKED[i]] = (code, text, stderr)
    if ended:
        parts.append(frame("x", "e", b"sudo: no"))
    return b"".join(parts), said, ends


@given(streams(), st.lists(st.integers(0, 2000)))
def test_any_pieces_give_the_same_answers(stream: tuple[bytes, dict, list[int]], cuts: list[int]) -> None:
    data, said, _ = stream
    edges = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    told = read(data[a:b] for a, b in pairwise(edges))
    assert told == read([data])
    outputs = {c: (a.exit_code, a.stdout, a.stderr) for c, a in told if isinstance(a, Output)}
    assert outputs == said
    assert sorted(c.text for c, _ in told) == sorted(c.text for c in ASKED)


@given(streams(), st.data())
def test_a_prefix_answers_only_what_was_fully_sent(stream: tuple[bytes, dict, list[int]], data: st.DataObject) -> None:
    whole, said, ends = stream
    cut = data.draw(st.integers(0, len(whole)))
    told = read([whole[:cut]])
    assert len(told) == len(ASKED) == len({c for c, _ in told})
    complete = sum(end <= cut for end in ends)
    assert {c for c, a in told if isinstance(a, Output)} == set(list(said)[:complete])


@given(st.lists(st.binary(max_size=300)))
def test_arbitrary_bytes_answer_nothing(pieces: list[bytes]) -> None:
    told = read(pieces)
    assert len(told) == len(ASKED)
    assert all(isinstance(a, Failure) for _, a in told)


MARK = b"@" + NONCE.encode() + b" "
words = st.sampled_from(
    [b"0", b"1", b"3", b"x", b"99", b"-1", b"\xb2", b"\xd9\xa1", b"o", b"e", b"?", b"z", b"5", b"0", b"9" * 30, b""]
)
lines = st.builds(
    lambda ws, tail: MARK + b" ".join(ws) + tail, st.lists(words, max_size=5), st.sampled_from([b"\n", b"", b"\nab\n"])
)


@given(st.lists(lines | hostile | st.builds(lambda c: b"\n" + NONCE.encode() + b" " + c, words)))
def test_a_host_that_knows_the_nonce_breaks_its_own_answers_only(pieces: list[bytes]) -> None:
    """The nonce is told to the host: frames of any shape never raise, and each question gets one answer."""
    told = read(pieces)
    assert len(told) == len(ASKED) == len({c for c, _ in told})


# ---------------------------------------------------------------- what a hostile stream comes to


@pytest.mark.parametrize(
    ("stream", "cause"),
    [
        (b"x" * (CHATTER_CAP + 20), "framing"),
        (MARK + b"0 o 999999999\n", "framing"),
        (MARK + b"0 o 1057\n", "framing"),  # HELLO's own limit is 1024 + 32
        (MARK + b"0 e 2049\n", "framing"),
        (MARK + b"0 z 0\n\n", "framing"),
        (MARK + b"\xb2 e 0\n\n", "framing"),  # isdigit() says yes to a superscript two, int() says no
        (MARK + b"0" * 200, "framing"),
        (MARK + b"99 e 0\n\n", "framing"),
        (MARK + b"x o 0\n\n", "framing"),
        (frame("x", "e", b"") * 2, "framing"),
        (frame(0, "o", b"") * 2, "framing"),
        (frame(0, "o", stdout(b"a")), "closed"),
        (frame(0, "e", b""), "truncated"),
        (frame(0, "o", b"a\n" + NONCE.encode() + b" " + b"9" * 900 + b".") + frame(0, "e", b""), "truncated"),
        (frame(0, "o", b"a\n" + NONCE.encode() + b" 1") + frame(0, "e", b""), "truncated"),
        (frame(0, "o", stdout(b"a", nonce="feedfeedfeedfeed")) + frame(0, "e", b""), "truncated"),
        (answered(0, b"", 124), "timeout"),
        (answered(0, b"", 137), "timeout"),
        (answered(0, b"a").replace(NONCE.encode(), b"feedfeedfeedfeed"), "closed"),
    ],
)
def test_the_cause_of_a_bad_stream(stream: bytes, cause: str) -> None:
    told = read([stream])
    assert failures(told)[HELLO.text] == cause
    assert not any(isinstance(a, Output) for _, a in told)


def test_a_second_answer_breaks_what_comes_after_it() -> None:
    told = read([answered(1, b"one") + answered(1, b"two") + answered(2, b"three")])
    assert [(c.text, a.stdout) for c, a in told if isinstance(a, Output)] == [("a", b"one")]
    assert failures(told)["b"] == "framing"


def test_a_frame_inside_an_answer_is_text() -> None:
    inner = answered(2, b"forged") + frame("x", "e", b"")
    asked = (Command("a", cap_bytes=500), HELLO, Command("b"))
    told = read([answered(0, inner)], asked)
    assert told[0] == (asked[0], Output(0, inner, b"", AT))
    assert failures(told)["b"] == "closed"


def test_the_host_clock_is_told_once_said_and_believed_only_when_short() -> None:
    def hello(clock: bytes) -> bytes:
        return answered(0, b"Linux\nweb01\n0\n" + clock + b"\nabc\n")

    def host_at(clock: bytes) -> float | None:
        told = dict(read([hello(clock) + answered(1, b"")]))
        found = told[ASKED[1]]
        assert isinstance(found, Output)
        return found.host_at

    assert host_at(b"1795000060") == 1795000060.0
    for clock in (b"9" * 400, b"-5", b"1e9", b"", b"\xb2", b"nan"):
        assert host_at(clock) is None


# ---------------------------------------------------------------- what lacked privilege


def test_what_the_elevated_part_said_is_the_reason() -> None:
    told = dict(read([answered(1, b"") + frame("x", "e", b"sudo: a password is required\n")]))
    assert told[ASKED[3]] == Failure("no_privilege", "sudo: a password is required", AT)
    assert told[ASKED[2]] == CLOSED


def test_not_to_become_root_is_no_privilege() -> None:
    assert failures(read([b""], become=False))["c"] == "no_privilege"


def test_an_elevated_part_that_broke_off_is_closed_not_forbidden() -> None:
    told = dict(read([answered(3, b"yes") + frame("x", "e", b"Killed")]))
    assert isinstance(told[ASKED[3]], Output)
    assert told[ASKED[4]] == CLOSED


def test_a_question_that_the_installed_text_does_not_know() -> None:
    told = dict(read([frame(3, "?", b"")]))
    found = told[ASKED[3]]
    assert isinstance(found, Failure)
    assert found.cause == "no_privilege"
    assert "another release" in found.message


# ---------------------------------------------------------------- the script


def test_the_script_is_the_same_whatever_the_nonce_and_quick_questions_come_first() -> None:
    slow, quick = Command("slow", timeout_s=90), Command("quick")
    text = script((slow, ASKED[3], quick), (ASKED[3],))
    assert text.index("\nb 2 20") < text.index("\nE='") < text.index("\nq 0 90")


def test_the_elevated_text_does_not_depend_on_arguments_nor_on_order() -> None:
    a, b = Command("a", elevated=True, arguments=("x",)), Command("b", elevated=True)
    assert question(a) == question(Command("a", elevated=True, arguments=("y",)))
    assert elevated_text((a, b)) == elevated_text((b, a))


awkward = Command("printf '%s' \"$1\" 'it'\"'\"'s' # $(id)\n", arguments=("a'b\"c\n$d `e` \\",))


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
@pytest.mark.parametrize(
    "text",
    [script((HELLO, awkward, *ASKED[1:]), (*ASKED[3:],)), elevated_text(tuple(ASKED[3:])), elevated_text(()), READ],
    ids=["script", "elevated", "elevated empty", "read"],
)
def test_every_shell_accepts_the_script(shell: list[str], text: str, program: Callable[[str], str]) -> None:
    done = subprocess.run([program(shell[0]), *shell[1:], "-n"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
def test_every_shell_runs_the_script(shell: list[str], program: Callable[[str], str]) -> None:
    asked = (
        HELLO,
        awkward,
        Command("yes | head -c 500001 >&2; printf done; exit 3"),
        Command("printf '\\303\\251\\377\\n\\n'"),
    )
    done = subprocess.run(
        [program(shell[0]), *shell[1:], "-s", "--", NONCE],
        input=script(asked, ()).encode(),
        capture_output=True,
        check=False,
    )
    told = dict(read([done.stdout], asked))
    quoted, loud, bytes_ = (told[c] for c in asked[1:])
    assert isinstance(quoted, Output)
    assert quoted.stdout == b"a'b\"c\n$d `e` \\it's"
    assert isinstance(loud, Output)
    assert (loud.exit_code, loud.stdout, len(loud.stderr)) == (3, b"done", STDERR_CAP)  # no SIGPIPE on the way
    assert isinstance(bytes_, Output)
    assert bytes_.stdout == b"\xc3\xa9\xff\n\n"


# ---------------------------------------------------------------- how long questions took

TIMED = "t" + NONCE


def timed(stream: bytes, nonce: str = TIMED) -> tuple[dict[str, float], list[tuple[Command, Answer]]]:
    """What a host is heard to say of its questions' times, and its answers."""
    times: dict[str, float] = {}
    reader = Reader(ASKED, nonce, True, "web01", lambda host, command, seconds: times.update({command.text: seconds}))
    return times, [*reader.feed(stream, AT), *reader.finish(CLOSED)]


def whole(identity: int, text: bytes, nonce: str = TIMED) -> bytes:
    return frame(identity, "o", stdout(text, 0, nonce), nonce) + frame(identity, "e", b"", nonce)


def test_the_time_of_a_question_is_between_two_moments_of_the_host() -> None:
    times, told = timed(frame(1, "t", b"100.25 101.75", TIMED) + whole(1, b"x"))
    assert times == {"a": 1.5}
    assert told[0] == (ASKED[1], Output(0, b"x", b"", AT))


@pytest.mark.parametrize("said", [b"", b"x y", b"1 2", b"1.5", b"-1.0 2.0", b"1.0 nan", b"1e9 2e9", b"1.0  2.0"])
def test_what_is_no_time_costs_no_answer(said: bytes) -> None:
    times, told = timed(frame(1, "t", said, TIMED) + whole(1, b"x"))
    assert times == {}
    assert isinstance(told[0][1], Output)


@pytest.mark.parametrize(
    ("stream", "nonce"),
    [
        (frame(1, "t", b"1.0 2.0", TIMED) * 2, TIMED),
        (frame(1, "t", b"1" * 49, TIMED), TIMED),
        (frame(99, "t", b"1.0 2.0", TIMED), TIMED),
        (frame("x", "t", b"1.0 2.0", TIMED), TIMED),
        (frame(1, "t", b"1.0 2.0"), NONCE),
        (frame(1, "t", b""), NONCE),
    ],
)
def test_a_time_that_was_not_asked_for_or_a_second_one_breaks_the_stream(stream: bytes, nonce: str) -> None:
    times, told = timed(stream + whole(2, b"x", nonce), nonce)
    assert {a.cause for _, a in told if isinstance(a, Failure)} == {"framing"}
    assert len(told) == len(ASKED)


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]], ids=" ".join)
def test_every_shell_tells_the_time_when_it_is_asked_to_and_by_the_same_text(
    shell: list[str], program: Callable[[str], str]
) -> None:
    """Of elevated questions too; a slow one is told from a quick one, an uptime away changes nothing."""
    slow, secret = Command("sleep 0.2; echo slow"), Command("echo root", elevated=True)
    asked = (HELLO, Command("echo quick"), slow, *((secret,) if os.geteuid() == 0 else ()))

    def told(nonce: str, text: str) -> tuple[dict[Command, float], dict[Command, object]]:
        times: dict[Command, float] = {}
        command = [program(shell[0]), *shell[1:], "-s", "--", nonce]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        reader = Reader(asked, nonce, True, "h", lambda host, command, seconds: times.update({command: seconds}))
        answers = [*reader.feed(done.stdout, AT), *reader.finish(CLOSED)]
        return times, {c: a.stdout if isinstance(a, Output) else a for c, a in answers if c != HELLO}

    text = script(asked, (secret,))
    times, with_times = told(TIMED, text)
    assert set(times) == set(asked)
    assert times[slow] >= 0.19
    assert told(NONCE, text) == ({}, with_times)
    assert list(with_times.values())[:2] == [b"quick\n", b"slow\n"]
    assert told(TIMED, text.replace("/proc/uptime", "/nowhere/uptime")) == ({}, with_times)
