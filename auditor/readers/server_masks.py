"""What starts servers for others, or at the start of a system, in; of each line the door that it opens, and no more, out. Pure.

Every line keeps its number. Sources: inetd.conf(5), xinetd.conf(5), rc.local of Debian and Red Hat, openvpn's /etc/default/openvpn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_DOORS = {
    "telnet": re.compile(r"(?:in\.)?(?:u?telnetd?|ktelnet)|23"),
    "rlogin": re.compile(r"(?:in\.)?(?:rlogind?|rshd?|rexecd?)|shell|login|exec|klogin|kshell|eklogin|51[234]"),
    "FTP": re.compile(r"(?:in\.)?(?:v?s?ftpd?|proftpd|pure-ftpd|pureftpd|wu-ftpd|ftpd)|21"),
    "OpenSSH": re.compile(r"sshd?|22"),
    "Dropbear": re.compile(r"dropbear"),
    "OpenVPN": re.compile(r"openvpn"),
    "WireGuard": re.compile(r"wg-quick|wireguard-go"),
    "Shell In A Box": re.compile(r"shellinaboxd"),
    "ttyd": re.compile(r"ttyd"),
    "a shell": re.compile(r"nc|ncat|netcat|socat"),
}
# What names a port or a service elsewhere is a word like others on a command line.
_WORDS = re.compile(r"shell|login|exec|ssh|ftp|telnet|rlogin|rsh|rexec|[0-9]+")
_SERVICE = re.compile(r"\s*service\s+(\S+)\s*")
_SAID = re.compile(r"\s*(\w+)\s*[-+]?=\s*(.*?)\s*")
_AUTOSTART = re.compile(r"\s*(?:export\s+)?AUTOSTART=(?:\"([\w.@ -]*)\"|'([\w.@ -]*)'|([\w.@-]*))\s*(?:#.*)?")


def _each(text: bytes, told: Callable[[str], str]) -> bytes:
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return "\n".join(told(line.rstrip("\r")) for line in lines).encode("utf-8", "surrogatepass")


def door_of(words: Iterable[str]) -> str:
    """The door that one of these words names, "" for none."""
    bare = [word.rpartition("/")[2] for word in words]
    return next((door for door, like in _DOORS.items() for word in bare if like.fullmatch(word)), "")


def inetd(text: bytes) -> bytes:
    """`door NAME`: of a service whose name, port or program is known; `off` where a block is not served, as lists of names may have it too."""
    return _each(text, _inetd)


def _inetd(line: str) -> str:
    bare = line.strip()
    if not bare or bare.startswith("#"):
        return ""
    service, said = _SERVICE.fullmatch(line), _SAID.fullmatch(line)
    if service:
        return f"service\t{door_of([service[1]])}\t{service[1]}"
    if said:
        return _of_block(said[1].lower(), said[2])
    words = bare.split()
    return f"door\t{door_of([words[0].rpartition(':')[2], *words[5:]])}" if len(words) > 5 else ""


def _of_block(key: str, value: str) -> str:
    if key in ("disabled", "enabled", "id"):
        return f"{key}\t{' '.join(value.split())}"
    if key == "disable":
        return "off" if value.lower() == "yes" else ""
    if key in ("server", "server_args", "port"):
        door = door_of(value.split())
        return f"block\t{door}" if door else ""
    return ""


def script(text: bytes) -> bytes:
    """The door that a command names; what a script does, only a shell can tell."""
    return _each(text, _script)


def _script(line: str) -> str:
    words = [] if line.lstrip().startswith("#") else re.split(r"[\s;&|()\"'`{}]+", line)
    door = door_of(w for w in words if not _WORDS.fullmatch(w))
    return f"door\t{door}" if door else ""


def autostart(text: bytes) -> bytes:
    """The names of VPNs, as a shell would have them where a line is that plain; else that there are some."""
    return _each(text, _autostart)


def _autostart(line: str) -> str:
    if not re.match(r"\s*(?:export\s+)?AUTOSTART\b", line):
        return ""
    found = _AUTOSTART.fullmatch(line)
    return f"autostart\t{next((v for v in found.groups() if v), '') or 'all'}" if found else "autostart\tall"
