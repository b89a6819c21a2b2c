"""What a host keeps of its own logs: answers on the journal and the syslog files in, how far they reach back out. Pure.

Sources: journald.conf(5), systemd-journald(8), journalctl(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Unknown
from auditor.readers import files, logrotate, systemd_conf
from auditor.readers.rsyslog import FIRST_STAMP, Stamped, age_s, stamped
from auditor.readers.undated import undated

DAY = 86400.0
STILL_WRITTEN_S = 2 * DAY  # a live host logs something every day, be it our own login
IN_MEMORY = ("tmpfs", "ramfs")
SYSLOG_FILES = frozenset({"/var/log/syslog", "/var/log/messages"})
STORAGES = ("volatile", "persistent", "auto", "none")

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
CONFIG = Command("systemd-analyze cat-config systemd/journald.conf")
FILES = Command(systemd_conf.globs("journald.conf"), kind="read")
LOGROTATE = Command(
    "/etc/logrotate.conf /usr/etc/logrotate.conf /etc/logrotate.d/* /usr/etc/logrotate.d/*", kind="read"
)

# Prints the stamp of the oldest and of the newest entry, never an entry. `journalctl` tells the unprivileged nothing and
# exits 0, so the answer says as whom it looked.
ENTRIES = Command(
    r"""echo "uid $(id -u)"
d=/var/log/journal/$(cat /etc/machine-id 2>/dev/null || echo none)
[ -d "$d" ] && [ -r "$d" ] || { echo "journal absent"; exit; }
command -v journalctl >/dev/null || { echo "journal untold"; exit; }
echo "oldest $(journalctl -D "$d" --no-pager -q -o short-unix | awk '{ print $1; exit }')"
echo "newest $(journalctl -D "$d" --no-pager -q -n 1 -o short-unix | awk '{ print $1; exit }')"
echo end""",
    elevated=True,
    cap_bytes=1024,
)

# One line a file family: name, mtime of the file with the oldest record, mtime of the newest file, the oldest stamp.
SYSLOG = Command(
    FIRST_STAMP
    + r"""echo "uid $(id -u) zone $(date +%z)"
for b in /var/log/syslog /var/log/messages; do
  set -- $(ls -1tr "$b" "$b"[.-]* 2>/dev/null)
  o= n= s=
  for f in "$@"; do
    [ -f "$f" ] && [ -s "$f" ] || continue
    n=$f
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


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "place": PLACE,
        "config": CONFIG,
        "files": FILES,
        "logrotate": LOGROTATE,
        "entries": ENTRIES,
        "syslog": SYSLOG,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    storage = _storage(answers["config"], answers["files"])
    place = _place(answers["place"])
    journal = _entries(answers["entries"])
    syslog = _syslog(answers["syslog"])
    kept = _journal_kept(storage, place)
    lasting = _lasting(syslog, place)
    local = _local_days(kept, journal, lasting)
    installed = _installed_days(answers["place"])
    return {
        "storage": storage,
        "journal_persistent": kept,
        "persistent": _persistent(kept, lasting, place),
        "oldest_entry_days": _days(journal, 0),
        "newest_entry_hours": _hours(journal),
        "oldest_syslog_days": _days(syslog, 0),
        "syslog_kept_days": _syslog_kept(answers["logrotate"]),
        "local_days": local,
        "installed_days": installed,
        "since_installation": _since(local, installed),
    }


def _storage(config: Answer, fallback: Answer) -> Fact:
    """The effective `Storage=`; systemd before 239 has no cat-config, and a host without systemd has neither."""
    if isinstance(config, Output) and config.exit_code == 0 and config.text.strip():
        texts = systemd_conf.separate(config.text, "journald.conf")
    else:
        read = files.read(fallback)
        if read.gap:
            return read.gap
        texts = systemd_conf.effective(read.texts, "journald.conf")
    values = systemd_conf.assignments(texts, "Journal", "Storage")
    return systemd_conf.last_valid(values, STORAGES, "auto")


def _place(answer: Answer) -> frozenset[str] | Unknown:
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


def _journal_kept(storage: Fact, place: frozenset[str] | Unknown) -> bool | Unknown:
    """Whether journald runs and keeps its journal on disk."""
    if isinstance(place, Unknown):
        return False if storage in ("volatile", "none") else place
    if "/run/systemd/journal/socket" not in place:
        return False
    if isinstance(storage, Unknown):
        return storage if "/var/log/journal" in place else False
    return storage in ("persistent", "auto") and "/var/log/journal" in place


Ages = tuple[float, float] | Unknown | None  # seconds: oldest and newest record; None: no record


def _entries(answer: Answer) -> Ages:
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


def _syslog(answer: Answer) -> Ages:
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


