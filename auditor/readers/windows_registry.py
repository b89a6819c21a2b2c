"""Some values of some keys of a Windows host's registry: a question made of constants, its answer in, values out. Pure.

A key that is not there, and one that the account may not open, are told apart. The numbers of DWORDs come with a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

_ONE = "key"
Wanted = Mapping[str, tuple[str, tuple[str, ...]]]  # a name of ours -> the key below HKLM, the values of it

_TEXT = r"""$t = [ordered]@{}
foreach ($r in @(%s)) {
    $v = [ordered]@{}
    $s = 'absent'
    try {
        $k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($r['key'])
        if ($null -ne $k) {
            $s = 'there'
            foreach ($n in $r['values']) { $v[$n] = $k.GetValue($n, $null, 'DoNotExpandEnvironmentNames') }
        }
    } catch [System.Security.SecurityException] { $s = 'denied' }
    $t[$r['name']] = [ordered]@{ state = $s; values = $v }
}
ConvertTo-Json -InputObject $t -Depth 4 -Compress"""


def question(wanted: Wanted, cap_bytes: int = 16384) -> Command:
    """A question that depends on nothing but what a probe's source says."""
    rows = (f"@{{ name = '{n}'; key = '{key}'; values = @({_quoted(v)}) }}" for n, (key, v) in wanted.items())
    return Command(_TEXT % ",\n        ".join(rows), cap_bytes=cap_bytes)


def one(key: str, *names: str) -> Command:
    """The same of a single key, to be read with `read_one`."""
    return question({_ONE: (key, names)}, cap_bytes=8192)


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


@dataclass(frozen=True, slots=True)
class Key:
    """A key, if it is `there`, and those of its values that were asked for; None: it has no such value."""

    there: bool
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """None when there is no such value; Unknown when the answer says nothing of it."""
        if self.there and name not in self.values:
            return Unknown("unreadable", f"the registry: {name}")
        return self.values.get(name)

    def number(self, name: str) -> int | Unknown | None:
        """A value that is a whole number, or a text of digits; None when there is no such value."""
        value = self.get(name)
        if isinstance(value, Unknown):
            return value
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
            return int(value)
        told = ps_json.number(value, name)
        return told if isinstance(told, Unknown) else int(told)

    def text(self, name: str) -> str:
        """A value that is a text; empty when it is none."""
        value = self.get(name)
        return value.strip()[:300] if isinstance(value, str) else ""


NOT_THERE = Key(False, {})


@dataclass(frozen=True, slots=True)
class Keys:
    """What an answer says of each key that was asked for, or why it says nothing."""

    told: Mapping[str, Key | Unknown]
    untold: Unknown

    def key(self, name: str) -> Key | Unknown:
        return self.told.get(name, self.untold)


def read(answer: Answer) -> Keys:
    untold = Unknown("unreadable", "the registry")
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Keys({}, told)
        return Keys({name: _key(name, row) for name, row in ps_json.table(told).items()}, untold)
    except Unreadable as why:
        return Keys({}, Unknown("unreadable", str(why)))


def read_one(answer: Answer) -> Key | Unknown:
    return read(answer).key(_ONE)


def number(key: Key | Unknown, name: str) -> int | Unknown | None:
    """None when there is no such value."""
    return key if isinstance(key, Unknown) else key.number(name)


def first(name: str, *keys: Key | Unknown) -> int | Unknown | None:
    """A number where several keys may say it: the first that does wins; None where none of them does."""
    for key in keys:
        told = number(key, name)
        if told is not None:
            return told
    return None


def _key(name: str, row: Any) -> Key | Unknown:
    if not isinstance(row, Mapping) or not isinstance(row.get("values"), Mapping):
        return Unknown("unreadable", f"the registry: {name}")
    if row.get("state") == "denied":
        return Unknown("no_privilege", f"the registry: {name}")
    if row.get("state") not in ("there", "absent"):
        return Unknown("unreadable", f"the registry: {name}")
    return Key(row["state"] == "there", row["values"])
