"""Which services a Windows host has and which of them run: two answers in, names and states out. Pure.

The registry names them all, to anybody; the service manager tells an ordinary account of a network logon few or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Unknown
from auditor.readers import ps_json

REGISTERED = Command(
    r"""$k = Get-Item -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services' -ErrorAction Stop
ConvertTo-Json -InputObject ([ordered]@{ names = @($k.GetSubKeyNames()) }) -Depth 2 -Compress""",
    cap_bytes=262144,
)
# A path may carry a token in its arguments: of it, only the maker's name leaves the host, for makers whose services go by
# names that are not published.
STATES = Command(
    r"""$i = @(Get-CimInstance -ClassName Win32_Service -ErrorAction Stop | ForEach-Object {
    $m = ''
    foreach ($n in @('tehtris', 'stormshield')) {
        if (([string]$_.PathName + ' ' + [string]$_.DisplayName).ToLowerInvariant().Contains($n)) { $m = $n }
    }
    [ordered]@{ name = [string]$_.Name; state = [string]$_.State; maker = $m }
})
ConvertTo-Json -InputObject ([ordered]@{ services = $i }) -Depth 3 -Compress""",
    elevated=True,
    cap_bytes=262144,
)

# These run on every Windows that answers: a list without one of them is no whole list.
ALWAYS = ("rpcss", "eventlog")


@dataclass(frozen=True, slots=True)
class Services:
    """Names in lower case. `states` by name, `makers` the names by maker; `missing`: why there may be other services."""

    names: frozenset[str] = frozenset()
    states: Mapping[str, bool | Unknown] = field(default_factory=dict)
    makers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    missing: Unknown | None = None
    untold: Unknown | None = None  # why no state, or not every one, was told

    def found(self, patterns: tuple[str, ...], maker: str = "") -> frozenset[str]:
        """The services with such a name (`*` and `[0-9]` as in file names), and those of the maker."""
        return named(self.names, patterns) | self.makers.get(maker, frozenset())

    def runs(self, names: frozenset[str]) -> bool | Unknown:
        """Whether one of these runs."""
        states = [self.states.get(n, self.untold or Unknown("no_privilege", f"the state of {n}")) for n in names]
        if True in states:
            return True
        return next((s for s in states if isinstance(s, Unknown)), False)


def named(names: frozenset[str], patterns: tuple[str, ...]) -> frozenset[str]:
    """Those of the names, in lower case, that are like a pattern."""
    return frozenset(n for n in names if any(fnmatchcase(n, p.lower()) for p in patterns))


def read(names_told: Answer, states_told: Answer) -> Services:
    names, gap = registered(names_told)
    told, makers, untold = _states(states_told)
    return Services(names | frozenset(told), told, makers, gap or untold, untold)


def registered(answer: Answer) -> tuple[frozenset[str], Unknown | None]:
    """The names alone, and why there may be others."""
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return frozenset(), told
        names = frozenset(n.lower() for n in ps_json.texts(ps_json.table(told).get("names")))
    except Unreadable as why:
        return frozenset(), Unknown("unreadable", str(why))
    return names, _whole(names)


_States = Mapping[str, bool | Unknown]


def _states(answer: Answer) -> tuple[_States, Mapping[str, frozenset[str]], Unknown | None]:
    states: dict[str, bool | Unknown] = {}
    makers: dict[str, frozenset[str]] = {}
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return states, makers, told
        for row in ps_json.rows(told, "services"):
            (name,) = ps_json.texts([row.get("name")])
            (maker,) = ps_json.texts([row.get("maker", "")])
            states[name.lower()] = _state(row.get("state"))
            if maker:
                makers[maker] = makers.get(maker, frozenset()) | {name.lower()}
    except Unreadable as why:
        return {}, {}, Unknown("unreadable", str(why))
    return states, makers, _whole(frozenset(states))


def _state(state: object) -> bool | Unknown:
    """Win32_Service tells its states in English, whatever the language of the host."""
    if state in ("Running", "Stopped", "Paused", "Start Pending", "Stop Pending", "Continue Pending", "Pause Pending"):
        return state == "Running"
    return Unknown("not_told", f"a state of a service: {str(state)[:40]}")


def _whole(names: frozenset[str]) -> Unknown | None:
    lacking = [n for n in ALWAYS if n not in names]
    return Unknown("no_privilege", f"the services are not told, {lacking[0]} among them") if lacking else None
