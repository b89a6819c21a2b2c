"""One run as one file, written and read piece by piece: header, what it was judged by, evidence by digest, findings.

The file is JSON, a part a line, packed with gzip (`zcat FILE | head` shows it). The first line says what it is, the last one
how many lines there are and their digest, so that a file that was cut is never taken for a whole one. What is read is
believed in nothing: sizes are capped, every value is held against its type, and every digest is computed anew.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from auditor import document, snapshot
from auditor.document import Plain
from auditor.errors import InvalidInput, Problem
from auditor.model import (
    CAUSES,
    ActionSeen,
    Answer,
    Command,
    Control,
    Coverage,
    Failure,
    Finding,
    Header,
    HostSeen,
    IdleDecision,
    Measure,
    Output,
    Perimeter,
    ToDo,
)
from auditor.shape import shaped
from auditor.snapshot import Snapshot
from auditor.store import Catalogue, HostKept, Kept, Store, StoredRun, command_digest, pack

FORMAT = "auditor-archive"
VERSION = 1
LONGEST = 32 * 2**20  # bytes of one line
LARGEST = 32 * 2**30  # bytes of all lines: what is packed small may unpack to no end
PACKED = 200  # how many times its size a file may unpack to, beyond the first GiB
MOST = 20_000  # controls, measures and perimeters, which are held in memory
MAGIC = b"\x1f\x8b"

Line = tuple[str, Any]  # what a part is, and its plain value


class Refused(ValueError):
    """Why a file is no archive that can be read, in words."""


def is_archive(path: Path) -> bool:
    """Whether a file may be one; an OSError when it cannot be read."""
    with path.open("rb") as stream:
        return stream.read(2) == MAGIC


# ---------------------------------------------------------------- writing


def write(run: StoredRun, sink: BinaryIO) -> None:
    """The same run, the same bytes. What is damaged in the store is said to be so in the archive."""
    told = hashlib.sha256()
    count = 0
    with gzip.GzipFile(filename="", mode="wb", fileobj=sink, mtime=0, compresslevel=6) as packed:
        for kind, plain in _lines(run):
            line = _dumped({kind: plain})
            told.update(line)
            count += 1
            packed.write(line)
        packed.write(_dumped({"end": {"lines": count, "sha256": told.hexdigest()}}))


def _dumped(plain: Plain) -> bytes:
    """Mappings keep their order: that of an estate's zones decides what its hosts are asked."""
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _lines(run: StoredRun) -> Iterator[Line]:
    yield FORMAT, {"version": VERSION, "auditor": run.header.version}
    yield "run", document.header_to_plain(run.header)
    inputs = run.inputs()
    if inputs:
        yield "inputs", snapshot.to_plain(inputs)
    yield from (("control", document.control_to_plain(c)) for c in run.controls.values())
    yield from (("measure", document.measure_to_plain(m)) for m in run.measures.values())
    yield from (("perimeter", document.perimeter_to_plain(p)) for p in run.perimeters.values())
    yield from _asked(run)
    yield from (("finding", {**document.finding_to_plain(f), "seq": f.seq}) for f in run.findings())
    yield from (("idle", document.idle_to_plain(d)) for d in run.idle())
    yield from (("coverage", document.coverage_to_plain(c)) for c in run.coverage())
    yield from (("action", document.action_to_plain(a)) for a in run.actions())
    yield from (("to_do", document.to_do_to_plain(t)) for t in run.to_do())


def _asked(run: StoredRun) -> Iterator[Line]:
    """Questions and answers once, then each host with the digests of its own."""
    damaged: dict[bytes, bytes] = {}  # the digest that an answer had -> that of the Failure which stands for it
    lost = set()
    for digest, command in run.commands():
        if command is None:
            lost.add(digest)
        else:
            yield "command", {"digest": digest.hex(), **document.command_to_plain(command)}
    for digest, answer in run.evidence():
        found = pack(answer)[0]
        if found != digest:
            damaged[digest] = found
        yield "evidence", {"digest": found.hex(), **_answer_to_plain(answer)}
    for seq in sorted(set(run.places().values())):
        host = run.host_at(seq)
        answers = [
            [command.hex(), damaged.get(evidence, evidence).hex(), at, host_at]
            for command, evidence, at, host_at in host.answers
            if command not in lost
        ]
        yield "host", {"seq": seq, "seen": document.host_to_plain(host.seen), "answers": answers}


