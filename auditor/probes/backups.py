"""Restore points that a host can list in its restic and borg repositories, and where these really are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from shlex import quote
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.readers import offsite, repositories, snapshots
from auditor.readers.repositories import Here, Repository, Told
from auditor.readers.snapshots import RestorePoint

SKEW_S = 86400  # beyond this the host's own clock is not believed for ages
FUTURE_S = 300

# Which backup tools are on the host; its own name and addresses, to know a repository that is only seemingly elsewhere.
_TOOLS = r"""printf 'name %s\n' "$(uname -n)"
ip -o addr 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print "address " $4 }'
for t in restic rustic borg borgmatic resticprofile autorestic kopia duplicity rsnapshot proxmox-backup-client \
  veeamconfig bareos-fd bacula-fd urbackupclientctl burp duply pgbackrest rdiff-backup; do
  for d in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /opt/bin /opt/*/bin /snap/bin /root/bin /root/.local/bin; do
    if [ -x "$d/$t" ]; then printf 'tool %s\n' "$t"; break; fi
  done
done
echo end
"""

# Where a repository is, without what is before an @: a password may stand there. Lines "repository", "kind", and "host" or
# "path". Kinds: local, ssh, url, service, rclone, odd (a URL whose user part cannot be told from its path).
_PLACE = r"""function host(authority) {
  sub(/^.*@/, "", authority)
  if (authority ~ /^\[[0-9A-Fa-f:.]+](:[0-9]*)?$/) {
    sub(/].*$/, "", authority)
    return substr(authority, 2)
  }
  sub(/:[0-9]*$/, "", authority)
  return authority ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/ ? authority : ""
}
function say(kind, name, value, shown) {
  print "repository " shown; print "kind " kind; if (value != "") print name " " value
}
function url(kind, scheme, rest,   a, p) {
  a = rest; sub(/[\/?#].*$/, "", a); p = substr(rest, length(a) + 1)
  if (p ~ /@/ || host(a) == "") { say("odd", "", "", scheme "..."); return }
  sub(/[?#].*$/, "", p)
  sub(/^.*@/, "", a)
  say(kind, "host", host(a), scheme a p)
}
function colon(rest,   a, p) {
  a = rest; sub(/\/.*$/, "", a)
  if (rest ~ "^[^/]*\\[[^]/]*]:") { a = rest; sub(/]:.*$/, "]", a) } else sub(/:[^@]*$/, "", a)
  p = substr(rest, length(a) + 1); sub(/^.*@/, "", a)
  if (host(a) == "") say("odd", "", "", "..."); else say("ssh", "host", host(a), (tool == "restic" ? "sftp:" : "") a p)
}
function after(prefix) { return index(r, prefix) == 1 ? substr(r, length(prefix) + 1) : "" }
BEGIN {
  r = ENVIRON["repo"]; tool = ENVIRON["tool"]
  if (tool == "restic" && after("local:") != "") r = after("local:")
  if (tool == "borg" && after("file://") != "") r = after("file://")
  if (r ~ /^\//) say("local", "path", r, r)
  else if (after("sftp://") != "") url("ssh", "sftp://", after("sftp://"))
  else if (after("ssh://") != "") url("ssh", "ssh://", after("ssh://"))
  else if (tool == "borg" && r ~ "^[^/]*:" && !index(r, "://")) colon(r)
  else if (tool == "restic" && after("sftp:") != "") colon(after("sftp:"))
  else if (r ~ /^(rest|s3):https?:\/\//) { i = index(r, "://"); url("url", substr(r, 1, i + 2), substr(r, i + 3)) }
  else if (after("s3:") != "") url("url", "s3:", after("s3:"))
  else if (r ~ /^b2:[^@]*$/) { say("service", "host", "api.backblazeb2.com", r) }
  else if (r ~ /^gs:[^@]*$/) { say("service", "host", "storage.googleapis.com", r) }
  else if (r ~ /^azure:[^@]*$/) {
    n = ENVIRON["AZURE_ACCOUNT_NAME"]
    say("service", "host", n ~ /^[a-z0-9]+$/ ? n ".blob.core.windows.net" : "", r)
  }
  else if (r ~ /^rclone:[A-Za-z0-9_. -]+:[^@]*$/) say("rclone", "", "", r)
  else say("odd", "", "", "...")
}
"""

# A text as one word of the shell, whatever it holds.
_QUOTED = r"""function quoted(s,   n, a, i, o) {
  n = split(s, a, "\047"); o = a[1]
  for (i = 2; i <= n; i++) o = o "\047\\\047\047" a[i]
  return "\047" o "\047"
}
"""

# Assignments of a file in, exports out, for the variables of the tools only. Nothing of the file is executed: where a shell
# would have to (a command, another variable), the variable's name goes to `odd`. "unit" reads systemd's syntax.
_ASSIGNMENTS = r"""function value(s,   c, i, o) {
  bad = 0; more = ""
  c = substr(s, 1, 1)
  if (c == "\047" || c == "\"") {
    for (i = 2; i <= length(s); i++) {
      if (substr(s, i, 1) == c) break
      if (c == "\"" && substr(s, i, 1) == "\\") { i++; if (!index("\"\\$`", substr(s, i, 1))) o = o "\\" }
      else if (c == "\"" && syntax == "shell" && index("$`", substr(s, i, 1))) bad = 1
      o = o substr(s, i, 1)
    }
    if (i > length(s)) bad = 1
    more = substr(s, i + 1)
    if (syntax == "shell" && more !~ /^[ \t;]*(#.*)?$/) bad = 1
    return o
  }
  if (syntax == "shell") {
    sub(/([ \t]+#.*|[ \t;]+)$/, "", s)
    if (s ~ "[^]A-Za-z0-9_@%+=:,./[{}!^-]") bad = 1
  } else if (s ~ /\\/) bad = 1
  return s
}
function put(name, text) {
  if (name !~ /^((RESTIC|BORG|AWS|B2|AZURE|GOOGLE|OS|ST|RCLONE)_[A-Z0-9_]+|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY)$/) return
  if (name ~ /^(RESTIC_REPOSITORY|BORG_REPO)/ && given[name]++) print "many=1"
  text = value(text)
  if (bad) print "odd=\"$odd " name "\""; else print "export " name "=" quoted(text)
}
function inline(s,   c, w, i) {
  while (s != "") {
    sub(/^[ \t]+/, "", s)
    c = substr(s, 1, 1)
    if (c == "\047" || c == "\"") { w = value(s); s = more; if (bad) return }
    else { i = match(s, /[ \t]/); w = i ? substr(s, 1, i - 1) : s; s = i ? substr(s, i) : "" }
    if ((i = index(w, "=")) > 1) raw(substr(w, 1, i - 1), substr(w, i + 1))
  }
}
function raw(name, text) { if (name ~ /^(RESTIC|BORG|AWS|B2|AZURE|GOOGLE|OS|ST|RCLONE)_[A-Z0-9_]+$/) print "export " name "=" quoted(text) }
{ sub(/\r$/, ""); sub(/^[ \t]+/, "") }
/^[#;]/ { next }
what == "inline" { if (sub(/^Environment=/, "")) { syntax = "unit"; inline($0) } next }
{
  if (syntax == "shell") sub(/^export[ \t]+/, "")
  i = index($0, "=")
  if (i > 1 && substr($0, 1, i - 1) ~ /^[A-Za-z_][A-Za-z0-9_]*$/) {
    text = substr($0, i + 1)
    if (syntax == "unit") { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text) }
    put(substr($0, 1, i - 1), text)
  }
}
END { print "parsed=1" }
"""

# A borgmatic configuration in; one line of shell for each repository out. Only plain YAML is read.
_BORGMATIC = r"""function plain(s,   c) {
  sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s)
  c = substr(s, 1, 1)
  if ((c == "\"" || c == "\047") && index(substr(s, 2), c) == length(s) - 1 && s !~ /\\/) s = substr(s, 2, length(s) - 2)
  else { sub(/[ \t]+#.*$/, "", s); if (s ~ "^[]&*!|>%@`\"\047{[]") odd = 1 }
  if (index(s, "${") || index(s, "{") == 1) odd = 1
  return s
}
{ sub(/\r$/, "") }
/^[ \t]*(#|$)/ { next }
{ match($0, /^ */); depth = RLENGTH; line = substr($0, depth + 1) }
/<<|!include/ { odd = 1 }
in_list && (depth > at || (depth == at && line ~ /^-/)) {
  if (line ~ /^- *path:/) sub(/^- *path:/, "", line)
  else if (line ~ /^path:/) sub(/^path:/, "", line)
  else if (line ~ /^- *[a-z_]+: / || line ~ /^[a-z_]+: /) next
  else sub(/^-/, "", line)
  repos[++n] = plain(line); next
}
{ in_list = 0 }
line ~ /^repositories:[ \t]*(#.*)?$/ { in_list = 1; at = depth; next }
line ~ /^repositories:/ { odd = 1 }
line ~ /^encryption_passphrase:/ { sub(/^[^:]*:/, "", line); set["BORG_PASSPHRASE"] = plain(line) }
line ~ /^encryption_passcommand:/ { sub(/^[^:]*:/, "", line); set["BORG_PASSCOMMAND"] = plain(line) }
line ~ /^ssh_command:/ { sub(/^[^:]*:/, "", line); set["BORG_RSH"] = plain(line) }
line ~ /^remote_path:/ { sub(/^[^:]*:/, "", line); set["BORG_REMOTE_PATH"] = plain(line) }
END {
  print "parsed=1"
  if (odd) print "odd=borgmatic"
  for (v in set) print "export " v "=" quoted(set[v])
  for (i = 1; i <= n; i++) print "one borg " quoted(repos[i])
  if (!n) print "untold borg"
}
"""

# Asks each repository that the configurations of this host name. Nothing of them is executed but what the backup itself
# executes to open a repository (RESTIC_PASSWORD_COMMAND, BORG_PASSCOMMAND, BORG_RSH), and only when root alone could have
# written it. What the tools say on standard error can quote the repository's password: it stays on the host.
_FUNCTIONS = r"""exec 2>/dev/null
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
# remote HOST KIND: what an ssh configuration and the resolver make of the name
remote() {
  h=$1
  if [ "$2" = ssh ] && [ -z "$BORG_RSH" ] && command -v ssh >/dev/null; then
    a=$(within 5 ssh -G "$1" | awk '$1 == "hostname" { print $2; exit }')
    case $a in '' | -* | *[!A-Za-z0-9._:-]*) ;; *)
      h=$a
      printf 'alias %s\n' "$a" ;;
    esac
  fi
  resolve "$h"
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

