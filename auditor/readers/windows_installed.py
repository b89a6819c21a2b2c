"""When a Windows host was installed, as its registry tells it: one answer in, days out. Pure.

An upgrade to another release is an installation.
"""

from __future__ import annotations

from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers import ps_json
from auditor.readers.rsyslog import age_s, stamped

# Seconds since 1970.
INSTALLED = Command(
    r"""$v = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' -Name InstallDate -ErrorAction Stop
[string]$v.InstallDate""",
    cap_bytes=1024,
)
DAY = 86400.0


def days(answer: Answer) -> float | Unknown:
    why = ps_json.gap(answer)
    if why or isinstance(answer, Failure):
        return why or Unknown("not_told")
    age = age_s(answer, stamped(answer.text.strip()))
    return age if isinstance(age, Unknown) else round(age / DAY, 1)
