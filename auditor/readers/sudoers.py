"""What a host tells of its sudo, doas and polkit rules in; whom they name and what they let them do out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.passwd import REMEMBERED, People, read

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
    l=$(printf '%s\n' "$r" | sed -n 's/^read //p')
    r=$(printf '%s\n' "$r" | sed -n '/^refused /p')
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
d=$(cat /etc/doas.conf /etc/doas.d/*.conf 2>/dev/null | awk '{ sub(/#.*/, "") } $1 == "permit" { no = ""; as = ""; who = ""; cmd = ""; args = ""
  for (i = 2; i <= NF; i++) { if ($i == "{" || $i == "setenv") { while (i < NF && $i !~ /}/) i++; continue }
    if ($i == "nopass") no = "NOPASSWD: "
    if (who == "") { if ($i !~ /^(nopass|nolog|persist|keepenv)$/) { sub(/^:/, "%", $i); who = $i } continue }
    if ($i == "as") as = "(" $(++i) ") "; else if ($i == "cmd") cmd = $(++i); else if ($i == "args") args = i == NF ? " \"\"" : " ..." }
  gsub(/"/, "", who); gsub(/"/, "", cmd)
  if (who != "") print "doas " who "\t" as no (cmd == "" ? "ALL" : cmd ~ /^\/?[A-Za-z0-9_.\/-]+$/ ? cmd : "?") args }')
if [ -n "$d" ]; then printf '%s\n' "$d"; fi
if grep -qiE '^[[:blank:]]*sudoers:[^#]*(sss|ldap)' /etc/nsswitch.conf 2>/dev/null; then
  for g in /etc/sssd/sssd.conf /etc/sssd/conf.d/*.conf /etc/ldap.conf /etc/sudo-ldap.conf /etc/openldap/ldap.conf; do
    if [ -e "$g" ]; then echo directory; break; fi
  done
fi
if [ -e /etc/sudoers-rs ]; then echo 'policy /etc/sudoers-rs'; fi
awk 'tolower($1) == "plugin" && $2 !~ /_(io|audit|approval)$/ && ($3 != "sudoers.so" || NF > 3) { print "policy /etc/sudo.conf"; exit }' /etc/sudo.conf 2>/dev/null
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

_SUBJECT = re.compile(r'\s*((?:!\s*)*)("[^"]*"|(?:\\.|[^\s,"\\!])(?:\\.|[^\s,"\\])*)\s*(,?)')
_ITEM = re.compile(r'(?:\(([^)]*)\) )?((?:NO)?PASSWD: )?(WHEN: )?(!?)(\S+)((?: ""| \.\.\.\*?)?)')
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)")
_NEXT_ALIAS = re.compile(r"(?<!\\):(?=\s*[A-Z][A-Z0-9_]*\s*=)")
_PRINTED = re.compile(r"((?:^|[^\\])(?:\\\\)*)\\(?=[A-Za-z0-9_])")  # cvtsudoers prints a backslash of a name as it is
ROOTS = ("targetpw", "rootpw", "runaspw")
UNASKING = ("exempt_group", "timestamp_timeout")


@dataclass(frozen=True, slots=True)
class Item:
    """One command that a rule allows (or, `negated`, forbids). `asks` None: the rule itself does not say.

    `users` and `groups` are those that it runs as, None where the rule names neither. `arguments`: "" any, '""' none,
    "..." some that are not shown, "...*" some with a wildcard. `sometimes`: between two dates, or for one digest of the file.
    """

    command: str
    arguments: str = ""
    users: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    asks: bool | None = None
    negated: bool = False
    sometimes: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`items` in their order; empty where the host did not tell them. `tool`: sudo or doas. `where`: in a tree."""

    users: tuple[str, ...]
    hosts: tuple[str, ...]
    items: tuple[Item, ...]
    tool: str = "sudo"
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Default:
    """A line of Defaults: `to` "-" everybody, "@" hosts, ":" users, ">" whom is run as, "!" commands, `among` which."""

    to: str
    among: tuple[str, ...]
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rules:
    """`subjects` as sudo writes them: a login, %group, #uid, +netgroup, ALL. `gap`: why they may not be all.

    `asks_root_password`: the rules ask everybody for root's password, so a rule for ALL that asks gives nobody anything.
    `names`: those that the host goes by.
    `loose`: programs, and folders above them, that others than root may change, None when not told. `polkit`: files that say yes unasked.
    """

    subjects: tuple[str, ...]
    groups: People
    asks_root_password: bool = False
    gap: Unknown | None = None
    rules: tuple[Rule, ...] = ()
    defaults: tuple[Default, ...] = ()
    polkit: tuple[str, ...] = ()
    loose: frozenset[str] | None = frozenset()
    names: tuple[str, ...] = ("",)

    @property
    def granting(self) -> tuple[str, ...]:
        return tuple(s for s in self.subjects if not (s == "ALL" and self._asks_all()))

    def _asks_all(self) -> bool:
        asking = not any(d.name in UNASKING or (d.name == "authenticate" and d.value != "yes") for d in self.defaults)
        of_all = [item for rule in self.rules if "ALL" in rule.users for item in rule.items]
        return self.asks_root_password and asking and not any(item.asks is False for item in of_all)


