"""The texts of /etc/pam.d in; which proofs a service asks for, over every path through its `auth` stack, out. Pure.

The dispatch follows Linux-PAM's pam.conf(5) and `_pam_dispatch_aux`: `include` is textual, `substack` ends on its own,
a jump counts modules of its own level, and a stack that nothing said yes to refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers.files import Files

# Where libpam looks, first one first.
DIRECTORIES = ("/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/")

# Prints the `auth` lines only, and of an option `name=value` never the value: some modules take a password there.
STACKS = Command(
    r"""l=
n='
'
for f in /etc/pam.d/* /usr/lib/pam.d/* /usr/etc/pam.d/*; do
  [ -f "$f" ] || continue
  if [ -r "$f" ]; then printf 'f\t%s\n' "$f"; l="$l$f$n"; else printf '!\t%s\n' "$f"; fi
done
set -f
IFS=$n
if [ -n "$l" ]; then
  awk 'FNR == 1 { b = "" }
    { if (sub(/\\$/, " ")) { b = b $0; next } $0 = b $0; b = ""; sub(/#.*/, "") }
    tolower($1) !~ /^(-?auth|@include)$/ { next }
    { match($0, /^[ \t]*[^ \t]+[ \t]+(\[[^]]*\]|[^ \t]+)/); h = substr($0, 1, RLENGTH); t = substr($0, RLENGTH + 1)
      while (match(t, /\[[^]]*\]/)) { w = substr(t, RSTART + 1, RLENGTH - 2)
        if (w !~ /^[A-Za-z_-]+=/) w = "*"
        sub(/=.*/, "=*", w); t = substr(t, 1, RSTART - 1) w substr(t, RSTART + RLENGTH) }
      gsub(/=[^ \t]+/, "=*", t); print "=\t" FILENAME "\t" h t }' $l || exit 1
fi
echo end
""",
    cap_bytes=262144,
)

PASSWORD = frozenset({"pam_unix", "pam_unix2", "pam_tcb", "pam_ldap", "pam_krb5", "pam_winbind", "pam_pwdfile"})
TOKEN = frozenset({"pam_google_authenticator", "pam_oath", "pam_u2f", "pam_yubico", "pam_otpw"})
# What these ask for is decided elsewhere (a server, their own file): they count for nothing that can be told here.
TOLD_ELSEWHERE = "?"
NEUTRAL = frozenset(
    [
        "pam_env",
        "pam_faildelay",
        "pam_faillock",
        "pam_tally",
        "pam_tally2",
        "pam_nologin",
        "pam_motd",
        "pam_cap",
        "pam_group",
        "pam_warn",
        "pam_echo",
        "pam_shells",
        "pam_securetty",
        "pam_loginuid",
        "pam_keyinit",
        "pam_umask",
        "pam_limits",
        "pam_lastlog",
        "pam_issue",
        "pam_selinux",
        "pam_sepermit",
        "pam_systemd",
        "pam_mail",
        "pam_ssh_add",
        "pam_gnome_keyring",
        "pam_kwallet",
        "pam_kwallet5",
    ]
)
CONDITIONS = frozenset(
    [
        "pam_succeed_if",
        "pam_access",
        "pam_listfile",
        "pam_localuser",
        "pam_usertype",
        "pam_time",
        "pam_wheel",
        "pam_rhosts",
        "pam_rootok",
    ]
)
OPTIONAL_TOKEN = ("nullok", "nouserok")
NO_TOKEN = ("alwaysok",)  # whoever comes is let through, enrolled or not
_ALL_TOKENS = frozenset({"debug", "try_first_pass", "use_first_pass"})
# Per module, the options that let nobody through without the token; any other leaves it open what the module asks for.
HARMLESS = {
    "pam_google_authenticator": _ALL_TOKENS
    | frozenset(["secret", "authtok_prompt", "user", "no_strict_owner", "allowed_perm", "forward_pass", "noskewadj"])
    | frozenset(["no_increment_hotp", "echo_verification_code", "allow_readonly"]),
    "pam_oath": _ALL_TOKENS | frozenset({"usersfile", "window", "digits"}),
    "pam_u2f": _ALL_TOKENS
    | frozenset(
        [
            "authfile",
            "authpending_file",
            "origin",
            "appid",
            "cue",
            "cue_prompt",
            "interactive",
            "prompt",
            "manual",
            "debug_file",
        ]
    )
    | frozenset(
        ["openasuser", "expand", "max_devices", "userverification", "pinverification", "sshformat", "nodetect"]
    ),
    "pam_yubico": _ALL_TOKENS
    | frozenset(
        [
            "authfile",
            "id",
            "key",
            "url",
            "urllist",
            "capath",
            "cainfo",
            "proxy",
            "verbose_otp",
            "token_id_length",
            "debug_file",
            "mode",
        ]
    )
    | frozenset(
        ["chalresp_path", "ldap_uri", "ldapserver", "ldapdn", "ldap_bind_user", "ldap_bind_password", "ldap_filter"]
    )
    | frozenset(["ldap_cacertfile", "ldap_starttls", "yubi_attr", "yubi_attr_prefix", "user_attr"]),
    "pam_otpw": _ALL_TOKENS,
}
_SAID_ELSEWHERE = {"success", "new_authtok_reqd", "ignore", "default", "auth_err", "user_unknown"}
DEPTH = 16
STATES = 4096

_LINE = re.compile(r"^(-?)(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$")
_WORDS = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One module of a flattened stack. `level` counts the substacks around it; a substack's own mark has no module."""

    level: int
    actions: Mapping[str, str]
    module: str
    options: tuple[str, ...] = ()
    may_be_missing: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """The account that a stack is walked for."""

    name: str
    uid: int | None
    local: bool
    groups: frozenset[str] = frozenset()
    empty_password_allowed: bool = False
    no_password: bool = False  # surely none that pam_unix could take: the account is locked
    called_by_root: bool = True  # as sshd and login are; who calls su or sudo is not
    has: frozenset[str] = frozenset()  # token modules that it is surely enrolled in
    lacks: frozenset[str] = frozenset()  # token modules that it is surely not enrolled in


