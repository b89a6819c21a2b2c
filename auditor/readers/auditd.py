"""auditd's settings, its plugins and the ends of its files in; where records go and how far they reach back out. Pure.

Sources: auditd.conf(5), auditd-plugins(5), audisp-remote.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Failure, Unknown
from auditor.readers.rsyslog import age_s, stamped

# Until release 3 the plugins stood in /etc/audisp.
CONFIG = Command(
    r"""echo "uid $(id -u)"
set --
for f in /etc/audit/auditd.conf /etc/audit/audisp-remote.conf /etc/audisp/audisp-remote.conf /etc/audit/plugins.d/*.conf /etc/audisp/plugins.d/*.conf; do
  if [ -f "$f" ]; then set -- "$@" "$f"; fi
done
if [ $# -gt 0 ]; then
  awk 'FNR == 1 { print "f:" FILENAME }
    { sub(/\r$/, "") }
    /^[ \t]*#/ { next }
    { i = index($0, "="); k = tolower(substr($0, 1, i - 1)); gsub(/[ \t]/, "", k) }
    k ~ /^(write_logs|log_format|log_file|max_log_file|num_logs|max_log_file_action|active|path|remote_server)$/ {
      print "k:" k "=" substr($0, i + 1) }' "$@" || exit 1
fi
echo end
""",
    elevated=True,
    cap_bytes=16384,
)

# Of the file that was written first of all only the stamp of its first record.
RECORDS = Command(
    r"""echo "uid $(id -u)"
l=$(sed -n 's/^[ \t]*log_file[ \t]*=[ \t]*//p' /etc/audit/auditd.conf 2>/dev/null | tail -n 1)
l=${l:-/var/log/audit/audit.log}
f=$(ls -1tr "$l" "$l".[0-9]* 2>/dev/null | head -n 1)
if [ -n "$f" ] && [ -s "$f" ]; then
  echo some
  sed -n '1s/.*msg=audit(\([0-9.]*\):.*/first \1/p;1q' "$f"
fi
echo end
""",
    elevated=True,
    cap_bytes=1024,
)

DAY_S = 86400.0
KEEPING = ("ignore", "syslog", "keep_logs")  # at the size of a file auditd removes none


@dataclass(frozen=True, slots=True)
class Settings:
    """`goes_to`: (way, to). `beside`: what else is given the records, and may keep none. `megabytes`: None where nothing is removed."""

    goes_to: tuple[tuple[str, str], ...]
    megabytes: int | Unknown | None
    when_full: str
    beside: Unknown | None = None


Sections = Mapping[str, Mapping[str, str]]  # by path of the file


def read(answer: Answer) -> Settings | Unknown:
    """The answer to CONFIG. Raises Unreadable when it is cut."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("auditd's settings are not complete")
    if lines[0] != "uid 0":
        return Unknown("no_privilege", "auditd's settings were not read as root")
    files = _files(lines[1:-1])
    main = files.get("/etc/audit/auditd.conf")
    if main is None:
        return Unknown("not_told", "auditd runs, and there is no auditd.conf")
    action = main.get("max_log_file_action", "ignore").lower()
    plugins = list(_plugins(files))
    told = [p for p in plugins if not isinstance(p, Unknown)]
    beside = next((p for p in plugins if isinstance(p, Unknown)), None)
    return Settings((*_file(main), *told), _megabytes(main, action), action, beside)


def _files(lines: Iterable[str]) -> Sections:
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in lines:
        kind, _, rest = line.partition(":")
        if kind == "f":
            current = found.setdefault(rest, {})
        elif kind == "k":
            key, _, value = rest.partition("=")
            current[key] = value.strip()
        else:
            raise Unreadable("auditd's settings are not as asked")
    return found


def _file(main: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    off = main.get("write_logs", "yes").lower() == "no" or main.get("log_format", "").lower() == "nolog"
    return () if off else (("file", main.get("log_file", "/var/log/audit/audit.log")),)


def _plugins(files: Sections) -> Iterable[tuple[str, str] | Unknown]:
    for path, said in files.items():
        if "/plugins.d/" in path and said.get("active", "").lower() == "yes":
            yield _plugin(said.get("path", "").rpartition("/")[2], files)


def _plugin(program: str, files: Sections) -> tuple[str, str] | Unknown:
    if program == "audisp-remote":
        servers = [
            f["remote_server"] for p, f in files.items() if p.endswith("/audisp-remote.conf") and f.get("remote_server")
        ]
        return ("server", servers[0]) if servers else Unknown("not_told", "audisp-remote names no server")
    if program in ("audisp-syslog", "builtin_syslog"):
        return "syslog", program
    return Unknown("not_told", f"whether {program[:60] or 'a plugin'} keeps the records")


def _megabytes(main: Mapping[str, str], action: str) -> int | Unknown | None:
    """`rotate` keeps num_logs files; below two it does not rotate. Any other action keeps one, or all."""
    count, size = _number(main.get("num_logs", "0")), _number(main.get("max_log_file", "0"))
    if isinstance(count, Unknown) or isinstance(size, Unknown):
        return count if isinstance(count, Unknown) else size
    if action in KEEPING or (action == "rotate" and count < 2) or not size:
        return None
    return size * count if action == "rotate" else size


def _number(text: str) -> int | Unknown:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else Unknown("unreadable", text[:40])


def oldest_days(answer: Answer) -> Fact:
    """The answer to RECORDS: how far the files reach back; None: no record."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        raise Unreadable("the oldest record is not told")
    if lines[0] != "uid 0":
        return Unknown("no_privilege", "auditd's files were not read as root")
    first = next((line[6:] for line in lines if line.startswith("first ")), None)
    if first is None:
        return Unknown("unreadable", "auditd's oldest record has no stamp") if "some" in lines else None
    age = age_s(answer, stamped(first))
    return round(age / DAY_S, 1) if isinstance(age, float) else age
