"""An estate and what was typed of its hosts in; the hosts that are meant out, or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from auditor.errors import InvalidInput
from auditor.model import Estate, Host
from auditor.plan import limited, unmatched


def named(town: Estate, names: Sequence[str]) -> tuple[Host, ...]:
    """The hosts of these names, or that had them first."""
    wanted = set(names)
    return tuple(h for h in town.hosts if h.id in wanted or h.was in wanted)


def selected(town: Estate, limit: str | None) -> tuple[Host, ...]:
    """The hosts that `--limit` names, all without one. An empty one, of a variable that is not set, stands for nobody."""
    if limit is None:
        return town.hosts
    if not limit.strip(" ,:"):
        raise InvalidInput("--limit: it names no host; leave it out for all of them")
    limit = with_files(limit)
    nothing = unmatched(town, limit)
    if nothing:
        raise InvalidInput(f"--limit: no host, group or role is named {', '.join(nothing)} (auditor list hosts)")
    chosen = limited(town, limit)
    if not chosen:
        raise InvalidInput(f"--limit: {limit.rstrip(',')} leaves no host")
    return chosen


def with_files(limit: str, place: Callable[[str], str] = str) -> str:
    """`@FILE` stands for the patterns in it, one a line; blank lines and comments (#) are passed over. `place`: where it is."""
    if not files_of(limit):
        return limit
    parts: list[str] = []
    for part in _parts(limit):
        parts.extend(_patterns(part.strip()[1:], place) if part.strip().startswith("@") else [part])
    return ",".join([*parts, ""])


def files_of(limit: str) -> tuple[str, ...]:
    return tuple(part.strip()[1:] for part in _parts(limit) if part.strip().startswith("@"))


def _parts(limit: str) -> list[str]:
    return limit.split("," if "," in limit else ":")


def _patterns(name: str, place: Callable[[str], str]) -> list[str]:
    try:
        lines = Path(place(name)).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"--limit: {name} cannot be read: {getattr(error, 'strerror', 'not UTF-8 text')}") from None
    patterns = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not patterns:
        raise InvalidInput(f"--limit: {name} names no host")
    return patterns
