"""How a host tells where a repository is, and never the password in its address. Pure."""

from __future__ import annotations

# Where a repository is, without what is before an @: a password may stand there. Lines "repository", "kind", and "host" or
# "path". Kinds: local, ssh, url, service, rclone, odd (a URL whose user part cannot be told from its path).
PLACE = r"""function host(authority) {
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
