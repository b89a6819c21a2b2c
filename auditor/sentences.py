"""Reasons as data in, one sentence in a language out; whatever a host said comes out inert. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from auditor.kinds import Voice
from auditor.model import CAUSES, Reason, ReplayOf, Unknown
from auditor.operators import GROUP_OPERATORS, LIST_OPERATORS, N_, OPERATORS

LONGEST = 200  # characters of a host's text that a report shows
LONGEST_DETAIL = 600  # of why something could not be told: it may end with the command that mends it
SHOWN = 5  # elements of a list that a sentence names

# The words of what a check came to; `not_concerned` is no outcome and is counted apart.
OUTCOME_WORDS = {
    "fail": N_("fail"),
    "warn": N_("warn"),
    "unknown": N_("not measured"),
    "pass": N_("pass"),
    "not_concerned": N_("not concerned"),
    "nothing_asked": N_("nothing asked"),
}
SEVERITY_WORDS = {
    "low": N_("low"),
    "medium": N_("medium"),
    "high": N_("high"),
    "critical": N_("critical"),
}
WITHHELD = N_("a host of {owner}")  # what a report for another entity says in its place
SEEN_BY = N_("as {entity} may see it: its perimeters and the shared ones that serve it, nothing of another's own")
# The details that we give in our own words (plan, freshness, store, authorisation, replay); `{name}` stands for any text.
DETAILS = (
    N_("no control checks it"),
    N_("no control applies to it"),
    N_("no control applies to a host of this perimeter"),
    N_("no probe knows the platform {platform}"),
    N_("a domain controller is asked only where estate.yaml says audit: true"),
    N_("estate.yaml says audit: false"),
    N_("no zone is declared for this host"),
    N_("the zone '{zone}' does not say its {what}"),
    N_("no host with the role {role} is declared"),
    N_("never seen"),
    N_("never seen; now: {why}"),
    N_("last seen {count} hours ago"),
    N_("last seen {count} days ago"),
    N_("asked in vain since it was last seen"),
    N_("it shows the machine-id {new}, known is {old}; if it was reinstalled, give reinstalled_at in estate.yaml"),
    N_("one machine answered for {hosts}, and in an earlier audit for {others}"),
    N_("one machine answered for {hosts}"),
    N_("the stored evidence is damaged"),
    N_("not in that run"),
    N_("its evidence is not kept any more"),
    N_("collector {version} needed: {path} is not there"),
    N_("collector {version} needed: {path} cannot be read"),
    N_("collector {version} needed: {path} was altered"),
    N_("collector {version} needed: {path} is of another release"),
    N_("collector {version} needed: {path} is collector {other}"),
    N_("an argument is not of the type that the question takes"),
    N_("no attestation of {measure}"),
    N_("no attestation of {measure} up to that day; one of {day}"),
    N_("several attestations of {measure} of one day, {day}: {ids}"),
    N_("no record of it is asked for"),
    N_("no --tree gives its files"),
    N_("{hosts}; of them new: {later}"),
    N_("what its scope names is not of this perimeter"),
    N_("no register {name}"),
    N_("the register {name} does not say when it was reviewed"),
    N_("the register {name} is reviewed on a day to come: {day}"),
    N_("{id} does not say how many there are, and since when"),
    N_("{id} tells of what is since {day}; {days} days are asked for"),
    N_("{id} counts {said}, and {found} are recorded"),
    N_("{id} is not about the perimeter as a whole"),
    N_("{entry} does not say {what}"),
    N_("{hosts}: not in the register {name}"),
    N_("{hosts}: no role says whether it is a workstation"),
    N_("the register {name} has no entry of this perimeter"),
    N_("{id}: the estate names no beneficiary of its perimeter"),
    N_("perimeter {perimeter}: {owner} gave no authorisation"),
    N_("perimeter {perimeter}: the authorisation begins on {day}"),
    N_("perimeter {perimeter}: the authorisation ended on {day}"),
    N_("perimeter {perimeter}: the role {role} could not give it for {owner} on {day}"),
    N_("perimeter {perimeter}: its document {document} is missing, or is not the one that was signed"),
    WITHHELD,
)
_WITHHELD = re.compile(re.escape(WITHHELD).replace(r"\{owner\}", "(?P<owner>.+)"), re.DOTALL)
_BOOLEANS = {True: N_("true"), False: N_("false")}

_DETAILS = tuple(
    (form, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(form)), re.DOTALL)) for form in DETAILS
)

# Texts that would be read as another kind of value, or not be seen at all.
_AMBIGUOUS = re.compile(r"(?:|\s.*|.*\s|true|false|none|null|nothing)", re.IGNORECASE | re.DOTALL)
# Where a person's login stands in what systems say: home folders, and what sudo answers.
_PERSON_IN_TEXT = re.compile(
    r"(?P<before>/home/|/Users/|\buser '?)(?P<name>[\w.@+-]+)|(?P<sudoer>[\w.@+-]+)(?= is not in the sudoers)"
)


# ---------------------------------------------------------------- text made inert


def clean(text: str, longest: int = LONGEST) -> str:
    """Any text on one line that no terminal obeys: what is not printable is shown as `\\x1b`; cut at `longest` (0: not)."""
    if longest and len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    return text if text.isprintable() else "".join(map(_inert, text))


def _inert(char: str) -> str:
    if char in "\n\r\t":
        return " "
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def account(name: str, kind: str = "account") -> str:
    """The stable key that stands for a person's name where names must not go: `account-3fa2c1d0`."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}-{digest[:8]}"


