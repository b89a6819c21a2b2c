"""What `sshd -T` and the processes of a host tell in; effective settings per context, and whom they bar, out. Pure."""

from auditor.readers.sshd.answer import Asked, Context, Keys, read, settled
from auditor.readers.sshd.lists import barred, by_source, glob, within
from auditor.readers.sshd.question import EFFECTIVE
from auditor.readers.sshd.settings import Settings, alternatives, first

__all__ = [
    "EFFECTIVE",
    "Asked",
    "Context",
    "Keys",
    "Settings",
    "alternatives",
    "barred",
    "by_source",
    "first",
    "glob",
    "read",
    "settled",
    "within",
]
