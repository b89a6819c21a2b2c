"""The texts that ask a host for its journal and its syslog files, and the answers in; how old their records are out. Pure.

Of the records only time stamps leave the host. Sources: systemd-journald(8), journalctl(1).
"""

from __future__ import annotations

from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.rsyslog import FIRST_STAMP, Stamped, age_s, stamped

DAY = 86400.0
STILL_WRITTEN_S = 2 * DAY  # a live host logs something every day, be it our own login
IN_MEMORY = ("tmpfs", "ramfs")
SYSLOG_FILES = frozenset({"/var/log/syslog", "/var/log/messages"})

# The socket is there as long as journald listens. Some systems keep /var/log in memory, and then nothing in it lasts.
PLACE = Command(
    r"""ls -d /run/systemd/journal/socket /var/log/journal /var/log/syslog /var/log/messages 2>&1
[ -x /var/log ] && echo looked
echo "on $(stat -f -c %T /var/log) $(stat -f -c %T /var/log/journal 2>/dev/null)"
echo stamps
stat -c %Y /etc/machine-id /etc/ssh/ssh_host_*_key.pub 2>/dev/null""",
    timeout_s=5,
    cap_bytes=4096,
)

# Prints the stamp of the oldest and of the newest entry, never an entry. `journalctl` tells the unprivileged nothing and
# exits 0, so the answer says as whom it looked. Of the system's own journal alone: that of somebody who seldom comes stays
# for years beside one that is emptied every day. Releases before 230 do not tell them apart in a directory.
ENTRIES = Command(
    r"""echo "uid $(id -u)"
d=/var/log/journal/$(cat /etc/machine-id 2>/dev/null || echo none)
[ -d "$d" ] && [ -r "$d" ] || { echo "journal absent"; exit; }
command -v journalctl >/dev/null || { echo "journal untold"; exit; }
j() { journalctl --no-pager -q -o short-unix "$@" | awk '{ print $1; exit }'; }
set -- -D "$d" --system
journalctl -q "$@" -n 1 >/dev/null 2>&1 || set -- --file "$d/system*.journal*"
echo "oldest $(j "$@")"
echo "newest $(j "$@" -n 1)"
echo end""",
    elevated=True,
    cap_bytes=1024,
)

# One line a file family: name, mtime of the file with the oldest record, mtime of the newest file, the oldest stamp. What was
# put aside 45 days or more before the next file was written tells nothing of the time between.
SYSLOG = Command(
    FIRST_STAMP
    + r"""echo "uid $(id -u) zone $(date +%z)"
for b in /var/log/syslog /var/log/messages; do
  set -- $(ls -1tr "$b" "$b"[.-]* 2>/dev/null)
  o= n= s= p=
  for f in "$@"; do
    [ -f "$f" ] && [ -s "$f" ] || continue
    n=$f
    m=$(stat -c %Y "$f")
    if [ -n "$p" ] && [ $((m - p)) -gt 3888000 ]; then s= o=; fi
    p=$m
    [ -z "$s" ] || continue
    s=$(first "$f")
    [ -z "$s" ] || o=$f
  done
  [ -z "$n" ] || echo "file $b $(stat -c %Y "${o:-$n}") $(stat -c %Y "$n") $s"
done
echo end""",
    elevated=True,
    timeout_s=30,
    cap_bytes=4096,
)


def existing(answer: Answer) -> frozenset[str] | Unknown:
    """Which of the places exist, and last."""
    if isinstance(answer, Failure):
        return answer.unknown()
    seen, separator, _ = answer.text.partition("stamps")
    lines = seen.splitlines()
    if not separator:
        return Unknown("unreadable", "the places of the journal are not told")
    if "looked" not in lines or "Permission denied" in seen:
        return Unknown("no_privilege", "/var/log")
    on = next((line.split() for line in lines if line.startswith("on ")), [])
    if len(on) < 2:
        return Unknown("not_told", "on which file system /var/log is")
    there = {line for line in lines if line.startswith("/")}
    if on[1] in IN_MEMORY:
        there -= SYSLOG_FILES
    if on[-1] in IN_MEMORY:
        there.discard("/var/log/journal")
    return frozenset(there)


Ages = tuple[float, float] | Unknown | None  # seconds: oldest and newest record; None: no record


def in_journal(answer: Answer) -> Ages:
    """The answer to ENTRIES: how old the first and the last record of the journal on disk are."""
    if isinstance(answer, Failure):
        return answer.unknown()
    told = dict(line.partition(" ")[::2] for line in answer.text.splitlines())
    if told.get("uid") != "0":
        return Unknown("no_privilege", "the journal was not read as root")
    if told.get("journal") == "absent":
        return None
    if "end" not in told:
        return Unknown("not_told", "no journalctl on this host")
    oldest, newest = told.get("oldest", ""), told.get("newest", "")
    if not oldest and not newest:
        return Unknown("unreadable", answer.error_text[:200]) if answer.error_text.strip() else None
    return _ages(answer, stamped(oldest), stamped(newest))


def _ages(answer: Output, oldest: Stamped, newest: Stamped) -> Ages:
    first, last = age_s(answer, oldest), age_s(answer, newest)
    if isinstance(first, Unknown):
        return first
    return last if isinstance(last, Unknown) else (first, last)


def in_syslog(answer: Answer) -> Ages:
    """The family of files that is still written and reaches back the furthest."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    head = lines[0].split() if lines else []
    if len(head) != 4 or lines[-1] != "end":
        return Unknown("unreadable", "the syslog files are not told")
    if head[1] != "0":
        return Unknown("no_privilege", "the syslog files were not read as root")
    families = [_family(answer, line.split(" ", 4)[2:], head[3]) for line in lines[1:-1]]
    known = [f for f in families if isinstance(f, tuple)]
    unknown = next((f for f in families if isinstance(f, Unknown)), None)
    if unknown or not known:
        return unknown
    return max(known, key=lambda ages: (ages[1] <= STILL_WRITTEN_S, ages[0]))


def _family(answer: Output, words: list[str], zone: str) -> Ages:
    if len(words) != 3:
        return Unknown("unreadable", "a syslog file is not told")
    if not words[2]:
        return Unknown("unreadable", "no time stamp in the oldest syslog file")
    written = stamped(words[0])
    return _ages(answer, stamped(words[2], not_after=written, zone=zone), stamped(words[1]))


def installed_days(answer: Answer) -> float | Unknown:
    """The oldest of what the first start of a system makes anew."""
    if isinstance(answer, Failure):
        return answer.unknown()
    words = answer.text.partition("stamps")[2].split()
    ages = [age_s(answer, stamped(word)) for word in words]
    known = [a for a in ages if not isinstance(a, Unknown)]
    if not known:
        return next((a for a in ages if isinstance(a, Unknown)), Unknown("not_told", "/etc/machine-id"))
    return round(max(known) / DAY, 1)
