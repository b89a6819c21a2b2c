"""The texts of rsyslog's configuration in; where it sends, and which messages, out. Pure.

Source: rsyslog.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from auditor.model import Unknown
from auditor.readers.forwarders.target import Target
from auditor.readers.rsyslog.actions import LOCAL, host_port, legacy, modern, port_of
from auditor.readers.rsyslog.nouns import Reading
from auditor.readers.rsyslog.pieces import (
    COMMENT,
    OPEN,
    PIECE,
    ends_all,
    is_late,
    is_open,
    leaves_out,
    objects,
    pairs,
    refused,
    selector_of,
)
from auditor.readers.rsyslog.rulesets import arriving, reached

OWN_INPUTS = ("imuxsock", "imjournal", "imklog", "imkmsg")  # of the host's own messages
DROPPED = Unknown("not_told", "how many messages a queue drops")
ENDED = Unknown("not_told", "rsyslog reads nothing after a syntax error")
# What makes an action take some messages only: every Nth, or one in so many seconds.
SELDOM = ("action.execonlyeverynthtime", "action.execonlyonceeveryinterval")


def targets(texts: Sequence[str]) -> list[Target]:
    """Where rsyslog sends what its default ruleset gets; a ruleset that nothing calls sends nothing of the host's own.

    The texts are of lines as its parser gets them (lines.py). After what ends all of it, nothing is sure to be there.
    """
    reading = Reading()
    cleaned = [COMMENT.sub(lambda m: m[1] or " ", text) for text in texts]
    for text in cleaned:
        for kind, parameters in objects(text):
            if kind == "global":
                reading.driver = parameters.get("defaultnetstreamdriver", reading.driver)
        for match in re.finditer(r"(?mi)^[ \t]*\$DefaultNetstreamDriver[ \t]+(\S+)", text):
            reading.driver = match[1]
    ended = [number for number, text in enumerate(cleaned) if not _read(reading, number, text)]
    seen = reached(reading)
    found = [arriving(reading, place, t, seen[place.ruleset]) for place, t in reading.found if place.ruleset in seen]
    if reading.drops:
        found = [replace(t, partial=DROPPED) if t.partial is False else t for t in found]
    return [*(replace(t, partial=t.partial or ENDED) for t in found), _untold(ENDED)] if ended else found


def _read(reading: Reading, number: int, text: str) -> bool:
    """False where rsyslog's own reading ends before the text does."""
    reading.inside, reading.coming, reading.text, reading.since = [], "", number, 0
    counted = 0  # where nothing was open
    for piece in PIECE.finditer(text):
        if piece["quoted"]:
            continue
        before = text[reading.since : piece.start()]
        late = is_late(text, reading.since, piece.start()) or (piece["brace"] == "}" and not reading.inside)
        if late or ends_all(piece, text[max(counted, reading.since) : piece.start()]):
            return False
        if piece["count"]:
            counted = piece.end()
        elif not (piece["directive"] and OPEN.search(before)):
            _take(reading, piece, selector_of(before))
            reading.since = piece.end()
    return not (reading.inside or is_open(text[max(counted, reading.since) :]))


def _untold(why: Unknown) -> Target:
    return Target(why, why, why, why, why, why, why)


def _take(reading: Reading, piece: re.Match[str], selector: str) -> None:
    reading.at = piece.start()
    selector = _chosen(reading, selector)
    if piece["directive"]:
        _direct(reading, piece["directive"].lower(), (piece["value"] or "").strip())
    elif piece["call"]:
        whole = leaves_out(selector) is False
        reading.calls.append((reading.place, piece["call"], whole))
    elif piece["stop"]:
        reading.stops.append(reading.place)
    elif piece["object"]:
        _object(reading, piece["object"].lower(), pairs(piece["inner"]), selector)
    elif piece["brace"] == "{":
        reading.inside.append((reading.coming, "") if reading.coming else (reading.here, selector))
        reading.coming = ""
    elif piece["brace"] == "}":
        reading.inside.pop()
    else:
        _legacy_action(reading, piece, selector)


def _chosen(reading: Reading, selector: str) -> str:
    """The selector of the block around where that one leaves messages out, else its own."""
    around = reading.inside[-1][1] if reading.inside else ""
    return around if not selector or leaves_out(around) is not False else selector


def _legacy_action(reading: Reading, piece: re.Match[str], selector: str) -> None:
    untold = Unknown("not_told", "this output module is not read")
    left_out = reading.fallback or reading.seldom
    if piece["relp"]:
        to, port = host_port(piece["relp"])
        _add(reading, Target(to, port_of(port, 514), "relp", False), selector, left_out)
    elif refused(piece):
        reading.found.append((reading.place, _untold(Unknown("not_told", "rsyslog does not take the whole line"))))
    elif piece["at"]:
        _add(reading, legacy(reading, piece), selector, left_out)
    elif piece["program"]:
        _add(reading, Target(untold, untold, "a program", untold, verifies=untold), selector, left_out)
    elif piece["module"] == "omdiscard":
        reading.stops.append(reading.place)
    elif piece["module"] and piece["module"] not in LOCAL:
        _add(reading, Target(untold, untold, piece["module"], untold, verifies=untold), selector, left_out)


def _add(reading: Reading, target: Target, selector: str, fallback: bool) -> None:
    """`fallback`: it gets only what the action before could not take, or some messages only."""
    partial = True if fallback else leaves_out(selector) or target.partial
    reading.found.append((reading.place, replace(target, selector=selector or "*.*", partial=partial)))


def _direct(reading: Reading, name: str, value: str) -> None:
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
    elif name in ("actionqueuediscardseverity", "mainmsgqueuediscardseverity"):
        reading.drops = reading.drops or value != "8"
    elif name == "resetconfigvariables":
        reading.mode, reading.legacy_driver, reading.auth_mode, reading.peers = "0", "", "", ""
        reading.fallback = reading.seldom = False


def _object(reading: Reading, kind: str, parameters: Mapping[str, str], selector: str) -> None:
    if kind in ("ruleset", "main_queue"):
        reading.drops = reading.drops or "queue.discardseverity" in parameters
        reading.coming = parameters.get("name", "") if kind == "ruleset" else reading.coming
    elif kind == "module" or (kind == "input" and parameters.get("type", "").lower() in OWN_INPUTS):
        reading.inputs += [parameters["ruleset"]] if parameters.get("ruleset") else []
    elif kind == "action" and parameters.get("config.enabled", "on").lower() not in ("off", "0", "false", "no"):
        sent = parameters.get("type", "").lower()
        fallback = parameters.get("action.execonlywhenpreviousissuspended", "off").lower() == "on"
        seldom = any(name in parameters for name in SELDOM)
        for target in modern(reading, sent, parameters):
            _add(reading, target, selector, fallback or seldom)
        if sent == "omdiscard":
            reading.stops.append(reading.place)
