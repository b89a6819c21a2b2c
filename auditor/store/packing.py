"""Questions and answers in; their digests and the bytes that are kept, out; and back, where nothing is damaged. Pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auditor import document
from auditor.model import CAUSES, Answer, Command, Failure, Output

_COMPACT = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Packed:
    """An answer as the store keeps it; made where the answer came, so that the store only writes."""

    command: bytes
    digest: bytes
    body: bytes
    at: float
    host_at: float | None


def packed(answers: Mapping[Command, Answer], digest_of: Callable[[Command], bytes]) -> dict[Command, Packed]:
    return {c: Packed(digest_of(c), *pack(a), a.at, getattr(a, "host_at", None)) for c, a in answers.items()}


def pack(answer: Answer) -> tuple[bytes, bytes]:
    """An answer's digest, and its bytes: without its dates, so that equal answers are kept once."""
    if isinstance(answer, Failure):
        head: dict[str, Any] = {"failure": answer.cause, "message": answer.message}
        body = json.dumps(head).encode()
    else:
        body = (
            b'{"exit_code": %d, "stdout": %d}\n' % (answer.exit_code, len(answer.stdout))
            + answer.stdout
            + answer.stderr
        )
    return hashlib.sha256(body).digest(), body


def unpack(digest: bytes, body: bytes | None, at: float, host_at: float | None) -> Answer:
    """The answer that was packed; a Failure when what is kept is not what was kept."""
    damaged = Failure("unreadable", "the stored evidence is damaged", at)
    plain = inflated(digest, body)
    if plain is None:
        return damaged
    line, _, rest = plain.partition(b"\n")
    head = json.loads(line)
    if "failure" in head:
        return Failure(head["failure"], head["message"], at) if head["failure"] in CAUSES else damaged
    return Output(head["exit_code"], rest[: head["stdout"]], rest[head["stdout"] :], at, host_at)


def inflated(digest: bytes, body: bytes | None) -> bytes | None:
    """What was compressed; None when it is not what this is the digest of."""
    try:
        plain = zlib.decompress(body or b"")
    except zlib.error:
        return None
    return plain if hashlib.sha256(plain).digest() == digest else None


def dump(value: Any) -> str:
    return _COMPACT.encode(value)


def dump_command(command: Command) -> str:
    return dump(document.command_to_plain(command))


def command_digest(command: Command) -> bytes:
    return hashlib.sha256(json.dumps(document.command_to_plain(command), sort_keys=True).encode()).digest()


def read_command(digest: bytes, doc: str) -> Command | None:
    """The question that was kept; None when what is kept is not what this is the digest of."""
    try:
        command = document.command_from_plain(json.loads(doc))
    except (ValueError, TypeError, KeyError):
        return None
    return command if command_digest(command) == digest else None
