"""What is run when a system starts, or by a schedule, in; the files that it plainly writes and the daemons that it stops, out. Pure.

What a program does that the tree holds no text of, nobody can tell; neither is what a shell makes of variables followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.readers.boot.change import Change, known, units

_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")
SCRIPTS = " ".join(
    [
        *(
            f"{root}/*.{kind} {root}/*.{kind}.d/*.conf"
            for root in _UNITS
            for kind in ("service", "socket", "target", "path")
        ),
        *(
            f"{root}/*.{kind}/*" for root in _UNITS for kind in ("wants", "requires")
        ),  # packages' units that are started
        "/etc/rc.local /etc/rc.d/rc.local /etc/local.d/*.start /etc/crontab /etc/cron.d/* /etc/crontabs/root",
        "/var/spool/cron/crontabs/root /var/spool/cron/root /var/spool/cron/tabs/root /etc/anacrontab",
        *(f"/etc/cron.{often}/*" for often in ("hourly", "daily", "weekly", "monthly", "yearly")),
        "/var/spool/cron/atjobs/* /var/spool/at/* /etc/initramfs-tools/scripts/*/*",
        "/etc/NetworkManager/dispatcher.d/* /etc/NetworkManager/dispatcher.d/*/* /etc/networkd-dispatcher/*/*",
        "/etc/network/interfaces /etc/network/interfaces.d/* /etc/network/if-up.d/* /etc/network/if-pre-up.d/*",
        "/etc/dhcp/dhclient-enter-hooks.d/* /etc/dhcp/dhclient-exit-hooks.d/* /etc/ppp/ip-up.d/*",
        "/etc/udev/rules.d/*.rules /etc/modprobe.d/*.conf /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg",
        "/var/lib/cloud/seed/*/user-data /var/lib/cloud/seed/*/vendor-data /var/lib/cloud/scripts/*/*",
    ]
)
_BREAK = re.compile(r"[;&|()`]+|\$\(")
_REDIRECT = re.compile(r"(?:&|[0-9])?>{1,2}\|?\s*(/[^\s;&|<>()`]+)")
_UNKNOWN = r"[$*?\[{]"
_ALL = frozenset(
    ["tee", "touch", "truncate", "rm", "unlink", "shred", "mv", "patch", "install", "dd", "ed", "ex", "rmdir", "umount"]
)
_LAST = frozenset(["cp", "ln", "rsync", "mount"])
_IN_PLACE = re.compile(r"-(?:[a-zA-Z]*i.*|-in-place.*)")
_PEOPLE = frozenset(
    [
        "useradd",
        "usermod",
        "userdel",
        "adduser",
        "deluser",
        "passwd",
        "chpasswd",
        "gpasswd",
        "groupadd",
        "groupmod",
        "groupdel",
        "newusers",
        "addgroup",
        "delgroup",
    ]
)
_MAKERS = frozenset({"systemd-firstboot", "systemd-sysusers", "systemd-tmpfiles"})  # with words of their own
_STACKS = frozenset({"pam-auth-update", "authselect", "authconfig"})
_STOPS = frozenset(
    [
        "stop",
        "disable",
        "mask",
        "kill",
        "isolate",
        "set-default",
        "revert",
        "preset",
        "preset-all",
        "link",
        "rescue",
        "emergency",
    ]
)
_JUDGED = re.compile(
    r"(?:ssh|sshd|rsyslog|syslog-ng|auditd|audit-rules|chronyd?|ntp\w*|openntpd|cron|crond|cronie|freshclam|mdatp|vector|filebeat"
    r"|promtail|alloy|nxlog|sssd|timers|systemd-(?:journal|timesync).*|clam.*|.*backup.*|.*(?:restic|borg).*|fluent.*|td-agent.*"
    r"|elastic-agent|splunk.*|wazuh.*|winbindd?|.*\*.*|.*\$.*)(?:\.(?:service|socket|timer|target))?",
    re.IGNORECASE,
)
_CLOUD = re.compile(
    r"(?:- )?(?:runcmd|bootcmd|write_files|chpasswd|ssh_pwauth|password|users|ansible|puppet|chef|salt_minion)\s*:\s*(.*)"
)
_NEW_ROOT = re.compile(r"\$\{?rootmnt\}?|/root(?=/)")  # where the system will be, of what runs before it
_CONFLICTS = re.compile(r"(?:Conflicts|PropagatesStopTo)\s*=(.*)")
_CLOCKS = re.compile(r"(?:systemd-)?(?:chrony|ntp|openntp|timesync)")  # these always shut each other out
_UNPACKS = re.compile(r"-?[a-zA-Z]*x[a-zA-Z]*|--extract|--get|pull|checkout|reset|clone|restore|switch")
_FOLLOWED = re.compile(r"/(?:usr/local|opt|etc|root|srv|home|var)/[^\s;&|<>()`\"'$]+")
_READ = re.compile(
    rf"(?:(?:^|[\s/;&|=])(?:ba|da|a|k|z)?sh(?:\s+-\w+)*|(?:^|[\s;&|])(?:\.|source))\s+({_FOLLOWED.pattern})"
)
# Programs that are handed to an interpreter on its command line: what they do with the paths in them, nobody knows here.
_INLINE = re.compile(r"\b(?:python[\d.]*|ruby|php|node|lua)\s+-[cer]\b")
_PATH = re.compile(r"/(?:etc|usr|lib|var|root|opt)/[^\s;&|<>(),`]+")


@dataclass(frozen=True, slots=True)
class Run:
    """`started`: the files of the tree that are run in turn, where they are scripts; `read`: those that a shell is given to read."""

    changes: tuple[Change, ...] = ()
    started: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def read(path: str, text: str) -> Run:
    """A file of any of these kinds: lines of commands are looked for, whatever stands around them."""
    found: dict[Change, None] = {}
    started: dict[str, None] = {}
    given: dict[str, None] = {}
    for number, line in _joined(text):
        place = f"{path}:{number}"
        if "/cloud/" in path:
            found |= dict.fromkeys(_of_cloud(line, place))
        if path.endswith(".conf") and "/modprobe.d/" in path and not line.startswith("install"):
            continue
        bare = re.sub("[\"'\\\\]", "", line)
        if "/initramfs-tools/" in path:
            bare = _NEW_ROOT.sub("", bare)
        found |= dict.fromkeys(_of_line(bare, place))
        started |= dict.fromkeys(_FOLLOWED.findall(bare))
        given |= dict.fromkeys(_READ.findall(bare))
    return Run(tuple(found), tuple(started), tuple(given))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines that a backslash goes on with are one, at the place of the first."""
    whole, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not whole and line.lstrip().startswith(("#", ";")):
            continue
        first = first if whole else number
        whole += line.rstrip("\r")
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        if whole.strip():
            yield first, whole.strip()
        whole = ""
    if whole.strip():
        yield first, whole.strip()


