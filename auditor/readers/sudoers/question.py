"""Asks a host for its sudo, doas and polkit rules. Pure."""

from __future__ import annotations

from auditor.model import Command

# Prints whom the rules name, as whom they run, whether a password is asked, and the path of each command: never its
# arguments, which may carry passwords (`...` stands for some, `...*` for some with a wildcard). cvtsudoers resolves
# aliases and includes; without it, and where sudo passes over a file that cvtsudoers reads, the files themselves are
# read. sudo passes over what others than root may write (sudo_secure_path), names with a dot or a tilde, and lines that
# it cannot parse: where cvtsudoers or visudo cannot, what is read is not all. A site's cvtsudoers.conf may leave rules out.
SUDOERS = Command(
    r"""nl='
'
f=/etc/sudoers
[ -e "$f" ] || f=/usr/etc/sudoers
h=none
l=$f
r=
q=
k=
if [ -e "$f" ]; then
  h=files
  set -- "$f"
  for d in /etc/sudoers.d /usr/etc/sudoers.d; do
    if grep -qE "^[[:blank:]]*[@#]includedir[[:blank:]]+\"?$d/?\"?([[:space:]].*)?\$" "$f"; then
      k="$k $d "
      set -- "$@" "$d"
      for g in "$d"/*; do case ${g##*/} in *.*|*~) ;; *) if [ -f "$g" ]; then set -- "$@" "$g"; fi ;; esac; done
    fi
  done
  s=$(stat -L -c '%A %u %g %n' "$@" 2>/dev/null)
  if [ -n "$s" ]; then
    r=$(printf '%s\n' "$s" | awk '{ bad = $2 != 0 || substr($1, 9, 1) == "w" || (substr($1, 6, 1) == "w" && $3 != 0)
      n = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", n)
      if (bad) print "refused " n
      if ($1 ~ /^d/) { if (bad) loose[n] = 1; next }
      d = n; sub(/\/[^\/]*$/, "", d); if (!bad && !(d in loose)) print "read " n }')
    set -f
    IFS=$nl
    l= y=
    for x in $r; do case $x in 'read '*) l=$l${x#read }$nl ;; 'refused '*) y=$y${y:+$nl}$x ;; esac; done
    r=$y
    unset IFS
    set +f
  else
    l=$(for g in "$@"; do if [ -f "$g" ]; then printf '%s\n' "$g"; fi; done)
  fi
  if [ -z "$r" ] && command -v cvtsudoers >/dev/null; then
    if o=$(cvtsudoers -c /dev/null -e -f sudoers "$f" 2>/dev/null); then if [ -n "$o" ]; then h=expanded; fi; else q=odd; fi
  elif command -v visudo >/dev/null; then visudo -cqf "$f" >/dev/null 2>&1 || q=odd; fi
fi
if [ "$h" = expanded ]; then l=-; else o=; fi
case "$h$nl$r$nl" in none*|*"${nl}refused $f$nl"*) l=- ;; esac
set -f
IFS=$nl
o=$(printf 'sudoers %s\n' "$h"
  if [ -n "$q" ]; then echo odd; fi
  printf '%s\n' "$o" | awk -v known="$k" '
  function trim(s) { sub(/^ +/, "", s); sub(/ +$/, "", s); return s }
  # without escapes, quoted texts and comments, none of which can be told apart from separators later
  function bare(s) {
    gsub(/\\./, "?", s); gsub(/""/, "\001", s); gsub(/"[^"]*"/, "?", s); if (s ~ /"/) odd = 1
    sub(/#([^0-9-]|-[^0-9]|-?$).*/, "", s); gsub(/! +/, "!", s); return trim(s) }
  function flush() { if (items != "") print kind " " left items; items = ""; run = ""; ask = ""; when = ""; sum = "" }
  # [(runas)] [options] [tags] [digests] [!]command [arguments], and whether another list of hosts follows
  function item(x,  no, cmd, rest, c, w) {
    x = trim(x)
    if (hosts) { if (!(c = index(x, "="))) { left = left ", " x; return }
      left = left ", " trim(substr(x, 1, c - 1)); hosts = 0; return item(substr(x, c + 1)) }
    if (match(x, /^\{[^}]*\}/)) { run = substr(x, 2, RLENGTH - 2); gsub(/;/, ",", run); gsub(/\|/, ":", run)
      run = "(" run ") "; x = trim(substr(x, RLENGTH + 1)) }
    for (;;) {
      if (match(x, /^[A-Z_]+ *:/)) { w = substr(x, 1, RLENGTH); sub(/ *:/, "", w)
        if (w == "NOPASSWD" || w == "PASSWD") ask = w ": "
        x = trim(substr(x, RLENGTH + 1)) }
      else if (match(x, /^(ROLE|TYPE|PRIVS|LIMITPRIVS|TIMEOUT|NOTBEFORE|NOTAFTER|CWD|CHROOT|APPARMOR_PROFILE) *= *[^ ]+/)) {
        if (x ~ /^NOT/) when = "WHEN: "
        x = trim(substr(x, RLENGTH + 1)) }
      else if (match(x, /^sha(224|256|384|512) *: *[^ ]+/)) { sum = "WHEN: "; x = trim(substr(x, RLENGTH + 1)) }
      else break
    }
    while (x ~ /^!/) { no = no == "" ? "!" : ""; x = trim(substr(x, 2)) }
    if (x == "") return
    if (!match(x, /^[^ :]+/)) { odd = 1; return }
    cmd = substr(x, 1, RLENGTH); rest = trim(substr(x, RLENGTH + 1)); w = ""
    if (c = index(rest, ":")) { w = substr(rest, c + 1); rest = trim(substr(rest, 1, c - 1)); c = 1 }
    if (cmd ~ /^\^/) { cmd = "^"; rest = "" }
    else if (cmd !~ /^(\/[^=]*|ALL|sudoedit|list|[A-Z][A-Z0-9_]*)$/) { cmd = "?"; odd = 1 }
    items = items "\t" run ask (sum == "" ? when : sum) no cmd (rest == "" ? "" : rest == "\001" ? " \"\"" : rest ~ /[*]/ ? " ...*" : " ..."); sum = ""
    if (c) { flush(); if (kind == "rule") kind = "also"; left = ""; hosts = 1; return item(w) } }
  function list(s,  n, i, a, p) {
    s = bare(s)
    while (match(s, /\([^()]*\)/)) { p = substr(s, RSTART + 1, RLENGTH - 2); gsub(/,/, ";", p); gsub(/:/, "|", p)
      s = substr(s, 1, RSTART - 1) "{" p "}" substr(s, RSTART + RLENGTH) }
    n = split(s, a, ","); hosts = 0
    for (i = 1; i <= n; i++) item(a[i])
    if (hosts) odd = 1
    flush() }
  function defaults(s,  to, among, n, i, a, v) {
    sub(/^ *Defaults/, "", s); s = bare(s)
    to = substr(s, 1, 1)
    if (to ~ /[@:>!]/ && line !~ /^ *Defaults /) { s = trim(substr(s, 2))
      while (match(s, /^[^ ,]+/)) { among = among (among == "" ? "" : ",") substr(s, 1, RLENGTH)
        s = trim(substr(s, RLENGTH + 1)); if (s !~ /^,/) break; s = trim(substr(s, 2)) } } else to = "-"
    n = split(s, a, ",")
    for (i = 1; i <= n; i++) { v = trim(a[i])
      if (v ~ /^!*(authenticate|targetpw|rootpw|runaspw)$/) { c = gsub(/!/, "", v); v = v "\t" (c % 2 ? "no" : "yes") }
      else if (v ~ /^!(timestamp_timeout|exempt_group)$/) v = substr(v, 2) "\t"
      else if (v ~ /^(timestamp_timeout|exempt_group|runas_default|pam_(login_|askpass_)?service) *= *[^ ]+$/) sub(/ *= */, "\t", v)
      else { sub(/=.*/, "", v)
        if (v ~ /authenticate|timestamp_timeout|exempt_group|runas_default|targetpw|rootpw|runaspw|pam_(login_|askpass_)?service/) odd = 1
        continue }
      print "default " to "\t" among "\t" v } }
  FNR == 1 { if (b != "") print "odd"; b = "" }
  { sub(/\r$/, ""); seen = $0; gsub(/"[^"]*"/, "", seen); gsub(/\\./, "", seen)
    if (seen !~ /#([^0-9-]|-[^0-9]|-?$)/ && sub(/\\[ \t]*$/, "")) { b = b $0 " "; next } $0 = b $0; b = ""; gsub(/\t/, " "); line = $0 }
  /^ *[@#]include(dir)? / { d = $2; gsub(/"/, "", d); sub(/\/$/, "", d)
    if ($1 !~ /dir/ || !index(known, " " d " ")) print "include " $2
    else { if (inc == FILENAME && d == "/etc/sudoers.d") odd = 1; inc = FILENAME }
    if (odd) { print "odd"; odd = 0 }
    next }
  /^ *(#([^0-9-]|-[^0-9]|-?$).*)?$/ { next }
  inc != "" && inc == FILENAME { odd = 1 }
  /^ *Defaults/ { defaults($0) }
  /^ *User_Alias / { sub(/^ *User_Alias +/, ""); if (/"[^"]*#[^"]*"/) print "odd"
    sub(/#([^0-9-]|-[^0-9]|-?$).*/, ""); print "alias " $0; next }
  /^ *(Host|Runas)_Alias / { kind = $1 == "Host_Alias" ? "host" : "runas"; sub(/^ *[A-Za-z_]+ +/, ""); print kind " " bare($0); next }
  /^ *(Cmnd|Cmd)_Alias / { kind = "cmnd"; sub(/^ *[A-Za-z_]+ +/, "") }
  !/^ *Defaults/ { if (kind != "cmnd") kind = "rule"
    i = index($0, "="); if (!i) odd = 1; else { left = trim(substr($0, 1, i - 1)); list(substr($0, i + 1)) } }
  { kind = "" }
  odd { print "odd"; odd = 0 }
  END { if (b != "") print "odd" }' $l || exit 1
  if [ -n "$r" ]; then printf '%s\n' "$r"; fi) || exit 1
set +f
printf '%s\n' "$o"
set --
for g in /etc/doas.conf /etc/doas.d/*.conf; do if [ -f "$g" ]; then set -- "$@" "$g"; fi; done
d=
if [ $# -gt 0 ]; then d=$(cat "$@" 2>/dev/null | awk '{ sub(/#.*/, "") } $1 == "permit" { no = ""; as = ""; who = ""; cmd = ""; args = ""
  for (i = 2; i <= NF; i++) { if ($i == "{" || $i == "setenv") { while (i < NF && $i !~ /}/) i++; continue }
    if ($i == "nopass") no = "NOPASSWD: "
    if (who == "") { if ($i !~ /^(nopass|nolog|persist|keepenv)$/) { sub(/^:/, "%", $i); who = $i } continue }
    if ($i == "as") as = "(" $(++i) ") "; else if ($i == "cmd") cmd = $(++i); else if ($i == "args") args = i == NF ? " \"\"" : " ..." }
  gsub(/"/, "", who); gsub(/"/, "", cmd)
  if (who != "") print "doas " who "\t" as no (cmd == "" ? "ALL" : cmd ~ /^\/?[A-Za-z0-9_.\/-]+$/ ? cmd : "?") args }'); fi
if [ -n "$d" ]; then printf '%s\n' "$d"; fi
if awk '{ sub(/#.*/, "") } tolower($0) ~ /^[ \t]*sudoers[ \t]*:/ { s = 1 } s && tolower($0) ~ /sss|ldap/ { f = 1 } !/\\[ \t]*$/ { s = 0 }
  END { exit !f }' /etc/nsswitch.conf 2>/dev/null; then
  for g in /etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf /etc/ldap.conf /etc/sudo-ldap.conf /etc/openldap/ldap.conf; do
    if [ -e "$g" ]; then echo directory; break; fi
  done
fi
if [ -e /etc/sudoers-rs ]; then echo 'policy /etc/sudoers-rs'; fi
# sudo-rs reads a part of this language, and passes over what it does not know: its own visudo says whether there is any
if grep -q sudo-rs "$(command -v sudo)" 2>/dev/null; then
  grep -qE 'sudo(ers)?-rs' "$(command -v visudo)" 2>/dev/null && visudo -cqf "$f" >/dev/null 2>&1 || echo 'policy sudo-rs'
fi
c=/etc/sudo.conf
[ -e "$c" ] || c=/usr/etc/sudo.conf
awk 'tolower($1) == "plugin" && $2 !~ /_(io|audit|approval)$/ && ($3 != "sudoers.so" || NF > 3) || tolower($1 $2) == "pathplugin_dir" {
  print "policy " FILENAME; exit }' "$c" 2>/dev/null
set --
for g in /etc/polkit-1/rules.d/*.rules /usr/local/share/polkit-1/rules.d/*.rules /etc/polkit-1/localauthority/*/*.pkla; do
  if [ -f "$g" ]; then set -- "$@" "$g"; fi
done
if [ $# -gt 0 ]; then awk '
  FNR == 1 { c = 0 }
  { while (match($0, /\/\*[^*]*\*\//)) $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH)
    sub(/(^|[^:"])\/\/.*/, "") }
  /\/\*/ && FILENAME ~ /\.rules$/ { sub(/\/\*.*/, ""); c = 1; say(); next }
  c { if (!sub(/.*\*\//, "")) next; c = 0 }
  { say() }
  function say() { if (!s[FILENAME] && (FILENAME ~ /\.pkla$/ ? /^[ \t]*Result(Any|Inactive|Active)[ \t]*=[ \t]*yes/ : /\.YES|["\047]yes["\047]/)) {
    s[FILENAME] = 1; print "polkit " FILENAME } }' "$@" || exit 1; fi
set -f
g=$(printf '%s\n' "$o" | awk '
  /^rule / && !/^[^\t]* ALL(\t|$)/ || /^also / && !/^[^\t]*[ ,]ALL(\t|$)/ || /^default @/ { some = 1 }
  /^(rule|alias) / { sub(/\t.*/, "") } /^default / { sub(/^default [^\t]*\t/, ""); sub(/\texempt_group\t/, ",%"); sub(/\t.*/, "") }
  { while (match($0, /"[^"]*"/)) { q = substr($0, RSTART + 1, RLENGTH - 2); gsub(/ /, "\001", q)
      $0 = substr($0, 1, RSTART - 1) q substr($0, RSTART + RLENGTH) }
    gsub(/\\ /, "\001"); gsub(/\\\\/, "\002"); n = split($0, a, /[ \t,=]+/)
    for (i = 1; i <= n && k < 40; i++) if (a[i] ~ /^!?%[^:#]/ && !s[a[i]]++) { sub(/^!?%/, "", a[i])
      gsub(/\001/, " ", a[i]); gsub(/\002/, "\\", a[i]); print a[i]; k++ } }
  END { if (some) print "@" }')
y=
case "$nl$g" in *"$nl@") g=${g%@}; y=1 ;; esac
if [ -n "$g" ]; then getent group $g 2>/dev/null | awk -F: '{ print "g:" $1 ":" $3 ":" $4 }'; fi
# the programs that run without a password: whether others than root may change them, or a folder above them
p=$(printf '%s\n%s\n' "$o" "$d" | awk -F'\t' '/NOPASSWD: |^default .*(authenticate|timestamp_timeout|exempt_group)/ { all = 1 }
  /^(rule|also|cmnd|doas) / { for (i = 2; i <= NF; i++) if (match($i, /(^|[ !])\/[^ ?*[]*( |$)/)) { x = substr($i, RSTART, RLENGTH); gsub(/[ !]/, "", x)
    while (x != "" && k < 400) { if (!s[x]++) { p[++k] = x } sub(/\/[^\/]*$/, "", x) } } }
  END { if (all) for (i = 1; i <= k; i++) print p[i] }')
if [ -n "$p" ] && ! command -v stat >/dev/null; then echo unweighed; elif [ -n "$p" ]; then stat -L -c '%A %u %g %n' $p 2>/dev/null | awk '
  $2 != 0 || substr($1, 9, 1) == "w" || (substr($1, 6, 1) == "w" && $3 != 0) { sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); print "loose " $0 }'; fi
m=$(uname -n)
printf 'name %s\n' "$m"
# with `fqdn`, which some are built with, sudo goes by the name that the resolver gives this one
if [ -n "$y" ]; then getent ahosts "$m" 2>/dev/null | awk -v m="$m" 'NF > 2 { if ($3 != m) print "name " $3; exit }'; fi
echo end
""",
    elevated=True,
    cap_bytes=262144,
)
