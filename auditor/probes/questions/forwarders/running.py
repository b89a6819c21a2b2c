"""How a host tells what its agents do beside their files: what waits, what is not read, what they were started with. Pure.

Sources: rsyslog.conf(5), proc(5).
"""

from __future__ import annotations

# Messages that wait on disk for a collector that does not take them.
QUEUES = r"""for f in /var/spool/rsyslog /var/lib/rsyslog /var/lib/syslog-ng; do
  if [ -d "$f" ] && ! { [ -r "$f" ] && [ -x "$f" ]; }; then echo "Q ? $f"; continue; fi
  for q in "$f"/*.[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]; do [ -s "$q" ] && { echo "Q rsyslog $q"; break; }; done
done
"""
# What journald hands on to the socket that imuxsock reads: `J NAME=VALUE`, the last of a name counts.
JOURNALD = r"""if [ -e /run/systemd/journal/socket ]; then
  {
    systemd-analyze cat-config systemd/journald.conf || cat /etc/systemd/journald.conf /etc/systemd/journald.conf.d/*.conf
  } 2>/dev/null | awk '
    /^[ \t]*\[/ { s = $1; next }
    s == "[Journal]" && /^[ \t]*(ForwardToSyslog|MaxLevelSyslog)[ \t]*=/ { gsub(/[ \t\r]/, ""); print "J " substr($0, 1, 60) }'
fi
"""
# Of a running agent's command line, nothing but the file that it reads its configuration from; `O AGENT FILE` for a file of
# it, or a folder that it includes, that changed after the agent started: a ctime cannot be set back. When that was is
# counted back from a process that starts now, for what a container says of the host's start may be made up.
STARTED = r"""changed() {
  IFS=$nl
  set -f
  set -- "$@" $(printf '%s\n' "$o" | awk -v a="$1" '
    $1 == "F" { c = $2 == a; sub(/^F [^ ]* /, ""); if (c && !/[.]state$/) print; next }
    c && /^I .*([*?[]|\/[ \t]*$)/ { sub(/^I /, ""); sub(/[*?[].*$/, ""); sub(/\/[^\/]*$/, ""); print /^\// ? $0 : "/etc/" a "/" $0 }')
  a=$1 d=$2
  shift 2
  if [ $# != 0 ]; then
    { stat -c '%Z %n' "$@"; stat -L -c '%Z %n' "$@"; } 2>/dev/null | awk -v a="$a" -v d="$d/stat" -v n="$(date +%s)" '
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
DEAF = r"""case $nl$o in
  *"${nl}Y$nl"*) q= ;;
  *"${nl}N$nl"*) q=1 ;;
  *"${nl}L$nl"*) q= ;;
  *"${nl}F rsyslog "*) q=1 ;;
  *) q= ;;
esac
if [ -n "$q" ]; then case $o in *"${nl}M$nl"*) echo "D ? rsyslog" ;; *) echo "D rsyslog" ;; esac; fi
"""
