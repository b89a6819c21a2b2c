"""rsyslog's configuration and the time stamps of the records it writes in; where it sends, and ages, out. Pure.

Sources: rsyslog.conf(5), the omfwd and omrelp module pages, RFC 3339 and the traditional BSD stamp (RFC 3164, 4.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from auditor.model import Output, Unknown
from auditor.readers.forwarders.target import AUTHORITY, NAME, NOTHING, Target

# ---------------------------------------------------------------- stamps

Stamped = float | Unknown  # seconds since 1970 UTC
SKEW_LIMIT_S = 86400.0
AHEAD_S = 300.0  # a clock may be set back a little between two records
OLDEST_S = 20 * 366 * 86400.0  # older is a machine that started without a clock
# first FILE: the stamp of the first record in it, compressed or not; nothing where the first lines have none.
FIRST_STAMP = r"""first() {
  case $1 in *.gz) gzip -dc "$1";; *.xz) xz -dc "$1";; *.zst) zstd -dcq "$1";; *.bz2) bzip2 -dc "$1";; *) cat "$1";; esac |
    head -n 20 | awk '
      $1 ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.,]+([-+][0-9:]+|Z)?$/ { print $1; exit }
      $1 ~ /^[A-Z][a-z][a-z]$/ && $2 ~ /^[0-9]+$/ && $3 ~ /^[0-9:]+$/ { print $1, $2, $3; exit }'
}
"""
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
# Of the stream drivers; without a mode they verify the name, and without a permitted peer that is the target's own.
AUTH_MODES = {"": NAME, "x509/name": NAME, "x509/fingerprint": NAME, "x509/certvalid": AUTHORITY, "anon": NOTHING}
RELP_MODES = {"": NOTHING, "name": NAME, "fingerprint": NAME, "certvalid": AUTHORITY}
DEFAULT_RULESET = "RSYSLOG_DefaultRuleset"
OWN_INPUTS = ("imuxsock", "imjournal", "imklog", "imkmsg")  # of the host's own messages
# What makes an action take some messages only: every Nth, or one in so many seconds.
# What 8.2302 knows, and the other name that it got later.
_NEWER = (("streamdrivermode", "streamdriver.mode"), ("streamdriver", "streamdriver.name"))
SELDOM = ("action.execonlyeverynthtime", "action.execonlyonceeveryinterval")

DROPPING = ("ratelimit.interval", "queue.discardseverity")  # when there are many

# Output modules whose messages stay on the host. Any other is a place to send to.
LOCAL = frozenset({"omfile", "omusrmsg", "ompipe", "omdiscard", "omstdout", "omjournal", "omruleset", "omtesting"})
LONGEST = 200  # of a selector; a longer one is no plain one
EVERYTHING = frozenset({"*.*", "*.debug", "*.info"})  # what debugging says is no log to keep
_PRIORITIES = re.compile(r"[a-z0-9*,]+\.[!=]{0,2}[a-z0-9*]+(;[a-z0-9*,]+\.[!=]{0,2}[a-z0-9*]+)*;?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands: the ruleset, the text, and how far into it."""

    ruleset: str
    text: int
    at: int


@dataclass(slots=True)
class _Reading:
    driver: str = ""  # the default network stream driver
    mode: str = "0"  # of the legacy actions that follow
    legacy_driver: str = ""
    auth_mode: str = ""  # of the legacy actions that follow
    peers: str = ""  # of the legacy actions that follow
    fallback: bool = False  # of the legacy actions that follow
    ruleset: str = DEFAULT_RULESET  # of the legacy rules that follow
    default: str = DEFAULT_RULESET
    inside: list[tuple[str, str]] = field(default_factory=list)  # of each open brace: the ruleset, the selector
    coming: str = ""  # the ruleset whose brace comes next
    text: int = 0
    at: int = 0
    since: int = 0  # where the last statement ended
    found: list[tuple[_Place, Target]] = field(default_factory=list)
    stops: list[_Place] = field(default_factory=list)
    calls: list[tuple[_Place, str, bool]] = field(default_factory=list)  # from, to, all messages
    inputs: list[str] = field(
        default_factory=list
    )  # the rulesets that messages of the host are given to, past the default
    seldom: bool = False  # of the legacy actions that follow

    @property
    def here(self) -> str:
        return self.inside[-1][0] if self.inside else self.ruleset

    @property
    def place(self) -> _Place:
        return _Place(self.here, self.text, self.at)


