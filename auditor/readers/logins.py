"""What a host tells of its passwords, keys and logins in; how each local account can log in and when it last did out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

# Of a password its state alone is printed, of a key only that there is one. A home is looked into where sshd looks for
# keys; a pipe or a device in its place is passed over. A login without a terminal leaves no trace in lastlog, unless a
# PAM module writes it there; systemd-logind notes every session in the journal (SD_MESSAGE_SESSION_START).
STATES = Command(
    r"""nl='
'
t=$(printf '\t')
[ -r /etc/passwd ] || exit 1
s=/etc/shadow
if ! [ -e "$s" ]; then echo noshadow; s=/dev/null; fi
awk -F: 'function state(v) { return v == "" ? "empty" : v ~ /^[!*]/ ? "locked" : "set" }
  FILENAME != "/etc/passwd" { p[$1] = state($2); f[$1] = $3 ":" $5 ":" $7 ":" $8; next }
  /^[+-]/ || $7 ~ /(^|\/)(nologin|false|true|sync|shutdown|halt)$/ { next }
  { v = $2 != "x" && $2 != "##" $1 ? state($2) : $1 in p ? p[$1] : "none"
    print "s:" $1 ":" v ":" ($1 in f ? f[$1] : ":::") }' "$s" /etc/passwd || exit 1
for g in /var/lib/systemd/home/*.identity /etc/userdb/*.user /var/lib/extrausers/passwd; do
  if [ -e "$g" ]; then printf 'beside %s\n' "${g%/*}"; fi
done
f=
if command -v sshd >/dev/null; then
  o=$(sshd -T -C user=root,host=127.0.0.1,addr=127.0.0.1,laddr=127.0.0.1,lport=22 2>/dev/null |
    awk '/^(authorizedkeysfile|authorizedkeyscommand|trustedusercakeys|usepam) /')
  IFS=$nl
  set -f
  for x in $o; do case $x in 'authorizedkeysfile '*) f=$f${f:+$nl}${x#authorizedkeysfile } ;; esac; done
  set +f
  unset IFS
  if [ -z "$f" ]; then echo 'elsewhere sshd does not tell where keys are'; fi
  printf '%s\n' "$o" | awk '$1 == "usepam" { print } $1 != "usepam" && $1 != "authorizedkeysfile" && NF > 1 && $2 != "none" { print "elsewhere " $1 }'
  cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf /usr/etc/ssh/sshd_config /usr/etc/ssh/sshd_config.d/*.conf 2>/dev/null | awk '
    { gsub(/["=]/, " "); w = tolower($1) }
    w == "match" { m = 1 }
    m && w ~ /^(authorizedkeys|authorizedprincipals|trustedusercakeys)/ { print "elsewhere Match"; exit }
    w == "include" && $2 !~ /^(\/etc\/ssh\/|\/usr\/etc\/ssh\/)?sshd_config\.d\// { print "elsewhere Include"; exit }'
fi
set -f
IFS=$nl
for p in $(F=$f awk -F: 'function put(s, mark, value,  i) { while (i = index(s, mark)) s = substr(s, 1, i - 1) value substr(s, i + length(mark)); return s }
  BEGIN { n = split(ENVIRON["F"] == "" ? ".ssh/authorized_keys .ssh/authorized_keys2" : ENVIRON["F"], a, " ") }
  /^[+-]/ || $7 ~ /(^|\/)(nologin|false|true|sync|shutdown|halt)$/ { next }
  { print "h\t" $1 "\t" $6
    for (i = 1; i <= n; i++) { k = a[i]; if (k == "none") continue
      k = put(put(put(put(k, "%%", "\001"), "%h", $6), "%u", $1), "%U", $3); gsub(/\001/, "%", k)
      print "k\t" $1 "\t" (k ~ /^\// ? k : $6 "/" k) } }' /etc/passwd); do
  q=${p#*"$t"*"$t"}
  case $p in
    h*) if [ -d "$q" ] && ! [ -x "$q" ]; then printf '%s\n' "$p"; fi ;;
    *) if [ -f "$q" ] && [ -s "$q" ]; then printf '%s\n' "$p"; fi ;;
  esac
done | awk -F'\t' '$1 == "h" { print "h:" $2 } $1 == "k" && !s[$2] {
  while ((r = (getline l < $3)) > 0) if (l !~ /^[ \t]*#/ && l ~ /(ssh-|ecdsa-|sk-)[a-z0-9@.-]+[ \t]+AAAA/) { s[$2] = 1; print "k:" $2; break }
  if (r < 0) print "h:" $2
  close($3) }'
if command -v journalctl >/dev/null; then
  journalctl -q --no-pager -o short-unix -n 5000 _UID=0 MESSAGE_ID=8d45620c1a4348dbb17410da57c60c66 2>/dev/null | awk '
    $1 !~ /^[0-9]+(\.[0-9]+)?$/ { next }
    !o { o = $1; print "sessions " o }
    / class .?manager/ { next }
    match($0, / of user /) { u = substr($0, RSTART + 9); sub(/ .*/, "", u); sub(/\.$/, "", u); gsub(/\047/, "", u); if (u != "") j[u] = $1 }
    END { for (u in j) print "j:" u ":" j[u] }'
