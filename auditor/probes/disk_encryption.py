"""Whether BitLocker protects the disks of a Windows host: the state of volumes in, facts out; no key is ever asked for. Pure.

Sources: learn.microsoft.com on Win32_EncryptableVolume. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Unknown
from auditor.readers import ps_json, windows_release
from auditor.readers.undated import undated

# These four alone: what protects the key, the recovery password among it, is told by methods, which are not called.
VOLUMES = Command(
    r"""$n = 'root/cimv2/Security/MicrosoftVolumeEncryption'
$i = @(Get-CimInstance -Namespace $n -ClassName Win32_EncryptableVolume -ErrorAction Stop | ForEach-Object {
    $l = [string]$_.DriveLetter
    [ordered]@{ letter = $l; system = ($l -eq $env:SystemDrive); type = $_.VolumeType; protection = $_.ProtectionStatus; conversion = $_.ConversionStatus }
})
ConvertTo-Json -InputObject ([ordered]@{ volumes = $i }) -Depth 3 -Compress""",
    elevated=True,
    cap_bytes=16384,
)
KINDS = ("system", "fixed", "removable")  # of VolumeType
_PROTECTION = {0: False, 1: True}
_CONVERSION = {0: False, 1: True, 2: False, 3: False, 4: False, 5: False}  # wholly encrypted only


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"volumes": VOLUMES, "version": windows_release.VERSION}


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    release = windows_release.read(answers["version"])
    workstation = release if isinstance(release, Unknown) else release.workstation
    if ps_json.absent(answers["volumes"]):  # the feature is not installed
        return {"workstation": workstation, "bitlocker": False, "volumes": []}
    told = ps_json.read(answers["volumes"])
    if isinstance(told, Unknown):
        return {"workstation": workstation, "bitlocker": told, "volumes": told}
    volumes = [_volume(row) for row in ps_json.rows(told, "volumes")]
    if not any(row.get("system") is True for row in ps_json.rows(told, "volumes")):
        raise Unreadable("the volume of the system is not told")
    return {"workstation": workstation, "bitlocker": True, "volumes": volumes}


def _volume(row: Mapping[str, Any]) -> Fact:
    (letter,) = ps_json.texts([row.get("letter") or ""])
    kind = "system" if row.get("system") is True else ps_json.member(row.get("type"), KINDS)
    return {
        "volume": letter[:8] or "?",
        "kind": kind,
        "encrypted": _state(row.get("conversion"), _CONVERSION, "ConversionStatus"),
        "protected": _state(row.get("protection"), _PROTECTION, "ProtectionStatus"),
        "needs_it": kind if isinstance(kind, Unknown) else kind != "removable",
    }


def _state(value: Any, known: Mapping[int, bool], what: str) -> bool | Unknown:
    number = ps_json.number(value, what)
    if isinstance(number, Unknown):
        return number
    return known.get(int(number), Unknown("not_told", f"{what} {int(number)}"))


PROBE = Probe(
    title={"en": "Encryption of disks", "fr": "Chiffrement des disques"},
    facts={
        "type": "object",
        "properties": {
            "workstation": {"type": "boolean", "description": "Whether the host is a workstation, not a server."},
            "bitlocker": {"type": "boolean", "description": "Whether BitLocker is installed."},
            "volumes": {
                "type": "array",
                "description": "Volumes that BitLocker can protect.",
                "items": {
                    "type": "object",
                    "x-name": "volume",
                    "properties": {
                        "volume": {"type": "string", "description": "Its letter."},
                        "kind": {"type": "string", "description": "system, fixed or removable."},
                        "encrypted": {"type": "boolean", "description": "Whether it is wholly encrypted."},
                        "protected": {
                            "type": "boolean",
                            "description": "Whether its key is protected; while BitLocker is suspended it is not.",
                        },
                        "needs_it": {
                            "type": "boolean",
                            "description": "Whether it stays in the host: system and fixed.",
                        },
                    },
                },
            },
        },
    },
    dialects={"windows": Dialect(_commands, undated(_parse))},
    privilege={"en": "An administrator.", "fr": "Un administrateur."},
)
