"""The newest records of one kind in a log of a Windows host: a question made of constants; when they were made, out. Pure.

Of a record only its time and level leave the host. A log that is not there, and one without such a record, are told by
the identifiers of their errors, which are the same in every language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers import ps_json

_TEXT = r"""$i = @(Get-WinEvent -LogName $A[0] -FilterXPath $A[1] -MaxEvents 20 -ErrorAction Stop | ForEach-Object {
    [ordered]@{ at = $_.TimeCreated.ToUniversalTime().ToString('s') + 'Z'; level = [int]$_.Level }
})
ConvertTo-Json -InputObject ([ordered]@{ records = $i }) -Depth 3 -Compress"""
_NONE = re.compile(r"\s*(NoMatchingEventsFound|NoMatchingLogsFound)\b")
INFORMATION = (0, 4)  # levels of a record that tells of no trouble
WARNING = 3


@dataclass(frozen=True, slots=True)
class Record:
    at: float
    level: int


def question(log: str, number: int) -> Command:
    """The newest records with this number in this log, the newest first."""
    return Command(_TEXT, arguments=(log, f"*[System[(EventID={number})]]"), elevated=True, cap_bytes=8192)


def read(answer: Answer) -> list[Record] | Unknown:
    """The newest first; none where the log is not there, or holds none. Raises Unreadable."""
    if not isinstance(answer, Failure) and answer.exit_code != 0 and _NONE.match(answer.error_text):
        return []
    told = ps_json.read(answer)
    if isinstance(told, Unknown):
        return told
    found = []
    for row in ps_json.rows(told, "records"):
        at, level = ps_json.moment(row.get("at"), "TimeCreated"), ps_json.number(row.get("level"), "Level")
        if at is None or isinstance(at, Unknown) or isinstance(level, Unknown):
            return Unknown("unreadable", "a record of the event log")
        found.append(Record(at, int(level)))
    return found
