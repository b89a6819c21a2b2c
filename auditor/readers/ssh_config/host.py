"""What ssh_config says, and a host, in; what it says of that one, as OpenSSH reads it, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.readers.ssh_config.keywords import AT_REST, HARMLESS, LISTS, SEVERAL, UNDERSTOOD
from auditor.readers.ssh_config.patterns import matches
from auditor.readers.ssh_config.text import ALONE, Config, Line


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: what tokens and criteria stand for."""

    user: str
    home: str
    uid: int = 0
    hostname: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """What the files say of one host: values by keyword, tokens expanded, and what of it we cannot do."""

    values: Mapping[str, tuple[str, ...]]
    objections: tuple[str, ...] = ()

    def one(self, key: str) -> str:
        return self.values[key][0] if self.values.get(key) else ""

    def on(self, key: str, default: bool) -> bool:
        return self.one(key).lower() in ("yes", "true") if key in self.values else default


class _Pass:
    """One reading of all the lines for one host. A part that we cannot judge (`Match exec`) is neither in nor out."""

    def __init__(self, name: str, person: Person, values: dict[str, list[str]], resolved: str = "") -> None:
        self.original, self.person, self.values = name, person, values
        self.name, self.final = (
            resolved or name,
            bool(resolved),
        )  # in the final pass, Host lines speak of what it stands for
        self.objections: dict[str, None] = {}
        self.harmless: list[str] = []

    def read(self, lines: Sequence[Line], concerned: bool | None) -> None:
        inside = concerned
        for line in lines:
            if line.key in ("host", "match"):
                if line.problem:  # nobody knows whom the lines below it concern
                    self.object_to(f"{line.where}: {line.problem}")
                    continue
                inside = concerned and self._concerns(line) if concerned is not None else self._within(line)
            elif inside is False:
                continue
            elif line.key == "include" and not line.problem:
                self.read(line.included, inside)
            else:
                self._take(line, inside)

    def _within(self, line: Line) -> bool | None:
        """A part inside one that we cannot judge is out when it is out by itself, and else as unclear."""
        return False if self._concerns(line) is False else None

    def _concerns(self, line: Line) -> bool | None:
        if line.key == "host":
            return matches(self.name, line.words)
        return self._criteria(line)

    def _criteria(self, line: Line) -> bool | None:
        words = [w for word in line.words for w in ((word,) if "=" not in word else word.split("=", 1))]
        told: bool | None = True
        while words:
            word = words.pop(0)
            attribute = word.lower().removeprefix("!")
            one: bool | None
            if attribute in ALONE:
                one = True if attribute == "all" else self.final
            else:
                one = self._criterion(attribute, words.pop(0) if words else "")
            if one is not None and word.startswith("!"):
                one = not one
            if one is False:
                return False
            told = told if one else None
        return told

    def _criterion(self, attribute: str, wanted: str) -> bool | None:
        """None for what we do not judge: exec, localnetwork, tagged."""
        observed = {
            "host": self._first("hostname").replace("%h", self.name) or self.name,
            "originalhost": self.original,
            "user": self._first("user") or self.person.user,
            "localuser": self.person.user,
        }.get(attribute)
        if attribute in ("host", "originalhost"):
            return matches(observed.lower(), wanted.lower().split(",")) if observed is not None else None
        return None if observed is None else matches(observed, wanted.split(","))

    def _first(self, key: str) -> str:
        return self.values[key][0] if key in self.values else ""

    def _take(self, line: Line, inside: bool | None) -> None:
        key, words = line.key, line.words
        if key in HARMLESS:
            if key == "ignoreunknown" and inside:
                self.harmless += [p.lower() for p in ",".join(words).split(",")]
        elif line.problem:
            self.object_to(f"{line.where}: {line.problem}")
        elif key in AT_REST:
            self._rest(line, inside)
        elif key not in UNDERSTOOD:
            if not matches(key, self.harmless):
                self.object_to(f"{line.where}: '{key}' is not read")
        elif inside is None:
            if key in SEVERAL or key not in self.values:
                self.object_to(f"{line.where}: '{key}' stands in a part whose Match we do not judge")
        elif key == "proxyjump" and "proxycommand" in self.values:
            return  # whichever of the two comes first, here `ProxyCommand none`
        elif key in SEVERAL:
            kept = self.values.setdefault(key, [])
            kept += [w for w in words[:1] if w not in kept]
        else:
            self.values.setdefault(key, list(words) if key in LISTS else [words[0]])

    def _rest(self, line: Line, inside: bool | None) -> None:
        """The first value of a keyword counts, here as elsewhere."""
        if line.key == "proxycommand" and "proxyjump" in self.values:
            return
        if line.key in self.values:
            return
        if inside:
            self.values[line.key] = [line.words[0]]
        if line.words[0].lower() not in AT_REST[line.key]:
            self.object_to(f"{line.where}: '{line.key} {line.words[0]}' is not done here")

    def object_to(self, words: str) -> None:
        self.objections[words] = None


def lookup(config: Config, name: str, person: Person, given: Mapping[str, str]) -> Said:
    """What the configuration says of `name`, as it would be given to ssh; `given` comes from elsewhere and wins."""
    values: dict[str, list[str]] = {key: [value] for key, value in given.items()}
    first = _Pass(name, person, values)
    for lines in config.files:
        first.read(lines, concerned=True)
    values["hostname"] = [_hostname(values, name, first)]
    objections = first.objections
    if config.final:
        second = _Pass(name, person, values, values["hostname"][0].lower())
        for lines in config.files:
            second.read(lines, concerned=True)
        objections = {**objections, **second.objections}
    return _expanded(values, name, person, objections)


def _hostname(values: Mapping[str, Sequence[str]], name: str, told: _Pass) -> str:
    return _tokens(values.get("hostname", [name])[0], {"%": "%", "h": name}, {}, told.object_to)


_TOKEN = re.compile(r"%(.)|\$\{([^}]*)\}")
_WITH_TOKENS = ("certificatefile", "identityfile", "identityagent", "userknownhostsfile", "proxyjump")
_PATHS = ("certificatefile", "identityfile", "identityagent", "userknownhostsfile", "globalknownhostsfile")


def _tokens(text: str, tokens: Mapping[str, str], environment: Mapping[str, str], wrong: Callable[[str], None]) -> str:
    def stands_for(found: re.Match[str]) -> str:
        value = tokens.get(found[1]) if found[1] else environment.get(found[2])
        if value is None:
            wrong(f"'{found[0]}' in '{text}' is not read")
            return found[0]
        return value

    return _TOKEN.sub(stands_for, text) if "%" in text or "$" in text else text


def _expanded(values: dict[str, list[str]], name: str, person: Person, objections: dict[str, None]) -> Said:
    host = values["hostname"][0]
    tokens = {
        "%": "%",
        "d": person.home,
        "h": host,
        "i": str(person.uid),
        "k": values["hostkeyalias"][0] if "hostkeyalias" in values else name,
        "L": person.hostname.partition(".")[0],
        "n": name,
        "p": values["port"][0] if "port" in values else "22",
        "r": values["user"][0] if "user" in values else person.user,
        "u": person.user,
    }

    def wrong(words: str) -> None:
        objections[words] = None

    told: dict[str, tuple[str, ...]] = {}
    for key, given in values.items():
        if key in _WITH_TOKENS:
            given = [_tokens(v, tokens, person.environment if key in _PATHS else {}, wrong) for v in given]
        if key in _PATHS:
            given = [person.home + v[1:] if v == "~" or v.startswith("~/") else v for v in given]
        told[key] = tuple(given)
    return Said(told, tuple(objections))
