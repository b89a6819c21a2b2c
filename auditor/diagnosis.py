"""What hosts answered to who they are and whether root answers, in; who is well, and what ails the others, out. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.cures import CURES, Called, Trouble, cure, in_one
from auditor.evaluate import evaluate, same_machine
from auditor.framing.sh import HELLO, shown
from auditor.kinds import Voice
from auditor.model import Answer, Command, Failure, Host, Obstacle, Output
from auditor.sentences import clean
from auditor.summary import folded

SHOWN = 3  # what hosts said, and commands, in a group
LONGEST = 400  # characters of what one host said
# Names that mean nothing but themselves in a known_hosts file: no pattern, list, hash or marker.
_PLAIN_NAME = re.compile(r"[a-z0-9_.:-]+|\[[a-z0-9_.:%-]+\]:[0-9]+")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one host came to; `machine` is what it says it is, "" when it did not say."""

    host: Host
    trouble: Trouble | None
    machine: str = ""
    collector: str = ""  # as in HostSeen


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts with one trouble, and what to do about it. `bastion` is where it broke, if not at the host."""

    kind: str
    bastion: str
    troubles: tuple[Trouble, ...]


def seen(host: Host, told: Mapping[Command, Answer], elevation: Command) -> Seen:
    """What the answers to HELLO and, where root is wanted, `elevation` come to."""
    came_to = evaluate(host, (), (), told, {})
    hello = told.get(HELLO)
    if isinstance(hello, Failure):
        return Seen(host, _of(host, hello))
    if came_to.failure:
        return Seen(host, Trouble(host, came_to.failure.cause, came_to.failure.detail), came_to.identity)
    answer = told.get(elevation)
    if not as_root(host) or (isinstance(answer, Output) and answer.text.strip() == "0"):
        return Seen(host, None, came_to.identity, came_to.collector)
    trouble = _elevation(host, answer or Failure("not_asked"))
    return Seen(host, replace(trouble, account=_account(hello)), came_to.identity)


def as_root(host: Host) -> bool:
    """Whether root is wanted there; Windows knows no sudo, and tells in HELLO what the account may."""
    return host.become and host.connection != "winrm"


def _of(host: Host, failure: Failure) -> Trouble:
    at = failure.obstacle
    kind: str = at.hurdle if at else {"framing": "shell"}.get(failure.cause, failure.cause)
    if kind == "key_unknown" and (at is None or at.key is None):
        kind = "key_untold"
    words = _key(at) if at and at.key and kind.startswith("key_") else failure.message
    return Trouble(host, kind, words, at)


def _elevation(host: Host, answer: Answer) -> Trouble:
    if isinstance(answer, Failure):
        trouble = _of(host, answer)
        return replace(trouble, kind="sudo") if answer.cause == "timeout" else trouble
    return Trouble(host, "sudo", shown(answer.error_text or answer.text))


def _account(hello: Answer | None) -> str:
    """Sudoers takes the number of an account where its name is not known."""
    lines = hello.text.split("\n") if isinstance(hello, Output) else []
    return f"#{lines[2]}" if len(lines) > 2 and re.fullmatch(r"[0-9]{1,10}", lines[2]) else ""


def alike(all_seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """One machine under several names is not well, whatever sudo says there: none of these names counts."""
    machines: dict[str, list[str]] = {}
    for one in all_seen:
        if one.machine:
            machines.setdefault(one.machine, []).append(one.host.id)
    return tuple(_not_alone(one, machines.get(one.machine, [])) for one in all_seen)


def _not_alone(one: Seen, same: Sequence[str]) -> Seen:
    if len(same) < 2 or (one.trouble and one.trouble.kind in ("other_platform", "other_host")):
        return one
    return replace(one, trouble=Trouble(one.host, "same_machine", same_machine(same).message))


def groups(troubles: Iterable[Trouble]) -> tuple[Group, ...]:
    """Troubles of one kind at one place together, in the order of the way in."""
    found: dict[tuple[str, str], list[Trouble]] = {}
    for one in troubles:
        at = one.obstacle
        bastion = f"{shown(at.address)}:{at.port}" if at and at.bastion else ""
        found.setdefault((one.kind, bastion), []).append(one)
    order = list(CURES)
    made = (Group(kind, bastion, tuple(members)) for (kind, bastion), members in found.items())
    return tuple(sorted(made, key=lambda g: (order.index(g.kind) if g.kind in order else len(order), g.bastion)))


# ---------------------------------------------------------------- in words


def lines(group: Group, called: Called, voice: Voice) -> list[str]:
    """A group as people read it: how many hosts and which, what some of them said, what to do."""
    what = cure(group.kind)
    title = voice.say(what.title)
    if group.bastion:
        title = voice.say("at the bastion {bastion}: {what}").format(bastion=clean(group.bastion), what=title)
    hosts = folded(clean(t.host.id) for t in group.troubles)
    advice = voice.say(what.advice)
    for name, text in (("candidates", called.candidates), ("install_files", called.install_files)):
        advice = advice.replace(f"{{{name}}}", text)
    form = voice.say("{what}: {count} × {hosts}")
    made = [form.format(what=title[:1].upper() + title[1:], count=len(group.troubles), hosts=hosts)]
    made += _first([f"  {said}" for said in _said(group.troubles)], "  ", voice)
    commands = _commands(group, called)
    if commands or not advice.endswith(":"):
        made.append(f"  {clean(advice, 0)}")
    return made + _first([f"    {clean(text, 0)}" for text in commands], "    ", voice)


def _first(all_lines: Sequence[str], margin: str, voice: Voice) -> list[str]:
    if len(all_lines) <= SHOWN:
        return list(all_lines)
    return [*all_lines[:SHOWN], margin + voice.say("and {count} more like these").format(count=len(all_lines) - SHOWN)]


def _said(troubles: Sequence[Trouble]) -> list[str]:
    """Each different thing that was said, with the hosts that it was said of."""
    by_words: dict[str, list[str]] = {}
    for one in troubles:
        if one.words:
            by_words.setdefault(clean(one.words, LONGEST), []).append(clean(one.host.id))
    return [f"{folded(ids)}: {words}" for words, ids in by_words.items()]


def _commands(group: Group, called: Called) -> list[str]:
    """One command for all hosts, as far as it differs in one word."""
    words: dict[tuple[str, str], dict[str, None]] = {}
    for one in group.troubles:
        step = cure(group.kind).step(one, called)
        if step:
            words.setdefault((step.before, step.after), {})[step.word] = None
    return [in_one(before, tuple(given), after) for (before, after), given in words.items()]


# ---------------------------------------------------------------- keys that nobody knows yet


def candidates(troubles: Iterable[Trouble], voice: Voice) -> tuple[str, tuple[Trouble, ...]]:
    """Known_hosts lines of the unknown keys, each under who showed it and its fingerprint; the troubles that are in them."""
    found: dict[tuple[str, str, bytes], list[Trouble]] = {}
    for one in troubles:
        at = one.obstacle
        if one.kind == "key_unknown" and at and at.key and _PLAIN_NAME.fullmatch(at.name):
            found.setdefault((at.name, *at.key), []).append(one)
    text = [
        f"# {voice.say('Keys that known_hosts lacks, as they were shown; nothing trusts this file. Compare each first.')}"
    ]
    for (name, kind, blob), members in found.items():
        at = members[0].obstacle
        who = folded(clean(t.host.id) for t in members)
        if at and at.bastion:
            who = voice.say("the bastion of {hosts}").format(hosts=who)
        text += [f"# {who}: {_fingerprint(kind, blob)}", f"{name} {kind} {base64.b64encode(blob).decode()}"]
    written = tuple(one for members in found.values() for one in members)
    return ("\n".join(text) + "\n" if found else ""), written


def _key(at: Obstacle) -> str:
    return f"{at.name} {_fingerprint(*at.key)}" if at.key else at.name


def _fingerprint(kind: str, blob: bytes) -> str:
    return f"{shown(kind)} SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"
