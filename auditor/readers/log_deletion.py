r"""What deletes old records on a collector by their age: cron tables, units and tmpfiles.d in; days kept of each path out. Pure.

Only what stands in these files is seen: a script that one of them starts may delete too. Sources: journalctl(1),
"--vacuum-time"; find(1), "-mtime"; tmpfiles.d(5), "Age"; systemd.time(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model import Answer, Command, Failure, Unknown

# Prints paths and spans, never a line of these files: `vacuum DIRECTORY SPAN`, `find DIRECTORY DAYS`, `tmpfiles PATH AGE`.
DELETION = Command(
    r"""echo "uid $(id -u)"
for f in /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* \
  /var/spool/cron/crontabs/root /var/spool/cron/root /var/spool/cron/tabs/root /etc/systemd/system/*.service \
  /usr/local/lib/systemd/system/*.service /etc/tmpfiles.d/*.conf /run/tmpfiles.d/*.conf /usr/lib/tmpfiles.d/*.conf; do
  if [ -f "$f" ] && [ -s "$f" ]; then set -- "$@" "$f"; fi
done
awk '
  /^[ \t]*#/ { next }
  FILENAME ~ /tmpfiles\.d\// {
    if ($1 ~ /^[dDevCqQ]/ && $2 ~ /^\/(var\/log|srv|data)/ && $6 != "" && $6 != "-") print "tmpfiles", $2, $6
    next
  }
  /journalctl/ && match($0, /--vacuum-time[= ]*("[^"]*"|\047[^\047]*\047|[0-9A-Za-z.]+)/) {
    s = substr($0, RSTART + 13, RLENGTH - 13); gsub(/["\047=]/, "", s); sub(/^ +/, "", s)
    if (match($0, /(-D|--directory)[= ]*["\047]?\/[^ "\047;|&]+/)) {
      d = substr($0, RSTART, RLENGTH); sub(/^[^\/]*/, "", d); print "vacuum", d, s
    }
  }
  /(^|[ \t\/])find[ \t]/ && /-delete|(exec|xargs)[^|;&]*rm/ && match($0, /-mtime +[+][0-9]+/) {
    n = substr($0, RSTART, RLENGTH); sub(/.*[+]/, "", n)
    t = $0; sub(/.*(^|[ \t\/])find[ \t]+/, "", t); sub(/ -[a-z].*/, "", t); gsub(/["\047]/, "", t); k = split(t, p, " ")
    for (i = 1; i <= k; i++) if (p[i] ~ /^\//) print "find", p[i], n
  }' "$@" /dev/null
echo end""",
    elevated=True,
    timeout_s=10,
    cap_bytes=16384,
)
_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", re.ASCII)
LONGEST = 40  # characters of a span
_UNITS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1 / 86400),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 1 / 1440),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 1 / 24),
    **dict.fromkeys(("d", "day", "days"), 1.0),
    **dict.fromkeys(("w", "week", "weeks"), 7.0),
    **dict.fromkeys(("M", "month", "months"), 30.44),
    **dict.fromkeys(("y", "year", "years"), 365.25),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Something deletes what is older than `days` in a directory; `exact`: not below it."""

    path: str
    days: float | Unknown
    exact: bool = False

    def concerns(self, store: str) -> bool:
        """Whether it deletes in a store, or in a part of one."""
        path = self.path.rstrip("/") or "/"
        inside = path.startswith(store + "/") or store.startswith(path.rstrip("/") + "/")
        return path == store or (inside and not self.exact)


def rules(answer: Answer) -> list[Rule] | Unknown:
    """The answer to DELETION."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.split("\n")
    if not lines[0].startswith("uid ") or "end" not in lines:
        return Unknown("unreadable", "what deletes records is not told")
    if lines[0] != "uid 0":
        return Unknown("no_privilege", "root's own cron table was not read")
    return list(_rules(lines))


def _rules(lines: list[str]) -> Iterator[Rule]:
    for line in lines:
        kind, _, rest = line.partition(" ")
        path, _, age = rest.partition(" ")
        if kind == "vacuum":
            yield Rule(path, span_days(age), exact=True)
        elif kind == "find":
            yield Rule(path, span_days(age + "d"))
        elif kind == "tmpfiles":
            yield Rule(path.rstrip("*").rstrip("/"), span_days(age.lstrip("~").rpartition(":")[2]))


def span_days(text: str) -> float | Unknown:
    """A time span of systemd.time(7), in days; a number alone counts seconds."""
    parts = _SPAN.findall(text) if len(text) <= LONGEST else []
    rebuilt = re.sub(r"\s", "", "".join(n + u for n, u in parts))
    if not parts or rebuilt != re.sub(r"\s", "", text) or any(unit not in _UNITS for _, unit in parts):
        return Unknown("unreadable", f"no time span: {text[:40]}")
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts), 1)
