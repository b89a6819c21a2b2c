"""What looks for anomalies on a host: its processes' start, its rule files and what else is there in; per product, out. Pure.

A rule file counts when it holds a rule and has not changed since the program started, for a program may read it only then.
Sources: the manuals of Wazuh (ossec.conf, ruleset), OSSEC, CrowdSec (config.yaml, scenarios), Suricata (suricata.yaml) and
ElastAlert 2 (config.yaml); proc(5): the start of a process is in field 22 of its stat, in hundredths of a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from auditor.framing.sh import GONE
from auditor.model import Answer, Command, Failure, Unknown

# Products that look for anomalies, of which the rules are in a database or are told by their command line alone.
UNREAD: Mapping[str, tuple[str, ...]] = {
    "Graylog": ("/etc/graylog/server", "/usr/share/graylog-server", "/opt/graylog*"),
    "Splunk": ("/opt/splunk",),
    "Kibana": ("/usr/share/kibana", "/opt/kibana"),
    "OpenSearch": ("/usr/share/opensearch", "/usr/share/opensearch-dashboards"),
    "Grafana": ("/usr/share/grafana",),
    "Loki": ("/usr/bin/loki", "/usr/local/bin/loki"),
    "Prelude": ("/usr/sbin/prelude-manager", "/usr/bin/prelude-manager"),
    "SEC": ("/usr/bin/sec", "/usr/local/bin/sec"),
    "logcheck": ("/usr/sbin/logcheck",),
    "ElastAlert": ("/usr/local/bin/elastalert", "/opt/elastalert*"),
}
# Whom another root, a container's, hides: what they are there for is not told.
_ELSEWHERE = "java|node|splunkd|grafana|grafana-server|loki|graylog"

# `since` gives the last moment at which a process can have started, by the clock that dates files: counted back from one
# that starts now, for what a container says of the host's start may be made up.
_RUNNING = (
    r"""c_wazuh=/var/ossec/etc/ossec.conf c_crowdsec=/etc/crowdsec/config.yaml c_suricata=/etc/suricata/suricata.yaml c_elastalert=
