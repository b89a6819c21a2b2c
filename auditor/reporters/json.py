"""A run in, the versioned run document of schemas/run.schema.json out, piece by piece. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.document import (
    FORMAT,
    FORMAT_VERSION,
    Plain,
    action_to_plain,
    control_to_plain,
    coverage_to_plain,
    finding_to_plain,
    header_to_plain,
    host_to_plain,
    idle_to_plain,
    measure_to_plain,
    perimeter_to_plain,
    stamp,
    to_do_to_plain,
)
from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import HostSeen, Run
from auditor.reporters import _changes
from auditor.summary import Summary, summary

_COUNTED = (
    "fail", "warn", "unknown", "pass", "not_concerned", "accepted_fail", "accepted_warn", "adapted_fail", "adapted_warn",
    "exempted_fail", "exempted_warn", "nothing_asked", "exempted_gap",
)  # fmt: skip


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    """Writes the document; its keys and values are the same in every language."""
    write = open_part("")
    for piece in _pieces(run):
        write(piece.encode("utf-8"))


def _pieces(run: Run) -> Iterator[str]:
    yield f'{{\n"format": {_dumped(FORMAT)},\n"version": {FORMAT_VERSION},\n"run": {_dumped(_header(run))},\n'
    yield f'"summary": {_dumped(_summary(summary(run)))},\n'
    yield f'"since": {_dumped(_changes.plain(run.since) if run.since else None)},\n'
    kinds = run.since.kinds if run.since else {}
    lists: tuple[tuple[str, Iterable[Plain]], ...] = (
        ("controls", map(control_to_plain, run.controls.values())),
        ("measures", map(measure_to_plain, run.measures.values())),
        ("perimeters", map(perimeter_to_plain, run.perimeters.values())),
        ("hosts", map(_host, run.hosts())),
        ("findings", ({**_dated(finding_to_plain(f)), "change": kinds.get(f.fingerprint)} for f in run.findings())),
        ("idle_decisions", map(idle_to_plain, run.idle())),
        ("coverage", map(coverage_to_plain, run.coverage())),
        ("actions", map(action_to_plain, run.actions())),
        ("to_do", map(to_do_to_plain, run.to_do())),
    )
    for place, (name, items) in enumerate(lists, 1):
        yield from _list(name, items)
        yield ",\n" if place < len(lists) else "\n}\n"


def _list(name: str, items: Iterable[Plain]) -> Iterator[str]:
    """One list of the document, an element a line, so that a long run can be read and compared line by line."""
    yield f'"{name}": ['
    before = "\n"
    for item in items:
        yield before + _dumped(item)
        before = ",\n"
    yield "]" if before == "\n" else "\n]"


def _dated(plain: Plain) -> Plain:
    return {**plain, "stamp": stamp(plain["at"])}


def _host(host: HostSeen) -> Plain:
    return {**_dated(host_to_plain(host)), "evidence_stamp": stamp(host.evidence_at)}


def _header(run: Run) -> Plain:
    plain = header_to_plain(run.header)
    return {**plain, "started": stamp(run.header.started_at), "finished": stamp(run.header.finished_at)}


def _summary(seen: Summary) -> Plain:
    return {
        "hosts": {
            "expected": seen.hosts_expected,
            "reached": seen.hosts_reached,
            "measured": seen.hosts_measured,
            "measured_now": seen.hosts_measured_now,
            "measured_earlier": seen.hosts_measured_earlier,
            "attested": seen.hosts_attested,
            "unseen": seen.hosts_unseen,
            "exempted": seen.hosts_exempted,
            "oldest_evidence_at": seen.oldest_evidence_at,
            "oldest_evidence": stamp(seen.oldest_evidence_at),
        },
        "checks": {"planned": seen.checks_planned, "told": seen.checks_told, "measured": seen.checks_measured},
        "everything_seen": seen.everything_seen,
        "counts": _counts(seen.counts),
        "by_measure": {name: _counts(counts) for name, counts in seen.by_measure.items()},
        "by_perimeter": {name: _counts(counts) for name, counts in seen.by_perimeter.items()},
    }


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in _COUNTED}


# ---------------------------------------------------------------- JSON that any reader takes, whatever a host said


def _dumped(plain: Any) -> str:
    """Keys sorted; no NaN; what is not printable stands as an escape, a lone surrogate as the text `\\udcff`."""
    try:
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(plain), ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else _UNPRINTABLE.sub(_escaped, text)


_UNPRINTABLE: re.Pattern[str] = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\u036f]")


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        return f"\\\\u{code:04x}"
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(char)[1:-1]


_FINITE: dict[type, Callable[[Any], Any]] = {
    dict: lambda plain: {k: _finite(v) for k, v in plain.items()},
    list: lambda plain: [_finite(v) for v in plain],
    float: lambda plain: plain if math.isfinite(plain) else str(plain),
}


def _finite(plain: Any) -> Any:
    """The same with numbers that JSON does not know as texts."""
    convert = _FINITE.get(type(plain))
    return convert(plain) if convert else plain


REPORTER = Reporter(
    title={"en": "the whole run as one JSON document", "fr": "le contrôle entier en un document JSON"}, render=render
)
