"""The timers and services of systemd in a tree, masked, in; what each timer starts, how often, and whether it is started, out. Pure.

Sources: systemd.timer(5), systemd.unit(5): drop-ins of `a-b.timer` are also those of `a-.timer` and `timer`; an instance is made of its
template, and has the drop-ins of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.model import Command, Unknown
from auditor.readers import schedules, systemd_conf
from auditor.readers.files import LINKS, Files
from auditor.readers.schedules import Starts
from auditor.readers.trees.units import REACHED, ROOTS, Units, template

OWN = ROOTS[0]


def _units(suffix: str) -> str:
    """Of an administrator's all, of the packages', which are many, those that are called so."""
    packages = [f"{root}/{like}.{suffix}" for root in ROOTS[1:3] for like in ("*backup*", "restic*", "borg*")]
    folders = [f"{root}/*.{suffix}.d/*.conf" for root in ROOTS[:3]]
    return " ".join([f"{OWN}/*.{suffix}", *packages, *folders, *(f"{root}/{suffix}.d/*.conf" for root in ROOTS[:3])])


LINKED = Command(
    " ".join(f"{r}/*.timer {r}/*.target.wants/*.timer {r}/*.target.requires/*.timer" for r in ROOTS[:3]),
    kind="read",
    mask=LINKS,
)
TIMERS = Command(_units("timer"), kind="read", mask="backup_timer", cap_bytes=131072)
SERVICES = Command(_units("service"), kind="read", mask="backup_service", cap_bytes=262144)
_WANTED = re.compile(r".*/([^/]+)\.target\.(?:wants|requires)/([^/]+\.timer)")
_NOWHERE = re.compile(r"/+dev/null|(?:\.\./){3,}dev/null")
MOST_DELAY_S = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Unit:
    """The texts that make a unit, by path, in the order in which they are applied."""

    texts: Mapping[str, str]

    def values(self, section: str, key: str) -> list[str]:
        """The values of a list that count: an empty one resets those before it."""
        kept: list[str] = []
        for value in systemd_conf.assignments(self.lines(), section, key):
            kept = [*kept, value] if value else []
        return kept

    def lines(self) -> list[str]:
        return [text.replace("\r", "\n") for text in self.texts.values()]

    @property
    def conditional(self) -> bool:
        return any(re.search(r"^(Condition|Assert)\w*=", text, re.MULTILINE) for text in self.lines())

    def places(self, *keys: str) -> tuple[str, ...]:
        return tuple(
            f"{path}:{number}"
            for path, text in self.texts.items()
            for number, line in enumerate(text.split("\n"), 1)
            if line.startswith(tuple(f"{key}=" for key in keys))
        )


def unit(name: str, found: Mapping[str, str]) -> Unit:
    """Of a name with its suffix (`a@b.timer`)."""
    names = list(dict.fromkeys([name, _of_template(name)]))
    main = next((p for n in names for root in ROOTS if (p := f"{root}/{n}") in found), None)
    drop_ins: dict[str, str] = {}
    for folder in (f"{root}/{of}.d/" for of in dropped_in(names) for root in ROOTS):
        for path in found:
            if path.startswith(folder):
                drop_ins.setdefault(path[len(folder) :], path)
    paths = ([main] if main else []) + [drop_ins[n] for n in sorted(drop_ins)]
    return Unit({path: found[path] for path in paths})


def _of_template(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return template(stem) + dot + suffix


def dropped_in(names: list[str]) -> Iterator[str]:
    """Of a unit's name and its template's, the units of which the drop-ins are its own: of its name, its prefixes, its kind."""
    yield from names
    stem, _, suffix = names[0].rpartition(".")
    while "-" in stem.rstrip("-"):
        stem = stem.rstrip("-").rpartition("-")[0] + "-"
        yield f"{stem}.{suffix}"
    yield suffix


def named(timers: Mapping[str, str], links: Files) -> list[str]:
    """Every timer that the tree has or starts, templates by their instances."""
    linked = [found[2] for path in links.texts if (found := _WANTED.fullmatch(path))]
    there = [path.rpartition("/")[2] for path in timers if path.endswith(".timer") and "@." not in path]
    return list(dict.fromkeys([*there, *linked]))


def started(name: str, links: Files, units: Units) -> tuple[bool | Unknown, tuple[str, ...]]:
    """Whether a link has it started, and that link; one that is masked never is."""
    for one in (name, _of_template(name)):
        if _NOWHERE.fullmatch(links.texts.get(f"{OWN}/{one}", "")):
            return False, (f"{OWN}/{one}",)
    lost: list[tuple[bool | Unknown, tuple[str, ...]]] = []
    for path, target in links.texts.items():
        found = _WANTED.fullmatch(path)
        if found and found[2] == name and found[1] in (*REACHED, "timers") and not _NOWHERE.fullmatch(target):
            reaches = units.reaches(found[1])
            if reaches is True:
                return True, (path,)
            lost.append((reaches, (path,)))
    if lost:
        return next((one for one in lost if isinstance(one[0], Unknown)), lost[0])
    return Unknown("not_observable", f"whether {name} is started"), ()


_CALENDAR = "OnCalendar"
_BEGINS = ("OnActiveSec", "OnBootSec", "OnStartupSec")
_AGAIN = ("OnUnitActiveSec", "OnUnitInactiveSec")


def starts(timer: Unit) -> Starts | Unknown:
    """When a timer goes off: at its times, or so long after each time that it did; at least once something has it begin."""
    if timer.conditional:
        return Unknown("not_observable", "what a timer depends on")
    times: list[tuple[str, str]] = []
    whole = any(path.endswith(".timer") for path in timer.texts)
    for key, value in systemd_conf.said(timer.lines(), "Timer"):
        if key in (_CALENDAR, *_BEGINS, *_AGAIN):  # an empty one resets them all
            times = [*times, (key, value)] if value else []
            whole = whole or not value
    if not whole:
        return Unknown("not_observable", "what a drop-in adds to")
    begins = any(key in (_CALENDAR, *_BEGINS) for key, _ in times)
    found = [_times(key, value) for key, value in times if key == _CALENDAR or (key in _AGAIN and begins)]
    untold = next((one for one in found if isinstance(one, Unknown)), None)
    said = (timer.values("Timer", key)[-1:] for key in ("RandomizedDelaySec", "AccuracySec"))
    delays = [schedules.span(text) for values in said for text in values]
    if any(delay is None or delay > MOST_DELAY_S for delay in delays):
        return untold or Unknown("not_observable", "when it starts within a long random delay")
    return untold or tuple(sorted({at for one in found if not isinstance(one, Unknown) for at in one}))


def _times(key: str, value: str) -> Starts | Unknown:
    seconds = schedules.span(value) if key != _CALENDAR else None
    told = schedules.calendar(value) if key == _CALENDAR else None if seconds is None else schedules.every(seconds)
    return Unknown("not_told", f"when {value[:60]} is") if told is None else told


def service_of(name: str, timer: Unit) -> str:
    """What a timer starts: its service, unless it says otherwise."""
    stem = name.rpartition(".")[0]
    said = timer.values("Timer", "Unit")
    return instanced(said[-1], name) if said else f"{stem}.service"


def instanced(text: str, name: str) -> str:
    """`%i` and the like, of the unit's instance."""
    stem = name.rpartition(".")[0]
    prefix, _, instance = stem.partition("@")
    for word, value in (("%i", instance), ("%I", instance), ("%p", prefix), ("%N", stem), ("%n", name)):
        text = text.replace(word, value)
    return text