@dataclass(frozen=True, slots=True)
class Path:
    """One way to be let in: the proofs given, and the condition that this depends on, if any."""

    proofs: frozenset[str]
    depends_on: str = ""


Texts = Mapping[str, str]


def read(answer: Answer) -> Files:
    """The answer to STACKS. Raises Unreadable when it is cut or of another shape."""
    if isinstance(answer, Failure):
        return Files({}, (), answer.unknown())
    lines = answer.text.splitlines()
    if answer.exit_code or not lines or lines[-1] != "end":
        raise Unreadable("the PAM files are not complete")
    texts: dict[str, str] = {}
    for line in lines[:-1]:
        kind, _, rest = line.partition("\t")
        path, _, text = rest.partition("\t")
        if kind == "f":
            texts[path] = ""
        elif kind == "=" and path in texts:
            texts[path] += text + "\n"
        elif kind != "!":
            raise Unreadable("the PAM files are not as asked")
    return Files(texts, tuple(line[2:] for line in lines if line.startswith("!\t")))


def service_text(texts: Texts, service: str) -> str | None:
    """None: no such service in any directory."""
    return next((texts[d + service] for d in DIRECTORIES if d + service in texts), None)


def stack(texts: Texts, service: str) -> tuple[Entry, ...] | Unknown:
    """The flattened `auth` stack of a service; `other` stands for a service without a file, as in libpam."""
    name = service if service_text(texts, service) is not None else "other"
    if service_text(texts, name) is None:
        return Unknown("not_told", f"no PAM file for {service}")
    try:
        return tuple(_flat(texts, name, 0, 0))
    except _Incomplete as why:
        return why.unknown


class _Incomplete(ValueError):
    """A stack that cannot be walked to its end."""

    def __init__(self, cause: str, detail: str) -> None:
        self.unknown = Unknown(cause, detail)
        super().__init__(detail)


def _flat(texts: Texts, name: str, level: int, depth: int) -> Iterator[Entry]:
    name = name.rpartition("/")[2] if name.startswith(DIRECTORIES) else name
    text = service_text(texts, name)
    if text is None:
        raise _Incomplete("not_told", f"PAM file {name} not seen")
    if depth > DEPTH:
        raise _Incomplete("unreadable", f"PAM files include each other: {name}")
    for line in _lines(text):
        yield from _entries(texts, line, level, depth)


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.partition("#")[0].strip()
        if line:
            yield line


def _entries(texts: Texts, line: str, level: int, depth: int) -> Iterator[Entry]:
    if line.startswith("@include"):
        yield from _flat(
            texts, line.split(None, 1)[1].strip() if " " in line or "\t" in line else "?", level, depth + 1
        )
        return
    match = _LINE.match(line)
    if not match:
        raise _Incomplete("unreadable", f"PAM line: {line[:80]}")
    dash, kind, control, module, options = match.groups()
    if kind.lower() != "auth":
        return
    if control.lower() == "include":
        yield from _flat(texts, module, level, depth + 1)
    elif control.lower() == "substack":
        yield Entry(level, {}, "")
        yield from _flat(texts, module, level + 1, depth + 1)
    else:
        name = module.rpartition("/")[2].removesuffix(".so")
        yield Entry(level, _actions(control), name, tuple(options.split()), bool(dash))


