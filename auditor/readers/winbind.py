"""smb.conf, pam_winbind.conf and what wbinfo says in; the domain that winbind serves, and its offline cache, out. Pure.

Sources: smb.conf(5), pam_winbind.conf(5), wbinfo(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

WINBIND = Command(
    r"""for f in /etc/samba/smb.conf /etc/security/pam_winbind.conf; do
  [ -f "$f" ] || continue
  echo "f:$f"
  awk '/^[ \t]*([#;]|$)/ { next }
    /^[ \t]*\[/ { g = tolower($0) !~ /^[ \t]*\[[ \t]*global[ \t]*\]/; next }
    g { i = index($0, "="); k = tolower(substr($0, 1, i - 1)); gsub(/[ \t]/, "", k); if (k ~ /^(include|configbackend)$/) print "k:" k; next }
    { i = index($0, "="); if (!i) next
      k = tolower(substr($0, 1, i - 1)); gsub(/[ \t]/, "", k)
      if (k ~ /^(security|realm|workgroup|winbindofflinelogon|cached_login|include|configbackend)$/) print "k:" k "=" substr($0, i + 1) }' "$f" || exit 1
done
if [ -S /run/samba/winbindd/pipe ] || [ -S /var/run/samba/winbindd/pipe ]; then
  wbinfo --online-status 2>/dev/null | awk '{ print "o:" $0 }'
fi
echo end
""",
    cap_bytes=16384,
)

_STATUS = re.compile(r"(\S+) *: *(online|active connection|offline|no active connection)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Winbind:
    """`name` is empty where no file names the domain. `offline_logon`, `cached_login`: both must hold for a cache."""

    name: str
    workgroup: str
    offline_logon: bool | Unknown
    cached_login: bool | Unknown
    status: Mapping[str, bool]

    @property
    def online(self) -> bool | Unknown:
        found = self.status.get(self.workgroup.lower())
        return Unknown("not_told", "winbind does not say whether its domain answers") if found is None else found


def read(answer: Answer) -> Winbind | Unknown:
    """The answer to WINBIND. Raises Unreadable when it is cut."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("winbind's configuration is not complete")
    said = dict(line[2:].partition("=")[::2] for line in lines if line.startswith("k:"))
    elsewhere = Unknown("not_told", "smb.conf includes others") if {"include", "configbackend"} & said.keys() else None
    return Winbind(
        said.get("realm", "").strip().lower() or said.get("workgroup", "").strip().lower(),
        said.get("workgroup", "").strip(),
        elsewhere or _yes(said.get("winbindofflinelogon")),
        _yes(said.get("cached_login")),
        _status(line[2:] for line in lines if line.startswith("o:")),
    )


def _yes(value: str | None) -> bool | Unknown:
    if value is None:
        return False
    word = value.strip().lower()
    known = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}
    return known.get(word, Unknown("unreadable", f"neither yes nor no: {word[:40]}"))


def _status(lines: Iterable[str]) -> Mapping[str, bool]:
    found = (_STATUS.fullmatch(line.strip()) for line in lines)
    return {one[1].lower(): one[2] in ("online", "active connection") for one in found if one}