s_wazuh= s_crowdsec= s_suricata= s_elastalert=
since() {
  awk -v n="$(date +%s)" '{ sub(/^.*\) /, ""); t[NR] = $20 }
    END { if (NR == 2 && t[1] >= t[2] && n > 0) printf "%d\n", n - (t[1] - t[2]) / 100 + 1 }' /proc/self/stat "$1/stat" 2>/dev/null
}
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in
    wazuh-analysisd|ossec-analysisd) a=wazuh ;;
    crowdsec) a=crowdsec ;;
    Suricata-Main) a=suricata ;;
    elastalert) a=elastalert ;;
    """
    + _ELSEWHERE
    + r""") a= ;;
    *) continue ;;
  esac
  if [ -e "$d/root" ] && ! [ "$d/root" -ef / ]; then echo "elsewhere $c"; continue; fi
  [ -n "$a" ] || continue
  s=$(since "$d")
  eval "o=\$s_$a"
  if [ -z "$o" ] || [ "${s:-0}" -lt "$o" ]; then eval "s_$a=${s:-0}"; fi
  x=$(tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null | awk -v a="$a" '
    n { print "c" $0; n = 0; next }
    NR == 1 { next }
    /^--?(c|config)$/ { n = 1; next }
    /^--?(c|config)=/ { sub(/^[^=]*=/, ""); print "c" $0; next }
    a == "suricata" && /^-c./ { print "c" substr($0, 3); next }
    a == "crowdsec" && /^--?no-cs(=true)?$/ { print "oit is started with -no-cs" }
    a == "elastalert" && /^--debug$/ { print "oit is started with --debug" }
    a == "suricata" && /^-S/ { print "rit is started with -S" }
    a == "elastalert" && /^--rule/ { print "rit is started with --rule" }')
  IFS=$nl
  for l in $x; do
    case $l in
      c/etc/*|c/opt/*|c/usr/local/etc/*|c/var/ossec/*) eval "c_$a=\${l#c}" ;;
      c*) echo "untold $a it is started with another configuration" ;;
      o*) echo "off $a ${l#o}" ;;
      r*) echo "untold $a ${l#r}" ;;
    esac
  done
  unset IFS
done
"""
)
# value KEY FILE...: what a key of a YAML file says, whatever it stands under. rules AGENT PATTERN CONFIGURATION FILE...: how
# many of the files hold a rule and are older than the process, and how many hold one and are not.
_RULES = r"""value() {
  k=$1
  shift
  awk -v k="$k:" '{ sub(/(^|[ \t])#.*/, "") } $1 == k && NF > 1 {
    v = $0; sub(/^[^:]*:[ \t]*/, "", v); gsub(/^["\047]+|["\047 \t\r]+$/, "", v); sub(/\/+$/, "", v); print v; exit }' "$@" 2>/dev/null
}
readable() {
  if [ -f "$2" ] && [ -r "$2" ]; then return 0; fi
  if [ -e "$2" ]; then echo "! $1 $2"; elif ! gone "$2"; then echo "! $1 $p"; fi
  return 1
}
rules() {
  a=$1 q=$2 g=$3 l=
  shift 3
  for f in "$@"; do
    if readable "$a" "$f"; then l=$l$f$nl; fi
  done
  eval "s=\${s_$a:-0}"
  IFS=$nl
  set -f
  {
    stat -c 'c %Z %n' $g 2>/dev/null
    stat -L -c 'f %Z %n' $l 2>/dev/null
    stat -c 'f %Z %n' $l 2>/dev/null
  } | awk -v a="$a" -v q="$q" -v s="$s" '
    function holds(f,  x, c, h, i, r) {
      while ((getline x < f) > 0) {
        if (a == "wazuh") {
          r = ""
          while (x != "") {
            if (c) { i = index(x, "-->"); if (!i) break; x = substr(x, i + 3); c = 0; continue }
            i = index(x, "<!--")
            if (!i) { r = r x; break }
            r = r substr(x, 1, i - 1); x = substr(x, i + 4); c = 1
          }
          x = r
        }
        if (a == "elastalert" && x ~ /^is_enabled:[ \t]*["\047]?([Ff]alse|FALSE|[Nn]o|[Oo]ff)/) { h = 0; break }
        if (x ~ q) { h = 1; if (a != "elastalert") break }
      }
      close(f)
      return h
    }
    { w = $1; z = $2 + 0; sub(/^[cf] [^ ]* /, "")
      if (w == "c") { if (z > s + 0) all = 1; next }
      if (!($0 in seen)) { seen[$0] = 1; name[++k] = $0 }
      if (z > s + 0) late[$0] = 1 }
    END { for (i = 1; i <= k; i++) if (holds(name[i])) { if (all || name[i] in late) m++; else n++ }
      print "rules", a, n + 0, m + 0 }'
  set +f
  unset IFS
}
"""
_PRODUCTS = r"""w=/var/ossec
if [ -e $w ] || [ -n "$s_wazuh" ]; then
  if readable wazuh "$c_wazuh" && [ -e $w/bin/wazuh-analysisd -o -e $w/bin/ossec-analysisd -o -n "$s_wazuh" ]; then
    echo "there wazuh"
    o=$(awk '{ gsub(/<!--[^>]*-->/, "") } /<!--/ { c = 1 } c { if (/-->/) c = 0; next }
      { while (match($0, /<(rule_dir|include)[^>]*>[^<]*</)) {
          x = substr($0, RSTART, RLENGTH - 1); $0 = substr($0, RSTART + RLENGTH - 1)
          d = x ~ /^<rule_dir/ ? "/*.xml" : ""; h = d == "" ? "rules/" : ""; sub(/^[^>]*>/, "", x)
          if (x !~ /[][*?\\]/) print (x ~ /^\// ? "" : "/var/ossec/" h) x d } }' "$c_wazuh")
    IFS=$nl
    set -- ${o:-$w/ruleset/rules/*.xml}
    unset IFS
    # below log_alert_level a rule raises no alert
    i=$(awk '{ gsub(/<!--[^>]*-->/, "") } /<!--/ { c = 1 } c { if (/-->/) c = 0; next }
      match($0, /<log_alert_level>[ \t]*[0-9]+/) { n = substr($0, RSTART, RLENGTH); sub(/.*[^0-9]/, "", n) }
      /<alerts_log>[ \t]*no/ { t = 1 } /<jsonout_output>[ \t]*no/ { j = 1 }
      END { n = substr(n, 1, 4) + 0; print (t && j ? "off" : n < 3 ? 3 : n) }' "$c_wazuh")
    if [ "$i" = off ]; then echo "off wazuh its configuration has alerts written nowhere"; i=3; fi
    l=
    while [ "$i" -le 16 ]; do l="$l|$i" i=$((i + 1)); done
    l=${l#|}
    rules wazuh '<rule[ \t][^>]*level *= *"0*('"${l:-none}"')"' "$c_wazuh" "$@"
  fi
fi
if [ -e /etc/crowdsec ] || [ -n "$s_crowdsec" ]; then
  if readable crowdsec "$c_crowdsec"; then
    echo "there crowdsec"
    g=$c_crowdsec
    if [ -e "$g.local" ] && readable crowdsec "$g.local"; then g="$g.local$nl$g"; fi
    IFS=$nl
    set -f
    d=$(value config_dir $g)
    awk '{ sub(/(^|[ \t])#.*/, "") } /^[^ \t]/ { i = /^crowdsec_service:/ }
      i && /^[ \t]+enable:[ \t]*["\047]?(false|off|no)/ { print "off crowdsec its configuration says enable: false"; exit }' $g
    set +f
    unset IFS
    d=${d:-/etc/crowdsec}
    rules crowdsec '^type:[ \t]*["a-z]' "$g" "$d"/scenarios/*.yaml "$d"/scenarios/*.yml
  fi
fi
if [ -e /etc/suricata ] || [ -n "$s_suricata" ]; then
  if readable suricata "$c_suricata"; then
    echo "there suricata"
    d=$(value default-rule-path "$c_suricata")
    o=$(awk -v d="${d:-/etc/suricata/rules}" '{ sub(/(^|[ \t])#.*/, "") } /^[^ \t-]/ { i = /^rule-files:/; next }
      i && /^[ \t]*-[ \t]*[^ \t]/ { sub(/^[ \t]*-[ \t]*/, ""); gsub(/["\047 \t\r]+/, ""); print ($0 ~ /^\// ? "" : d "/") $0 }' "$c_suricata")
    IFS=$nl
    set -- $o
    unset IFS
    rules suricata '^[ \t]*(alert|drop|reject|rejectsrc|rejectdst|rejectboth)[ \t]' "$c_suricata" "$@"
  fi
fi
for f in "$c_elastalert" /etc/elastalert/config.yaml /etc/elastalert2/config.yaml /opt/elastalert/config.yaml /opt/elastalert2/config.yaml; do
  [ -n "$f" ] && [ -e "$f" ] || continue
  readable elastalert "$f" || break
  echo "there elastalert"
  d=$(value rules_folder "$f")
  case $d in
    /*) rules elastalert '^type:[ \t]*["a-z]' "$f" "$d"/*.yaml "$d"/*.yml "$d"/*/*.yaml "$d"/*/*.yml ;;
    *) echo "untold elastalert where its rules are" ;;
  esac
  break
done
"""
_UNREAD = (
    "for p in "
    + " ".join(path for paths in UNREAD.values() for path in paths)
    + r"""; do
  if [ -e "$p" ]; then echo "path $p"; elif ! gone "$p"; then echo "! ? $p"; fi
done
echo end
"""
)
ALERTING = Command("nl='\n'\n" + GONE + _RUNNING + _RULES + _PRODUCTS + _UNREAD, timeout_s=15, cap_bytes=32768)
ALERTING_ROOT = replace(ALERTING, elevated=True)

_COUNTS = re.compile(r"rules ([a-z]+) ([0-9]{1,7}) ([0-9]{1,7})\Z", re.ASCII)
_SAID = re.compile(r"(off|untold|!) ([a-z?]+) (.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer says. `rules`: per product, files with rules that are older than it runs, and others.

    `off`: why it runs without looking; `untold`: why its rules are not told; `missing`: why there may be more products.
    """

    there: frozenset[str] = frozenset()
    rules: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, Unknown] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    missing: Unknown | None = None


def read(rooted: Answer, plain: Answer) -> Told:
    """What root sees where we may ask as root; else what anybody sees, to whom what containers run does not show."""
    answer = plain if isinstance(rooted, Failure) else rooted
    if isinstance(answer, Failure):
        return Told(missing=answer.unknown())
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        return Told(missing=Unknown("unreadable", "what looks for anomalies is not told"))
    closed = rooted.unknown() if isinstance(rooted, Failure) else None
    cause = closed.cause if closed else "unreadable"
    said = [found.groups() for line in lines if (found := _SAID.match(line))]
    denied = {name: Unknown(cause, what[:200]) for kind, name, what in reversed(said) if kind == "!"}
    counted = [found for line in lines if (found := _COUNTS.match(line))]
    return Told(
        frozenset(line[6:] for line in lines if line.startswith("there ")),
        {c[1]: (int(c[2]), int(c[3])) for c in counted},
        {name: what[:100] for kind, name, what in said if kind == "off"},
        {name: Unknown("not_told", what[:200]) for kind, name, what in said if kind == "untold"} | denied,
        tuple(name for name, paths in UNREAD.items() if any(_lies(line, paths) for line in lines)),
        denied.get("?") or _elsewhere(lines) or closed,
    )


def _lies(line: str, paths: tuple[str, ...]) -> bool:
    if not line.startswith("path "):
        return False
    return any(line[5:].startswith(p[:-1]) if p.endswith("*") else line[5:] == p for p in paths)


def _elsewhere(lines: list[str]) -> Unknown | None:
    seen = sorted({line[10:30] for line in lines if line.startswith("elsewhere ")})
    return Unknown("not_told", f"what a container runs {' and '.join(seen)} for") if seen else None