def _actions(control: str) -> Mapping[str, str]:
    if control.startswith("["):
        pairs = re.sub(r"\s*=\s*", "=", control.strip("[] ")).split()
        return {"default": "bad", **{k.lower(): v.lower() for k, _, v in (p.partition("=") for p in pairs)}}
    if control.lower() not in _WORDS:
        raise _Incomplete("unreadable", f"PAM control {control[:40]}")
    return _WORDS[control.lower()]


# ---------------------------------------------------------------- walking


_State = tuple[int, str, frozenset[str], str]  # place, impression (none, yes, no), proofs, condition


def paths(entries: tuple[Entry, ...], who: Who) -> frozenset[Path] | Unknown:
    """Every way through the stack that lets `who` in."""
    waiting: list[_State] = [(0, "none", frozenset(), "")]
    seen: set[_State] = set(waiting)
    found: set[Path] = set()
    while waiting:
        state = waiting.pop()
        if state[0] >= len(entries):
            if state[1] == "yes":
                found.add(Path(state[2], state[3]))
            continue
        for after in _step(entries, state, who):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
        if len(seen) > STATES:
            return Unknown("unreadable", "a PAM stack with too many paths")
    return frozenset(found)


def _step(entries: tuple[Entry, ...], state: _State, who: Who) -> Iterator[_State]:
    place, impression, proofs, condition = state
    entry = entries[place]
    if not entry.module:
        yield (place + 1, impression, proofs, condition)
        return
    for result, proof, gate in _results(entry, who):
        action = entry.actions.get(result, entry.actions.get("default", "bad"))
        given = proofs | {proof} if proof else proofs
        yield _acted(entries, place, (place, impression, given, condition or gate), action)


def _acted(entries: tuple[Entry, ...], place: int, state: _State, action: str) -> _State:
    _, impression, proofs, condition = state
    following = place + 1
    if action in ("ok", "done"):
        impression = "yes" if impression == "none" else impression
        if action == "done" and impression == "yes":
            following = _after_level(entries, place)
    elif action in ("bad", "die"):
        impression = "no"
        if action == "die":
            following = _after_level(entries, place)
    elif action == "reset":
        impression = "none"
    elif action.isdigit() and len(action) < 4:
        following = _jumped(entries, place, int(action))
    return (following, impression, proofs, condition)


def _after_level(entries: tuple[Entry, ...], place: int) -> int:
    level = entries[place].level
    return next((i for i in range(place + 1, len(entries)) if entries[i].level < level), len(entries))


def _jumped(entries: tuple[Entry, ...], place: int, count: int) -> int:
    """Past `count` modules of this level; a substack counts as one. A level that ends stops the jump."""
    level = entries[place].level
    at = place + 1
    while count and at < len(entries) and entries[at].level >= level:
        at += 1
        while at < len(entries) and entries[at].level > level:
            at += 1
        count -= 1
    return at


_Result = tuple[str, str, str]  # what the module returns, the proof that this took, the condition that decided


def _results(entry: Entry, who: Who) -> tuple[_Result, ...]:
    name = entry.module
    absent: tuple[_Result, ...] = (("ignore", "", ""),) if entry.may_be_missing else ()
    if name == "pam_deny":
        return (("auth_err", "", ""),)
    if name == "pam_permit":
        return (("success", "", ""),)
    if name in TOKEN:
        return absent + _token(entry, who) + _let_past(entry)
    if name in PASSWORD or name == "pam_sss":
        return absent + _password(entry, who) + _let_past(entry)
    if name in NEUTRAL:
        return _neutral(entry)
    if name in CONDITIONS:
        return _condition(entry, who)
    return (*absent, ("success", TOLD_ELSEWHERE + name, ""), ("auth_err", "", ""))


def _token(entry: Entry, who: Who) -> tuple[_Result, ...]:
    asked: tuple[_Result, ...] = (("success", "token", ""), ("auth_err", "", ""))
    names = [option.partition("=")[0] for option in entry.options]
    if any(name in NO_TOKEN for name in names):
        return (*asked, ("success", "", ""))
    if entry.module in who.has:
        names = [name for name in names if name not in OPTIONAL_TOKEN]
    else:  # what the modules return for whom they do not know; nothing but a control in brackets lets that pass
        asked += _unenrolled(entry, who, names)
    unknown = [name for name in names if name not in HARMLESS[entry.module] and name not in OPTIONAL_TOKEN]
    if unknown:  # it may pass, or step aside, without asking
        untold = f"{TOLD_ELSEWHERE}{entry.module} {unknown[0][:40]}"
        return (*asked, ("success", untold, ""), ("ignore", untold, ""))
    return asked


