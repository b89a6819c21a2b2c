"""What vendors' own status commands print in; whether each product watches, and how fresh it is, out. Pure.

Sources: the vendors' manuals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.processes import Processes
from auditor.readers.products.nouns import State
from auditor.readers.rsyslog import age_s

STATUS = Command(
    r"""r() {
  n=$1
  shift
  if [ -x "$1" ]; then "$@" 2>&1 | head -c 8192 | tr -d '\r' | awk -v n="$n" '{ print n "|" $0 }'; fi
}
r falcon /opt/CrowdStrike/falconctl -g --version --rfm-state
r sentinelone /opt/sentinelone/bin/sentinelctl control status
r cortex /opt/traps/bin/cytool runtime query
r bitdefender /opt/bitdefender-security-tools/bin/bduitool get ps
r trend /opt/ds_agent/dsa_query -c GetComponentInfo -r au AM.mode
echo end""",
    elevated=True,
    timeout_s=40,
    cap_bytes=65536,
)


NO_SIGNATURES = Unknown("not_told", "how fresh it is, its console tells")


def untold(answers: Mapping[str, Answer], seen: Processes) -> State:
    """Of a product whose own status is not asked."""
    untold = Unknown("not_told", "this product's own status is not read")
    return State(untold, untold)


def _lines(answers: Mapping[str, Answer], vendor: str) -> str | Unknown:
    """What a vendor's own command printed."""
    answer = answers["status"]
    if isinstance(answer, Failure):
        return answer.unknown()
    if not answer.text.rstrip().endswith("end"):
        return Unknown("unreadable", "the products' status")
    return "\n".join(line.partition("|")[2] for line in answer.text.splitlines() if line.startswith(vendor + "|"))


def _matched(text: str | Unknown, yes: str, no: str) -> bool | Unknown:
    """True or false where the text says so and does not say the contrary; Unknown otherwise."""
    if isinstance(text, Unknown):
        return text
    says, denies = re.search(yes, text, re.MULTILINE), re.search(no, text, re.MULTILINE)
    if says and not denies:
        return True
    return False if denies and not says else Unknown("unreadable", text[:80])


def falcon(answers: Mapping[str, Answer], seen: Processes) -> State:
    """In reduced functionality mode the sensor sees nothing."""
    text = _lines(answers, "falcon")
    return State(_matched(text, r"\brfm-state\s*=\s*false\b", r"\brfm-state\s*=\s*true\b"), NO_SIGNATURES)


def sentinelone(answers: Mapping[str, Answer], seen: Processes) -> State:
    text = _lines(answers, "sentinelone")
    return State(_matched(text, r"^Agent state:?\s+Enabled\s*$", r"^Agent state:?\s+Disabled\b"), NO_SIGNATURES)


def cortex(answers: Mapping[str, Answer], seen: Processes) -> State:
    text = _lines(answers, "cortex")
    return State(_matched(text, r"^[ \t]*pmd\b.*\bRunning\b", r"^[ \t]*pmd\b.*\bStopped\b"), NO_SIGNATURES)


def bitdefender(answers: Mapping[str, Answer], seen: Processes) -> State:
    text = _lines(answers, "bitdefender")
    on = _matched(text, r"^[ \t]*Antimalware status:\s*On\s*$", r"^[ \t]*Antimalware status:\s*Off\s*$")
    return State(on, text if isinstance(text, Unknown) else _bitdefender_age(text, answers["status"]))


_UPDATED = re.compile(
    r"Last security content update:\s*(\d{4}-\d\d-\d\d) at (\d\d:\d\d:\d\d) GMT(?:([-+])(\d{1,2})(?::?(\d\d))?)?\s*$",
    re.MULTILINE | re.ASCII,
)


def _bitdefender_age(text: str, answer: Answer) -> float | Unknown:
    found = _UPDATED.search(text)
    if not found or isinstance(answer, Failure):
        return Unknown("unreadable", "the date of the last security content update")
    minutes = int(found[4] or 0) * 60 + int(found[5] or 0)
    try:
        zone = timezone(timedelta(minutes=-minutes if found[3] == "-" else minutes)) if minutes else UTC
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return Unknown("unreadable", found[0][:80])
    return age_s(answer, at)


def trend(answers: Mapping[str, Answer], seen: Processes) -> State:
    text = _lines(answers, "trend")
    mode = _matched(text, r"^Component\.AM\.mode:\s*on\s*$", r"^Component\.AM\.mode:\s*off\s*$")
    return State(mode, NO_SIGNATURES)


def wazuh(answers: Mapping[str, Answer], seen: Processes) -> State:
    """It watches logs and files for signs of intrusion; it is no antivirus and has no signatures."""
    return State(False, None)
