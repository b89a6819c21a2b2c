"""What a host tells of the proofs its accounts hold in; who is enrolled in what, and whose password is locked, out. Pure.

Only that a proof is there is told, never what it is: no hash, no seed, no key leaves the host.
Sources: the manuals of pam_google_authenticator, pam_oath, pam_u2f, pam_yubico and pam_otpw; shadow(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from auditor.model import Answer, Command, Failure, Unknown

# Where each module keeps what it knows of a person, unless its option says otherwise. `@` before a path: one file for
# everybody, a line each. A home is looked into only where a PAM file names the module, since it may lie on the network.
# A folder that even root may not enter (a network's) tells nothing.
PROOFS = Command(
    r"""n='
'
t=$(printf '\t')
if [ -r /etc/shadow ]; then
  awk -F: '{ s = $2 == "" ? "empty" : length($2) > 12 && $2 !~ /^[!*]/ ? "set" : "" }
    s { print s "\t" $1 } END { print "shadow\ttold" }' /etc/shadow
fi
awk -F: '$2 != "x" && $2 !~ /^[!*]/ { print ($2 == "" ? "empty" : "set") "\t" $1 }' /etc/passwd
l=
for f in /etc/pam.d/* /usr/lib/pam.d/* /usr/etc/pam.d/*; do
  if [ -f "$f" ] && [ -r "$f" ]; then l="$l$f$n"; fi
done
set -f
IFS=$n
places=$([ -z "$l" ] || awk '
  FNR == 1 { b = "" }
  { if (sub(/\\$/, " ")) { b = b $0; next } $0 = b $0; b = ""; sub(/#.*/, "") }
  tolower($1) !~ /^-?auth$/ { next }
  { m = ""
    for (i = 2; i <= NF; i++) {
      w = $i
      if (m == "" && match(w, /pam_(google_authenticator|oath|u2f|yubico|otpw)(\.so)?$/)) {
        m = substr(w, RSTART); sub(/\.so$/, "", m); own = home[m]; continue }
      if (m == "") continue
      gsub(/[][]/, "", w)
      if ((m == "pam_google_authenticator" && sub(/^secret=/, "", w)) || (m == "pam_oath" && sub(/^usersfile=/, "", w)) \
        || ((m == "pam_u2f" || m == "pam_yubico") && sub(/^authfile=/, "", w))) {
        if (own != "?") own = w ~ /[$~%]/ || m == "pam_google_authenticator" ? w : w ~ /^\// ? "@" w : "?" }
      else if (w == "sshformat" || w == "expand" || w ~ /^(user|conf|chalresp_path|ldap[a-z_]*|mode)=/) own = "?"
    }
    if (m != "" && !s[m, own]++) print m "\t" own }
  BEGIN { home["pam_google_authenticator"] = "~/.google_authenticator"; home["pam_u2f"] = "~/.config/Yubico/u2f_keys"
    home["pam_yubico"] = "~/.yubico/authorized_yubikeys"; home["pam_otpw"] = "~/.otpw"; home["pam_oath"] = "" }' $l)
if [ -n "$places" ]; then
  for p in $places; do printf 'place\t%s\n' "$p"; done
  if grep -qsE '^[[:space:]]*(nouserok|alwaysok)' /etc/security/pam_u2f.conf; then printf 'loose\tpam_u2f\n'; fi
  for p in $places; do
    case $p in *"$t@/"*) ;; *) continue ;; esac
    f=${p#*@} m=${p%%"$t"*}
    [ -e "$f" ] || continue
    awk -v m="$m" '/^[ \t]*(#|$)/ { next }
      m == "pam_oath" { if ($1 ~ /^(HOTP|TOTP)/ && NF > 3) print "has\t" m "\t" $2; next }
      { i = index($0, ":"); if (i > 1 && length($0) > i + 8) print "has\t" m "\t" substr($0, 1, i - 1) }' "$f" \
      || printf 'place\t%s\t?\n' "$m"
  done
  q=
  for r in $(printf '%s\n' "$places" | awk -F'\t' '
    NR == FNR { if ($2 ~ /^[\/~$%]/) { m[++n] = $1; t[n] = $2 } next }
    n == 0 { exit }
    { split($0, a, ":")
      if (++c > 3000) { print "left"; exit }
      for (i = 1; i <= n; i++) { p = t[i]; u = a[1]; h = a[6]; gsub(/[&\\]/, "\\\\&", u); gsub(/[&\\]/, "\\\\&", h)
        sub(/^~\//, h "/", p); gsub(/[$][{]HOME[}]|%h/, h, p); gsub(/[$][{]USER[}]|%u/, u, p)
        if (p ~ /^\/[^$%]*$/) print "at\t" m[i] "\t" a[1] "\t" a[3] "\t" p
        else if (!odd[m[i]]++) print "odd\t" m[i] } }' - /etc/passwd)
  do
    case $r in
      left) echo left; continue ;;
      odd*) printf 'place\t%s\t?\n' "${r#odd?}"; continue ;;
    esac
    f=${r##*"$t"}
    if [ -s "$f" ]; then printf 'has%s\n' "${r#at}"; q="$q$f$n"; continue; fi
    d=${f%/*}
    while [ -n "$d" ] && ! [ -d "$d" ]; do d=${d%/*}; done
    if ! [ -e "$d/." ]; then printf 'hidden%s\n' "${r#at}"; fi
  done
  [ -z "$q" ] || stat -L -c "own$t%u$t%n" $q
fi
echo end
""",
    elevated=True,
    cap_bytes=262144,
)


@dataclass(frozen=True, slots=True)
class Proofs:
    """`password`: logins by state ("set", "empty"); None where no shadow file was told. `enrolled` by module.

    `hidden`: modules of whom some accounts could not be looked at; `untold`: those that keep it elsewhere.
    """

    password: Mapping[str, str] | None
    modules: frozenset[str]
    enrolled: Mapping[str, frozenset[str]]
    hidden: frozenset[tuple[str, str]]
    untold: frozenset[str]
    loose: frozenset[str]
    missing: Unknown | None = None

    def has(self, name: str) -> frozenset[str]:
        """The modules that surely ask this account for its token."""
        return frozenset(m for m in self._told() if name in self.enrolled.get(m, ()))

    def lacks(self, name: str) -> frozenset[str]:
        """The modules that surely know nothing of this account."""
        seen = (m for m in self._told() if name not in self.enrolled.get(m, ()))
        return frozenset(m for m in seen if (m, name) not in self.hidden and (m, "") not in self.hidden)

    def locked(self, name: str) -> bool:
        """Whether a local account surely has no password."""
        return self.password is not None and name not in self.password

    def empty(self, name: str) -> bool:
        return self.password is not None and self.password.get(name) == "empty"

    def _told(self) -> frozenset[str]:
        return self.modules - self.untold - self.loose


_NONE: frozenset[str] = frozenset()


def read(answer: Answer) -> Proofs:
    """The answer to PROOFS; one that is cut or of another shape tells nothing, and `missing` says so."""
    if isinstance(answer, Failure):
        return _untold(answer.unknown())
    return _read(answer.text if not answer.exit_code else "")


def _untold(why: Unknown) -> Proofs:
    return Proofs(None, _NONE, {}, frozenset(), _NONE, _NONE, why)


@lru_cache(maxsize=16)
def _read(text: str) -> Proofs:
    """Two probes ask for the same answer."""
    lines = text.splitlines()
    rows = [tuple(line.split("\t")) for line in lines[:-1]]
    if not lines or lines[-1] != "end" or any(len(row) not in _COLUMNS.get(row[0], ()) for row in rows):
        return _untold(Unknown("unreadable", "the proofs that accounts hold"))
    places = {row[1:] for row in rows if row[0] == "place"}
    modules = frozenset(row[1] for row in rows if row[0] == "place")
    hidden = {(row[1], row[2]) for row in rows if row[0] == "hidden"}
    if ("left",) in rows:
        hidden |= {(module, "") for module in modules}
    enrolled = _enrolled(rows, hidden)
    return Proofs(
        password={r[1]: r[0] for r in rows if r[0] in ("set", "empty")} if ("shadow", "told") in rows else None,
        modules=modules,
        enrolled=enrolled,
        hidden=frozenset(hidden),
        untold=frozenset(m for m in modules if len({p for n, p in places if n == m}) > 1 or (m, "?") in places),
        loose=frozenset(row[1] for row in rows if row[0] == "loose"),
    )


_COLUMNS = {
    **dict.fromkeys(("shadow", "set", "empty", "loose"), (2,)),
    **dict.fromkeys(("place", "own"), (3,)),
    "has": (3, 5),
    "hidden": (5,),
    "left": (1,),
}


def _enrolled(rows: Sequence[tuple[str, ...]], hidden: set[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    """A file that belongs to neither root nor the account may be anybody's proof: then it cannot be told."""
    owners = {row[2]: row[1] for row in rows if row[0] == "own"}
    found: dict[str, set[str]] = {}
    for row in rows:
        if row[0] != "has":
            continue
        if len(row) == 5 and owners.get(row[4]) not in ("0", row[3]):
            hidden.add((row[1], row[2]))
        else:
            found.setdefault(row[1], set()).add(row[2])
    return {module: frozenset(names) for module, names in found.items()}
