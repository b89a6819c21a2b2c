"""How one question is asked in a POSIX shell: its text and words, the functions around it, its limits. Pure."""

from __future__ import annotations

import hashlib

from auditor.model import Command

HEAD = r"""exec 2>/dev/null
LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
N=$1
shift
nl='
'
if timeout -k 1 5 true 2>/dev/null; then T='timeout -k 1'; elif timeout 5 true 2>/dev/null; then T=timeout; else T=; fi
B= k=0
w() {
  printf '%s' "$B"
  B= k=0
}
case $N in t*) u() { IFS=' ' read -r U _ </proc/uptime || U=; } ;; *) u() { U=; } ;; esac
# last: the last 2 KiB of what it reads, when all of it was read; then a line with their length. Where nothing is said, as is
# usual, no program is run.
last() {
  e=
  if IFS= read -r l || [ -n "$l" ]; then e=$( { printf '%s\n' "$l"; cat; } | tail -c 2048 ); fi
  printf '%s\n%s' "$e" "${#e}"
}
# answer TEXT sh [ARGUMENT...]: standard output up to the cap with the exit code in its last line, then what `last` says of
# standard error. It is the end of that which ends last: head holds standard error open until it has written.
answer() {
  {
    {
      { ${T:+$T $s} sh -c "$@" </dev/null 3>&-; printf '\n%s %s.' "$N" "$?"; } | head -c "$c" >&3 3>&-
    } 2>&1 | last
  } 3>&1
}
# q ID SECONDS CAP TEXT sh [ARGUMENT...]: answers one question. Each write is a packet to whoever asks, so up to seven
# answers wait in B for a packet full of them; none waits behind the first, nor for a slow question.
q() {
  i=$1 s=$2 c=$3
  shift 3
  if [ "$s" -gt 20 ]; then w; fi
  u
  b=$U
  o=$(answer "$@")
  u
  if [ -n "$b" ] && [ -n "$U" ]; then
    b="$b $U"
    B=$B@$N' '$i' t '${#b}$nl$b$nl
  fi
  case $o in
    *"$nl"0) o=${o%"$nl"0} e= ;;
    *)
      l=${o##*"$nl"}
      o=${o%"$nl"*}
      case $l in ''|*[!0-9]*) l=0 ;; esac
      e=$(printf '%s' "$o" | tail -c "$l")
      o=$(printf '%s' "$o" | head -c $((${#o} - l)); printf x)
      o=${o%x}
      ;;
  esac
  B=$B@$N' '$i' o '${#o}$nl$o$nl@$N' '$i' e '${#e}$nl$e$nl k=$((k + 1))
  if [ "$i" = 0 ] || [ "$s" -gt 20 ] || [ "$k" -ge 8 ] || [ "${#B}" -gt 24576 ]; then w; fi
}
"""

# gone PATH: it was looked for and is not there. False where what stands in the way, then $p, could not be looked into: a
# directory, or a link that leads into one. A link that leads nowhere is not there.
GONE = r"""gone() {
  p=$1
  while [ -n "$p" ] && ! [ -e "$p" ] && ! [ -h "$p" ]; do p=${p%/*}; done
  if [ -h "$p" ] && ! [ -e "$p" ]; then
    case ${2-} in xxxxxxxx) return 1 ;; esac
    t=$(readlink "$p") && [ -n "$t" ] || return 1
    case $t in /*) ;; *) t=${p%/*}/$t ;; esac
    gone "$t" "${2-}x"
    return
  fi
  ! [ -d "${p:-/}" ] || { [ -r "${p:-/}" ] && [ -x "${p:-/}" ]; }
}
"""

# Reads files: for each one `F LENGTH NAME_LENGTH NAME`, a line feed, the text, a line feed; `! NAME_LENGTH NAME` for what
# is there and cannot be read (a file, or the directory that a glob needs), or is longer than 1 MiB and would be cut.
READ = (
    GONE
    + r"""IFS=
for g in "$@"; do
  for f in $g; do
    if [ -f "$f" ]; then
      if [ -r "$f" ] && o=$(head -c 1048577 "$f" && echo x) && [ "${#o}" -le 1048577 ]; then
        o=${o%x}
        printf 'F %s %s %s\n%s\n' "${#o}" "${#f}" "$f" "$o"
      else
        printf '! %s %s\n' "${#f}" "$f"
      fi
    elif ! [ -e "$f" ] && ! gone "$f"; then printf '! %s %s\n' "${#p}" "$p"; fi
  done
done
"""
)


def question(command: Command) -> str:
    """The name of an elevated question: a digest of its constant parts, the same whatever its arguments."""
    constant = "\0".join([command.kind, command.text, command.takes, str(command.timeout_s), str(command.cap_bytes)])
    return hashlib.sha256(constant.encode()).hexdigest()[:12]


def text_and_words(command: Command) -> tuple[str, tuple[str, ...]]:
    if command.kind == "read":
        return READ, tuple(command.text.split()) + command.arguments
    return command.text, command.arguments


def limit(command: Command) -> int:
    """How many bytes an answer may have."""
    return command.cap_bytes + 32  # room for the last line
