"""Findings in; the texts that a store keeps of them out, and back: what alike hosts share is written and read once. Pure.

A text is the JSON object that document.kept_to_plain gives. What is of one host alone (`subject`, `fingerprint`, `at`) comes
first and `control` next: no JSON string holds the bytes `,"control":`, so the first of them is where the shared part begins.
"""

from __future__ import annotations

import json
from functools import lru_cache

from auditor import document
from auditor.alike import FEW, MANY, Alike, remembered, undecided
from auditor.model import Finding, Subject
from auditor.store.packing import dump

LONG = 4096  # characters of a shared part that few are remembered of
_OWN = ("subject", "fingerprint", "at")
_SHARED = ',"control":'
_AFTER_SUBJECT = ',"fingerprint":'
_AT = ',"at":'


def written(finding: Finding) -> str:
    plain = _written_of(Alike(finding)) if undecided(finding) else _shared(document.kept_to_plain(finding))
    own = f'"fingerprint":{dump(finding.fingerprint)},"at":{finding.at!r}'
    return f'{{"subject":{_of_subject(finding.subject)},{own},{plain[1:]}'


def read(seq: int, text: str) -> Finding:
    """Also of a text that an earlier version wrote, in another order."""
    own, _, shared = text.partition(_SHARED)
    subject, _, dated = own.partition(_AFTER_SUBJECT)
    if not dated or not subject.startswith('{"subject":'):
        return document.finding_from_plain(seq, json.loads(text))
    alike = (_read_long if len(shared) > LONG else _read_short)(shared)
    fingerprint, _, at = dated.partition(_AT)
    return Finding(
        seq=seq,
        subject=_read_subject(subject[len('{"subject":') :]),
        control=alike.control,
        outcome=alike.outcome,
        severity=alike.severity,
        fingerprint=json.loads(fingerprint),
        reasons=alike.reasons,
        at=float(at),
        medium=alike.medium,
        gates=alike.gates,
        decision=alike.decision,
        adapted=alike.adapted,
        suspended=alike.suspended,
        actions=alike.actions,
        bounds=alike.bounds,
        untold=alike.untold,
    )


# ---------------------------------------------------------------- what is one host's


@lru_cache(maxsize=64)
def _of_subject(subject: Subject) -> str:
    return dump(document.subject_to_plain(subject))


@lru_cache(maxsize=64)
def _read_subject(text: str) -> Subject:
    return document.subject_from_plain(json.loads(text))


# ---------------------------------------------------------------- what hosts share


@remembered
def _written_of(alike: Alike) -> str:
    return _shared(document.kept_to_plain(alike.finding))


def _shared(plain: document.Plain) -> str:
    first = {"control": plain["control"]}
    return dump({**first, **{name: value for name, value in plain.items() if name not in _OWN}})


def _read_shared(text: str) -> Finding:
    """A finding of nobody's."""
    own: document.Plain = {"subject": {"kind": "host", "id": "", "perimeter": ""}, "fingerprint": "", "at": 0.0}
    return document.finding_from_plain(0, {**own, **json.loads(f'{{"control":{text}')})


_read_short, _read_long = lru_cache(maxsize=MANY)(_read_shared), lru_cache(maxsize=FEW)(_read_shared)