_QUOTED = r'"(?:[^"\\]|\\[\s\S]|\\\Z)*+(?:"|\Z)'  # to the end where it is not closed: no text takes long to read
_COMPARED = (
    r"[=!]=|[<>]=?|contains(?:_i)?|startswith(?:_i)?|and|or|then"  # a property begins the line, and no directive
)
_PIECE = re.compile(
    rf"""(?P<quoted>{_QUOTED})
    | ^[ \t]*\$(?P<directive>\w++)(?![ \t]+(?:{_COMPARED})(?:[ \t"]|$))(?:[ \t]+(?P<value>[^\n]*))?
    | \bcall[ \t]+(?P<call>[\w.-]+)
    | :omrelp:(?P<relp>[^;\s]+)
    | :(?P<module>om\w+):
    | (?P<stop>\bstop\b|(?<=\s)~(?!\S))
    | (?<=\s)\^(?P<program>/[^;\s]*)
    | (?P<at>@@?)(?:\([^)\n]*\))?(?P<host>\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(?P<port>\w+))?
    | \b(?P<object>[A-Za-z_]\w*)[ \t]*\((?P<inner>(?:[^"()]|{_QUOTED}|\([^()]*\))*)\)
    | (?P<brace>[{{}}])""",
    re.VERBOSE | re.MULTILINE,
)
_OPEN = re.compile(r"(?<![^\s;{}])if\b(?!(?:[^\n]|\n)*\bthen\b)")  # a condition that goes on
_GOES_ON = re.compile(r"\\\r?\n[ \t]*")
_PAIR = re.compile(rf"(?<![A-Za-z_.])([A-Za-z_.]+)\s*=\s*(\[[^\]]*\]|{_QUOTED})")
_STRING = re.compile(_QUOTED)
_COMMENT = re.compile(rf"({_QUOTED})|#[^\n]*|(?<!\S)/\*.*?(?:\*/|\Z)", re.DOTALL)


def targets(texts: Sequence[str]) -> list[Target]:
    """Where rsyslog sends what its default ruleset gets; a ruleset that nothing calls sends nothing of the host's own."""
    reading = _Reading()
    cleaned = [_COMMENT.sub(lambda m: m[1] or " ", joined(text)) for text in texts]
    for text in cleaned:
        for kind, parameters in _objects(text):
            if kind == "global":
                reading.driver = parameters.get("defaultnetstreamdriver", reading.driver)
        for match in re.finditer(r"(?mi)^[ \t]*\$DefaultNetstreamDriver[ \t]+(\S+)", text):
            reading.driver = match[1]
    for number, text in enumerate(cleaned):
        reading.inside, reading.coming, reading.text, reading.since = [], "", number, 0
        for piece in _PIECE.finditer(text):
            before = text[reading.since : piece.start()]
            if not (piece["quoted"] or (piece["directive"] and _OPEN.search(before))):
                _take(reading, piece, _selector(before))
                reading.since = piece.end()
    reached = _reached(reading)
    return [
        _arriving(reading, place, t, reached[place.ruleset]) for place, t in reading.found if place.ruleset in reached
    ]


def joined(text: str) -> str:
    """Without the ends of lines that go on, as rsyslog has them: comments do too, and blanks at the next one's begin go."""
    return _GOES_ON.sub("", text)


