"""The elevated questions of a catalogue in; the one fixed text that answers them as root, its version and digest, out. Pure.

It takes a nonce, then for each question three words: where the answer belongs, the question's name, its arguments, one a line.
A question it does not hold, an argument of another type than the question takes, a word of another shape: nothing is run.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from shlex import quote

from auditor.framing.asking import HEAD, TOGETHER, TOGETHER_MAX_S, TOGETHER_S, limit, question, text_and_words
from auditor.model import Command

INSTALLED = "/usr/local/libexec/auditor-elevated"

_FIRST = r"""#!/bin/sh
# auditor collector {version}: the questions that need root, all of them read-only. Arguments: NONCE, then ID QUESTION ARGUMENTS
# for each question.
"""

# What a host that finds an argument of the type may do with it is up to the question; to the shell it is never more than data.
_ASK = (
    r"""case $N in ''|*[!0-9a-ft]*) exit 2 ;; esac
# fit TYPE WORD: whether the word is of the type
fit() {
  [ "${#2}" -le 4096 ] || return 1
  case $1 in
    address) case $2 in *[!0-9a-fA-F.:]*) return 1 ;; *[.:]*) [ "${#2}" -le 45 ] ;; *) return 1 ;; esac ;;
    number) case $2 in ''|*[!0-9]*) return 1 ;; *) [ "${#2}" -le 18 ] ;; esac ;;
    name) case $2 in ''|[!0-9a-zA-Z_]*|*[!0-9a-zA-Z_.@-]*) return 1 ;; *) [ "${#2}" -le 255 ] ;; esac ;;
    path)
      case $2/ in
        *//*/*|*/./*|*/../*|/proc/*|/sys/*|/dev/*) return 1 ;;
        /[!/]*) ;;
        *) return 1 ;;
      esac ;;
    fixed) ;;
    *) return 1 ;;
  esac
}
# k QUESTION: keeps it for b; f: has b answer all that were kept
L= m=0 n=0
k() {
  for x in "$@"; do
    m=$((m + 1))
    eval "z$m=\$x"
    L="$L \"\$z$m\""
  done
  n=$((n + 1))
}
f() {
  eval "b $L"
  L= m=0 n=0
}
# a TYPE ID SECONDS CAP TEXT ARGUMENTS
a() {
  y=$1 i=$2 s=$3 c=$4 t=$5
  set -f
  IFS=$nl
  set -- $6
  IFS=' '
  set +f
  for x in "$@"; do
    if ! fit "$y" "$x"; then
      printf '@%s %s ! 0\n\n' "$N" "$i"
      return
    fi
  done
  if [ "$s" -lt {least} ] || [ "$s" -gt {most} ]; then
    f
    q "$i" "$s" "$c" "$t" $# "$@"
    return
  fi
  k "$i" "$s" "$c" "$t" $# "$@"
  if [ "$n" -ge {together} ]; then f; fi
}
while [ $# -ge 3 ]; do
  case $1 in ''|*[!0-9]*|???????*) exit 2 ;; esac
  case $2 in
""".replace("{least}", str(TOGETHER_S))
    .replace("{most}", str(TOGETHER_MAX_S))
    .replace("{together}", str(TOGETHER))
)

_END = r"""    *) printf '@%s %s ? 0\n\n' "$N" "$1" ;;
  esac
  shift 3
done
f
"""


@lru_cache(maxsize=8)
def elevated_text(catalogue: tuple[Command, ...]) -> str:
    """The one fixed text of this release: every elevated question of the catalogue, and `elevation`, in a stable order."""
    return _FIRST.replace("{version}", version(catalogue)) + _text((*catalogue, elevation(catalogue)))


@lru_cache(maxsize=8)
def version(catalogue: tuple[Command, ...]) -> str:
    """The short name by which people compare two texts; it stands in the first lines of the text."""
    return hashlib.sha256((_FIRST + _text(catalogue)).encode()).hexdigest()[:12]


@lru_cache(maxsize=8)
def digest(catalogue: tuple[Command, ...]) -> str:
    """The SHA-256 of the text, as `sha256sum` tells it of the installed file."""
    return hashlib.sha256(elevated_text(catalogue).encode()).hexdigest()


def elevation(catalogue: tuple[Command, ...]) -> Command:
    """The question whether root answers at all: "0". It names the release's text, so that no older one knows it."""
    return Command(f"id -u # {version(catalogue)}", elevated=True, timeout_s=5, cap_bytes=64)


def _text(catalogue: tuple[Command, ...]) -> str:
    parts = [HEAD, _ASK]
    for name, command in sorted({question(c): c for c in catalogue}.items()):
        text, words = text_and_words(command)
        reads = command.kind == "read"
        takes, given = ("fixed", quote("\n".join(words))) if reads else (command.takes or "none", '"$3"')
        parts.append(f'    {name}) a {takes} "$1" {command.timeout_s} {limit(command)} {quote(text)} {given} ;;\n')
    return "".join([*parts, _END])


def elevated_part(asked: str, catalogue: tuple[Command, ...]) -> str:
    """The lines of a host's script that put these questions, already in words for a shell, to the text as root.

    Where the text is installed and can be read, it is run if it is the very same, and no other way is tried. What stands in the way is said
    in a frame of its own.
    """
    needed = f"collector {version(catalogue)} needed: {INSTALLED}"
    return f"""E={quote(elevated_text(catalogue).removesuffix(chr(10)))}
x() {{
  if [ "$(id -u)" = 0 ]; then printf '%s\\n' "$E" | sh -s -- "$@"
  elif ! command -v sudo >/dev/null; then echo '{NO_SUDO}' >&2
  elif [ -r {INSTALLED} ]; then
    if [ "$(cat {INSTALLED})" = "$E" ]; then sudo -n {INSTALLED} "$@" </dev/null
    else
      v=$(sed -n 's/^# auditor collector \\([0-9a-f]*\\):.*/\\1/p;3q' {INSTALLED})
      case $v in
        {version(catalogue)}) echo '{needed} was altered' >&2 ;;
        ?*) echo "{needed} is collector $v" >&2 ;;
        *) echo '{needed} is of another release' >&2 ;;
      esac
    fi
  elif printf '%s\\n' "$E" | sudo -n sh -s -- "$@"; then :
  elif sudo -n -l </dev/null 2>/dev/null | grep -qF {INSTALLED}; then
    if [ -e {INSTALLED} ]; then echo '{needed} cannot be read' >&2; else echo '{needed} is not there' >&2; fi
  fi
}}
{{
  e=$( x "$N" {asked} 2>&1 >&3 | tail -c 2048 )
  printf '@%s x e %s\\n%s\\n' "$N" "${{#e}}" "$e"
}} 3>&1
"""


NO_SUDO = "no sudo on this host"
_NEEDED = f" needed: {INSTALLED} "


def is_needed(message: str) -> bool:
    """Whether the elevated part said that the installed text is absent, of another release or altered."""
    return _NEEDED in f"{message} "
