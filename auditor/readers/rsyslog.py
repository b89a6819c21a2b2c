"""rsyslog's configuration and the time stamps of the records it writes in; where it sends, and ages, out. Pure.

Sources: rsyslog.conf(5), the omfwd and omrelp module pages, RFC 3339 and the traditional BSD stamp (RFC 3164, 4.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from auditor.model import Output, Unknown

# ---------------------------------------------------------------- stamps

Stamped = float | Unknown  # seconds since 1970 UTC
SKEW_LIMIT_S = 86400.0
AHEAD_S = 300.0  # a clock may be set back a little between two records
OLDEST_S = 20 * 366 * 86400.0  # older is a machine that started without a clock
_EPOCH = re.compile(r"\d{1,11}(\.\d{1,9})?\Z", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[-+]\d\d:?\d\d)?\Z", re.ASCII)
_BSD = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d)\Z", re.ASCII)
_ZONE = re.compile(r"([-+])(\d\d):?(\d\d)\Z", re.ASCII)


def stamped(text: str, not_after: Stamped = 0.0, zone: str = "+0000") -> Stamped:
    """When a record was written: an epoch, an RFC 3339 stamp, or a BSD one, which has neither year nor zone.

    `not_after` is when the record's file was last written and gives the year; `zone` is the host's.
    """
    text = text.strip()
    if _EPOCH.match(text):
        return float(text)
    try:
        iso = _ISO.match(text)
        if iso:
            return datetime.fromisoformat(iso[1]).replace(tzinfo=_zone(iso[2] or zone)).timestamp()
        bsd = _BSD.match(text)
        if bsd:
            return not_after if isinstance(not_after, Unknown) else _bsd(f"{bsd[1]} {bsd[2]} {bsd[3]}", not_after, zone)
    except (ValueError, OverflowError):
        pass
    return Unknown("unreadable", f"no time stamp: {text[:40]}")


def _zone(text: str) -> timezone:
    found = _ZONE.match(text)
    if not found:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _bsd(text: str, not_after: float, zone: str) -> Stamped:
    latest = not_after + 86400
    year = datetime.fromtimestamp(latest, UTC).year
    for back in range(9):  # 29 February comes once in eight years at worst
        try:
            at = datetime.strptime(f"{year - back} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=_zone(zone)).timestamp()
        except ValueError:
            continue
        if at <= latest:
            return at
    return Unknown("unreadable", f"no such day: {text}")


def age_s(answer: Output, at: Stamped) -> float | Unknown:
    """How old something on a host was when the host answered, by the host's own clock."""
    if isinstance(at, Unknown):
        return at
    if answer.host_at is None:
        return Unknown("not_told", "the host's clock")
    if abs(answer.host_at - answer.at) > SKEW_LIMIT_S:
        return Unknown("clock_skew")
    age = answer.host_at - at
    if age < -AHEAD_S:
        return Unknown("clock_skew", "dated in the future")
    if age > OLDEST_S:
        return Unknown("clock_skew", "dated before the host's clock was set")
    return max(0.0, age)


# ---------------------------------------------------------------- configuration

ENCRYPTING = ("gtls", "ossl", "mbedtls")
DEFAULT_RULESET = "RSYSLOG_DefaultRuleset"


@dataclass(frozen=True, slots=True)
class Target:
    """One place that logs are sent to. `tls` is Unknown where the configuration does not tell it."""

    to: str | Unknown
    port: int | None | Unknown
    protocol: str
    tls: bool | Unknown


@dataclass(slots=True)
class _Reading:
    driver: str = ""  # the default network stream driver
    mode: str = "0"  # of the legacy actions that follow
    legacy_driver: str = ""
    ruleset: str = DEFAULT_RULESET  # of the legacy rules that follow
    default: str = DEFAULT_RULESET
    inside: list[str] = field(default_factory=list)  # the ruleset of each open brace
    coming: str = ""  # the ruleset whose brace comes next
    found: list[tuple[str, Target]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)  # from, to

    @property
    def here(self) -> str:
        return self.inside[-1] if self.inside else self.ruleset


_QUOTED = r'"(?:[^"\\]|\\[\s\S]|\\\Z)*+(?:"|\Z)'  # to the end where it is not closed: no text takes long to read
_PIECE = re.compile(
    rf"""(?P<quoted>{_QUOTED})
    | ^[ \t]*\$(?P<directive>\w+)[ \t]+(?P<value>[^\n]*)
    | \bcall[ \t]+(?P<call>[\w.-]+)
    | :omrelp:(?P<relp>[^;\s]+)
    | (?P<at>@@?)(?:\([^)\n]*\))?(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(?P<port>\w+))?
    | \b(?P<object>[A-Za-z_]\w*)[ \t]*\((?P<inner>(?:[^"()]|{_QUOTED}|\([^()]*\))*)\)
    | (?P<brace>[{{}}])""",
    re.VERBOSE | re.MULTILINE,
)
_PAIR = re.compile(rf"(?<![A-Za-z_.])([A-Za-z_.]+)\s*=\s*(\[[^\]]*\]|{_QUOTED})")
_STRING = re.compile(_QUOTED)
_COMMENT = re.compile(rf"({_QUOTED})|#[^\n]*|(?<!\S)/\*.*?(?:\*/|\Z)", re.DOTALL)


