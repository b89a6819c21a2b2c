"""The configuration of a forwarder in a tree in; the same lines, with no value but those that are asked for, out. Pure.

What the host's own question does in awk (probes/questions/forwarders/mask.py), for files that are read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.readers.rsyslog import lines

_LOOKED_BACK = 400  # how much of what stands before a quoted text tells what it is
# A quoted text stays where one of these names it.
_NAMED = re.compile(
    r"(?:(?:^|[^a-z._])(?:type|target|port|protocol|tls|streamdriver|streamdrivermode|streamdriver.name|streamdriver.mode"
    r"|streamdriverauthmode|streamdriver.authmode|streamdriverpermittedpeers|streamdriver.permittedpeers|tls.authmode"
    r"|tls.permittedpeer|defaultnetstreamdriver|name|ruleset|file|config.enabled"
    r"|action.execonlywhenpreviousissuspended)[ \t]*=[ \t]*(?:\[[^\]]*)?"
    r"|(?:^|[^a-z_-])(?:(?:network|syslog|tcp6?|udp6?|transport|port|destport|peer[-_]verify|ssl[-_]options)[ \t]*\("
    r"|@include)[ \t]*)\Z"
)
_DIRECTIVE = re.compile(
    r"[ \t]*\$(?:actionsendstreamdriver(?:mode|authmode|permittedpeer)?|defaultnetstreamdriver|(?:default)?ruleset|includeconfig"
    r"|resetconfigvariables|actionexeconly(?:whenpreviousissuspended|onceeveryinterval|everynthtime)"
    r"|(?:action|mainmsg)queuediscardseverity)(?:[ \t]|\Z)"
)
_CONDITION = re.compile(
    r"[ \t]*\$[!.]?[a-z][a-z0-9!._-]*[ \t]+(?:[=!]=|[<>]=?|contains(?:_i)?|startswith(?:_i)?|and|or|then)(?:[ \t\"]|\Z)"
)
_MARK = re.compile(r"[\"'`#]|/\*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_REST = re.compile(r'(?:[^"\\]|\\.)*+"')
_ACTS = re.compile(r"[ \t](?:@|[-|?^>]*/[^* \t]|:om[A-Za-z0-9_]+:)")
_LATE = re.compile(
    r"[ \t]*[*A-Za-z][*A-Za-z0-7]*[.,][*A-Za-z0-7.,;!=]"
)  # a selector that does not begin its line is none
_MODULE = re.compile(r":om[A-Za-z0-9_]+:")
_PROGRAM = re.compile(r"[ \t]\^/[^; \t]*")
_SHELL = re.compile(r"[ \t]>[^ \t=].*")
_SECRET = re.compile(r"(?:pass|pwd|secret|token|key|user|auth)[a-z._-]*[ \t]*[=(][ \t]*[^] \t\")(]+")


@dataclass(slots=True)
class _Reading:
    """Where a line begins: in a quoted text, in a comment, and what stands before it. `parts`: what is shown of it.

    `old`: whether the rest of a line that names an action of old is that action's; `acts`: whether it has named one.
    """

    old: bool = False
    acts: bool = False

    quoted: bool = False
    comment: bool = False
    before: str = ""
    parts: list[str] = field(default_factory=list)
    behind: str = ""  # the end of all that is shown, this line's too

    def directs(self) -> bool:
        """Whether the line is a directive."""
        return "".join(self.parts).lstrip(" \t").startswith("$")

    def alone(self) -> bool:
        """Whether nothing stands right before what comes."""
        return not any(self.parts) or self.behind[-1] in " \t"

    def show(self, text: str) -> None:
        before = self.behind[-1:] if any(self.parts) else " "
        self.acts = self.acts or (self.old and bool(_ACTS.search(before + text)))
        self.parts.append(text)
        self.behind = (self.behind + text[-_LOOKED_BACK:])[-_LOOKED_BACK:]


def syslog(text: bytes) -> bytes:
    """rsyslog's and syslog-ng's files: comments go, quoted texts are emptied unless the word before them is asked for."""
    return _masked(text.decode("latin-1"), _Reading())


def rsyslog(text: bytes) -> bytes:
    """rsyslog's: lines that go on are one, at the place of the first."""
    return _masked(lines.joined(text.decode("latin-1")), _Reading(old=True))


def _masked(text: str, reading: _Reading) -> bytes:
    return "\n".join(_line(line, reading) for line in text.split("\n")).encode("latin-1")


