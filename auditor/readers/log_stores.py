r"""Where a collector keeps records: the texts that ask for it, and the answers in; stores with their senders out. Pure.

A store is the journals that systemd-journal-remote writes, or a tree of files. Of records nothing leaves the host but when
they came, how their stamps are written and the names of their senders, which are hosts: who looks whether each inventoried
host is there needs the names. Sources: systemd-journal-remote(8), journal-remote.conf(5), journalctl(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.rsyslog import FIRST_STAMP, Stamped, age_s, stamped

STILL_FED_S = 2 * 86400.0
JOURNALS = "/var/log/journal/remote"
DIRECTORIES = {
    "type": "array",
    "items": {"type": "string", "pattern": "^/[^\\n]+$"},
    "description": "Directories that hold collected files, beside the usual ones.",
}

# Of each of the first 200 senders: `sender OLDEST NEWEST NAME`; of those beyond, `more NAME`. `file NEWEST NAME` is what the
# files say that are named after the host which sent (SplitMode=host), NEWEST in hexadecimal microseconds: one look at all.
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
  echo "kib $(du -sk "$d" | awk '{ print $1; exit }')"
  df -Pk "$d" | awk 'NR == 2 { print "space", $2, $4, $6 }'
  journalctl -D "$d" --no-pager -q --header | awk '
    /^File path: / {
      w = $0; sub(/.*\//, "", w)
      if (w !~ /^remote-.*\.journal~?$/) { w = ""; next }
      sub(/^remote-/, "", w); sub(/(@[0-9a-f]+-[0-9a-f]+(-[0-9a-f]+)?)?\.journal~?$/, "", w)
    }
    /^Tail realtime timestamp: .*\([0-9a-f]+\)$/ && w != "" && length(w) < 256 {
      t = $NF; gsub(/[()]/, "", t); t = sprintf("%16s", t)
      if (!(w in last) || ("x" t) > last[w]) last[w] = "x" t
    }
    END { for (w in last) { if (++n > 10000) { print "unnamed"; break } t = last[w]; gsub(/[x ]/, "", t); print "file", t, w } }'
  IFS='
'
  set -f
  n=0
  for h in $l; do
    n=$((n + 1))
    if [ "$n" -gt 200 ]; then break; fi
    newest=$(journalctl -D "$d" --no-pager -q -n 1 -o short-unix "_HOSTNAME=$h" | awk '{ print $1; exit }')
    oldest=$(journalctl -D "$d" --no-pager -q -o short-unix "_HOSTNAME=$h" | awk '{ print $1; exit }')
    echo "sender ${oldest:-?} ${newest:-?} $h"
  done
  printf '%s\n' "$l" | awk 'NF && ++n > 200 { if (n > 10200) { print "unnamed"; exit } print "more", substr($0, 1, 255) }'
fi
echo end""",
    elevated=True,
    timeout_s=120,
    cap_bytes=1048576,
)

