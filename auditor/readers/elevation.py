"""The rules of sudo and doas in; who becomes whom, by which command, and whether a password is asked, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.model import Unknown
from auditor.readers.passwd import People, named_group
from auditor.readers.sshd import glob
from auditor.readers.sudoers import Default, Item, Rule, Rules

# With any argument of the caller's choice these are a shell of whom they run as: shells, what starts another program,
# interpreters (python3.11 is a python), editors and pagers that start one, and what writes any file.
SHELLS = frozenset(
    {"sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "rbash", "tcsh", "toybox", "zsh",
     "at", "chroot", "doas", "docker", "env", "expect", "find", "flock", "gdb", "ionice", "nice", "nohup", "nsenter",
     "parallel", "pkexec", "podman", "run-parts",
     "screen", "script", "setarch", "setpriv", "setsid", "ssh-agent", "start-stop-daemon", "stdbuf", "strace",
     "sudo", "systemd-run", "taskset", "time",
     "timeout", "tmux", "unshare", "watch", "xargs",
     "awk", "gawk", "mawk", "nawk", "irb", "lua", "node", "perl", "php", "python", "ruby", "tclsh",
     "ed", "emacs", "ex", "less", "man", "more", "nano", "pico", "rview", "rvim", "vi", "view", "vim", "vim.basic",
     "vim.tiny", "vimdiff",
     "chmod", "chown", "cp", "dd", "install", "ln", "mv", "rsync", "sed", "tar", "tee"}
)  # fmt: skip
BECOMING = frozenset({"su", "runuser", "visudo"})  # so are these, whatever their arguments
# Where these stand; a rule for such a folder, or a pattern in it, allows them.
FOLDERS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/")
MAYBE = Unknown("not_told", "whom a line of Defaults is about")
PASSWORD = "asks a password"
COVERS_KEPT = 64  # later rules for everything, kept in mind while looking for those that they stand above

Truth = bool | None  # None: it depends on what was not told


@dataclass(frozen=True, slots=True)
class Elevation:
    """`who` may run `item`; `asks`: they are asked for a password first. `because` says what decides it.

    `everything_as_root`: it gives all of root, every command or what starts any.
    """

    who: str
    tool: str
    item: Item
    asks: bool | Unknown
    because: str
    everything_as_root: bool | Unknown = False
    where: tuple[str, ...] = ()

    @property
    def runs_as(self) -> str:
        users = ",".join(_users(self.item))
        return f"{users}:{','.join(self.item.groups)}" if self.item.groups else users

    @property
    def text(self) -> str:
        """As a register of exceptions writes it: `deploy (root) /usr/bin/systemctl ...`."""
        parts = ("doas" if self.tool == "doas" else "", self.who, f"({self.runs_as})", self.item.command)
        return " ".join(p for p in (*parts, self.item.arguments) if p)


def elevations(told: Rules, people: People) -> list[Elevation]:
    """In the order of the rules, each command once for each of whom a rule names; without those that are root already.

    A rule for another host is none here. sudo takes the last rule that matches: one that a later rule for everything
    stands above is never taken.
    """
    found: list[Elevation] = []
    above: list[tuple[str, Item]] = []
    implicit = _implicit(told.defaults)
    for rule in reversed(told.rules):
        if _here(rule.hosts, told.names) is False:
            continue
        for item in (_run_by(i, implicit) if rule.tool == "sudo" else i for i in reversed(rule.items)):
            for who in reversed(rule.users):
                if not _counts(who, item, people) or (rule.tool == "sudo" and _stands_above(above, who, item, people)):
                    continue
                asks, because = _asked(told, rule, who, item, people)
                found.append(
                    Elevation(who, rule.tool, item, asks, because, _everything_as_root(item, people), rule.where)
                )
            if len(above) < COVERS_KEPT and _is_all(rule, item, told.names):
                above += [(who, item) for who in rule.users]
    return found[::-1]


def _counts(who: str, item: Item, people: People) -> bool:
    account = people.accounts.get(who)
    root = who in ("root", "#0") or (account is not None and account.uid == 0)
    return not (root or who.startswith("!") or item.negated or item.command == "list")


def _implicit(defaults: Iterable[Default]) -> str:
    """Whom a rule runs as that names nobody; "?" where it is not the same for all."""
    named = [line for line in defaults if line.name == "runas_default"]
    everybodys = all(line.to == "-" for line in named)
    return (named[-1].value if everybodys else "?") if named else "root"


def _run_by(item: Item, implicit: str) -> Item:
    return item if item.users or item.groups or implicit == "root" else replace(item, users=(implicit,))


def _users(item: Item) -> tuple[str, ...]:
    """A rule that names nobody runs as root; one that names groups alone, as whoever runs it."""
    if item.users:
        return item.users
    return ("",) if item.groups else ("root",)


# ---------------------------------------------------------------- is it all of root


def _everything_as_root(item: Item, people: People) -> bool | Unknown:
    root, everything = _or(_is_root(name, people) for name in _users(item)), _everything(item)
    if root is False or everything is False:
        return False
    if root is None:
        return Unknown("not_told", f"whether {','.join(_users(item))[:80]} is root")
    return everything or Unknown("not_told", "which commands a pattern allows")


def _is_root(name: str, people: People) -> Truth:
    """Whether a name that a rule runs as, or the members of a group, have uid 0."""
    if name in ("root", "ALL"):
        return True
    if name.startswith("#"):
        return name[1:].isdigit() and not name[1:].strip("0")
    if name.startswith("!") or not name:
        return False
    zero = {a.name for a in people.accounts.values() if a.uid == 0}
    return name in zero or _or(same(name, one, people) for one in zero or {"root"})


def _everything(item: Item) -> Truth:
    command, free = item.command, item.arguments in ("", "...*")
    if command == "ALL" or _name(command) in BECOMING:
        return True
    if command.startswith("^"):
        return None
    if command == "sudoedit":  # without arguments any file, sudoers too
        return True if not item.arguments else None if item.arguments == "...*" else False
    if "[" in command:
        return None if free else False
    if command.endswith("/"):
        return command in FOLDERS or None
    if set("*?") & set(command):
        wide = SHELLS | BECOMING if free else BECOMING
        return any(_fits(command, folder + name) for folder in FOLDERS for name in wide)
    return free and bool({_name(command), _name(command).rstrip("0123456789.")} & SHELLS)


def _name(command: str) -> str:
    return command.rpartition("/")[2]


def _fits(pattern: str, path: str) -> bool:
    """No star of sudo's stands for a slash."""
    return pattern.count("/") == path.count("/") and glob(pattern, path)


