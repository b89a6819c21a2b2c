"""The certificates of a Windows host's own stores that have a private key: their ends, keys and signatures; no key leaves. Pure.

Sources: RFC 8017, 5480 and 5758 for the identifiers; RGS annexe B1 for lengths of keys. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Unknown
from auditor.readers import ps_json
from auditor.readers.rsyslog import SKEW_LIMIT_S

DAY = 86400.0
# Of the host's own store, and of the one that IIS has beside it. Whether there is a private key, never the key. The parameters of an elliptic key name its curve.
STORE = Command(
    r"""$s = @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My' -ErrorAction Stop)
try { $s = $s + @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\WebHosting' -ErrorAction Stop) }
catch [System.Management.Automation.ItemNotFoundException] { $s = $s + @() }
$i = @($s | ForEach-Object {
    $b = $null
    try { $b = [int]$_.PublicKey.Key.KeySize } catch { $b = $null }
    $c = ''
    try { $c = [System.BitConverter]::ToString($_.PublicKey.EncodedParameters.RawData) } catch { $c = '' }
    [ordered]@{ thumbprint = [string]$_.Thumbprint; subject = [string]$_.Subject; issuer = [string]$_.Issuer; private = $_.HasPrivateKey
        from = $_.NotBefore.ToUniversalTime().ToString('s') + 'Z'; until = $_.NotAfter.ToUniversalTime().ToString('s') + 'Z'
        signature = [string]$_.SignatureAlgorithm.Value; key = [string]$_.PublicKey.Oid.Value; bits = $b; curve = $c }
})
ConvertTo-Json -InputObject ([ordered]@{ certificates = $i }) -Depth 3 -Compress""",
    cap_bytes=262144,
)
_PKCS1, _ECDSA = "1.2.840.113549.1.1.", "1.2.840.10045.4."
# By the hash within; what is not listed is not judged (PSS says its hash elsewhere).
WEAK_SIGNATURES = {
    **dict.fromkeys([_PKCS1 + n for n in ("2", "3", "4", "5")], True),
    **dict.fromkeys(["1.3.14.3.2.29", "1.2.840.10040.4.3", _ECDSA + "1"], True),
    **dict.fromkeys([_PKCS1 + n for n in ("11", "12", "13")], False),
    **dict.fromkeys([_ECDSA + "3." + n for n in ("2", "3", "4")], False),
    **dict.fromkeys(["1.3.101.112", "1.3.101.113"], False),
}
RSA, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
LEAST_RSA, LEAST_EC = 2048, 250
CURVES = {"06-08-2A-86-48-CE-3D-03-01-07": 256, "06-05-2B-81-04-00-22": 384, "06-05-2B-81-04-00-23": 521}
SHORT_DAYS = 60.0  # what is made for less is renewed by itself
_COMMON = re.compile(r"(?:^|,\s*)CN=(\"[^\"]*\"|[^,]*)", re.IGNORECASE)


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"store": STORE}


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    answer = answers["store"]
    told = ps_json.read(answer)
    if isinstance(told, Unknown) or isinstance(answer, Failure):
        why = told if isinstance(told, Unknown) else Unknown("not_told")
        return {"certificates": why, "short_lived": why, "held": why}
    rows = [row for row in ps_json.rows(told, "certificates") if row.get("private") is not False]
    lasting = {id(row): _lasts(row) for row in rows}
    return {
        "certificates": [_element(r, answer) for r in rows if not _short(lasting[id(r)])],
        "short_lived": [_element(r, answer) for r in rows if _short(lasting[id(r)])],
        "held": len(rows),
    }


def _short(days: float | Unknown) -> bool:
    return not isinstance(days, Unknown) and days < SHORT_DAYS


def _lasts(row: Mapping[str, Any]) -> float | Unknown:
    start, end = _at(row, "from"), _at(row, "until")
    if isinstance(start, Unknown) or isinstance(end, Unknown):
        return Unknown("unreadable", "the dates of a certificate")
    return (end - start) / DAY


def _at(row: Mapping[str, Any], name: str) -> float | Unknown:
    at = ps_json.moment(row.get(name), name)
    return Unknown("unreadable", name) if at is None else at


def _element(row: Mapping[str, Any], answer: Answer) -> Fact:
    thumbprint, subject, issuer, signature = ps_json.texts(
        [row.get(n) for n in ("thumbprint", "subject", "issuer", "signature")]
    )
    return {
        "certificate": f"{_named(subject)} {thumbprint[:8].upper()}".strip(),
        "issuer": _named(issuer),
        "left_days": _left(row, answer),
        "weak_key": _weak_key(row),
        "weak_signature": WEAK_SIGNATURES.get(signature, Unknown("not_told", f"the signature {signature[:40]}")),
    }


def _named(name: str) -> str:
    found = _COMMON.search(name)
    return (found[1].strip('" ') if found else name)[:100]


def _left(row: Mapping[str, Any], answer: Answer) -> float | Unknown:
    end = _at(row, "until")
    if isinstance(end, Unknown):
        return end
    if isinstance(answer, Failure) or answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_LIMIT_S:
        return Unknown("clock_skew")
    return round((end - answer.host_at) / DAY, 1)


def _weak_key(row: Mapping[str, Any]) -> bool | Unknown:
    kind = row.get("key")
    if kind == EC:
        bits = CURVES.get(str(row.get("curve")))
        return Unknown("not_told", "the curve of the key") if bits is None else bits < LEAST_EC
    size = ps_json.number(row.get("bits"), "the length of the key")
    if kind != RSA or isinstance(size, Unknown):
        return size if isinstance(size, Unknown) else Unknown("not_told", f"the kind of key {str(kind)[:40]}")
    return size < LEAST_RSA


_ITEM: dict[str, Any] = {
    "type": "object",
    "x-name": "certificate",
    "x-also": ["issuer"],
    "properties": {
        "certificate": {"type": "string", "description": "Its common name and the beginning of its thumbprint."},
        "issuer": {"type": "string", "description": "The common name of who issued it."},
        "left_days": {"type": "number", "description": "Days until it ends; negative after."},
        "weak_key": {
            "type": "boolean",
            "description": "Whether its key is RSA of less than 2048 bits, or elliptic of less than 250.",
        },
        "weak_signature": {"type": "boolean", "description": "Whether it is signed over MD5 or SHA-1."},
    },
}

PROBE = Probe(
    title={"en": "Certificates of the host", "fr": "Certificats de l'hôte"},
    facts={
        "type": "object",
        "properties": {
            "certificates": {
                "type": "array",
                "description": "Certificates with a private key in the host's own stores, for itself and for its web sites, made for 60 days or longer.",
                "items": _ITEM,
            },
            "short_lived": {
                "type": "array",
                "description": "Those made for less than 60 days, which programs renew by themselves.",
                "items": _ITEM,
            },
            "held": {"type": "integer", "description": "How many these are together."},
        },
    },
    dialects={"windows": Dialect(_commands, _parse)},
    privilege={
        "en": "An ordinary account, where the store is open to it; the private keys are not asked for.",
        "fr": "Un compte ordinaire, si le magasin lui est ouvert ; les clés privées ne sont pas demandées.",
    },
)