# A sender is the first part of a file's path below the tree that is not a date, without the endings of a rotated log.
# For each tree: `tree PATH`, `senders ALL STILL_FED`, `kib` and `space` (df), `newest MTIME`, `oldest MTIME STAMP`, `name MTIME
# SENDER` for each of the first 10,000, and `sender MTIME STAMP` for each of the first 500 that are still fed: one of their files
# that hold something was written in the last two days. The stamp is the first one of the file that was left untouched the
# longest, of all files and of the sender's. `stamps SHAPE COUNT`: what the first record of the newest file says of its time,
# for the first 50 that are still fed: y(ear), z(one), f(raction of a second), `-` in their place, or `?`.
TREE = Command(
    FIRST_STAMP
    + r"""echo "uid $(id -u) zone $(date +%z)"
now=$(date +%s)
for d in /var/log/remote /var/log/hosts /srv/log /var/log/rsyslog "$@"; do
  [ -d "$d" ] || continue
  echo "tree $d"
  df -Pk "$d" | awk 'NR == 2 { print "space", $2, $4, $6 }'
  l=$(find -H "$d" -type f -size +0 -exec stat -c '%Y %s %n' {} + | awk -v root="$d" -v now="$now" '
    $1 !~ /^[0-9]+$/ { next }
    {
      m = $1; f = substr($0, length($1) + length($2) + 3); n = split(substr(f, length(root) + 2), part, "/"); w = part[n]
      for (i = 1; i <= n; i++)
        if (part[i] !~ /^[0-9][0-9]?$/ && part[i] !~ /^[12][0-9][0-9][0-9]([-_.]?[01][0-9]([-_.]?[0-3][0-9])?)?$/) { w = part[i]; break }
      if (i >= n) while (w !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ &&
        sub(/(\.(gz|xz|bz2|zst|log|[0-9]+)|[-_.][12][0-9][0-9][0-9][-_.]?[01][0-9][-_.]?[0-3][0-9])$/, "", w)) ;
      bytes += $2
      if (!(w in first) || m < first[w]) { first[w] = m; file[w] = f }
      if (m > last[w]) { last[w] = m; live[w] = f }
      if (m > newest) newest = m
      if (!oldest || m < oldest) { oldest = m; of = f }
    }
    END {
      for (w in last) { all++; if (now - last[w] <= 172800) fed++ }
      print "senders", all + 0, fed + 0
      printf "kib %.0f\n", bytes / 1024
      if (newest) print "newest", newest
      if (oldest) print "x oldest", oldest, of
      for (w in last) { if (++j > 10000 || length(w) > 255) { print "unnamed"; break } print "name", last[w], w }
      for (w in last) if (now - last[w] <= 172800) { if (++k > 500) { print "left"; break } print "x sender", first[w], file[w] }
      for (w in last) if (now - last[w] <= 172800 && live[w] !~ /\.(gz|xz|bz2|zst)$/) { if (++s > 50) break; print "x! " live[w] }
    }')
  printf '%s\n' "$l" | grep -v '^x!* '
  IFS='
'
  set -f
  for x in $(printf '%s\n' "$l" | sed -n 's/^x //p'); do
    k=${x%% *} x=${x#* }
    echo "$k ${x%% *} $(first "${x#* }")"
  done
  x=$(printf '%s\n' "$l" | sed -n 's/^x! //p')
  if [ -n "$x" ]; then head -n 1 $x; fi | awk '
    !NF || /^==> .* <==$/ { next }
    {
      t = $0; sub(/^<[0-9]+>(1 )?/, "", t); s = "?"; at = 0
      if (t ~ /^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) s = "---"
      else if (t ~ /^[{]/) { if (match(t, /"(@?timestamp|time|date)": *"/)) t = substr(t, RSTART + RLENGTH); else t = "" }
      if (t ~ /^[[]?[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9]/) {
        sub(/^[[]?[^T ]*[T ][0-9:]+/, "", t)
        f = match(t, /^[.,][0-9]+/) ? "f" : "-"
        sub(/^[.,][0-9]+/, "", t)
        s = "y" (t ~ /^(Z|[-+][0-9][0-9]:?[0-9][0-9])/ ? "z" : "-") f
      }
      shapes[s]++
    }
    END { for (s in shapes) print "stamps", s, shapes[s] }'
  unset IFS
  set +f
done
echo end""",
    elevated=True,
    timeout_s=120,
    cap_bytes=1048576,
    takes="path",
)


@dataclass(frozen=True, slots=True)
class Store:
    """Ages in seconds; None where the store holds no record.

    `reaches`: of each sender that is still fed, how far back. `newest_of`: of each sender, by name, since when the newest
    record is there; `unnamed` says why names may be missing. `stamps`: how many samples have a stamp of each shape.
    `kib`, `total_kib`, `free_kib`: what it takes, and what its file system (mounted at `mount`) holds.
    """

    path: str
    oldest: float | Unknown | None
    newest: float | Unknown | None
    senders: int | Unknown
    reaches: tuple[float | Unknown, ...] = ()
    newest_of: Mapping[str, float | Unknown] | None = None
    unnamed: Unknown | None = None
    stamps: tuple[tuple[str, int], ...] = ()
    kib: int | None = None
    total_kib: int | None = None
    free_kib: int | None = None
    mount: str = ""

    @property
    def fed(self) -> bool:
        return isinstance(self.newest, float) and self.newest <= STILL_FED_S


