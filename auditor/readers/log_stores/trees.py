"""The text that asks for trees of collected files, and the answer in; a store for each tree out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.log_stores.store import Store, counted, keep, not_named, passed_over, space, whole
from auditor.readers.rsyslog import FIRST_STAMP, Stamped, age_s, stamped

LONGEST_GAP_S = 45 * 86400.0  # longer than the month that some rotate by

# A sender is the first part of a file's path below the tree that is not a date, without the endings of a rotated log.
# For each tree: `tree PATH`, `senders ALL STILL_FED`, `kib` and `space` (df), `newest MTIME`, `oldest MTIME STAMP`, `name MTIME
# SENDER` for each of the first 10,000, and `sender MTIME STAMP` for each of the first 500 that are still fed: one of their files
# that hold something was written in the last two days. The stamp is the first one of the file that was left untouched the
# longest, of all files and of the sender's. `after WRITTEN,MTIME STAMP` follows where none of its files was written for 45 days
# after WRITTEN: what the next one says, since a file that was put aside tells nothing of the time after it. `stamps SHAPE COUNT`: what the first record of the newest file says of its time,
# for the first 50 that are still fed: y(ear), z(one), f(raction of a second), `-` in their place, or `?`.
TREE = Command(
    FIRST_STAMP
    + r"""echo "uid $(id -u) zone $(date +%z)"
now=$(date +%s)
for d in /var/log/remote /var/log/hosts /srv/log /var/log/rsyslog "$@"; do
  [ -d "$d" ] || continue
  echo "tree $d"
  df -Pk "$d" | awk 'NR == 2 { print "space", $2, $4, $6 }'
  l=$(find -H "$d" -type f -size +0 -exec stat -c '%Y %s %n' {} + | sort -n | awk -v root="$d" -v now="$now" '
    $1 !~ /^[0-9]+$/ { next }
    {
      m = $1; f = substr($0, length($1) + length($2) + 3); n = split(substr(f, length(root) + 2), part, "/"); w = part[n]
      for (i = 1; i <= n; i++)
        if (part[i] !~ /^[0-9][0-9]?$/ && part[i] !~ /^[12][0-9][0-9][0-9]([-_.]?[01][0-9]([-_.]?[0-3][0-9])?)?$/) { w = part[i]; break }
      if (i >= n) while (w !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ &&
        sub(/(\.(gz|xz|bz2|zst|log|[0-9]+)|[-_.][12][0-9][0-9][0-9][-_.]?[01][0-9][-_.]?[0-3][0-9])$/, "", w)) ;
      bytes += $2
      if (!(w in first) || m < first[w]) { first[w] = m; file[w] = f }
      if (w in last && m - last[w] > 3888000) { gap[w] = last[w] "," m; after[w] = f }
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
      for (w in last) if (now - last[w] <= 172800) { if (++k > 500) { print "left"; break }
        print "x sender", first[w], file[w]
        if (w in gap) print "x after", gap[w], after[w] }
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


def trees(answer: Answer) -> list[Store] | Unknown:
    """The answer to TREE."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = whole(answer)
    if isinstance(lines, Unknown):
        return lines
    zone = lines[0][-1].rpartition(" ")[2]
    cuts = [i for i, line in enumerate(lines) if line[0] == "tree"] + [len(lines) - 1]
    return [_tree(answer, lines[a:b], zone) for a, b in pairwise(cuts)]


def _tree(answer: Output, lines: list[list[str]], zone: str) -> Store:
    path = " ".join(lines[0][1:])
    told = {line[0]: " ".join(line[1:]) for line in lines[1:]}
    every, _, fed = told.get("senders", "").partition(" ")
    senders = counted(every)
    if "newest" not in told:
        empty = senders == 0 and not answer.error_text.strip()
        none = Unknown("unreadable", answer.error_text[:200] or path)
        if empty:
            return Store(path, None, None, 0, newest_of={})
        return Store(path, none, none, senders, (none,), {}, none)
    newest = age_s(answer, stamped(told["newest"]))
    reaches = list(_reaches(answer, lines, zone, path))
    if len(reaches) != counted(fed):
        reaches.append(Unknown("not_told", f"not every sender of {path} was asked"))
    unread = passed_over(answer)
    reaches += [unread] if unread else []
    oldest = unread or _first(answer, told.get("oldest", "").split(" ", 1), zone, path)
    known = [a for a in (oldest, *reaches) if isinstance(a, float)]  # a file still written may begin the earliest
    began = max(known) if isinstance(oldest, float) else oldest
    names: dict[str, float | Unknown] = {}
    for line in lines:
        if line[0] == "name" and len(line) == 3:
            keep(names, line[2], age_s(answer, stamped(line[1])))
    unnamed = unread or not_named(lines, path, every, len(names))
    return Store(path, began, newest, senders, tuple(reaches), names, unnamed, tuple(_stamps(lines)), *space(told))


def _reaches(answer: Output, lines: list[list[str]], zone: str, path: str) -> Iterator[float | Unknown]:
    for number, line in enumerate(lines):
        if line[0] == "sender":
            after = lines[number + 1][1:] if number + 1 < len(lines) and lines[number + 1][0] == "after" else []
            reach = _first(answer, line[1:], zone, path)
            yield _resumed(answer, after, reach, zone, path) if after else reach


def _resumed(answer: Output, words: list[str], reach: float | Unknown, zone: str, path: str) -> float | Unknown:
    """How far back records go without a gap: to where they begin again after it, unless the next file begins where one ended."""
    ended, _, written = words[0].partition(",")
    resumed, before = _first(answer, [written, *words[1:]], zone, path), age_s(answer, stamped(ended))
    if isinstance(resumed, Unknown) or isinstance(before, Unknown):
        return resumed if isinstance(resumed, Unknown) else before
    return resumed if before - resumed > LONGEST_GAP_S else reach


def _first(answer: Output, words: list[str], zone: str, path: str) -> float | Unknown:
    """The age of a file's first record, from when the file was written and the stamp."""
    written, stamp = (*words, "", "")[:2]
    if not stamp.strip():
        return Unknown("unreadable", f"no time stamp in the oldest files of {path}")
    at: Stamped = stamped(stamp, not_after=stamped(written), zone=zone)
    return age_s(answer, at)


def _stamps(lines: list[list[str]]) -> Iterator[tuple[str, int]]:
    for line in lines:
        count = counted(line[2]) if line[0] == "stamps" and len(line) == 3 else 0
        if isinstance(count, int) and count and re.fullmatch(r"[y-][z-][f-]|\?", line[1]):
            yield line[1], count
