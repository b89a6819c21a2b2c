"""A run in; what was audited, the verdict in one sentence, and its numbers out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from auditor.article5 import ORDER, standing, worst
from auditor.decision_words import DECIDED_WORDS
from auditor.kinds import Voice
from auditor.model import Run
from auditor.operators import N_
from auditor.reporters._page import parts
from auditor.reporters._page.parts import Chip
from auditor.reporters._said import ended
from auditor.sentences import SEEN_BY, clean, listed, moment, replayed
from auditor.summary import Summary


def what(run: Run, seen: Summary, voice: Voice) -> str:
    """What was audited: the estate by the last part of its path, or the one host; for elected officials, whose it is."""
    if voice.audience == "elus":
        owners = list(dict.fromkeys(p.owner for p in run.perimeters.values() if p.owner))
        if owners:
            return listed([_called(run, owner) for owner in owners], voice)
    elif run.header.estate in run.entities:
        return _called(run, run.header.estate)
    else:
        folders = [part for part in run.header.estate.partition(", ")[0].split("/") if part.strip(".")]
        hosts = [host.host for host, _ in zip(run.hosts(), range(2), strict=False)]
        if folders or len(hosts) == 1:
            return (folders or hosts)[-1]
    return voice.say("{count} hosts").format(count=seen.hosts_expected)


def heading(run: Run, voice: Voice) -> str:
    header = run.header
    form = N_("Replay of audit {number}, {when}") if header.replay else N_("Audit {number}, {when}")
    number = header.replay.number if header.replay else header.number
    return voice.say(form).format(number=number, when=moment(header.started_at, voice))


def _called(run: Run, entity: str) -> str:
    known = run.entities.get(entity)
    return (known.name if known else "") or entity


def verdict(run: Run, seen: Summary, voice: Voice) -> tuple[str, str]:
    """The one sentence, and the word of ORDER that it goes with."""
    decided = {kind: seen.counts.get(f"{kind}_fail", 0) for kind in DECIDED_WORDS}
    wrong = {
        name: sum(seen.counts.get(f"{kind}{name}", 0) for kind in ("", *(f"{kind}_" for kind in decided)))
        for name in ("fail", "warn")
    }
    risks = sum(decided.values())
    whole = seen.everything_seen and not parts.part_only(run, seen) and run.header.declared and seen.checks_planned > 0
    failing = voice.say(_failing(decided))
    numbers = {
        "failing": failing.format(fail=wrong["fail"], accepted=risks),
        "warn": wrong["warn"],
        "planned": seen.checks_planned,
    }
    if wrong["fail"]:
        kind = "fail" if seen.counts.get("fail", 0) else _beside(seen, "fail")
        form = (
            N_("Not all measures are met: of {planned} checks, {failing}; everything planned was measured.")
            if whole
            else N_(
                "Not all measures are met: of {planned} checks, {failing}; and not everything was seen: nobody knows "
                "whether the rest is good or bad."
            )
        )
    elif not whole:
        kind = "unknown"
        measured = seen.checks_measured - seen.counts.get("not_concerned", 0)
        form = (
            N_(
                "Nothing that was measured fails, but not everything was seen: nobody knows whether the rest is good or bad."
            )
            if measured > 0
            else N_("Nothing was measured: nobody knows whether it is good or bad.")
        )
    elif wrong["warn"]:
        kind = "warn" if seen.counts.get("warn", 0) else _beside(seen, "warn")
        form = N_("Everything planned was measured and nothing fails; of {planned} checks, {warn} miss their target.")
    else:
        kind, form = "pass", N_("Everything planned was measured and nothing fails.")
    return kind, voice.say(form).format(**numbers)


def _failing(decided: Mapping[str, int]) -> str:
    """How many fail, and of how many of them somebody decided; accepted ones are named so where there are no others."""
    if not any(decided.values()):
        return N_("{fail} fail")
    if decided["accepted"] == sum(decided.values()):
        return N_("{fail} fail, {accepted} of them accepted")
    return N_("{fail} fail, about {accepted} of them a decision stands")


def _beside(seen: Summary, outcome: str) -> str:
    """The worst word for what fails, or misses its target, with a decision beside all of it."""
    return worst(kind for kind in DECIDED_WORDS if seen.counts.get(f"{kind}_{outcome}", 0))


def notices(run: Run, seen: Summary, voice: Voice) -> Iterable[str]:
    """What nobody must miss: that this is a part, that it was interrupted, that evidence is not of today."""
    header, public = run.header, voice.audience == "elus"
    if header.state != "complete":
        yield voice.say("THE RUN IS PARTIAL: it ended before everything planned was asked.")
    if header.replay:
        yield replayed(header.replay, voice)
    if gone := ended(seen, voice):
        yield gone
    if header.seen_by:
        yield voice.say(SEEN_BY).format(entity=clean(_called(run, header.seen_by)))
    if not header.declared:
        yield voice.say("No estate was given: nothing tells whether hosts or measures are missing.")
    if header.limit and public:
        yield voice.say("ONLY {chosen} of {all} inventoried hosts").format(
            chosen=header.hosts_expected, all=header.hosts_inventoried
        )
    elif header.limit:
        yield voice.say("ONLY {chosen} of {all} inventoried hosts: --limit {limit}").format(
            chosen=header.hosts_expected, all=header.hosts_inventoried, limit=clean(header.limit)
        )
    if header.policies and public:
        yield voice.say("only some of the policies")
    elif header.policies:
        yield voice.say("only these policies: {policies}").format(policies=clean(", ".join(header.policies)))
    if header.legacy and not public:
        yield voice.say("outdated SSH algorithms are allowed for {hosts}").format(
            hosts=parts.names(header.legacy, voice)
        )
    if seen.earlier:
        yield voice.say("Hosts judged on earlier evidence: {count}, the oldest of {when}.").format(
            count=len(seen.earlier), when=moment(seen.oldest_evidence_at, voice)
        )
    if seen.by_hand and not public:
        yield voice.say("Judged on answers that were brought by hand: {hosts}.").format(
            hosts=parts.names(seen.by_hand, voice)
        )


ALWAYS = ("fail", "warn", "accepted", "unknown", "nothing_asked", "pass")  # told also where there are none


def numbers(seen: Summary, voice: Voice, replay: bool) -> Sequence[tuple[str, Chip | None, str, str]]:
    """Rows of: what, its chip, hosts, checks; `-` where a number would say nothing."""
    counts = seen.counts
    on: dict[str, list[str]] = {"nothing_asked": [s for gap in seen.open_gaps if not gap.measure for s in gap.subjects]}
    on["exempted"] = [s for gap in seen.gaps if gap.decision and not gap.measure for s in gap.subjects]
    for group in seen.groups:
        on.setdefault(group.state, []).extend(group.subjects)
    number = {**standing([counts]), "unknown": counts.get("unknown", 0) + parts.lost(seen)}

    def row(text: str, name: str, hosts: object, checks: object) -> tuple[str, Chip | None, str, str]:
        return text, parts.chip(name, voice) if name else None, str(hosts), str(checks)

    return (
        row(voice.say("expected"), "", seen.hosts_expected, seen.checks_planned),
        row(voice.say(N_("measured then") if replay else N_("measured now")), "", seen.hosts_measured_now, "-"),
        row(voice.say("measured, on earlier evidence"), "", seen.hosts_measured_earlier, "-"),
        row(voice.say("attested"), "", seen.hosts_attested, seen.checks_attested or "-"),
        row(voice.say("nobody looked"), "", seen.hosts_unseen, "-"),
        *(
            row("", name, parts.counted(on.get(name, ())), number.get(name, 0))
            for name in ORDER
            if name in ALWAYS or number.get(name, 0) or on.get(name)
        ),
    )


BAR = 1000


def bar(seen: Summary, voice: Voice) -> Sequence[tuple[Chip, int, int]]:
    """The checks as one bar: of each state its chip, where it begins and how long it is, in thousandths."""
    asked = {
        name: n for name, n in seen.counts.items() if name not in ("nothing_asked", "not_concerned", "exempted_gap")
    }
    states = standing([asked, {"unknown": parts.lost(seen)}])
    total = sum(states.values())
    bar: list[tuple[Chip, int, int]] = []
    before = 0
    for name, count in states.items():
        if total:
            bar.append((parts.chip(name, voice, count), before * BAR // total, max(4, count * BAR // total)))
        before += count
    return bar
