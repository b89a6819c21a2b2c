"""What a file of a tree includes, and what of the tree is read, in; why an inclusion of which nothing was read is a gap, out. Pure."""

from __future__ import annotations

from auditor.model import Command, Unknown

# What is there while a host runs, and in no tree.
_RUNNING = ("/run/", "/var/run/", "/proc/", "/sys/", "/dev/")


def unseen(question: Command, glob: str) -> Unknown:
    """What was looked for and is not there, is on the host, for all we know; elsewhere in the tree nobody looked."""
    folder, _, name = glob.rpartition("/")
    for asked in question.text.split():
        beside, _, pattern = asked.rpartition("/")
        if asked == glob or (beside == folder and pattern in ("*", name)):
            return Unknown("not_observable", f"what is included: {glob[:100]}")
    on_host = glob.startswith(_RUNNING)
    return Unknown("not_observable" if on_host else "not_asked", f"what is included: {glob[:100]}")
