"""The databases of ClamAV and its processes in; whether it watches, and how fresh it is, out. Pure.

Sources: clamd(8), clamonacc(8), the header of its databases as `sigtool --info` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.processes import Processes
from auditor.readers.products.nouns import State
from auditor.readers.rsyslog import age_s

# The first bytes of a database say when it was built. `d` stands before what is in each directory.
CLAMAV = Command(
    r"""d=$(awk '$1 == "DatabaseDirectory" { print $2 }' /etc/clamav/*.conf /etc/clamd.conf /etc/clamd.d/*.conf /etc/freshclam.conf 2>/dev/null | sort -u)
for d in ${d:-/var/lib/clamav}; do
  echo "d $d"
  if [ -d "$d" ] && ! [ -x "$d" ]; then echo "! $d"; fi
  for f in "$d/daily.cvd" "$d/daily.cld"; do
    if [ -r "$f" ]; then echo "$(head -c 200 "$f" | tr -cd '[:print:]')"
    elif [ -e "$f" ]; then echo "! $f"; fi
  done
done
echo end""",
    timeout_s=5,
    cap_bytes=8192,
)


def clamav(answers: Mapping[str, Answer], seen: Processes) -> State:
    """clamd scans what it is given; only clamonacc watches what is opened."""
    return State(seen.runs(["clamonacc"]), _clamav_age(answers["clamav"]))


def _clamav_age(answer: Answer) -> float | Unknown | None:
    """Of the freshest database in a directory; of the stalest directory, since clamd may be set to any of them."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        return Unknown("unreadable", "the ClamAV databases")
    starts = [i for i, line in enumerate(lines) if line.startswith("d ")] + [len(lines) - 1]
    ages = [_age_in(answer, lines[a + 1 : b]) for a, b in pairwise(starts)]
    unknown = next((a for a in ages if isinstance(a, Unknown)), None)
    if unknown or all(a is None for a in ages):
        return unknown
    empty = [lines[i][2:] for i, age in zip(starts, ages, strict=False) if age is None]
    if empty:
        return Unknown("not_told", f"no database in {empty[0][:100]}, which is set beside another")
    return max(a for a in ages if isinstance(a, float))


def _age_in(answer: Output, lines: list[str]) -> float | Unknown | None:
    """None: the directory holds no database."""
    ages: list[float] = []
    for line in lines:
        if line.startswith("! "):
            return Unknown("no_privilege", line[2:])
        age = age_s(answer, _built(line)) if line.startswith("ClamAV-VDB:") else Unknown("unreadable", line[:40])
        if isinstance(age, Unknown):
            return age
        ages.append(age)
    return min(ages, default=None)


def _built(header: str) -> float | Unknown:
    """`ClamAV-VDB:21 Nov 2026 08-27 -0500:27500:...`"""
    try:
        return datetime.strptime(header.split(":")[1].strip(), "%d %b %Y %H-%M %z").timestamp()
    except (ValueError, OverflowError):
        return Unknown("unreadable", header[:40])
