"""A repository as a host told it in; which host stores it, and whether that is this host itself, out. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from auditor.model import Fact, Unknown
from auditor.readers import repositories
from auditor.readers.repositories import Here, Repository

_ON_DISK = frozenset(
    [
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "jfs",
        "reiserfs",
        "bcachefs",
        "vfat",
        "exfat",
        "ntfs",
        "ntfs3",
        "fuseblk",
        "overlay",
        "tmpfs",
        "ramfs",
    ]
)
_OVER_NETWORK = frozenset(["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs"])
LED = "?"  # in the place of an alias: a program of the host's own makes the connection
_SAN = frozenset({"iscsi", "fc", "fcoe", "nvme-tcp", "rdma"})
_NETWORK_DEVICES = ("/dev/nbd", "/dev/rbd", "/dev/drbd")


def place_of(one: Repository, here: Here) -> tuple[Fact, Fact]:
    """Whether it is on this host, and the name of the host that stores it (None: this one)."""
    if one.kind == "local" and one.mount not in _OVER_NETWORK:
        return _on_block_device(one)
    if one.kind == "service":
        return False, one.host or Unknown("not_told", one.repository)
    if one.kind not in ("local", "ssh", "url") or not one.host or one.alias == LED:
        unseen = Unknown("not_told", f"where {one.repository} is")
        return unseen, unseen
    return _elsewhere(one, here)


def _on_block_device(one: Repository) -> tuple[Fact, Fact]:
    if one.mount not in _ON_DISK or one.device.startswith(_NETWORK_DEVICES):
        unseen = Unknown("not_told", f"where its file system is: {one.mount or 'not told'} {one.device}".strip())
        return unseen, unseen
    if _SAN & set(one.transports):
        return False, Unknown("not_told", "a disk over " + " ".join(one.transports))
    return True, None


def _elsewhere(one: Repository, here: Here) -> tuple[Fact, Fact]:
    name = one.alias or one.host
    addresses = addresses_of(one)
    if not addresses or not here.addresses:
        return Unknown("not_told", f"the addresses of {name}"), name
    if any(ip_address(a).is_loopback for a in addresses):
        unseen = Unknown("not_told", f"{name} is a loopback address: this host or a tunnel")
        return unseen, unseen
    if set(addresses) & set(here.addresses):
        return True, None
    return False, name


def addresses_of(one: Repository) -> tuple[str, ...]:
    """The addresses of the host that stores it, in their one canonical form; what is no address is left out."""
    if one.alias == LED:
        return ()
    told = one.resolved or ((one.alias or one.host,) if one.host else ())
    return tuple(dict.fromkeys(a for text in told for a in repositories.canonical(text)))