def _lasting(syslog: Ages, place: frozenset[str] | Unknown) -> Ages:
    """The syslog files, unless they are in memory."""
    if isinstance(place, Unknown):
        return place if syslog else syslog
    return syslog if place & SYSLOG_FILES else None


def _persistent(kept: bool | Unknown, syslog: Ages, place: frozenset[str] | Unknown) -> bool | Unknown:
    if kept is True:
        return True
    if isinstance(syslog, tuple):
        return True if syslog[1] <= STILL_WRITTEN_S else kept
    files_are_there = not isinstance(place, Unknown) and place & SYSLOG_FILES
    if isinstance(syslog, Unknown) and (isinstance(place, Unknown) or files_are_there):
        return kept if isinstance(kept, Unknown) else syslog
    return kept


def _local_days(kept: bool | Unknown, journal: Ages, syslog: Ages) -> float | Unknown:
    """The furthest that what is on disk and still written reaches back; 0 when nothing is."""
    seen: list[float] = []
    unknown: Unknown | None = kept if isinstance(kept, Unknown) else None
    for ages in [journal, syslog] if kept is True else [syslog]:
        if isinstance(ages, Unknown):
            unknown = ages
        elif ages and ages[1] <= STILL_WRITTEN_S:
            seen.append(ages[0])
    if unknown:
        return unknown
    return round(max(seen, default=0.0) / DAY, 1)


def _days(ages: Ages, which: int) -> float | Unknown | None:
    return round(ages[which] / DAY, 1) if isinstance(ages, tuple) else ages


def _hours(ages: Ages) -> float | Unknown | None:
    return round(ages[1] / 3600, 1) if isinstance(ages, tuple) else ages


def _syslog_kept(answer: Answer) -> Fact:
    read = files.read(answer)
    if read.gap:
        return read.gap
    for path in ("/var/log/syslog", "/var/log/messages"):
        kept = logrotate.kept_days(read.texts, path)
        if kept is not None:
            return kept
    return None


def _installed_days(answer: Answer) -> float | Unknown:
    """The oldest of what the first start of a system makes anew."""
    if isinstance(answer, Failure):
        return answer.unknown()
    words = answer.text.partition("stamps")[2].split()
    ages = [age_s(answer, stamped(word)) for word in words]
    known = [a for a in ages if not isinstance(a, Unknown)]
    if not known:
        return next((a for a in ages if isinstance(a, Unknown)), Unknown("not_told", "/etc/machine-id"))
    return round(max(known) / DAY, 1)


def _since(local: float | Unknown, installed: float | Unknown) -> bool | Unknown:
    if isinstance(local, Unknown):
        return local
    if isinstance(installed, Unknown):
        return installed
    return local >= installed - 1


def _number(text: str) -> Mapping[str, Any]:
    return {"type": "number", "description": text}


def _on_windows() -> Dialect:
    from auditor.probes.windows import journal as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import journal as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Local logs", "fr": "Journaux locaux"},
    privilege={
        "en": "Root reads the journal and the syslog files; only time stamps leave the host. On Windows, Event Log Readers.",
        "fr": "root lit le journal et les fichiers syslog ; seuls des horodatages quittent l'hôte. Sous Windows, le groupe Lecteurs des journaux d'événements.",
    },
    facts={
        "type": "object",
        "properties": {
            "storage": {"type": "string", "description": "The effective Storage= of journald."},
            "journal_persistent": {
                "type": "boolean",
                "description": "Whether journald runs and keeps its journal on disk.",
            },
            "persistent": {
                "type": "boolean",
                "description": "Whether logs are kept on disk across a restart: by journald, in syslog files, in the event logs "
                "Security, System and Application.",
            },
            "oldest_entry_days": _number(
                "Age of the oldest entry of the journal on disk, or of the Security log; null when there is none."
            ),
            "newest_entry_hours": _number(
                "Age of the newest entry of the journal on disk, or of the Security log; null when there is none."
            ),
            "oldest_syslog_days": _number("Age of the oldest record of the syslog files; null when there is none."),
            "syslog_kept_days": _number(
                "How long logrotate keeps the syslog files; null when it does not rotate them."
            ),
            "local_days": _number(
                "How far the logs on disk that are still written reach back; 0 when there are none. Of event logs, the one that "
                "reaches back least."
            ),
            "installed_days": _number("Age of the installation, from its machine id and host keys, or the registry."),
            "since_installation": {
                "type": "boolean",
                "description": "Whether the logs on disk reach back to the installation, within a day.",
            },
        },
    },
    dialects=Dialects(linux=Dialect(commands, parse), windows=_on_windows),
    trees=Dialects(linux=_in_a_tree),
)
