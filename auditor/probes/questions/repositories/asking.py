"""How a host asks one repository what it holds, and trusts no file that others than root can write. Pure."""

from __future__ import annotations

# Asks each repository that the configurations of this host name. Nothing of them is executed but what the backup itself
# executes to open a repository (RESTIC_PASSWORD_COMMAND, BORG_PASSCOMMAND, BORG_RSH), and only when root alone could have
# written it. What the tools say on standard error can quote the repository's password: it stays on the host.
FUNCTIONS = r"""exec 2>/dev/null
cd /
unset RESTIC_REPOSITORY RESTIC_REPOSITORY_FILE RESTIC_PASSWORD RESTIC_PASSWORD_FILE RESTIC_PASSWORD_COMMAND
unset BORG_REPO BORG_PASSPHRASE BORG_PASSCOMMAND BORG_RSH BORG_REMOTE_PATH odd many tool repo
HOME=/root TZ=UTC
export HOME TZ
PATH=$PATH:/usr/local/sbin:/usr/local/bin
nl='
'
IFS=$nl
START=$(date +%s)
if timeout -k 1 5 true; then T=2; elif timeout 5 true; then T=1; else T=0; fi
# within SECONDS COMMAND ARGUMENT...
within() {
  s=$1
  shift
  case $T in 2) timeout -k 1 "$s" "$@" ;; 1) timeout "$s" "$@" ;; *) "$@" ;; esac </dev/null
}
# only FILE: none but root can write the file or any folder above it
only() {
  p=$(readlink -f "$1") && [ -n "$p" ] || return 1
  set -- "$p"
  while [ "$p" != / ]; do
    p=${p%/*}
    p=${p:-/}
    set -- "$@" "$p"
  done
  ls -ldLn "$@" | awk '$3 != 0 || substr($1, 6, 1) == "w" || substr($1, 9, 1) == "w" { b = 1 } END { exit b || !NR }'
}
resolve() {
  within 5 getent ahosts "$1" | awk '!seen[$1]++ { print "resolved " $1 }'
}
# remote HOST KIND: what an ssh configuration and the resolver make of the name; `?` where another program leads elsewhere
remote() {
  h=$1 g=ssh
  if [ "$tool" = borg ]; then g=${BORG_RSH:-ssh}; fi
  if [ "$2" = ssh ] && command -v ssh >/dev/null; then
    case ${g%% *} in
      ssh | */ssh) a=$(IFS=' '; set -f; within 5 $g -G "$1" | awk '$1 == "hostname" { a = $2 }
        $1 == "proxycommand" && !/%h/ && $2 != "none" { p = 1 } END { print p ? "?" : a }') ;;
      *) a='?' ;;
    esac
    case $a in '' | -* | *[!A-Za-z0-9._:?-]*) if [ "$g" != ssh ]; then printf 'alias ?\n'; fi ;; *)
      h=$a
      printf 'alias %s\n' "$a" ;;
    esac
  fi
  [ "$h" = '?' ] || resolve "$h"
}
# mounted PATH: the kind and the source of the file system that holds it
mounted() {
  at=$(readlink -f "$1") || at=$1
  at=$at awk '
    function plain(s) { gsub(/\\040/, " ", s); gsub(/\\011/, "\t", s); return s }
    { m = plain($5); if ((m == "/" || m == ENVIRON["at"] || index(ENVIRON["at"], m "/") == 1) && length(m) >= best) {
        best = length(m); for (i = 7; i < NF && $i != "-"; i++); type = $(i + 1); source = $(i + 2); sub(/^.*@/, "", source) } }
    END { if (type) print "mount " type " " source }' /proc/self/mountinfo
}
on_disk() {
  m=$(mounted "$1")
  printf '%s\n' "$m"
  s=${m#mount * }
  case $m in
    'mount nfs'* | 'mount ceph '* | 'mount glusterfs '* | 'mount fuse.glusterfs '* | 'mount fuse.sshfs '*)
      s=${s%%:/*}
      s=${s%%,*}
      s=${s%:}
      s=${s#[}
      s=${s%]} ;;
    'mount cifs '* | 'mount smb'*)
      s=${s#//}
      s=${s%%/*} ;;
    'mount '*' /dev/'*)
      lsblk -snro TRAN "$s" | awk 'NF && !seen[$1]++ { print "transport " $1 }'
      return ;;
    *) return ;;
  esac
  case $s in '' | -* | *[!A-Za-z0-9._:-]*) ;; *)
    printf 'host %s\n' "$s"
    resolve "$s" ;;
  esac
}
why() {
  case $1 in
    *[Ww]'rong password'* | *'is incorrect'* | *'empty password'* | *'assphrase'* | *'Resolving password'*) echo password ;;
    *'onnection refused'* | *'no such host'* | *'timed out'* | *'nreachable'* | *'Could not resolve'* | *'losed by remote'*)
      echo unreachable ;;
    *[Pp]'ermission denied'* | *'ccess Denied'*) echo denied ;;
    *'Is there a repository'* | *'does not exist'* | *'not a valid repository'*) echo absent ;;
    *) echo other ;;
  esac
}
# run COMMAND ARGUMENT...: its standard output, the lines of its standard error after "E ", its exit code
run() {
  { { within 20 "$@"; printf '\nexit %s\n' "$?"; } 2>&1 >&8 | sed 's/^/E /'; } 8>&1
}
listed() {
  b=$(command -v "$tool") && only "$b" || {
    echo 'said tool'
    return
  }
  unset RESTIC_REPOSITORY RESTIC_REPOSITORY_FILE
  if [ "$tool" = restic ]; then
    set -- "$b" snapshots --json --no-lock --no-cache --repo "$repo"
    o=$(run "$@" --latest 1)
    case $o in *'unknown flag: --latest'*) o=$(run "$@") ;; esac
  else
    o=$(run "$b" list --json --last 20 --format '{hostname}' --bypass-lock "$repo")
  fi
  c=$(printf '%s\n' "$o" | sed -n 's/^exit //p')
  printf 'exit %s\n' "$c"
  case $c in
    0) printf '%s\n' "$o" | grep -Ev '^(E |exit )' | sed 's/"location": *"[^"]*"/"location": ""/' | tr -d '\r\n' | sed 's/^/json /' && echo ;;
    124 | 137 | 143) echo 'said timeout' ;;
    *) printf 'said %s\n' "$(why "$o")" ;;
  esac
}
# one TOOL REPOSITORY
one() {
  tool=$1 repo=$2
  export tool repo
  said=$(awk "$PLACE")
  printf '@ %s\nsource %s\n%s\n' "$tool" "$from" "$said"
  if [ -n "$odd" ]; then echo 'said shell'
  elif [ $(($(date +%s) - START)) -gt 35 ]; then echo 'said late'
  else listed; fi
  case $said in
    *"${nl}kind ssh${nl}host "*) remote "${said##*"${nl}host "}" ssh ;;
    *"${nl}kind url${nl}host "*) remote "${said##*"${nl}host "}" url ;;
    *"${nl}kind local${nl}path "*) on_disk "${said##*"${nl}path "}" ;;
  esac
}
untold() { printf '@ %s\nsource %s\nrepository ...\nkind odd\nsaid shell\n' "$1" "$from"; }
ask() {
  [ -z "$many" ] || printf 'job %s\n' "$from"
  r=$RESTIC_REPOSITORY
  [ -n "$r" ] || [ -z "$RESTIC_REPOSITORY_FILE" ] || r=$(head -n 1 "$RESTIC_REPOSITORY_FILE")
  case "$odd " in
    *' RESTIC_REPOSITORY'*) untold restic ;;
    *) [ -z "$r" ] || one restic "$r" ;;
  esac
  case "$odd " in
    *' BORG_REPO '*) untold borg ;;
    *) [ -z "$BORG_REPO" ] || one borg "$BORG_REPO" ;;
  esac
}
# variables FILE SYNTAX: sets those of the tools, or says that others than root can write the file
variables() {
  parsed=
  if only "$1"; then
    eval "$(awk -v syntax="$2" "$ASSIGNMENTS" <"$1")"
    [ -n "$parsed" ] || printf 'job %s\n' "$1"
  elif [ -e "$1" ]; then
    printf 'untrusted %s\n' "$1"
    return 1
  fi
}
files() { sed -n 's/^[[:space:]]*EnvironmentFile=-\{0,1\}//p' "$1" | sed 's/%[a-zA-Z]/*/g'; }
unit() {
  from=$1
  only "$1" || {
    printf 'untrusted %s\n' "$1"
    return
  }
  parsed=
  eval "$(awk -v what=inline "$ASSIGNMENTS" <"$1")"
  [ -n "$parsed" ] || printf 'job %s\n' "$1"
  template=
  for f in $(set -f; files "$1"); do
    case $f in *[*]*) template=$template$nl$f ;; *) variables "$f" unit || odd=" untrusted" ;; esac
  done
  [ -n "$template" ] || ask
  for f in $template; do
    [ -f "$f" ] && (from=$f; variables "$f" unit && ask)
  done
}
"""
