"""Whether a Windows host still speaks SMB version 1, as a server and as a client: settings, features and the driver in. Pure.

Sources: learn.microsoft.com, "Detect, enable and disable SMBv1"; Win32_OptionalFeature. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Facts, Unknown
from auditor.readers import ps_json, windows_registry
from auditor.readers.undated import undated

SERVER = Command(
    r"""$c = Get-SmbServerConfiguration -ErrorAction Stop
ConvertTo-Json -InputObject ([ordered]@{ smb1 = $c.EnableSMB1Protocol }) -Depth 2 -Compress""",
    elevated=True,
    cap_bytes=1024,
)
FEATURES = Command(
    r"""$q = "Name LIKE 'SMB1Protocol%'"
$i = @(Get-CimInstance -ClassName Win32_OptionalFeature -Filter $q -ErrorAction Stop | ForEach-Object {
    [ordered]@{ name = [string]$_.Name; state = [int]$_.InstallState }
})
ConvertTo-Json -InputObject ([ordered]@{ features = $i }) -Depth 3 -Compress""",
    elevated=True,
    timeout_s=30,
    cap_bytes=8192,
)
_SERVICES = r"SYSTEM\CurrentControlSet\Services"
SETTINGS = windows_registry.question(
    {
        "server": (_SERVICES + r"\LanmanServer\Parameters", ("SMB1",)),
        "workstation": (_SERVICES + r"\LanmanWorkstation", ("Start",)),
        "driver": (_SERVICES + r"\mrxsmb10", ("Start",)),
    },
    cap_bytes=4096,
)
ENABLED, DISABLED, MISSING = 1, 2, 3  # of InstallState
NEVER = 4  # of Start: a driver that is disabled


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"server": SERVER, "features": FEATURES, "settings": SETTINGS}


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    keys = windows_registry.read(answers["settings"])
    removed = _removed(answers["features"]) and _gone(keys)
    return {"server": _server(answers["server"], keys, removed), "client": _client(keys)}


def _removed(answer: Answer) -> bool:
    """Whether the feature as a whole is said not to be installed."""
    try:
        told = ps_json.read(answer)
        rows = [] if isinstance(told, Unknown) else ps_json.rows(told, "features")
    except Unreadable:
        return False
    states = {row.get("name"): row.get("state") for row in rows}
    whole = [states.get("SMB1Protocol")]
    return whole[0] in (DISABLED, MISSING) and ENABLED not in states.values()


def _gone(keys: windows_registry.Keys) -> bool:
    """Until a restart, what is removed goes on; its driver is in the registry until then."""
    driver = keys.key("driver")
    return not isinstance(driver, Unknown) and not driver.there


def _server(answer: Answer, keys: windows_registry.Keys, removed: bool) -> bool | Unknown:
    """What is in force, as the server says; where it says nothing, only what rules it out."""
    if removed:
        return False
    try:
        told = ps_json.read(answer)
        said = (
            told if isinstance(told, Unknown) else ps_json.truth(ps_json.table(told).get("smb1"), "EnableSMB1Protocol")
        )
    except Unreadable as why:
        said = Unknown("unreadable", str(why))
    if not isinstance(said, Unknown):
        return said
    key = keys.key("server")
    return False if not isinstance(key, Unknown) and key.there and key.number("SMB1") == 0 else said


def _client(keys: windows_registry.Keys) -> bool | Unknown:
    """Whether the driver that speaks it may start; one that is not there cannot, where the client itself is."""
    driver, client = keys.key("driver"), keys.key("workstation")
    if isinstance(driver, Unknown):
        return driver
    if not driver.there:
        if isinstance(client, Unknown):
            return client
        return False if client.there else Unknown("not_told", "the client of SMB is not in the registry")
    start = driver.number("Start")
    if start is None or isinstance(start, Unknown) or start not in range(5):
        return Unknown("unreadable", "mrxsmb10, Start")
    return start != NEVER


PROBE = Probe(
    title={"en": "Version 1 of SMB", "fr": "Version 1 de SMB"},
    facts={
        "type": "object",
        "properties": {
            "server": {"type": "boolean", "description": "Whether its shares are served over SMB version 1."},
            "client": {"type": "boolean", "description": "Whether it may open shares of others over SMB version 1."},
        },
    },
    dialects={"windows": Dialect(_commands, undated(_parse))},
    privilege={
        "en": "As a client: an ordinary account. As a server: an administrator, unless the registry rules it out.",
        "fr": "Comme client : un compte ordinaire. Comme serveur : un administrateur, sauf si le registre l'exclut.",
    },
)
