"""What a host is asked of sshd: which servers run, whom the Match rules tell apart, and what `sshd -T` says of each. Pure."""

from __future__ import annotations

from auditor.model import Command

# Asks a superset: everybody who may count, as far as the shell can tell, capped at 60 accounts and 240 contexts.
# It asks for as many contexts as the Match rules tell apart: without such rules, one.
EFFECTIVE = Command(
    r"""t=$(printf '\t')
nl='
'
S=$(command -v sshd) || S=none
printf 'sshd\t%s\n' "$S"
P=
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  case $c in sshd|sshd-session|sshd-auth|dropbear|tinysshd*|lshd|telnetd|in.telnetd) ;; *) continue ;; esac
  [ "$d/root" -ef / ] || continue
  case $c in
    sshd*)
      l=$(tr '\000\n' '  ' <"$d/cmdline" 2>/dev/null)
      case $l in
        */sshd\ -T|*/sshd\ -T\ *|*/sshd\ -t|*/sshd\ -t\ *) ;;  # asked for its configuration, by us or another: it serves nobody
        */sshd\ *|*/sshd) printf 'process\t%s\n' "$l"; P="$P $d" ;;
        *) if [ "$S" = none ]; then printf 'other\t%s\n' "$c"; fi ;;
      esac ;;
    *) printf 'other\t%s\n' "$c" ;;
  esac
done
# servers that systemd starts for each connection, with settings of their own
for u in $(grep -lsE '^ExecStart=[^[:space:]]*/(sshd[[:space:]].*-[a-zA-Z0-9]*f|dropbear|tinysshd)' /etc/systemd/system/*@.service \
  /usr/local/lib/systemd/system/*@.service /usr/lib/systemd/system/*@.service /lib/systemd/system/*@.service); do
  u=${u##*/}
  if [ "$(systemctl is-active "${u%@.service}.socket" 2>/dev/null)" = active ]; then printf 'other\t%s\n' "$u"; fi
done
if [ "$S" = none ]; then echo end; exit 0; fi

# the configuration's files, with those that it includes from elsewhere, two deep
included() {
  cat $1 2>/dev/null | awk '{ gsub(/["=]/, " ") } tolower($1) == "include" {
    for (i = 2; i <= NF; i++) { f = $i ~ /^\// ? $i : "/etc/ssh/" $i
      if (f !~ /^\/etc\/ssh\/sshd_config\.d\/\*(\.conf)?$/) print f } }'
}
f='/etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /usr/etc/ssh/sshd_config /usr/etc/ssh/sshd_config.d/*'
i=$(included "$f")
if [ -n "$i" ]; then j=$(included "$i"); f="$f $i $j"; if [ -n "$j" ] && [ -n "$(included "$j")" ]; then printf 'odd\tInclude in Include\n'; fi; fi
# A file's ctime cannot be set back. A server read its files when it started, or when it wrote its pid file again on a reload.
# When it started is counted back from a process that starts now: releases of LXCFS show a container a later start of the host.
for d in $P; do
  s=$(awk -v n="$(date +%s)" '{ sub(/^.*\) /, ""); t[NR] = $20 }
    END { if (NR == 2 && t[2] > 0 && t[1] >= t[2] && n > 0) printf "%d\n", n - (t[1] - t[2]) / 100 + 1 }' /proc/self/stat "$d/stat" 2>/dev/null)
  for p in /run/sshd.pid /var/run/sshd.pid; do
    i=
    { read -r i <"$p"; } 2>/dev/null
    if [ "$i" = "${d#/proc/}" ]; then
      w=$(stat -c %Y "$p" 2>/dev/null)
      if [ "${w:-0}" -gt "${s:-0}" ]; then s=$w; fi
    fi
  done
  z=$(for l in '' -L; do stat $l -c '%Z %n' $f /etc/ssh/sshd_config.d; done 2>/dev/null)
  if [ -z "$s" ] || [ -z "$z" ]; then echo undated; continue; fi
  printf '%s\n' "$z" | awk -v s="$s" '$1 + 0 > s + 0 { sub(/^[^ ]* /, ""); print "newer\t" $0; exit }'
done

# what the Match rules look at, and an address that meets each of their patterns
m=$(cat $f 2>/dev/null | awk '{ gsub(/["=]/, " ") }
  tolower($1) != "match" { next }
  { $1 = ""; $0 = $0 }
  function sample(v, kind,  a, n, k) {
    n = split(v, a, ",")
    for (k = 1; k <= n; k++) { sub(/^!/, "", a[k]); sub(/\/.*/, "", a[k])
      while (a[k] ~ /^[0-9.?*]+\*$/ && gsub(/\./, ".", a[k]) < 3) a[k] = a[k] (a[k] ~ /\.$/ ? "" : ".") "*"  # 10.7.* is 10.7.1.1
      if (a[k] ~ /:/ && a[k] !~ /::/) sub(/:\*$/, ":1::1", a[k])
      gsub(/[*?]+/, "1", a[k])
      if (a[k] !~ /[.:]/ || a[k] ~ /[^0-9a-fA-F.:]/ || a[k] ~ /^1?$/) continue
      if (gsub(/\./, ".", a[k]) != 3 && a[k] !~ /::/ && gsub(/:/, ":", a[k]) != 7) print "odd a pattern"
      else if (c[kind]++ < 8) print kind, a[k]; else print "odd more patterns than are tried" } }
  { for (i = 1; i <= NF; i++) { w = tolower($i)
      if (w == "all" || w == "canonical" || w == "final") continue
      if (w == "user" || w == "group" || w == "invalid-user") print "vary user"
      else if (w == "address" || w == "host") { print "vary address"; sample($(i + 1), "address")
        n = split(w == "host" ? $(i + 1) : "", h, ","); for (k = 1; k <= n; k++) if (h[k] ~ /[A-Za-z]/ && h[k] !~ /:/) print "named" }
      else if (w == "localaddress") { print "vary at"; sample($(i + 1), "at") }
      else if (w == "localport") { print "vary port"; n = split($(i + 1), h, ","); for (k = 1; k <= n; k++) print "port", h[k] }
      else print "odd", w
      i++ } }' | sort -u)
set -f
IFS=$nl
v= addresses= locals= numbers=
for l in $m; do
  case $l in
    'vary '*) v="$v ${l#vary }" ;;
    'odd '*) printf 'odd\tMatch %s\n' "${l#odd }" ;;
    named) echo named ;;
    'address '*) addresses=$addresses${l#address }$nl ;;
    'at '*) locals=$locals${l#at }$nl ;;
    'port '*) numbers=$numbers${l#port }$nl ;;
  esac
done
unset IFS
set +f
printf 'vary\t%s\n' "$v"

# accounts: uid 0, admin groups, whom sudo rules name, then all that have a shell
w=$(cat /etc/sudoers /usr/etc/sudoers /etc/sudoers.d/* /etc/doas.conf 2>/dev/null | awk '
  { gsub(/\\ /, "\001"); gsub(/"/, "") }
  /^[ \t]*(#[^0-9]|Defaults|@include|Cmnd_Alias|Cmd_Alias|Host_Alias|Runas_Alias)/ || NF == 0 { next }
  $1 == "permit" { sub(/^[ \t]*permit/, ""); gsub(/:/, "%") }
  $1 == "User_Alias" { sub(/^[^=]*=/, ""); sub(/#.*/, "") }
  { sub(/=.*/, ""); n = split($0, a, /[ \t,]+/)
    for (k = 1; k <= n; k++) if (a[k] != "" && a[k] != "ALL" && a[k] !~ /^[!#+]/ && !s[a[k]]++ && z++ < 100) {
      gsub(/\001/, " ", a[k]); print a[k] } }')
set -f
IFS=$nl
u= g=
for l in $w; do case $l in %*) g=$g${l#%}$nl ;; *) u=$u$l$nl ;; esac; done
who=$( {
  cat /etc/passwd
  echo
  if [ -n "$u" ]; then getent passwd $u 2>/dev/null; fi
  printf '\001g\n'
  cat /etc/group
  echo
  getent group sudo wheel admin adm docker lxd incus-admin libvirt disk root $g 2>/dev/null
  printf '\001w\n%s\n' "$w"
} | awk -F: '
  BEGIN { part = "p" }
  /^\001/ { part = substr($0, 2); next }
  $0 == "" { next }
  { $0 = part ":" $0 }
  function put(b, n) { if (n != "" && !had[n]++) { k++; name[k] = n; rank[k] = b } }
  function home(n) { return n in h ? h[n] : "" }
  BEGIN { split("sudo wheel admin adm docker lxd incus-admin libvirt disk root", x, " "); for (i in x) adm[x[i]] = 1 }
  $1 == "p" && !($2 in h) { h[$2] = $7; id[$2] = $4; gid[$2] = $5
    shell[$2] = $8 !~ /\/(nologin|false|true|sync|shutdown|halt)$/; order[++o] = $2 }
  $1 == "g" { num[$2] = $4; mem[$2] = mem[$2] "," $5 }
  $1 == "w" { if ($2 ~ /^%/) adm[substr($2, 2)] = 1; else if ($2 in h) said[$2] = 1 }
  END {
    for (i = 1; i <= o; i++) if (id[order[i]] == 0) put(1, order[i])
    for (a in adm) if (a in num) { isadm[num[a]] = 1; n = split(mem[a], y, ","); for (i = 1; i <= n; i++) put(2, y[i]) }
    for (i = 1; i <= o; i++) if (gid[order[i]] in isadm && shell[order[i]]) put(2, order[i])
    for (i = 1; i <= o; i++) if (order[i] in said) put(3, order[i])
    for (i = 1; i <= o; i++) if (shell[order[i]]) put(4, order[i])
    for (b = 1; b <= 4; b++) for (i = 1; i <= k; i++) if (rank[i] == b) {
      if (name[i] ~ /[,\t]/ || ++c > 60) { if (++left <= 200) print "left\t" name[i] }
      else print "ask\t" name[i] "\t" home(name[i]) } }')
names= homes=$nl
for l in $who; do
  case $l in
    left*) printf '%s\n' "$l" ;;
    "ask$t"*)
      l=${l#*"$t"}
      names=$names${l%%"$t"*}$nl
      h=${l#*"$t"}
      h=${h%%"$t"*}
      case $homes in *"$nl$h$nl"*) ;; *) homes=$homes$h$nl ;; esac ;;
  esac
done
k=
for h in $homes; do
  d=$h/.ssh
  if ! [ -d "$d" ]; then d=$h; fi
  if [ -d "$d" ] && ! [ -e "$d/." ]; then printf 'dark\t%s\n' "$h"; fi
  for p in "$h/.ssh/authorized_keys" "$h/.ssh/authorized_keys2"; do if [ -f "$p" ]; then k="$k$p$nl"; fi; done
done
if [ -n "$k" ]; then
  awk '/^[ \t]*(#|$)/ { next }
    { all[FILENAME]++; l = $0
      if (match(l, /^([^ \t"]|"[^"]*")*from="[0-9a-fA-F.:,\/]+"/)) {
        v = substr(l, 1, RLENGTH); sub(/.*from=/, "", v); if (v !~ /\/0*[",]/) from[FILENAME]++ }
      gsub(/"[^"]*"/, "", l)
      p = match(l, /(sk-ssh-ed25519|sk-ecdsa-sha2-nistp256)@openssh\.com[ \t]/); q = match(l, /(ssh-|ecdsa-|cert-authority)/)
      if (p && (!q || q >= p)) { sk[FILENAME]++; if (tolower(substr(l, 1, p - 1)) ~ /(^|[, \t])verify-required([, \t]|$)/) pin[FILENAME]++ } }
    END { for (f in all) printf "keys\t%s\t%d\t%d\t%d\t%d\n", f, all[f], sk[f], pin[f], from[f] }' $k
fi

sources=
for a in "$@"; do sources=$sources$a$nl; done
case "$v " in *' address '*) sources=$sources$addresses ;; *) sources=${1-} ;; esac
ats=127.0.0.1$nl$locals
ports=22
case "$v " in
  *' port '*) ports=$("$S" -T -C user=root,host=127.0.0.1,addr=127.0.0.1,laddr=127.0.0.1,lport=22 2>/dev/null |
    awk '$1 == "listenaddress" { sub(/.*:/, "", $2); print $2 }' | sort -u)
    # a port that a rule names may be a socket's of systemd, or one of the command line
    for p in $numbers; do
      case "$nl$ports$nl" in *"$nl$p$nl"*) ;; *) printf 'odd\tMatch LocalPort %s\n' "$p" ;; esac
    done ;;
esac
case "$v " in *' user '*) ;; *) names=root ;; esac
n=0
for u in $names; do for a in $sources; do for l in $ats; do for p in ${ports:-22}; do
  n=$((n + 1))
  if [ "$n" -gt 240 ]; then printf 'left\t%s\n' "$u"; continue; fi
  printf 'context\t%s\t%s\t%s\t%s\n' "$u" "$a" "$l" "$p"
  "$S" -T -C "user=$u,host=$a,addr=$a,laddr=$l,lport=$p" 2>&1
  printf 'rc\t%s\n' "$?"
done; done; done; done | awk '
  BEGIN { n = split("permitrootlogin passwordauthentication kbdinteractiveauthentication challengeresponseauthentication" \
    " pubkeyauthentication gssapiauthentication hostbasedauthentication usepam authenticationmethods pubkeyauthoptions" \
    " permitemptypasswords allowusers denyusers allowgroups denygroups authorizedkeysfile authorizedkeyscommand" \
    " trustedusercakeys pamservicename usedns", x, " "); for (i = 1; i <= n; i++) kept[x[i]] = 1 }
  /^context\t/ { print; body = ""; next }
  /^left\t/ { if (!s[$0]++) print; next }
  /^rc\t/ { if (body == last && body != "") print "same"; else printf "%s", body; last = body; print; next }
  $1 == "pubkeyacceptedalgorithms" || $1 == "pubkeyacceptedkeytypes" {
    k = split($2, y, ","); v = "sk"; for (i = 1; i <= k; i++) if (y[i] !~ /^(webauthn-)?sk-/) v = "all"
    body = body "=\tpubkeyacceptedalgorithms " v "\n"; next }
  $1 in kept { body = body "=\t" $0 "\n"; next }
  $1 !~ /^[a-z0-9]+$/ && $0 != "" { body = body "!\t" substr($0, 1, 300) "\n" }'
echo end
""",
    elevated=True,
    timeout_s=45,
    cap_bytes=262144,
    takes="address",
)