def _let_past(entry: Entry) -> tuple[_Result, ...]:
    """What a control in brackets names and does not refuse: a server that does not answer, a module that is not installed."""
    named = sorted(entry.actions.keys() - _SAID_ELSEWHERE)
    return tuple(
        (name, "", f"whether {entry.module} says {name}") for name in named if entry.actions[name] not in ("bad", "die")
    )


def _unenrolled(entry: Entry, who: Who, names: list[str]) -> tuple[_Result, ...]:
    """What the module may say to somebody who is not enrolled, as whoever is not surely enrolled may be."""
    gate = "" if entry.module in who.lacks else f"whether {who.name} is enrolled for {entry.module}"
    unknown: tuple[_Result, ...] = (("user_unknown", "", gate), ("authinfo_unavail", "", gate))
    if any(name in OPTIONAL_TOKEN for name in names):
        return (*unknown, ("success", "", gate), ("ignore", "", gate))
    return unknown


def _password(entry: Entry, who: Who) -> tuple[_Result, ...]:
    refused: _Result = ("auth_err", "", "")
    if entry.module == "pam_unix" and not who.local:
        return (("user_unknown", "", ""),)
    if entry.module == "pam_sss":
        # IPA may ask for a password and a code in one prompt, and the host cannot tell
        return (("user_unknown", "", ""),) if who.local else (("success", TOLD_ELSEWHERE + "pam_sss", ""), refused)
    if entry.module == "pam_unix" and who.no_password:
        return (refused,)
    taken: tuple[_Result, ...] = (("success", "password", ""), refused)
    if who.empty_password_allowed and "nullok" in entry.options:
        return (*taken, ("success", "", ""))
    return taken


def _neutral(entry: Entry) -> tuple[_Result, ...]:
    if entry.module == "pam_faillock" and "authfail" in entry.options:
        return (("auth_err", "", ""),)
    return (("success", "", ""), ("ignore", "", ""), ("auth_err", "", ""))


def _condition(entry: Entry, who: Who) -> tuple[_Result, ...]:
    holds = _holds(entry, who)
    if holds is None:
        gate = " ".join((entry.module, *entry.options))[:80]
        return (("success", "", gate), ("auth_err", "", gate), ("ignore", "", gate))
    return (("success", "", ""),) if holds else (("auth_err", "", ""),)


def _holds(entry: Entry, who: Who) -> bool | None:
    """None: not for us to tell."""
    words = [o for o in entry.options if o not in ("quiet", "quiet_success", "quiet_fail", "use_uid", "debug")]
    if entry.module == "pam_localuser":
        return who.local if not words else None
    if entry.module == "pam_rootok":
        return who.called_by_root  # it looks at the process
    if entry.module == "pam_succeed_if" and len(words) == 3 and who.local:
        return _compared(words, who)
    return None


def _compared(words: list[str], who: Who) -> bool | None:
    what, how, value = words
    if what == "user" and how in ("ingroup", "notingroup"):
        return any(g in who.groups for g in value.split(":")) == (how == "ingroup")
    if what == "user" and how in ("=", "!="):
        return (who.name == value) == (how == "=")
    if what == "uid" and who.uid is not None and value.isascii() and value.isdigit() and len(value) < 11:
        limit = int(value)
        known = {">=": who.uid >= limit, "<": who.uid < limit, "eq": who.uid == limit, "ne": who.uid != limit}
        return known.get(how)
    return None


# ---------------------------------------------------------------- what it comes to


def weakest(found: frozenset[Path], beside: frozenset[str]) -> tuple[bool | Unknown, frozenset[str]]:
    """Whether every path, with the proofs given `beside` it, takes two of different kinds; and the weakest path's proofs.

    No path at all: nobody gets in here, which the caller handles.
    """
    judged = [
        (_two(p.proofs | beside), p)
        for p in sorted(found, key=lambda p: (len(p.proofs), sorted(p.proofs), p.depends_on))
    ]
    for two, path in judged:
        if two is False and not path.depends_on:
            return False, path.proofs | beside
    if judged and all(two is False for two, _ in judged):
        return False, judged[0][1].proofs | beside
    for two, path in judged:
        if two is False:
            return Unknown("not_told", f"it depends on {path.depends_on}"), path.proofs | beside
    for two, path in judged:
        if isinstance(two, Unknown):
            return two, path.proofs | beside
    return True, judged[0][1].proofs | beside if judged else beside


def _two(proofs: frozenset[str]) -> bool | Unknown:
    told = [p for p in proofs if not p.startswith(TOLD_ELSEWHERE)]
    if len(told) >= 2:
        return True
    elsewhere = sorted(p.removeprefix(TOLD_ELSEWHERE) for p in proofs if p.startswith(TOLD_ELSEWHERE))
    return Unknown("not_told", f"{' '.join(elsewhere)} decides elsewhere what it asks for") if elsewhere else False
