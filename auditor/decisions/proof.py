"""R-HASH: the signed document is the one that was signed, and the record says what it said then. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from auditor.decisions.context import Found
from auditor.records import Adaptation, Decision

# What happens to a record after its signature; all else was signed.
AFTERWARDS = ("status", "history", "notifications")


def evidence(one: Decision) -> Found:
    """An acceptance and an exemption need a document; an adaptation is proved by its notices, where they have one."""
    if not one.proofs and not isinstance(one, Adaptation):
        yield "R-HASH", "-"
    for proof in one.proofs:
        if not proof.holds:
            yield "R-HASH", proof.document or "-"
    if one.signature.intact is False:
        yield "R-HASH", one.id


def signed_digest(record: Mapping[str, Any]) -> str:
    """The digest of what was signed, which `decision.digest` holds: the record as written, without what comes afterwards."""
    signed = {k: v for k, v in record.items() if k not in AFTERWARDS}
    if isinstance(signed.get("decision"), Mapping):
        signed["decision"] = {k: v for k, v in signed["decision"].items() if k != "digest"}
    text = json.dumps(signed, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
