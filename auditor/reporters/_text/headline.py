"""A run and its summary in, lines out: who was seen, what it came to, what the report may be trusted for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.kinds import Voice
from auditor.model import SEVERITIES, Run
from auditor.operators import N_
from auditor.reporters._said import ended
from auditor.reporters._text.lines import COLOURS, Line, Span, hung, outcome_word, wrapped
from auditor.sentences import SEVERITY_WORDS, moment
from auditor.summary import Summary, folded

_MEASURED = N_("{now} now, {earlier} earlier, {attested} attested, {unseen} by nobody")
_MEASURED_THEN = N_("{now} then, {earlier} earlier, {attested} attested, {unseen} by nobody")
_CHECKS = N_("{planned} planned, {measured} measured")
_CHECKS_ATTESTED = N_("{planned} planned, {measured} measured, {attested} attested")

COUNTED = {
    "accepted": N_("{count} accepted"),
    "adapted": N_("{count} adapted"),
    "exempted": N_("{count} exempted"),
}


def headline(run: Run, seen: Summary, voice: Voice) -> list[Line]:
    """Who was expected and seen, what it came to, and in one sentence what this report may be trusted for."""
    rows = [*_measured(run, seen, voice), *_counted(seen, voice)]
    margin = max(len(label) for _, label, _ in rows) + 4
    lines: list[Line] = []
    for style, label, text in rows:
        name = f"  {label[:1].upper()}{label[1:]}".ljust(margin)
        lines += [((style, name), *first) if not i else first for i, first in enumerate(hung(text, voice, margin))]
    for style, verdict in (*_verdict(run, seen, voice), ("warn", ended(seen, voice))):
        lines += wrapped(verdict, voice, 2, style) if verdict else []
    return lines


def _measured(run: Run, seen: Summary, voice: Voice) -> Iterator[tuple[str, str, str]]:
    """How many hosts and checks were expected, and how many told something."""
    hosts = voice.say("{expected} expected, {reached} reached, {measured} measured")
    yield (
        "",
        voice.say("hosts"),
        hosts.format(expected=seen.hosts_expected, reached=seen.hosts_reached, measured=seen.hosts_measured),
    )
    yield (
        "",
        voice.say("measured"),
        voice.say(_MEASURED_THEN if run.header.replay else _MEASURED).format(
            now=seen.hosts_measured_now,
            earlier=seen.hosts_measured_earlier,
            attested=seen.hosts_attested,
            unseen=seen.hosts_unseen,
        ),
    )
    yield (
        "",
        voice.say("checks"),
        voice.say(_CHECKS_ATTESTED if seen.checks_attested else _CHECKS).format(
            planned=seen.checks_planned,
            measured=seen.checks_measured - seen.checks_attested,
            attested=seen.checks_attested,
        ),
    )


def _counted(seen: Summary, voice: Voice) -> Iterator[tuple[str, str, str]]:
    for name in ("fail", "warn"):
        count = seen.counts.get(name, 0)
        text = voice.say("{count} open").format(count=count)
        if name == "fail" and seen.open_severities:
            text += f" ({_severities(seen.open_severities, voice)})"
        for kind, form in COUNTED.items():
            count_of = seen.counts.get(f"{kind}_{name}", 0)
            if count_of:
                text += ", " + voice.say(form).format(count=count_of)
        yield name if count else "", outcome_word(name, voice), text
    for name in ("unknown", "pass", "not_concerned", "nothing_asked", "exempted_gap"):
        count = seen.counts.get(name, 0)
        if count or name in ("unknown", "pass"):
            yield name if count and name in COLOURS else "", outcome_word(name, voice), str(count)


def _severities(counts: Mapping[str, int], voice: Voice) -> str:
    return ", ".join(f"{voice.say(SEVERITY_WORDS[s])} {counts[s]}" for s in reversed(SEVERITIES) if counts.get(s))


def _verdict(run: Run, seen: Summary, voice: Voice) -> Iterator[Span]:
    if run.header.state != "complete":
        yield "unknown", voice.say("THE RUN IS PARTIAL: it ended before everything planned was asked.")
    if not run.header.declared:
        yield "dim", voice.say("No estate was given: nothing tells whether hosts or measures are missing.")
    if seen.earlier:
        yield "warn", _earlier(seen, voice)
    if seen.by_hand:
        yield (
            "warn",
            voice.say("Judged on answers that were brought by hand: {hosts}.").format(hosts=folded(seen.by_hand)),
        )
    risks = sum(seen.counts.get(f"{kind}_{name}", 0) for kind in COUNTED for name in ("fail", "warn"))
    if seen.nothing_judged and not seen.counts.get("unknown", 0):
        yield "unknown", voice.say("Nothing was measured: nobody knows whether it is good or bad.")
    elif not seen.everything_seen:
        yield "unknown", voice.say("Not everything was seen; nobody knows whether the rest is good or bad.")
    elif seen.counts.get("fail", 0) or seen.counts.get("warn", 0):
        yield "", voice.say("Everything planned was measured.")
    elif risks:
        yield "", voice.say("Everything planned was measured. Nothing is open; what was decided remains.")
    else:
        yield "pass", voice.say("Everything planned was measured. Nothing is open.")


def _earlier(seen: Summary, voice: Voice) -> str:
    """That hosts were judged on what they told in an earlier run, and how many of them were not asked now."""
    when = moment(seen.oldest_evidence_at, voice)
    if seen.hosts_expected == 1:
        said = voice.say("Judged on earlier evidence, of {when}.").format(when=when)
    else:
        form = voice.say("Hosts judged on earlier evidence: {count}, the oldest of {when}.")
        said = form.format(count=len(seen.earlier), when=when)
    if seen.unasked:
        said += " " + voice.say("Not asked now: {count}.").format(count=seen.unasked)
    return said
