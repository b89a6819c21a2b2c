"""What was asked and told, to plain values and back: commands, facts and what is unknown of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.document.plain import Plain
from auditor.model import Command, Partial, Unknown


def command_to_plain(command: Command) -> Plain:
    plain: Plain = {
        "text": command.text,
        "kind": command.kind,
        "arguments": list(command.arguments),
        "elevated": command.elevated,
        "timeout_s": command.timeout_s,
        "cap_bytes": command.cap_bytes,
    }
    return plain | {n: v for n, v in (("takes", command.takes), ("mask", command.mask)) if v}


def command_from_plain(plain: Mapping[str, Any]) -> Command:
    return Command(**{**plain, "arguments": tuple(plain["arguments"])})


def unknown_to_plain(unknown: Unknown | None) -> Plain | None:
    return None if unknown is None else {"cause": unknown.cause, "detail": unknown.detail}


def unknown_from_plain(plain: Mapping[str, Any] | None) -> Unknown | None:
    return None if plain is None else Unknown(plain["cause"], plain["detail"])


def facts_to_plain(value: Any) -> Any:
    """Facts as JSON values: Unknown and Partial, at any depth, as objects whose keys start with `$`."""
    if isinstance(value, Unknown):
        return {"$unknown": [value.cause, value.detail]}
    if isinstance(value, Partial):
        missing = [value.missing.cause, value.missing.detail]
        return {"$partial": [facts_to_plain(v) for v in value.items], "$missing": missing}
    if isinstance(value, Mapping):
        return {k: facts_to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [facts_to_plain(v) for v in value]
    return value


def facts_from_plain(plain: Any) -> Any:
    if isinstance(plain, dict):
        if "$unknown" in plain:
            return Unknown(*plain["$unknown"])
        if "$partial" in plain:
            return Partial(tuple(facts_from_plain(p) for p in plain["$partial"]), Unknown(*plain["$missing"]))
        return {k: facts_from_plain(v) for k, v in plain.items()}
    return [facts_from_plain(p) for p in plain] if isinstance(plain, list) else plain
