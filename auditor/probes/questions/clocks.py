"""The two questions on a host's clock; what they answered, taken apart, out. Pure.

Sources: chronyc(1), ntpq, ntpctl(8), busctl(1), proc(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditor.framing.sh import GONE
from auditor.model import Answer, Command, Failure, Output, Unknown
from auditor.readers.clocks import timesyncd

# r AGENT DEPTH FILE...: `F AGENT FILE`, then after a bar each directive of it that names a source; `! AGENT PATH` for what
# cannot be read. Of ntp.conf, which may hold a password, nothing else leaves the host.
_SETTINGS = r"""nl='
'
P='
FNR == 1 { print "F", a, FILENAME }
{ sub(/^[ \t]+/, ""); sub(/\r$/, ""); w = tolower($1) }
w ~ /^(server|servers|pool|peer|sensor)$/ { k = 2; while ($k ~ /^-/) k++; print "|" w, $k; next }
w == "refclock" { print "|" w, $2, $3; next }
w ~ /^(include|includefile)$/ { gsub(/"/, "", $2); print "I " $2; next }
w == "confdir" { for (i = 2; i <= NF; i++) print "I " $i "/*.conf"; next }
w == "sourcedir" { for (i = 2; i <= NF; i++) print "I " $i "/*.sources"; next }
/^\[/ { print "|" $0; next }
/^(NTP|FallbackNTP)[ \t]*=/ { print "|" $0 }'
r() {
  a=$1 d=$2 l=
  shift 2
  for f in "$@"; do
    case $f in /*) ;; *) f=/etc/$f;; esac
    if [ -f "$f" ] && [ -r "$f" ]; then l=$l$f$nl
    elif [ -d "$f" ]; then for g in "$f"/*.conf; do [ -f "$g" ] && l=$l$g$nl; done
    elif [ -e "$f" ]; then echo "! $a $f"
    elif ! gone "$f"; then echo "! $a $p"; fi
  done
  [ -n "$l" ] || return 0
  IFS=$nl
  set -f
  set -- $l
  set +f
  o=$(awk -v a="$a" "$P" "$@") || echo "! $a $1"
  printf '%s\n' "$o"
  case $o in *"${nl}I "*) ;; *) unset IFS; return 0;; esac
  set -- $(printf '%s\n' "$o" | sed -n 's/^I //p')
  unset IFS
  if [ "$d" -lt 3 ]; then r "$a" $((d + 1)) "$@"; else echo "! $a $1"; fi
}
r chrony 0 /etc/chrony/chrony.conf /etc/chrony.conf
r ntp 0 /etc/ntp.conf /etc/ntpsec/ntp.conf
r openntpd 0 /etc/openntpd/ntpd.conf /etc/ntpd.conf
for s in /etc/systemd /run/systemd /usr/local/lib/systemd /usr/lib/systemd; do
  r timesyncd 0 $s/timesyncd.conf $s/timesyncd.conf.d/*.conf
done
"""
# t NAME TOOL...: what a tool says, after a bar.
_TOOLS = r"""t() { echo "T $1"; shift; "$@" 2>&1 | sed 's/^/|/'; }
if command -v chronyc >/dev/null; then
  t tracking chronyc -c -n tracking
  t sources chronyc -c -n sources
  t names chronyc -c -N sources
fi
"""
# Of a daemon's command line, the files and sources that it names. To ask for systemd-timesyncd would start it, so only
# one that runs is asked.
_RUNNING = r"""y= v=
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in
    systemd-timesyn) y=1; continue;;
    vmtoolsd) v=1; continue;;
    chronyd|ntpd) ;;
    *) continue;;
  esac
  if [ -e "$d/root" ] && ! [ "$d/root" -ef / ]; then continue; fi
  tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null | awk -v c="$c" '
    NR == 1 { next }
    n { print "S", c, n, $1; n = ""; next }
    /^-[a-zA-Z46]*[cfp]$/ { n = substr($0, length($0)); next }
    /^-[cfp]./ { print "S", c, substr($0, 2, 1), substr($1, 3); next }
    $1 ~ /^(server|pool|peer)$/ { print "S", c, "d", $1, $2 }
    $1 ~ /^(refclock|include|confdir|sourcedir)$/ { print "S", c, "d", $1 }'
done
"""
_KERNEL = r"""if [ -d /run/systemd/system ]; then t kernel timedatectl show -p NTPSynchronized
elif command -v adjtimex >/dev/null; then echo "T kernel"; adjtimex 2>/dev/null | sed -n 's/^ *\(return value\)/|\1/p'; fi
awk '/^CapBnd:/ { print "K cap", $2 }' /proc/self/status
awk '{ print "K ids", $1, $2, $3 }' /proc/self/uid_map
[ -d /sys/module/hv_utils ] && echo "H hyper-v"
[ -z "$v" ] || { command -v vmware-toolbox-cmd >/dev/null && t vmware vmware-toolbox-cmd timesync status; }
"""
ASKED = Command(
    GONE
    + _SETTINGS
    + _TOOLS
    + _RUNNING
    + _KERNEL
    + r"""command -v ntpq >/dev/null && t rv ntpq -n -c rv
[ -z "$y" ] || t timesync busctl get-property org.freedesktop.timesync1 /org/freedesktop/timesync1 org.freedesktop.timesync1.Manager """
    + timesyncd.PROPERTIES
    + "\necho end",
    timeout_s=20,
    cap_bytes=65536,
)
# chronyd may talk to root alone (`cmdport 0`), and OpenNTPD does.
ASKED_ROOT = Command(
    GONE
    + _SETTINGS
    + _TOOLS
    + r"""command -v ntpctl >/dev/null && t ntpctl ntpctl -s all
echo end""",
    elevated=True,
    timeout_s=20,
    cap_bytes=65536,
)

SILENT = "50"  # how chronyc's answer begins where chronyd gives it none


@dataclass(frozen=True, slots=True)
class Asked:
    """What both answers told. `tools`: lines by question; `files`: by agent, the lines of each file; `system`: words.

    `started`: of each daemon's command line, its process, an option and a value. `gaps`: by agent, what was not read.
    `missing`: why there may be more; `rootless`: why root was not asked.
    """

    tools: Mapping[str, Sequence[str]]
    files: Mapping[str, Mapping[str, str]]
    gaps: Mapping[str, Unknown]
    started: Sequence[Sequence[str]]
    system: Sequence[Sequence[str]]
    missing: Unknown | None
    rootless: Unknown | None

    def lines(self, tool: str) -> Sequence[str]:
        return self.tools.get(tool, ())


def read(plain: Answer, rooted: Answer) -> Asked:
    """What root was told of the files stands in the place of what anybody is."""
    rootless = rooted.unknown() if isinstance(rooted, Failure) else None
    if isinstance(plain, Failure):
        nothing = Asked({}, {}, {}, (), (), plain.unknown(), rootless)
        return nothing if isinstance(rooted, Failure) else _with(nothing, _read(rooted))
    told = _read(plain)
    if isinstance(rooted, Failure):
        gaps = {agent: Unknown(rooted.cause, why.detail) for agent, why in told.gaps.items()}
        return Asked(told.tools, told.files, gaps, told.started, told.system, told.missing, rootless)
    return _with(told, _read(rooted))


def _with(told: Asked, rooted: Asked) -> Asked:
    answered = bool(rooted.lines("tracking")) and not rooted.lines("tracking")[0].startswith(SILENT)
    tools = {**told.tools, **rooted.tools} if answered else {**rooted.tools, **told.tools}
    missing = told.missing or rooted.missing
    return Asked(tools, rooted.files, rooted.gaps, told.started, told.system, missing, None)


def _read(answer: Output) -> Asked:
    lines = answer.text.splitlines()
    missing = None if lines and lines[-1] == "end" else Unknown("unreadable", "the answer has no end")
    tools: dict[str, list[str]] = {}
    files: dict[str, dict[str, list[str]]] = {}
    gaps: dict[str, Unknown] = {}
    words: dict[str, list[list[str]]] = {"S": [], "K": [], "H": []}
    current: list[str] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        agent, _, path = rest.partition(" ")
        if line.startswith("|"):
            current.append(line[1:])
        elif word == "T":
            current = tools.setdefault(rest, [])
        elif word == "F":
            current = files.setdefault(agent, {}).setdefault(path, [])
        elif word == "!":
            gaps.setdefault(agent, Unknown("unreadable", path[:200]))
        elif word in words:
            words[word].append([word, *rest.split()])
    texts = {agent: {path: "\n".join(told) for path, told in found.items()} for agent, found in files.items()}
    return Asked(tools, texts, gaps, [w[1:] for w in words["S"]], words["K"] + words["H"], missing, None)
