"""`HOST=PATH` of the command line in; the estate whose hosts files stand for out. Reads only what the files are."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from dataclasses import replace

from auditor.errors import InvalidInput
from auditor.kinds import TREE
from auditor.model import UNNAMED, Estate, Host

SNIFFED = 65536  # bytes of a device's file
MOST_ENTRIES = 100_000  # looked at before a tree counts as one


def standing_in(town: Estate, given: Iterable[str], work: str) -> Estate:
    """Each host that is named, of the estate or, where there is none, made up, with the files in its place."""
    named = [one.partition("=") for one in given]
    wrong = [name + equals + path for name, equals, path in named if not (name and equals and path)]
    if wrong:
        raise InvalidInput(f"--tree: '{wrong[0]}' is not HOST=PATH")
    paths = {name: path for name, _, path in named}
    if len(paths) != len(named):
        raise InvalidInput("--tree: a host is named twice")
    if not town.declared:
        return replace(town, hosts=tuple(_made_up(name, path, work) for name, path in paths.items()))
    unknown = [name for name in paths if town.host(name) is None]
    if unknown:
        raise InvalidInput(f"--tree: no host of the estate is named {', '.join(unknown)} (auditor list hosts)")
    hosts = (_stood_for(h, paths[h.id]) if h.id in paths else h for h in town.hosts)
    return replace(town, hosts=tuple(hosts))


def owed(town: Estate, chosen: Iterable[Host], platforms: Collection[str]) -> Estate:
    """With those that are chosen, of which files could tell and none are given, as hosts of which nothing is asked.

    Raises InvalidInput for files of a host that is not chosen.
    """
    wanted = {h.id for h in chosen}
    beside = [h.id for h in town.hosts if h.tree and h.id not in wanted]
    if beside:
        raise InvalidInput(f"--tree: {', '.join(beside)}: --limit leaves it out")
    could = {h.id for h in town.hosts if h.connection != "none" and h.platform in platforms}
    hosts = (_stood_for(h, "") if h.id in wanted & could and not h.tree else h for h in town.hosts)
    return replace(town, hosts=tuple(hosts))


def _stood_for(host: Host, path: str) -> Host:
    """Nobody is connected to: an authorisation, quiet hours and limits are about the host, not about its files."""
    return replace(host, connection=TREE, tree=path, barred="", quiet_hours_s=None, at_once=(), availability="always")


def _made_up(name: str, path: str, work: str) -> Host:
    return Host(name, name, connection=TREE, tree=path, platform=_platform(os.path.join(work, path)), perimeter=UNNAMED)


def _platform(path: str) -> str:
    """Of a folder, linux; of a device's file, what its first lines say."""
    if not os.path.isfile(path):
        return "linux"
    with open(path, "rb") as file:
        text = file.read(SNIFFED)
    if text.lstrip().startswith((b"#config-version=", b"config system global")):
        return "fortios"
    if b"\nversion 1" in b"\n" + text and b"\nhostname " in b"\n" + text:
        return "cisco_ios"
    raise InvalidInput(f"--tree: {path}: what device this is does not show; give an inventory with auditor_platform")


def check(hosts: Iterable[Host], work: str) -> None:
    """Raises InvalidInput for a tree that is not there, or holds no file at all."""
    for host in hosts:
        if host.connection != TREE or not host.tree:
            continue
        path = os.path.join(work, host.tree)
        try:
            mode = os.stat(path).st_mode
            empty = not (_holds_a_file(path) if stat.S_ISDIR(mode) else os.path.getsize(path))
        except OSError as error:
            raise InvalidInput(f"{host.id}: the tree {host.tree} cannot be read: {error.strerror}") from None
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise InvalidInput(f"{host.id}: the tree {host.tree} is neither a folder nor a file")
        if empty:
            raise InvalidInput(f"{host.id}: the tree {host.tree} is empty")


def _holds_a_file(folder: str) -> bool:
    return any(names or seen > MOST_ENTRIES for seen, (_, _, names) in enumerate(os.walk(folder)))