@dataclass(frozen=True, slots=True)
class _Aliases:
    """What aliases stand for, by kind; empty where cvtsudoers resolved them."""

    users: dict[str, list[str]] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    runas: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, list[Item]] = field(default_factory=dict)


def rules(answer: Answer) -> Rules | Unknown:
    """The answer to SUDOERS. Raises Unreadable when it is cut or of another shape."""
    return answer.unknown() if isinstance(answer, Failure) else _told(answer.exit_code, answer.text)


def nameless(answer: Answer) -> Answer:
    """The same answer without the host's name, where no rule is of some hosts only."""
    if isinstance(answer, Failure):
        return answer
    lines = answer.stdout.split(b"\n")
    rest = b"\n".join(line for line in lines if not line.startswith(b"name "))
    return replace(answer, stdout=rest) if _of_every_host(answer.exit_code, rest) else answer


@lru_cache(maxsize=REMEMBERED)
def _of_every_host(exit_code: int, told: bytes) -> bool:
    try:
        found = _told(exit_code, told.decode("utf-8", "backslashreplace"))
    except Unreadable:
        return False
    return all(rule.hosts == ("ALL",) for rule in found.rules) and all(default.to != "@" for default in found.defaults)


@lru_cache(maxsize=REMEMBERED)
def _told(exit_code: int, text: str) -> Rules:
    """A form feed, say, in a rule begins no other line."""
    lines = text.removesuffix("\n").split("\n")
    if exit_code or len(lines) < 2 or not lines[0].startswith("sudoers ") or lines[-1] != "end":
        raise Unreadable("the sudo rules are not complete")
    if lines[0] == "sudoers expanded":
        lines = [_PRINTED.sub(r"\1\\\\", line) if line.startswith(("rule ", "default ")) else line for line in lines]
    aliases = _aliases(lines)
    found = tuple(_rules(lines, aliases))
    defaults = tuple(_defaults(lines, aliases))
    return Rules(
        subjects=tuple(dict.fromkeys(user for rule in found for user in rule.users)),
        groups=read(line for line in lines if line.startswith("g:")),
        asks_root_password=_asks_root(defaults),
        gap=_gap(lines),
        rules=found,
        defaults=defaults,
        polkit=_rests(lines, "polkit"),
        loose=None if "unweighed" in lines else frozenset(_rests(lines, "loose")),
        names=_rests(lines, "name") or ("",),
    )


def _rests(lines: Iterable[str], word: str) -> tuple[str, ...]:
    return tuple(line[len(word) + 1 :] for line in lines if line.startswith(word + " "))


def _gap(lines: Iterable[str]) -> Unknown | None:
    for line in lines:
        if line == "directory":
            return Unknown("not_told", "a directory may hold more sudo rules")
        if line.startswith("include "):
            return Unknown("not_asked", f"sudoers includes {line[8:]}")
        if line.startswith("policy "):
            return Unknown("not_told", f"sudo may follow other rules: {line[7:]}")
        if line == "odd" or not _whole(line):
            return Unknown("unreadable", "a line of sudoers")
        if line in ("refused /etc/sudoers", "refused /usr/etc/sudoers"):
            return Unknown("not_told", f"sudo refuses {line[8:]}, that others than root may write")
    return None


def _whole(line: str) -> bool:
    """Whether the lists that a line begins with are read to their ends."""
    word, _, rest = line.partition(" ")
    head = rest.partition("\t")[0]
    if word in ("alias", "host", "runas"):
        return all(_is_read(one.partition("=")[2]) for one in _NEXT_ALIAS.split(rest))
    if word in ("rule", "also"):
        hosts = head[_list(head)[1] :] if word == "rule" else head.lstrip(", ")
        return _is_read(hosts)
    return True


def _is_read(text: str) -> bool:
    return not text[_list(text)[1] :].strip()


def _asks_root(defaults: Sequence[Default]) -> bool:
    """The last setting wins; what is said of some users, hosts or commands alone is not said of all."""
    if any(d.to != "-" and d.name in ROOTS and d.value != "yes" for d in defaults):
        return False
    last = {d.name: d.value == "yes" for d in defaults if d.to == "-"}
    another = any(d.name == "runas_default" for d in defaults)  # whose password `runaspw` asks for
    return any(last.get(name, False) for name in ROOTS if not (another and name == "runaspw"))


def _aliases(lines: Iterable[str]) -> _Aliases:
    aliases = _Aliases()
    kinds = {"alias": aliases.users, "host": aliases.hosts, "runas": aliases.runas}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word in kinds:
            for one in _NEXT_ALIAS.split(rest):
                name, _, members = one.partition("=")
                kinds[word][name.strip()] = subjects(members)
        elif word == "cmnd":
            name, *items = rest.split("\t")
            aliases.commands[name.strip().lstrip(", ")] = [_item(i) for i in items]
    return aliases