# ---------------------------------------------------------------- the last rule wins


def _is_all(rule: Rule, item: Item, names: Sequence[str]) -> bool:
    """Everything, always, and for all of whom it names."""
    if rule.tool != "sudo" or item.command != "ALL" or item.sometimes or _here(rule.hosts, names) is not True:
        return False
    return not any(name.startswith("!") for name in (*rule.users, *_users(item), *item.groups))


def _stands_above(above: Sequence[tuple[str, Item]], who: str, item: Item, people: People) -> bool:
    return any(_wider(one, item) and same(later, who, people) is True and _not_less(later, who) for later, one in above)


def _not_less(later: str, who: str) -> bool:
    """A rule for one member stands above no rule for the group."""
    return later in (who, "ALL") or not (who.startswith("%") or who == "ALL")


def _wider(later: Item, item: Item) -> bool:
    users = "ALL" in _users(later) or set(_users(item)) <= set(_users(later))
    return users and ("ALL" in later.groups or set(item.groups) <= set(later.groups))


# ---------------------------------------------------------------- is a password asked


def _asked(told: Rules, rule: Rule, who: str, item: Item, people: People) -> tuple[bool | Unknown, str]:
    if rule.tool == "doas":
        return item.asks is not False, "NOPASSWD" if item.asks is False else PASSWORD
    if _here(rule.hosts, told.names) is None:
        return Unknown("not_told", "the rule names hosts by address or group, or by another name of this one"), "hosts"
    if item.asks is False:
        return False, "NOPASSWD"
    lines = Lines(told, who, item, people)
    ways = [
        (_is_off(lines, item), "!authenticate"),
        (lines.truth("exempt_group", lambda v: same("%" + v, who, people) if v else False), "exempt_group"),
        (lines.truth("timestamp_timeout", _never_again), "timestamp_timeout below 0"),
    ]
    for unasked, because in ways:
        if unasked is True:
            return False, because
    for unasked, because in ways:
        if unasked is None:
            return MAYBE, because
    return True, "asks root's password" if told.asks_root_password else PASSWORD


def _is_off(lines: Lines, item: Item) -> Truth:
    """Generic, host, user and runas lines first, then the rule's own tag, then the lines for commands."""
    first = lines.truth("authenticate", _says_no, "-@:>")
    return lines.truth("authenticate", _says_no, "!", first if item.asks is None else not item.asks)