def _answer_to_plain(answer: Answer) -> Plain:
    """Bytes that are not UTF-8 stand as lone surrogates: exactly what was said, and readable."""
    if isinstance(answer, Failure):
        return {"failure": answer.cause, "message": answer.message}
    stdout, stderr = (b.decode("utf-8", "surrogateescape") for b in (answer.stdout, answer.stderr))
    return {"exit_code": answer.exit_code, "stdout": stdout, "stderr": stderr}


# ---------------------------------------------------------------- reading


def read(path: Path, kept: Store) -> StoredRun:
    """The run that a file holds, in a private store that the caller made. InvalidInput says what is wrong with the file."""
    try:
        with path.open("rb") as stream:
            return _restored(_checked(stream, min(LARGEST, 2**30 + PACKED * path.stat().st_size)), kept)
    except (OSError, Refused, EOFError, zlib.error) as error:  # gzip's own errors are OSErrors
        why = _why(error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        why = f"this archive holds what no auditor writes ({_why(error)}): export it anew"
    raise InvalidInput([Problem(str(path), 0, 0, why)])


def _why(error: Exception) -> str:
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "this archive is cut or damaged: copy or export it anew"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return f"lacks {error}"[:200] if isinstance(error, KeyError) else str(error)[:300]


def _restored(lines: Iterator[Line], kept: Store) -> StoredRun:
    header = shaped(Header, document.header_from_plain(_next(lines, "run")))
    inputs: Snapshot | None = None
    catalogue: dict[str, dict[str, Any]] = {"controls": {}, "measures": {}, "perimeters": {}}
    parts = lines
    for kind, plain in lines:
        if kind == "inputs":
            inputs = snapshot.from_plain(plain)
        elif kind in _CATALOGUE:
            shelf, noun, made = _CATALOGUE[kind]
            one = shaped(noun, made(plain))
            catalogue[shelf][one.id] = one
            if len(catalogue[shelf]) > MOST:
                raise Refused(f"more than {MOST} {shelf}")
        else:
            parts = chain([(kind, plain)], lines)
            break
    run = kept.restore(header, Catalogue(**catalogue), map(_part, parts), inputs)
    lacking = run.lacks()
    if lacking:
        raise Refused(f"{lacking} answers refer to evidence that is not in this archive: export it anew")
    return run


def _next(lines: Iterator[Line], wanted: str) -> Any:
    kind, plain = next(lines, ("", None))
    if kind != wanted:
        raise Refused(f"this is no archive of an audit: it says '{kind[:40]}' where '{wanted}' is due (auditor export)")
    return plain


def _checked(stream: BinaryIO, largest: int) -> Iterator[Line]:
    """The parts between the first line, which says what this is, and the last, which says that nothing is missing."""
    told = hashlib.sha256()
    lines = _capped(stream, largest)
    for count, line in enumerate(lines):
        kind, plain = _parsed(line)
        if not count:
            _known(kind, plain)
        elif kind != "end":
            yield kind, plain
        elif plain != {"lines": count, "sha256": told.hexdigest()} or next(
            lines, None
        ):  # reads to the end of the file too
            raise Refused("this archive is not what was written: its digest is another; copy or export it anew")
        else:
            return
        told.update(line)
    raise EOFError


def _capped(stream: BinaryIO, largest: int) -> Iterator[bytes]:
    """Lines of a bounded length, and a bounded number of bytes."""
    left = largest
    with gzip.GzipFile(fileobj=stream, mode="rb") as packed:
        while line := packed.readline(min(LONGEST, left) + 1):
            left -= len(line)
            if len(line) > LONGEST or left < 0:
                raise Refused(f"longer than an archive may be ({LONGEST >> 20} MiB a line, {largest >> 20} MiB in all)")
            yield line


def _parsed(line: bytes) -> Line:
    try:
        found = json.loads(line)
    except ValueError:
        raise Refused("this is no archive of an audit: a line of it is no JSON (auditor export writes one)") from None
    if not isinstance(found, dict) or len(found) != 1:
        raise Refused("this is no archive of an audit: a line of it has not one part (auditor export writes one)")
    return next(iter(found.items()))


def _known(kind: str, plain: Any) -> None:
    if kind != FORMAT or not isinstance(plain, Mapping):
        raise Refused("this is no archive of an audit (auditor export writes one)")
    if plain.get("version") != VERSION:
        raise Refused(
            f"an archive of version {str(plain.get('version'))[:20]}, written by auditor {str(plain.get('auditor'))[:20]}; this one "
            f"reads version {VERSION}: replay it with that auditor, or export the audit with this one"
        )


# By the kind of a line, the part of the catalogue that it is of, and the noun that it holds.
_CATALOGUE: Mapping[str, tuple[str, type[Any], Callable[[Plain], Any]]] = {
    "control": ("controls", Control, document.control_from_plain),
    "measure": ("measures", Measure, document.measure_from_plain),
    "perimeter": ("perimeters", Perimeter, document.perimeter_from_plain),
}


def _part(line: Line) -> Kept:
    kind, plain = line
    if kind not in _PARTS:
        raise Refused(f"this archive has a part '{kind[:40]}' that this auditor does not know: use a newer one")
    return _PARTS[kind](plain)


def _command(plain: Plain) -> Command:
    command = shaped(Command, {k: v for k, v in plain.items() if k != "digest"})
    _same(command_digest(command), plain["digest"], "a question")
    return command


def _evidence(plain: Plain) -> Answer:
    answer = _answer(plain)
    _same(pack(answer)[0], plain["digest"], "evidence")
    return answer


def _answer(plain: Plain) -> Answer:
    if "failure" in plain:
        if plain["failure"] not in CAUSES:
            raise ValueError(f"no such cause: {str(plain['failure'])[:40]}; a newer auditor may have written it")
        return shaped(Failure, {"cause": plain["failure"], "message": plain["message"]})
    stdout, stderr = (plain[name].encode("utf-8", "surrogateescape") for name in ("stdout", "stderr"))
    return shaped(Output, {"exit_code": plain["exit_code"], "stdout": stdout, "stderr": stderr, "at": 0.0})


def _same(computed: bytes, said: str, what: str) -> None:
    if computed.hex() != said:
        raise Refused(
            f"{what} is not what its digest {str(said)[:16]} says: the archive was altered or damaged; get it anew"
        )


def _host(plain: Plain) -> HostKept:
    seen = shaped(HostSeen, document.host_from_plain(plain["seen"]))
    answers = tuple((bytes.fromhex(c), bytes.fromhex(e), at, host_at) for c, e, at, host_at in plain["answers"])
    return shaped(HostKept, HostKept(plain["seq"], seen, answers))


def _finding(plain: Plain) -> Finding:
    return shaped(Finding, document.finding_from_plain(plain["seq"], plain))


def _coverage(plain: Plain) -> Coverage:
    return shaped(Coverage, document.coverage_from_plain(plain))


_PARTS: Mapping[str, Callable[[Plain], Kept]] = {
    "command": _command,
    "evidence": _evidence,
    "host": _host,
    "finding": _finding,
    "idle": lambda plain: shaped(IdleDecision, plain),
    "action": lambda plain: shaped(ActionSeen, document.action_from_plain(plain)),
    "to_do": lambda plain: shaped(ToDo, document.to_do_from_plain(plain)),
    "coverage": _coverage,
}