def without_persons(text: str) -> str:
    """A system's message without the logins that it is known to carry."""

    def key(found: re.Match[str]) -> str:
        return account(found["sudoer"]) if found["sudoer"] else found["before"] + account(found["name"])

    return _PERSON_IN_TEXT.sub(key, text)


# ---------------------------------------------------------------- dates


def day(iso: str, voice: Voice) -> str:
    """An ISO date as the language writes it."""
    parts = iso.split("-")
    return "/".join(reversed(parts)) if voice.lang == "fr" and len(parts) == 3 else iso


def replayed(replay: ReplayOf, voice: Voice) -> str:
    """That no host was asked, and of when the evidence is."""
    form = N_("REPLAY: no host was asked; the evidence of audit {number}, of {when}, was judged anew.")
    said = voice.say(form).format(number=replay.number, when=moment(replay.started_at, voice))
    if replay.state == "complete":
        return said
    return f"{said} {voice.say(N_('That audit ended before everything planned was asked.'))}"


def moment(at: float, voice: Voice) -> str:
    """Seconds since 1970 as a date and time in UTC; empty when there is none."""
    if not at:
        return ""
    when = datetime.fromtimestamp(at, UTC)
    return f"{day(when.strftime('%Y-%m-%d'), voice)} {when.strftime('%H:%M')} UTC"


# ---------------------------------------------------------------- sentences


def sentence(reason: Reason, voice: Voice, persons: bool) -> str:
    """One reason in words; without `persons`, the name of a person becomes a stable key."""
    return told((reason,), voice, persons)[0]


def told(reasons: Sequence[Reason], voice: Voice, persons: bool, shown: int = SHOWN) -> tuple[str, ...]:
    """Reasons in words, those that differ only in the element as one; at most `shown` of them (0: all)."""
    alike: dict[str, list[Reason]] = {}
    for reason in reasons:
        alike.setdefault(_likeness(reason), []).append(reason)
    groups = list(alike.values())
    kept = groups[:shown] if shown else groups
    lines = tuple(dict.fromkeys(_said(group, voice, persons, shown) for group in kept))
    if len(kept) < len(groups):
        lines += (voice.say("and {count} more reasons").format(count=len(groups) - len(kept)),)
    return lines


