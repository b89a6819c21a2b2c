"""What VPN servers are configured to ask for in; the proofs that each takes of whoever connects out. Pure.

Only words that say how one authenticates are told: no secret, key or certificate leaves the host.
Sources: openvpn(8), ipsec.conf(5) and swanctl.conf(5) of strongSwan, ocserv(8), wg(8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.pam import TOLD_ELSEWHERE

VPN = Command(
    r"""n='
'
for d in /proc/[0-9]*; do
  c=
  { read -r c <"$d/comm"; } 2>/dev/null
  [ "$c" = openvpn ] && [ "$d/ns/pid" -ef /proc/self/ns/pid ] || continue
  o=$(tr '\000\n' '\n ' <"$d/cmdline" 2>/dev/null | awk 'w { v[w] = $0; w = "" } /^--(config|cd)$/ { w = $0 }
    NR == 2 && !/^-/ { v["--config"] = $0 } END { print v["--config"]; print v["--cd"] }')
  w=${o#*"$n"}
  o=${o%%"$n"*}
  f=
  for g in "$o" "$w/$o" "$(readlink "$d/cwd")/$o" "/etc/openvpn/server/$o" "/etc/openvpn/$o"; do
    case $g in /*) if [ -n "$o" ] && [ -f "$g" ] && [ -r "$g" ]; then f=$g; break; fi ;; esac
  done
  printf 'openvpn\t%s\n' "$(printf '%s' "${f:-?}" | tr '\t\n' '  ')"
  [ -n "$f" ] || continue
  awk 'BEGIN { n = split("server server-bridge server-ipv6 mode tls-server tls-client client secret verify-client-cert" \
      " client-cert-not-required auth-user-pass-verify auth-user-pass-optional management-client-auth plugin config", x, " ")
      for (i = 1; i <= n; i++) kept[x[i]] = 1 }
    /^[ \t]*<\// { inline = 0; next }
    inline { next }
    /^[ \t]*<[a-z-]+>/ { w = $1; gsub(/[<>]/, "", w); if (w == "connection") next; inline = 1; if (w in kept) print "word\t" w "\t\t"; next }
    { gsub(/["\047]/, ""); w = $1; sub(/^--/, "", w) }
    !(w in kept) { next }
    w == "plugin" { p = $2; sub(/.*\//, "", p); print "word\t" w "\t" p "\t" $3; next }
    { print "word\t" w "\t" (w ~ /^(mode|verify-client-cert)$/ ? $2 : "") "\t" }' "$f"
done
for d in /sys/class/net/*; do
  grep -qs '^DEVTYPE=wireguard' "$d/uevent" || continue
  i=${d##*/}
  c=$(awk 'tolower($0) ~ /^[ \t]*\[peer\]/ { p++ } tolower($0) ~ /^[ \t]*endpoint[ \t]*=/ { e++ } END { print p + 0 "\t" e + 0 }' \
    "/etc/wireguard/$i.conf" 2>/dev/null) || c=$(wg show "$i" peers 2>/dev/null | awk 'END { print NR "\t?" }')
  printf 'wireguard\t%s\t%s\n' "$i" "${c:-$(printf '?\t?')}"
done
for f in /etc/ipsec.conf /etc/ipsec.d/*.conf /etc/strongswan/ipsec.conf; do
  [ -f "$f" ] || continue
  echo ipsec
  awk '{ sub(/#.*/, "") } NF == 0 { next }
    $1 == "include" && $2 !~ /ipsec\.d\/\*/ { print "more\tipsec"; next }
    /^[^ \t]/ { on = $1 == "conn"; if (on) print "conn\t" $2; next }
    on { i = index($0, "="); k = substr($0, 1, i - 1); v = substr($0, i + 1); gsub(/[ \t]/, "", k); gsub(/^[ \t]+|[ \t"]+$|"/, "", v)
      gsub(/\t/, " ", v)
      if (k ~ /^(rightauth2?|authby|right|also|auto)$/) print "set\t" k "\t" v }' "$f"
done
for f in /etc/swanctl/swanctl.conf /etc/swanctl/conf.d/*.conf /etc/strongswan/swanctl/swanctl.conf /etc/strongswan/swanctl/conf.d/*.conf; do
  [ -f "$f" ] || continue
  echo swanctl
  awk '{ sub(/#.*/, ""); gsub(/\{/, " {\n"); gsub(/\}/, "\n}\n"); n = split($0, a, "\n")
    for (i = 1; i <= n; i++) {
      l = a[i]; gsub(/^[ \t]+|[ \t]+$/, "", l)
      if (l == "") continue
      if (l == "}") { d--; continue }
      if (l ~ /\{$/) { sub(/[ \t]*\{$/, "", l); gsub(/\t/, " ", l); p[++d] = l
        if (d == 2 && p[1] == "connections") print "swan\t" l "\t\t"
        if (d == 3 && p[1] == "connections" && l ~ /^remote/) print "swan\t" p[2] "\t" l "\t"
        continue }
      if (l ~ /^include[ \t]/ && l !~ /conf\.d\/\*\.conf/) { print "more\tswanctl"; continue }
      if (p[1] != "connections") continue
      k = l; sub(/[ \t]*=.*/, "", k); v = l; sub(/^[^=]*=[ \t]*/, "", v); gsub(/[\t"]/, " ", v); gsub(/^ +| +$/, "", v)
      if (d == 2 && k == "remote_addrs") print "swan\t" p[2] "\t@\t" v
      if (d == 3 && p[3] ~ /^remote/ && k == "auth") print "swan\t" p[2] "\t" p[3] "\t" v
    } }' "$f"
done
for f in /etc/ocserv/ocserv.conf /etc/ocserv.conf; do
  [ -f "$f" ] || continue
  echo ocserv
  awk '/^[ \t]*(auth|enable-auth)[ \t]*=/ { k = $0; sub(/[ \t]*=.*/, "", k); gsub(/[ \t]/, "", k)
    v = $0; sub(/^[^=]*=[ \t]*/, "", v); gsub(/"/, "", v); o = (v ~ /\[.*passwd[ \t]*=/ ? "passwd " : "") (v ~ /\[.*otp[ \t]*=/ ? "otp" : "")
    sub(/[^a-zA-Z0-9_-].*/, "", v); print "auth\t" k "\t" v "\t" o }' "$f"
done
echo end
""",
    elevated=True,
)

KEY = "key"
PASSWORD = "password"
# Of the methods of IKE: what each proves. A key that everybody shares is nobody's proof.
_IKE = {
    "pubkey": KEY, "rsa": KEY, "ecdsa": KEY, "rsasig": KEY, "ecdsasig": KEY, "eap-tls": KEY, "eap": "?", "psk": "", "secret": "",
    "eap-mschapv2": PASSWORD, "eap-md5": PASSWORD, "eap-gtc": "?", "xauth": PASSWORD, "xauth-eap": "?", "xauth-pam": "?",
    "xauth-generic": PASSWORD, "eap-radius": "?", "eap-dynamic": "?", "eap-ttls": "?", "eap-peap": "?", "eap-sim": "?",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """One way in: the proofs that it takes; the PAM service that it asks beside, if any. `why` where it cannot be told."""

    product: str
    name: str
    proofs: frozenset[str] = frozenset()
    service: str = ""
    why: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """The `servers` of the products of which some configuration was `seen`, and those of which there is `more`."""

    servers: tuple[Server, ...]
    seen: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()
    missing: Unknown | None = None

    def of(self, product: str) -> tuple[Server, ...]:
        return tuple(s for s in self.servers if s.product == product)


def read(answer: Answer) -> Configured:
    """The answer to VPN. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return Configured((), missing=answer.unknown())
    return _read(answer.text)


@lru_cache(maxsize=16)
def _read(text: str) -> Configured:
    lines = text.splitlines()
    rows = [tuple(line.split("\t")) for line in lines[:-1]]
    if not lines or lines[-1] != "end" or any(len(row) != _COLUMNS.get(row[0]) for row in rows):
        raise Unreadable("how VPN servers authenticate is not as asked")
    return configured(rows)


def configured(rows: Sequence[tuple[str, ...]]) -> Configured:
    """The rows that VPN prints, or that a tree's files hold."""
    servers = (*_openvpn(rows), *_wireguard(rows), *_ipsec(rows), *_swanctl(rows), *_ocserv(rows))
    seen = frozenset(_PRODUCTS[row[0]] for row in rows if row[0] in _PRODUCTS)
    more = frozenset("strongSwan" for row in rows if row[0] == "more")
    return Configured(servers, seen, more)


_PRODUCTS = {"openvpn": "OpenVPN", "ipsec": "strongSwan", "swanctl": "strongSwan", "ocserv": "ocserv"}
_COLUMNS = {
    "openvpn": 2,
    "word": 4,
    "wireguard": 4,
    "ipsec": 1,
    "conn": 2,
    "set": 3,
    "more": 2,
    "swanctl": 1,
    "swan": 4,
    "ocserv": 1,
    "auth": 4,
}
_ANY = ("%any", "%any4", "%any6", "0.0.0.0", "::", "0.0.0.0/0", "::/0")  # noqa: S104 - as these files write it
_Rows = Iterable[tuple[str, ...]]


# ---------------------------------------------------------------- OpenVPN


def _openvpn(rows: _Rows) -> Iterator[Server]:
    files: dict[str, list[tuple[str, ...]]] = {}
    words: list[tuple[str, ...]] = []
    for row in rows:
        if row[0] == "openvpn":
            words = files.setdefault(row[1], [])
        elif row[0] == "word":
            words.append(row[1:])
    for name, told in files.items():
        yield from _openvpn_file(name, told)


def _openvpn_file(name: str, words: list[tuple[str, ...]]) -> Iterator[Server]:
    """A client is no door. A static key is one that both ends share."""
    given = {w[0]: w for w in words}
    if name == "?" or "config" in given:
        yield Server("OpenVPN", name, why=Unknown("not_told", "where the settings of an OpenVPN that runs are"))
        return
    if "secret" in given:
        yield Server("OpenVPN", name, frozenset({KEY}))
        return
    serves = {"server", "server-bridge", "server-ipv6", "tls-server"} & set(given)
    if not serves and given.get("mode", ("", ""))[1] != "server":
        return
    asked = given.get("verify-client-cert", ("", "require"))[1]
    with_key = asked not in ("none", "optional") and "client-cert-not-required" not in given
    proofs = {KEY} if with_key else set()
    service = ""
    for word, what, argument, *_ in words:
        if word == "plugin" and "auth-pam" in what:
            service = argument or "?"
        elif word == "plugin" and "down-root" not in what:
            proofs.add(TOLD_ELSEWHERE + what)
        elif word in ("auth-user-pass-verify", "management-client-auth"):
            proofs.add(TOLD_ELSEWHERE + word)
    if "auth-user-pass-optional" in given:
        proofs, service = proofs & {KEY}, ""
    yield Server("OpenVPN", name, frozenset(proofs), service)


# ---------------------------------------------------------------- WireGuard


def _wireguard(rows: _Rows) -> Iterator[Server]:
    """A peer whose address is not written down may come from anywhere, with its key alone."""
    for row in rows:
        if row[0] != "wireguard":
            continue
        _, name, peers, endpoints = row
        if peers == "0":
            continue
        if peers != "?" and peers == endpoints:
            yield Server("WireGuard", name, why=Unknown("not_told", f"whether the peers of {name} are machines"))
        else:
            yield Server("WireGuard", name, frozenset({KEY}))


# ---------------------------------------------------------------- strongSwan


def _ipsec(rows: _Rows) -> Iterator[Server]:
    conns: dict[str, dict[str, list[str]]] = {}
    one: dict[str, list[str]] = {}
    for row in rows:
        if row[0] == "conn":
            one = conns.setdefault(row[1], {})
        elif row[0] == "set":
            one.setdefault(row[1], []).append(row[2])
    for name in conns:
        if name != "%default":
            yield from _conn(name, _inherited(conns, name, 8))


def _inherited(conns: Mapping[str, Mapping[str, list[str]]], name: str, depth: int) -> dict[str, str]:
    """The last value wins in a section, its own over what it takes from others."""
    own = conns.get(name, {})
    found = {} if name == "%default" or depth < 8 else _inherited(conns, "%default", depth - 1)
    for other in own.get("also", []) if depth else []:
        found |= _inherited(conns, other, depth - 1)
    return found | {word: values[-1] for word, values in own.items() if values and word != "also"}


def _conn(name: str, given: Mapping[str, str]) -> Iterator[Server]:
    """A connection whose other end has an address of its own is between sites; unless `auto` says so, none is loaded."""
    if given.get("right", "%any") not in _ANY or given.get("auto", "ignore") == "ignore":
        return
    rounds = [given[word] for word in ("rightauth", "rightauth2") if word in given]
    yield _ike(name, rounds or [given.get("authby", "pubkey")])


def _ike(name: str, rounds: Iterable[str]) -> Server:
    proofs = {_proof(word) for one in rounds for word in one.replace("|", ",").split(",")[:1]}
    return Server("strongSwan", name, frozenset(p for p in proofs if p))


def _proof(word: str) -> str:
    word = word.strip().lower()
    for method in (word, word.partition(":")[0], "-".join(word.split("-")[:2]), word.split("-")[0]):
        if method in _IKE:
            return TOLD_ELSEWHERE + word if _IKE[method] == "?" else _IKE[method]
    return TOLD_ELSEWHERE + word


def _swanctl(rows: _Rows) -> Iterator[Server]:
    conns: dict[str, dict[str, str]] = {}
    for row in rows:
        if row[0] == "swan":
            rounds = conns.setdefault(row[1], {})
            if row[2]:
                rounds[row[2]] = row[3] or rounds.get(row[2], "")
    for name, told in conns.items():
        if ":" in name or any(":" in one for one in told):
            yield Server("strongSwan", name, why=Unknown("not_told", f"{name} inherits from another section"))
        elif told.get("@", "%any").replace(" ", "") in (
            "%any",
            "%any4",
            "%any6",
            "0.0.0.0/0",
            "0.0.0.0/0,::/0",
            "::/0",
        ):
            yield _ike(name, [auth or "pubkey" for one, auth in told.items() if one != "@"] or ["pubkey"])


# ---------------------------------------------------------------- ocserv


def _ocserv(rows: _Rows) -> Iterator[Server]:
    """Every `auth` is asked for, and each `enable-auth` may stand in their place."""
    told = [row[1:] for row in rows if row[0] == "auth"]
    if not told:
        return
    every = [row for row in told if row[0] == "auth"]
    for number, way in enumerate([every, *([row] for row in told if row[0] == "enable-auth")]):
        proofs = frozenset(p for _, method, files in way for p in _ocserv_proofs(method, files))
        service = "ocserv" if any(method == "pam" for _, method, _ in way) else ""
        yield Server("ocserv", f"way {number + 1}", proofs, service)


def _ocserv_proofs(method: str, files: str) -> tuple[str, ...]:
    if method == "pam":
        return ()
    if method == "certificate":
        return (KEY,)
    if method == "plain":
        return tuple({"passwd": PASSWORD, "otp": "token"}[word] for word in files.split() if word in ("passwd", "otp"))
    return (TOLD_ELSEWHERE + method,)
