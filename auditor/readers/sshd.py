"""What `sshd -T` and the processes of a host tell in; effective settings per context, and whom they bar, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure

METHODS = {
    "publickey": "pubkeyauthentication",
    "password": "passwordauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "gssapi-with-mic": "gssapiauthentication",
    "hostbased": "hostbasedauthentication",
}
# These words say that sshd could not be asked, not that its configuration is wrong.
NOT_THE_CONFIGURATION = ("no hostkeys available", "rivilege separation", "ermission denied", "not found")
# On a command line these change nothing that is judged here (RHEL passes its crypto policy so).
HARMLESS_OPTIONS = re.compile(
    r"(?i)^(ciphers|macs|gssapikex\w*|kexalgorithms|hostkey\w*|casignaturealgorithms|port|listenaddress|addressfamily|loglevel|pidfile)\b"
)
OWN_FILES = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")

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
  z=$(stat -c '%Z %n' $f /etc/ssh/sshd_config.d 2>/dev/null)
  if [ -z "$s" ] || [ -z "$z" ]; then echo undated; continue; fi
  printf '%s\n' "$z" | awk -v s="$s" '$1 + 0 > s + 0 { sub(/^[^ ]* /, ""); print "newer\t" $0; exit }'
done

# what the Match rules look at, and an address that meets each of their patterns
m=$(cat $f 2>/dev/null | awk '{ gsub(/["=]/, " ") } tolower($1) == "match" { $1 = ""; print }' | awk '
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
v=$(printf '%s\n' "$m" | awk '$1 == "vary" { printf " %s", $2 }')
printf '%s\n' "$m" | sed -n 's/^odd /odd\tMatch /p; /^named$/p'
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
u=$(printf '%s\n' "$w" | grep -v '^%')
g=$(printf '%s\n' "$w" | sed -n 's/^%//p')
who=$( {
  sed 's/^/p:/' /etc/passwd
  if [ -n "$u" ]; then getent passwd $u 2>/dev/null | sed 's/^/p:/'; fi
  sed 's/^/g:/' /etc/group
  getent group sudo wheel admin adm docker lxd libvirt disk root $g 2>/dev/null | sed 's/^/g:/'
  printf '%s\n' "$w" | sed 's/^/w:/'
} | awk -F: '
  function put(b, n) { if (n != "" && !had[n]++) { k++; name[k] = n; rank[k] = b } }
  function home(n) { return n in h ? h[n] : "" }
  BEGIN { split("sudo wheel admin adm docker lxd libvirt disk root", x, " "); for (i in x) adm[x[i]] = 1 }
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
printf '%s\n' "$who" | sed -n '/^left/p'
k=
for h in $(printf '%s\n' "$who" | awk -F'\t' '$1 == "ask" && $3 != "" && !s[$3]++ { print $3 }'); do
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

sources=$(printf '%s\n' "$@"; printf '%s\n' "$m" | sed -n 's/^address //p')
ats=$(echo 127.0.0.1; printf '%s\n' "$m" | sed -n 's/^at //p')
ports=22
case "$v " in
  *' port '*) ports=$("$S" -T -C user=root,host=127.0.0.1,addr=127.0.0.1,laddr=127.0.0.1,lport=22 2>/dev/null |
    awk '$1 == "listenaddress" { sub(/.*:/, "", $2); print $2 }' | sort -u)
    # a port that a rule names may be a socket's of systemd, or one of the command line
    for p in $(printf '%s\n' "$m" | sed -n 's/^port //p'); do
      case "$nl$ports$nl" in *"$nl$p$nl"*) ;; *) printf 'odd\tMatch LocalPort %s\n' "$p" ;; esac
    done ;;
esac
names=$(printf '%s\n' "$who" | awk -F'\t' '$1 == "ask" { print $2 }')
case "$v " in *' user '*) ;; *) names=root ;; esac
case "$v " in *' address '*) ;; *) sources=$(printf '%s\n' "$sources" | head -n 1) ;; esac
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

Settings = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Context:
    """One connection as `sshd -T -C` was told of it; `error` is empty where sshd answered."""

    user: str
    address: str
    at: str
    port: str
    settings: Settings
    error: str = ""

    @property
    def error_of_configuration(self) -> bool:
        return bool(self.error) and not any(words in self.error for words in NOT_THE_CONFIGURATION)


@dataclass(frozen=True, slots=True)
class Keys:
    """How many keys: all, FIDO ones, those that ask for the PIN themselves, those that `from=` binds to addresses."""

    total: int = 0
    fido: int = 0
    pin: int = 0
    bound: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` None: no sshd on the host. `vary`: what the Match rules look at (user, address, at, port).

    `left`: accounts or contexts that were not asked. `keys`: what a file of keys holds.
    `dark`: homes that even root may not look into.
    """

    path: str | None
    others: tuple[str, ...]
    running: tuple[str, ...]
    newer: tuple[str, ...]
    odd: tuple[str, ...]
    vary: frozenset[str]
    contexts: tuple[Context, ...]
    left: tuple[str, ...]
    keys: Mapping[str, Keys]
    dark: frozenset[str] = frozenset()
    named: bool = False  # a Match rule looks at the name of the source
    undated: bool = False  # a server runs, and when it read its files is not told

    def of(self, user: str) -> tuple[Context, ...]:
        return tuple(c for c in self.contexts if "user" not in self.vary or c.user == user)

    @property
    def started_otherwise(self) -> tuple[str, ...]:
        """The command lines of running servers that do not serve the configuration asked."""
        return tuple(line for line in self.running if _otherwise(line, self.path))


