"""The text that asks for the journals that systemd-journal-remote writes, and the answer in; their store out. Pure.

Sources: systemd-journal-remote(8), journal-remote.conf(5), journalctl(1).
"""

from __future__ import annotations

import re

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.log_stores.store import STILL_FED_S, Store, counted, keep, not_named, passed_over, space, whole
from auditor.readers.rsyslog import Stamped, age_s, stamped

JOURNALS = "/var/log/journal/remote"

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


def journal(answer: Answer) -> Store | Unknown | None:
    """The answer to JOURNAL; None when there are no journals of others."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = whole(answer)
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
    senders = counted(told.get("senders", ""))
    asked = [_sender(answer, line) for line in lines if line[0] == "sender"]
    reaches = [reach for _, _, of in asked for reach in of]
    if senders != len(asked):
        reaches.append(Unknown("not_told", "not every sender of the journal was asked"))
    if senders == 0 and isinstance(newest, float) and newest <= STILL_FED_S:
        reaches = [oldest]
    unread = passed_over(answer)
    reaches += [unread] if unread else []
    names = _journal_names(answer, lines, asked)
    named = sum(line[0] in ("sender", "more") for line in lines)
    unnamed = unread or not_named(lines, JOURNALS, told.get("senders", ""), named)
    shape = (("yzf", max(1, senders)),) if isinstance(senders, int) else ()
    return Store(JOURNALS, unread or oldest, newest, senders, tuple(reaches), names, unnamed, shape, *space(told))


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
        keep(names, name, newest)
    for line in lines:
        if line[0] == "file" and len(line) == 3:
            keep(names, line[2], age_s(answer, _hexadecimal(line[1])))
        elif line[0] == "more" and len(line) > 1:
            keep(names, " ".join(line[1:]), Unknown("not_asked", "more senders than are asked one by one"))
    return names


def _hexadecimal(text: str) -> Stamped:
    if re.fullmatch(r"[0-9a-f]{1,15}", text):
        return int(text, 16) / 1e6
    return Unknown("unreadable", f"no time stamp: {text[:40]}")
