"""What a Windows event collector keeps in its log of forwarded events: of whom, how far back, as a store of records. Pure.

A big log is not read whole: its newest and its oldest records are, and who is in neither is not known to be absent. A record's
time is the sender's. Sources: Get-WinEvent, the registry of the Windows Event Collector. Not met on a real Windows yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Facts, Failure, Output, Unknown
from auditor.probes.windows import journal
from auditor.readers import ps_json, windows_services
from auditor.readers.log_reach import reaching
from auditor.readers.log_stores.store import STILL_FED_S, Store
from auditor.readers.rsyslog import age_s

LOG = "ForwardedEvents"
# Of the records only times and the senders' names leave the host.
RECORDS = Command(
    r"""$l = Get-WinEvent -ListLog ForwardedEvents -ErrorAction Stop
$t = [ordered]@{ mode = [int]$l.LogMode; records = $l.RecordCount; read = 5000; newest = @(); oldest = @() }
if ($l.RecordCount -gt 0) {
    $s = [ordered]@{}
    Get-WinEvent -LogName ForwardedEvents -MaxEvents 5000 -ErrorAction Stop | ForEach-Object {
        $m = [string]$_.MachineName
        if (-not $s.Contains($m)) { $s[$m] = $_.TimeCreated.ToUniversalTime().ToString('s') + 'Z' }
    }
    $t['newest'] = @($s.Keys | ForEach-Object { [ordered]@{ sender = $_; at = $s[$_] } })
    $o = [ordered]@{}
    Get-WinEvent -LogName ForwardedEvents -Oldest -MaxEvents 5000 -ErrorAction Stop | ForEach-Object {
        $m = [string]$_.MachineName
        if (-not $o.Contains($m)) { $o[$m] = $_.TimeCreated.ToUniversalTime().ToString('s') + 'Z' }
    }
    $t['oldest'] = @($o.Keys | ForEach-Object { [ordered]@{ sender = $_; at = $o[$_] } })
}
ConvertTo-Json -InputObject $t -Depth 4 -Compress""",
    elevated=True,
    timeout_s=120,
    cap_bytes=1048576,
)
# Which log each subscription writes to. Without the key there is none, and there never was a collector.
SUBSCRIPTIONS = Command(
    r"""$i = @()
try {
    $p = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\EventCollector\Subscriptions'
    $k = Get-Item -LiteralPath $p -ErrorAction Stop
    $i = @($k.GetSubKeyNames() | ForEach-Object {
        $s = Get-Item -LiteralPath ($p + '\' + $_) -ErrorAction Stop
        [string]$s.GetValue('LogFile')
    })
} catch [System.Management.Automation.ItemNotFoundException] { $i = @() }
ConvertTo-Json -InputObject ([ordered]@{ logs = $i }) -Depth 2 -Compress""",
    elevated=True,
    cap_bytes=16384,
)
# Services of software that keeps records in a store of its own, which this probe does not read.
ENGINES = ("splunkd", "elasticsearch*", "opensearch*", "graylog*", "logstash*", "loki", "clickhouse*", "nxlog*", "*syslog*",
           "eventloganalyzer*", "wazuh-*", "quickwit*")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """`store`: the log; `engines`: other software by its services; `elsewhere`: why records may lie in other logs, or with these."""

    store: Store | Unknown
    engines: list[str] | Unknown
    elsewhere: Unknown | None


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "records": RECORDS,
        "subscriptions": SUBSCRIPTIONS,
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    kept = read(answers)
    unseen = kept.store if isinstance(kept.store, Unknown) else None
    stores = [kept.store] if isinstance(kept.store, Store) else []
    by_size = Unknown("not_told", "an event log is set to a size, not to a time")
    return {
        **reaching(stores, unseen, kept.elsewhere, answers["records"], args),
        "other_engines": kept.engines,
        "configured_days": unseen or by_size,
        "room_days": unseen or by_size,
    }


def read(answers: Mapping[str, Answer]) -> Kept:
    services = windows_services.read(answers["registered"], answers["services"])
    found = sorted(services.found(ENGINES))
    engines = found if found or not services.missing else services.missing
    beside = engines if isinstance(engines, Unknown) else None
    if found:
        beside = Unknown("not_told", f"records may also be kept by {', '.join(found)[:100]}")
    return Kept(_store(answers["records"]), engines, _elsewhere(answers["subscriptions"]) or beside)


def _elsewhere(answer: Answer) -> Unknown | None:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        row = ps_json.table(told)
        if "logs" not in row:
            raise Unreadable("no list of subscriptions")
        logs = ps_json.texts(row["logs"])
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    other = next((log for log in logs if log.strip().lower() != LOG.lower()), None)
    return (
        None
        if other is None
        else Unknown("not_told", f"a subscription writes to another log: {other[:60] or 'not named'}")
    )


def _store(answer: Answer) -> Store | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return told
        row = ps_json.table(told)
        records = ps_json.number(row.get("records"), "RecordCount")
        newest, oldest = (_ages(answer, row, which) for which in ("newest", "oldest"))
    except Unreadable as why:
        return Unknown("unreadable", str(why))
    if isinstance(records, Unknown):
        return Unknown("no_privilege", "the records of the log are not told") if row.get("records") is None else records
    if records == 0:
        return Store(LOG, None, None, 0, newest_of={})
    if not newest or not oldest:
        return Unknown("unreadable", "the log has records, and none was told")
    return _of(row, records, newest, oldest)


_Ages = dict[str, float | Unknown]


def _of(row: Mapping[str, Any], records: float, newest: _Ages, oldest: _Ages) -> Store:
    read = ps_json.number(row.get("read"), "how many records were read")
    whole = not isinstance(read, Unknown) and records <= read
    archived = ps_json.member(row.get("mode"), journal.MODES) != "Circular"
    files = Unknown("not_told", "what the log was archived into, or whether it takes records still, is not read")
    beyond = Unknown("not_asked", "a record between the newest and the oldest ones of the log")
    fed = [name for name, age in newest.items() if isinstance(age, Unknown) or age <= STILL_FED_S]
    return Store(
        LOG,
        files if archived else _most(oldest),
        _least(newest),
        len(newest) if whole else beyond,
        tuple(files if archived else oldest.get(name, beyond) for name in fed) + (() if whole else (beyond,)),
        newest,
        None if whole else Unknown("not_asked", "senders of whom none of the newest records is"),
        (("yzf", len(newest)),),
    )


def _ages(answer: Output, row: Mapping[str, Any], which: str) -> _Ages:
    """By sender; one without a name is nobody's."""
    found: _Ages = {}
    for one in ps_json.rows(row, which):
        (name,) = ps_json.texts([one.get("sender")])
        at = ps_json.moment(one.get("at"), "a record's time")
        age = age_s(answer, at if at is not None else Unknown("unreadable", "a record's time"))
        if name.strip():
            found[name.strip()[:255]] = age
    return found


def _most(ages: _Ages) -> float | Unknown:
    known = [a for a in ages.values() if isinstance(a, float)]
    return next((a for a in ages.values() if isinstance(a, Unknown)), None) or max(known)


def _least(ages: _Ages) -> float | Unknown:
    known = [a for a in ages.values() if isinstance(a, float)]
    return min(known) if known else next(a for a in ages.values() if isinstance(a, Unknown))