def _line(line: str, reading: _Reading) -> str:
    reading.parts, reading.behind, reading.acts = [], reading.before, False
    _visible(line, reading)
    shown = _without("".join(reading.parts))
    if not shown.strip(" \t"):
        return ""
    reading.before = (reading.before + shown + " ")[-200:]
    return shown


def _visible(line: str, reading: _Reading) -> None:
    at = 0
    while at < len(line):
        if reading.comment:
            end = line.find("*/", at)
            reading.comment, at = end < 0, end + 2 if end >= 0 else len(line)
            if reading.old and "".join(reading.parts).strip(" \t") == "" and _LATE.match(line, at):
                return
        if reading.quoted:
            rest = _REST.match(line, at)
            reading.quoted, at = rest is None, rest.end() if rest else len(line)
            reading.show('"' if rest else "")
        mark = _MARK.search(line, at)
        reading.show(line[at : mark.start() if mark else len(line)])
        at = _marked(line, mark.start(), reading) if mark else len(line)


def _marked(line: str, at: int, reading: _Reading) -> int:
    """How far what begins with a quote, with a comment or with what looks so reaches."""
    mark = line[at]
    if mark == "#":
        return len(line)
    if mark == "/":
        reading.comment = not reading.acts and not reading.directs() if reading.old else reading.alone()
        reading.show("" if reading.comment else "/*")
        return at + 2
    if reading.acts:
        reading.show("?")
        return len(line)
    if mark != '"':
        end = line.find(mark, at + 1)
        reading.show(mark + mark if end > 0 else "")
        return end + 1 if end > 0 else len(line)
    text = _QUOTED.match(line, at)
    if not text:
        reading.quoted = True
        reading.show('"')
        return len(line)
    reading.show(text[0] if _named(reading.behind.lower()) else '""')
    return text.end()


def _named(before: str) -> bool:
    """The first look is for files of nothing but quotes, which would take long."""
    return (before.rstrip(" \t").endswith(("=", "(", "@include")) or "[" in before) and bool(_NAMED.search(before))


def _without(shown: str) -> str:
    """Without other directives, what a module or a program is given, and what a word that sounds like a secret is set to."""
    low = shown.lower()
    if shown.lstrip(" \t").startswith("$") and not (_DIRECTIVE.match(low) or _CONDITION.match(low)):
        shown = re.sub(r"\$[A-Za-z_]+.*", "", shown, count=1)
    module = None if ":omrelp:" in shown else _MODULE.search(shown)
    shown = shown[: module.end()] if module else shown
    program = _PROGRAM.search(shown)
    shown = _SHELL.sub("", shown[: program.end()] if program else shown, count=1)
    while found := [m.span() for m in _SECRET.finditer(shown.lower())]:
        starts, ends = [0, *(end for _, end in found)], [*(start for start, _ in found), len(shown)]
        shown = "".join(shown[a:b] for a, b in zip(starts, ends, strict=True))
    return shown


# ---------------------------------------------------------------- Wazuh

_ELEMENT = re.compile(r"<(address|port|protocol|server-ip|server-hostname|location|log_format)>([^<]*)<")
_PLAIN = re.compile(r"[A-Za-z0-9_.:/*-]*")
_TAGS = re.compile(r"<(/?)(client|localfile|server|filter)\b")


def wazuh(text: bytes) -> bytes:
    """ossec.conf, as readers/forwarders/wazuh.py reads it; before each line, the number that it has in the file."""
    bare = re.sub(r"<!--.*?(?:-->|\Z)", lambda m: "\n" * m[0].count("\n"), text.decode("latin-1"), flags=re.DOTALL)
    inside: set[str] = set()
    lines = (f"{number}|{said}" for number, line in enumerate(bare.split("\n"), 1) for said in _elements(line, inside))
    return "\n".join(lines).encode("latin-1")


def _elements(line: str, inside: set[str]) -> Iterator[str]:
    tags = _TAGS.findall(line)
    inside |= {name for end, name in tags if not end and name in ("client", "localfile")}
    if inside:
        yield from (f"<{k}>{v}" if _PLAIN.fullmatch(v) else "<location>?" for k, v in _ELEMENT.findall(line))
    if "localfile" in inside and ("", "filter") in tags:
        yield "<filter>"
    yield from ("end" for end, name in tags if end and name in ("server", "localfile"))
    inside -= {name for end, name in tags if end}
