"""The files of a tree that tell of directories in; what the name service and sssd would make of them out. Pure.

Sources: nsswitch.conf(5), sssd.conf(5). Owners and modes are not those of the host, and are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor.model import Answer, Command, Output, Unknown
from auditor.readers import files, nsswitch, sssd

SWITCH = Command("/etc/nsswitch.conf /usr/etc/nsswitch.conf", kind="read", mask="comments")
SSSD = Command("/etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf", kind="read", mask="sssd", cap_bytes=131072)
SEEN = frozenset({"/etc/sssd"})  # that sssd is not there, no tree shows


def sources(answer: Answer) -> nsswitch.Sources:
    """Raises Unreadable for what nsswitch.read cannot read."""
    found = files.read(answer)
    text = found.texts.get("/etc/nsswitch.conf", found.texts.get("/usr/etc/nsswitch.conf"))
    if found.gap or text is None:
        why = found.gap or Unknown("not_observable", "/etc/nsswitch.conf")
        return nsswitch.Sources(why, why, why, seen=SEEN)
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    told = [f"n:{line}" for line in lines if line.partition(":")[0].strip() in nsswitch.DATABASES]
    read = nsswitch.read(_output([*told, "e:/etc/sssd", "end"]))
    if isinstance(read, Unknown):
        return nsswitch.Sources(read, read, read, seen=SEEN)
    compat = isinstance(read.passwd, tuple) and "compat" in read.passwd
    return _replaced(read, Unknown("not_told", "whether /etc/passwd sends to NIS")) if compat else read


def _replaced(read: nsswitch.Sources, passwd: Unknown) -> nsswitch.Sources:
    return nsswitch.Sources(passwd, read.group, read.sudoers, read.nis, read.seen)


def domains(answer: Answer) -> tuple[sssd.Domain, ...] | Unknown:
    """Raises Unreadable for what sssd.domains cannot read."""
    found = files.read(answer)
    if found.gap or "/etc/sssd/sssd.conf" not in found.texts:
        return found.gap or Unknown("not_observable", "/etc/sssd/sssd.conf")
    return sssd.domains(_output([*_told(found.texts), "end"]))


def _told(texts: Mapping[str, str]) -> Iterator[str]:
    """In the words of sssd.CONFIG: no drop-in is left out for its mode, which is not that of the host."""
    yield from (f"m:0 0 600 {path}" for path in texts)
    for path, text in texts.items():
        yield f"f:{path}"
        for line in filter(None, (one.strip() for one in text.splitlines())):
            if line == "odd":
                yield line
            else:
                yield f"s:{line[1:].partition(']')[0]}" if line.startswith("[") else f"k:{line}"


def _output(lines: list[str]) -> Output:
    return Output(0, "\n".join(lines).encode("utf-8", "surrogatepass"), b"", 0.0)
