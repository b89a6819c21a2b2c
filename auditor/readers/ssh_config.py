"""The text of ssh_config, with its Include lines, in; what it says of one host out, as OpenSSH's client reads it. Pure.

Source: ssh_config(5) and readconf.c of OpenSSH 9.2. Only the keywords in UNDERSTOOD have an effect. A keyword in HARMLESS
changes neither how we connect nor whom we trust. Any other one, in a part that concerns the host, is an Objection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

DEPTH = 16  # of Include, as OpenSSH

UNDERSTOOD = frozenset((
    "addressfamily", "bindaddress", "certificatefile", "connecttimeout", "globalknownhostsfile", "hostkeyalias",
    "hostname", "identitiesonly", "identityagent", "identityfile", "kbdinteractiveauthentication",
    "passwordauthentication", "port", "preferredauthentications", "proxyjump", "pubkeyauthentication", "user",
    "userknownhostsfile", "kexalgorithms", "ciphers", "macs", "hostkeyalgorithms",
))  # fmt: skip
ALGORITHMS = ("kexalgorithms", "ciphers", "macs", "hostkeyalgorithms")
HARMLESS = frozenset((
    "addkeystoagent", "batchmode", "canonicaldomains", "canonicalizefallbacklocal", "canonicalizemaxdots",
    "canonicalizepermittedcnames", "casignaturealgorithms", "channeltimeout", "clearallforwardings", "compression",
    "connectionattempts", "controlmaster", "controlpath", "controlpersist", "dynamicforward",
    "enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fingerprinthash",
    "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports",
    "gssapiauthentication", "gssapiclientidentity", "gssapidelegatecredentials", "gssapikexalgorithms",
    "gssapikeyexchange", "gssapirenewalforcesrekey", "gssapiserveridentity", "gssapitrustdns", "hashknownhosts",
    "hostbasedacceptedalgorithms", "hostbasedacceptedkeytypes", "hostbasedauthentication", "hostbasedkeytypes",
    "ignoreunknown", "ipqos", "kbdinteractivedevices", "localcommand", "localforward", "loglevel", "logverbose",
    "numberofpasswordprompts", "obscurekeystroketiming", "permitlocalcommand", "permitremoteopen", "proxyusefdpass",
    "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "rekeylimit", "remotecommand", "remoteforward", "requesttty",
    "requiredrsasize", "securitykeyprovider", "sendenv", "serveralivecountmax", "serveraliveinterval", "sessiontype",
    "setenv", "stdinnull", "streamlocalbindmask", "streamlocalbindunlink", "syslogfacility", "tag", "tcpkeepalive",
    "tunnel", "tunneldevice", "updatehostkeys", "usekeychain", "versionaddendum", "visualhostkey", "warnweakcrypto",
    "xauthlocation",
))  # fmt: skip
# Keywords with values that ask for nothing: only another value is an Objection.
_AT_REST = {
    "canonicalizehostname": ("no", "false"),
    "checkhostip": ("no", "false"),
    "knownhostscommand": ("none",),
    "nohostauthenticationforlocalhost": ("no", "false"),
    "pkcs11provider": ("none",),
    "proxycommand": ("none",),
    "revokedhostkeys": ("none",),
    "stricthostkeychecking": ("yes", "true", "ask", "accept-new"),  # an unknown key is refused in any case
    "verifyhostkeydns": ("no", "false", "ask"),
}
_SYNONYMS = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
    "globalknownhostsfile2": "globalknownhostsfile",
    "identityfile2": "identityfile",
    "userknownhostsfile2": "userknownhostsfile",
    "dsaauthentication": "pubkeyauthentication",
    "pubkeyauthentication": "pubkeyauthentication",
    "smartcarddevice": "pkcs11provider",
}
_SEVERAL = ("identityfile", "certificatefile")  # add up; the first value of any other keyword counts
_LISTS = ("userknownhostsfile", "globalknownhostsfile")  # several words are several values

_LINE = re.compile(r"(?P<key>[^ \t\r=\"]+)(?:[ \t\r]*=[ \t\r]*|[ \t\r]+|$)(?P<rest>.*)", re.DOTALL)
_ALONE = ("all", "canonical", "final")  # criteria of Match that take no value
_CRITERIA = ("exec", "host", "localnetwork", "localuser", "originalhost", "tagged", "user")


@dataclass(frozen=True, slots=True)
class Line:
    """A keyword in lower case with its words. `problem` says what is wrong with the line itself."""

    key: str
    words: tuple[str, ...]
    where: str
    problem: str = ""
    included: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """All lines, in order, of the files in order; Include lines hold those of the files that they name."""

    files: tuple[tuple[Line, ...], ...] = ()
    final: bool = False  # a `Match final` somewhere asks for a second pass


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


# ---------------------------------------------------------------- text


# A glob, and the file that names it -> (path, text) in order; None for a file that cannot be read or trusted, and why.
Files = Callable[[str, str], Sequence[tuple[str, str | None, str]]]


def read(paths: Sequence[str], files: Files) -> Config:
    """The configuration in the files at `paths`; `files` finds them, and what an Include names."""
    found = tuple(tuple(_included(Line("include", (path,), path), "", files, ())) for path in paths)
    return Config(found, any(_final(lines) for lines in found))


def _final(lines: Sequence[Line]) -> bool:
    return any(
        _final(line.included) or (line.key == "match" and any(w.lower().lstrip("!") == "final" for w in line.words))
        for line in lines
    )


def _lines(path: str, text: str, files: Files, above: tuple[str, ...]) -> Iterator[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        bare = raw.rstrip(" \t\r\f").lstrip(" \t\r")
        if not bare or bare.startswith("#"):
            continue
        line = _line(bare, f"{path}:{number}")
        if line.key == "include" and not line.problem:
            yield from _included(line, path, files, above)
        else:
            yield line


def _line(bare: str, where: str) -> Line:
    found = _LINE.fullmatch(bare)
    key = found["key"].lower() if found else ""
    words, problem = _words(found["rest"] if found else "")
    key = _SYNONYMS.get(key, key)
    return Line(key, words, where, problem or _problem(key, words))


def _problem(key: str, words: tuple[str, ...]) -> str:
    """What is wrong with the words of a line, for which ssh refuses the file."""
    if not words:
        return "says nothing"
    if key == "match":
        return _wrong_criteria(list(words))
    several = key not in UNDERSTOOD or key in _LISTS
    return "" if several or len(words) == 1 else f"'{key}' takes one value"


def _wrong_criteria(words: list[str]) -> str:
    while words:
        attribute, equals, value = words.pop(0).partition("=")
        attribute = attribute.lower().removeprefix("!")
        if attribute in _ALONE:
            continue
        if attribute not in _CRITERIA:
            return f"Match knows no '{attribute}'"
        if not (value if equals else words and words.pop(0)):
            return f"Match is not told which '{attribute}'"
    return ""


def _words(text: str) -> tuple[tuple[str, ...], str]:
    """The words of a line and what is wrong; quotes join, and a word that begins with # starts a comment (argv_split)."""
    words: list[str] = []
    word: str | None = None
    quote, rest = "", iter(range(len(text)))
    for i in rest:
        c, after = text[i], text[i + 1 : i + 2]
        if word is None:
            if c in " \t":
                continue
            if c == "#":
                break
            word = ""
        if c == "\\" and after and (after in "\"'\\" or (after == " " and not quote)):
            word += after
            next(rest)
        elif c in " \t" and not quote:
            words.append(word)
            word = None
        elif c in "\"'" and quote in ("", c):
            quote = "" if quote else c
        else:
            word += c
    if quote:
        return tuple(words), "a quote is not closed"
    return (*words, word) if word is not None else tuple(words), ""