def _says_no(value: str) -> Truth:
    return value != "yes"


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _never_again(value: str) -> Truth:
    """A negative timeout: the password is asked once, and then never until the next boot."""
    return value.startswith("-") if re.fullmatch(r"-?[0-9.]{0,20}", value) else None


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of Defaults, as they bear on one command that somebody may run."""

    told: Rules
    who: str
    item: Item
    people: People

    def truth(self, name: str, test: Callable[[str], Truth], kinds: str = "-@:>!", start: Truth = False) -> Truth:
        """Whether a test holds for something that the rule lets somebody do, after each line of these kinds in turn."""
        state = start
        for line in self.told.defaults:
            if line.name == name and line.to in kinds:
                state = _after(state, test(line.value), *self.bearing(line))
        return state

    def bearing(self, line: Default) -> _Bearing:
        if line.to == "-":
            return True, True
        if line.to == "@":
            here = _here(line.among, self.told.names)
            return here, here
        if line.to == ":":
            return self._of(line, self.who)
        if line.to == ">":
            return _both(self._of(line, user) for user in _users(self.item) if not user.startswith("!"))
        return _listed(line.among, lambda name: _command(name, self.item.command))


    def _of(self, line: Default, who: str) -> _Bearing:
        return _listed(line.among, lambda name: _user(name, who, self.people))


_Bearing = tuple[Truth, Truth]  # on all that a rule lets somebody do, and on some of it


def _after(state: Truth, value: Truth, whole: Truth, part: Truth) -> Truth:
    """What holds for something, once a line says it of these: a line about a part takes nothing from the rest."""
    if part is False:
        return state
    if whole is True:
        return value
    if value is True:
        return True if part is True or state is True else None
    if value is False and state is False:
        return False
    return state if whole is False and (value is False or state is True) else None


def _listed(names: Iterable[str], bears: Callable[[str], _Bearing]) -> _Bearing:
    """The last element that matches decides: what is named with a `!` is taken out."""
    whole: Truth = False
    part: Truth = False
    for name in names:
        all_of, some_of = bears(name.lstrip("!"))
        if name.startswith("!"):
            whole, part = _and((whole, _not(some_of))), _and((part, _not(all_of)))
        else:
            whole, part = _or((whole, all_of)), _or((part, some_of))
    return whole, part


def _both(found: Iterable[_Bearing]) -> _Bearing:
    seen = list(found)
    return _and(whole for whole, _ in seen), _or(part for _, part in seen)


def _user(name: str, who: str, people: People) -> _Bearing:
    """Whether a name of sudo stands for all of whom another stands for, and for some of them."""
    some_of = same(name, who, people)
    if name in (who, "ALL"):
        return True, True
    if who == "ALL" or who.startswith("%"):
        members = None if who == "ALL" else _members(who, people)
        if members is None or people.directory:
            return (False if some_of is False or name[:1] not in ("%", "+", "?") else None), some_of
        return _and(same(name, member, people) for member in members), some_of
    return some_of, some_of


def _command(named: str, command: str) -> _Bearing:
    """The same of commands. sudo compares files, not paths: those of one name in two folders may be one."""
    if named in ("ALL", command):
        return True, True
    if command == "ALL":
        return False, True
    if set("*?[^") & set(named + command):
        return None, None
    if command.endswith("/"):
        within = named.rpartition("/")[0] + "/" == command
        return False, True if within else None
    folder, _, name = command.rpartition("/")
    if named.endswith("/"):
        inside = True if folder + "/" == named else None
        return inside, inside
    found = None if _name(named) == name else False
    return found, found


def _or(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    return True if True in seen else None if None in seen else False


def _and(truths: Iterable[Truth]) -> Truth:
    seen = list(truths)
    return False if False in seen else None if None in seen else True


def same(one: str, other: str, people: People) -> Truth:
    """Whether two names of sudo (a login, #uid, %group, ALL ...) have somebody in common."""
    one, other = _login(one, people), _login(other, people)
    if one == other or "ALL" in (one, other):
        return True
    if one.lower() == other.lower():  # case_insensitive_user and case_insensitive_group are the default of newer ones
        return None
    if any(n[:1] in ("+", "?") or n[:2] == "%:" or "?" in n for n in (one, other)):
        return None
    if not (one.startswith("%") or other.startswith("%")):
        return False
    sets = [_members(n, people) if n.startswith("%") else {n} for n in (one, other)]
    if sets[0] is not None and sets[1] is not None and sets[0] & sets[1]:
        return True
    return None if people.directory or None in sets else False


def _login(name: str, people: People) -> str:
    if not name.startswith("#"):
        return name
    uid = name[1:].lstrip("0") or "0"
    return next((a.name for a in people.accounts.values() if str(a.uid) == uid), name)


def _members(name: str, people: People) -> set[str] | None:
    """None: only a directory may know the group."""
    group = named_group(people, name[1:])
    if group is None:
        return None if people.directory else set()
    return set(people.members(group))


# ---------------------------------------------------------------- is it about this host


def _here(hosts: Sequence[str], names: Sequence[str]) -> Truth:
    """Whether a list of hosts names this one; None: it names addresses or groups, or this host's domain is not told.

    Also where the names that the host goes by do not agree: which of them sudo takes depends on its setting `fqdn`.
    """
    found = {_called(hosts, name) for name in names}
    return found.pop() if len(found) == 1 else None


def _called(hosts: Sequence[str], name: str) -> Truth:
    state: Truth = False
    for host in hosts:
        match, value = _is_here(host.lstrip("!"), name), not host.startswith("!")
        state = value if match is True else state if match is False or state == value else None
    return state


def _is_here(host: str, name: str) -> Truth:
    short = name.partition(".")[0]
    if host == "ALL" or host.lower() in (name.lower(), short.lower()):
        return True
    if not name or re.fullmatch(r"[0-9a-fA-F.:/]*[.:/][0-9a-fA-F.:/]*|\+.*|.*[\[?].*", host):
        return None
    if "*" in host:
        fits = glob(host.lower(), name.lower()) or glob(host.lower(), short.lower())
        return fits or (None if "." in host and "." not in name else False)
    domain_unknown = "." in host and "." not in name and host.partition(".")[0].lower() == short.lower()
    return None if domain_unknown else False