def _otherwise(line: str, path: str | None) -> bool:
    words = line.removeprefix("sshd: ").split()
    names = {"sshd", (path or "").rpartition("/")[2]}
    if not words or words[0].rpartition("/")[2] not in names or words[0].startswith(("/opt/", "/usr/local/")):
        return True
    given = iter(words[1:])
    for word in given:
        option = re.match(r"-[46DdeqtTi]*([fo])(.*)", word)
        if option:
            value = option[2] or next(given, "")
            if (value not in OWN_FILES) if option[1] == "f" else not HARMLESS_OPTIONS.match(value):
                return True
    return False


def settled(answer: Answer) -> Answer:
    """The same answer without how many clients were logging in, which a server says beside its command line."""
    if isinstance(answer, Failure):
        return answer
    return replace(answer, stdout=_LOGGING_IN.sub(rb"\1 0 of ", answer.stdout))


def read(text: str) -> Asked:
    """Raises Unreadable when the text is cut or of another shape."""
    lines = text.splitlines()
    if not lines or lines[-1] != "end":
        raise Unreadable("sshd's answer is not complete")
    told: dict[str, list[str]] = {}
    blocks: list[list[str]] = []
    for line in lines[:-1]:
        word, _, rest = line.partition("\t")
        if word == "context":
            blocks.append([rest])
        elif word in ("=", "!", "same", "rc"):
            if not blocks:
                raise Unreadable("a setting before its context")
            blocks[-1].append(line)
        else:
            told.setdefault(word, []).append(rest)
    path = told.get("sshd", [""])[0]
    if not path:
        raise Unreadable("whether there is an sshd was not told")
    return Asked(
        path=None if path == "none" else path,
        others=tuple(told.get("other", ())),
        running=tuple(told.get("process", ())),
        newer=tuple(told.get("newer", ())),
        odd=tuple(told.get("odd", ())),
        vary=frozenset(" ".join(told.get("vary", ())).split()),
        contexts=_contexts(blocks),
        left=tuple(told.get("left", ())),
        keys=dict(_keys(line) for line in told.get("keys", ())),
        dark=frozenset(told.get("dark", ())),
        named="named" in told,
        undated="undated" in told,
    )


def _keys(line: str) -> tuple[str, Keys]:
    fields = line.split("\t")
    if len(fields) not in (4, 5) or not all(f.isascii() and f.isdigit() and len(f) < 9 for f in fields[1:]):
        raise Unreadable("a count of keys")
    return fields[0], Keys(*(int(f) for f in fields[1:]))


def _contexts(blocks: Iterable[list[str]]) -> tuple[Context, ...]:
    found: list[Context] = []
    body: list[str] = []
    for block in blocks:
        who = block[0].split("\t")
        last = block[-1].split("\t")
        if len(who) != 4 or last[0] != "rc" or len(last) != 2:
            raise Unreadable("sshd's answer for a context is not complete")
        body = body if "same" in block else block[1:-1]
        found.append(Context(who[0], who[1], who[2], who[3], _settings(body), _error(body, last[1])))
    return tuple(found)