def _selector(before: str) -> str:
    """What stands before an action or a brace: a selector, or the end of a condition, which may be a line above."""
    *above, line = before.split("\n")
    if line.strip():
        return line.strip()[:LONGEST]
    last = next((x.strip() for x in reversed(above) if x.strip()), "")
    return last[-LONGEST:] if re.search(r"\b(then|else)\Z", last) or _OPEN.search(before) else ""


def _part(selector: str) -> bool | Unknown:
    """Whether a selector leaves messages out."""
    if not selector:
        return False
    if not _PRIORITIES.match(selector):
        return Unknown("not_told", f"which messages: {selector[:80]}")
    parts = selector.strip(";").split(";")
    return not EVERYTHING & set(parts) or any(p.endswith(".none") or "!" in p for p in parts)


def _arriving(reading: _Reading, place: _Place, target: Target, whole: bool) -> Target:
    """A target, with what is known only when all was read: whether messages are taken away before they come to it."""
    if target.partial is not False:
        return target
    if not whole:
        return replace(target, partial=Unknown("not_told", f"which messages come to {place.ruleset}"))
    called = _called(reading, place)  # what is stopped there does not come back
    stopped = any(
        s.ruleset in called or (s.ruleset == place.ruleset and (s.text != place.text or s.at < place.at))
        for s in reading.stops
    )
    return replace(target, partial=Unknown("not_told", "some messages are stopped before")) if stopped else target


def _called(reading: _Reading, place: _Place) -> frozenset[str]:
    """The rulesets that a target's own may have called before it, and those that these call."""
    found = {
        to for at, to, _ in reading.calls if at.ruleset == place.ruleset and (at.text, at.at) < (place.text, place.at)
    }
    found |= {to for at, to, _ in reading.calls if at.ruleset == place.ruleset and at.text != place.text}
    while more := {to for at, to, _ in reading.calls if at.ruleset in found} - found:
        found |= more
    return frozenset(found - {place.ruleset})


def _reached(reading: _Reading) -> Mapping[str, bool]:
    """The rulesets that messages of the host come to, and whether all of them do."""
    reached = {**dict.fromkeys(reading.inputs, False), reading.default: not reading.inputs}
    while True:
        more = dict(reached)
        for origin, to, whole in reading.calls:
            if origin.ruleset in reached:
                more[to] = more.get(to, False) or (whole and reached[origin.ruleset])
        if more == reached:
            return reached
        reached = more