# Small files where backups are written down: configurations, scripts, schedules; those that assign a repository are asked.
_JOBS = r"""small() {
  find -L "$@" -type f -size -256k ! -name '*~' ! -name '*.bak' ! -name '*.dpkg-*' ! -name '*.rpm*' ! -name '.*_history' \
    ! -name '*.sample' ! -name '*.example' -exec grep -lE "$words" {} +
}
everywhere() {
  small /etc/restic /etc/borg /etc/borgbackup /etc/backup /etc/default /etc/sysconfig /etc/conf.d /etc/cron.d /etc/cron.hourly \
    /etc/cron.daily /etc/cron.weekly /etc/periodic /var/spool/cron /usr/local/bin /usr/local/sbin /usr/local/etc /opt -maxdepth 2
  small /etc /root /root/bin /root/.config -maxdepth 1
  small /root/.config/restic /root/.config/borg -maxdepth 2
}
units() {
  grep -lsiE 'restic|borg' /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf \
    /usr/local/lib/systemd/system/*.service /usr/lib/systemd/system/restic*.service /usr/lib/systemd/system/borg*.service
}
all=$(units)
taken=
for u in $all; do
  for f in $(files "$u"); do taken=$taken$nl$f; done
  (unit "$u")
done
words='^[^#]*(RESTIC_REPOSITORY|RESTIC_REPOSITORY_FILE|BORG_REPO)='
assigning=$(everywhere | sort -u)
for f in $assigning; do
  case $taken$nl in *"$nl$f$nl"*) continue ;; esac
  (from=$f; variables "$f" shell && ask)
done
for f in /etc/borgmatic/*.yaml /etc/borgmatic.d/*.yaml /root/.config/borgmatic/*.yaml /root/.config/borgmatic.d/*.yaml; do
  [ -f "$f" ] || continue
  if only "$f"; then (
    from=$f parsed=
    eval "$(awk "$BORGMATIC" <"$f")"
    [ -n "$parsed" ] || printf 'job %s\n' "$f"
  ); else printf 'untrusted %s\n' "$f"; fi
done
words='^[^#]*(restic[^|;&#]* (-r|--repo)[ =]|borg [^|;&#]*[^ "]::|(resticprofile|autorestic|rustic|kopia) )'
for f in $(everywhere | sort -u) $(grep -lE "$words" $all /dev/null); do
  case $nl$assigning$nl in *"$nl$f$nl"*) ;; *) printf 'job %s\n' "$f" ;; esac
done
for d in /root/.cache/restic/[0-9a-f]*; do [ -d "$d" ] && echo 'used restic' && break; done
for d in /root/.config/borg/security/[0-9a-f]*; do [ -d "$d" ] && echo 'used borg' && break; done
# a find that cannot do this would have found nothing, silently
words=root
[ -n "$(small /etc/passwd -maxdepth 2)" ] && [ -n "$(grep -lsE 'a|root' /etc/passwd)" ] && echo end
"""

