"""The estate and the decisions that a run was judged by, as plain values that are kept with it, and back. Pure.

Only what judging needs: how a host is logged in to stays in the inventory, and what is attested in the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from auditor.document import Plain
from auditor.model import Estate, Host
from auditor.records import Acceptance, Action, Adaptation, Exemption, Record
from auditor.shape import plain, shaped

# How a host is reached, which nobody asks of what was kept.
REACHING = (
    "port", "user", "key_file", "become", "password", "passphrase", "proxy_jump", "known_hosts", "ssh_options", "winrm",
    "quiet_hours_s", "at_once",
)  # fmt: skip
CAME_LATER = ("proof", "awaits", "reply", "replied_on")  # fields of records
KINDS: Mapping[str, type[Record]] = {kind.kind: kind for kind in (Acceptance, Adaptation, Exemption, Action)}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`chosen` are the ids of the hosts that a limit left; empty: all of them. `digests` of the files, by path.

    `until` is the end of the day that registers were judged on, where another than that of the run was asked for.
    """

    estate: Estate
    chosen: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    until: float | None = None


def to_plain(kept: Snapshot) -> Plain:
    estate = plain(replace(kept.estate, hosts=(), notices=(), place="", attestations=()))
    del estate["dated"]  # evidence, as attestations are
    del estate["roles_at"]
    recommended = {name: _as_before(one) for name, one in estate["recommendations"].items()}
    return {
        "estate": {**estate, "recommendations": recommended, "hosts": [_host(h) for h in kept.estate.hosts]},
        "chosen": list(kept.chosen),
        "records": [{"kind": r.kind, **_as_before(plain(r))} for r in kept.records],
        "digests": dict(kept.digests),
        "until": kept.until,
    }


def _as_before(record: Plain) -> Plain:
    """Without the fields that came later where they say nothing, as those were kept that had none."""
    return {name: value for name, value in record.items() if name not in CAME_LATER or value}


def _host(host: Host) -> Plain:
    """What is not as by default; a fleet's hosts are much alike."""
    said = {f.name: (getattr(host, f.name), f.default) for f in fields(host) if f.name not in REACHING}
    return {name: plain(value) for name, (value, default) in said.items() if default is MISSING or value != default}


def from_plain(given: Mapping[str, Any]) -> Snapshot:
    """Raises ValueError, KeyError, TypeError or AttributeError for what is none."""
    records = [dict(one) for one in given["records"]]
    return Snapshot(
        shaped(Estate, given["estate"]),
        tuple(str(one) for one in given["chosen"]),
        tuple(shaped(KINDS[one.pop("kind")], one) for one in records),
        {str(k): str(v) for k, v in given["digests"].items()},
        given["until"] if isinstance(given["until"], int | float) else None,
    )
