"""The configuration of a network device, its secrets gone, in; its settings, each with its section and line, out. Pure.

Sources: Cisco IOS Configuration Fundamentals (indented subcommands, `end` as the last line); FortiOS CLI Reference
(`config ... edit ... set ... next ... end`). Both show only what differs from the defaults of their release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model import Answer, Command, Unknown
from auditor.readers import files

CUT = Unknown("truncated", "the configuration does not end")


@dataclass(frozen=True, slots=True)
class Setting:
    """`section`: the lines above it, outermost first; `words` of the line itself; `place` in the tree."""

    section: tuple[str, ...]
    words: tuple[str, ...]
    place: str

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Device:
    """`sections` with their places, also the empty ones. `gap`: why there may be more; `missing`: nothing was told."""

    settings: tuple[Setting, ...] = ()
    sections: tuple[tuple[tuple[str, ...], str], ...] = ()
    gap: Unknown | None = None
    missing: Unknown | None = None

    def of(self, *section: str) -> Iterator[Setting]:
        """The settings right under the sections whose path ends so."""
        return (s for s in self.settings if s.section[-len(section) :] == section) if section else iter(self.settings)


def question(mask: str) -> Command:
    """The device's file; in a folder, those that its backups are named by."""
    return Command("/running-config /startup-config /*.cfg /*.conf", kind="read", mask=mask, cap_bytes=8388608)


def _text(answer: Answer) -> tuple[str, str] | Unknown:
    found = files.read(answer)
    if found.gap or len(found.texts) != 1:
        return found.gap or Unknown("unreadable", f"{len(found.texts)} files of a device, where one is read")
    (name, text), *_ = found.texts.items()
    return name, text


def cisco_ios(answer: Answer) -> Device:
    """Without its last line, `end`, a configuration was cut."""
    told = _text(answer)
    if isinstance(told, Unknown):
        return Device(missing=told)
    name, text = told
    settings: list[Setting] = []
    sections: list[tuple[tuple[str, ...], str]] = []
    section = last = ""
    for number, line in enumerate(text.split("\n"), 1):
        words = tuple(line.split())
        if not words:
            continue
        last = line.strip()
        place = f"{name}:{number}"
        if not line.startswith(" "):
            section = last
            sections.append(((section,), place))
            settings.append(Setting((), words, place))
        else:
            settings.append(Setting((section,), words, place))
    return Device(tuple(settings), tuple(sections), None if last == "end" else CUT)


def fortios(answer: Answer) -> Device:
    """A section that is not closed was cut; so was a file without those of `router`, which stand at its end."""
    told = _text(answer)
    if isinstance(told, Unknown):
        return Device(missing=told)
    name, text = told
    settings: list[Setting] = []
    sections: list[tuple[tuple[str, ...], str]] = []
    path: list[str] = []
    odd = False
    for number, line in enumerate(text.split("\n"), 1):
        word, _, rest = line.strip().partition(" ")
        place = f"{name}:{number}"
        if word in ("config", "edit"):
            path.append(f"{word} {rest.replace(chr(34), '')}")
            sections.append((tuple(path), place))
        elif word in ("next", "end"):
            wanted = "edit " if word == "next" else "config "
            if word == "end" and path and path[-1].startswith("edit "):
                path.pop()  # `end` also closes the edit that it stands in
            odd = odd or not (path and path[-1].startswith(wanted))
            path = path[:-1]
        elif word in ("set", "unset") and path:
            settings.append(Setting(tuple(path), (word, *rest.replace('"', "").split()), place))
    whole = not path and not odd and any(s[0].startswith("config router ") for s, _ in sections)
    return Device(tuple(settings), tuple(sections), None if whole else CUT)


def ports(words: str) -> Iterator[int]:
    """`1,10-12`: at most 4094 numbers."""
    for part in words.split(","):
        first, _, last = part.partition("-")
        if all(w.isascii() and w.isdigit() and len(w) <= 4 for w in (first, last or first)):
            yield from range(int(first), min(int(last or first), 4094) + 1)
