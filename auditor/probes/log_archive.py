"""What a log collector keeps: answers on its journals and file trees in, how far back and how fresh they are out. Pure.

How far back it reaches is told of each sender that is still fed, since one old record says nothing of the others; how old
records get is told of everything that is kept. A sender that is new reaches back no further than one whose records were
cut, and nothing in the records tells them apart. Sources: systemd-journal-remote(8), journalctl(1), logrotate(8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median_low
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Unknown
from auditor.readers import files, logrotate
from auditor.readers.rsyslog import FIRST_STAMP, Stamped, age_s, stamped

DAY = 86400.0
STILL_FED_S = 2 * DAY
JOURNALS = "/var/log/journal/remote"
TREES = ("/var/log/remote", "/var/log/hosts", "/srv/log", "/var/log/rsyslog")

# Prints stamps and numbers, never a record nor a name: `sender OLDEST NEWEST` for each of the first 200.
JOURNAL = Command(
    r"""echo "uid $(id -u)"
d=/var/log/journal/remote
if ! [ -d "$d" ]; then echo absent
elif ! command -v journalctl >/dev/null; then echo untold
else
  echo "oldest $(journalctl -D "$d" --no-pager -q -o short-unix | awk '{ print $1; exit }')"
  echo "newest $(journalctl -D "$d" --no-pager -q -n 1 -o short-unix | awk '{ print $1; exit }')"
  l=$(journalctl -D "$d" --no-pager -q -F _HOSTNAME)
  echo "senders $(printf '%s\n' "$l" | awk 'NF { n++ } END { print n + 0 }')"
  IFS='
'
  set -f
  n=0
  for h in $l; do
    n=$((n + 1))
    if [ "$n" -gt 200 ]; then echo left; break; fi
    newest=$(journalctl -D "$d" --no-pager -q -n 1 -o short-unix "_HOSTNAME=$h" | awk '{ print $1; exit }')
    oldest=$(journalctl -D "$d" --no-pager -q -o short-unix "_HOSTNAME=$h" | awk '{ print $1; exit }')
    echo "sender ${oldest:-?} ${newest:-?}"
  done
fi
echo end""",
    elevated=True,
    timeout_s=120,
    cap_bytes=32768,
)

# A sender is the first part of a file's path below the tree that is not a date, without the endings of a rotated log.
# For each tree: `tree PATH`, `senders ALL STILL_FED`, `newest MTIME`, `oldest MTIME STAMP`, and `sender MTIME STAMP` for each
# of the first 500 that are still fed: one of their files that hold something was written in the last two days. The stamp is
# the first one of the file that was left untouched the longest, of all files and of the sender's.
TREE = Command(
    FIRST_STAMP
    + r"""echo "uid $(id -u) zone $(date +%z)"
