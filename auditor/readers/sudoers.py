"""What a host tells of its sudo and doas rules in; whom the rules name out. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.passwd import People, read

# Prints whom the rules name, never what they allow: commands may carry passwords. cvtsudoers (sudo >= 1.9) resolves
# aliases and includes; without it the files themselves are cut at their first "=".
SUDOERS = Command(
    r"""f=/etc/sudoers
[ -e "$f" ] || f=/usr/etc/sudoers
if ! [ -e "$f" ]; then o='sudoers none'
elif o=$(cvtsudoers -e -f csv "$f" 2>/dev/null) && [ -n "$o" ]; then
  o=$(printf 'sudoers csv\n%s\n' "$o" | sed -n -E -e '1p' -e '/^rule,user,host,/d' \
    -e 's/^(rule,("([^"]|"")*"|[^,]*)),.*/\1/p' -e '/^defaults,,(targetpw|rootpw|runaspw),=,true/p')
else
  l=$f
  for g in /etc/sudoers.d/* /usr/etc/sudoers.d/*; do
    case ${g##*/} in *.*|*~) ;; *) [ -f "$g" ] && l="$l
$g" ;; esac
  done
  set -f
  IFS='
'
  o=$(echo 'sudoers files'; awk '
    { if (sub(/\\$/, "")) { b = b $0; next } $0 = b $0; b = "" }
    /^[ \t]*[@#]include(dir)?[ \t]/ { if ($2 != "/etc/sudoers.d") print "include " $2; next }
    /^[ \t]*(#[^0-9].*|#)?$/ || /^[ \t]*(Cmnd|Cmd|Host|Runas)_Alias[ \t]/ { next }
    /^[ \t]*Defaults[ \t].*(targetpw|rootpw|runaspw)/ && !/!(targetpw|rootpw|runaspw)/ { print "rootpw"; next }
    /^[ \t]*Defaults/ { next }
    /^[ \t]*User_Alias[ \t]/ { sub(/^[ \t]*User_Alias[ \t]+/, ""); sub(/#[^0-9].*/, ""); print "alias " $0; next }
    { i = index($0, "="); if (i) print "rule " substr($0, 1, i - 1); else print "odd" }' $l) || exit 1
  unset IFS
  set +f
fi
printf '%s\n' "$o"
cat /etc/doas.conf /etc/doas.d/*.conf 2>/dev/null | awk '$1 == "permit" {
  for (i = 2; i <= NF; i++) { if ($i == "{" || $i == "setenv") { while (i < NF && $i !~ /}/) i++; continue }
    if ($i !~ /^(nopass|nolog|persist|keepenv)$/) { sub(/^:/, "%", $i); print "doas " $i; break } } }'
if grep -qE '^sudoers:.*(sss|ldap)' /etc/nsswitch.conf 2>/dev/null; then
  for g in /etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf /etc/ldap.conf /etc/sudo-ldap.conf; do
    if [ -e "$g" ]; then echo directory; break; fi
  done
fi
set -f
IFS='
'
g=$(printf '%s\n' "$o" | awk '{ c = /^rule,/; gsub(/"/, ""); gsub(/\\ /, "\001"); n = split($0, a, c ? "," : "[ \t,=]+")
  for (i = 1; i <= n && k < 40; i++) if (a[i] ~ /^!?%[^:#]/) { sub(/^!?%/, "", a[i]); gsub(/\001/, " ", a[i]); print a[i]; k++ } }')
if [ -n "$g" ]; then getent group $g 2>/dev/null | awk -F: '{ print "g:" $1 ":" $3 ":" $4 }'; fi
echo end
""",
    elevated=True,
)

_SUBJECT = re.compile(r'\s*(!?(?:"[^"]*"|(?:\\.|[^\s,"\\])+))\s*(,?)')


@dataclass(frozen=True, slots=True)
class Rules:
    """`subjects` as sudo writes them: a login, %group, #uid, +netgroup, ALL. `gap`: why they may not be all.

    `asks_root_password`: the rules ask for root's password, so a rule for ALL gives nobody anything.
    """

    subjects: tuple[str, ...]
    groups: People
    asks_root_password: bool = False
    gap: Unknown | None = None

    @property
    def granting(self) -> tuple[str, ...]:
        return tuple(s for s in self.subjects if not (s == "ALL" and self.asks_root_password))


def rules(answer: Answer) -> Rules | Unknown:
    """The answer to SUDOERS. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or len(lines) < 2 or not lines[0].startswith("sudoers ") or lines[-1] != "end":
        raise Unreadable("the sudo rules are not complete")
    listed = _from_csv(lines) if lines[0] == "sudoers csv" else _from_files(lines)
    doas = [line[5:] for line in lines if line.startswith("doas ")]
    asks = any(line == "rootpw" or line.startswith("defaults,,") for line in lines)
    subjects = tuple(dict.fromkeys([*listed, *doas]))
    return Rules(subjects, read(line for line in lines if line.startswith("g:")), asks, _gap(lines))


def _gap(lines: Iterable[str]) -> Unknown | None:
    for line in lines:
        if line == "directory":
            return Unknown("not_told", "a directory may hold more sudo rules")
        if line.startswith("include "):
            return Unknown("not_asked", f"sudoers includes {line[8:]}")
        if line == "odd":
            return Unknown("unreadable", "a line of sudoers")
    return None


def _from_csv(lines: Iterable[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if line.startswith("rule,"):
            row = next(csv.reader([line]), [])
            found += [s.strip() for s in (row[1] if len(row) > 1 else "").split(",") if s.strip()]
    return found


def _from_files(lines: Iterable[str]) -> list[str]:
    aliases: dict[str, list[str]] = {}
    ruled: list[str] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "alias":
            for one in re.split(r"(?<!\\):", rest):
                name, _, members = one.partition("=")
                aliases[name.strip()] = subjects(members)
        elif word == "rule":
            ruled += subjects(rest)
    return [s for subject in ruled for s in _resolved(subject, aliases, 8)]


def _resolved(subject: str, aliases: Mapping[str, list[str]], depth: int) -> list[str]:
    if subject not in aliases or depth == 0:
        return [subject]
    return [s for member in aliases[subject] for s in _resolved(member, aliases, depth - 1)]


def subjects(text: str) -> list[str]:
    """The list that a rule begins with: it ends at the first element that no comma follows."""
    found: list[str] = []
    place = 0
    while match := _SUBJECT.match(text, place):
        found.append(re.sub(r"\\(.)", r"\1", match[1].replace('"', "")))
        place = match.end()
        if not match[2]:
            break
    return found