_REPOSITORIES = "".join(
    [
        f"PLACE={quote(_PLACE)}\nASSIGNMENTS={quote(_QUOTED + _ASSIGNMENTS)}\nBORGMATIC={quote(_QUOTED + _BORGMATIC)}\n",
        _FUNCTIONS,
        _JOBS,
    ]
)

TOOLS_ASKED = frozenset({"restic", "borg", "borgmatic"})


def _commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "tools": Command(_TOOLS),
        "repositories": Command(_REPOSITORIES, elevated=True, timeout_s=60, cap_bytes=1048576),
    }


def _parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    here = _here(answers["tools"])
    if isinstance(here, Unknown):
        return {"tools": here, "repositories": here}
    declared = offsite.declared(args)
    return {"tools": list(here.tools), "repositories": _repositories(here, answers["repositories"], declared)}


def _here(answer: Answer) -> Here | Unknown:
    return answer.unknown() if isinstance(answer, Failure) else repositories.here(answer.text)


def _repositories(here: Here, answer: Answer, declared: offsite.Declared | None) -> Fact:
    told = Told() if isinstance(answer, Failure) else repositories.read(answer.text)
    if not here.tools and not (told.repositories or told.jobs or told.used or told.untrusted):
        return Unknown("not_told", "no backup tool on this host; ask the backup server")
    if isinstance(answer, Failure):
        return answer.unknown()
    found = _once([_element(one, here, answer, declared) for one in told.repositories])
    gap = _gap(here, told)
    return Partial(tuple(found), gap) if gap else found