def _told(answer: Output) -> list[list[str]] | Unknown:
    """The words of each line, when the answer is whole and root gave it."""
    lines = [line.split(" ", 2) for line in answer.text.split("\n") if line]
    if len(lines) < 2 or lines[0][0] != "uid" or lines[-1] != ["end"]:
        return Unknown("unreadable", "the stores of records are not told")
    return lines if lines[0][1:2] == ["0"] else Unknown("no_privilege", "the records were not read as root")


# What journalctl and find say of what they pass over; both end well all the same. Of a file that goes meanwhile, nothing.
_PASSED_OVER = re.compile(r"ignoring file|Failed to open|^(find|stat): (?!.*No such file)")


def _unread(answer: Output) -> Unknown | None:
    """Why there may be records beside those that were told."""
    line = next((line for line in answer.error_text.splitlines() if _PASSED_OVER.search(line)), None)
    return Unknown("unreadable", line.strip()[:200]) if line else None


def journal(answer: Answer) -> Store | Unknown | None:
    """The answer to JOURNAL; None when there are no journals of others."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _told(answer)
    if isinstance(lines, Unknown):
        return lines
    told = {line[0]: " ".join(line[1:]) for line in lines[1:-1]}
    if "absent" in told:
        return None
    if "untold" in told:
        return Unknown("not_told", "no journalctl on this host")
    if not told.get("oldest"):
        if answer.error_text.strip():
            return Unknown("unreadable", answer.error_text[:200])
        return Store(JOURNALS, None, None, 0, newest_of={})
    oldest, newest = age_s(answer, stamped(told["oldest"])), age_s(answer, stamped(told.get("newest", "")))
    senders = _count(told.get("senders", ""))
    asked = [_sender(answer, line) for line in lines if line[0] == "sender"]
    reaches = [reach for _, _, of in asked for reach in of]
    if senders != len(asked):
        reaches.append(Unknown("not_told", "not every sender of the journal was asked"))
    if senders == 0 and isinstance(newest, float) and newest <= STILL_FED_S:
        reaches = [oldest]
    unread = _unread(answer)
    reaches += [unread] if unread else []
    names = _journal_names(answer, lines, asked)
    named = sum(line[0] in ("sender", "more") for line in lines)
    unnamed = unread or _unnamed(lines, JOURNALS, told.get("senders", ""), named)
    shape = (("yzf", max(1, senders)),) if isinstance(senders, int) else ()
    return Store(JOURNALS, unread or oldest, newest, senders, tuple(reaches), names, unnamed, shape, *_space(told))


def _sender(answer: Output, line: list[str]) -> tuple[str, float | Unknown, list[float | Unknown]]:
    """A sender's name, the age of its newest record, and how far back it reaches: nothing where it is no longer fed."""
    first, (last, _, name) = line[1] if len(line) > 1 else "", (line[2] if len(line) > 2 else "").partition(" ")
    oldest, newest = age_s(answer, stamped(first)), age_s(answer, stamped(last))
    if isinstance(newest, float) and newest > STILL_FED_S:
        return name, newest, []
    return name, newest, [newest if isinstance(newest, Unknown) else oldest]


def _journal_names(
    answer: Output, lines: list[list[str]], asked: list[tuple[str, float | Unknown, list[float | Unknown]]]
) -> dict[str, float | Unknown]:
    """What is known of a name wins over what is not, and the newest over what is older."""
    names: dict[str, float | Unknown] = {}
    for name, newest, _ in asked:
        _keep(names, name, newest)
    for line in lines:
        if line[0] == "file" and len(line) == 3:
            _keep(names, line[2], age_s(answer, _hexadecimal(line[1])))
        elif line[0] == "more" and len(line) > 1:
            _keep(names, " ".join(line[1:]), Unknown("not_asked", "more senders than are asked one by one"))
    return names


