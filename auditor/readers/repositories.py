"""What the questions of the probe `backups` print in; backup tools, repositories and their places out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from auditor.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Here:
    """The host itself: its name, its addresses in canonical form, the backup tools seen on it."""

    name: str
    addresses: tuple[str, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the host told it. `listing` is None when it was not listed; `said` is then why, in one word.

    `mount` and `device` are the kind and the source of the file system that holds a local one.
    """

    tool: str
    source: str = ""
    repository: str = "..."
    kind: str = "odd"
    host: str = ""
    alias: str = ""
    resolved: tuple[str, ...] = ()
    mount: str = ""
    device: str = ""
    transports: tuple[str, ...] = ()
    said: str = ""
    listing: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """All that was told. `untrusted`, `jobs`: files not followed; `used`: tools with traces of use by root."""

    repositories: tuple[Repository, ...] = ()
    untrusted: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    complete: bool = False


def here(text: str) -> Here:
    """Raises Unreadable when the answer does not name the host or stops before its end."""
    lines = text.splitlines()
    name = next(iter(_all(lines, "name")), "").strip()
    if not name or "end" not in lines:
        raise Unreadable("the host's name and tools were not told to the end")
    addresses = [a for told in _all(lines, "address") for a in canonical(told)]
    return Here(name, tuple(dict.fromkeys(addresses)), tuple(_all(lines, "tool")))


def read(text: str) -> Told:
    lines = text.splitlines()
    return Told(
        tuple(_repository(block) for block in _blocks(lines)),
        tuple(dict.fromkeys(_all(lines, "untrusted"))),
        tuple(dict.fromkeys(_all(lines, "job"))),
        tuple(dict.fromkeys(_all(lines, "used"))),
        bool(lines) and lines[-1] == "end",
    )


@lru_cache(maxsize=4096)
def canonical(text: str) -> tuple[str, ...]:
    """An address in its one canonical form; nothing when the text is no address."""
    try:
        return (str(ip_address(text.partition("%")[0])),)
    except ValueError:
        return ()


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.startswith("@ "):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block


def _repository(block: Sequence[str]) -> Repository:
    mount, _, device = _last(block, "mount").partition(" ")
    listed = _all(block, "json") if _last(block, "exit") == "0" else []
    return Repository(
        tool=block[0].removeprefix("@ "),
        source=_last(block, "source"),
        repository=_last(block, "repository") or "...",
        kind=_last(block, "kind"),
        host=_last(block, "host"),
        alias=_last(block, "alias"),
        resolved=tuple(_all(block, "resolved")),
        mount=mount,
        device=device,
        transports=tuple(_all(block, "transport")),
        said=_last(block, "said"),
        listing=listed[0] if listed else None,
    )


def _all(lines: Sequence[str], name: str) -> list[str]:
    return [line[len(name) + 1 :] for line in lines if line.startswith(name + " ")]


def _last(lines: Sequence[str], name: str) -> str:
    return next(reversed(_all(lines, name)), "")


__all__ = ["Here", "Repository", "Told", "canonical", "here", "read"]
