"""The answer to the question in; contexts with their settings, keys, and the servers that run out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from auditor.errors import Unreadable
from auditor.model import Answer, Failure
from auditor.readers.sshd.settings import Settings

# These words say that sshd could not be asked, not that its configuration is wrong.
NOT_THE_CONFIGURATION = ("no hostkeys available", "rivilege separation", "ermission denied", "not found")

# On a command line these change nothing that is judged here (RHEL passes its crypto policy so).
HARMLESS_OPTIONS = re.compile(
    r"(?i)^(ciphers|macs|gssapikex\w*|kexalgorithms|hostkey\w*|casignaturealgorithms|port|listenaddress|addressfamily|loglevel|pidfile)\b"
)
OWN_FILES = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")

_LOGGING_IN = re.compile(rb"(?m)^(process\tsshd: [^\n]*\[listener\]) \d+ of ")
_ALIASES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
}
_ALWAYS_TOLD = ("permitrootlogin", "pubkeyauthentication", "passwordauthentication")


@dataclass(frozen=True, slots=True)
class Context:
    """One connection as `sshd -T -C` was told of it; `error` is empty where sshd answered."""

    user: str
    address: str
    at: str
    port: str
    settings: Settings
    error: str = ""

    @property
    def error_of_configuration(self) -> bool:
        return bool(self.error) and not any(words in self.error for words in NOT_THE_CONFIGURATION)


@dataclass(frozen=True, slots=True)
class Keys:
    """How many keys: all, FIDO ones, those that ask for the PIN themselves, those that `from=` binds to addresses."""

    total: int = 0
    fido: int = 0
    pin: int = 0
    bound: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` None: no sshd on the host. `vary`: what the Match rules look at (user, address, at, port).

    `left`: accounts or contexts that were not asked. `keys`: what a file of keys holds.
    `dark`: homes that even root may not look into.
    """

    path: str | None
    others: tuple[str, ...]
    running: tuple[str, ...]
    newer: tuple[str, ...]
    odd: tuple[str, ...]
    vary: frozenset[str]
    contexts: tuple[Context, ...]
    left: tuple[str, ...]
    keys: Mapping[str, Keys]
    dark: frozenset[str] = frozenset()
    named: bool = False  # a Match rule looks at the name of the source
    undated: bool = False  # a server runs, and when it read its files is not told

    def of(self, user: str) -> tuple[Context, ...]:
        return tuple(c for c in self.contexts if "user" not in self.vary or c.user == user)

    @property
    def started_otherwise(self) -> tuple[str, ...]:
        """The command lines of running servers that do not serve the configuration asked."""
        return tuple(line for line in self.running if _otherwise(line, self.path))


def _otherwise(line: str, path: str | None) -> bool:
    words = line.removeprefix("sshd: ").split()
    names = {"sshd", (path or "").rpartition("/")[2]}
    if not words or words[0].rpartition("/")[2] not in names or words[0].startswith(("/opt/", "/usr/local/")):
        return True
    given = iter(words[1:])
    for word in given:
        option = re.match(r"-[46DdeqtTi]*([fo])(.*)", word)
        if option:
            value = option[2] or next(given, "")
            if (value not in OWN_FILES) if option[1] == "f" else not HARMLESS_OPTIONS.match(value):
                return True
    return False


def settled(answer: Answer) -> Answer:
    """The same answer without how many clients were logging in, which a server says beside its command line."""
    if isinstance(answer, Failure):
        return answer
    return replace(answer, stdout=_LOGGING_IN.sub(rb"\1 0 of ", answer.stdout))


def read(text: str) -> Asked:
    """Raises Unreadable when the text is cut or of another shape."""
    lines = text.splitlines()
    if not lines or lines[-1] != "end":
        raise Unreadable("sshd's answer is not complete")
    told, blocks = _parts(lines[:-1])
    path = told.get("sshd", [""])[0]
    if not path:
        raise Unreadable("whether there is an sshd was not told")
    return Asked(
        path=None if path == "none" else path,
        others=tuple(told.get("other", ())),
        running=tuple(told.get("process", ())),
        newer=tuple(told.get("newer", ())),
        odd=tuple(told.get("odd", ())),
        vary=frozenset(" ".join(told.get("vary", ())).split()),
        contexts=_contexts(blocks),
        left=tuple(told.get("left", ())),
        keys=dict(_keys(line) for line in told.get("keys", ())),
        dark=frozenset(told.get("dark", ())),
        named="named" in told,
        undated="undated" in told,
    )


def _parts(lines: Iterable[str]) -> tuple[dict[str, list[str]], list[list[str]]]:
    """What was told by its first word, and the lines of each context."""
    told: dict[str, list[str]] = {}
    blocks: list[list[str]] = []
    for line in lines:
        word, _, rest = line.partition("\t")
        if word == "context":
            blocks.append([rest])
        elif word in ("=", "!", "same", "rc"):
            if not blocks:
                raise Unreadable("a setting before its context")
            blocks[-1].append(line)
        else:
            told.setdefault(word, []).append(rest)
    return told, blocks


def _keys(line: str) -> tuple[str, Keys]:
    fields = line.split("\t")
    if len(fields) not in (4, 5) or not all(f.isascii() and f.isdigit() and len(f) < 9 for f in fields[1:]):
        raise Unreadable("a count of keys")
    return fields[0], Keys(*(int(f) for f in fields[1:]))


def _contexts(blocks: Iterable[list[str]]) -> tuple[Context, ...]:
    found: list[Context] = []
    body: list[str] = []
    for block in blocks:
        who = block[0].split("\t")
        last = block[-1].split("\t")
        if len(who) != 4 or last[0] != "rc" or len(last) != 2:
            raise Unreadable("sshd's answer for a context is not complete")
        body = body if "same" in block else block[1:-1]
        found.append(Context(who[0], who[1], who[2], who[3], _settings(body), _error(body, last[1])))
    return tuple(found)


def _settings(body: Iterable[str]) -> Settings:
    settings: dict[str, list[str]] = {}
    for line in body:
        if line.startswith("=\t"):
            word, _, value = line[2:].strip().partition(" ")
            settings.setdefault(_ALIASES.get(word, word), []).append(value.strip())
    return {word: tuple(values) for word, values in settings.items()}


def _error(body: list[str], code: str) -> str:
    words = " ".join(line[2:].strip() for line in body if line.startswith("!"))
    if code != "0":
        return words or f"sshd -T ended with {code}"
    settings = _settings(body)
    lacking = [w for w in _ALWAYS_TOLD if w not in settings]
    return f"not found in sshd -T: {' '.join(lacking)}" if lacking else ""
