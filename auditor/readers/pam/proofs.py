"""The ways to be let in; out, whether each takes two proofs of different kinds. Pure."""

from __future__ import annotations

from auditor.model import Unknown
from auditor.readers.pam.modules import TOLD_ELSEWHERE
from auditor.readers.pam.walk import Path


def weakest(found: frozenset[Path], beside: frozenset[str]) -> tuple[bool | Unknown, frozenset[str]]:
    """Whether every path, with the proofs given `beside` it, takes two of different kinds; and the weakest path's proofs.

    No path at all: nobody gets in here, which the caller handles.
    """
    judged = [
        (_two(p.proofs | beside), p)
        for p in sorted(found, key=lambda p: (len(p.proofs), sorted(p.proofs), p.depends_on))
    ]
    for two, path in judged:
        if two is False and not path.depends_on:
            return False, path.proofs | beside
    if judged and all(two is False for two, _ in judged):
        return False, judged[0][1].proofs | beside
    for two, path in judged:
        if two is False:
            return Unknown("not_told", f"it depends on {path.depends_on}"), path.proofs | beside
    for two, path in judged:
        if isinstance(two, Unknown):
            return two, path.proofs | beside
    return True, judged[0][1].proofs | beside if judged else beside


def _two(proofs: frozenset[str]) -> bool | Unknown:
    told = [p for p in proofs if not p.startswith(TOLD_ELSEWHERE)]
    if len(told) >= 2:
        return True
    elsewhere = sorted(p.removeprefix(TOLD_ELSEWHERE) for p in proofs if p.startswith(TOLD_ELSEWHERE))
    return Unknown("not_told", f"{' '.join(elsewhere)} decides elsewhere what it asks for") if elsewhere else False
