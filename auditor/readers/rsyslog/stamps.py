"""The time stamp of a record in; when it was written, and how old it is, out. Pure.

Sources: RFC 3339 and the traditional BSD stamp (RFC 3164, 4.1.2).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from auditor.model import Output, Unknown

Stamped = float | Unknown  # seconds since 1970 UTC
SKEW_LIMIT_S = 86400.0
AHEAD_S = 300.0  # a clock may be set back a little between two records
OLDEST_S = 20 * 366 * 86400.0  # older is a machine that started without a clock
# first FILE: the stamp of the first record in it, compressed or not; nothing where the first lines have none.
FIRST_STAMP = r"""first() {
  case $1 in *.gz) gzip -dc "$1";; *.xz) xz -dc "$1";; *.zst) zstd -dcq "$1";; *.bz2) bzip2 -dc "$1";; *) cat "$1";; esac |
    head -n 20 | awk '
      $1 ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.,]+([-+][0-9:]+|Z)?$/ { print $1; exit }
      $1 ~ /^[A-Z][a-z][a-z]$/ && $2 ~ /^[0-9]+$/ && $3 ~ /^[0-9:]+$/ { print $1, $2, $3; exit }'
}
"""
_EPOCH = re.compile(r"\d{1,11}(\.\d{1,9})?\Z", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[-+]\d\d:?\d\d)?\Z", re.ASCII)
_BSD = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d)\Z", re.ASCII)
_ZONE = re.compile(r"([-+])(\d\d):?(\d\d)\Z", re.ASCII)


def stamped(text: str, not_after: Stamped = 0.0, zone: str = "+0000") -> Stamped:
    """When a record was written: an epoch, an RFC 3339 stamp, or a BSD one, which has neither year nor zone.

    `not_after` is when the record's file was last written and gives the year; `zone` is the host's.
    """
    text = text.strip()
    if _EPOCH.match(text):
        return float(text)
    try:
        iso = _ISO.match(text)
        if iso:
            return datetime.fromisoformat(iso[1]).replace(tzinfo=_zone(iso[2] or zone)).timestamp()
        bsd = _BSD.match(text)
        if bsd:
            return not_after if isinstance(not_after, Unknown) else _bsd(f"{bsd[1]} {bsd[2]} {bsd[3]}", not_after, zone)
    except (ValueError, OverflowError):
        pass
    return Unknown("unreadable", f"no time stamp: {text[:40]}")


def _zone(text: str) -> timezone:
    found = _ZONE.match(text)
    if not found:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _bsd(text: str, not_after: float, zone: str) -> Stamped:
    latest = not_after + 86400
    year = datetime.fromtimestamp(latest, UTC).year
    for back in range(9):  # 29 February comes once in eight years at worst
        try:
            at = datetime.strptime(f"{year - back} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=_zone(zone)).timestamp()
        except ValueError:
            continue
        if at <= latest:
            return at
    return Unknown("unreadable", f"no such day: {text}")


def age_s(answer: Output, at: Stamped) -> float | Unknown:
    """How old something on a host was when the host answered, by the host's own clock."""
    if isinstance(at, Unknown):
        return at
    if answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_LIMIT_S:
        return Unknown("clock_skew")
    age = answer.host_at - at
    if age < -AHEAD_S:
        return Unknown("clock_skew", "dated in the future")
    if age > OLDEST_S:
        return Unknown("clock_skew", "dated before the host's clock was set")
    return max(0.0, age)