fi
echo end
""",
    elevated=True,
    cap_bytes=1048576,
)

# Who logged in last, as anybody may see it; whose processes run; what sshd's PAM stack writes every login down in.
LAST = Command(
    r"""w=none
for c in lastlog2 lastlog; do
  if command -v $c >/dev/null && o=$($c 2>/dev/null); then
    w=$c
    printf '%s\n' "$o" | awk 'NR > 1 && match($0, /[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] [-+][0-9][0-9][0-9][0-9] [0-9]+/) {
      print "last " $1 "\t" substr($0, RSTART + 4, RLENGTH - 4) }'
    break
  fi
done
if [ $w = none ] && o=$(last -w --time-format iso 2>/dev/null); then
  w=last
  printf '%s\n' "$o" | awk '$1 == "wtmp" || NF < 4 { next } !s[$1]++ && match($0, /[0-9]+-[0-9][0-9]-[0-9][0-9]T[0-9:]+[-+][0-9:]+/) {
    print "last " $1 "\t" substr($0, RSTART, RLENGTH) }'
fi
echo "tool $w"
case $w in lastlog2) d=/var/lib/lastlog/lastlog2.db ;; lastlog) d=/var/log/lastlog ;; *) d= ;; esac
if [ -n "$d" ]; then printf 'born %s\n' "$(stat -c %W "$d" 2>/dev/null)"; fi
awk 'function look(name, deep,  l, p, f) {
    f = "/etc/pam.d/" name
    if ((getline l < f) < 0) { f = "/usr/lib/pam.d/" name; if ((getline l < f) < 0) return }
    do { sub(/#.*/, "", l)
      if (l ~ /^-?session[ \t].*pam_(systemd|elogind)\.so/) print "records logind"
      if (l ~ /^-?session[ \t].*pam_lastlog2?\.so/ && l !~ /noupdate/) print "records " (l ~ /pam_lastlog2/ ? "lastlog2" : "lastlog")
      if (deep < 4 && (l ~ /^@include[ \t]/ || l ~ /^-?session[ \t]+(include|substack)[ \t]/)) {
        p = l; sub(/[ \t]+$/, "", p); sub(/.*[ \t]/, "", p); look(p, deep + 1) }
    } while ((getline l < f) > 0)
    close(f) }
  BEGIN { look("sshd", 0) }'
