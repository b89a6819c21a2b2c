"""What is read or run on a host, what it answered, and what a way in broke at. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from auditor.model.truth import Unknown


@dataclass(frozen=True, slots=True)
class Command:
    """One atomic thing to read or run on a host.

    `text` is a constant POSIX shell text (kind "run") or whitespace-separated file globs (kind "read");
    `arguments` stand beside it as data ("$1", "$2" ... for a text) and are never interpolated into it. `takes` is the type
    of the arguments of an elevated text; the host refuses others, and without a type any (see framing/collector.py).
    `mask` names what takes secrets out of the files of a tree before anything is kept (readers/masks.py).
    """

    text: str
    kind: Literal["run", "read"] = "run"
    arguments: tuple[str, ...] = ()
    elevated: bool = False
    timeout_s: int = 20
    cap_bytes: int = 65536
    takes: Literal["", "address", "number", "name", "path"] = ""
    mask: str = ""

    def __hash__(self) -> int:
        """Every answer is looked up by it, many times; few have one text."""
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class Output:
    """A raw answer. `at` is when it came by our clock, `host_at` by the host's (seconds since 1970 UTC)."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    at: float
    host_at: float | None = None

    @property
    def text(self) -> str:
        """Standard output; bytes that are not UTF-8 are shown as `\\xff`, so that no later step can choke on them."""
        return self.stdout.decode("utf-8", "backslashreplace")

    @property
    def error_text(self) -> str:
        return self.stderr.decode("utf-8", "backslashreplace")


Hurdle = Literal[
    "name", "port", "silent", "relay", "no_ssh", "algorithms", "key_unknown", "key_changed", "key_revoked", "certificate",
    "our_key", "login", "more_factors", "password", "shell", "no_sudo", "sudo", "old_text",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What a way in broke at, as data for whoever mends it; finer than a cause, and never stored.

    `address`, `port` and `user` are of the end that it broke at, a `bastion` or the host; empty where no end was in the
    way. `name` is how known_hosts writes that end, `files` where it was looked for, `key` what it showed: type and blob.
    """

    hurdle: Hurdle
    address: str = ""
    port: int = 0
    user: str = ""
    bastion: bool = False
    name: str = ""
    files: tuple[str, ...] = ()
    key: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer: `cause` is a key of CAUSES. Two are equal whatever the obstacle."""

    cause: str
    message: str = ""
    at: float = 0.0
    obstacle: Obstacle | None = field(default=None, compare=False, repr=False)

    def unknown(self) -> Unknown:
        return Unknown(self.cause, self.message)


Answer = Output | Failure
