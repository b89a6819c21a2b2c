"""The files of auditd in a tree in; the rules that would be loaded, and where records would go, out. Pure.

Sources: audit.rules(7), auditctl(8), augenrules(8): what lies in rules.d takes the place of audit.rules, in the order of `ls -v`,
with a `-D` put before all rules and the last `-e` behind them. auditctl ends at the first line that it, or the kernel, refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from auditor.model import Answer, Command, Output, Unknown
from auditor.readers import audit_rules, auditd, files
from auditor.readers.trees import audit_names

RULES = Command("/etc/audit/rules.d/*.rules /etc/audit/audit.rules", kind="read", mask="audit_rules", cap_bytes=262144)
SETTINGS = Command(
    "/etc/audit/auditd.conf /etc/audit/audisp-remote.conf /etc/audisp/audisp-remote.conf /etc/audit/plugins.d/*.conf"
    " /etc/audisp/plugins.d/*.conf",
    kind="read",
    mask="auditd",
    cap_bytes=131072,
)
MERGED = "/etc/audit/audit.rules"
NO_RULES = Unknown("not_observable", "/etc/audit/rules.d")
# Words that set something else than a rule, and how many values each has.
_CONTROLS = {
    "-b": 1, "-f": 1, "-r": 1, "-e": 1, "-m": 1, "-i": 0, "-c": 0, "-q": 1, "-s": 0, "--backlog_wait_time": 1,
    "--loginuid-immutable": 0, "--reset-lost": 0, "--signal": 1,
}  # fmt: skip
_MACHINES = ("x86_64", "aarch64", "i386", "i686", "arm", "armeb", "ppc64", "ppc64le", "ppc", "s390x", "s390", "riscv64")
_LISTS, _ACTIONS = ("task", "exit", "user", "exclude", "filesystem"), ("always", "never")
_OF_ROOT = re.compile(r"(uid|euid|suid|fsuid|obj_uid|gid|egid)(=|!=|>=|<=|>|<)root")
_NUMBERED = re.compile(r"(-S [0-9,]*[0-9]|-F msgtype[!<>=]+[0-9])")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`off`: the line that switches auditing off behind the rules. `where`: the files that the rules come from."""

    rules: audit_rules.Rules | Unknown
    off: str = ""
    where: tuple[str, ...] = ()


def loaded(answer: Answer) -> Loaded:
    found = files.read(answer)
    if found.gap:
        return Loaded(found.gap)
    parts = {p: t for p, t in found.texts.items() if p != MERGED}
    texts = [parts[path] for path in sorted(parts, key=_natural)] or [*found.texts.values()]
    if not texts:
        return Loaded(NO_RULES)
    lines = _rules(texts, merged=bool(parts))
    where = tuple(parts or found.texts)[:4]
    if parts and MERGED in found.texts and _rules([found.texts[MERGED]], merged=False) != lines:
        return Loaded(Unknown("not_observable", f"whether {MERGED} is made anew of rules.d"), where=where)
    return Loaded(audit_rules.read(lines), _off(parts or found.texts), where)


_SUFFIX = re.compile(r"(?:\.[A-Za-z~][A-Za-z0-9~]*)*\Z")
_RUN = re.compile("([0-9]*)([^0-9]*)")


def _natural(path: str) -> tuple[list[int], list[int], str]:
    """The order of `ls -v`: numbers by their value; letters, and an end, come before other characters; a suffix comes last."""
    name = path.rpartition("/")[2]
    return _version(_SUFFIX.sub("", name)), _version(name), name


def _version(name: str) -> list[int]:
    key: list[int] = []
    for digits, rest in _RUN.findall(name):
        if digits:
            key += [0, len(digits.lstrip("0")), *map(ord, digits.lstrip("0"))]
        key += [-2 if c == "~" else ord(c) if c.isascii() and c.isalpha() else ord(c) + 256 for c in rest]
    return [*key, -1]


def _rules(texts: Iterable[str], merged: bool) -> list[str]:
    """As `auditctl -l` would list them; what is not understood, or not taken, stays as it is, and no reader takes it for a rule."""
    found: list[str] = []
    locked = goes_on = False
    for line in (one.strip() for one in "".join(texts).split("\n")):
        words = line.split()
        goes_on = goes_on or words in (["-i"], ["-c"])
        locked = locked or (words == ["-e", "2"] and not merged)
        if not line or line.startswith("#"):
            continue
        if words == ["-D"]:
            found = found if merged else []
        elif not _only_controls(words):
            rule = _watch(words) or _rule(words)
            twice = rule in found and not goes_on
            found.append(rule if rule and not locked and not twice else f"? {line}")
    return found