def unconcerned(reasons: Sequence[Reason], voice: Voice, persons: bool) -> tuple[str, ...]:
    """Why a control does not concern a subject, in words."""
    form = voice.say("applies where {what} is {wanted}; found {observed}")
    return tuple(
        form.format(
            what=_what(r.path, _elements([r], persons, voice), voice, SHOWN),
            wanted=rule(r.operator, r.wanted, voice),
            observed=_observed(r, voice, persons),
        )
        for r in reasons[:SHOWN]
    )


def cause(unknown: Unknown, voice: Voice, persons: bool, known: str = "") -> str:
    """Why something could not be told, with its detail unless that only repeats what is `known`."""
    words = voice.say(CAUSES[unknown.cause])
    detail = _detail(unknown.detail if persons else without_persons(unknown.detail), voice)
    return words if not detail or detail == known else f"{words} ({detail})"


def nothing_asked(gap: Unknown, voice: Voice) -> str:
    """Why nothing was asked; that nothing was, the place says already."""
    return _detail(gap.detail, voice) or voice.say(CAUSES[gap.cause])


def _detail(text: str, voice: Voice) -> str:
    """A detail in the language, where it is one of ours; what a host said stays as it is, inert."""
    for form, pattern in _DETAILS:
        found = pattern.fullmatch(text)
        if found:
            return clean(voice.say(form).format(**found.groupdict()).strip(), LONGEST_DETAIL)
    return clean(text.strip(), LONGEST_DETAIL)


def rule(operator: str, wanted: Any, voice: Voice) -> str:
    """What was expected, by an operator and its wanted value."""
    if operator in OPERATORS:
        form = OPERATORS[operator].sentence
    else:
        form = LIST_OPERATORS.get(operator) or GROUP_OPERATORS.get(operator) or "{wanted}"
    return voice.say(form).format(wanted=_wanted(wanted, voice))


def listed(items: Sequence[str], voice: Voice, shown: int = SHOWN) -> str:
    """A list in words, its first elements and how many more there are (shown 0: all)."""
    if not shown or len(items) <= shown:
        return ", ".join(items)
    return voice.say("{items} and {count} more").format(items=", ".join(items[:shown]), count=len(items) - shown)


# ---------------------------------------------------------------- parts of a sentence


def _likeness(reason: Reason) -> str:
    observed = None if reason.operator == "none" else reason.observed
    alone = "" if reason.element else "alone"
    return repr((reason.path, reason.operator, reason.wanted, observed, reason.cause, reason.person, alone))


def _said(alike: list[Reason], voice: Voice, persons: bool, shown: int) -> str:
    """What is so, and at which lines of a tree, where that is known."""
    said = _so(alike, voice, persons, shown)
    places = list(dict.fromkeys(clean(voice.located(p), 0) for r in alike for p in r.places))
    return voice.say("{what} [{places}]").format(what=said, places=listed(places, voice, shown)) if places else said


def _so(alike: list[Reason], voice: Voice, persons: bool, shown: int) -> str:
    first = alike[0]
    elements = _elements(alike, persons, voice)
    if first.cause is not None:
        return _untold(first, elements, voice, persons, shown)
    matching = first.operator == "none" and elements
    if first.operator in OPERATORS:
        form = voice.say("{what}: expected {wanted}, found {observed}")
    else:
        form = voice.say("{what}: expected “{wanted}”, found {observed}")
    return form.format(
        what=_what(first.path, [] if matching else elements, voice, shown),
        wanted=rule(first.operator, first.wanted, voice),
        observed=listed(elements, voice, shown) if matching else _observed(first, voice, persons),
    )


def _untold(first: Reason, elements: list[str], voice: Voice, persons: bool, shown: int) -> str:
    assert first.cause is not None
    hidden = first.person and not persons
    why = cause(Unknown(first.cause.cause) if hidden else first.cause, voice, persons, known=first.path)
    what = _what(first.path, elements, voice, shown)
    return voice.say("could not tell {what}: {cause}").format(what=what, cause=why) if what else why


