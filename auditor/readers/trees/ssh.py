"""sshd_config and what it includes, of a tree, in; what `sshd -T` would tell of each account and source, and where, out. Pure.

Source: sshd_config(5): the first value of a keyword wins, what a Match that holds says overrides what stands under
none, and it holds to the next one or the end of its file.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import files, sshd, sshd_masks
from auditor.readers.sshd import Asked, Context, Settings
from auditor.readers.trees import units
from auditor.readers.trees.included import beyond, unseen

CRYPTO = "/etc/crypto-policies/back-ends/opensshserver.config"
CONFIG = Command(
    f"/etc/ssh/sshd_config /usr/etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /usr/etc/ssh/sshd_config.d/* {CRYPTO}",
    kind="read",
    mask="comments",
    cap_bytes=262144,
)
_OWN = re.compile(
    r"(?:.*/)?sshd?@?[^/]*\.(?:service|socket)(?:\.d/[^/]*)?|/etc/(?!systemd/system/).*|.*/service\.d/[^/]*"
)
STARTED = Command(
    " ".join(
        (
            *("/etc/default/ssh", "/etc/sysconfig/sshd", "/etc/sysconfig/ssh", "/etc/sysconfig/sshd-permitrootlogin"),
            *("/etc/conf.d/sshd", CRYPTO, "/etc/systemd/system.conf", "/etc/systemd/system.conf.d/*.conf"),
            *(
                f"{root}/{unit}"
                for root in units.ROOTS[:2]
                for unit in ("*.service", "ssh*.service.d/*.conf", "service.d/*.conf")
            ),
            *(f"{root}/{unit}" for root in units.ROOTS[2:] for unit in ("ssh*.service", "ssh*.service.d/*.conf")),
        )
    ),
    kind="read",
    mask="sshd_started",
    cap_bytes=262144,
)
MAIN = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")
# What holds where no line says otherwise: sshd_config(5) of OpenSSH.
DEFAULTS = {
    "permitrootlogin": "prohibit-password",
    "passwordauthentication": "yes",
    "kbdinteractiveauthentication": "yes",
    "pubkeyauthentication": "yes",
    "gssapiauthentication": "no",
    "hostbasedauthentication": "no",
    "usepam": "no",
    "authenticationmethods": "any",
    "pubkeyauthoptions": "none",
    "permitemptypasswords": "no",
    "authorizedkeysfile": ".ssh/authorized_keys .ssh/authorized_keys2",
    "authorizedkeyscommand": "none",
    "trustedusercakeys": "none",
    "usedns": "no",
    "pamservicename": "sshd",
    "pubkeyacceptedalgorithms": "all",
}
LISTS = ("allowusers", "denyusers", "allowgroups", "denygroups")
_ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
}
_VARY = {
    "user": "user", "group": "user", "invalid-user": "user", "address": "address", "host": "address",
    "localaddress": "at", "localport": "port",
}  # fmt: skip
# As sshd cuts off the first word: it may stand in quotes, and an equals sign counts as a blank once.
_BLANK = "[ \\t\\r]"
_LINE = re.compile(
    rf"{_BLANK}*=?{_BLANK}*(?:\"(?P<quoted>[A-Za-z0-9-]+)\"|(?P<word>[A-Za-z0-9-]+)(?=[ \t\r=]){_BLANK}*=?){_BLANK}*(?P<value>.*)"
)
# A word of a value, and what it is made of.
_ARGUMENT = re.compile(r"""(?:"(?:\\["\\]|[^"])*"|'(?:\\['\\]|[^'])*'|\\["'\\ ]|[^\s"'])+""")
_PART = re.compile(r"""\\(["'\\ ])|"((?:\\["\\]|[^"])*)"|'((?:\\['\\]|[^'])*)'|(.)""", re.DOTALL)
_NOTHING = re.compile(rf"{_BLANK}*(?:#.*)?\Z", re.DOTALL)
DEEPEST = 16  # as sshd has it
MOST_LINES = 20000
MOST_FILES = 2000  # files may include each other
# The words that say which proofs a login takes, and whom it is for.
OF_LOGINS = (
    "authenticationmethods", "passwordauthentication", "kbdinteractiveauthentication", "pubkeyauthentication", "usepam",
    "permitemptypasswords", "pubkeyauthoptions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A setting with the conditions that it stands under, each a Match line: criteria and patterns; `place` in the tree."""

    word: str
    value: str
    matches: tuple[tuple[tuple[str, str], ...], ...]
    place: str


@dataclass(slots=True)
class Config:
    """`gap`: why the lines may not be all. `main` is the file that sshd begins with, "" where the tree holds none."""

    main: str = ""
    lines: list[Line] = field(default_factory=list)
    gap: Unknown | None = None
    read: int = 0  # how many files, one as often as it is included
    empty: frozenset[str] = frozenset()  # folders that are there

    @property
    def vary(self) -> frozenset[str]:
        words = (criterion for line in self.lines for match in line.matches for criterion, _ in match)
        return frozenset(_VARY[word] for word in words if word in _VARY)

    @property
    def odd(self) -> tuple[str, ...]:
        words = (criterion for line in self.lines for match in line.matches for criterion, _ in match)
        return tuple(dict.fromkeys(f"Match {w}" for w in words if w not in (*_VARY, "all", "final", "canonical")))


@dataclass(frozen=True, slots=True)
class Who:
    """A connection: `groups` None where they are not known."""

    user: str
    address: str
    groups: frozenset[str] | None


def read(answer: Answer, started: Answer | None = None) -> Config:
    """`started`: what starts it, where that was asked; options win over files."""
    config = _read(answer)
    if started and config.main:
        told = files.read(started)
        said = [
            (f"{path}:{n}", frozenset(line.split()), bool(_OWN.fullmatch(path)))
            for path, text in told.texts.items()
            for n, line in enumerate(text.split("\n"), 1)
            if line.strip()
        ]
        more = units.gap_of(told) or _otherwise(config, said)
        config.gap = _worse(config.gap, more) if more else config.gap
    return config


def _otherwise(config: Config, said: list[tuple[str, frozenset[str], bool]]) -> Unknown | None:
    """Why sshd may go by other settings than its files': what starts it says some, or something else starts another."""
    keyed = any(line.word == "pubkeyacceptedalgorithms" for line in config.lines)
    for place, words, own in said:
        if own and (words & {sshd_masks.OTHERWISE, sshd_masks.ANOTHER} or (keyed and sshd_masks.KEYS in words)):
            return Unknown("not_told", f"sshd is started with other settings: {place}")
        if not own and sshd_masks.STARTS in words:
            return Unknown("not_told", f"another sshd is started: {place}")
    return None


def _read(answer: Answer) -> Config:
    found = files.read(answer)
    config = Config(next((p for p in MAIN if p in found.texts), ""), gap=found.gap, empty=found.empty)
    if config.main and not found.missing:
        _gather(found.texts, config.main, (), 0, config)
    elif not config.gap:
        config.gap = Unknown("not_observable", MAIN[0])
    return config


def _gather(
    texts: Mapping[str, str], path: str, outer: tuple[tuple[tuple[str, str], ...], ...], depth: int, config: Config
) -> None:
    matches = outer
    config.read += 1
    for number, line in enumerate(texts[path].split("\n"), 1):
        if _NOTHING.match(line):
            continue
        if len(config.lines) >= MOST_LINES or config.read > MOST_FILES:
            config.gap = config.gap or Unknown("truncated", path)
            return
        found = _LINE.match(line)
        if not found:
            config.gap = config.gap or Unknown("unreadable", f"{path}:{number}")
            continue
        word, value = (found["quoted"] or found["word"]).lower(), found["value"].strip()
        if word == "match":
            matches = (*outer, _criteria(value))
        elif word == "include":
            _include(texts, _words(value), matches, depth, config)
        else:
            config.lines.append(Line(_ALIASES.get(word, word), " ".join(_words(value)), matches, f"{path}:{number}"))


def _include(
    texts: Mapping[str, str],
    globs: list[str],
    matches: tuple[tuple[tuple[str, str], ...], ...],
    depth: int,
    config: Config,
) -> None:
    for glob in globs:
        whole = glob if glob.startswith("/") else f"/etc/ssh/{glob}"
        found = sorted(p for p in texts if fnmatch.fnmatchcase(p, whole) and p.count("/") == whole.count("/"))
        folder = whole.rpartition("/")[0]
        seen = folder in config.empty or any(p.startswith(folder + "/") for p in texts if folder != "/etc/ssh")
        if depth >= DEEPEST:
            config.gap = config.gap or Unknown("unreadable", f"Include in Include: {whole}")
        elif more := beyond(CONFIG, whole) or (None if found or seen else unseen(CONFIG, whole)):
            config.gap = _worse(config.gap, more)
        for path in found if depth < DEEPEST else ():
            _gather(texts, path, matches, depth + 1, config)


def _worse(gap: Unknown | None, more: Unknown) -> Unknown:
    """What was not looked at must not be hidden behind what only a host can tell."""
    return more if gap is None or gap.cause == "not_observable" else gap


def _words(value: str) -> list[str]:
    """Without quotes, and without a comment, which begins where a word would."""
    words = [found[0] for found in _ARGUMENT.finditer(value)]
    end = next((n for n, word in enumerate(words) if word.startswith("#")), len(words))
    return ["".join("".join(part) for part in _PART.findall(word)) for word in words[:end]]


def _criteria(value: str) -> tuple[tuple[str, str], ...]:
    """`User a,b Address 10.0.0.0/8`, also `User=a`; what takes no pattern has none."""
    words = [w for word in _words(value) for w in (word.split("=", 1) if re.match(r"[A-Za-z]+=", word) else [word])]
    found: list[tuple[str, str]] = []
    while words:
        word = words.pop(0).lower()
        bare = word in ("all", "canonical", "final", "invalid-user")
        found.append((word, "" if bare or not words else words.pop(0)))
    return tuple(found)


# ---------------------------------------------------------------- one connection


def asked(config: Config, callers: list[Who]) -> Asked:
    """What `sshd -T -C` would tell of each; a Match that nobody can follow here makes a context an error."""
    contexts = tuple(_context(config, who) for who in callers)
    return Asked("sshd", (), (), (), config.odd, config.vary, contexts, (), {})


def _context(config: Config, who: Who) -> Context:
    settings, error = effective(config, who)
    return Context(
        who.user, who.address, "", "22", {w: tuple(v for v, _ in said) for w, said in settings.items()}, error
    )


def effective(config: Config, who: Who) -> tuple[dict[str, list[tuple[str, str]]], str]:
    """The values by keyword, each with its place ("" for a default), and why they cannot be told."""
    matched, error = _first([line for line in config.lines if line.matches], who)
    found = {**_first([line for line in config.lines if not line.matches], who)[0], **matched}
    for word, value in DEFAULTS.items():
        found.setdefault(word, [(value, "")])
    return found, error


def _first(lines: list[Line], who: Who) -> tuple[dict[str, list[tuple[str, str]]], str]:
    """The first value of each keyword, all of a list; and why that cannot be told."""
    found: dict[str, list[tuple[str, str]]] = {}
    error = ""
    for line in lines:
        counts = line.word in LISTS or line.word not in found
        holds = _all(line.matches, who) if counts else False
        if holds is None and (line.word in DEFAULTS or line.word in LISTS):
            error = error or f"{line.place}: {line.word} depends on a Match that only the host can follow"
        elif holds:
            found.setdefault(line.word, []).append((_valued(line), line.place))
    return found, error


def _valued(line: Line) -> str:
    if line.word != "pubkeyacceptedalgorithms":
        return (
            line.value
            if line.word in ("authorizedkeysfile", "authorizedkeyscommand", "trustedusercakeys", *LISTS)
            else line.value.lower()
        )
    return "sk" if all(re.match("(webauthn-)?sk-", a) for a in line.value.split(",")) else "all"


def _all(matches: tuple[tuple[tuple[str, str], ...], ...], who: Who) -> bool | None:
    truths = [_holds(criterion, pattern, who) for match in matches for criterion, pattern in match]
    return False if False in truths else None if None in truths else True


def _holds(criterion: str, pattern: str, who: Who) -> bool | None:
    """None: only the host can tell."""
    if criterion in ("all", "final", "canonical"):
        return criterion != "canonical"
    if criterion == "user":
        return _list(pattern, lambda p: sshd.glob(p, who.user))
    if criterion == "group":
        groups = who.groups
        return None if groups is None else _list(pattern, lambda p: any(sshd.glob(p, g) for g in groups))
    if criterion == "address":
        return _list(pattern, lambda p: sshd.within(who.address, p))
    return False if criterion == "invalid-user" else None


def _list(pattern: str, matches: object) -> bool:
    """One pattern matches, and none that is negated."""
    assert callable(matches)
    parts = pattern.split(",")
    if any(matches(p[1:]) for p in parts if p.startswith("!")):
        return False
    return any(matches(p) for p in parts if not p.startswith("!"))


# ---------------------------------------------------------------- where it stands


def places(config: Config, who: Who, words: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that decide these words for a connection; the file that lacks them, where defaults do."""
    settings, _ = effective(config, who)
    found = [place for word in words for _, place in settings.get(word, ()) if place]
    return tuple(dict.fromkeys(found)) or (config.main,)


def addresses(config: Config) -> Iterator[str]:
    """An address that meets each pattern of the Match rules."""
    for line in config.lines:
        for match in line.matches:
            for criterion, pattern in match:
                if criterion == "address":
                    for part in pattern.split(","):
                        sample = part.lstrip("!").partition("/")[0].replace("*", "1").replace("?", "1")
                        if re.fullmatch(r"[0-9a-fA-F.:]{2,45}", sample):
                            yield sample


def settings_of(config: Config, who: Who) -> Settings:
    return {word: tuple(v for v, _ in said) for word, said in effective(config, who)[0].items()}
