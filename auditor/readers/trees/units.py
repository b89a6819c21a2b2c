"""The unit files and links of systemd in a tree in; which units the files have run out. Pure.

Source: systemd.unit(5): a link in `TARGET.wants` has a unit started with the target, one to /dev/null has it never started.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import files
from auditor.readers.files import LINKS

ROOTS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
# What systemd looks at before the folders of packages, and mostly before that of administrators (systemd.unit(5)).
BEFORE = (
    "/etc/systemd/system.control",
    "/etc/systemd/system.attached",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/system",
)
UNITS = Command(
    " ".join(
        [
            *(f"{root}/*.service {root}/*.target.wants/*.service {root}/*.target.requires/*.service" for root in ROOTS),
            f"{ROOTS[0]}/*.target {ROOTS[1]}/*.target",
            *(f"{root}/default.target" for root in ROOTS[1:]),
            *(f"{root}/*" for root in BEFORE),
        ]
    ),
    kind="read",
    mask=LINKS,
    cap_bytes=524288,
)
# The targets that a start of the system comes to.
REACHED = frozenset({"multi-user", "graphical", "default", "basic", "sysinit", "local-fs", "network", "network-online"})
_MULTI_USER = re.compile(r"multi-user|graphical|runlevel[2-5]")
_EARLY = frozenset({"sysinit", "local-fs"})  # started for a rescue too
_WANTED = re.compile(r"(.*)/([^/]+)\.target\.(?:wants|requires)/([^/]+)\.service")
_NOWHERE = re.compile(r"/+dev/null|(?:\.\./){3,}dev/null")  # from any of the folders the root is three or four above
_UNIT = re.compile(r"(.*)/([^/]+)\.service")


@dataclass(frozen=True, slots=True)
class Units:
    """`starts`: the link that has a unit started, by its name; `masked`: the link that keeps it from it.

    `there`: the names of all units; `whole`: the tree holds systemd's own, and so those of its packages. `gap`: why these may not be all.
    `reached`: the targets that a start comes to, as the default one and masks have it; `untold`: those to which it may come, and why.
    """

    starts: Mapping[str, str] = field(default_factory=dict)
    masked: Mapping[str, str] = field(default_factory=dict)
    there: frozenset[str] = frozenset()
    whole: bool = False
    gap: Unknown | None = None
    reached: frozenset[str] = REACHED
    untold: Mapping[str, Unknown] = field(default_factory=dict)

    def reaches(self, target: str) -> bool | Unknown:
        """Whether a start of the system comes to a target."""
        return True if target in self.reached else self.untold.get(target, False)

    def runs(self, *names: str) -> bool | Unknown:
        """Whether one of these units is started; what only looks so, or is there without a link, only the host can tell."""
        if any(name in self.starts for name in names):
            return True
        if all({name, template(name)} & self.masked.keys() for name in names):
            return False
        return self.gap or Unknown("not_observable", f"whether {names[0]} runs")

    def place(self, *names: str) -> tuple[str, ...]:
        """The link that tells of one of these units."""
        return next(((told[n],) for told in (self.starts, self.masked) for n in names if n in told), ())


def read(answer: Answer) -> Units:
    found = files.read(answer)
    masked = dict(_masked(found.texts))
    reached, untold = _reached(found.texts)
    starts: dict[str, str] = {}
    refused: set[str] = set()
    for path, target in found.texts.items():
        link = _WANTED.fullmatch(path)
        if link and _NOWHERE.fullmatch(target):
            refused.add(f"{link[2]} {link[3]}")
        elif (
            link
            and link[2] in reached
            and not {link[3], template(link[3])} & masked.keys()
            and f"{link[2]} {link[3]}" not in refused
        ):
            starts.setdefault(link[3], path)
    there = frozenset(unit[2] for path in found.texts if (unit := _UNIT.fullmatch(path)) and unit[2] not in masked)
    whole = any(f"{root}/systemd-journald.service" in found.texts for root in ROOTS[2:])
    gap = found.gap or _changed(found.texts)
    return Units(starts, masked, there, whole and not gap, gap, reached, untold)


def _changed(texts: Mapping[str, str]) -> Unknown | None:
    first = next((path for path in texts if path.startswith(tuple(f"{root}/" for root in BEFORE))), "")
    return Unknown("not_observable", f"what {first} changes") if first else None


def _reached(texts: Mapping[str, str]) -> tuple[frozenset[str], dict[str, Unknown]]:
    """The targets that a start comes to, and those to which it may come."""
    could = REACHED | {"timers", "sockets"}
    changed = _changed(texts)
    if changed:
        return frozenset(), dict.fromkeys(could, changed)
    masked = {
        path.rpartition("/")[2].removesuffix(".target") for path, to in texts.items() if _is_masked_target(path, to)
    }
    could = frozenset() if masked & {"basic", "sysinit"} else could - masked
    path = next((p for root in ROOTS if (p := f"{root}/default.target") in texts), "")
    default = texts[path].rpartition("/")[2].removesuffix(".target") if path else ""
    if masked & {default, "multi-user"} or (path and _NOWHERE.fullmatch(texts[path])):
        return could & _EARLY, {}
    replaced = _replaced(texts, default or "multi-user")
    if replaced:
        return could & _EARLY, dict.fromkeys(could - _EARLY, Unknown("not_told", f"what {replaced} starts"))
    if not path:
        return could - {"graphical"}, {"graphical": Unknown("not_observable", "which target the system starts")}
    if not default or f"{ROOTS[0]}/{default}.target" in texts:
        return could & _EARLY, dict.fromkeys(could - _EARLY, Unknown("not_observable", f"what {path} starts"))
    if not _MULTI_USER.fullmatch(default):
        return could & _EARLY, {}
    return could - (set() if default in ("graphical", "runlevel5") else {"graphical"}), {}


def _replaced(texts: Mapping[str, str], default: str) -> str:
    """A target of systemd's own on the way to the default one, that an administrator has another file of."""
    way = ("sysinit", "basic", "multi-user", *(["graphical"] if default == "graphical" else []))
    found = (f"{root}/{target}.target" for root in ROOTS[:2] for target in way)
    return next((path for path in found if path in texts), "")


def _is_masked_target(path: str, to: str) -> bool:
    return path.startswith(f"{ROOTS[0]}/") and path.endswith(".target") and bool(_NOWHERE.fullmatch(to))


def gap_of(found: files.Files) -> Unknown | None:
    """Why the texts of units may not be all. A link that leads to what a package brings is no fault of the tree."""
    odd = [one for one in found.odd if not one.endswith("(a link that leads to nothing in the tree)")]
    return files.Files({}, found.denied, found.missing, tuple(odd)).gap


def template(name: str) -> str:
    """Of an instance the unit that it is made of; another unit is its own."""
    return name.partition("@")[0] + "@" if "@" in name else name


def _masked(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Units of /etc that are links to /dev/null; the files of packages do not come to count."""
    for path, target in texts.items():
        unit = _UNIT.fullmatch(path)
        if unit and unit[1] == ROOTS[0] and _NOWHERE.fullmatch(target):
            yield unit[2], path
