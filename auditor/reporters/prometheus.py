"""A run in, counts of it as a Prometheus textfile out: no host, no control, no person stands in it. Pure.

Text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Every count that can be there is there, zero too: a
series that vanishes would look like health. The estate is a label of each, so that one node may hold several files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.kinds import OpenPart, Reporter, Voice
from auditor.model import SEVERITIES, Run
from auditor.sentences import clean
from auditor.summary import Summary, counts_as, summary

DECIDED = tuple(f"{kind}_{outcome}" for kind in ("accepted", "adapted", "exempted") for outcome in ("warn", "fail"))
OUTCOMES = ("pass", "warn", "fail", "unknown", *DECIDED, "not_concerned")
GAP = "nothing_asked"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge. `help` is the same in every file: node_exporter refuses two texts for one name."""

    name: str
    help: str
    samples: tuple[tuple[Labels, float], ...]


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    write = open_part("")
    estate = {"estate": run.header.estate}
    for metric in _metrics(run, summary(run)):
        lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        lines += [f"{metric.name}{_labels({**estate, **labels})} {_number(n)}" for labels, n in metric.samples]
        write("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _metrics(run: Run, seen: Summary) -> Iterator[Metric]:
    yield from _moments(run)
    whole = {
        "auditor_hosts_expected": ("Hosts that the audit was to measure.", seen.hosts_expected),
        "auditor_hosts_reached": ("Hosts that answered.", seen.hosts_reached),
        "auditor_hosts_measured": (
            "Hosts of which something was measured, on earlier evidence too.",
            seen.hosts_measured,
        ),
        "auditor_hosts_measured_earlier": (
            "Hosts that were measured on evidence of an earlier audit.",
            seen.hosts_measured_earlier,
        ),
        "auditor_checks_planned": ("Checks that the audit was to make.", seen.checks_planned),
        "auditor_checks_measured": ("Checks that could be told.", seen.checks_measured),
        "auditor_decisions_idle": ("Decisions that cover nothing.", sum(1 for _ in run.idle())),
    }
    for name, (text, value) in whole.items():
        yield Metric(name, text, (({}, value),))
    yield from _findings(run, seen)
    if run.since:
        kinds = tuple(({"kind": kind}, float(count)) for kind, count in run.since.counts.items())
        yield Metric("auditor_changes", "Findings that changed since the audit that this one was held against.", kinds)


def _moments(run: Run) -> Iterator[Metric]:
    complete = run.header.state == "complete"
    ended = run.header.finished_at
    text = "When the audit ended, in seconds since 1970."
    yield Metric("auditor_last_run_timestamp_seconds", text, (({}, ended),))
    text = "When the last complete audit ended; 0 when the one that was reported is not complete."
    yield Metric("auditor_last_complete_run_timestamp_seconds", text, (({}, ended if complete else 0.0),))
    text = "How long the audit took."
    yield Metric("auditor_run_duration_seconds", text, (({}, max(0.0, ended - run.header.started_at)),))


def _findings(run: Run, seen: Summary) -> Iterator[Metric]:
    counted = Counter((f.subject.perimeter, counts_as(f), str(f.severity)) for f in run.findings())
    perimeters = dict.fromkeys([*run.perimeters, *(perimeter for perimeter, _, _ in counted)])
    yield Metric(
        "auditor_findings",
        "Findings of the audit, by perimeter, outcome and severity.",
        tuple(
            ({"perimeter": p, "outcome": o, "severity": s}, counted[p, o, s])
            for p in perimeters
            for o in OUTCOMES
            for s in SEVERITIES
        ),
    )
    yield Metric(
        "auditor_measure_findings",
        "Findings of the audit, by measure and outcome; nothing_asked counts where a measure is owed and nothing checks it.",
        tuple(
            ({"measure": m, "outcome": o}, seen.by_measure.get(m, {}).get(o, 0))
            for m in dict.fromkeys([*run.measures, *(m for m in seen.by_measure if m)])
            for o in (*OUTCOMES, GAP)
        ),
    )


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    """What is not printable is shown as `\\x1b` first: a file with bytes that are no text would be refused whole."""
    return clean(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


REPORTER = Reporter(
    title={"en": "Prometheus textfile: counts", "fr": "fichier texte Prometheus : des nombres"},
    render=render,
    shared=True,
)