def _of_line(line: str, place: str) -> Iterator[Change]:
    why = f"{place} has it written"
    shut_out = _CONFLICTS.fullmatch(line)
    if shut_out:
        named = [n for n in shut_out[1].split() if _JUDGED.fullmatch(n) and not _CLOCKS.match(n)]
        yield from units(f"{place} has it stopped", *named) if named else ()
    for target in _REDIRECT.findall(line):
        yield Change(known(target, _UNKNOWN), why)
    for path in _PATH.findall(line) if _INLINE.search(line) else ():
        yield Change(known(path, _UNKNOWN), why)
    for segment in _BREAK.split(re.sub(r"[0-9&]?>{1,2}\|?\s*\S+", " ", line)):
        words = re.sub(r"[,=:]", " ", segment).split() if "=" in segment or "," in segment else segment.split()
        for at, word in enumerate(words):
            folder, _, program = word.lstrip("-@+!").rpartition("/")
            if not folder or folder.endswith("bin"):
                yield from _of_program(program, words[at + 1 :], place)


def _of_program(program: str, words: list[str], place: str) -> Iterator[Change]:
    why = f"{place} has it written"
    for path in _written(program, words):
        yield Change(known(path, _UNKNOWN), why)
    if program in _PEOPLE and words:
        yield from (Change(f"/etc/{file}", why) for file in ("passwd", "group", "shadow"))
    elif program in _MAKERS and not {"--boot", "--create", "--remove", "--clean", "--prefix", "/dev"}.issuperset(words):
        yield Change("/etc", why)
    elif program in _STACKS:
        yield Change("/etc/pam.d", why)
    elif program == "auditctl" and not {"-s", "-l", "-v"}.issuperset(words):
        yield Change("/etc/audit", why)
    elif program in (
        "systemctl",
        "service",
        "invoke-rc.d",
        "rc-service",
        "update-rc.d",
        "chkconfig",
        "pkill",
        "killall",
    ):
        yield from _stopped(program, words, f"{place} has it stopped")


def _stopped(program: str, words: list[str], why: str) -> Iterator[Change]:
    verbs = _STOPS | {"off", "remove"} if program != "systemctl" else _STOPS
    if program in ("pkill", "killall") or verbs.intersection(words):
        if {"isolate", "rescue", "emergency", "set-default", "preset-all"}.intersection(words):
            yield from units(why)
        named = [word for word in words if not word.startswith("-") and _JUDGED.fullmatch(word)]
        wild = any(re.search(r"[*$]", word) for word in named)
        yield from units(why, *([] if wild else named)) if named else ()


def _written(program: str, words: list[str]) -> Iterator[str]:
    """The paths that a program writes to, of those on its command line; where it is told to go, it may write anywhere."""
    paths = [word for word in words if word.startswith("/")]
    if program == "cd":
        yield from (path for path in paths[:1] if path.startswith(("/etc/", "/usr/lib/")) or path == "/etc")
    elif program in _ALL or (program in ("sed", "perl", "ruby") and any(_IN_PLACE.fullmatch(w) for w in words)):
        yield from paths
    elif program in _LAST:
        yield from paths if {"-t", "--target-directory"}.intersection(words) else paths[-1:]
    elif (program in ("curl", "wget") and any(re.match("-[a-zA-Z]*[oOP]|--output|--directory", w) for w in words)) or (
        program in ("tar", "bsdtar", "unzip", "git")
        and (program == "unzip" or any(_UNPACKS.fullmatch(w) for w in words))
    ):
        yield from paths


def _of_cloud(line: str, place: str) -> Iterator[Change]:
    """What cloud-init is told to run, and accounts that it makes: as its own files have them, and more."""
    found = _CLOUD.match(line)
    bare = found and (found[1] or "").strip() in ("false", "no", "unchanged", "[]", "{}")
    own = line.startswith("users:") and not line[6:].strip()  # followed by a list, of which `default` is usual
    if found and not bare and not own:
        yield Change("/etc", f"{place} has cloud-init change it")
    if re.search(r"NOPASSWD|lock_passwd:\s*false", line):
        yield Change("/etc/sudoers.d", f"{place} has cloud-init write rules")
        yield from (
            Change(f"/etc/{file}", f"{place} has cloud-init make accounts") for file in ("passwd", "shadow", "group")
        )