def _keep(names: dict[str, float | Unknown], name: str, age: float | Unknown) -> None:
    known = names.get(name)
    if name and (not isinstance(known, float) or (isinstance(age, float) and age < known)):
        names[name] = age


def _hexadecimal(text: str) -> Stamped:
    if re.fullmatch(r"[0-9a-f]{1,15}", text):
        return int(text, 16) / 1e6
    return Unknown("unreadable", f"no time stamp: {text[:40]}")


def _unnamed(lines: list[list[str]], path: str, senders: str, named: int) -> Unknown | None:
    """Why there may be senders that were not named."""
    if ["unnamed"] in lines or senders != str(named):
        return Unknown("not_told", f"not every sender of {path} was named")
    return None


def _count(text: str) -> int | Unknown:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else Unknown("unreadable", "senders")


def _space(told: Mapping[str, str]) -> tuple[int | None, int | None, int | None, str]:
    """KiB of the store, of its file system and free there, and where that is mounted."""
    total, _, rest = told.get("space", "").partition(" ")
    free, _, mount = rest.partition(" ")
    kib, size, left = (_kib(text) for text in (told.get("kib", ""), total, free))
    return kib, size, left, mount


def _kib(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def trees(answer: Answer) -> list[Store] | Unknown:
    """The answer to TREE."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _told(answer)
    if isinstance(lines, Unknown):
        return lines
    zone = lines[0][-1].rpartition(" ")[2]
    cuts = [i for i, line in enumerate(lines) if line[0] == "tree"] + [len(lines) - 1]
    return [_tree(answer, lines[a:b], zone) for a, b in pairwise(cuts)]


def _tree(answer: Output, lines: list[list[str]], zone: str) -> Store:
    path = " ".join(lines[0][1:])
    told = {line[0]: " ".join(line[1:]) for line in lines[1:]}
    every, _, fed = told.get("senders", "").partition(" ")
    senders = _count(every)
    if "newest" not in told:
        empty = senders == 0 and not answer.error_text.strip()
        none = Unknown("unreadable", answer.error_text[:200] or path)
        if empty:
            return Store(path, None, None, 0, newest_of={})
        return Store(path, none, none, senders, (none,), {}, none)
    newest = age_s(answer, stamped(told["newest"]))
    reaches = [_first(answer, line[1:], zone, path) for line in lines if line[0] == "sender"]
    if len(reaches) != _count(fed):
        reaches.append(Unknown("not_told", f"not every sender of {path} was asked"))
    unread = _unread(answer)
    reaches += [unread] if unread else []
    oldest = unread or _first(answer, told.get("oldest", "").split(" ", 1), zone, path)
    known = [a for a in (oldest, *reaches) if isinstance(a, float)]  # a file still written may begin the earliest
    began = max(known) if isinstance(oldest, float) else oldest
    names: dict[str, float | Unknown] = {}
    for line in lines:
        if line[0] == "name" and len(line) == 3:
            _keep(names, line[2], age_s(answer, stamped(line[1])))
    unnamed = unread or _unnamed(lines, path, every, len(names))
    return Store(path, began, newest, senders, tuple(reaches), names, unnamed, tuple(_stamps(lines)), *_space(told))


def _first(answer: Output, words: list[str], zone: str, path: str) -> float | Unknown:
    """The age of a file's first record, from when the file was written and the stamp."""
    written, stamp = (*words, "", "")[:2]
    if not stamp.strip():
        return Unknown("unreadable", f"no time stamp in the oldest files of {path}")
    at: Stamped = stamped(stamp, not_after=stamped(written), zone=zone)
    return age_s(answer, at)


def _stamps(lines: list[list[str]]) -> Iterator[tuple[str, int]]:
    for line in lines:
        count = _count(line[2]) if line[0] == "stamps" and len(line) == 3 else 0
        if isinstance(count, int) and count and re.fullmatch(r"[y-][z-][f-]|\?", line[1]):
            yield line[1], count
