"""A key of a Windows registry and the names of some of its values in; the values, or that there is no such key, out. Pure.

Nothing but the values that are named leaves the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

TEXT = r"""$t = [ordered]@{}
$k = $null
try { $k = Get-Item -LiteralPath $A[0] -ErrorAction Stop } catch [System.Management.Automation.ItemNotFoundException] { $k = $null }
if ($null -ne $k) {
    foreach ($n in $k.GetValueNames()) {
        $h = $n.ToLowerInvariant()
        if (@($A) -contains $n) { $t[$h] = $k.GetValue($n) }
    }
}
ConvertTo-Json -InputObject ([ordered]@{ there = ($null -ne $k); values = $t }) -Depth 3 -Compress"""


@dataclass(frozen=True, slots=True)
class Key:
    """Its values by name in lower case; none where there is no such key. `missing`: why nothing of it is known."""

    values: Mapping[str, Any]
    missing: Unknown | None = None

    def number(self, name: str) -> int | Unknown | None:
        """None where there is no such value."""
        if self.missing:
            return self.missing
        value = self.values.get(name.lower())
        if value is None:
            return None
        told = ps_json.number(value, name)
        return told if isinstance(told, Unknown) else int(told)

    def text(self, name: str) -> str | Unknown | None:
        if self.missing:
            return self.missing
        value = self.values.get(name.lower())
        return value if value is None or isinstance(value, str) else Unknown("unreadable", name)


def values(key: str, *names: str) -> Command:
    return Command(TEXT, arguments=(key, *names), cap_bytes=8192)


def read(answer: Answer) -> Key:
    """Whatever cannot be read is missing: the other keys stand without it."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Key({}, told)
        there = ps_json.truth(ps_json.table(told).get("there"), "whether the key is there")
        if isinstance(there, Unknown):
            return Key({}, there)
        found = {str(k).lower(): v for k, v in ps_json.table(told.get("values")).items()}
    except Unreadable as why:
        return Key({}, Unknown("unreadable", str(why)))
    return Key(found if there else {})


def first(name: str, *keys: Key) -> int | Unknown | None:
    """A number where several keys may say it: the first that does wins; None where none of them does."""
    for key in keys:
        told = key.number(name)
        if told is not None:
            return told
    return None
