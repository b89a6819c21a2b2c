"""Files of sudoers as people and programs write them, and as nobody should: every spacing, quoting and negation of the grammar."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Part = Callable[[Random], str]
USUAL = (
    'Defaults\tenv_reset\nDefaults\tsecure_path="/usr/local/sbin:/usr/bin"\nDefaults use_pty\nroot\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n',
    'Defaults   !visiblepw\nDefaults env_keep =  "COLORS DISPLAY"\nDefaults env_keep += "MAIL QTDIR"\nroot ALL=(ALL) ALL\n%wheel\tALL=(ALL)\tALL\n',
    "User_Alias ADM=alice, bob : OPS = %ops\nCmnd_Alias SVC = /usr/bin/systemctl restart nginx, /usr/bin/id\nHost_Alias WEB = web01, 10.0.0.0/8\n"
    "Runas_Alias DB = postgres, root\nADM WEB=(DB) NOPASSWD: SVC, PASSWD: /bin/cat /var/log/*\nOPS ALL = NOEXEC: /usr/bin/less\n"
    f"bob ALL=(ALL) NOPASSWD: sha224:{'a' * 56} /bin/ls, sudoedit /etc/hosts\n",
    "Defaults:bob !authenticate\nDefaults>root timestamp_timeout=5\nDefaults!/usr/bin/id !requiretty\nDefaults@web01 insults\n"
    'bob ALL = (root) NOPASSWD: /bin/sh -c "a b", !/bin/su\nann ALL=(ALL) CWD=/x NOPASSWD: /bin/y\n',
)
PUT = [
    *"\\\"#,:=!()%@+ \t\n\rA1a*[]^~/-.<>|'$",
    "ALL",
    "NOPASSWD:",
    "Defaults",
    "root",
    "\\\n",
    "\\ \n",
    "\0",
    "é",
    '""',
    "User_Alias X=",
    "sha256:",
]
ALIASES = [
    "User_Alias UA = bob, %ops", "User_Alias UB = !alice", "Host_Alias HA = ALL", "Runas_Alias RA = root",
    "Cmnd_Alias CA = /bin/ls, !/bin/cat", "Cmnd_Alias CB = CA, /bin/id",
]  # fmt: skip
USERS = r'bob alice ALL %ops %sudo #1001 %#60 "bob" "%ops" "alice_b" bo\ b +ng %:dom UA UB bob@ex.org b.ob DOM\\bob b\,c éve "#1001" b\x62 x$ "x:y"'
HOSTS = 'ALL ALL ALL web01 HA 10.0.0.1 10.0.0.0/8 fe80::1 ::1 +hosts *.ex.org web* w[e]b01 "web01" web01.ex.org'
RUNAS = r'root ALL bob %ops #0 RA +ng "root" #1001 %#0 %:x "a_b" a\ b'
TAGS = "NOPASSWD NOPASSWD PASSWD EXEC NOEXEC SETENV LOG_INPUT NOMAIL FOLLOW INTERCEPT"
OPTIONS = (
    "CWD=/x",
    "CWD = ~",
    "CHROOT=/x",
    "TIMEOUT=1h",
    "NOTBEFORE=20200101000000Z",
    "NOTAFTER=20990101000000Z",
    'CWD="/a b"',
    "ROLE=a",
)
DIGESTS = (f"sha256:{'a' * 64}", f"sha224 : {'b' * 56}", f"sha256:{'a' * 64}, sha512:{'c' * 128}")
COMMANDS = (
    "ALL", "ALL", "/bin/ls", "/bin/ls -l", '/bin/ls ""', "/bin/ls *", "/usr/bin/", "/usr/bin/vi*", "sudoedit /etc/x", "sudoedit", "CA", "CB", "list",
    "^/bin/.*$", "^/bin/l(s|x)$ ^-a,b$", r"/bin/a\,b", r"/bin/a\ b", r"/bin/a\:b x", "/bin/x #c", "/bin/x a=b", r"/bin/x a\:b", '/bin/x "q,q" r',
    "/bin/x (a)", "/bin/x !y", "/bin/x a:b", "/bin/(x)", "/bin/x NOPASSWD:", "~/x", "/bin/x 5#c",
)  # fmt: skip
SETTINGS = (
    "authenticate", "authenticate", "rootpw", "targetpw", "runaspw", "timestamp_timeout", "exempt_group", "requiretty", "verifypw", "pam_service",
)  # fmt: skip
VALUED = "timestamp_timeout exempt_group runas_default pam_service pam_login_service pam_askpass_service verifypw badpass_message env_keep"
VALUES = (
    "5",
    "-1",
    "ops",
    "staff",
    "never",
    '"ops"',
    '"a b"',
    '"-1"',
    "bob",
    '"!authenticate"',
    '"a, !authenticate"',
    r"a\,b",
    "-1.5",
    "x#y",
)
ENDS = ("",) * 8 + (" # c", " # c \\", "#c", "\r", " \\", "\\", " ", "\t", "#-", "# bob ALL=ALL")
LINES = ("# c", "# c \\", "", "#1001 ALL=ALL", "#-1, bob ALL=NOPASSWD: ALL", "  # x", "#", "@include x")


def file(r: Random) -> str:
    lines = [r.choice(LINES) if r.random() < 0.3 else _line(r) for _ in range(r.choice((1, 1, 2, 3)))]
    return "\n".join([*(ALIASES if r.random() < 0.6 else []), *lines]) + r.choice(("\n", "\n", "", "\\\n"))


def broken(r: Random) -> str:
    """A usual file, or one of any kind, with a letter or two too many or too few."""
    text = r.choice((*USUAL, file(r).replace("@include", "#")))
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        at = r.randrange(len(text) + 1)
        text = text[:at] + (r.choice(PUT) if r.random() < 0.5 else "") + text[at + r.choice((0, 0, 1, 2, 5)) :]
    return text


def _blank(r: Random) -> str:
    return r.choice(("", " ", " ", " ", "\t", " \\\n ", "\\\n\t", "\\ \n"))


def _space(r: Random) -> str:
    return r.choice((" ", " ", " ", "\t", " \\\n "))


def _list(r: Random, part: Part) -> str:
    return f"{_blank(r)},{_blank(r)}".join(part(r) for _ in range(r.choice((1, 1, 2, 3))))


def _name(words: str) -> Part:
    known = [word if "\\" in word else word.replace("_", " ") for word in words.replace("\\ ", "\\_").split()]
    return lambda r: r.choice(("", "", "", "!", "! ", "!!")) + r.choice(known).replace("\\_", "\\ ")


_user, _host, _runas = _name(USERS), _name(HOSTS), _name(RUNAS)


def _command(r: Random) -> str:
    return r.choice(("", "", "", "!", "! ")) + r.choice(COMMANDS)


def _run(r: Random) -> str:
    users, groups = _list(r, _runas), _list(r, _runas)
    return r.choice(
        ("", "", "", "()", "(:)", f"({users})", f"({users}{_blank(r)}:{_blank(r)}{groups})", f"(:{groups})")
    )


def _item(r: Random) -> str:
    tags = "".join(
        r.choice(TAGS.split()) + r.choice((":", " :", ": ", ": \\\n")) for _ in range(r.choice((0, 0, 1, 2)))
    )
    options = "".join(r.choice(OPTIONS) + _space(r) for _ in range(r.choice((0, 0, 0, 1, 2))))
    digest = r.choice(DIGESTS) + _space(r) if r.random() < 0.1 else ""
    parts = [_run(r), options, tags]
    if r.random() < 0.1:
        r.shuffle(parts)
    return _blank(r).join(part for part in parts if part) + _blank(r) + digest + _command(r)


def _allowed(r: Random) -> str:
    return f"{_list(r, _host)}{_blank(r)}={_blank(r)}{_list(r, _item)}"


def _rule(r: Random) -> str:
    more = f"{_blank(r)}:{_blank(r)}{_allowed(r)}" if r.random() < 0.2 else ""
    return f"{_blank(r)}{_list(r, _user)}{_space(r)}{_allowed(r)}{more}"


def _setting(r: Random) -> str:
    if r.random() < 0.7:
        return r.choice(("", "!", "! ", "!!", "!\\\n", "!\t")) + r.choice(SETTINGS)
    return r.choice(VALUED.split()) + r.choice(("=", " = ", "+=", "=\\\n")) + r.choice(VALUES)


def _defaults(r: Random) -> str:
    kinds: dict[str, Part] = {"": lambda r: "", "@": _host, ":": _user, ">": _runas, "!": _command}
    to = r.choice(("", "", "", *kinds))
    among = f"{to}{_blank(r)}{_list(r, kinds[to])}" if to else ""
    return f"Defaults{r.choice(('', '', ' '))}{among}{_space(r)}{_list(r, _setting)}"


def _alias(r: Random) -> str:
    kinds: dict[str, tuple[str, Part]] = {
        "User": ("U", _user),
        "Host": ("H", _host),
        "Runas": ("R", _runas),
        "Cmnd": ("C", _command),
    }
    kind = r.choice(list(kinds))
    letter, part = kinds[kind]
    named = [f"{letter}{last}{_blank(r)}={_blank(r)}{_list(r, part)}" for last in r.choice(("A", "C", "CD"))]
    return f"{kind}_Alias{_space(r)}" + f"{_blank(r)}:{_blank(r)}".join(named)


def _line(r: Random) -> str:
    return r.choice((_rule, _rule, _defaults, _defaults, _alias))(r) + r.choice(ENDS)
