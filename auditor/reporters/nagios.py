"""A run in, the one line of a Nagios or Centreon plugin out: state, counts, performance data. Pure.

monitoring-plugins.org/doc/guidelines.html: OK 0, WARNING 1, CRITICAL 2, UNKNOWN 3. No host, control or person is named.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.kinds import OpenPart, Plugin, Reporter, Voice
from auditor.model import SEVERITIES, Header, Outcome, Run
from auditor.reporters._said import JUDGED_AS_OF, another_day, gone
from auditor.sentences import SEVERITY_WORDS, clean, day, moment
from auditor.summary import Summary, exit_code, summary

WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
OK, WARNING, CRITICAL, UNKNOWN = range(4)
GRAVE = "high"  # from this severity on, an open failure is critical
MAX_AGE_S = 26 * 3600.0  # a daily audit, and two hours of grace


def state(run: Run, voice: Voice) -> int:
    """The plugin's code: too old, then open failures, then what was not measured, or is of other hosts or another day.

    A failure is open again where the decision that stood beside it has ended since.
    """
    if voice.too_old:
        return UNKNOWN
    again, ended = _open_again(run, voice)
    if exit_code(run, GRAVE, fail_on_warn=False) == 1 or GRAVE in again:
        return CRITICAL
    code = {0: OK, 1: WARNING, 3: UNKNOWN}[exit_code(run, SEVERITIES[0], fail_on_warn=False)]
    if again or (ended and code == OK):
        return WARNING
    return UNKNOWN if code == OK and any(_other(run.header, voice)) else code


def _open_again(run: Run, voice: Voice) -> tuple[frozenset[str], bool]:
    """How grave (GRAVE, or less) the failures are whose decision has ended since; whether any decision has."""
    if not voice.today:
        return frozenset(), False
    seen = summary(run)
    failing = (g for g in seen.groups if g.outcome is Outcome.FAIL and g.decision and g.decision.until < voice.today)
    grave = (SEVERITIES.index(g.severity) >= SEVERITIES.index(GRAVE) for g in failing)
    return frozenset(GRAVE if one else SEVERITIES[0] for one in grave), bool(gone(seen, voice))


def _other(header: Header, voice: Voice) -> Iterator[str]:
    """Why an audit in which all is well does not say that all is well today."""
    if header.limit and header.hosts_expected < header.hosts_inventoried:
        form = voice.say("only {chosen} of {all} inventoried hosts")
        yield form.format(chosen=header.hosts_expected, all=header.hosts_inventoried)
    if judged := another_day(header):
        yield voice.say(JUDGED_AS_OF).format(day=day(judged, voice))


def render(run: Run, voice: Voice, open_part: OpenPart) -> None:
    seen = summary(run)
    line = f"AUDITOR {WORDS[state(run, voice)]} - {_inert(_said(run, seen, voice))} | {_performance(seen)}\n"
    open_part("")(line.encode("utf-8"))


def broken(why: str) -> bytes:
    """The line of a run that cannot be had."""
    return f"AUDITOR {WORDS[UNKNOWN]} - {_inert(why)}\n".encode()


def _said(run: Run, seen: Summary, voice: Voice) -> str:
    form = voice.say("audit {number} of {moment}")
    said = [form.format(number=run.header.number, moment=moment(run.header.started_at, voice))]
    if voice.too_old:
        said.append(voice.say("too old: no newer audit was kept"))
    if run.header.state != "complete":
        said.append(voice.say("interrupted"))
    said.extend(_other(run.header, voice))
    if run.header.policies:
        said.append(voice.say("named policies only"))
    opened = [
        f"{voice.say(SEVERITY_WORDS[s])} {seen.open_severities[s]}"
        for s in reversed(SEVERITIES)
        if seen.open_severities.get(s)
    ]
    if over := gone(seen, voice):
        said.append(voice.say("decisions that have ended since: {count}").format(count=len(over)))
    said.append(voice.say("open failures: {opened}").format(opened=", ".join(opened) or 0))
    form = voice.say("checks measured: {told} of {planned}, hosts: {measured} of {expected}")
    said.append(
        form.format(
            told=seen.checks_measured,
            planned=seen.checks_planned,
            measured=seen.hosts_measured,
            expected=seen.hosts_expected,
        )
    )
    return "; ".join(said)


def _inert(text: str) -> str:
    """On one line, and without the bar that begins the performance data."""
    return clean(text, 0).replace("|", "/")


def _performance(seen: Summary) -> str:
    """label=value;warn;crit;min;max, the thresholds being those of the state."""
    counts = [
        f"fail_{s}={seen.open_severities.get(s, 0)};{';0' if SEVERITIES.index(s) >= SEVERITIES.index(GRAVE) else '0;'};0;"
        for s in reversed(SEVERITIES)
    ]
    counts += [
        f"{name}={seen.counts.get(key, 0)};;;0;"
        for name, key in (
            ("warn", "warn"),
            ("unknown", "unknown"),
            ("accepted_fail", "accepted_fail"),
            ("accepted_warn", "accepted_warn"),
            ("nothing_asked", "nothing_asked"),
        )
    ]
    counts.append(f"checks_measured={seen.checks_measured};;;0;{seen.checks_planned}")
    counts.append(f"hosts_measured={seen.hosts_measured};;;0;{seen.hosts_expected}")
    return " ".join(counts)


REPORTER = Reporter(
    title={"en": "One line for Nagios or Centreon", "fr": "une ligne pour Nagios ou Centreon"},
    render=render,
    shared=True,
    plugin=Plugin(state, broken, UNKNOWN, MAX_AGE_S),
)