def _gap(here: Here, told: Told) -> Unknown | None:
    """Why there may be restore points that were not listed."""
    others = [t for t in here.tools if t not in TOOLS_ASKED]
    silent = [t for t in told.used if not any(r.tool == t for r in told.repositories)]
    why = [
        ("others than root can write: ", told.untrusted),
        ("names a repository in a way that was not read: ", told.jobs),
        ("not asked by this release: ", others),
        ("used here, but no configuration names its repository: ", silent),
    ]
    said = [text + " ".join(names) for text, names in why if names]
    if not told.complete:
        said.append("the answer stops before its end")
    return Unknown("not_told", "; ".join(said)) if said else None


def _once(found: list[dict[str, Fact]]) -> list[dict[str, Fact]]:
    """The same repository may be named by a unit and by a file: the one whose age is known stands."""
    kept: dict[tuple[Any, ...], dict[str, Fact]] = {}
    for number, one in enumerate(found):
        name = (one["tool"], one["repository"])
        key = (*name, number) if str(one["repository"]).endswith("...") else name
        if key not in kept or isinstance(kept[key]["newest_hours"], Unknown):
            kept[key] = one
    return list(kept.values())


def _element(one: Repository, here: Here, answer: Output, declared: offsite.Declared | None) -> dict[str, Fact]:
    on_this_host, host = _place(one, here)
    return {
        "repository": one.repository,
        "tool": one.tool,
        "newest_hours": _newest(one, here, answer),
        "on_this_host": on_this_host,
        "host": host,
        "addresses": list(_addresses(one)),
        "on_declared_offsite_host": offsite.holds(host, _addresses(one), declared),
    }