def _objects(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for piece in _PIECE.finditer(text):
        if piece["object"]:
            yield piece["object"].lower(), _parameters(piece["inner"])


def _parameters(inner: str) -> dict[str, str]:
    """Names in lower case; the values of a list are joined by line feeds."""
    return {k.lower(): "\n".join(s[1:-1] for s in _STRING.findall(v)) for k, v in _PAIR.findall(inner)}


def _take(reading: _Reading, piece: re.Match[str], selector: str) -> None:
    reading.at = piece.start()
    selector = _chosen(reading, selector)
    if piece["directive"]:
        _direct(reading, piece["directive"].lower(), (piece["value"] or "").strip())
    elif piece["call"]:
        whole = _part(selector) is False
        reading.calls.append((reading.place, piece["call"], whole))
    elif piece["stop"]:
        reading.stops.append(reading.place)
    elif piece["object"]:
        _object(reading, piece["object"].lower(), _parameters(piece["inner"]), selector)
    elif piece["brace"] == "{":
        reading.inside.append((reading.coming, "") if reading.coming else (reading.here, selector))
        reading.coming = ""
    elif piece["brace"] == "}" and reading.inside:
        reading.inside.pop()
    else:
        _legacy_action(reading, piece, selector)


def _chosen(reading: _Reading, selector: str) -> str:
    """The selector of the block around where that one leaves messages out, else its own."""
    around = reading.inside[-1][1] if reading.inside else ""
    return around if not selector or _part(around) is not False else selector


def _legacy_action(reading: _Reading, piece: re.Match[str], selector: str) -> None:
    untold = Unknown("not_told", "this output module is not read")
    left_out = reading.fallback or reading.seldom
    if piece["relp"]:
        to, port = _host_port(piece["relp"])
        _add(reading, Target(to, _port(port, 514), "relp", False), selector, left_out)
    elif piece["at"]:
        _add(reading, _legacy(reading, piece), selector, left_out)
    elif piece["program"]:
        _add(reading, Target(untold, untold, "a program", untold, verifies=untold), selector, left_out)
    elif piece["module"] == "omdiscard":
        reading.stops.append(reading.place)
    elif piece["module"] and piece["module"] not in LOCAL:
        _add(reading, Target(untold, untold, piece["module"], untold, verifies=untold), selector, left_out)


def _add(reading: _Reading, target: Target, selector: str, fallback: bool) -> None:
    """`fallback`: it gets only what the action before could not take, or some messages only."""
    partial = True if fallback else _part(selector) or target.partial
    reading.found.append((reading.place, replace(target, selector=selector or "*.*", partial=partial)))


def _direct(reading: _Reading, name: str, value: str) -> None:
    if name == "actionsendstreamdrivermode":
        reading.mode = value
    elif name == "actionsendstreamdriver":
        reading.legacy_driver = value
    elif name == "actionsendstreamdriverauthmode":
        reading.auth_mode = value
    elif name == "actionsendstreamdriverpermittedpeer":
        reading.peers = value
    elif name == "ruleset":
        reading.ruleset = value
    elif name == "defaultruleset":
        reading.default = value
    elif name == "actionexeconlywhenpreviousissuspended":
        reading.fallback = value.lower() == "on"
    elif name in ("actionexeconlyonceeveryinterval", "actionexeconlyeverynthtime"):
        reading.seldom = value.strip("0") != ""
    elif name == "resetconfigvariables":
        reading.mode, reading.legacy_driver, reading.auth_mode, reading.peers = "0", "", "", ""
        reading.fallback = reading.seldom = False


def _legacy(reading: _Reading, piece: re.Match[str]) -> Target:
    protocol = "tcp" if piece["at"] == "@@" else "udp"
    tls = protocol == "tcp" and reading.mode == "1" and (reading.legacy_driver or reading.driver) in ENCRYPTING
    to, port = piece["host"].strip("[]"), _port(piece["port"] or "", 514)
    return Target(to, port, protocol, tls, verifies=_verifies(tls, AUTH_MODES, reading.auth_mode, reading.peers))


def _verifies(tls: bool, modes: Mapping[str, str], mode: str, peers: str) -> str | Unknown:
    """A permitted peer with a star is any machine of a domain."""
    found = modes.get(mode.lower(), Unknown("not_told", f"authentication mode {mode[:40]}")) if tls else NOTHING
    return AUTHORITY if found == NAME and "*" in peers else found


def _object(reading: _Reading, kind: str, parameters: Mapping[str, str], selector: str) -> None:
    if kind == "ruleset":
        reading.coming = parameters.get("name", "")
    elif kind == "module" or (kind == "input" and parameters.get("type", "").lower() in OWN_INPUTS):
        reading.inputs += [parameters["ruleset"]] if parameters.get("ruleset") else []
    elif kind == "action" and parameters.get("config.enabled", "on").lower() not in ("off", "0", "false", "no"):
        sent = parameters.get("type", "").lower()
        fallback = parameters.get("action.execonlywhenpreviousissuspended", "off").lower() == "on"
        seldom = any(name in parameters for name in SELDOM)
        for target in _actions(reading, sent, parameters):
            _add(reading, target, selector, fallback or seldom)
        if sent == "omdiscard":
            reading.stops.append(reading.place)


def _actions(reading: _Reading, sent: str, parameters: Mapping[str, str]) -> Iterator[Target]:
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


def _modern(reading: _Reading, sent: str, to: str, parameters: Mapping[str, str]) -> Target:
    port = _port(parameters.get("port", "").split("\n")[0], 514)
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
