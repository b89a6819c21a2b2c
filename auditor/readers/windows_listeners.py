"""Which TCP ports a Windows host listens on: one answer in, ports out. Pure. Anybody is told them."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

PORTS = Command(
    r"""$p = @([System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners() | ForEach-Object { [int]$_.Port })
ConvertTo-Json -InputObject ([ordered]@{ ports = $p }) -Depth 2 -Compress""",
)
ALWAYS = 135  # the endpoint mapper of RPC, without which no Windows runs: a list that lacks it is no whole list


@dataclass(frozen=True, slots=True)
class Ports:
    """`missing`: why there may be more."""

    ports: frozenset[int]
    missing: Unknown | None = None

    def any(self, *wanted: int) -> bool | Unknown:
        return True if self.ports & set(wanted) else self.missing or False


def read(answer: Answer) -> Ports:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Ports(frozenset(), told)
        value = ps_json.table(told).get("ports")
    except Unreadable as why:
        return Ports(frozenset(), Unknown("unreadable", str(why)))
    listed = value if isinstance(value, list) else [value]
    numbers = [ps_json.number(v, "a port") for v in listed]
    found = frozenset(int(n) for n in numbers if not isinstance(n, Unknown))
    odd = next((n for n in numbers if isinstance(n, Unknown)), None)
    whole = ALWAYS in found
    return Ports(
        found, odd or (None if whole else Unknown("not_told", f"port {ALWAYS} is not among those listened on"))
    )
