"""An action of rsyslog, as it is written, in; the targets that it sends to out. Pure.

Sources: the omfwd and omrelp module pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders.target import AUTHORITY, NAME, NOTHING, Target
from auditor.readers.rsyslog.nouns import Reading

ENCRYPTING = ("gtls", "ossl", "mbedtls")
# Of the stream drivers; without a mode they verify the name, and without a permitted peer that is the target's own.
AUTH_MODES = {"": NAME, "x509/name": NAME, "x509/fingerprint": NAME, "x509/certvalid": AUTHORITY, "anon": NOTHING}
RELP_MODES = {"": NOTHING, "name": NAME, "fingerprint": NAME, "certvalid": AUTHORITY}
# What 8.2302 knows, and the other name that it got later.
_NEWER = (("streamdrivermode", "streamdriver.mode"), ("streamdriver", "streamdriver.name"))
DROPPING = ("ratelimit.interval", "queue.discardseverity")  # when there are many
# Output modules whose messages stay on the host. Any other is a place to send to.
LOCAL = frozenset({"omfile", "omusrmsg", "ompipe", "omdiscard", "omstdout", "omjournal", "omruleset", "omtesting"})


def legacy(reading: Reading, piece: re.Match[str]) -> Target:
    protocol = "tcp" if piece["at"] == "@@" else "udp"
    tls = protocol == "tcp" and reading.mode == "1" and (reading.legacy_driver or reading.driver) in ENCRYPTING
    to, port = piece["host"].strip("[]"), port_of(piece["port"] or "", 514)
    return Target(to, port, protocol, tls, verifies=_verifies(tls, AUTH_MODES, reading.auth_mode, reading.peers))


def _verifies(tls: bool, modes: Mapping[str, str], mode: str, peers: str) -> str | Unknown:
    """A permitted peer with a star is any machine of a domain."""
    found = modes.get(mode.lower(), Unknown("not_told", f"authentication mode {mode[:40]}")) if tls else NOTHING
    return AUTHORITY if found == NAME and "*" in peers else found


def modern(reading: Reading, sent: str, parameters: Mapping[str, str]) -> Iterator[Target]:
    if sent in ("omfwd", "omrelp"):
        pool = parameters.get("target", "").split("\n")
        drops = next((name for name in DROPPING if name in parameters), None)
        partial: bool | Unknown = Unknown("not_told", f"how many messages {drops} drops") if drops else False
        if len(pool) > 1:
            partial = Unknown("not_told", "messages are shared out among several targets")
        for to in pool:
            yield replace(_modern(reading, sent, to, parameters), partial=partial)
    elif (sent.startswith("om") or not sent) and sent not in LOCAL:
        untold = Unknown("not_told", "this output module is not read")
        yield Target(untold, untold, sent or untold, untold, verifies=untold)


def _modern(reading: Reading, sent: str, to: str, parameters: Mapping[str, str]) -> Target:
    port = port_of(parameters.get("port", "").split("\n")[0], 514)
    name = to.strip("[]") or Unknown("not_told", "the target is not a plain text")
    if sent == "omrelp":
        tls = parameters.get("tls", "off").lower() == "on"
        mode, peers = parameters.get("tls.authmode", ""), parameters.get("tls.permittedpeer", "")
        return Target(name, port, "relp", tls, verifies=_verifies(tls, RELP_MODES, mode, peers))
    protocol = parameters.get("protocol", "udp").lower()
    mode = parameters.get("streamdriver.mode", parameters.get("streamdrivermode", "0"))
    driver = parameters.get("streamdriver.name", parameters.get("streamdriver", reading.driver))
    auth_mode = parameters.get("streamdriverauthmode", parameters.get("streamdriver.authmode", ""))
    peers = parameters.get("streamdriverpermittedpeers", parameters.get("streamdriver.permittedpeers", ""))
    encrypts = protocol == "tcp" and mode == "1" and driver in ENCRYPTING
    if encrypts and any(newer in parameters and older not in parameters for older, newer in _NEWER):
        why = Unknown("not_told", "names of parameters that older releases pass over")  # and then send in clear
        return Target(name, port, protocol, why, verifies=why)
    return Target(name, port, protocol, encrypts, verifies=_verifies(encrypts, AUTH_MODES, auth_mode, peers))


def host_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.lstrip(":")
    host, _, port = text.partition(":")
    return host, port


def port_of(text: str, default: int) -> int | None | Unknown:
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 5:
        return int(text)
    return Unknown("not_told", text[:40])
