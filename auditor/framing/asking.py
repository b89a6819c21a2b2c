"""How one question is asked in a POSIX shell: its text and words, the functions around it, its limits. Pure."""

from __future__ import annotations

import hashlib

from auditor.model import Command

# The longest that a question which is asked with others may take, then it is asked again alone; and how many are asked at once.
TOGETHER_S = 5
TOGETHER_MAX_S = 20
TOGETHER = 16
TOGETHER_BYTES = 65536  # Linux takes 128 KiB in one word, and 2 MiB in all

# From `ID SECONDS CAP TEXT COUNT ARGUMENT... REST...` takes one question; A_a is what `eval` makes its arguments of.
_TAKE = r"""A_i=$1 A_s=$2 A_c=$3 A_t=$4 A_m=$5 A_a= A_j=0
  shift 5
  while [ "$A_j" -lt "$A_m" ]; do
    A_j=$((A_j + 1))
    A_a="$A_a \"\${$A_j}\""
  done"""

# A_o is standard output with the exit code in its last line, the frame of standard error, and a last line with the length of
# what was said there: now it lacks that line, and A_l is the length of what stands before the frame; empty where A_o was cut.
_WHOLE = r"""A_l=${A_o##*"$A_z"}
  A_l=${A_l%.}
  A_h="$A_z@$A_n $A_i e $A_l$A_z"
  case $A_l in
    ""|*[!0-9]*|?????*) A_l= ;;
    *)
      case $A_o in
        *"$A_z$A_n "*".$A_h"*"$A_z$A_l.")
          A_o=${A_o%"$A_z$A_l."}
          A_l=$((${#A_o} - ${#A_h} - A_l)) ;;
        *) A_l= ;;
      esac ;;
  esac"""

# What asks several questions in one process, each in a subshell: NONCE NEWLINE QUESTION..., as in _TAKE. Frames, then how many
# questions they answer, and whether the next is to be asked alone. What an answer may need of this shell's memory is limited,
# and no limit is the question's. SIGTERM ends what is asked, not who asks: timeout kills only while its child lives.
_TOGETHER = rf"""A_n=$1 A_z=$2 A_k=0 A_w=0 A_b= A_f= A_v=$(ulimit -S -v)
shift 2
trap : TERM
ulimit -S -v 65536 || exit
IFS=" " read -r A_u A_x </proc/uptime || A_u=
A_r=${{A_u%.*}}
while [ $# -gt 0 ]; do
  {_TAKE}
  A_p=$A_u
  A_o=$(
    exec 3>&1
    A_e=$(
      exec 2>&1 >&3 3>&- </dev/null
      ulimit -S -v "$A_v" || kill -9 $$
      eval "set -- $A_a"
      eval "$A_t"
    )
    A_x=$?
    exec 3>&-
    [ "${{#A_e}}" -le 2048 ] || A_e=$(printf %s "$A_e" | tail -c 2048)
    printf "\n%s %s.\n@%s %s e %s\n%s\n%s." "$A_n" "$A_x" "$A_n" "$A_i" "${{#A_e}}" "$A_e" "${{#A_e}}"
  )
  {_WHOLE}
  if [ -z "$A_l" ] || [ "$A_l" -gt "$A_c" ]; then
    A_w=1
    break
  fi
  IFS=" " read -r A_u A_x </proc/uptime || A_u=
  A_x="$A_p $A_u"
  case $A_n$A_x in t*[0-9]" "[0-9]*) A_b="$A_b@$A_n $A_i t ${{#A_x}}$A_z$A_x$A_z" ;; esac
  A_b="$A_b@$A_n $A_i o $A_l$A_z$A_o$A_z"
  A_k=$((A_k + 1))
  shift "$A_m"
  case $A_r${{A_u%.*}} in ""|*[!0-9]*) ;; *) [ $((${{A_u%.*}} - A_r)) -lt 2 ] || break ;; esac
  [ "${{#A_b}}" -le 24576 ] || break
done
printf "%s\n.%s %s %s." "$A_b" "$A_n" "$A_k" "$A_w"
"""

HEAD = rf"""exec 2>/dev/null
LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
N=$1
shift
nl='
'
A_n=$N A_z=$nl F=0
if timeout -k 1 5 true 2>/dev/null; then T='timeout -k 1'; elif timeout 5 true 2>/dev/null; then T=timeout F=3; else T= F=3; fi
case $N in t*) u() {{ IFS=' ' read -r U _ </proc/uptime || U=; }} ;; *) u() {{ U=; }} ;; esac
# last: the frame of the last 2 KiB of what it reads, when all of it was read; then a line with their length. Where nothing is
# said, as is usual, no program is run.
last() {{
  e=
  if IFS= read -r l || [ -n "$l" ]; then e=$( {{ printf '%s\n' "$l"; cat; }} | tail -c 2048 ); fi
  printf '\n@%s %s e %s\n%s\n%s.' "$N" "$A_i" "${{#e}}" "$e" "${{#e}}"
}}
# answer TEXT sh [ARGUMENT...]: standard output up to the cap with the exit code in its last line, then what `last` says of
# standard error. It is the end of that which ends last: head holds standard error open until it has written.
answer() {{
  {{
    {{
      {{ ${{T:+$T $A_s}} sh -c "$@" </dev/null 3>&-; printf '\n%s %s.' "$N" "$?"; }} | head -c "$A_c" >&3 3>&-
    }} 2>&1 | last
  }} 3>&1
}}
# q QUESTION: answers it alone, whatever it does.
q() {{
  {_TAKE}
  u
  p=$U
  A_o=$(eval "answer \"\$A_t\" sh $A_a")
  u
  if [ -n "$p" ] && [ -n "$U" ]; then
    p="$p $U"
    printf '@%s %s t %s\n%s\n' "$N" "$A_i" "${{#p}}" "$p"
  fi
  {_WHOLE}
  if [ -n "$A_l" ]; then printf '@%s %s o %s\n%s\n' "$N" "$A_i" "$A_l" "$A_o"
  else printf '@%s %s o 0\n\n@%s %s e 0\n\n' "$N" "$A_i" "$N" "$A_i"; fi
}}
# R: what asks several questions in one process
R='{_TOGETHER}'
# b QUESTION...: answers them together, and alone the one that takes long or says more than its cap; all that are left where one
# ends the process that asks. No frame is written before it is known to be whole. When F of them went wrong, all are asked alone.
b() {{
  g=$F
  while [ $# -ge 5 ]; do
    j=0 o=1
    if [ "$g" -lt 3 ]; then
      r=$($T {TOGETHER_S} sh -c "$R" sh "$N" "$nl" "$@" </dev/null)
      g=3
      case $r in
        *"$nl.$N "[0-9]*" "[01].)
          g=$F
          p=${{r%"$nl.$N "*}}
          printf '%s' "$p"
          r=${{r##*"$nl.$N "}}
          j=${{r%% *}}
          case $r in *" 0.") o=0 ;; esac ;;
      esac
      case $j in 0|*[!0-9]*) j=0 o=1 F=$((F + 1)) ;; esac
    fi
    while [ "$j" -gt 0 ] && [ $# -ge 5 ]; do
      shift $(($5 + 5))
      j=$((j - 1))
    done
    if [ "$o" = 1 ] && [ $# -ge 5 ]; then
      q "$@"
      shift $(($5 + 5))
    fi
  done
}}
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
