"""How a host reads what configurations set for restic and borg, and executes nothing of them. Pure."""

from __future__ import annotations

# A text as one word of the shell, whatever it holds.
QUOTED = r"""function quoted(s,   n, a, i, o) {
  n = split(s, a, "\047"); o = a[1]
  for (i = 2; i <= n; i++) o = o "\047\\\047\047" a[i]
  return "\047" o "\047"
}
"""

# Assignments of a file in, exports out, for the variables of the tools only. Nothing of the file is executed: where a shell
# would have to (a command, another variable), the variable's name goes to `odd`. "unit" reads systemd's syntax.
ASSIGNMENTS = r"""function value(s,   c, i, o) {
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
BORGMATIC = r"""function plain(s,   c) {
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
