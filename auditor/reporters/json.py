"""A run in, the versioned run document of schemas/run.schema.json out, piece by piece. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
from auditor.reporters._plain import dumped, elements
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
    yield f'{{\n"format": {dumped(FORMAT)},\n"version": {FORMAT_VERSION},\n"run": {dumped(_header(run))},\n'
    yield f'"summary": {dumped(_summary(summary(run)))},\n'
    yield f'"since": {dumped(_changes.plain(run.since) if run.since else None)},\n'
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
        yield from elements(name, items)
        yield ",\n" if place < len(lists) else "\n}\n"


def _dated(plain: Plain) -> Plain:
    return {**plain, "stamp": stamp(plain["at"])}


def _host(host: HostSeen) -> Plain:
    return {**_dated(host_to_plain(host)), "evidence_stamp": stamp(host.evidence_at)}


def _header(run: Run) -> Plain:
    header = run.header
    plain = {**header_to_plain(header), "started": stamp(header.started_at), "finished": stamp(header.finished_at)}
    if header.replay:
        plain["replay"] |= {"started": stamp(header.replay.started_at)}
    return plain


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
        "checks": {
            "planned": seen.checks_planned,
            "told": seen.checks_told,
            "measured": seen.checks_measured,
            **({"attested": seen.checks_attested} if seen.checks_attested else {}),
        },
        "everything_seen": seen.everything_seen,
        "counts": _counts(seen.counts),
        "by_measure": {name: _counts(counts) for name, counts in seen.by_measure.items()},
        "by_perimeter": {name: _counts(counts) for name, counts in seen.by_perimeter.items()},
    }


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in _COUNTED}


REPORTER = Reporter(
    title={"en": "the whole run as one JSON document", "fr": "le contrôle entier en un document JSON"}, render=render
)
