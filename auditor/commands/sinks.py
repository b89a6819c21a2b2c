"""`FORMAT=PATH` in; the reports written: `-` to stdout, a file whole or not at all, readable by its owner alone unless it
holds counts for another program."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from auditor import shelves
from auditor.commands import log, repository
from auditor.commands.inputs import stdout_is_terminal, voice
from auditor.errors import InvalidInput
from auditor.kinds import Audience
from auditor.load.schema import did_you_mean
from auditor.model import Run

Chosen = tuple[str, str]  # format, path


def chosen(formats: Sequence[str], audience: Audience = "technique") -> list[Chosen]:
    """Checked before any connection: the format exists and can be written for the audience, the folder can be written."""
    found: list[Chosen] = []
    for given in formats:
        name, _, path = given.partition("=")
        known = shelves.REPORTERS.names()
        if name not in known:
            raise InvalidInput(f"-f {given}: there is no format '{name}'{did_you_mean(name, known)}")
        path = path or "-"
        if path != "-":
            check(f"-f {given}", Path(path))
        found.append((name, path))
    paths = [path if path == "-" else os.path.realpath(path) for _, path in found]
    if paths.count("-") > 1:
        raise InvalidInput("-f: only one report can go to stdout (-)")
    twice = next((path for path in paths if paths.count(path) > 1 and (path == "-" or not _streams(Path(path)))), None)
    if twice:
        raise InvalidInput(f"-f: two reports would be written to {twice}")
    found = found or [("text", "-")]
    for name, _ in found:
        if audience not in shelves.REPORTERS[name].audiences:
            able = [one for one, kind in shelves.REPORTERS.items() if audience in kind.audiences]
            raise InvalidInput(
                f"--audience {audience}: a {name} report names hosts; give -f {able[0]}=FILE alone, and write the others "
                "with `auditor report`"
            )
    return found


def check(given: str, path: Path) -> None:
    """Whether a file can be put there; `given` is what named it."""
    if path.is_dir():
        raise InvalidInput(f"{given}: {path} is a folder")
    if not _streams(path) and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise InvalidInput(f"{given}: the folder {path.parent} is not there or cannot be written")


def _streams(path: Path) -> bool:
    """/dev/null, a pipe: written as it is, not put in its place when whole."""
    return path.exists() and not path.is_file()


def write(
    run: Run,
    reports: Sequence[Chosen],
    lang: str | None,
    details: bool,
    audience: Audience = "technique",
    suppressed: bool = True,
    too_old: bool = False,
    today: str = "",
) -> None:
    """`suppressed`: SARIF holds what a decision covers as suppressed results, else not at all."""
    located = repository.located(repository.work_folder())
    for name, path in reports:
        speaking = voice(lang, path == "-" and stdout_is_terminal(), details)
        speaking = replace(speaking, audience=audience, suppressed=suppressed, located=located, too_old=too_old)
        speaking = replace(speaking, today=today)
        reporter = shelves.REPORTERS[name]
        with sink(path, 0o644 if reporter.shared else 0o600) as stream:
            reporter.render(run, speaking, _one_part(stream))
        log.event("report_written", format=name, path=path)


def _one_part(stream: BinaryIO) -> Callable[[str], Callable[[bytes], object]]:
    return lambda part: stream.write


@contextmanager
def sink(path: str, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file that stands there when it is whole, for its owner alone unless `mode` says otherwise; `-` is stdout."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    if _streams(target):
        try:
            with open(target, "wb") as stream:
                yield stream
        except OSError as error:
            raise InvalidInput(f"the report {path} cannot be written: {error.strerror}") from None
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InvalidInput(f"the report {path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, mode)
            yield stream
        os.replace(temporary, target)
    except OSError as error:
        os.unlink(temporary)
        raise InvalidInput(f"the report {path} cannot be written: {error.strerror}") from None
    except BaseException:
        os.unlink(temporary)
        raise
