"""Where a host sends its logs: what is left of its forwarders' configuration once masked in, targets out. Pure.

A forwarder's configuration may hold passwords, so the host prints it with every value masked that is not asked for.
Sources: rsyslog.conf(5), the syslog-ng administration guide, systemd-journal-upload(8), the agents' own manuals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from auditor.framing.sh import GONE
from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import processes, rsyslog, syslog_ng, systemd_conf
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.repositories import canonical
from auditor.readers.rsyslog import Target
from auditor.readers.undated import undated

# Cut at 15 characters, systemd-journal-upload has the name of systemd-journald: its unit tells them apart.
UPLOAD = Command("systemctl is-active systemd-journal-upload.service", timeout_s=10, cap_bytes=1024)

# m AGENT FILE...: prints `F AGENT FILE`, then each line of it after a bar; `! AGENT PATH` for what cannot be read. Comments
# go, quoted texts are emptied unless the word before them is one that we ask for, and so is what follows a word that
# looks like a secret. Included files come after, to a depth of three; of what syslog-ng brings itself (scl.conf), nothing.
_MASK = r"""P='
function low(x) { return tolower(x) }
FNR == 1 { print "F", a, FILENAME; s = c = 0; t = "" }
{
  r = $0; o = ""
  while (1) {
    if (c) { i = index(r, "*/"); if (!i) { r = ""; break } r = substr(r, i + 2); c = 0 }
    if (s) { if (!match(r, /^([^"\\]|\\.)*"/)) { r = ""; break } r = substr(r, RLENGTH + 1); s = 0; o = o "\"" }
    if (!match(r, "[\"\047`#]|/[*]")) break
    o = o substr(r, 1, RSTART - 1); r = substr(r, RSTART); k = substr(r, 1, 1)
    if (k == "#") { r = ""; break }
    if (k == "/") {
      if (o == "" || o ~ /[ \t]$/) c = 1; else o = o "/*"
      r = substr(r, 3); continue
    }
    if (k != "\"") { i = index(substr(r, 2), k); if (!i) { r = ""; break } o = o k k; r = substr(r, i + 2); continue }
    if (!match(r, /^"([^"\\]|\\.)*"/)) { s = 1; o = o "\""; r = ""; break }
    h = low(t o)
    o = o (h ~ K || h ~ L ? substr(r, 1, RLENGTH) : "\"\""); r = substr(r, RLENGTH + 1)
  }
  o = o r
  if (o ~ /^[ \t]*[$]/ && low(o) !~ /^[ \t]*[$](actionsendstreamdriver(mode)?|defaultnetstreamdriver|(default)?ruleset|includeconfig|resetconfigvariables|actionexeconlywhenpreviousissuspended)([ \t]|$)/)
    sub(/[$][A-Za-z_]+.*/, "", o)
  if (o !~ /:omrelp:/ && match(o, /:om[A-Za-z0-9_]+:/)) o = substr(o, 1, RSTART + RLENGTH - 1)
  if (match(o, /[ \t]\^\/[^; \t]*/)) o = substr(o, 1, RSTART + RLENGTH - 1)
  sub(/[ \t]>[^ \t=].*/, "", o)
  while (match(low(o), /(pass|pwd|secret|token|key|user|auth)[a-z._-]*[ \t]*[=(][ \t]*[^] \t")(]+/))
    o = substr(o, 1, RSTART - 1) substr(o, RSTART + RLENGTH)
  if (o !~ /[^ \t]/) next
  print "|" o
  t = t o " "; if (length(t) > 200) t = substr(t, length(t) - 199)
  if (match(low(o), /^[ \t]*[$]includeconfig[ \t]+/)) print "I " substr(o, RLENGTH + 1)
  else if (match(o, /(^|[ \t])@include[ \t]+"[^"]*"/)) { i = substr(o, RSTART, RLENGTH - 1); sub(/.*"/, "", i); print "I " i }
  else if (match(low(o), /(^|[^a-z_])include[ \t]*\(/)) {
    if (match(low(o), /[( \t]file[ \t]*=[ \t]*"[^"]*"/)) { i = substr(o, RSTART, RLENGTH - 1); sub(/.*"/, "", i); print "I " i }
    else print "! " a " " FILENAME
  }
}'
K='(^|[^a-z._])(type|target|port|protocol|tls|streamdriver|streamdrivermode|streamdriver.name|streamdriver.mode|defaultnetstreamdriver|name|ruleset|file|config.enabled|action.execonlywhenpreviousissuspended)[ \t]*=[ \t]*([[][^]]*)?$'
L='(^|[^a-z_-])((network|syslog|tcp6?|udp6?|transport|port|destport)[ \t]*[(]|@include)[ \t]*$'
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
    if [ -f "$f" ] && [ -r "$f" ]; then l=$l$f$nl
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
_SYSLOG = r"""m rsyslog 0 /etc/rsyslog.conf
m syslog-ng 0 /etc/syslog-ng/syslog-ng.conf
"""
# The other agents: only the lines of where they send, addresses without their credentials.
_AGENTS = r"""u() { sed 's#//[^/@ ]*@#//#g;s/^/|/'; }
g() {
  a=$1 f=$2
  if [ -f "$f" ] && [ -r "$f" ]; then echo "F $a $f"; awk "$3" "$f" | u
  elif [ -e "$f" ]; then echo "! $a $f"
  elif ! gone "$f"; then echo "! $a $p"; fi
}
S='/^[ \t]*\[/ { s = tolower($0); sub(/^[ \t]*/, "", s); sub(/[ \t]*$/, "", s); print s; next }'
U='/^[ \t]*\[/ { s = $1; print; next } s == "[Upload]" && /^[ \t]*URL[ \t]*=/ { print }'
B="$S"' tolower($1) == "@include" { print tolower($1), $2; next } s == "[output]" && tolower($1) ~ /^(name|host|port|tls|mode)$/ { print tolower($1), $2 }'
W='{ gsub(/<!--[^>]*-->/, "") }
/<!--/ { c = 1 }
c { if (/-->/) c = 0; next }
/<client>/ { i = 1 }
i {
  x = $0
  while (match(x, /<(address|port|protocol|server-ip|server-hostname)>[^<]*</)) {
    print substr(x, RSTART, RLENGTH - 1)
    x = substr(x, RSTART + RLENGTH - 1)
  }
}
/<\/server>/ { print "end" }
/<\/client>/ { i = 0 }'
Y='/^[^ \t#]/ { s = $0; n = 0 }
s !~ /^output\.[a-z]+:/ { next }
/^output/ { print $1; next }
/^[ \t]+(hosts|enabled|ssl\.enabled):/ || n && /^[ \t]+- / { print; n = /hosts:[ \t]*$/ || /^[ \t]+- /; next }
{ n = 0 }
/^[ \t]+ssl[.:]/ { print "ssl" }'
o=$(systemd-analyze cat-config systemd/journal-upload.conf 2>/dev/null)
if [ -n "$o" ]; then
  echo "F journal-upload /etc/systemd/journal-upload.conf"
  printf '%s\n' "$o" | awk "$U" | u
else
  for f in /usr/lib/systemd/journal-upload.conf /etc/systemd/journal-upload.conf /etc/systemd/journal-upload.conf.d/*.conf; do
    g journal-upload "$f" "$U"
  done
fi
for f in /etc/fluent-bit/fluent-bit.conf /etc/td-agent-bit/td-agent-bit.conf; do g fluent-bit "$f" "$B"; done
g wazuh /var/ossec/etc/ossec.conf "$W"
g filebeat /etc/filebeat/filebeat.yml "$Y"
"""
# Of a running forwarder's command line, nothing but the file that it reads its configuration from.
_STARTED = r"""for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in
    rsyslogd) a=rsyslog o=f;;
    syslog-ng) a=syslog-ng o=f;;
    fluent-bit|td-agent-bit) a=fluent-bit o=c;;
    filebeat) a=filebeat o=c;;
    *) continue;;
  esac
  if [ -e "$d/root" ] && ! [ "$d/root" -ef / ]; then continue; fi
  tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null | awk -v a="$a" -v o="$o" '
    n { print "S", a, $0; n = 0; next }
    NR == 1 { next }
    $0 ~ "^-[46ACDFQdenqtvwxy]*" o "$" || /^--?(c|cfgfile|config)$/ { n = 1; next }
    match($0, "^-[46ACDFQdenqtvwxy]*" o "=?") || match($0, /^--(cfgfile|config)=/) { print "S", a, substr($0, RLENGTH + 1) }'
done
echo end
"""
CONFIG = Command(GONE + _MASK + _SYSLOG + _AGENTS + _STARTED, timeout_s=20, cap_bytes=131072)
CONFIG_ROOT = replace(CONFIG, elevated=True)
# The host's own names and addresses, the last with ip(8) or without.
OWN = Command(
    r"""printf 'name %s\n' "$(uname -n)"
getent hosts "$(uname -n)" | awk '{ for (i = 2; i <= NF; i++) print "name " $i }'
{
  ip -o addr 2>/dev/null | awk '{ print $4 }'
  awk '$1 == "|--" { a = $2 } $1 == "/32" && /LOCAL/ { print a }' /proc/net/fib_trie 2>/dev/null
} | awk '{ sub(/\/.*/, "") } !seen[$0]++ { print "address " $0 }'
echo end""",
    timeout_s=10,
    cap_bytes=65536,
)
OWN_FILES = {
    "rsyslog": ("/etc/rsyslog.conf",),
    "syslog-ng": ("/etc/syslog-ng/syslog-ng.conf",),
    "fluent-bit": ("/etc/fluent-bit/fluent-bit.conf", "/etc/td-agent-bit/td-agent-bit.conf"),
    "filebeat": ("/etc/filebeat/filebeat.yml", "filebeat.yml"),
}

# Agents whose configuration is not read: that they run is told, where they send is not.
OTHERS = {
    "vector": "vector",
    "fluentd": "fluentd",
    "td-agent": "fluentd",
    "promtail": "promtail",
    "alloy": "alloy",
    "nxlog": "nxlog",
    "splunkd": "splunk",
    "elastic-agent": "elastic-agent",
    "otelcol": "otelcol",
    "otelcol-contrib": "otelcol",
}
DAEMONS = {
    "rsyslog": ("rsyslogd",),
    "syslog-ng": ("syslog-ng",),
    "fluent-bit": ("fluent-bit", "td-agent-bit"),
    "wazuh": ("wazuh-agentd", "ossec-agentd"),
    "filebeat": ("filebeat",),
}
SENDERS = ("fluent-bit", "wazuh", "filebeat")  # they run to send: when no target was read, there is one all the same
LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|::1)\Z")


@dataclass(frozen=True, slots=True)
class _Config:
    """Per agent, the masked texts of its files by path; `otherwise`: agents that run with a file that was not read."""

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    otherwise: Mapping[str, Unknown] = field(default_factory=dict)
    missing: Unknown | None = None


@dataclass(frozen=True, slots=True)
class _Own:
    """The host's names, in lower case, and addresses, in their one canonical form."""

    names: frozenset[str]
    addresses: frozenset[str]


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "config": CONFIG,
        "config_root": CONFIG_ROOT,
        "processes": PROCESSES,
        "processes_root": PROCESSES_ROOT,
        "upload": UPLOAD,
        "own": OWN,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    config = _config(answers["config_root"], answers["config"])
    seen = processes.read(answers["processes_root"], answers["processes"])
    own = _own(answers["own"])
    targets = list(_targets(config, seen, _active(answers["upload"])))
    found = [*(_element(agent, t, active, own) for agent, t, active in _joined(targets)), *_others(seen)]
    missing = config.missing or seen.missing or next(iter(config.otherwise.values()), None)
    return {"targets": Partial(tuple(found), missing) if missing else found}


def _config(rooted: Answer, plain: Answer) -> _Config:
    """What root reads where we may ask as root, else what anybody may read."""
    if isinstance(rooted, Failure) and isinstance(plain, Failure):
        return _Config(missing=rooted.unknown())
    answer = plain if isinstance(rooted, Failure) else rooted
    assert not isinstance(answer, Failure)
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        return _Config(missing=Unknown("unreadable", "the forwarders' configuration is not told"))
    denied = [line[2:] for line in lines if line.startswith("! ")]
    started = [line[2:].partition(" ") for line in lines if line.startswith("S ")]
    return _Config(
        _texts(lines[:-1]),
        dict(_otherwise(a, path) for a, _, path in started if _is_other(a, path)),
        _gap(rooted, denied),
    )


def _texts(lines: list[str]) -> Mapping[str, Mapping[str, str]]:
    texts: dict[str, dict[str, list[str]]] = {}
    current: list[str] = []
    for line in lines:
        if line.startswith("|"):
            current.append(line[1:])
        elif line.startswith("F "):
            agent, _, path = line[2:].partition(" ")
            current = texts.setdefault(agent, {}).setdefault(path, [])
    return {agent: {path: "\n".join(t) for path, t in files.items()} for agent, files in texts.items()}


def _is_other(agent: str, path: str) -> bool:
    return re.sub("/+", "/", path.strip()) not in OWN_FILES.get(agent, ())


def _otherwise(agent: str, path: str) -> tuple[str, Unknown]:
    return agent, Unknown("not_told", f"{agent} runs with another configuration: {path[:100]}")


def _gap(rooted: Answer, denied: list[str]) -> Unknown | None:
    if not denied:
        return None
    cause = rooted.cause if isinstance(rooted, Failure) else "unreadable"
    return Unknown(cause, "; ".join(denied)[:200])


def _own(answer: Answer) -> _Own | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    words = [line.partition(" ") for line in answer.text.splitlines()]
    names = frozenset(_plain(rest) for word, _, rest in words if word == "name" and rest)
    addresses = frozenset(a for word, _, rest in words if word == "address" for a in canonical(rest))
    if ("end", "", "") not in words or not names:
        return Unknown("not_told", "the host's own names and addresses")
    return _Own(names, addresses)


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _active(unit: Answer) -> bool | Unknown:
    if isinstance(unit, Failure):
        return unit.unknown()
    state = unit.text.strip()
    if state in ("active", "inactive", "failed", "unknown", "activating", "deactivating"):
        return state == "active"
    return Unknown("not_told", "systemd does not tell its units here")


_Sending = tuple[str, Target, bool | Unknown]  # agent, where to, whether it runs


def _targets(config: _Config, seen: Processes, upload: bool | Unknown) -> Iterator[_Sending]:
    for agent, read in _READERS.items():
        texts = list(config.texts.get(agent, {}).values())
        active = seen.runs(DAEMONS[agent]) if agent in DAEMONS else upload
        found = list(read(texts))
        for target in found:
            yield agent, target, config.otherwise.get(agent, active)
        if not found and agent in SENDERS and active is True:
            yield agent, _untold(agent), True


def _joined(targets: list[_Sending]) -> Iterator[_Sending]:
    """Two that each send a part to one place may send it all together."""
    parts = [(agent, t.to) for agent, t, _ in targets if t.partial is True]
    for agent, target, active in targets:
        if target.partial is True and parts.count((agent, target.to)) > 1:
            target = replace(target, partial=Unknown("not_told", "several parts go to one place"))
        yield agent, target, active


def _others(seen: Processes) -> Iterator[dict[str, Fact]]:
    for agent in sorted({OTHERS[p.name] for p in seen.seen if p.name in OTHERS}):
        yield _element(agent, _untold(agent), True, Unknown("not_told", f"where {agent} sends is not read"))


def _untold(agent: str) -> Target:
    untold = Unknown("not_told", f"where {agent} sends is not read")
    return Target(untold, untold, untold, untold, untold, untold)


def _element(agent: str, target: Target, active: bool | Unknown, own: _Own | Unknown) -> dict[str, Fact]:
    name = target.to if isinstance(target.to, Unknown) else _plain(target.to)
    loopback = name if isinstance(name, Unknown) else bool(LOOPBACK.match(name))
    return {
        "to": name,
        "port": target.port,
        "protocol": target.protocol,
        "tls": target.tls,
        "agent": agent,
        "active": active,
        "loopback": loopback,
        "to_itself": loopback if loopback is True else _is_own(name, own),
        "selector": target.selector,
        "partial": target.partial,
    }


def _is_own(name: str | Unknown, own: _Own | Unknown) -> bool | Unknown:
    if isinstance(name, Unknown) or isinstance(own, Unknown):
        return name if isinstance(name, Unknown) else own if isinstance(own, Unknown) else False
    address = canonical(name)
    if address:
        return address[0] in own.addresses if own.addresses else Unknown("not_told", "the host's own addresses")
    if name in own.names:
        return True
    alike = [n for n in own.names if n.partition(".")[0] == name.partition(".")[0] and not ("." in n and "." in name)]
    return Unknown("not_told", f"whether {name} is {alike[0]}, this host") if alike else False


# ---------------------------------------------------------------- one reader an agent


def _journal_upload(texts: list[str]) -> Iterator[Target]:
    """`URL=` may lack its scheme, which is then https, and its port, which is then 19532."""
    urls = systemd_conf.assignments(texts, "Upload", "URL")
    if urls and urls[-1]:
        to = _of_url(urls[-1] if "://" in urls[-1] else "https://" + urls[-1], 19532)
        yield replace(to, selector="*.*", partial=False)


UNREAD = Unknown("not_told", "which messages this agent reads and keeps is not read")


def _of_url(url: str, default: int) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        unread = Unknown("unreadable", url[:80])
        return Target(unread, unread, "tcp", unread, UNREAD, UNREAD)
    to = host or Unknown("unreadable", url[:80])
    return Target(to, port or default, parts.scheme, parts.scheme == "https", UNREAD, UNREAD)


TLS_TOLD = ("forward", "syslog", "es", "http", "loki", "splunk", "gelf", "opensearch", "tcp")  # `tls` is off unless set
LOCAL = ("stdout", "file", "null", "counter", "flowcounter", "plot", "exit")


def _fluent_bit(texts: list[str]) -> Iterator[Target]:
    """Each [OUTPUT] that leaves the host; `stdout`, `file` and the like do not. An included file is not followed."""
    for text in texts:
        if re.search(r"(?m)^@include ", text):
            yield _untold("a file that fluent-bit includes")
        for block in text.split("[output]")[1:]:
            lines = block.partition("\n[")[0].splitlines()
            told = dict(line.strip().partition(" ")[::2] for line in lines if line.strip())
            name = told.get("name", "").lower()
            if name not in LOCAL:
                port = _port(told.get("port", ""))
                tls: bool | Unknown = told.get("tls", "off").lower() in ("on", "true", "yes")
                if not tls and name not in TLS_TOLD:
                    tls = Unknown("not_told", f"whether fluent-bit's output {name[:40]} is under TLS")
                to: Fact = told.get("host") or Unknown("not_told", "fluent-bit names no host")
                if isinstance(to, str) and "$" in to:
                    to = Unknown("not_told", "fluent-bit takes its host from a variable")
                yield Target(to, port, name, tls, UNREAD, UNREAD)


def _port(text: str) -> int | Unknown:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else Unknown("not_told", "port")


def _wazuh(texts: list[str]) -> Iterator[Target]:
    """Wazuh encrypts with a key of the agent's own, which is no TLS and which we do not judge."""
    for text in texts:
        told: dict[str, str] = {}
        for line in [*text.splitlines(), "end"]:
            if line == "end":
                to = told.get("address") or told.get("server-hostname") or told.get("server-ip")
                if to:
                    cipher = Unknown("not_told", "Wazuh has an encryption of its own")
                    port = _port(told.get("port", "1514"))
                    yield Target(to, port, told.get("protocol", "tcp").lower(), cipher, UNREAD, UNREAD)
                told = {}
            else:
                name, _, value = line.lstrip("<").partition(">")
                told[name] = value.strip()


def _filebeat(texts: list[str]) -> Iterator[Target]:
    for text in texts:
        for block in re.split(r"(?m)^output\.", text)[1:]:
            name = block.partition(":")[0]
            if re.search(r"(?m)^[ \t]+enabled:\s*false", block) or name in ("console", "file", "discard"):
                continue
            ssl = bool(re.search(r"(?m)^ssl$|^[ \t]+ssl\.enabled:\s*true", block))
            ssl = ssl and not re.search(r"(?m)^[ \t]+ssl\.enabled:\s*false", block)
            for to in re.findall(r"[\[,\-]\s*[\"']?([A-Za-z0-9_.:/\[\]-]+)", block.partition("hosts:")[2]):
                yield _beat(to.rstrip("]"), name, ssl)


def _beat(to: str, name: str, ssl: bool) -> Target:
    known = _of_url(to if "://" in to else "tcp://" + to, 5044 if name == "logstash" else 9200)
    return replace(known, protocol=name, tls=ssl or known.tls is True)


_READERS: Mapping[str, Any] = {
    "rsyslog": rsyslog.targets,
    "syslog-ng": syslog_ng.targets,
    "journal-upload": _journal_upload,
    "fluent-bit": _fluent_bit,
    "wazuh": _wazuh,
    "filebeat": _filebeat,
}

PROBE = Probe(
    title={"en": "Log forwarding", "fr": "Envoi des journaux"},
    privilege={
        "en": "Root reads what only root may read of the forwarders' configuration; secrets are masked on the host.",
        "fr": "root lit ce que lui seul peut lire de la configuration des agents d'envoi ; les secrets sont masqués sur l'hôte.",
    },
    facts={
        "type": "object",
        "properties": {
            "targets": {
                "type": "array",
                "description": "Each place that a forwarder is set to send logs to.",
                "items": {
                    "type": "object",
                    "x-name": "to",
                    "x-also": ["agent"],
                    "properties": {
                        "to": {"type": "string", "description": "Name or address, in lower case."},
                        "port": {"type": "integer", "description": "Port."},
                        "protocol": {"type": "string", "description": "Protocol, as the agent calls it."},
                        "tls": {"type": "boolean", "description": "Whether the transfer is under TLS."},
                        "agent": {"type": "string", "description": "The forwarder."},
                        "active": {"type": "boolean", "description": "Whether the forwarder runs."},
                        "loopback": {"type": "boolean", "description": "Whether the target is a loopback address."},
                        "to_itself": {
                            "type": "boolean",
                            "description": "Whether the target is the host itself, by its own name or address.",
                        },
                        "selector": {"type": "string", "description": "Which messages it is told to send."},
                        "partial": {
                            "type": "boolean",
                            "description": "Whether it leaves messages out, debugging ones aside.",
                        },
                    },
                },
            }
        },
    },
    dialects={"linux": Dialect(commands, undated(parse))},
)
