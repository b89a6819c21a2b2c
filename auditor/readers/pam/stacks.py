"""The texts of /etc/pam.d in, the `auth` stack of a service out, flattened. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.model import Unknown
from auditor.readers.pam.texts import DIRECTORIES, Texts, service_text

DEPTH = 16
_LINE = re.compile(r"^(-?)(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$")
_OF_SYSTEM = re.compile(r"/+(?:usr/+)?lib(?:64|32)?/+(?:[^/.][^/]*/+)?security/*|(?:/nix/store|/gnu/store)/[^.].*")

_WORDS = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One module of a flattened stack. `level` counts the substacks around it; a substack's own mark has no module."""

    level: int
    actions: Mapping[str, str]
    module: str
    options: tuple[str, ...] = ()
    may_be_missing: bool = False


def stack(texts: Texts, service: str) -> tuple[Entry, ...] | Unknown:
    """The flattened `auth` stack of a service; `other` stands for a service without a file, as in libpam."""
    name = service if service_text(texts, service) is not None else "other"
    if service_text(texts, name) is None:
        return Unknown("not_told", f"no PAM file for {service}")
    try:
        return tuple(_flat(texts, name, 0, 0))
    except _Incomplete as why:
        return why.unknown


class _Incomplete(ValueError):
    """A stack that cannot be walked to its end."""

    def __init__(self, cause: str, detail: str) -> None:
        self.unknown = Unknown(cause, detail)
        super().__init__(detail)


def _flat(texts: Texts, name: str, level: int, depth: int) -> Iterator[Entry]:
    name = name.rpartition("/")[2] if name.startswith(DIRECTORIES) else name
    text = service_text(texts, name)
    if text is None:
        raise _Incomplete("not_told", f"PAM file {name} not seen")
    if depth > DEPTH:
        raise _Incomplete("unreadable", f"PAM files include each other: {name}")
    for line in _lines(text):
        yield from _entries(texts, line, level, depth)


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.partition("#")[0].strip()
        if line:
            yield line


def _entries(texts: Texts, line: str, level: int, depth: int) -> Iterator[Entry]:
    if line.startswith("@include"):
        name = line.split(None, 1)[1].strip() if " " in line or "\t" in line else "?"
        yield from _flat(texts, name, level, depth + 1)
        return
    match = _LINE.match(line)
    if not match:
        raise _Incomplete("unreadable", f"PAM line: {line[:80]}")
    dash, kind, control, module, options = match.groups()
    if kind.lower() != "auth":
        return
    if control.lower() == "include":
        yield from _flat(texts, module, level, depth + 1)
    elif control.lower() == "substack":
        yield Entry(level, {}, "")
        yield from _flat(texts, module, level + 1, depth + 1)
    else:
        yield Entry(level, _actions(control), _named(module), tuple(options.split()), bool(dash))


def _named(module: str) -> str:
    """One that lies elsewhere than those of the system is another, whatever it is called."""
    folder, _, name = module.rpartition("/")
    return module if folder and not _OF_SYSTEM.fullmatch(folder) else name.removesuffix(".so")


def _actions(control: str) -> Mapping[str, str]:
    if control.startswith("["):
        pairs = re.sub(r"\s*=\s*", "=", control.strip("[] ")).split()
        return {"default": "bad", **{k.lower(): v.lower() for k, _, v in (p.partition("=") for p in pairs)}}
    if control.lower() not in _WORDS:
        raise _Incomplete("unreadable", f"PAM control {control[:40]}")
    return _WORDS[control.lower()]