def _included(line: Line, path: str, files: Files, above: tuple[str, ...]) -> Iterator[Line]:
    if len(above) > DEPTH:
        yield Line("include", line.words, line.where, f"more than {DEPTH} files include each other")
        return
    for word in line.words:
        for inner, text, why in files(word, path):
            if text is None:
                yield Line("include", (inner,), line.where, f"{inner} {why}")
                continue
            if inner in above:
                yield Line("include", line.words, line.where, f"{inner} includes itself: {' > '.join((*above, inner))}")
                continue
            yield Line("include", (inner,), line.where, "", tuple(_lines(inner, text, files, (*above, inner))))


# ---------------------------------------------------------------- patterns


@lru_cache(maxsize=65536)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in text), re.DOTALL)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """OpenSSH's match: `*` and `?`; one that begins with `!` and matches wins over all others."""
    matched = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _pattern(pattern[1:]).fullmatch(name):
                return False
        elif not matched:
            matched = pattern == name or (
                ("*" in pattern or "?" in pattern) and bool(_pattern(pattern).fullmatch(name))
            )
    return matched


# ---------------------------------------------------------------- one host


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
            if attribute in _ALONE:
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
        elif key in _AT_REST:
            self._rest(line, inside)
        elif key not in UNDERSTOOD:
            if not matches(key, self.harmless):
                self.object_to(f"{line.where}: '{key}' is not read")
        elif inside is None:
            if key in _SEVERAL or key not in self.values:
                self.object_to(f"{line.where}: '{key}' stands in a part whose Match we do not judge")
        elif key == "proxyjump" and "proxycommand" in self.values:
            return  # whichever of the two comes first, here `ProxyCommand none`
        elif key in _SEVERAL:
            kept = self.values.setdefault(key, [])
            kept += [w for w in words[:1] if w not in kept]
        else:
            self.values.setdefault(key, list(words) if key in _LISTS else [words[0]])

    def _rest(self, line: Line, inside: bool | None) -> None:
        """The first value of a keyword counts, here as elsewhere."""
        if line.key == "proxycommand" and "proxyjump" in self.values:
            return
        if line.key in self.values:
            return
        if inside:
            self.values[line.key] = [line.words[0]]
        if line.words[0].lower() not in _AT_REST[line.key]:
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
