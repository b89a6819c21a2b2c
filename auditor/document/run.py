"""A run's header and how its hosts took part, to plain values and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from auditor.document.answers import unknown_from_plain, unknown_to_plain
from auditor.document.plain import Plain, given
from auditor.model import Header, HostSeen, ReplayOf, Touched, Trusted


def header_to_plain(header: Header) -> Plain:
    plain: Plain = {
        "number": header.number,
        "id": header.id,
        "state": header.state,
        "started_at": header.started_at,
        "finished_at": header.finished_at,
        "as_of": header.as_of,
        "version": header.version,
        "estate": header.estate,
        "declared": header.declared,
        "hosts_expected": header.hosts_expected,
        "checks_planned": header.checks_planned,
        "limit": header.limit,
        "hosts_inventoried": header.hosts_inventoried,
        "policies": list(header.policies),
        "legacy": list(header.legacy),
        "digests": dict(header.digests),
        "replay": _replay_to_plain(header.replay),
    }
    more = {"seen_by": header.seen_by, "trusted": _trusted_to_plain(header.trusted) if header.trusted else None}
    return {**plain, **given(more, *more)}


def header_from_plain(plain: Mapping[str, Any]) -> Header:
    """What a field added since does not say is its default."""
    lists = {name: tuple(plain[name]) for name in ("policies", "legacy") if name in plain}
    replay, trusted = plain.get("replay"), plain.get("trusted")
    nested = {
        "replay": _replay_from_plain(replay) if replay else None,
        "trusted": _trusted_from_plain(trusted) if trusted else None,
    }
    return Header(**{**plain, **lists, **nested})


def _trusted_to_plain(trusted: Trusted) -> Plain:
    touched = [given({**asdict(one), "what": list(one.what)}, "what") for one in trusted.touched]
    return {"ref": trusted.ref, "commit": trusted.commit, "touched": touched}


def _trusted_from_plain(plain: Mapping[str, Any]) -> Trusted:
    touched = (Touched(**{**one, "what": tuple(one.get("what", ()))}) for one in plain["touched"])
    return Trusted(plain["ref"], plain["commit"], tuple(touched))


def _replay_to_plain(replay: ReplayOf | None) -> Plain | None:
    if replay is None:
        return None
    return {"number": replay.number, "id": replay.id, "state": replay.state, "started_at": replay.started_at}


def _replay_from_plain(plain: Mapping[str, Any]) -> ReplayOf:
    return ReplayOf(plain["number"], plain["id"], plain["state"], plain["started_at"])


def host_to_plain(host: HostSeen) -> Plain:
    plain: Plain = {
        "host": host.host,
        "failure": unknown_to_plain(host.failure),
        "checks": host.checks,
        "measured": host.measured,
        "at": host.at,
        "identity": host.identity,
        "evidence_at": host.evidence_at,
        "asked": host.asked,
        "was": host.was,
    }
    more: Plain = {"collector": host.collector, "known_as": list(host.known_as)}
    more |= {"medium": host.medium} if host.medium != "live" else {}
    more |= {"attested": True} if host.attested else {}
    return {**plain, **given(more, *more)}


def host_from_plain(plain: Mapping[str, Any]) -> HostSeen:
    """Also of a run that was kept before hosts could be judged on earlier evidence."""
    return HostSeen(
        plain["host"],
        unknown_from_plain(plain["failure"]),
        plain["checks"],
        plain["measured"],
        plain["at"],
        plain.get("identity", ""),
        plain.get("evidence_at", 0.0),
        plain.get("asked", True),
        plain.get("was", ""),
        plain.get("collector", ""),
        tuple(plain.get("known_as", ())),
        plain.get("medium", "live"),
        plain.get("attested", False),
    )
