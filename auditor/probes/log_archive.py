"""What a log collector keeps: answers on its journals and file trees in, how far back and how fresh they are out. Pure.

Only what is still fed counts for the oldest record: what a sender that stopped long ago left behind says nothing of how
long records are kept. Sources: systemd-journal-remote(8), journalctl(1), logrotate(8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Unknown
from auditor.readers import files, logrotate
from auditor.readers.rsyslog import age_s, stamped

DAY = 86400.0
STILL_FED_S = 2 * DAY
JOURNALS = "/var/log/journal/remote"
TREES = ("/var/log/remote", "/var/log/hosts", "/srv/log", "/var/log/rsyslog")

# Prints stamps and numbers, never a record nor a name.
JOURNAL = Command(
    r"""echo "uid $(id -u)"
d=/var/log/journal/remote
if ! [ -d "$d" ]; then echo absent
elif ! command -v journalctl >/dev/null; then echo untold
else
  echo "oldest $(journalctl -D "$d" --no-pager -q -o short-unix | awk '{ print $1; exit }')"
  echo "newest $(journalctl -D "$d" --no-pager -q -n 1 -o short-unix | awk '{ print $1; exit }')"
  echo "senders $(journalctl -D "$d" --no-pager -q -F _HOSTNAME | awk 'END { print NR }')"
fi
echo end""",
    elevated=True,
    timeout_s=60,
    cap_bytes=4096,
)

# A sender is the first part of a file's path below the tree that is not a date, without the endings of a rotated log.
# For each tree: `tree PATH`, `senders ALL STILL_FED`, `newest MTIME`, `oldest MTIME STAMP`; a sender is still fed when
# one of its files that hold something was written in the last two days.
TREE = Command(
    r"""echo "uid $(id -u) zone $(date +%z)"
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
      s[NR] = w; t[NR] = m; p[NR] = f
      if (m > last[w]) last[w] = m
      if (m > newest) newest = m
    }
    END {
      for (w in last) { all++; if (now - last[w] <= 172800) fed++ }
      print "senders", all + 0, fed + 0
      if (newest) print "newest", newest
      for (i = 1; i <= NR; i++) if (!fed || now - last[s[i]] <= 172800) print "x", t[i], p[i]
    }' | sort -k 2n | awk '$1 != "x" || k++ < 5')
  printf '%s\n' "$l" | grep -v '^x '
  IFS='
'
  set -f
  for x in $(printf '%s\n' "$l" | sed -n 's/^x //p'); do
    m=${x%% *} f=${x#* }
    s=$(case $f in *.gz) gzip -dc "$f";; *.xz) xz -dc "$f";; *.zst) zstd -dcq "$f";; *.bz2) bzip2 -dc "$f";; *) cat "$f";; esac |
      head -n 20 | awk '
        $1 ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.,]+([-+][0-9:]+|Z)?$/ { print $1; exit }
        $1 ~ /^[A-Z][a-z][a-z]$/ && $2 ~ /^[0-9]+$/ && $3 ~ /^[0-9:]+$/ { print $1, $2, $3; exit }')
    if [ -n "$s" ]; then echo "oldest $m $s"; break; else echo "unread $m"; fi
  done
  unset IFS
  set +f
done
echo end""",
    elevated=True,
    timeout_s=120,
    cap_bytes=16384,
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


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    directories = tuple(args.get("directories", ()))
    tree = Command(TREE.text, arguments=directories, elevated=True, timeout_s=TREE.timeout_s, cap_bytes=TREE.cap_bytes)
    return {"journal": JOURNAL, "tree": tree, "engines": ENGINES, "logrotate": LOGROTATE}


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
    return {
        "oldest_record_days": unseen or _elsewhere(engines) or _oldest(stores),
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
    oldest, newest = stamped(told["oldest"]), stamped(told.get("newest", ""))
    return _Store(JOURNALS, age_s(answer, oldest), age_s(answer, newest), _count(told.get("senders", "")))


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
    senders = _count(told.get("senders", "").partition(" ")[0])
    if "newest" not in told:
        empty = senders == 0 and not answer.error_text.strip()
        unread = Unknown("unreadable", answer.error_text[:200] or path)
        return _Store(path, None, None, 0) if empty else _Store(path, unread, unread, senders)
    newest = age_s(answer, stamped(told["newest"]))
    oldest: float | Unknown = Unknown("unreadable", f"no time stamp in the oldest files of {path}")
    if "oldest" in told and "unread" not in told:
        written, _, stamp = told["oldest"].partition(" ")
        oldest = age_s(answer, stamped(stamp, not_after=stamped(written), zone=zone))
    return _Store(path, oldest, newest, senders)


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
    """Of the stores that are still fed; of all when none is."""
    fed = [s for s in stores if isinstance(s.newest, Unknown) or (s.newest is not None and s.newest <= STILL_FED_S)]
    ages = [s.oldest for s in fed or stores if s.oldest is not None]
    unknown = next((a for a in ages if isinstance(a, Unknown)), None)
    if unknown or not ages:
        return unknown
    return round(max(a for a in ages if not isinstance(a, Unknown)) / DAY, 1)


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
            "oldest_record_days": {
                "type": "number",
                "description": "Age of the oldest record of what is still fed; null when nothing is kept in the places looked at.",
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