def _elements(alike: Iterable[Reason], persons: bool, voice: Voice) -> list[str]:
    names = (r.element if persons or not r.person else account(r.element.split(" (", 1)[0]) for r in alike if r.element)
    return [clean(_withheld(name if persons else without_persons(name), voice)) for name in dict.fromkeys(names)]


def _withheld(text: str, voice: Voice) -> str:
    """What stands for another's, in the language."""
    found = _WITHHELD.fullmatch(text)
    return voice.say(WITHHELD).format(owner=found["owner"]) if found else text


def _what(path: str, elements: list[str], voice: Voice, shown: int) -> str:
    if not elements:
        return clean(path)
    names = listed(elements, voice, shown)
    return voice.say("{path} of {element}").format(path=clean(path), element=names) if path else names


def _observed(reason: Reason, voice: Voice, persons: bool) -> str:
    seen = reason.observed
    if seen is None and reason.operator == "none":  # an element without a name matched
        return voice.say("otherwise")
    if reason.operator == "count" and not seen:
        return "0"
    if seen is None or seen in ((), []):
        return voice.say("nothing")
    return value(_keyed(seen, reason) if not persons else seen, voice)


def _keyed(seen: Any, reason: Reason) -> Any:
    if isinstance(seen, list | tuple):
        return [_keyed(one, reason) for one in seen]
    if not isinstance(seen, str):
        return seen
    if not reason.person:
        return without_persons(seen)
    # whether the person is the element or the text is not said: neither is shown
    return account(seen, "account" if not reason.element or reason.element.startswith(seen) else "text")


def value(seen: Any, voice: Voice) -> str:
    """A plain value as people read it; texts are inert and cut."""
    if isinstance(seen, bool):
        return voice.say(_BOOLEANS[seen])
    if isinstance(seen, int | float):
        return _number(seen)
    if isinstance(seen, str):
        text = clean(_withheld(seen, voice))
        return f'"{text}"' if _AMBIGUOUS.fullmatch(text) else text
    if isinstance(seen, list | tuple):
        return listed([value(one, voice) for one in seen], voice)
    return voice.say("nothing") if seen is None else clean(str(seen))


def _number(number: float) -> str:
    if isinstance(number, float):
        return f"{number:.6g}" if abs(number) < 1e6 else f"{number:.0f}"
    if number.bit_length() < 256:
        return str(number)
    return "≥ 2^255" if number > 0 else "≤ -2^255"


def _wanted(wanted: Any, voice: Voice) -> str:
    if isinstance(wanted, Mapping):
        return " + ".join(_condition(name, spec, voice) for name, spec in wanted.items())
    if isinstance(wanted, list | tuple) and any(isinstance(one, Mapping) for one in wanted):
        return " / ".join(_wanted(one, voice) for one in wanted)
    if isinstance(wanted, str) and wanted.startswith("$registers."):
        return voice.say("the entries of the register {name}").format(name=wanted.split(".")[1])
    return value(wanted, voice)


def _condition(name: str, spec: Any, voice: Voice) -> str:
    if not isinstance(spec, Mapping) or name in LIST_OPERATORS:
        return rule(name, spec, voice)
    return f"{clean(name)} {_wanted(spec, voice)}"


def as_root(hosts: Iterable[tuple[str, str]], sent: str, voice: Voice) -> list[tuple[str, list[str]]]:
    """Each text that answered as root, in words, with the hosts where it did.

    `hosts` are ids with their HostSeen.collector; `sent` is the SHA-256 of what is piped where no text is installed.
    """
    found: dict[str, list[str]] = {}
    for host, collector in hosts:
        if collector:
            found.setdefault(collector, []).append(clean(host))
    forms = {"installed": voice.say("collector installed, SHA-256 {digest}"),
             "piped": voice.say("collector sent along, SHA-256 {digest}")}  # fmt: skip
    told = []
    for collector, names in found.items():
        way, _, digest = collector.partition(" ")
        told.append((forms[way].format(digest=digest or sent), names))
    return told
