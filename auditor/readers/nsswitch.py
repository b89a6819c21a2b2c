"""nsswitch.conf in; which sources the name service asks for accounts, groups and sudo rules out. Pure.

Source: nsswitch.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

# Also says what can be seen without privilege of what may stand behind a source.
NSS = Command(
    r"""f=/etc/nsswitch.conf
[ -e "$f" ] || f=/usr/etc/nsswitch.conf
if [ -e "$f" ]; then awk '/^[ \t]*(passwd|group|sudoers)[ \t]*:/ { sub(/#.*/, ""); print "n:" $0 }' "$f" || exit 1; fi
if grep -q '^[+]' /etc/passwd; then echo plus; fi
for f in /etc/sssd /usr/sbin/sssd /usr/bin/sssd /etc/nslcd.conf; do if [ -e "$f" ]; then echo "e:$f"; fi; done
echo end
""",
    cap_bytes=16384,
)

DATABASES = ("passwd", "group", "sudoers")
# Sources that stand on the host itself.
OWN = frozenset(
    {"files", "systemd", "db", "altfiles", "usrfiles", "extrausers", "mymachines", "cache", "compat", "usrcompat"}
)
_TOKEN = re.compile(r"\[[^\]]*\]|[^\s\[]+")
_LAST = re.compile(r"(notfound|!success)=return")


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources by database, as far as an account that the ones before do not know reaches them.

    `nis`: /etc/passwd itself sends to NIS. `seen`: the paths asked for that exist.
    """

    passwd: tuple[str, ...] | Unknown
    group: tuple[str, ...] | Unknown
    sudoers: tuple[str, ...] | Unknown
    nis: bool = False
    seen: frozenset[str] = frozenset()

    @property
    def directories(self) -> tuple[str, ...] | Unknown:
        """Where accounts come from that are not the host's own."""
        if isinstance(self.passwd, Unknown):
            return self.passwd
        beside = ("nis",) if self.nis and "compat" in self.passwd else ()
        return tuple(dict.fromkeys((*(s for s in self.passwd if s not in OWN), *beside)))


def read(answer: Answer) -> Sources | Unknown:
    """The answer to NSS. Raises Unreadable when it is cut. A database without a line is asked of the files."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("nsswitch.conf is not complete")
    told = [line[2:].partition(":") for line in lines if line.startswith("n:")]
    found = {name: _one(rest for key, _, rest in told if key.strip() == name) for name in DATABASES}
    return Sources(**found, nis="plus" in lines, seen=frozenset(x[2:] for x in lines if x.startswith("e:")))


def _one(texts: Iterable[str]) -> tuple[str, ...] | Unknown:
    given = {_reached(text) for text in texts}
    if len(given) > 1:
        return Unknown("unreadable", "nsswitch.conf names a database twice")
    return given.pop() if given else ("files",)


def _reached(text: str) -> tuple[str, ...]:
    """No source behind `[NOTFOUND=return]` is asked for what the one before it does not know."""
    names: list[str] = []
    for token in _TOKEN.findall(text):
        if token.startswith("["):
            if _LAST.search(token.lower().replace(" ", "")):
                break
        else:
            names.append(token)
    return tuple(dict.fromkeys(names))
