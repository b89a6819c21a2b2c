"""Commands to one POSIX sh script; the byte stream that comes back to answers. Pure.

The script runs as `sh -s -- NONCE` and is the same text for every host that is asked the same. Each question has a timeout and
an output cap on the host. Quick ones are asked together, each in a subshell of one `sh` that has a timeout of its own; what goes
beyond that is asked again alone, in its own `sh -c`, as slow ones are (asking.py). An answer comes as two frames:

    @NONCE ID o LENGTH        standard output, a line feed, the nonce, the exit code and a full stop
    @NONCE ID e LENGTH        the end of standard error, 2 KiB; all of it is read, lest a loud question die of SIGPIPE

A nonce that begins with `t` asks for the time as well, by the same text; then a frame stands before these two, where the host
has a /proc/uptime (it is read without a process of its own, in hundredths of a second):

    @NONCE ID t LENGTH        the host's uptime before and after the question

The length stands before the bytes, so no content can pass for a frame; the nonce only tells the first frame from what a
login shell printed before it, and a whole answer from one that was cut. No temporary file is written on the host.

What needs root goes through one fixed text a release (collector.py): piped to `sudo -n sh -s`, or installed root-owned
as /usr/local/libexec/auditor-elevated, and then only that is run with sudo. It is told which of its questions to answer.
Two more frames come from it, both empty: `?` for a question that it does not hold, `!` for an argument that it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from shlex import quote

from auditor.framing.asking import (
    GONE,
    HEAD,
    READ,
    TOGETHER,
    TOGETHER_BYTES,
    TOGETHER_MAX_S,
    TOGETHER_S,
    limit,
    question,
    text_and_words,
)  # fmt: skip
from auditor.framing.collector import INSTALLED, NO_SUDO, elevated_part, elevated_text, elevation, is_needed
from auditor.model import Answer, Command, Failure, Hurdle, Obstacle, Output

__all__ = [
    "GONE", "HELLO", "INSTALLED", "READ", "Reader", "elevated_text", "elevation", "limit", "nonce", "question", "script",
    "shown", "unanswered",
]  # fmt: skip

STDERR_CAP = 2048
CHATTER_CAP = 65536  # what a login shell may print before the first frame
CHATTER_SHOWN = 200
TIMED_OUT = (124, 137, 143)  # GNU timeout, SIGKILL, busybox timeout

_HEADER = re.compile(rb"([0-9]{1,6}|x) ([oet?!]) ([0-9]{1,9})\n")
_LAST_LINE = re.compile(rb"(\S+) ([0-9]{1,3})\.")  # the full stop: an exit code that was cut is none
_CLOCK = re.compile(rb"[0-9]{1,11}")
_UPTIMES = re.compile(rb"([0-9]{1,10}\.[0-9]{1,6}) ([0-9]{1,10}\.[0-9]{1,6})")
TIMES_CAP = 48

# What every script says first: which system this is, its name and identity, as whom we ask, what its clock says, and the
# digest of the text for root that is installed there.
HELLO = Command(
    f"""u=$(uname -sn)
