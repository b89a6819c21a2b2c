"""What a host tells of its accounts and groups in; who is privileged there, and because of what, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown

REMEMBERED = 8  # answers: several probes read the same of one host

# Members of these groups are root, or can become it: docker, lxd, incus-admin, libvirt and disk without any sudo rule; those of
# shadow read every password's hash.
ADMIN_GROUPS = ("sudo", "wheel", "admin", "adm", "docker", "lxd", "incus-admin", "libvirt", "disk", "shadow", "root")
# These only matter for people: distributions put system accounts in them.
GROUPS_OF_PEOPLE = ("adm", "shadow", "root")
NO_LOGIN = ("nologin", "false", "true", "sync", "shutdown", "halt")
# Sources of nsswitch.conf that stand on the host; any other may know accounts and groups that its files do not.
OWN_SOURCES = ("files", "systemd", "db", "altfiles", "usrfiles", "extrausers", "mymachines")

# Password fields and comments (real names) stay on the host.
PEOPLE = Command(
    r"""f=/etc/nsswitch.conf
[ -e "$f" ] || f=/usr/etc/nsswitch.conf
if [ -e "$f" ]; then set -- k=n "$f"; else set --; fi
for g in /etc/passwd /etc/group; do [ -f "$g" ] && [ -r "$g" ] || exit 1; done
getent group sudo wheel admin adm docker lxd incus-admin libvirt disk shadow root 2>/dev/null | awk -F: '
  k == "p" { print "p:" $1 ":" $3 ":" $4 ":" $6 ":" $7 }
  k == "g" { print "g:" $1 ":" $3 ":" $4 }
  k == "n" && /^[ \t]*(passwd|group)[ \t]*:/ { sub(/^[^:]*:/, ""); print "n:" $0 }' k=p /etc/passwd k=g /etc/group - "$@" || exit 1
echo end
""",
    cap_bytes=2097152,  # 10,000 accounts, each with a group of its own
)


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str = ""
    shell: str = ""

    @property
    def can_log_in(self) -> bool:
        """An empty shell is /bin/sh."""
        return self.shell.rpartition("/")[2] not in NO_LOGIN


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    gid: int
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """`accounts` are the host's own; `groups` also those that it was asked for. `directory`: others may exist beside."""

    accounts: Mapping[str, Account]
    groups: Mapping[str, Group]
    directory: bool = False

    def members(self, group: Group) -> tuple[str, ...]:
        """Those that the group lists, and those whose first group it is."""
        first = (a.name for a in self.accounts.values() if a.gid == group.gid)
        return tuple(dict.fromkeys((*group.members, *first)))

    def login(self, name: str) -> str:
        """The account that sudo takes a name for: BOB is bob where there is no BOB."""
        alike = (a for a in self.accounts if a.lower() == name.lower())
        return name if name in self.accounts else next(alike, name)

    def groups_of(self, name: str) -> frozenset[str]:
        """The groups of an account, as far as the host's own files tell."""
        first = self.accounts[name].gid if name in self.accounts else None
        return frozenset(g.name for g in self.groups.values() if name in g.members or g.gid == first)

    def memberships(self) -> Mapping[str, frozenset[str]]:
        """The same for every account that a group has, found in one go."""
        by_gid: dict[int, list[str]] = {}
        for account in self.accounts.values():
            by_gid.setdefault(account.gid, []).append(account.name)
        found: dict[str, set[str]] = {}
        for group in self.groups.values():
            for member in (*group.members, *by_gid.get(group.gid, ())):
                found.setdefault(member, set()).add(group.name)
        return {name: frozenset(groups) for name, groups in found.items()}


@dataclass(frozen=True, slots=True)
class Privileged:
    """`because` by name; a name that begins with % or + (or is ALL) is a group whose members were not told."""

    because: Mapping[str, tuple[str, ...]]

    @property
    def collective(self) -> tuple[str, ...]:
        return tuple(n for n in self.because if n[:1] in ("%", "+") or n == "ALL")


def people(answer: Answer) -> People | Unknown:
    """The answer to PEOPLE. Raises Unreadable when it is cut or shows no account with uid 0."""
    return answer.unknown() if isinstance(answer, Failure) else _people(answer.exit_code, answer.text)


@lru_cache(maxsize=REMEMBERED)
def _people(exit_code: int, text: str) -> People:
    lines = text.removesuffix("\n").split("\n")  # no other character ends a line of passwd(5)
    if exit_code or not lines or lines[-1] != "end":
        raise Unreadable("the list of accounts is not complete")
    found = read(lines)
    if not any(a.uid == 0 for a in found.accounts.values()):
        raise Unreadable("no account with uid 0")
    return found


