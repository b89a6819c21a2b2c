"""Whether updates of a Windows host wait for a restart, and when it last started: marks in the registry in, facts out. Pure.

When a mark was made is not told: since the last start at the earliest. A fast start after shutting down is no start.
Sources: the marks that Windows Update and the servicing stack leave; Win32_OperatingSystem. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Facts, Failure, Unknown
from auditor.readers import ps_json, windows_registry
from auditor.readers.rsyslog import age_s
from auditor.readers.windows_registry import Keys

DAY = 86400.0
_SERVICING = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
_AGENT = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate"
MARKS = windows_registry.question(
    {
        "servicing": (_SERVICING, ()),
        "servicing_pending": (_SERVICING + r"\RebootPending", ()),
        "servicing_restarting": (_SERVICING + r"\RebootInProgress", ()),
        "agent": (_AGENT, ()),
        "agent_required": (_AGENT + r"\Auto Update\RebootRequired", ()),
    },
    cap_bytes=4096,
)
# Of the files only whether there are any: names of files may tell of persons.
FILES = Command(
    r"""$k = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager')
$v = @($k.GetValue('PendingFileRenameOperations') | ForEach-Object { if ($_) { 1 } })
ConvertTo-Json -InputObject ([ordered]@{ files = $v.Length }) -Depth 2 -Compress""",
    cap_bytes=1024,
)
STARTED = Command(
    r"""$o = Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop
ConvertTo-Json -InputObject ([ordered]@{ at = $o.LastBootUpTime.ToUniversalTime().ToString('s') + 'Z' }) -Depth 2 -Compress""",
    elevated=True,
    cap_bytes=1024,
)
_SAID = {
    "servicing_pending": "the servicing stack",
    "servicing_restarting": "the servicing stack, while it restarts",
    "agent_required": "Windows Update",
}
_ABOVE = {"servicing_pending": "servicing", "servicing_restarting": "servicing", "agent_required": "agent"}


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"marks": MARKS, "files": FILES, "started": STARTED}


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    keys = windows_registry.read(answers["marks"])
    marks = {name: _mark(keys, name) for name in _SAID}
    untold = next((m for m in marks.values() if isinstance(m, Unknown)), None)
    pending: bool | Unknown = True if True in marks.values() else untold or False
    return {
        "pending": pending,
        "pending_by": pending
        if isinstance(pending, Unknown)
        else ", ".join(_SAID[n] for n in marks if marks[n] is True) or None,
        "files_to_replace": _files(answers["files"]),
        "up_days": _up(answers["started"]),
    }


def _mark(keys: Keys, name: str) -> bool | Unknown:
    """Whether a mark is there; that it is not tells something only where what it stands in is."""
    mark, above = keys.key(name), keys.key(_ABOVE[name])
    if isinstance(mark, Unknown):
        return mark
    if mark.there:
        return True
    if isinstance(above, Unknown):
        return above
    return False if above.there else Unknown("not_told", f"nothing of {_SAID[name]} is in the registry")


def _files(answer: Answer) -> bool | Unknown:
    try:
        told = ps_json.read(answer)
        count = told if isinstance(told, Unknown) else ps_json.number(ps_json.table(told).get("files"), "files")
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    return count if isinstance(count, Unknown) else count > 0


def _up(answer: Answer) -> float | Unknown:
    try:
        told = ps_json.read(answer)
        at = told if isinstance(told, Unknown) else ps_json.moment(ps_json.table(told).get("at"), "LastBootUpTime")
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if at is None or isinstance(at, Unknown) or isinstance(answer, Failure):
        return at if isinstance(at, Unknown) else Unknown("unreadable", "LastBootUpTime")
    age = age_s(answer, at)
    return age if isinstance(age, Unknown) else round(age / DAY, 1)


PROBE = Probe(
    title={"en": "Restart that updates wait for", "fr": "Redémarrage attendu par des mises à jour"},
    facts={
        "type": "object",
        "properties": {
            "pending": {"type": "boolean", "description": "Whether updates wait for a restart of the host."},
            "pending_by": {"type": "string", "description": "What waits for it; null when nothing does."},
            "files_to_replace": {
                "type": "boolean",
                "description": "Whether files are to be replaced or deleted at the next start, by whatever program.",
            },
            "up_days": {"type": "number", "description": "Days since the host last started."},
        },
    },
    dialects={"windows": Dialect(_commands, _parse)},
    privilege={
        "en": "The marks: an ordinary account. When the host last started: an administrator, or an account that may ask WMI.",
        "fr": "Les marques : un compte ordinaire. Le dernier démarrage : un administrateur, ou un compte qui peut interroger WMI.",
    },
)