def targets(texts: Sequence[str]) -> list[Target]:
    """Where rsyslog sends what its default ruleset gets; a ruleset that nothing calls sends nothing of the host's own."""
    reading = _Reading()
    cleaned = [_COMMENT.sub(lambda m: m[1] or " ", text) for text in texts]
    for text in cleaned:
        for kind, parameters in _objects(text):
            if kind == "global":
                reading.driver = parameters.get("defaultnetstreamdriver", reading.driver)
        for match in re.finditer(r"(?mi)^[ \t]*\$DefaultNetstreamDriver[ \t]+(\S+)", text):
            reading.driver = match[1]
    for text in cleaned:
        reading.inside, reading.coming = [], ""
        for piece in _PIECE.finditer(text):
            _take(reading, piece)
    reached = _reached(reading)
    return [target for ruleset, target in reading.found if ruleset in reached]


def _reached(reading: _Reading) -> set[str]:
    reached = {reading.default}
    while True:
        more = {to for origin, to in reading.calls if origin in reached} - reached
        if not more:
            return reached
        reached |= more


def _objects(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for piece in _PIECE.finditer(text):
        if piece["object"]:
            yield piece["object"].lower(), _parameters(piece["inner"])


def _parameters(inner: str) -> dict[str, str]:
    """Names in lower case; the values of a list are joined by line feeds."""
    return {k.lower(): "\n".join(s[1:-1] for s in _STRING.findall(v)) for k, v in _PAIR.findall(inner)}


def _take(reading: _Reading, piece: re.Match[str]) -> None:
    if piece["directive"]:
        _direct(reading, piece["directive"].lower(), piece["value"].strip())
    elif piece["call"]:
        reading.calls.append((reading.here, piece["call"]))
    elif piece["relp"]:
        to, port = _host_port(piece["relp"])
        reading.found.append((reading.here, Target(to, _port(port, 514), "relp", False)))
    elif piece["at"]:
        reading.found.append((reading.here, _legacy(reading, piece)))
    elif piece["object"]:
        _object(reading, piece["object"].lower(), _parameters(piece["inner"]))
    elif piece["brace"] == "{":
        reading.inside.append(reading.coming or reading.here)
        reading.coming = ""
    elif piece["brace"] == "}" and reading.inside:
        reading.inside.pop()


def _direct(reading: _Reading, name: str, value: str) -> None:
    if name == "actionsendstreamdrivermode":
        reading.mode = value
    elif name == "actionsendstreamdriver":
        reading.legacy_driver = value
    elif name == "ruleset":
        reading.ruleset = value
    elif name == "defaultruleset":
        reading.default = value
    elif name == "resetconfigvariables":
        reading.mode, reading.legacy_driver = "0", ""


def _legacy(reading: _Reading, piece: re.Match[str]) -> Target:
    protocol = "tcp" if piece["at"] == "@@" else "udp"
    tls = protocol == "tcp" and reading.mode == "1" and (reading.legacy_driver or reading.driver) in ENCRYPTING
    return Target(piece["host"].strip("[]"), _port(piece["port"] or "", 514), protocol, tls)


def _object(reading: _Reading, kind: str, parameters: Mapping[str, str]) -> None:
    if kind == "ruleset":
        reading.coming = parameters.get("name", "")
    elif kind == "action" and parameters.get("config.enabled", "on").lower() not in ("off", "0", "false", "no"):
        sent = parameters.get("type", "").lower()
        if sent in ("omfwd", "omrelp"):
            for to in parameters.get("target", "").split("\n"):
                reading.found.append((reading.here, _modern(reading, sent, to, parameters)))


def _modern(reading: _Reading, sent: str, to: str, parameters: Mapping[str, str]) -> Target:
    port = _port(parameters.get("port", "").split("\n")[0], 514)
    name = to.strip("[]") or Unknown("not_told", "the target is not a plain text")
    if sent == "omrelp":
        return Target(name, port, "relp", parameters.get("tls", "off").lower() == "on")
    protocol = parameters.get("protocol", "udp").lower()
    mode = parameters.get("streamdriver.mode", parameters.get("streamdrivermode", "0"))
    driver = parameters.get("streamdriver.name", parameters.get("streamdriver", reading.driver))
    return Target(name, port, protocol, protocol == "tcp" and mode == "1" and driver in ENCRYPTING)


def _host_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.lstrip(":")
    host, _, port = text.partition(":")
    return host, port


def _port(text: str, default: int) -> int | None | Unknown:
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 5:
        return int(text)
    return Unknown("not_told", text[:40])