def read(lines: Iterable[str]) -> People:
    """`p:name:uid:gid:home:shell`, `g:name:gid:members` and `n:sources`; a row that makes no sense raises Unreadable."""
    accounts: dict[str, Account] = {}
    groups: dict[str, Group] = {}
    directory = False
    for line in lines:
        kind, _, rest = line.partition(":")
        if kind in ("p", "g") and rest[:1] in ("+", "-"):  # the old NIS marks
            directory = True
        elif kind == "p":
            account = _account(rest.split(":", 4))
            accounts.setdefault(account.name, account)
        elif kind == "g":
            group = _group(rest.split(":", 2))
            groups[group.name] = _joined(groups.get(group.name), group)
        elif kind == "n":
            sources = re.sub(r"\[[^\]]*\]|#.*", " ", rest).split()
            directory = directory or any(word not in OWN_SOURCES for word in sources)
    return People(accounts, groups, directory)


def _joined(known: Group | None, group: Group) -> Group:
    members = (*known.members, *group.members) if known else group.members
    return Group(group.name, known.gid if known else group.gid, tuple(dict.fromkeys(members)))


def _account(fields: list[str]) -> Account:
    if len(fields) != 5:
        raise Unreadable("a row of passwd with other columns")
    name, uid, gid, home, shell = fields
    return Account(name, _number(uid), _number(gid), home, shell)


def _group(fields: list[str]) -> Group:
    if len(fields) != 3:
        raise Unreadable("a row of group with other columns")
    return Group(fields[0], _number(fields[1]), tuple(m.strip() for m in fields[2].split(",") if m.strip()))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Unreadable("a uid or gid that is no number")
    return int(text)


def privileged(people: People, sudo_subjects: Iterable[str]) -> Privileged:
    """uid 0, members of the admin groups, and the subjects of sudo (or doas) rules."""
    because: dict[str, list[str]] = {}

    zero = [(a.name, "uid 0") for a in people.accounts.values() if a.uid == 0]
    groups = [entry for name in ADMIN_GROUPS for entry in _in_group(people, name)]
    granted = [entry for subject in sudo_subjects for entry in _granted(people, subject)]
    for name, why in (*zero, *groups, *granted):
        reasons = because.setdefault(name, [])
        if why not in reasons:
            reasons.append(why)
    return Privileged({name: tuple(reasons) for name, reasons in because.items()})


def expanded(found: Privileged, people: People) -> Mapping[str, tuple[str, ...]]:
    """The accounts by name; a rule for ALL makes an administrator of everybody with a shell."""
    own = {n: why for n, why in found.because.items() if n not in found.collective}
    if "ALL" in found.collective:
        for account in people.accounts.values():
            if account.can_log_in:
                own.setdefault(account.name, ("sudo rule for ALL",))
    return own


def _in_group(people: People, name: str) -> Iterator[tuple[str, str]]:
    group = people.groups.get(name)
    for member in people.members(group) if group else ():
        account = people.accounts.get(member)
        person = account is None or (account.can_log_in and account.uid != 0)
        if person or name not in GROUPS_OF_PEOPLE:
            yield member, f"group {name}"


def _granted(people: People, subject: str) -> tuple[tuple[str, str], ...]:
    if subject.startswith("!") or not subject:  # an exception narrows a rule; counting it is the careful side
        return ()
    if subject.startswith("#"):
        uid = subject[1:].lstrip("0") or "0"
        named = next((a.name for a in people.accounts.values() if str(a.uid) == uid), subject)
        return ((named, "sudo rule"),)
    if not subject.startswith("%"):
        return ((people.login(subject), "sudo rule"),)
    group = named_group(people, subject[1:])
    members = people.members(group) if group else ()
    if members:
        return tuple((member, f"sudo rule for {subject}") for member in members)
    # a group that does not exist grants nothing, unless a directory may know it
    return ((subject, "sudo rule"),) if people.directory or subject.startswith("%:") else ()


def named_group(people: People, name: str) -> Group | None:
    """By its name, as sudo finds it (it takes BOB for bob), or `#gid`: no file may tell the name of a first group."""
    if not name.startswith("#"):
        return people.groups.get(name) or next((g for n, g in people.groups.items() if n.lower() == name.lower()), None)
    gid = name[1:].lstrip("0") or "0"
    known = next((g for g in people.groups.values() if str(g.gid) == gid), None)
    return known or next((Group(name, a.gid) for a in people.accounts.values() if str(a.gid) == gid), None)