now=$(date +%s)
for d in /var/log/remote /var/log/hosts /srv/log /var/log/rsyslog "$@"; do
  [ -d "$d" ] || continue
  echo "tree $d"
  l=$(find -H "$d" -type f -size +0 -exec stat -c '%Y %n' {} + | awk -v root="$d" -v now="$now" '
    {
      m = $1; f = substr($0, length($1) + 2); n = split(substr(f, length(root) + 2), part, "/"); w = part[n]
      for (i = 1; i <= n; i++)
        if (part[i] !~ /^[0-9][0-9]?$/ && part[i] !~ /^[12][0-9][0-9][0-9]([-_.]?[01][0-9]([-_.]?[0-3][0-9])?)?$/) { w = part[i]; break }
      if (i >= n) while (w !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ &&
        sub(/(\.(gz|xz|bz2|zst|log|[0-9]+)|[-_.][12][0-9][0-9][0-9][-_.]?[01][0-9][-_.]?[0-3][0-9])$/, "", w)) ;
      if (!(w in first) || m < first[w]) { first[w] = m; file[w] = f }
      if (m > last[w]) last[w] = m
      if (m > newest) newest = m
      if (!oldest || m < oldest) { oldest = m; of = f }
    }
    END {
      for (w in last) { all++; if (now - last[w] <= 172800) fed++ }
      print "senders", all + 0, fed + 0
      if (newest) print "newest", newest
      if (oldest) print "x oldest", oldest, of
      for (w in last) if (now - last[w] <= 172800) { if (++k > 500) { print "left"; break } print "x sender", first[w], file[w] }
    }')
  printf '%s\n' "$l" | grep -v '^x '
  IFS='
'
  set -f
  for x in $(printf '%s\n' "$l" | sed -n 's/^x //p'); do
    k=${x%% *} x=${x#* }
    echo "$k ${x%% *} $(first "${x#* }")"
  done
  unset IFS
  set +f
done
echo end""",
    elevated=True,
    timeout_s=120,
    cap_bytes=65536,
    takes="path",
)

# Other engines that hold records, in a store of their own that this probe does not read.
ENGINES = Command(
    r"""for d in /var/lib/elasticsearch /var/lib/opensearch /var/lib/wazuh-indexer /var/lib/graylog-server /var/lib/loki \
  /opt/splunk/var/lib/splunk /var/lib/quickwit /var/lib/clickhouse; do
  if [ -e "$d" ]; then echo "$d"; fi
done
[ -x /var/lib ] && echo looked""",
    timeout_s=5,
    cap_bytes=4096,
)
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*", kind="read"
)


@dataclass(frozen=True, slots=True)
class _Store:
    """Ages in seconds; None where the store holds no record."""

    path: str
    oldest: float | Unknown | None
    newest: float | Unknown | None
    senders: int | Unknown
    reaches: tuple[float | Unknown, ...] = ()  # of each sender that is still fed


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    directories = tuple(args.get("directories", ()))
    return {
        "journal": JOURNAL,
        "tree": replace(TREE, arguments=directories),
        "engines": ENGINES,
        "logrotate": LOGROTATE,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    journal, trees = _journal(answers["journal"]), _trees(answers["tree"])
    unseen = next((s for s in (journal, trees) if isinstance(s, Unknown)), None)
    stores = (
        []
        if unseen
        else [*([journal] if isinstance(journal, _Store) else []), *(trees if isinstance(trees, list) else [])]
    )
    engines = _engines(answers["engines"])
    newest: Fact = unseen or _newest(stores)
    known = unseen or _elsewhere(engines)
    reaches = [r for s in stores for r in s.reaches]
    return {
        "shortest_reach_days": known or _reach(reaches, min),
        "typical_reach_days": known or _reach(reaches, median_low),
        "oldest_record_days": known or _oldest(stores),
        "newest_record_hours": unseen or (newest if newest is not None else _elsewhere(engines)),
        "senders": unseen or _senders(stores),
        "stores": unseen or [_shown(s) for s in stores],
        "other_engines": engines,
        "configured_days": _configured(answers["logrotate"], stores, unseen),
    }


def _told(answer: Output) -> list[list[str]] | Unknown:
    """The words of each line, when the answer is whole and root gave it."""
    lines = [line.split(" ", 2) for line in answer.text.splitlines()]
    if len(lines) < 2 or lines[0][0] != "uid" or lines[-1] != ["end"]:
        return Unknown("unreadable", "the stores of records are not told")
    return lines if lines[0][1:2] == ["0"] else Unknown("no_privilege", "the records were not read as root")


def _journal(answer: Answer) -> _Store | Unknown | None:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _told(answer)
    if isinstance(lines, Unknown):
        return lines
    told = {line[0]: line[-1] if len(line) > 1 else "" for line in lines[1:-1]}
    if "absent" in told:
        return None
    if "untold" in told:
        return Unknown("not_told", "no journalctl on this host")
    if not told.get("oldest"):
        if answer.error_text.strip():
            return Unknown("unreadable", answer.error_text[:200])
        return _Store(JOURNALS, None, None, 0)
    oldest, newest = age_s(answer, stamped(told["oldest"])), age_s(answer, stamped(told.get("newest", "")))
    senders = _count(told.get("senders", ""))
    reaches = [r for line in lines if line[0] == "sender" for r in _sender(answer, line)]
    if senders != sum(line[0] == "sender" for line in lines):
        reaches.append(Unknown("not_told", "not every sender of the journal was asked"))
    if senders == 0 and isinstance(newest, float) and newest <= STILL_FED_S:
        reaches = [oldest]
    return _Store(JOURNALS, oldest, newest, senders, tuple(reaches))


def _sender(answer: Output, line: list[str]) -> list[float | Unknown]:
    """How far back a sender's journal reaches; nothing of one that is no longer fed."""
    oldest, newest = (age_s(answer, stamped(word)) for word in (*line[1:], "", "")[:2])
    if isinstance(newest, float) and newest > STILL_FED_S:
        return []
    return [newest if isinstance(newest, Unknown) else oldest]


def _count(text: str) -> int | Unknown:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else Unknown("unreadable", "senders")


def _trees(answer: Answer) -> list[_Store] | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _told(answer)
    if isinstance(lines, Unknown):
        return lines
    zone = lines[0][-1].rpartition(" ")[2]
    cuts = [i for i, line in enumerate(lines) if line[0] == "tree"] + [len(lines) - 1]
    return [_tree(answer, lines[a:b], zone) for a, b in pairwise(cuts)]


def _tree(answer: Output, lines: list[list[str]], zone: str) -> _Store:
    path = " ".join(lines[0][1:])
    told = {line[0]: " ".join(line[1:]) for line in lines[1:]}
    every, _, fed = told.get("senders", "").partition(" ")
    senders = _count(every)
    if "newest" not in told:
        empty = senders == 0 and not answer.error_text.strip()
        unread = Unknown("unreadable", answer.error_text[:200] or path)
        return _Store(path, None, None, 0) if empty else _Store(path, unread, unread, senders, (unread,))
    newest = age_s(answer, stamped(told["newest"]))
    reaches = [_first(answer, line[1:], zone, path) for line in lines if line[0] == "sender"]
    if len(reaches) != _count(fed):
        reaches.append(Unknown("not_told", f"not every sender of {path} was asked"))
    oldest = _first(answer, told.get("oldest", "").split(" ", 1), zone, path)
    known = [
        a for a in (oldest, *reaches) if isinstance(a, float)
    ]  # a file that is still written may begin the earliest
    return _Store(path, max(known) if isinstance(oldest, float) else oldest, newest, senders, tuple(reaches))


def _first(answer: Output, words: list[str], zone: str, path: str) -> float | Unknown:
    """The age of a file's first record, from when the file was written and the stamp."""
    written, stamp = (*words, "", "")[:2]
    if not stamp.strip():
        return Unknown("unreadable", f"no time stamp in the oldest files of {path}")
    at: Stamped = stamped(stamp, not_after=stamped(written), zone=zone)
    return age_s(answer, at)


def _engines(answer: Answer) -> Fact:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if "looked" not in lines:
        return Unknown("no_privilege", "/var/lib")
    return [line for line in lines if line.startswith("/")]


def _elsewhere(engines: Fact) -> Unknown | None:
    """Set when records may lie where this probe does not read."""
    if isinstance(engines, Unknown):
        return engines
    return Unknown("not_told", "records are also kept in " + ", ".join(engines)) if engines else None


def _oldest(stores: list[_Store]) -> Fact:
    """Of everything that is kept."""
    ages = [s.oldest for s in stores if s.oldest is not None]
    unknown = next((a for a in ages if isinstance(a, Unknown)), None)
    if unknown or not ages:
        return unknown
    return round(max(a for a in ages if not isinstance(a, Unknown)) / DAY, 1)


def _reach(reaches: list[float | Unknown], of: Callable[[list[float]], float]) -> Fact:
    """None when nothing is fed any more."""
    unknown = next((r for r in reaches if isinstance(r, Unknown)), None)
    known = [r for r in reaches if isinstance(r, float)]
    return unknown or (round(of(known) / DAY, 1) if known else None)


def _newest(stores: list[_Store]) -> Fact:
    ages = [s.newest for s in stores if s.newest is not None]
    known = [a for a in ages if not isinstance(a, Unknown)]
    if known:
        return round(min(known) / 3600, 1)
    return ages[0] if ages else None


def _senders(stores: list[_Store]) -> Fact:
    """The most that one store knows: the same sender may feed several."""
    counts = [s.senders for s in stores]
    unknown = next((c for c in counts if isinstance(c, Unknown)), None)
    return unknown or max((c for c in counts if isinstance(c, int)), default=0)


def _shown(store: _Store) -> dict[str, Fact]:
    oldest, newest = store.oldest, store.newest
    return {
        "path": store.path,
        "oldest_record_days": round(oldest / DAY, 1) if isinstance(oldest, float) else oldest,
        "newest_record_hours": round(newest / 3600, 1) if isinstance(newest, float) else newest,
        "senders": store.senders,
    }


def _configured(answer: Answer, stores: list[_Store], unseen: Unknown | None) -> Fact:
    """What logrotate is set to keep; a journal has a limit of size only, and other ways to delete are not seen."""
    if unseen:
        return unseen
    read = files.read(answer)
    if read.gap:
        return read.gap
    for store in stores:
        kept = logrotate.kept_below(read.texts, store.path)
        if kept is not None:
            return kept
    return Unknown("not_told", "no setting of logrotate speaks of these records")


PROBE = Probe(
    title={"en": "Collected logs", "fr": "Journaux collectés"},
    privilege={
        "en": "Root reads the collected journals and files; only time stamps and numbers leave the host.",
        "fr": "root lit les journaux et fichiers collectés ; seuls des horodatages et des nombres quittent l'hôte.",
    },
    arguments={
        "type": "object",
        "properties": {
            "directories": {
                "type": "array",
                "items": {"type": "string", "pattern": "^/[^\\n]+$"},
                "description": "Directories that hold collected files, beside the usual ones.",
            }
        },
        "additionalProperties": False,
    },
    facts={
        "type": "object",
        "properties": {
            "shortest_reach_days": {
                "type": "number",
                "description": "Of the senders still fed, how far back the one that reaches least reaches; null when none is.",
            },
            "typical_reach_days": {
                "type": "number",
                "description": "How far back at least half of the senders still fed reach; null when none is fed.",
            },
            "oldest_record_days": {
                "type": "number",
                "description": "Age of the oldest record of all; null when nothing is kept in the places looked at.",
            },
            "newest_record_hours": {
                "type": "number",
                "description": "Time since the newest record came; null when nothing is kept in the places looked at.",
            },
            "senders": {"type": "integer", "description": "How many senders the records tell apart."},
            "stores": {
                "type": "array",
                "description": "Each place where records are kept.",
                "items": {
                    "type": "object",
                    "x-name": "path",
                    "properties": {
                        "path": {"type": "string", "description": "The directory."},
                        "oldest_record_days": {"type": "number", "description": "Age of its oldest record."},
                        "newest_record_hours": {"type": "number", "description": "Time since its newest record."},
                        "senders": {"type": "integer", "description": "How many senders it tells apart."},
                    },
                },
            },
            "other_engines": {
                "type": "array",
                "description": "Data directories of other log engines, which this probe does not read.",
                "items": {"type": "string", "description": "The directory."},
            },
            "configured_days": {
                "type": "number",
                "description": "How long logrotate is set to keep the collected files.",
            },
        },
    },
    dialects={"linux": Dialect(commands, parse)},
)
