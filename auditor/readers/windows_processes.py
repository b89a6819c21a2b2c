"""Which programs run on a Windows host: one answer in, their names out. Pure. No command line leaves the host."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

RUNNING = Command(
    r"""$i = @(Get-CimInstance -ClassName Win32_Process -ErrorAction Stop | ForEach-Object { [string]$_.Name })
ConvertTo-Json -InputObject ([ordered]@{ processes = $i }) -Depth 2 -Compress""",
    cap_bytes=131072,
)
# Of the system itself, in the session of services: who does not see it does not see those of others.
ALWAYS = "lsass.exe"


@dataclass(frozen=True, slots=True)
class Processes:
    """Names in lower case, without .exe; `missing`: why others may run."""

    names: frozenset[str]
    missing: Unknown | None = None


def read(answer: Answer) -> Processes:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return Processes(frozenset(), told)
        names = {name.lower() for name in ps_json.texts(ps_json.table(told).get("processes"))}
    except Unreadable as why:
        return Processes(frozenset(), Unknown("unreadable", str(why)))
    missing = None if ALWAYS in names else Unknown("no_privilege", "the processes of others are not shown")
    return Processes(frozenset(name.removesuffix(".exe") for name in names), missing)
