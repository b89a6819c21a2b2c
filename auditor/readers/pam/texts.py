"""The PAM files of a host asked for and read: their `auth` lines by path, and where a service's are. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.files import Files

# Where libpam looks, first one first.
DIRECTORIES = ("/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/")

# Prints the `auth` lines only, and of an option `name=value` never the value: some modules take a password there.
STACKS = Command(
    r"""l=
n='
'
for f in /etc/pam.d/* /usr/lib/pam.d/* /usr/etc/pam.d/*; do
  [ -f "$f" ] || continue
  if [ -r "$f" ]; then printf 'f\t%s\n' "$f"; l="$l$f$n"; else printf '!\t%s\n' "$f"; fi
done
set -f
IFS=$n
if [ -n "$l" ]; then
  awk 'FNR == 1 { b = "" }
    { if (sub(/\\$/, " ")) { b = b $0; next } $0 = b $0; b = ""; sub(/#.*/, "") }
    tolower($1) !~ /^(-?auth|@include)$/ { next }
    { match($0, /^[ \t]*[^ \t]+[ \t]+(\[[^]]*\]|[^ \t]+)/); h = substr($0, 1, RLENGTH); t = substr($0, RLENGTH + 1)
      while (match(t, /\[[^]]*\]/)) { w = substr(t, RSTART + 1, RLENGTH - 2)
        if (w !~ /^[A-Za-z_-]+=/) w = "*"
        sub(/=.*/, "=*", w); t = substr(t, 1, RSTART - 1) w substr(t, RSTART + RLENGTH) }
      gsub(/=[^ \t]+/, "=*", t); print "=\t" FILENAME "\t" h t }' $l || exit 1
fi
echo end
""",
    cap_bytes=262144,
)

Texts = Mapping[str, str]


def read(answer: Answer) -> Files:
    """The answer to STACKS. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return Files({}, (), answer.unknown())
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("the PAM files are not complete")
    texts: dict[str, str] = {}
    for line in lines[:-1]:
        kind, _, rest = line.partition("\t")
        path, _, text = rest.partition("\t")
        if kind == "f":
            texts[path] = ""
        elif kind == "=" and path in texts:
            texts[path] += text + "\n"
        elif kind != "!":
            raise Unreadable("the PAM files are not as asked")
    return Files(texts, tuple(line[2:] for line in lines if line.startswith("!\t")))


def asked_as(service: str) -> str:
    """The name that libpam looks for: it takes a path's last part, in lower case."""
    return service.rpartition("/")[2].lower()


def untold(files: Files, service: str) -> Unknown | None:
    """Why a service's file, which is there, could not be read: `other` does not stand for it."""
    unread = {path.partition(" ")[0].rpartition("/")[2] for path in (*files.denied, *files.odd)}
    return files.gap if service and unread & {service, "*"} else None


def service_text(texts: Texts, service: str) -> str | None:
    """None: no such service in any directory."""
    return next((texts[d + service] for d in DIRECTORIES if d + service in texts), None)