def _only_controls(words: list[str]) -> bool:
    rest = list(words)
    while rest and rest[0] in _CONTROLS:
        del rest[: 1 + _CONTROLS[rest[0]]]
    return not rest


def _options(words: list[str]) -> list[tuple[str, str]] | None:
    """Pairs of an option and its value; None for a line of another shape."""
    if len(words) % 2 or any(len(option) != 2 or option[0] != "-" for option in words[::2]) or '"' in "".join(words):
        return None
    return list(zip(words[::2], words[1::2], strict=True))


def _watch(words: list[str]) -> str:
    options = _options(words) or []
    said = dict(options)
    if "-w" not in said or not said["-w"].startswith("/") or set(said) - {"-w", "-p", "-k"} or len(said) < len(options):
        return ""
    if not set(said.get("-p", "r")) <= set("rwxa"):
        return ""
    path = said["-w"].rstrip("/") or "/"
    key = f" -k {said['-k']}" if "-k" in said else ""
    return f"-w {path} -p {said.get('-p', 'rwxa')}{key}"


def _rule(words: list[str]) -> str:
    options = _options(words) or []
    first, rest = options[:1], options[1:]
    pair = first[0][1].split(",") if first and first[0][0] == "-a" else []
    listed = [p for p in pair if p in _LISTS]
    action = [p for p in pair if p in _ACTIONS]
    if len(pair) != 2 or not (listed and action) or any(o not in ("-S", "-F", "-C", "-k") for o, _ in rest):
        return ""
    if not _known(rest):
        return ""
    told = [f"-F key={v}" if o == "-k" else f"{o} {_OF_ROOT.sub(_numbered, v)}" for o, v in rest]
    text = " ".join([f"-a {action[0]},{listed[0]}", *told])
    return "" if _NUMBERED.search(text) else text


def _known(options: list[tuple[str, str]]) -> bool:
    """Whether auditctl takes these calls and fields, for the machine that the rule names."""
    fields = [v for option, v in options if option == "-F"]
    named = {v for option, value in options if option == "-S" for v in value.split(",")} - {"all"}
    arches = {v.partition("=")[2] for v in fields if v.startswith("arch=")}
    if (
        not arches <= {"b32", "b64", *_MACHINES}
        or not {re.split("[!<>=&]", v, maxsplit=1)[0] for v in fields} <= audit_names.FIELDS
    ):
        return False
    told_64 = audit_names.BOTH | audit_names.ONLY_64
    told_32 = audit_names.BOTH | audit_names.ONLY_32
    return named <= told_64 if "b64" in arches else named <= told_32 if "b32" in arches else named <= told_64 | told_32


def _numbered(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}0"


def _off(texts: Mapping[str, str]) -> str:
    """The last line that says whether auditing is on, where it says that it is not."""
    found = [
        (line.split()[1], f"{path}:{number}")
        for path in sorted(texts, key=_natural)
        for number, line in enumerate(texts[path].split("\n"), 1)
        if line.split()[:1] == ["-e"] and len(line.split()) == 2
    ]
    return found[-1][1] if found and found[-1][0] == "0" else ""


def on_any(read: Callable[[frozenset[str]], T | Unknown]) -> T | Unknown:
    """What is so on machines of 64 and 32 bits, on those that run both, or, where these differ, only the host can tell."""
    told = [read(needed) for needed in (audit_rules.BOTH, frozenset({"b64"}), frozenset({"b32"}))]
    if any(one != told[0] for one in told):
        return Unknown("not_observable", "for which machine these rules are")
    return told[0]


def settings(answer: Answer) -> auditd.Settings | Unknown:
    """auditd.conf and its plugins; Unknown where the tree does not hold them. Raises Unreadable as auditd.read does."""
    found = files.read(answer)
    if found.gap or "/etc/audit/auditd.conf" not in found.texts:
        return found.gap or Unknown("not_observable", "/etc/audit/auditd.conf")
    text = "\n".join(["uid 0", *_told(found.texts), "end"])
    return auditd.read(Output(0, text.encode("utf-8", "surrogatepass"), b"", 0.0))


def _told(texts: Mapping[str, str]) -> Iterator[str]:
    for path, text in texts.items():
        yield f"f:{path}"
        for line in text.splitlines():
            key, equals, value = line.partition("=")
            if equals:
                yield f"k:{''.join(key.split()).lower()}={value}"
