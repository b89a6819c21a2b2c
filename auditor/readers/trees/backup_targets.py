"""Where a backup is written to go, and the files of a tree that say what that stands for, in; whether it leaves the site, out. Pure.

Sources: ssh_config(5), hosts(5), fstab(5).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

from auditor.model import Unknown
from auditor.readers import offsite, repositories
from auditor.readers.files import Files

Found = Mapping[str, Files]  # by question
_OVER_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "sshfs")
_ON_DISK = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "exfat", "f2fs", "tmpfs")
_ITSELF = Unknown("not_observable", "where the repository is")


def off_site(repository: str, found: Found, declared: offsite.Declared | None) -> bool | Unknown:
    """Whether a repository is written to be on a declared off-site host: by its name or address, where both have one that."""
    kind, _, rest = repository.partition("|")
    at = rest.partition("|")[0]
    if kind == "local":
        return _mounted(at, found, declared)
    if kind in ("ssh", "url", "service") and at:
        name = _alias(at, found["ssh_names"].texts) if kind == "ssh" else at
        return _holds(name, found, declared)
    return _ITSELF


def _holds(name: str | Unknown, found: Found, declared: offsite.Declared | None) -> bool | Unknown:
    if isinstance(name, Unknown):
        return name
    hosts = found["names"].texts.get("/etc/hosts", "")
    rows = [row for line in hosts.split("\n") if (row := line.partition("#")[0].split())]
    given = [
        a for row in rows if offsite.plain(name) in map(offsite.plain, row[1:]) for a in repositories.canonical(row[0])
    ]
    return offsite.holds(name, tuple(given or repositories.canonical(name)), declared)


def _alias(name: str, texts: Mapping[str, str]) -> str | Unknown:
    """What ssh is told to connect to in the place of a name; the first that is said counts."""
    meant = True
    for text in texts.values():
        for line in text.split("\n"):
            words = line.replace("=", " ").split()
            word = words[0].lower() if words else ""
            if word == "host":
                meant = any(fnmatch.fnmatchcase(name, p) for p in words[1:] if not p.startswith("!"))
                meant = meant and not any(fnmatch.fnmatchcase(name, p[1:]) for p in words[1:] if p.startswith("!"))
            elif word == "match" or (word == "include" and "ssh_config.d/" not in line):
                return Unknown("not_observable", f"what ssh makes of {name}")
            elif meant and word in ("hostname", "proxycommand"):
                return (
                    words[1]
                    if word == "hostname" and len(words) > 1 and "%" not in line
                    else Unknown("not_observable", name)
                )
        meant = True
    return name


def _mounted(path: str, found: Found, declared: offsite.Declared | None) -> bool | Unknown:
    """On which file system a path is, as far as fstab tells."""
    rows = [line.split() for line in found["mounts"].texts.get("/etc/fstab", "").split("\n")]
    over = [row for row in rows if len(row) == 3 and (path + "/").startswith(row[1].rstrip("/") + "/")]
    if not over or ".." in path.split("/"):
        return Unknown("not_observable", f"what is mounted at {path}")
    device, _, kind = max(over, key=lambda row: len(row[1].rstrip("/")))
    if kind in _ON_DISK:
        return False
    if kind not in _OVER_NETWORK:
        return Unknown("not_observable", f"what is mounted at {path}")
    host = device.lstrip("/").partition("/")[0] if device.startswith("//") else device.partition(":")[0]
    return _holds(host.strip("[]"), found, declared)