# ---------------------------------------------------------------- how old

_WHY_NOT = {
    "shell": "only a shell can tell what this configuration sets",
    "late": "left out: the repositories before it took too long",
    "tool": "its tool is not there, or others than root can change it",
    "password": "its password was refused or not found",
    "unreachable": "it could not be reached",
    "denied": "access to it was denied",
    "absent": "there is no repository at this place",
    "timeout": "no answer in time",
}


def _newest(one: Repository, here: Here, answer: Output) -> Fact:
    """Hours since the newest restore point of this host; None when the repository holds no restore point at all."""
    if one.listing is None:
        cause = "timeout" if one.said in ("late", "timeout") else "not_told"
        return Unknown(cause, f"{one.source}: {_WHY_NOT.get(one.said, 'its restore points could not be listed')}")
    try:
        points = snapshots.restic(one.listing) if one.tool == "restic" else snapshots.borg(one.listing)
    except Unreadable as error:
        return Unknown("unreadable", str(error))
    return _age(points, here, answer) if points else None


def _age(points: Sequence[RestorePoint], here: Here, answer: Output) -> Fact:
    if answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_S:
        return Unknown("clock_skew", "the host's clock")
    own = _own(points, here.name)
    if isinstance(own, Unknown):
        return own
    past = [at for at in own if at <= answer.host_at + FUTURE_S]
    if not past:
        return Unknown("clock_skew", "its restore points are dated in the future")
    return round(max(0.0, answer.host_at - max(past)) / 3600, 1)


def _own(points: Sequence[RestorePoint], name: str) -> list[float] | Unknown:
    """When this host's restore points were made; only a whole name, or a short one that is nobody else's, tells whose."""
    mine = offsite.plain(name)
    named = {p.host: offsite.plain(p.host) for p in points}
    alike = {n for n in named.values() if _short(n) == _short(mine)}
    if _short(mine) in ("", "localhost"):
        return Unknown("not_told", f"this host calls itself {name}, as others may")
    if not alike:
        names = sorted(n or "?" for n in named)[:5]
        return Unknown("not_told", "restore points of other names only: " + " ".join(names))
    if mine not in alike and all("." in n for n in (mine, *alike)):
        return Unknown("not_told", "restore points of another host of that name only: " + " ".join(sorted(alike)[:5]))
    counted = {mine} if "." in mine and mine in alike else alike
    if len(alike) > 1 and counted != {mine}:
        return Unknown("not_told", "several names may be this host's: " + " ".join(sorted(alike)[:5]))
    return [p.at for p in points if named[p.host] in counted]


def _short(name: str) -> str:
    return name.partition(".")[0]


# ---------------------------------------------------------------- where

_ON_DISK = frozenset(
    [
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "jfs",
        "reiserfs",
        "bcachefs",
        "vfat",
        "exfat",
        "ntfs",
        "ntfs3",
        "fuseblk",
        "overlay",
        "tmpfs",
        "ramfs",
    ]
)
_OVER_NETWORK = frozenset(["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs"])
_SAN = frozenset({"iscsi", "fc", "fcoe", "nvme-tcp", "rdma"})
_NETWORK_DEVICES = ("/dev/nbd", "/dev/rbd", "/dev/drbd")


