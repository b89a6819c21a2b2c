"""The settings of antivirus products in a tree in; whether they watch, learn and leave nothing out, as these say, out. Pure.

That a daemon runs, and that its signatures are fresh, no file tells. Sources: clamd.conf(5), freshclam.conf(5), clamonacc(8), the
manual of Defender for Linux, systemd.service(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.model import Answer, Command, Unknown
from auditor.readers import clamav, defender, files
from auditor.readers.clamav import NO, YES, Settings
from auditor.readers.trees import programs, units
from auditor.readers.trees.forwarders import worst
from auditor.readers.trees.places import naming
from auditor.readers.trees.timers import dropped_in
from auditor.readers.trees.units import Units

MDATP = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json"
WATCH = ("clamav-clamonacc", "clamonacc")
SCAN = ("clamav-daemon", "clamd@scan", "clamd")
LEARN = ("clamav-freshclam", "freshclam")
QUESTIONS: Mapping[str, Command] = {
    "clamd": Command("/etc/clamav/clamd.conf /etc/clamd.conf /etc/clamd.d/*.conf", kind="read", mask="clamav"),
    "freshclam": Command("/etc/clamav/freshclam.conf /etc/freshclam.conf", kind="read", mask="clamav"),
    "defender": Command(MDATP, kind="read", mask="defender"),
    "programs": programs.question(("clamd", "clamonacc", "freshclam", "wdavdaemon")),
    "started": Command(
        f"{units.ROOTS[0]}/service.d/*.conf {units.ROOTS[1]}/service.d/*.conf "
        + " ".join(
            f"{root}/{u}.service {root}/{u}.service.d/*.conf"
            for root in units.ROOTS[:2]
            for u in ("clam*", "freshclam", "mdatp")
        ),
        kind="read",
        mask="started",
    ),
}
_HARMLESS = re.compile(
    r"-[Fzvwd]|--(?:foreground(?:=(?:true|yes))?|fdpass|allmatch|verbose|wait|stream|remove|daemon|(?:log|move|copy|ping)=\S+)"
)
_STARTS = re.compile(r"[ \t]*(\w+)[ \t]*=[ \t]*[-@:+!]*(.*?)[ \t]*")
Truth = bool | Unknown
Placed = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Product:
    """As it is set up. `exclusions`: each with its place; `more`: why there may be others."""

    name: str
    real_time: Truth
    updates: Truth
    exclusions: tuple[Placed, ...]
    more: Unknown | None
    where: tuple[str, ...]


def read(answers: Mapping[str, Answer]) -> tuple[list[Product], Unknown | None]:
    """The products of which the tree has settings; why these may not be all, or not be theirs."""
    found = {name: files.read(answers[name]) for name in QUESTIONS}
    running = _Running(units.read(answers["units"]), found["started"].texts)
    products = [*_clamav(found["clamd"].texts, found["freshclam"].texts, running)]
    products += [_defender(text, running) for text in found["defender"].texts.values()]
    other = programs.stood_in_for(found["programs"], ("clamd", "clamonacc", "freshclam", "wdavdaemon"))
    return products, worst(
        [running.units.gap, other, *((units.gap_of if name == "started" else _gap)(f) for name, f in found.items())]
    )


def _gap(found: files.Files) -> Unknown | None:
    return found.gap


def _every(truths: Iterable[Truth]) -> Truth:
    told = list(truths)
    return False if any(t is False for t in told) else next((t for t in told if isinstance(t, Unknown)), True)


def _alike(truths: Sequence[Truth], lacking: str) -> Truth:
    """What each of several files says that may be the one that is read."""
    if not truths:
        return Unknown("not_observable", lacking)
    return truths[0] if all(t == truths[0] for t in truths) else Unknown("not_observable", "which file is read")


# ---------------------------------------------------------------- what starts it


@dataclass(frozen=True, slots=True)
class _Running:
    """`texts`: of what an administrator has the units start with, in /etc."""

    units: Units
    texts: Mapping[str, str]

    def runs(self, *names: str) -> Truth:
        """Of units of several names, which are those of different packages, one that is masked is the one that is meant."""
        run = self.units.runs(*names)
        masked = any({n, units.template(n)} & self.units.masked.keys() for n in names)
        if run is not True and masked:
            return False
        return self.otherwise(*names) or run

    def otherwise(self, *names: str) -> Unknown | None:
        """Why what is started may not be what its settings are of."""
        return next((why for why, _ in self._said(names) if why), None)

    def left_out(self, *names: str) -> list[Placed]:
        return [option for _, option in self._said(names) if option]

    def _said(self, names: Sequence[str]) -> Iterator[tuple[Unknown | None, Placed | None]]:
        commands: list[Placed] = []
        for line, place in self._lines(names):
            found = _STARTS.fullmatch(line)
            if not found or line.endswith("\\"):
                yield Unknown("not_told", place), None
            elif found[1] != "ExecStart":
                yield Unknown("not_observable", f"{found[1]} of {place}"), None
            else:
                commands = [*commands, (found[2], place)] if found[2] else []
        for command, place in commands:
            yield from _options(command, place)

    def _lines(self, names: Sequence[str]) -> Iterator[Placed]:
        own = {f"{n}.service" for name in names for n in (name, units.template(name))}
        own |= {
            f"{unit}.d" for name in names for unit in dropped_in([f"{name}.service", f"{units.template(name)}.service"])
        }
        for path, text in self.texts.items():
            if own & set(path.split("/")[-2:]):
                yield from ((line, f"{path}:{n}") for n, line in enumerate(text.split("\n"), 1) if line)


def _options(command: str, place: str) -> Iterator[tuple[Unknown | None, Placed | None]]:
    program, *words = command.split()
    if program.rpartition("/")[2] not in ("clamonacc", "clamd", "freshclam", "wdavdaemon"):
        yield Unknown("not_told", f"{place} starts another program"), None
    for word in words:
        if word.startswith("--exclude-list="):
            yield None, (f"what {word.partition('=')[2]} lists", place)
        elif not _HARMLESS.fullmatch(word):
            yield Unknown("not_told", f"{place} has it read other settings"), None


# ---------------------------------------------------------------- ClamAV


def _clamav(clamd: Mapping[str, str], freshclam: Mapping[str, str], running: _Running) -> Iterator[Product]:
    scans = [clamav.read(path, text) for path, text in clamd.items()]
    learns = [clamav.read(path, text) for path, text in freshclam.items()]
    if not scans and not learns:
        return
    watches = _every(
        [_alike([_watches(one) for one in scans], "clamd.conf"), running.runs(*WATCH), running.runs(*SCAN)]
    )
    updates = _every([_alike([_updates(one) for one in learns], "freshclam.conf"), running.runs(*LEARN)])
    odd = next((one.odd for one in scans if one.odd), "")
    more = Unknown("unreadable", odd) if odd else None if scans else Unknown("not_observable", "clamd.conf")
    left_out = [e for one in scans for e in clamav.exclusions(one)] + running.left_out(*WATCH)
    yield Product(
        "ClamAV",
        watches,
        updates,
        tuple(dict.fromkeys(left_out)),
        more or running.otherwise(*WATCH),
        _where(
            [*clamd, *freshclam],
            [*scans, *learns],
            tuple(p for names in (WATCH, SCAN, LEARN) for p in running.units.place(*names)),
        ),
    )


def _where(paths: list[str], settings: list[Settings], links: tuple[str, ...]) -> tuple[str, ...]:
    lines = [
        p
        for one in settings
        for p in one.places("Example", "OnAccessPrevention", "OnAccessIncludePath", "OnAccessMountPath", "Checks")
    ]
    return tuple(
        dict.fromkeys([*lines, *(p for p in paths if not any(line.startswith(p + ":") for line in lines)), *links])
    )[:6]


def _watches(settings: Settings) -> Truth:
    """Without a path clamonacc watches nothing, and without prevention it only says what it has seen."""
    prevents = settings.first("OnAccessPrevention").lower()
    watched = settings.all("OnAccessIncludePath", "OnAccessMountPath")
    if "Example" in settings.said or prevents in NO or not (settings.odd or (prevents and watched)):
        return False
    if settings.odd or prevents not in YES:
        return Unknown("unreadable", settings.odd or settings.places("OnAccessPrevention")[0])
    return True


def _updates(settings: Settings) -> Truth:
    """Twelve times a day, unless said otherwise."""
    checks = settings.first("Checks") or "12"
    left_out = [value.lower() for value, _ in settings.all("ExcludeDatabase")]
    if "Example" in settings.said or checks.strip("0") == "" or {"daily", "main"} & set(left_out):
        return False
    if settings.odd or not re.fullmatch("[0-9]{1,4}", checks):
        return Unknown("unreadable", settings.odd or settings.places("Checks")[0])
    mirrored = settings.all("DatabaseMirror", "PrivateMirror", "DatabaseCustomURL")
    return True if mirrored else Unknown("not_observable", "DatabaseMirror")


# ---------------------------------------------------------------- Defender


def _defender(text: str, running: _Running) -> Product:
    told = defender.read(text)
    run = running.runs("mdatp")
    if told is None:
        unread = Unknown("unreadable", MDATP)
        return Product("Microsoft Defender", unread, unread, (), unread, (MDATP,))
    untold = Unknown("not_observable", "what it is set to where its file says nothing")
    levels: Mapping[str | None, Truth] = {"real_time": True, "on_demand": False, "passive": False, None: untold}
    watches = levels.get(told.level, Unknown("unreadable", f"{MDATP}: {str(told.level)[:40]}"))
    left_out = tuple((e, next(iter(naming({MDATP: text}, e)), MDATP)) for e in told.exclusions)
    where = (*naming({MDATP: text}, "enforcementLevel"), *naming({MDATP: text}, "automaticDefinitionUpdateEnabled"))
    return Product(
        "Microsoft Defender",
        _every([watches, run]),
        _every([untold if told.updates is None else told.updates, run]),
        left_out,
        None,
        (*(where or (MDATP,)), *running.units.place("mdatp")),
    )
