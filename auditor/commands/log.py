"""Events in, one JSON object a line on stderr out, with `--log json`; whatever else is written to stderr becomes one too.

Host names stand in it, causes as keys; no answer of a host, no name of a person, no secret.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, TextIO

from auditor.credentials import redacted
from auditor.document import stamp
from auditor.model import Header, Run
from auditor.summary import counts_as

Level = Literal["info", "warning", "error"]
_PRIORITIES = {"info": 6, "warning": 4, "error": 3}  # of syslog, as journald takes them at the beginning of a line


class JsonLines(io.TextIOBase):
    """Stands in the place of stderr. A text that is written whole, up to its end of line, is one event."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, real: TextIO) -> None:
        self._real = real
        self._begun = ""
        self._priorities = _is_journal(real)

    def write(self, text: str) -> int:
        whole, end, self._begun = (self._begun + text).rpartition("\n")
        if end and whole.strip():
            self.emit("warning", "message", {"text": whole})
        return len(text)

    def flush(self) -> None:
        if self._begun.strip():
            self.emit("warning", "message", {"text": self._begun})
        self._begun = ""

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._real.fileno()

    def emit(self, level: Level, event: str, fields: dict[str, Any]) -> None:
        plain = {"time": stamp(time.time()), "level": level, "event": event, **_redacted(fields)}
        line = json.dumps(plain, ensure_ascii=True, separators=(",", ":")) + "\n"
        self._real.write(f"<{_PRIORITIES[level]}>{line}" if self._priorities else line)
        self._real.flush()


def install() -> None:
    """From here on; stays so until the process ends, so that its last words are an event too."""
    if not isinstance(sys.stderr, JsonLines):
        sys.stderr = JsonLines(sys.stderr)
        logging.lastResort = _Records(logging.WARNING)


class _Records(logging.Handler):
    """What our own and other modules log. Of an exception its kind and place: its words may quote what a host said."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        kind, _, frames = record.exc_info or (None, None, None)
        if kind:
            text = "".join([text, "\n", *traceback.format_tb(frames), kind.__name__])
        event("message", "error" if record.levelno >= logging.ERROR else "warning", logger=record.name, text=text)


def event(name: str, level: Level = "info", /, **fields: Any) -> None:
    """One event; nothing without `--log json`."""
    if isinstance(sys.stderr, JsonLines):
        sys.stderr.emit(level, name, fields)


def started(header: Header) -> None:
    known = {
        "run": header.number,
        "estate": header.estate,
        "hosts": header.hosts_expected,
        "checks": header.checks_planned,
    }
    event("audit_started", **known)


def telling(done: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """The same, and an event a host."""

    def told(host: str, earlier: bool) -> None:
        event("host_done", host=host, on_earlier_evidence=earlier)
        done(host, earlier)

    return told


def finished(run: Run) -> None:
    """What the run came to in counts, and a line for each host that was not measured, with the cause alone."""
    if not isinstance(sys.stderr, JsonLines):
        return
    for host in run.hosts():
        if host.failure is not None:
            event("host_not_measured", "warning", run=run.header.number, host=host.host, cause=host.failure.cause)
    outcomes = Counter(counts_as(finding) for finding in run.findings())
    header = run.header
    event(
        "audit_finished",
        "info" if header.state == "complete" else "warning",
        run=header.number,
        id=header.id,
        state=header.state,
        seconds=round(header.finished_at - header.started_at, 3),
        findings=dict(sorted(outcomes.items())),
    )


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    return [_redacted(one) for one in value] if isinstance(value, list | tuple) else value


def _is_journal(stream: TextIO) -> bool:
    """Whether journald reads it (systemd.exec(5), $JOURNAL_STREAM): then the level may stand before the line."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