printf '%s\\n%s\\n' "${{u%% *}}" "${{u#* }}"
id -u
date +%s
m=
if [ -r /etc/machine-id ]; then read -r m </etc/machine-id
elif [ -r /var/lib/dbus/machine-id ]; then read -r m </var/lib/dbus/machine-id; fi
printf '%s\\n' "$m"
if [ -e {INSTALLED} ]; then sha256sum {INSTALLED} 2>/dev/null || echo unread; else echo none; fi""",
    timeout_s=5,
    cap_bytes=1024,
)


def nonce(random: str, timed: bool) -> str:
    """The nonce of one conversation, of random hexadecimal digits: no digit is a `t`."""
    return f"t{random}" if timed else random


@lru_cache(maxsize=64)
def script(commands: tuple[Command, ...], catalogue: tuple[Command, ...], become: bool = True) -> str:
    """The one script for a host: quick questions first, then the elevated ones, then the slow ones.

    `catalogue` holds the elevated commands of the release; `become` false leaves elevated questions unasked.
    """
    plain = sorted((i for i, c in enumerate(commands) if not c.elevated), key=lambda i: commands[i].timeout_s)
    quick = [i for i in plain if commands[i].timeout_s <= TOGETHER_MAX_S]
    parts = [HEAD, *_quick([(i, commands[i]) for i in sorted(quick)])]
    elevated = sorted((i for i, c in enumerate(commands) if c.elevated), key=lambda i: commands[i].timeout_s)
    if elevated and become:
        parts.append(_elevate([(i, commands[i]) for i in elevated], catalogue))
    parts += [f"q {_words(i, commands[i])}\n" for i in plain if i not in quick]
    return "".join(parts)


def _quick(asked: Sequence[tuple[int, Command]]) -> Iterator[str]:
    """The lines that ask these: many together, but what takes next to no time alone; nothing waits behind the first."""
    words: list[str] = []
    size = 0
    for i, command in asked:
        if command.timeout_s < TOGETHER_S:
            yield f"q {_words(i, command)}\n"
            continue
        word = _words(i, command)
        if len(words) == TOGETHER or size + len(word) > TOGETHER_BYTES:
            yield f"b {' '.join(words)}\n"
            words, size = [], 0
        words, size = [*words, word], size + len(word)
        if i == 0:
            yield f"b {word}\n"
            words, size = [], 0
    if words:
        yield f"b {' '.join(words)}\n"


def _words(i: int, command: Command) -> str:
    """A question in words for the shell: ID SECONDS CAP TEXT COUNT ARGUMENT..."""
    text, words = text_and_words(command)
    return " ".join([f"{i} {command.timeout_s} {limit(command)} {quote(text)} {len(words)}", *map(quote, words)])


def _elevate(asked: Sequence[tuple[int, Command]], catalogue: tuple[Command, ...]) -> str:
    words = (f"{i} {question(c)} {quote(chr(10).join(c.arguments))}" for i, c in asked)
    return elevated_part(" ".join(words), catalogue)


class Reader:
    """Turns the stream of one host into answers, whatever the pieces it comes in.

    `feed(bytes, at)` yields (command, answer) as answers become complete; `broken` says why reading had to stop;
    `finish(failure)` yields a Failure for everything that was not answered. `timed(host, command, seconds)` is told what
    a host that was asked for the time says of each question.
    """

    def __init__(
        self,
        commands: tuple[Command, ...],
        nonce: str,
        become: bool = True,
        host: str = "",
        timed: Callable[[str, Command, float], object] | None = None,
    ) -> None:
        self.broken: Failure | None = None
        self._commands = commands
        self._mark = f"@{nonce} ".encode()
        self._nonce = nonce.encode()
        self._buffer = bytearray()
        self._chatter = 0
        self._said = b""
        self._host = host
        self._timed = timed if nonce.startswith("t") else None
        self._times: set[int] = set()
        self._stdout: dict[int, bytes] = {}
        self._left = dict(enumerate(commands))
        self._elevation: str | None = None if become else "the inventory says not to become root"
        self._elevated_answers = False
        self._elevation_ended = False
        self._first: tuple[float, float] | None = None  # our clock, the host's

    @property
    def done(self) -> bool:
        return not self._left

    @property
    def begun(self) -> bool:
        """Whether any answer has come, whole or in part."""
        return len(self._left) < len(self._commands) or bool(self._stdout) or self._elevation_ended

    @property
    def said(self) -> str:
        """How what came before the first answer begins; safe to show."""
        return shown((self._said + bytes(self._buffer))[:CHATTER_SHOWN].decode("utf-8", "backslashreplace"))

    def feed(self, data: bytes, at: float) -> Iterator[tuple[Command, Answer]]:
        self._buffer += data
        while not self.broken:
            frame = self._frame(at)
            if frame is None:
                return
            answered = self._answer(*frame, at)
            if answered:
                yield answered

    def _frame(self, at: float) -> tuple[bytes, bytes, bytes] | None:
        buffer, mark = self._buffer, self._mark
        if not buffer.startswith(mark) and not self._found_mark(at):
            return None
        header = _HEADER.match(buffer, len(mark))
        if header is None:
            if buffer.find(b"\n", 0, 128) >= 0:
                self.broken = Failure("framing", "a frame that we did not ask for", at)
            elif len(buffer) >= 128:
                self.broken = Failure("framing", "a frame without an end of line", at)
            return None
        identity, part, digits = header.groups()
        start = header.end()
        end = start + int(digits)
        if end - start > self._allowed(identity, part):
            self.broken = Failure("framing", "a frame longer than its limit", at)
            return None
        if len(buffer) <= end:
            return None
        body = bytes(buffer[start:end])
        del buffer[: end + 1]
        return identity, part, body

    def _found_mark(self, at: float) -> bool:
        """Passes over what is no frame: what a login shell prints, up to a limit."""
        start = self._buffer.find(self._mark)
        skipped = start if start >= 0 else max(0, len(self._buffer) - len(self._mark))
        self._said = (self._said + self._buffer[:skipped])[:CHATTER_SHOWN]
        del self._buffer[:skipped]
        self._chatter += skipped
        if self._chatter > CHATTER_CAP:
            self.broken = Failure("framing", f"more than {CHATTER_CAP} bytes that are no answer", at)
        return start >= 0 and not self.broken

    def _allowed(self, identity: bytes, part: bytes) -> int:
        if part == b"t":
            return TIMES_CAP if self._timed else -1
        if part != b"o":
            return STDERR_CAP
        command = None if identity == b"x" else self._left.get(int(identity))
        return limit(command) if command else 0

    def _answer(self, identity: bytes, part: bytes, body: bytes, at: float) -> tuple[Command, Answer] | None:
        if identity == b"x":
            self._elevated(part, body, at)
            return None
        index = int(identity)
        twice = (part == b"o" and index in self._stdout) or (part == b"t" and index in self._times)
        if index not in self._left or twice:
            self.broken = Failure("framing", "an answer to a question that was not asked, or a second one", at)
            return None
        if part == b"t":
            self._took(index, body)
            return None
        if part == b"o":
            self._stdout[index] = body
            return None
        command = self._left.pop(index)
        if command.elevated:
            self._elevated_answers = True
        if part == b"!":
            return command, Failure("not_asked", "an argument is not of the type that the question takes", at)
        if part == b"?":
            return command, Failure(
                "no_privilege", f"{INSTALLED} on the host is of another release", at, Obstacle("old_text")
            )
        return command, self._output(command, self._stdout.pop(index, b""), body, at)

    def _took(self, index: int, body: bytes) -> None:
        """What the host says is between two moments; anything else is no time."""
        self._times.add(index)
        said = _UPTIMES.fullmatch(body)
        if said and self._timed:
            self._timed(self._host, self._left[index], max(0.0, float(said[2]) - float(said[1])))

    def _elevated(self, part: bytes, body: bytes, at: float) -> None:
        """What the elevated part said on standard error; it ends once."""
        if part != b"e" or self._elevation_ended:
            self.broken = Failure("framing", "a second end of the elevated part", at)
            return
        self._elevation_ended = True
        self._elevation = shown(body.decode("utf-8", "backslashreplace"))

    def _output(self, command: Command, stdout: bytes, stderr: bytes, at: float) -> Answer:
        text, _, last = stdout.rpartition(b"\n")
        ending = _LAST_LINE.fullmatch(last)
        if ending is None or ending[1] != self._nonce:
            return Failure("truncated", f"more than {command.cap_bytes} bytes", at)
        code = int(ending[2])
        if code in TIMED_OUT:
            return Failure("timeout", f"no answer within {command.timeout_s} s", at)
        if command == HELLO:
            self._first = _clocks(text, at)
        host_at = self._first[1] + (at - self._first[0]) if self._first else None
        return Output(code, text, stderr, at, host_at)

    def finish(self, failure: Failure) -> Iterator[tuple[Command, Answer]]:
        """Everything that was not answered, for `failure`; what lacked privilege, for that."""
        failure = self.broken or failure
        for command in self._left.values():
            if command.elevated and self._elevation is not None and not self._elevated_answers:
                message = self._elevation or "sudo gave no answer"
                hurdle: Hurdle = "no_sudo" if message == NO_SUDO else "old_text" if is_needed(message) else "sudo"
                yield command, Failure("no_privilege", message, failure.at, Obstacle(hurdle))
            else:
                yield command, failure
        self._left = {}


def unanswered(exit_code: int, said: str) -> str:
    """That the login shell ended before it answered anything: with this exit code, and words that are safe to show."""
    words = f"the login shell ended before the first answer, with exit code {exit_code}"
    return f"{words}: {said}" if said else words


def shown(text: str) -> str:
    """A host's words on one line, safe on a terminal: what is not printable is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))


def _clocks(hello: bytes, at: float) -> tuple[float, float] | None:
    lines = hello.split(b"\n")
    return (at, float(lines[3])) if len(lines) > 3 and _CLOCK.fullmatch(lines[3]) else None
