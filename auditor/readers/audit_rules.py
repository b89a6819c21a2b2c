"""The rules that `auditctl -l` lists in; whether an event that must be recorded is, out. Pure.

The kernel takes the first rule that matches of each list: what a `never` before it leaves out, no later rule records.
Sources: auditctl(8), audit.rules(7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from auditor.model import Unknown

Truth = bool | Unknown


@dataclass(frozen=True, slots=True)
class Rule:
    """`fields` are (name, operator, value); a comparison (-C) has the name `compare`. `syscalls`: empty for all."""

    action: str
    filter: str
    syscalls: frozenset[str]
    fields: tuple[tuple[str, str, str], ...]
    text: str

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for field, _, value in self.fields if field == name)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in self.fields)

    @property
    def architectures(self) -> frozenset[str]:
        """Those of the calls that it is about; both where it says none."""
        told = self.values("arch")
        return frozenset("b32" if value in NARROW else "b64" for value in told) if told else BOTH

    def on(self, *calls: str) -> bool:
        return not self.syscalls or any(call in self.syscalls for call in calls)


Rules = tuple[Rule, ...]
BOTH = frozenset({"b32", "b64"})
NARROW = frozenset({"b32", "i386", "i486", "i586", "i686", "arm", "armeb", "ppc", "s390"})
LABELS = frozenset({"arch", "key"})  # narrow a rule in nothing but the calls that are told apart elsewhere
PLACES = frozenset({"path", "dir"})
UNSET = ("-1", "unset", "4294967295")
FIRST_PERSON = 1000
# These leave out one program, unless it is one that people act through: a shell, what lets them in or makes them root. A
# kernel's own file systems hold nobody's files.
OF_A_PROGRAM = frozenset({"exe", "subj_type", "pid", "ppid"})
OF_PEOPLE = ("sh", "su", "login", "python", "perl", "busybox", "unconfined", "init")
OWN_FILE_SYSTEMS = frozenset({"debugfs", "tracefs"})
LOGINS = frozenset(
    ["USER_AUTH", "USER_ACCT", "USER_LOGIN", "USER_START", "USER_CMD", "USER_ERR", "CRED_ACQ", "LOGIN", "ADD_USER"]
)
CALLS = frozenset({"SYSCALL", "EXECVE", "PATH"})  # the records of one system call
SUDO = frozenset({"/usr/bin/sudo", "/bin/sudo", "/usr/bin/su", "/bin/su", "/usr/bin/doas", "/usr/bin/pkexec"})

_WATCH = re.compile(r"-w (?P<path>/.*?) -p (?P<perm>[rwxa]+)(?: -k .*)?")
_RULE = re.compile(r"-a (always|never|possible),(\w+)((?: -(?:S|F|C) .*)?)")
_OPTION = re.compile(r" -(S|F|C) (?=\S)")
_FIELD = re.compile(r"([a-z_0-9]+)(!=|>=|<=|&=|=|>|<|&)(.*)")


def read(lines: Iterable[str]) -> Rules | Unknown:
    """One rule a line; a line of another shape leaves it open what the others come to."""
    found = []
    for line in filter(None, (line.strip() for line in lines)):
        if line == "No rules":
            continue
        rule = _watch(line) or _rule(line)
        if rule is None:
            return Unknown("unreadable", f"audit rule {line[:80]}")
        found.append(rule)
    return tuple(found)


def _watch(line: str) -> Rule | None:
    match = _WATCH.fullmatch(line)
    if not match:
        return None
    fields = (("path", "=", match["path"]), ("dir", "=", match["path"]), ("perm", "=", match["perm"]))
    return Rule("always", "exit", frozenset(), fields, line)


def _rule(line: str) -> Rule | None:
    match = _RULE.fullmatch(line)
    if not match:
        return None
    parts = _OPTION.split(match[3])[1:]
    calls: set[str] = set()
    fields: list[tuple[str, str, str]] = []
    for option, value in zip(parts[::2], parts[1::2], strict=True):
        field = _FIELD.fullmatch(value.strip())
        if option == "S":
            calls |= {call for call in value.strip().split(",") if call != "all"}
        elif field is None:
            return None
        else:
            fields.append((field[1], field[2], field[3]) if option == "F" else ("compare", "=", value.strip()))
    return Rule(match[1], match[2], frozenset(calls), tuple(fields), line)


# ---------------------------------------------------------------- what is recorded


def changes(rules: Rules, path: str, needed: frozenset[str]) -> Truth:
    """Whether writes to a file, and changes of its mode and owner, are recorded for every program."""
    return _recorded(rules, needed, lambda rule: _watches(rule, path), lambda rule: _spares(rule, path))


def calls(rules: Rules, names: Sequence[str], needed: frozenset[str]) -> Truth:
    """Whether each of these system calls is recorded, for people at least."""
    return next((truth for name in names if (truth := _call(rules, name, needed)) is not True), True)


def _call(rules: Rules, name: str, needed: frozenset[str]) -> Truth:
    return _recorded(
        rules,
        needed,
        lambda rule: rule.on(name) and _whole(rule, LABELS | {"auid", "success"}),
        lambda rule: not rule.on(name) or _one_program(rule, "path"),
    )


def root_commands(rules: Rules, needed: frozenset[str]) -> str | Unknown:
    """`all`: every program that a person starts as root; `becoming`: only that somebody becomes root; else `none`."""

    def spares(rule: Rule) -> bool:
        return not rule.on("execve") or _one_program(rule, "path")

    every = _recorded(rules, needed, _starts_of_root, spares)
    if every is not False:
        return "all" if every is True else every
    becoming = _recorded(rules, needed, _starts_of_sudo, spares)
    return becoming if isinstance(becoming, Unknown) else "becoming" if becoming else "none"


def logins(rules: Rules) -> Truth:
    """Whether nothing keeps what programs say of logins out of the trail."""
    open_: Unknown | None = None
    for rule in rules:
        if rule.filter not in ("exclude", "user") or (rule.filter == "user" and rule.action != "never"):
            continue
        drops = _drops_logins(rule)
        if drops is True:
            return False
        open_ = open_ or (drops if isinstance(drops, Unknown) else None)
    return open_ or True


def _recorded(
    rules: Rules, needed: frozenset[str], records: Callable[[Rule], bool], spares: Callable[[Rule], bool]
) -> Truth:
    """True once each needed architecture has met a rule that records; a `never` before it decides or leaves it open."""
    open_ = _untasked(rules)
    dropped = _dropped(rules)
    if open_ is False or dropped is False:
        return False
    open_ = dropped if open_ is True else open_
    missing = set(needed)
    for rule in rules:
        if rule.filter == "exit" and missing & rule.architectures:
            if rule.action == "always" and records(rule):
                missing -= rule.architectures
            elif rule.action == "never" and not spares(rule):
                if rule.names <= LABELS:
                    return False
                open_ = _left_out(rule)
        elif rule.filter == "filesystem" and not set(rule.values("fstype")) <= OWN_FILE_SYSTEMS:
            open_ = _left_out(rule)
        if not missing:
            return open_
    return False


def _untasked(rules: Rules) -> Truth:
    """False where no task is audited at all (`-a never,task`): then system calls and watches record nothing."""
    never = [rule for rule in rules if rule.filter == "task" and rule.action == "never"]
    if any(not rule.fields for rule in never):
        return False
    return _left_out(never[0]) if never else True


def _dropped(rules: Rules) -> Truth:
    """False where the list exclude drops the records of system calls; open where it drops what stands beside them."""
    open_: Truth = True
    for rule in rules:
        if rule.filter == "exclude" and not ("msgtype" not in rule.names and _one_program(rule)):
            kinds = {value for name, how, value in rule.fields if name == "msgtype" and how == "="}
            if "SYSCALL" in kinds and rule.names <= {"msgtype", "key"}:
                return False
            if not kinds or kinds & CALLS or any(kind.isdigit() for kind in kinds):
                open_ = _left_out(rule)
    return open_


def _left_out(rule: Rule) -> Unknown:
    return Unknown("not_told", f"what this leaves out: {rule.text[:120]}")


def _watches(rule: Rule, path: str) -> bool:
    """Without a permission a rule records every access; one on calls of its own choice may miss some."""
    if not rule.names <= LABELS | PLACES | {"perm"} or not rule.names & PLACES or rule.syscalls:
        return False
    perms = rule.values("perm")
    return _within(rule, path) and all({"w", "a"} <= set(perm) for perm in perms)


def _within(rule: Rule, path: str) -> bool:
    inside = any(path == d or path.startswith(d.rstrip("/") + "/") for d in rule.values("dir"))
    return inside or path in rule.values("path")


def _spares(rule: Rule, path: str) -> bool:
    """Whether a `never` surely says nothing of this file, or only of one program."""
    elsewhere = bool(rule.names & PLACES) and not _within(rule, path)
    return elsewhere or _one_program(rule)


def _one_program(rule: Rule, *also: str) -> bool:
    named = rule.names - LABELS - {"perm"}
    told = (value.rpartition("/")[2] for name, _, value in rule.fields if name in (*OF_A_PROGRAM, *also))
    return bool(named) and named <= {*OF_A_PROGRAM, *also} and not any(w in value for value in told for w in OF_PEOPLE)


def _whole(rule: Rule, allowed: frozenset[str]) -> bool:
    """Whether a rule leaves nobody out but programs that no person started."""
    return rule.names <= allowed and _people(rule) and all(v == "1" for v in rule.values("success"))


def _people(rule: Rule) -> bool:
    return all(
        (how == "!=" and value in UNSET)
        or (how == ">=" and value.isascii() and value.isdigit() and len(value) < 8 and int(value) <= FIRST_PERSON)
        for name, how, value in rule.fields
        if name == "auid"
    )


def _starts_of_root(rule: Rule) -> bool:
    roots = all(how == "=" and value == "0" for name, how, value in rule.fields if name == "euid")
    return rule.on("execve") and roots and _whole(rule, LABELS | {"auid", "success", "euid"})


def _starts_of_sudo(rule: Rule) -> bool:
    compared = {*rule.values("compare")} & {"uid!=euid", "euid!=uid"}
    if compared and rule.on("execve") and _whole(rule, LABELS | {"auid", "success", "euid", "compare"}):
        return True
    named = set(rule.values("path")) & SUDO and rule.names <= LABELS | PLACES | {"perm", "auid"}
    return bool(named) and all("x" in perm for perm in rule.values("perm")) and _people(rule) and rule.on("execve")


def _drops_logins(rule: Rule) -> Truth:
    kinds = {value for name, how, value in rule.fields if name == "msgtype" and how == "="}
    if "msgtype" in rule.names:
        if not kinds:
            return _left_out(rule)
        if not kinds & LOGINS:
            return _left_out(rule) if any(kind.isdigit() for kind in kinds) else False
        return True if rule.names <= {"msgtype", "key"} else _left_out(rule)
    if not rule.names - LABELS:
        return True
    return False if _one_program(rule) else _left_out(rule)