def _place(one: Repository, here: Here) -> tuple[Fact, Fact]:
    """Whether it is on this host, and the name of the host that stores it (None: this one)."""
    if one.kind == "local" and one.mount not in _OVER_NETWORK:
        return _on_block_device(one)
    if one.kind == "service":
        return False, one.host or Unknown("not_told", one.repository)
    if one.kind not in ("local", "ssh", "url") or not one.host:
        unseen = Unknown("not_told", f"where {one.repository} is")
        return unseen, unseen
    return _elsewhere(one, here)


def _on_block_device(one: Repository) -> tuple[Fact, Fact]:
    if one.mount not in _ON_DISK or one.device.startswith(_NETWORK_DEVICES):
        unseen = Unknown("not_told", f"where its file system is: {one.mount or 'not told'} {one.device}".strip())
        return unseen, unseen
    if _SAN & set(one.transports):
        return False, Unknown("not_told", "a disk over " + " ".join(one.transports))
    return True, None


def _elsewhere(one: Repository, here: Here) -> tuple[Fact, Fact]:
    name = one.alias or one.host
    addresses = _addresses(one)
    if not addresses or not here.addresses:
        return Unknown("not_told", f"the addresses of {name}"), name
    if any(ip_address(a).is_loopback for a in addresses):
        unseen = Unknown("not_told", f"{name} is a loopback address: this host or a tunnel")
        return unseen, unseen
    if set(addresses) & set(here.addresses):
        return True, None
    return False, name


def _addresses(one: Repository) -> tuple[str, ...]:
    """The addresses of the host that stores it, in their one canonical form; what is no address is left out."""
    told = one.resolved or ((one.alias or one.host,) if one.host else ())
    return tuple(dict.fromkeys(a for text in told for a in repositories.canonical(text)))


_FACTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tools": {
            "type": "array",
            "description": "Backup tools in the folders where programs usually are; on Windows, by their services.",
            "items": {"type": "string"},
        },
        "repositories": {
            "type": "array",
            "description": "Restic and borg repositories that root's configurations on this host name; on Windows, where "
            "a tool of the host itself stored its newest backup that succeeded.",
            "items": {
                "type": "object",
                "x-name": "repository",
                "x-also": ["tool"],
                "properties": {
                    "repository": {"type": "string", "description": "Its address, without user and password."},
                    "tool": {"type": "string", "description": "The tool that fills it, restic for instance."},
                    "newest_hours": {
                        "type": "number",
                        "description": "Hours since this host's newest restore point in it; null when it holds none at all.",
                    },
                    "on_this_host": {"type": "boolean", "description": "Whether it is stored on this host itself."},
                    "host": {
                        "type": "string",
                        "description": "Name of the host that stores it; null when this host does.",
                    },
                    "addresses": {
                        "type": "array",
                        "description": "Addresses of the host that stores it, as this host resolves its name.",
                        "items": {"type": "string"},
                    },
                    "on_declared_offsite_host": {
                        "type": "boolean",
                        "description": "Whether an off-site host given as argument stores it: by address where both have one.",
                    },
                },
            },
        },
    },
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import backups as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Restore points and where they are", "fr": "Points de restauration et leur emplacement"},
    facts=_FACTS,
    dialects=Dialects(linux=Dialect(_commands, _parse), windows=_on_windows),
    arguments={
        "type": "object",
        "properties": {
            "offsite_ids": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The names that the inventory gives to the off-site hosts.",
            },
            "offsite_hosts": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Of each off-site host, its name in the inventory and after it its addresses.",
            },
        },
        "additionalProperties": False,
    },
    privilege={
        "en": "Root: opens each repository read-only with the password that root's own configuration names, which never "
        "leaves the host. Backups pulled by a server (Veeam, Proxmox Backup ...) are told by that server, not by the host. "
        "On Windows an administrator.",
        "fr": "Root : ouvre chaque dépôt en lecture seule avec le mot de passe que nomme la configuration de root, qui ne "
        "quitte jamais l'hôte. Les sauvegardes tirées par un serveur (Veeam, Proxmox Backup ...) sont dites par ce serveur. "
        "Sous Windows, un administrateur.",
    },
)
