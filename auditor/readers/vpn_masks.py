"""The settings of a VPN server in a tree in; of each line the rows that readers/vpn.py reads of it, and nothing else, out. Pure.

They are those that its question prints on a host, several of a line apart by CR. Every line keeps its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_OPENVPN = frozenset(
    b"server server-bridge server-ipv6 mode tls-server tls-client client secret verify-client-cert client-cert-not-required"
    b" auth-user-pass-verify auth-user-pass-optional management-client-auth plugin config".split()
)
_BLOCK = re.compile(rb"[ \t]*<([a-z-]+)>")
_IPSEC = re.compile(rb"rightauth2?|authby|right|also|auto")
_OCSERV = re.compile(rb"[ \t]*(auth|enable-auth)[ \t]*=[ \t]*(.*)")
Rows = Iterator[bytes]


def _row(*columns: bytes) -> bytes:
    return b"\t".join(c.replace(b"\t", b" ").replace(b"\r", b" ") for c in columns)


def _each(text: bytes, told: Callable[[bytes], Rows]) -> bytes:
    return b"\n".join(b"\r".join(told(line)) for line in text.split(b"\n"))


def openvpn(text: bytes) -> bytes:
    inside = False

    def told(line: bytes) -> Rows:
        nonlocal inside
        block = _BLOCK.match(line)
        if line.lstrip(b" \t").startswith(b"</"):
            inside = False
        elif not inside and block:
            inside = block[1] != b"connection"
            if inside and block[1] in _OPENVPN:
                yield _row(b"word", block[1], b"", b"")
        elif not inside:
            yield from _option(line)

    return _each(text, told)


def _option(line: bytes) -> Rows:
    words = line.replace(b'"', b"").replace(b"'", b"").split() + [b""] * 3
    word = words[0].removeprefix(b"--")
    if word == b"plugin":
        yield _row(b"word", word, words[1].rpartition(b"/")[2], words[2])
    elif word in _OPENVPN:
        yield _row(b"word", word, words[1] if word in (b"mode", b"verify-client-cert") else b"", b"")


def wireguard(text: bytes) -> bytes:
    """That there is a peer, and that it has an address of its own."""

    def told(line: bytes) -> Rows:
        low = line.lower().lstrip(b" \t")
        if low.startswith(b"[peer]"):
            yield b"peer"
        elif re.match(rb"endpoint[ \t]*=", low):
            yield b"endpoint"

    return _each(text, told)


def ipsec(text: bytes) -> bytes:
    on = False

    def told(line: bytes) -> Rows:
        nonlocal on
        line = line.partition(b"#")[0].rstrip(b"\r")
        words = line.split()
        if words[:1] == [b"include"]:
            if not re.search(rb"ipsec\.d/\*", words[1] if len(words) > 1 else b""):
                yield _row(b"more", b"ipsec")
        elif words and line[:1] not in (b" ", b"\t"):
            on = words[0] == b"conn"
            if on:
                yield _row(b"conn", words[1] if len(words) > 1 else b"")
        elif words and on:
            key, _, value = line.partition(b"=")
            key = b"".join(key.split())
            if _IPSEC.fullmatch(key):
                yield _row(b"set", key, value.replace(b'"', b"").strip())

    return _each(text, told)


def swanctl(text: bytes) -> bytes:
    """Sections in braces, one in the other: of connections how their remote ends authenticate."""
    path: list[bytes] = []

    def told(line: bytes) -> Rows:
        line = line.partition(b"#")[0].replace(b"{", b" {\n").replace(b"}", b"\n}\n")
        for part in (one.strip() for one in line.split(b"\n")):
            if part == b"}":
                del path[-1:]
            elif part.endswith(b"{"):
                path.append(part[:-1].strip())
                yield from _section(path)
            elif part:
                yield from _setting(path, part)

    return _each(text, told)


def _section(path: list[bytes]) -> Rows:
    if path[0] != b"connections":
        return
    if len(path) == 2:
        yield _row(b"swan", path[1], b"", b"")
    elif len(path) == 3 and path[2].startswith(b"remote"):
        yield _row(b"swan", path[1], path[2], b"")


def _setting(path: list[bytes], part: bytes) -> Rows:
    if re.match(rb"include[ \t]", part):
        if not re.search(rb"conf\.d/\*\.conf", part):
            yield _row(b"more", b"swanctl")
        return
    if path[:1] != [b"connections"]:
        return
    key, _, value = part.partition(b"=")
    key, value = key.strip(), value.replace(b'"', b" ").strip()
    if len(path) == 2 and key == b"remote_addrs":
        yield _row(b"swan", path[1], b"@", value)
    elif len(path) == 3 and path[2].startswith(b"remote") and key == b"auth":
        yield _row(b"swan", path[1], path[2], value)


def ocserv(text: bytes) -> bytes:
    def told(line: bytes) -> Rows:
        found = _OCSERV.match(line)
        if found:
            value = found[2].replace(b'"', b"")
            asked = [w for w in (b"passwd", b"otp") if re.search(rb"\[.*" + w + rb"[ \t]*=", value)]
            method = re.split(rb"[^a-zA-Z0-9_-]", value, maxsplit=1)[0]
            yield _row(b"auth", found[1], method, b" ".join(asked))

    return _each(text, told)


# ---------------------------------------------------------------- doors that let somebody in by themselves

_AUTOLOGIN = {
    b"GDM": rb"[ \t]*(?:AutomaticLoginEnable|TimedLoginEnable)[ \t]*=[ \t]*(?:[Tt]rue|1)",
    b"LightDM": rb"[ \t]*autologin-user[ \t]*=[ \t]*\S",
    b"SDDM": rb"[ \t]*User[ \t]*=[ \t]*\S",
    b"LXDM": rb"[ \t]*autologin[ \t]*=[ \t]*\S",
    b"DISPLAYMANAGER": rb'DISPLAYMANAGER_AUTOLOGIN="?[^"\s]',
    b"console": rb"[ \t]*ExecStart[ \t]*=.*(?:[ \t](?:--autologin?\b|--autolog\w*|-a[ \t]*\S)|[ \t]-f[ \t])",
    b"certificates": rb"(?i:[ \t]*ClientCertAuthentication[ \t]*=[ \t]*(?:yes|true|1|on)\b)",
}
_OPENS = {name: re.compile(pattern) for name, pattern in _AUTOLOGIN.items()}


def autologin(text: bytes) -> bytes:
    """Which settings of display managers, of a console and of Cockpit a line may be; whose file it is says which counts."""
    return _each(text, lambda line: iter([name for name, opens in _OPENS.items() if opens.match(line)]))
