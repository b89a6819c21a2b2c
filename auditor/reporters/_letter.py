"""A run, what changed since the one before, and its exit code in; the subject and the lines of a mail out. Pure.

Five lines to read on a Monday: counts alone, no host and no flaw, unless more is asked for; never the name of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.compare import GATING, NOT_CHANGED
from auditor.kinds import Voice
from auditor.model import SEVERITIES, Alike, Comparison, Run
from auditor.reporters import _changes
from auditor.sentences import SEVERITY_WORDS, account, clean, moment
from auditor.summary import Summary, summary


def letter(run: Run, since: Comparison | None, code: int, voice: Voice, detail: bool) -> tuple[str, list[str]]:
    """The subject, and the lines of the text; `detail` adds which hosts and controls."""
    lines = [*_lines(run, summary(run), since, code, voice)]
    if detail and since:
        masked = replace(since, alike=tuple(_masked(one) for one in since.alike))
        lines += ["", *_changes.lines(masked, run.controls, voice)]
    return clean(_subject(run, since, voice)), lines


def _subject(run: Run, since: Comparison | None, voice: Voice) -> str:
    if run.header.state != "complete":
        said = voice.say("the audit was interrupted")
    elif since is None:
        said = voice.say("first audit")
    else:
        said = _changes.counted({kind: since.counts[kind] for kind in (*GATING, "unmeasured")}, voice) or voice.say(
            "nothing new"
        )
    return f"[auditor] {run.header.estate or voice.say('this machine')}: {said}"


def _lines(run: Run, seen: Summary, since: Comparison | None, code: int, voice: Voice) -> Iterator[str]:
    yield _which(run, since, voice)
    if since:
        told = _changes.counted(since.counts, voice) or voice.say(NOT_CHANGED)
        yield voice.say("Since then: {changes}").format(changes=told)
        moved = ((voice.say(words), len(getattr(since.moved, name))) for name, words in _changes.MOVED)
        other = ", ".join(f"{words}: {count}" for words, count in moved if count)
        for caveat in since.caveats:
            yield "! " + voice.say(caveat.text).format(**caveat.values)
        if other:
            yield voice.say("What was asked is not the same: {moved}").format(moved=other)
    opened = (f"{voice.say(SEVERITY_WORDS[s])}: {seen.open_severities.get(s, 0)}" for s in reversed(SEVERITIES))
    accepted = seen.counts.get("accepted_fail", 0) + seen.counts.get("accepted_warn", 0)
    form = voice.say("Open failures: {opened}; accepted risks: {accepted}")
    yield form.format(opened=", ".join(opened), accepted=accepted)
    form = voice.say("Hosts measured: {measured} of {expected}; checks: {told} of {planned}; nothing asked: {gaps}")
    yield form.format(
        measured=seen.hosts_measured,
        expected=seen.hosts_expected,
        told=seen.checks_measured,
        planned=seen.checks_planned,
        gaps=seen.counts.get("nothing_asked", 0),
    )
    form = voice.say("Exit code {code}; more: auditor report {number}")
    more = form.format(code=code, number=run.header.number)
    yield f"{more}, auditor diff {since.before.number} {since.after.number}" if since else more


def _which(run: Run, since: Comparison | None, voice: Voice) -> str:
    this = f"{run.header.number} ({moment(run.header.started_at, voice)})"
    if run.header.state != "complete":
        this += ", " + voice.say("interrupted")
    if since is None:
        return voice.say("Audit {audit}; there is no earlier one to compare it with").format(audit=this)
    before = f"{since.before.number} ({moment(since.before.started_at, voice)})"
    return voice.say("Audit {after} against audit {before}").format(after=this, before=before)


def _masked(one: Alike) -> Alike:
    return replace(one, elements=tuple(account(e) for e in one.elements)) if one.persons else one