def _settings(body: Iterable[str]) -> Settings:
    settings: dict[str, list[str]] = {}
    for line in body:
        if line.startswith("=\t"):
            word, _, value = line[2:].strip().partition(" ")
            settings.setdefault(_ALIASES.get(word, word), []).append(value.strip())
    return {word: tuple(values) for word, values in settings.items()}


_LOGGING_IN = re.compile(rb"(?m)^(process\tsshd: [^\n]*\[listener\]) \d+ of ")
_ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
}
_ALWAYS_TOLD = ("permitrootlogin", "pubkeyauthentication", "passwordauthentication")


def _error(body: list[str], code: str) -> str:
    words = " ".join(line[2:].strip() for line in body if line.startswith("!"))
    if code != "0":
        return words or f"sshd -T ended with {code}"
    settings = _settings(body)
    lacking = [w for w in _ALWAYS_TOLD if w not in settings]
    return f"not found in sshd -T: {' '.join(lacking)}" if lacking else ""


def first(settings: Settings, word: str, default: str = "") -> str:
    return settings.get(word, (default,))[0]


def alternatives(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """The ways to authenticate: any one of them, and in it every method; a way with a disabled method is none."""
    enabled = {m for m, word in METHODS.items() if first(settings, word) == "yes"}
    if first(settings, "usepam", "no") != "yes":
        enabled.discard("keyboard-interactive")  # on Linux nothing but PAM stands behind it
    lists = " ".join(settings.get("authenticationmethods", ("any",))).split() or ["any"]
    if "any" in lists:
        return tuple((m,) for m in METHODS if m in enabled)
    ways = (tuple(m.partition(":")[0] for m in one.split(",")) for one in lists)
    return tuple(way for way in ways if all(m in enabled or m not in METHODS for m in way))


# ---------------------------------------------------------------- AllowUsers, DenyUsers, AllowGroups, DenyGroups


def by_source(settings: Settings) -> tuple[str, ...]:
    """The hosts that AllowUsers and DenyUsers name, or leave out: where there are some, it depends on the source."""
    users = (*listed(settings, "allowusers"), *listed(settings, "denyusers"))
    return tuple(one.lstrip("!") for p in users if "@" in p for one in p.rpartition("@")[2].split(","))


def listed(settings: Settings, word: str) -> tuple[str, ...]:
    return tuple(p for value in settings.get(word, ()) for p in value.split() if p != "none")


def barred(settings: Settings, user: str, address: str, groups: frozenset[str] | None) -> bool:
    """Whether the four lists surely refuse this user from this address; `groups` None: they are not known."""
    names = first(settings, "usedns") == "yes"
    denied = [_user(p, user, address, names) for p in listed(settings, "denyusers")]
    allowed = [_user(p, user, address, names) for p in listed(settings, "allowusers")]
    if any(d is True for d in denied) or (allowed and all(a is False for a in allowed)):
        return True
    if groups is None:
        return False
    allow = listed(settings, "allowgroups")
    return _any_group(listed(settings, "denygroups"), groups) or (bool(allow) and not _any_group(allow, groups))


def _any_group(patterns: Iterable[str], groups: frozenset[str]) -> bool:
    return any(glob(p, g) for p in patterns for g in groups)


def _user(pattern: str, user: str, address: str, names: bool) -> bool | None:
    """None: it depends on the name of the source, which only its resolver knows."""
    if "@" not in pattern:
        return glob(pattern, user)
    name, _, host = pattern.rpartition("@")
    if not glob(name, user):
        return False
    if names and re.search(r"[g-zG-Z]", host) and ("!" in host or not within(address, host)):
        return None
    return within(address, host)


def within(address: str, patterns: str) -> bool:
    """Of a list, with commas, one that begins with ! leaves out what another one takes in (addr_match_list)."""
    ones = patterns.split(",")
    out = any(_within(address, one[1:]) for one in ones if one.startswith("!"))
    return not out and any(_within(address, one) for one in ones if not one.startswith("!"))


def _within(address: str, pattern: str) -> bool:
    if "/" in pattern:
        try:
            return ip_address(address) in ip_network(pattern, strict=False)
        except ValueError:
            return False
    return glob(pattern, address)


def glob(pattern: str, text: str) -> bool:
    """`*` and `?` as sshd reads them, in time that is at most pattern times text, since both come from a host."""
    at = star = 0
    place, back = 0, -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            back, star, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            place, at = place + 1, at + 1
        elif back >= 0:
            star += 1
            place, at = back + 1, star
        else:
            return False
    return not pattern[place:].strip("*")
