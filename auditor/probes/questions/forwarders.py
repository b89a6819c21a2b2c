"""The question on the agents that send logs; what it answered, taken apart, out. Pure.

A configuration may hold passwords, so the host prints it with every value masked that is not asked for.
Sources: rsyslog.conf(5), the syslog-ng administration guide, the agents' own manuals, proc(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from auditor.framing.sh import GONE
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.forwarders import flatten
from auditor.readers.rsyslog import lines

# m AGENT FILE...: prints `F AGENT FILE`, then each line of it after a bar; `! AGENT PATH` for what cannot be read. Comments
# go, quoted texts are emptied unless the word before them is one that we ask for, and so is what follows a word that
# looks like a secret. rsyslog's lines are those that it parses; what follows a NUL it does not see, and awk may. Included
# files come after, to a depth of three; of what syslog-ng brings itself (scl.conf), nothing.
_MASK = r"""
function low(x) { return tolower(x) }
FNR == 1 { flush(); print "F", a, FILENAME; n = FILENAME; s = c = 0; t = "" }
a == "rsyslog" { parts($0); next }
{ line($0) }
END { flush() }
# What gives rsyslog messages, by what can be seen of a line.
function gives(v) {
  if (v ~ /"im(file|prog|docker)"|[$]modload[ \t]+imfile/) print "M"
  if (v ~ /"imjournal"|[$]modload[ \t]+imjournal|input[ \t]*[(][ \t]*type[ \t]*=[ \t]*"imuxsock|[$]addunixlistensocket/) print "Y"
  if (v ~ /load[ \t]*=[ \t]*"imuxsock"|[$]modload[ \t]+imuxsock/) print "L"
  if (v ~ /syssock.use[ \t]*=[ \t]*"off|[$]omitlocallogging[ \t]+on/) print "N"
}
# What rsyslog does is the rest of its line, and a quote in it begins no text.
function acts(o) { return a == "rsyslog" && o ~ /(^|[ \t])(@|[-|?^>]*\/[^* \t]|:om[A-Za-z0-9_]+:)/ }
# A selector that does not begin its line is none.
function late(o, r) { return a == "rsyslog" && o !~ /[^ \t]/ && r ~ /^[ \t]*[*A-Za-z][*A-Za-z0-7]*[.,][*A-Za-z0-7.,;!=]/ }
function line(r,   o, v, h, i, k) {
  o = v = ""
  while (1) {
    if (c) { i = index(r, "*/"); if (!i) { r = ""; break } r = substr(r, i + 2); c = 0; if (late(o, r)) { r = ""; break } }
    if (s) { if (!match(r, /^([^"\\]|\\.)*"/)) { r = ""; break } r = substr(r, RLENGTH + 1); s = 0; o = o "\""; v = v "\"" }
    if (!match(r, "[\"\047`#]|/[*]")) break
    o = o substr(r, 1, RSTART - 1); v = v substr(r, 1, RSTART - 1); r = substr(r, RSTART); k = substr(r, 1, 1)
    if (k == "#") { r = ""; break }
    if (k == "/") {
      if (a == "rsyslog" ? !acts(o) && o !~ /^[ \t]*[$]/ : o == "" || o ~ /[ \t]$/) c = 1; else o = o "/*"
      r = substr(r, 3); continue
    }
    if (acts(o)) { o = o "?"; r = ""; break }
    if (k != "\"") { i = index(substr(r, 2), k); if (!i) { r = ""; break } o = o k k; r = substr(r, i + 2); continue }
    if (!match(r, /^"([^"\\]|\\.)*"/)) { s = 1; o = o "\""; v = v r; r = ""; break }
    h = low(t o); v = v substr(r, 1, RLENGTH)
    o = o (h ~ K || h ~ L ? substr(r, 1, RLENGTH) : "\"\""); r = substr(r, RLENGTH + 1)
  }
  o = o r
  if (a == "rsyslog") gives(low(v r))
  if (o ~ /^[ \t]*[$]/ && low(o) !~ /^[ \t]*[$](actionsendstreamdriver(mode|authmode|permittedpeer)?|defaultnetstreamdriver|(default)?ruleset|includeconfig|resetconfigvariables|actionexeconly(whenpreviousissuspended|onceeveryinterval|everynthtime))([ \t]|$)/ &&
    low(o) !~ /^[ \t]*[$][!.]?[a-z][a-z0-9!._-]*[ \t]+([=!]=|[<>]=?|contains(_i)?|startswith(_i)?|and|or|then)([ \t"]|$)/)
    sub(/[$][A-Za-z_]+.*/, "", o)
  if (o !~ /:omrelp:/ && match(o, /:om[A-Za-z0-9_]+:/)) o = substr(o, 1, RSTART + RLENGTH - 1)
  if (match(o, /[ \t]\^\/[^; \t]*/)) o = substr(o, 1, RSTART + RLENGTH - 1)
  sub(/[ \t]>[^ \t=].*/, "", o)
  while (match(low(o), /(pass|pwd|secret|token|key|user|auth)[a-z._-]*[ \t]*[=(][ \t]*[^] \t")(]+/))
    o = substr(o, 1, RSTART - 1) substr(o, RSTART + RLENGTH)
  if (o !~ /[^ \t]/) return
  print "|" o
  t = t o " "; if (length(t) > 200) t = substr(t, length(t) - 199)
  if (match(low(o), /^[ \t]*[$]includeconfig[ \t]+/)) print "I " substr(o, RLENGTH + 1)
  else if (match(o, /(^|[ \t])@include[ \t]+"[^"]*"/)) { i = substr(o, RSTART, RLENGTH - 1); sub(/.*"/, "", i); print "I " i }
  else if (match(low(o), /(^|[^a-z_])include[ \t]*\(/)) {
    if (match(low(o), /[( \t]file[ \t]*=[ \t]*"[^"]*"/)) { i = substr(o, RSTART, RLENGTH - 1); sub(/.*"/, "", i); print "I " i }
    else print "! " a " " n
  }
}'
K='(^|[^a-z._])(type|target|port|protocol|tls|streamdriver|streamdrivermode|streamdriver.name|streamdriver.mode|streamdriverauthmode|streamdriver.authmode|streamdriverpermittedpeers|streamdriver.permittedpeers|tls.authmode|tls.permittedpeer|defaultnetstreamdriver|name|ruleset|file|config.enabled|action.execonlywhenpreviousissuspended)[ \t]*=[ \t]*([[][^]]*)?$'
L='(^|[^a-z_-])((network|syslog|tcp6?|udp6?|transport|port|destport|peer[-_]verify|ssl[-_]options)[ \t]*[(]|@include)[ \t]*$'
nl='
'
m() {
  a=$1 d=$2 l=
  shift 2
  for f in "$@"; do
    case $f in
      /*) ;;
      scl.conf) continue;;
      *) if [ -e "/etc/$a/$f" ]; then f=/etc/$a/$f; else echo "! $a $f"; continue; fi;;
    esac
    if [ -f "$f" ] && [ -r "$f" ]; then
      case $a$(tr -dc '\000' <"$f" | wc -c) in rsyslog*[1-9]*) echo "! $a $f"; continue;; esac
      l=$l$f$nl
    elif [ -d "$f" ]; then :
    elif [ -e "$f" ]; then echo "! $a $f"
    elif ! gone "$f"; then echo "! $a $p"; fi
  done
  [ -n "$l" ] || return 0
  IFS=$nl
  set -f
  set -- $l
  set +f
  o=$(awk -v a="$a" -v K="$K" -v L="$L" "$P" "$@") || echo "! $a $1"
  printf '%s\n' "$o"
  set -- $(printf '%s\n' "$o" | sed -n 's/^I //p' | sed 's/[ \t]*$//;s#/$#/*#')
  unset IFS
  [ $# = 0 ] || if [ "$d" -lt 3 ]; then m "$a" $((d + 1)) "$@"; else echo "! $a $1"; fi
}
"""
MASK = f"P='{lines.AWK}{_MASK}"
_SYSLOG = r"""m rsyslog 0 /etc/rsyslog.conf
m syslog-ng 0 /etc/syslog-ng/syslog-ng.conf
"""
# What is flattened, each file in its syntax; of an INI and of an XML, a few lines.
_AGENTS = r"""g() {
  a=$1 f=$2
  if [ -f "$f" ] && [ -r "$f" ]; then echo "F $a $f"; awk "$C$3" "$f"
  elif [ -e "$f" ]; then echo "! $a $f"
  elif ! gone "$f"; then echo "! $a $p"; fi
}
U='/^[ \t]*\[/ { s = $1; print "|" s; next }
s != "[Upload]" { next }
{ v = $0; sub(/^[^=]*=[ \t]*/, "", v); sub(/[ \t\r]+$/, "", v) }
/^[ \t]*URL[ \t]*=/ { print "|URL=" (v == "" ? "" : place(v)) }
/^[ \t]*TrustedCertificateFile[ \t]*=/ { print "|TrustedCertificateFile=" (v ~ /^(-|all|)$/ ? v : "set") }'
X='{ gsub(/<!--[^>]*-->/, "") }
/<!--/ { c = 1 }
c { if (/-->/) c = 0; next }
/<client>/ { i = 1 }
/<localfile>/ { j = 1 }
i || j {
  x = $0
  while (match(x, /<(address|port|protocol|server-ip|server-hostname|location|log_format)>[^<]*</)) {
    y = substr(x, RSTART, RLENGTH - 1)
    print "|" (y ~ /^<[a-z_-]*>[A-Za-z0-9_.:\/*-]*$/ ? y : "<location>?")
    x = substr(x, RSTART + RLENGTH - 1)
  }
}
j && /<filter/ { print "|<filter>" }
/<\/server>/ || /<\/localfile>/ { print "|end" }
/<\/client>/ { i = 0 }
/<\/localfile>/ { j = 0 }'
o=$(systemd-analyze cat-config systemd/journal-upload.conf 2>/dev/null)
if [ -n "$o" ]; then
  echo "F journal-upload /etc/systemd/journal-upload.conf"
  printf '%s\n' "$o" | awk "$C$U"
else
  for f in /usr/lib/systemd/journal-upload.conf /etc/systemd/journal-upload.conf /etc/systemd/journal-upload.conf.d/*.conf; do
    g journal-upload "$f" "$U"
  done
fi
k fluent-bit '' "$P_b" /etc/fluent-bit/fluent-bit.conf /etc/td-agent-bit/td-agent-bit.conf
k fluent-bit '' "$P_y" /etc/fluent-bit/fluent-bit.yaml /etc/fluent-bit/fluent-bit.yml
k fluentd '' "$P_b" /etc/fluent/fluentd.conf /etc/td-agent/td-agent.conf
k vector '' "$P_t" /etc/vector/vector.toml
k vector '' "$P_y" /etc/vector/vector.yaml /etc/vector/vector.yml
[ -e /etc/vector/vector.json ] && echo "F vector /etc/vector/vector.json"
g wazuh /var/ossec/etc/ossec.conf "$X"
g wazuh /var/ossec/var/run/wazuh-agentd.state '/^status=/ { gsub(/[^a-z=]/, ""); print "|" $0 }'
k filebeat '' "$P_y" /etc/filebeat/filebeat.yml /etc/filebeat/modules.d/*.yml /etc/filebeat/inputs.d/*.yml
k elastic-agent '' "$P_y" /etc/elastic-agent/elastic-agent.yml /opt/Elastic/Agent/elastic-agent.yml
k promtail '' "$P_y" /etc/promtail/config.yml /etc/promtail/config.yaml
k alloy '' "$P_r" /etc/alloy/config.alloy
k nxlog '' "$P_b" /etc/nxlog/nxlog.conf /etc/nxlog.conf /opt/nxlog/etc/nxlog.conf /opt/nxlog/etc/nxlog.d/*.conf
s=/opt/splunkforwarder/etc
k splunk = "$P_b" $s/system/local/outputs.conf $s/apps/*/local/outputs.conf $s/apps/*/default/outputs.conf
"""
# Messages that wait on disk for a collector that does not take them.
_QUEUES = r"""for f in /var/spool/rsyslog /var/lib/rsyslog /var/lib/syslog-ng; do
  if [ -d "$f" ] && ! { [ -r "$f" ] && [ -x "$f" ]; }; then echo "Q ? $f"; continue; fi
  for q in "$f"/*.[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]; do [ -s "$q" ] && { echo "Q rsyslog $q"; break; }; done
done
"""
# Of a running agent's command line, nothing but the file that it reads its configuration from; `O AGENT FILE` for a file of
# it, or a folder that it includes, that changed after the agent started: a ctime cannot be set back. When that was is
# counted back from a process that starts now, for what a container says of the host's start may be made up.
_STARTED = r"""changed() {
  IFS=$nl
  set -f
  set -- "$@" $(printf '%s\n' "$o" | awk -v a="$1" '
    $1 == "F" { c = $2 == a; sub(/^F [^ ]* /, ""); if (c && !/[.]state$/) print; next }
    c && /^I .*([*?[]|\/[ \t]*$)/ { sub(/^I /, ""); sub(/[*?[].*$/, ""); sub(/\/[^\/]*$/, ""); print /^\// ? $0 : "/etc/" a "/" $0 }')
  a=$1 d=$2
  shift 2
  if [ $# != 0 ]; then
    stat -c '%Z %n' "$@" 2>/dev/null | awk -v a="$a" -v d="$d/stat" -v n="$(date +%s)" '
      function ticks(f,  l, w) { l = ""; getline l <f; close(f); sub(/^.*\) /, "", l); return split(l, w, " ") > 19 ? w[20] : 0 }
      BEGIN { t = ticks("/proc/self/stat"); s = ticks(d); known = s > 0 && t >= s && n > 0; at = n - (t - s) / 100 + 1 }
      known && $1 + 0 > at { sub(/^[^ ]* /, ""); print "O", a, $0; exit }
      END { if (!known || !NR && a != "journal-upload") print "O", a, "?" }'
  fi
  set +f
  unset IFS
}
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in
    rsyslogd) a=rsyslog k=f;;
    syslog-ng) a=syslog-ng k=f;;
    fluent-bit|td-agent-bit) a=fluent-bit k=c;;
    fluentd|td-agent) a=fluentd k=c;;
    filebeat|vector|promtail|nxlog|alloy) a=$c k=c;;
    wazuh-agentd|ossec-agentd) a=wazuh k=;;
    systemd-journal)
      [ "$d/exe" -ef /usr/lib/systemd/systemd-journal-upload ] || [ "$d/exe" -ef /lib/systemd/systemd-journal-upload ] || continue
      a=journal-upload k=;;
    *) continue;;
  esac
  if [ -e "$d/root" ] && ! [ "$d/root" -ef / ]; then continue; fi
  set --
  if [ $a = journal-upload ]; then set -- /etc/systemd/journal-upload.conf.d /etc/systemd/journal-upload.conf.d/*; fi
  changed "$a" "$d" "$@"
  [ -n "$k" ] || continue
  tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null | awk -v a="$a" -v o="$k" '
    n { print "S", a, $0; n = 0; next }
    NR == 1 { next }
    $0 ~ "^-[46ACDFQdenqtvwxy]*" o "$" || /^--?(c|C|cfgfile|config|config-dir|config-file|config\.file)$/ { n = 1; next }
    match($0, /^--?(cfgfile|config|config-dir|config-file|config\.file)=/) { print "S", a, substr($0, RLENGTH + 1); next }
    match($0, "^-[46ACDFQdenqtvwxy]*" o "=?") { print "S", a, substr($0, RLENGTH + 1); next }
    a == "alloy" && /^\// { print "S", a, $0 }'
done
echo end
"""
# Of rsyslog: whether nothing gives it what programs of the host say (Y: the journal or a socket does; L, N: /dev/log, and
# not; M: what may).
_DEAF = r"""case $nl$o in
  *"${nl}Y$nl"*) q= ;;
  *"${nl}N$nl"*) q=1 ;;
  *"${nl}L$nl"*) q= ;;
  *"${nl}F rsyslog "*) q=1 ;;
  *) q= ;;
esac
if [ -n "$q" ]; then case $o in *"${nl}M$nl"*) echo "D ? rsyslog" ;; *) echo "D rsyslog" ;; esac; fi
"""
_READ = f"o=$({MASK}{_SYSLOG}{flatten.SHELL}{_AGENTS}{_QUEUES})\nnl='\n'\nprintf '%s\\n' \"$o\"\n{_DEAF}"
CONFIG = Command(GONE + _READ + _STARTED, timeout_s=20, cap_bytes=131072)
CONFIG_ROOT = replace(CONFIG, elevated=True)
# The files that each agent reads where its command line names none.
OWN_FILES = {
    "rsyslog": ("/etc/rsyslog.conf",),
    "syslog-ng": ("/etc/syslog-ng/syslog-ng.conf",),
    "fluent-bit": (
        "/etc/fluent-bit/fluent-bit.conf",
        "/etc/td-agent-bit/td-agent-bit.conf",
        "/etc/fluent-bit/fluent-bit.yaml",
        "/etc/fluent-bit/fluent-bit.yml",
    ),
    "fluentd": ("/etc/fluent/fluentd.conf", "/etc/td-agent/td-agent.conf"),
    "vector": ("/etc/vector/vector.toml", "/etc/vector/vector.yaml", "/etc/vector/vector.yml"),
    "filebeat": ("/etc/filebeat/filebeat.yml", "filebeat.yml"),
    "promtail": ("/etc/promtail/config.yml", "/etc/promtail/config.yaml"),
    "alloy": ("/etc/alloy/config.alloy",),
    "nxlog": ("/etc/nxlog/nxlog.conf", "/etc/nxlog.conf", "/opt/nxlog/etc/nxlog.conf"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Per agent, the masked texts of its files by path; `otherwise`: agents that run with other settings than were read.

    `waiting`: whether messages wait on disk; `deaf`: agents that read nothing of what programs of
    the host say, or may not; `missing`: why there may be more of all this.
    """

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    otherwise: Mapping[str, Unknown] = field(default_factory=dict)
    waiting: bool | Unknown = False
    deaf: Mapping[str, Unknown | None] = field(default_factory=dict)
    missing: Unknown | None = None


def read(rooted: Answer, plain: Answer) -> Config:
    """What root reads where we may ask as root, else what anybody may read."""
    if isinstance(rooted, Failure) and isinstance(plain, Failure):
        return Config(missing=rooted.unknown(), waiting=rooted.unknown())
    answer = plain if isinstance(rooted, Failure) else rooted
    assert not isinstance(answer, Failure)
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        untold = Unknown("unreadable", "the forwarders' configuration is not told")
        return Config(missing=untold, waiting=untold)
    denied = [line[2:] for line in lines if line.startswith("! ")]
    started = [(a, path) for a, _, path in (line[2:].partition(" ") for line in lines if line.startswith("S "))]
    changed = [(a, path) for a, _, path in (line[2:].partition(" ") for line in lines if line.startswith("O "))]
    return Config(
        _chosen(_texts(lines[:-1]), started),
        {a: _changed(a, path) for a, path in changed} | {a: _otherwise(a, p) for a, p in started if _is_other(a, p)},
        _waiting([line[2:] for line in lines if line.startswith("Q ")], rooted),
        _deaf([line[2:] for line in lines if line.startswith("D ")], _gap(rooted, denied)),
        _gap(rooted, denied),
    )


def _texts(lines: list[str]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, list[str]]] = {}
    current: list[str] = []
    for line in lines:
        if line.startswith("|"):
            current.append(line[1:])
        elif line.startswith("F "):
            agent, _, path = line[2:].partition(" ")
            current = texts.setdefault(agent, {}).setdefault(path, [])
    return {agent: {path: "\n".join(t) for path, t in files.items()} for agent, files in texts.items()}


def _chosen(texts: dict[str, dict[str, str]], started: list[tuple[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """Of two files that an agent may read, the one that it was started with."""
    for agent, path in started:
        files, path = texts.get(agent, {}), _clean(path)
        if path in files and agent in OWN_FILES:
            texts[agent] = {p: t for p, t in files.items() if p == path or p not in OWN_FILES[agent]}
    return texts


def _clean(path: str) -> str:
    return re.sub("/+", "/", path.strip())


def _is_other(agent: str, path: str) -> bool:
    return _clean(path) not in OWN_FILES.get(agent, ())


def _otherwise(agent: str, path: str) -> Unknown:
    return Unknown("not_told", f"{agent} runs with another configuration: {path[:100]}")


def _changed(agent: str, path: str) -> Unknown:
    if path == "?":
        return Unknown("not_told", f"when {agent} read its configuration")
    return Unknown("not_told", f"{path[:100]} changed after {agent} started")


def _deaf(said: list[str], gap: Unknown | None) -> Mapping[str, Unknown | None]:
    why = Unknown("not_told", "whether it reads all that programs of the host say")
    return {agent.removeprefix("? "): why if agent.startswith("? ") else gap for agent in said}


def _waiting(queues: list[str], rooted: Answer) -> bool | Unknown:
    if any(not q.startswith("? ") for q in queues):
        return True
    cause = rooted.cause if isinstance(rooted, Failure) else "unreadable"
    return Unknown(cause, queues[0][2:]) if queues else False


def _gap(rooted: Answer, denied: list[str]) -> Unknown | None:
    if not denied:
        return None
    cause = rooted.cause if isinstance(rooted, Failure) else "unreadable"
    return Unknown(cause, "; ".join(denied)[:200])
