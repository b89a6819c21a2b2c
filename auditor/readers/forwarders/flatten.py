"""How a host flattens a configuration of its agents, so that no secret leaves it; what it printed in, a tree out. Pure.

Of each setting that is asked for it prints its path and its value: `|outputs[0].host<TAB>collector`. Values of addresses
lose their credentials, paths and queries; `?` stands for a value that could not be made safe, and for a place in the file
that was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Settings by the last word of their path: A addresses (of outputs alone), W words, M those of which only that they are there is told.
KEYS = r"""A='^(host|hosts|server|servers|address|url|endpoint|endpoints|uri)$'
W='^(name|type|@type|@arg|@include|@label|port|protocol|scheme|transport|mode|enabled|disabled|tls|verify|verify_hostname|verify_certificate|verification_mode|tls_verify_hostname|tls_insecure_mode|insecure_skip_verify|ssl_verify|usessl|sslverifyservercert|sslverifyservername|allowuntrusted|match|match_regex|module|inputs|include|includes|path|paths|__path__|defaultgroup|use_output)$'
M='^(systemd_filter|upstream|matches|include_matches|exclude_matches|include_units|exclude_units|units|unit|syslog_identifiers|include_lines|exclude_lines|drop_event|journal|facilities|transports|journal_namespace|journal_directory|certificate_authorities|certificate|ca_trusted_fingerprint|cloud|id|clientcert|sslcommonnametocheck|sslaltnametocheck)$'
"""
_SAY = r"""
function say(k, v,   l) {
  l = k
  sub(/(\[[0-9]+\])+$/, "", l)
  sub(/.*\./, "", l)
  if (l ~ A) { if (k !~ /^(pipeline[.])?(outputs?|sinks|match|label|clients?|loki%write|tcpout|httpout|syslog)[^a-z]/) return; v = place(v) }
  else if (l ~ W) { if (length(v) > 160 || v !~ /^[A-Za-z0-9_.\/*:,+$ {}()>=-]*$/) v = "?" }
  else if (l ~ M || k ~ /drop_event|[.]script[.]/) v = "set"
  else return
  print "|" k "\t" v
}
function place(v,   i, s, r, c, e) {
  r = v
  i = index(v, "://")
  if (i) { s = tolower(substr(v, 1, i + 2)); r = substr(v, i + 3) }
  e = match(r, /[\/?#]/)
  c = index(r, "@")
  if (c) {
    if (e && e < c || index(substr(r, c + 1), "@")) return "?"
    r = substr(r, c + 1)
    e = match(r, /[\/?#]/)
  }
  if (e) r = substr(r, 1, e - 1)
  return s ~ /^([a-z0-9+]+:\/\/)?$/ && r ~ /^[]A-Za-z0-9_.:,[${} -]*$/ && length(r) < 200 ? s r : "?"
}
function odd() { print "|?\t" (d > 0 ? p[d] : "") }
function start() { print "F", a, FILENAME; d = 0; b = -1; m = ""; x = ""; split("", n) }
function enter(i, k, t) {
  k = tolower(k)
  gsub(/[^a-z0-9_@\/:%-]/, "%", k)
  q = d ? p[d] : ""
  if (t) k = k "[" (n[q "." k]++) "]"
  p[++d] = q (q == "" || k ~ /^\[/ ? "" : ".") k
  l[d] = i
}
function quoted(v,   c) {
  c = substr(v, 1, 1)
  if (c == "\"") return match(v, /^"([^"\\]|\\.)*"/) ? substr(v, 2, RLENGTH - 2) : "\n"
  if (c == "\047") return match(v, /^\047[^\047]*\047/) ? substr(v, 2, RLENGTH - 2) : "\n"
  return v
}
function listed(k, v,   i, c, w) {
  if (v !~ /^\[[^][{}]*\][ \t]*$/) { odd(); return }
  sub(/^\[/, "", v)
  sub(/\][ \t]*$/, "", v)
  c = split(v, w, ",")
  for (i = 1; i <= c; i++) {
    gsub(/^[ \t]+|[ \t]+$/, "", w[i])
    if (w[i] != "") say(k "[" (i - 1) "]", quoted(w[i]))
  }
}
function value(k, v) {
  if (v ~ /^["\047]/) {
    v = quoted(v)
    if (v == "\n") { odd(); return }
  } else {
    sub(/[ \t]+#.*/, "", v)
    if (v ~ /^\[/) { listed(k, v); return }
  }
  say(k, v)
}
"""
# Block mappings and lists; what stands in braces, anchors and texts over several lines is not understood. A block text
# is passed over.
_YAML = r"""
function pop(i, item) { while (d > 0 && (l[d] > i || l[d] == i && (!item || p[d] ~ /\]$/ && g[d]))) d-- }
FNR == 1 { start() }
{
  sub(/\r$/, "")
  if ($0 ~ /^[ \t]*$/) next
  match($0, /^ */)
  i = RLENGTH
  r = substr($0, i + 1)
  if (b >= 0) { if (i > b) next; b = -1 }
  if (r ~ /^#/ || r ~ /^%/) next
  if (r ~ /^(---|\.\.\.)/) { if (d) odd(); next }
  if (r ~ /^\t/) { odd(); next }
  e = 1
  while (r ~ /^-([ \t]|$)/) {
    e = 0
    pop(i, 1)
    enter(i, "", 1)
    g[d] = 1
    match(r, /^-[ \t]*/)
    i += RLENGTH
    r = substr(r, RLENGTH + 1)
    if (r == "" || r ~ /^#/) next
  }
  v = r
  if (match(r, /^("[^"]*"|\047[^\047]*\047|[A-Za-z0-9_.@*\/$-]+)[ \t]*:([ \t]|$)/)) {
    e = 0
    k = substr(r, 1, RLENGTH)
    v = substr(r, RLENGTH + 1)
    sub(/[ \t]*:[ \t]*$/, "", k)
    sub(/^[ \t]+/, "", v)
    pop(i, 0)
    c = split(quoted(k), w, ".")
    for (j = 1; j <= c; j++) { enter(i, w[j], 0); g[d] = 0 }
    if (v == "" || v ~ /^#/) { if (tolower(k) == "journal") print "|" p[d] ".@set\tset"; next }
  }
  if (v ~ /^[|>]/) { b = d ? l[d] : 0; next }
  if (v ~ /^\{[ \t]*\}/ || v ~ /^\[[ \t]*\]/) next
  if (e || v ~ /^[&*!{]/ || !d) { odd(); next }
  value(p[d], v)
}"""
# `[table]`, `[[table]]`, `key = value`; inline tables are not understood. A text of several lines is passed over.
_TOML = r"""
FNR == 1 { start() }
m != "" { if (index($0, m)) m = ""; next }
{ sub(/\r$/, ""); sub(/^[ \t]+/, "") }
x != "" { sub(/[ \t]*#.*/, ""); x = x " " $0; if ($0 ~ /\][ \t]*$/) { listed(p[d], x); x = ""; d -= z }; next }
/^(#|$)/ { next }
/^\[/ {
  t = $0 ~ /^\[\[/
  gsub(/^\[+[ \t]*|[ \t]*\]+.*$/, "")
  d = 0
  c = split($0, w, ".")
  for (j = 1; j <= c; j++) { gsub(/["\047 \t]/, "", w[j]); enter(0, w[j], t && j == c) }
  next
}
match($0, /^[A-Za-z0-9_."\047-]+[ \t]*=[ \t]*/) {
  k = substr($0, 1, RLENGTH)
  v = substr($0, RLENGTH + 1)
  sub(/[ \t]*=[ \t]*$/, "", k)
  gsub(/["\047]/, "", k)
  z = split(k, w, ".")
  for (j = 1; j <= z; j++) enter(0, w[j], 0)
  if (v ~ /^(["]["]["]|\047\047\047)/) { m = substr(v, 1, 3); if (index(substr(v, 4), m)) m = "" }
  else if (v ~ /^\{[ \t]*\}/) ;
  else if (v ~ /^\{/) odd()
  else if (v ~ /^\[[^]]*$/) { sub(/[ \t]*#.*/, "", v); x = v; next }
  else value(p[d], v)
  d -= z
  next
}
{ odd() }
END { if (m != "" || x != "") odd() }"""
# `<block argument>`, `[section]`, and lines `key value`, or `key = value` where S is an equals sign.
_BLOCKS = r"""
FNR == 1 { start() }
{ sub(/\r$/, ""); sub(/^[ \t]+/, ""); sub(/[ \t]+$/, "") }
/^(#|;|$)/ { next }
/^\[/ {
  d = 0
  gsub(/^\[[ \t]*|[ \t]*\].*$/, "")
  v = $0
  enter(0, v, 1)
  if (S == "=") say(p[d] ".url", v)
  next
}
/^<\// { if (d) d--; next }
/^<[A-Za-z]/ {
  gsub(/^<|>.*$/, "")
  v = $0
  sub(/^[^ \t]+[ \t]*/, "", v)
  enter(0, $1, 1)
  if (v != "") say(p[d] ".@arg", v)
  next
}
{
  r = $0
  if (S == "=") { if (!match(r, /[ \t]*=[ \t]*/)) next } else if (!match(r, /[ \t]+/)) next
  k = tolower(substr(r, 1, RSTART - 1))
  v = substr(r, RSTART + RLENGTH)
  if (v ~ /^["\047]/) v = quoted(v)
  else sub(/[ \t]+#([^{].*)?$/, "", v)
  say((d ? p[d] "." : "") k, v)
}"""
# Blocks `name "label" {` and lines `key = value`.
_RIVER = r"""
FNR == 1 { start() }
{ sub(/\r$/, ""); sub(/^[ \t]+/, ""); sub(/[ \t]+$/, "") }
/^(\/\/|$)/ { next }
/^[A-Za-z_].*\{$/ { enter(0, $1, 1); next }
/^\}/ { if (d) d--; next }
match($0, /^[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*/) {
  k = $1
  sub(/=.*/, "", k)
  v = substr($0, RLENGTH + 1)
  sub(/,$/, "", v)
  if (v ~ /[[({]$/ || v ~ /^`/) { if (k ~ A) odd(); next }
  value((d ? p[d] "." : "") tolower(k), v)
  next
}
/\{.*\}/ { odd() }"""

# y, t, e, i, o AGENT FILE...: the files of an agent, each in its syntax.
SHELL = (
    KEYS
    + f"C='{_SAY}'\n"
    + "".join(f"P_{name}='{text}'\n" for name, text in (("y", _YAML), ("t", _TOML), ("b", _BLOCKS), ("r", _RIVER)))
    + r"""k() {
  a=$1 s=$2 q=$3
  shift 3
  for f in "$@"; do
    if [ -f "$f" ] && [ -r "$f" ]; then awk -v a="$a" -v S="$s" -v A="$A" -v W="$W" -v M="$M" "$C$q" "$f" || echo "! $a $f"
    elif [ -d "$f" ]; then :
    elif [ -e "$f" ]; then echo "! $a $f"
    elif ! gone "$f"; then echo "! $a $p"; fi
  done
}
"""
)

Node = dict[str, "Node | str"]
_STEP = re.compile(r"\[\d{1,5}\]|[^.\[\]]+")
_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """`odd`: where in the file something was not understood; an empty text is anywhere."""

    root: Node
    odd: tuple[str, ...] = ()


def read(text: str) -> Settings:
    root: Node = {}
    odd = []
    for line in text.splitlines():
        path, tab, value = line.partition("\t")
        if path == "?":
            odd.append(value)
        elif tab:
            _put(root, _STEP.findall(path)[:_DEPTH], value)
    return Settings(root, tuple(odd))


def _put(node: Node, steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        below = node.get(step)
        if not isinstance(below, dict):
            below = {} if below is None else {"": below}
            node[step] = below
        node = below
    if steps:
        last = node.get(steps[-1])
        if isinstance(last, dict):
            last[""] = value
        else:
            node[steps[-1]] = value


def at(node: Node, path: str) -> Node:
    """What lies below, nothing where there is none."""
    for step in path.split("."):
        below = node.get(step)
        node = below if isinstance(below, dict) else {}
    return node


def text(node: Mapping[str, Node | str], path: str) -> str | None:
    """The value of a setting, None where it is not told."""
    *above, last = path.split(".")
    found = (at(dict(node), ".".join(above)) if above else node).get(last)
    if isinstance(found, dict):
        found = found.get("")
    return found if isinstance(found, str) else None


def items(node: Node, path: str) -> list[Node | str]:
    """The elements of a list, or the one value in its place."""
    *above, last = path.split(".")
    found = (at(node, ".".join(above)) if above else node).get(last)
    if not isinstance(found, dict):
        return [] if found is None else [found]
    return [v for k, v in found.items() if k.startswith("[")]


def blocks(node: Node, path: str) -> list[Node]:
    return [i for i in items(node, path) if isinstance(i, dict)]


def texts(node: Node, path: str) -> list[str]:
    return [i for i in items(node, path) if isinstance(i, str)]


def below(node: Node) -> Iterator[tuple[str, Node]]:
    """The named groups in a group."""
    return ((k, v) for k, v in node.items() if isinstance(v, dict) and not k.startswith("["))


def told(node: Node, name: str) -> bool:
    """Whether a setting stands anywhere below."""
    return any(k == name or (isinstance(v, dict) and told(v, name)) for k, v in node.items())