stat -c 'uid %u' /proc/[0-9]* 2>/dev/null | sort -u
echo end
""",
    cap_bytes=1048576,
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LASTLOG = re.compile(
    r"([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([-+])([0-9]{2})([0-9]{2}) ([0-9]{4})"
)
DAY_S = 86400


@dataclass(frozen=True, slots=True)
class State:
    """`password`: empty, locked, set, or none where shadow has no line. The days are those of shadow, None where empty."""

    password: str
    changed: int | None = None
    longest: int | None = None
    inactive: int | None = None
    expires: int | None = None

    def expired(self, day: int) -> bool:
        """As pam_unix has it; 0 as the last day may mean never (shadow(5)), and is taken so."""
        if self.expires is not None and 0 < self.expires <= day:
            return True
        if not self.changed or self.longest is None or self.inactive is None:
            return False
        return day - self.changed >= self.longest + self.inactive


@dataclass(frozen=True, slots=True)
class States:
    """`of` each account with a shell; `keyed`: those with keys; `hidden`: those whose keys could not be looked at.

    `elsewhere`: where keys may be that were not looked at; `beside`: where local accounts may be that are not listed.
    `sessions`: when each account last had one, as far as logind notes them, which is since `sessions_since`.
    `shadow`: the host keeps passwords in /etc/shadow.
    """

    of: Mapping[str, State]
    keyed: frozenset[str]
    hidden: frozenset[str]
    elsewhere: tuple[str, ...]
    beside: tuple[str, ...]
    sessions: Mapping[str, float] = field(default_factory=dict)
    sessions_since: float | None = None
    uses_pam: bool = False
    shadow: bool = True


@dataclass(frozen=True, slots=True)
class Last:
    """`logins`: the last login of each account that `tool` has one of; `uids`: whose processes run.

    `complete_since`: since then every login over SSH through PAM is among them, with a terminal or without; None: none is
    sure to be. `sessions`: every such login makes a session that logind notes.
    """

    tool: str
    logins: Mapping[str, float]
    uids: frozenset[int]
    complete_since: float | None = None
    sessions: bool = False


def states(answer: Answer) -> States | Unknown:
    """The answer to STATES. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _lines(answer.exit_code, answer.text)
    sessions = dict(_session(line[2:]) for line in lines if line.startswith("j:"))
    since = [_number(line[9:]) for line in lines if line.startswith("sessions ")]
    return States(
        of=dict(_state(line[2:]) for line in lines if line.startswith("s:")),
        keyed=frozenset(line[2:] for line in lines if line.startswith("k:")),
        hidden=frozenset(line[2:] for line in lines if line.startswith("h:")),
        elsewhere=_rests(lines, "elsewhere "),
        beside=_rests(lines, "beside "),
        sessions=sessions,
        sessions_since=since[0] if since else None,
        uses_pam="usepam yes" in lines,
        shadow="noshadow" not in lines,
    )


def _rests(lines: Iterable[str], begin: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line[len(begin) :] for line in lines if line.startswith(begin)))


def _lines(exit_code: int, text: str) -> list[str]:
    lines = text.splitlines()
    if exit_code or not lines or lines[-1] != "end":
        raise Unreadable("how accounts log in is not complete")
    return lines[:-1]


def _state(line: str) -> tuple[str, State]:
    fields = line.split(":")
    if len(fields) != 6 or fields[1] not in ("empty", "locked", "set", "none"):
        raise Unreadable("the state of a password")
    return fields[0], State(fields[1], *(days(f) for f in fields[2:]))


def days(text: str) -> int | None:
    """Days as shadow writes them; anything else is none, as for glibc."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _session(line: str) -> tuple[str, float]:
    name, _, at = line.rpartition(":")
    return name, _number(at)


def _number(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,9})?", text):
        raise Unreadable("a moment of another shape")
    return float(text)


def last(answer: Answer) -> Last | Unknown:
    """The answer to LAST. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = _lines(answer.exit_code, answer.text)
    logins = dict(_login(line[5:]) for line in lines if line.startswith("last "))
    tool = next(iter(_rests(lines, "tool ")), "")
    born = next((float(b) for b in _rests(lines, "born ") if re.fullmatch("[0-9]{1,11}", b)), 0.0)
    uids = frozenset(int(u) for u in _rests(lines, "uid ") if u.isascii() and u.isdigit() and len(u) < 11)
    records = _rests(lines, "records ")
    return Last(tool, logins, uids, born if born > 0 and tool in records else None, "logind" in records)


def _login(line: str) -> tuple[str, float]:
    name, _, text = line.partition("\t")
    told = _LASTLOG.fullmatch(text)
    try:
        if told is None:
            moment = datetime.fromisoformat(text)
            return name, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        offset = timedelta(hours=int(told[7]), minutes=int(told[8])) * (-1 if told[6] == "-" else 1)
        day = (int(told[9]), MONTHS.index(told[1]) + 1, int(told[2]), int(told[3]), int(told[4]), min(int(told[5]), 59))
        return name, datetime(*day, tzinfo=timezone(offset)).timestamp()
    except (ValueError, OverflowError):
        raise Unreadable("a login of another shape") from None