def _rules(lines: Iterable[str], aliases: _Aliases) -> Iterator[Rule]:
    users: tuple[str, ...] = ()
    for line in lines:
        word, _, rest = line.partition(" ")
        head, *items = rest.split("\t")
        if word == "rule":
            named, end = _list(head)
            users = _resolved(named, aliases.users)
            yield Rule(users, _resolved(_list(head[end:])[0], aliases.hosts), _items(items, aliases))
        elif word == "also":
            yield Rule(users, _resolved(_list(head.lstrip(", "))[0], aliases.hosts), _items(items, aliases))
        elif word == "doas":
            yield Rule((head,), ("ALL",), _items(items, aliases), "doas")


def _items(texts: Iterable[str], aliases: _Aliases) -> tuple[Item, ...]:
    """In their order; of equal ones the last, which is the one that sudo takes."""
    found = [item for text in texts for item in _commands(_item(text), aliases)]
    return tuple(dict.fromkeys(found[::-1]))[::-1]


def _item(text: str) -> Item:
    told = _ITEM.fullmatch(text)
    if told is None:
        raise Unreadable("a command of a sudo rule")
    users, colon, groups = (told[1] or "").partition(":")
    asks = None if told[2] is None else told[2] == "PASSWD: "
    named = None if told[1] is None else tuple(subjects(users))
    as_groups = tuple(subjects(groups)) if colon else ()
    return Item(told[5], told[6].strip(), named, as_groups, asks, bool(told[4]), bool(told[3]))


def _commands(item: Item, aliases: _Aliases) -> Iterator[Item]:
    """The commands of an alias, run as the rule says; and who that is, without aliases. Each alias is opened once."""
    opened: set[str] = set()
    waiting = [item]
    while waiting:
        one = waiting.pop()
        if one.command not in aliases.commands:
            users = None if one.users is None else _resolved(one.users, aliases.runas)
            yield replace(one, users=users, groups=_resolved(one.groups, aliases.runas))
        elif one.command not in opened:
            opened.add(one.command)
            inner = aliases.commands[one.command][::-1]
            waiting += [
                replace(
                    one,
                    command=i.command,
                    arguments=i.arguments,
                    negated=one.negated != i.negated,
                    sometimes=one.sometimes or i.sometimes,
                )
                for i in inner
            ]


def _defaults(lines: Iterable[str], aliases: _Aliases) -> Iterator[Default]:
    kinds = {":": aliases.users, "@": aliases.hosts, ">": aliases.runas}
    for line in lines:
        if line.startswith("default "):
            told = line[8:].split("\t")
            if len(told) != 4:
                raise Unreadable("a line of Defaults")
            to, among, name, value = told
            named = _resolved((one for text in among.split(",") for one in subjects(text)), kinds.get(to, {}))
            if to == "!":
                named = tuple(text for name in named for text in _of_commands(name, aliases))
            yield Default(to, named, name, value)


def _of_commands(name: str, aliases: _Aliases) -> Iterator[str]:
    """With arguments, or for one digest alone, a line may be about the command: a pattern says so."""
    bare = name.lstrip("!")
    for one in _commands(Item(bare, negated=(len(name) - len(bare)) % 2 == 1), aliases):
        yield f"{'!' if one.negated else ''}{one.command}{'*' if one.arguments or one.sometimes else ''}"


def _resolved(names: Iterable[str], aliases: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The names without aliases, each alias opened once; all that an alias behind a `!` stands for is meant with one."""
    found: list[str] = []
    opened: set[str] = set()
    waiting = list(names)[::-1]
    while waiting:
        name = waiting.pop()
        no = name.startswith("!")
        if name.lstrip("!") not in aliases:
            found.append(name)
        elif name not in opened:
            opened.add(name)
            members = aliases[name.lstrip("!")][::-1]
            waiting += [_negated(member) for member in members] if no else members
    return tuple(dict.fromkeys(found[::-1]))[::-1]


def _negated(name: str) -> str:
    return name[1:] if name.startswith("!") else f"!{name}"


def subjects(text: str) -> list[str]:
    """The list that a rule begins with: it ends at the first element that no comma follows."""
    return _list(text)[0]


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1]


def _list(text: str) -> tuple[list[str], int]:
    """The same, and where it ends. Some versions of cvtsudoers print `!%ops` as `%!ops`."""
    found: list[str] = []
    place = 0
    while match := _SUBJECT.match(text, place):
        name = _ESCAPED.sub(_unescaped, match[2].replace('"', ""))
        misplaced = name.startswith(("%!", "%:!"))
        no = (match[1].count("!") + misplaced) % 2
        found.append("!" * no + (name.replace("!", "", 1) if misplaced else name))
        place = match.end()
        if not match[3]:
            break
    return found, place
