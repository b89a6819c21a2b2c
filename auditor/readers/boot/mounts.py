"""fstab and the units of mounts in; the folders that they hide, out. Pure.

Sources: fstab(5), systemd.mount(5), systemd-fstab-generator(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers import systemd_conf
from auditor.readers.boot.change import Change, known, normal, numbered

_ON_DISK = frozenset(
    ["auto", "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "reiserfs", "ubifs", "vfat", "xfs", "zfs"]
)
_DEVICE = re.compile(r"(?:UUID|LABEL|PARTUUID|PARTLABEL|ID)=.*|/dev/.*|[^/].*", re.DOTALL)
# Where a disk of its own holds what the tree has there, as systems are installed.
_SPLIT = re.compile(r"/(?:usr|usr/local|opt|root|(?:var|home|srv|boot|efi|mnt|media)(?:/.*)?)?", re.DOTALL)
_NEVER_KEPT = re.compile(r"/(?:dev|proc|sys|run|tmp|var/run|var/tmp|var/lock)(?:/.*)?", re.DOTALL)
_SAME = frozenset({"bind", "rbind", "move", "loop"})
_HEX = re.compile(r"\\x([0-9a-f]{2})")


def of_fstab(path: str, text: str) -> Iterator[Change]:
    for number, line in numbered(text):
        words = [_unescaped(word) for word in re.split(r"[ \t]+", line)]
        if len(words) > 2 and words[1].startswith("/"):
            options = words[3] if len(words) > 3 else ""
            if "noauto" not in options.split(",") or "x-systemd." in options:
                yield from _hidden(words[0], words[1], words[2], options, f"{path}:{number}")


def of_unit(path: str, text: str) -> Iterator[Change]:
    """A unit of mounts, by its name where it does not say where to. One that is empty is masked."""
    said = dict(systemd_conf.said([text], "Mount"))
    where = said.get("Where") or _named(path)
    if said and where.startswith("/"):
        yield from _hidden(said.get("What", ""), where, said.get("Type", "auto"), said.get("Options", ""), path)


def _hidden(device: str, where: str, kind: str, options: str, place: str) -> Iterator[Change]:
    where = known(where, "%|\\$") if "%" in where else normal(where)
    own = kind in _ON_DISK and bool(_DEVICE.fullmatch(device)) and not _SAME.intersection(options.split(","))
    if not (_NEVER_KEPT.fullmatch(where) or (own and _SPLIT.fullmatch(where))):
        yield Change(where, f"what is mounted there by {place} hides it", below=True)


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8) % 256), word)


def _named(path: str) -> str:
    name = path.rpartition("/")[2].removesuffix(".mount").replace("-", "/")
    return "/" + _HEX.sub(lambda found: chr(int(found[1], 16)), name)
