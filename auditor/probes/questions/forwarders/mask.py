"""How a host prints the configuration of rsyslog and syslog-ng: every value masked that is not asked for. Pure.

Sources: rsyslog.conf(5), the syslog-ng administration guide.
"""

from __future__ import annotations

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
  if (o ~ /^[ \t]*[$]/ && low(o) !~ /^[ \t]*[$](actionsendstreamdriver(mode|authmode|permittedpeer)?|defaultnetstreamdriver|(default)?ruleset|includeconfig|resetconfigvariables|actionexeconly(whenpreviousissuspended|onceeveryinterval|everynthtime)|(action|mainmsg)queuediscardseverity)([ \t]|$)/ &&
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
