"""Whether the kernel's audit trail is on, who keeps it and where, and what its loaded rules record. Pure.

The rules are those that the kernel has, whatever the files say. The audit system belongs to the kernel: in a container it is
the host's, and nothing can be told there. Sources: auditctl(8), auditd.conf(5), auditd-plugins(5); ANSSI-BP-028 R33 and R73.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import audit_rules, auditd, processes
from auditor.readers.undated import reduced, undated

# What anybody can see: whether there are tools, and whether these are the namespaces that the kernel started with. Their
# numbers are fixed (linux/proc_ns.h); files that container engines leave behind say less, images of machines hold them too.
PLACE = Command(
    r"""readlink /proc/self/ns/pid
readlink /proc/self/ns/user
if command -v auditctl >/dev/null; then echo auditctl; fi
uname -m
echo end""",
    cap_bytes=1024,
)

# The kernel names the process that takes its records; where none does, a journald may listen.
KERNEL = Command(
    r"""echo "uid $(id -u)"
command -v auditctl >/dev/null || { echo absent; exit; }
s=$(auditctl -s 2>&1)
echo "status $?"
printf '%s\n' "$s"
p=$(printf '%s\n' "$s" | sed -n 's/^\(.* \)*pid[ =]\([0-9][0-9]*\).*/\2/p')
w=keeper
case $p in ''|0)
  w=listener
  p=$(awk '$2 == 9 && $3 > 0 && $4 ~ /[13579bdf]$/ { print $3; exit }' /proc/net/netlink) ;;
esac
if [ -n "$p" ]; then echo "$w $(readlink "/proc/$p/exe")"; fi
echo rules
auditctl -l 2>&1
echo "end $?"
""",
    elevated=True,
    cap_bytes=262144,
)

# Programs that take the records in auditd's place, with no auditctl beside them.
OTHERS = ("auditbeat", "elastic-endpoint", "elastic-agent", "osqueryd", "go-audit")
OURS = processes.among(*OTHERS)
KERNEL_FACTS = (
    "enabled",
    "immutable",
    "kept_by",
    "rules",
    "account_changes",
    "sudo_changes",
    "root_commands",
    "kernel_modules",
    "logins_kept",
    "lost",
)
WINDOWS_FACTS = ("audited", "command_lines", "script_blocks", "categories_ignored", "base_objects", "base_directories")
OF_WINDOWS = Unknown("not_told", "Linux has no such audit policy")
ACCOUNTS = ("/etc/passwd", "/etc/shadow", "/etc/group")
SUDO = ("/etc/sudoers", "/etc/sudoers.d/x")  # any file of the directory
MODULES = ("init_module", "finit_module", "delete_module")
TWO_WORDED = ("x86_64", "aarch64")  # kernels that also run programs of 32 bits
FIRST_NAMESPACES = frozenset({"pid:[4026531836]", "user:[4026531837]"})
IN_A_CONTAINER = Unknown("not_told", "in a container: the audit trail is its host's")
NO_KERNEL_AUDIT = re.compile(r"support not in kernel|Protocol not supported|not supported by kernel", re.IGNORECASE)
_STATUS = re.compile(r"\b(enabled|pid|lost)[ =](\d{1,10})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kernel:
    """`enabled`: 0, 1, or 2 where nothing may be changed any more. `kept_by`: a program; None: nobody."""

    enabled: int
    lost: int | Unknown
    kept_by: str | Unknown | None
    rules: audit_rules.Rules | Unknown


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "place": PLACE,
        "kernel": KERNEL,
        "auditd": auditd.CONFIG,
        "records": auditd.RECORDS,
        "processes_root": processes.PROCESSES_ROOT,
        "processes": processes.PROCESSES,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    place = _place(answers["place"])
    installed: Fact = place if isinstance(place, Unknown) else "auditctl" in place
    running = processes.read(answers["processes_root"], answers["processes"])
    kernel = _kernel(answers["kernel"], place, running)
    needed = _needed(place)
    told = dict.fromkeys(KERNEL_FACTS, kernel) if isinstance(kernel, Unknown) else _told(kernel, needed)
    return {
        "installed": installed,
        **told,
        **_kept(answers, told["kept_by"]),
        **dict.fromkeys(WINDOWS_FACTS, OF_WINDOWS),
    }


def _place(answer: Answer) -> tuple[str, ...] | Unknown:
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = tuple(answer.text.splitlines())
    if not lines or lines[-1] != "end":
        raise Unreadable("the place is not told")
    return lines[:-1]


def _needed(place: tuple[str, ...] | Unknown) -> frozenset[str]:
    """The architectures whose system calls rules must name; both where the machine did not say what it is."""
    machine = place[-1] if isinstance(place, tuple) and place else TWO_WORDED[0]
    if machine in TWO_WORDED:
        return audit_rules.BOTH
    return frozenset({"b64" if "64" in machine or machine == "s390x" else "b32"})


def _kernel(answer: Answer, place: tuple[str, ...] | Unknown, running: processes.Processes) -> Kernel | Unknown:
    if isinstance(place, tuple) and any(line.startswith(("pid:", "user:")) for line in set(place) - FIRST_NAMESPACES):
        return IN_A_CONTAINER
    if isinstance(place, tuple) and "auditctl" not in place:
        return _without_tools(running)
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if lines == ["uid 0", "absent"]:
        return _without_tools(running)
    if not lines or lines[0] != "uid 0":
        return Unknown("no_privilege", "the audit system was not asked as root")
    return _asked(lines[1:])


def _without_tools(running: processes.Processes) -> Kernel | Unknown:
    """Without auditctl nothing loads rules, unless another program does; the kernel itself cannot be asked."""
    other = running.runs(OTHERS)
    if other is False:
        return Kernel(0, 0, None, ())
    return other if isinstance(other, Unknown) else Unknown("not_told", "another program takes the audit records")


def _asked(lines: list[str]) -> Kernel | Unknown:
    if "rules" not in lines or not lines[0].startswith("status ") or not lines[-1].startswith("end "):
        raise Unreadable("the audit system's answer is not complete")
    cut = lines.index("rules")
    said = "\n".join(lines[1:cut])
    if NO_KERNEL_AUDIT.search(said):
        return Kernel(0, 0, None, ())
    if lines[0] != "status 0":
        return Unknown("no_privilege", f"not even root may ask: {said[:160]}")
    values = {name: int(value) for name, value in _STATUS.findall(said)}
    if not {"enabled", "pid"} <= values.keys():  # a user namespace: auditctl says nothing and ends well
        return Unknown("not_told", f"auditctl tells no status: {said[:120]}")
    listed = lines[cut + 1 : -1]
    refused = Unknown("no_privilege", f"the rules are not told: {' '.join(listed)[:120]}")
    rules = audit_rules.read(listed) if lines[-1] == "end 0" and listed else refused
    lost = values.get("lost", Unknown("not_told", "lost records"))
    return Kernel(values["enabled"], lost, _keeper(values["pid"], lines[1:cut]), rules)


def _keeper(pid: int, lines: Iterable[str]) -> str | Unknown | None:
    kind = "keeper " if pid else "listener "
    path = next((line[len(kind) :].strip() for line in lines if line.startswith(kind)), None)
    if path:
        return path.removesuffix(" (deleted)").rpartition("/")[2]
    return Unknown("not_told", f"which program is process {pid}") if pid or path is not None else None


def _told(kernel: Kernel, needed: frozenset[str]) -> Facts:
    rules = kernel.rules
    common = {
        "enabled": kernel.enabled in (1, 2),
        "immutable": kernel.enabled == 2,
        "kept_by": kernel.kept_by,
        "lost": kernel.lost,
    }
    if isinstance(rules, Unknown):
        return {**dict.fromkeys(KERNEL_FACTS, rules), **common}
    return {
        **common,
        "rules": len(rules),
        "account_changes": all_of(audit_rules.changes(rules, path, needed) for path in ACCOUNTS),
        "sudo_changes": all_of(audit_rules.changes(rules, path, needed) for path in SUDO),
        "root_commands": audit_rules.root_commands(rules, needed),
        "kernel_modules": audit_rules.calls(rules, MODULES, needed),
        "logins_kept": audit_rules.logins(rules),
    }


def all_of(told: Iterable[bool | Unknown]) -> bool | Unknown:
    seen = list(told)
    return False if False in seen else next((one for one in seen if isinstance(one, Unknown)), True)


def _kept(answers: Mapping[str, Answer], kept_by: Fact) -> Facts:
    """Where the records go: what auditd says counts for auditd alone."""
    names = ("goes_to", "log_megabytes", "when_full", "oldest_record_days")
    if kept_by is None:
        return {**dict.fromkeys(names, None), "goes_to": []}
    if kept_by == "systemd-journald":
        untold = Unknown("not_told", "the journal keeps the audit records")
        return {**dict.fromkeys(names, untold), "goes_to": [{"way": "journal", "to": kept_by}]}
    if kept_by != "auditd":
        why = kept_by if isinstance(kept_by, Unknown) else Unknown("not_told", f"where {str(kept_by)[:40]} sends them")
        return dict.fromkeys(names, why)
    settings = auditd.read(answers["auditd"])
    if isinstance(settings, Unknown):
        return {**dict.fromkeys(names, settings), "goes_to": Partial((), settings)}
    listed = [{"way": way, "to": to} for way, to in settings.goes_to]
    return {
        "goes_to": Partial(tuple(listed), settings.beside) if settings.beside else listed,
        "log_megabytes": settings.megabytes,
        "when_full": settings.when_full,
        "oldest_record_days": auditd.oldest_days(answers["records"]),
    }


def _text(says: str, kind: str = "string") -> Mapping[str, Any]:
    return {"type": kind, "description": says}


def _on_windows() -> Dialect:
    from auditor.probes.windows import audit_trail as windows

    return Dialect(windows.commands, windows.parse)


def _in_a_tree() -> Dialect:
    from auditor.probes.trees import audit_trail as trees

    return Dialect(trees.commands, undated(trees.parse))


PROBE = Probe(
    title={"en": "Audit trail", "fr": "Journal d'audit"},
    facts={
        "type": "object",
        "properties": {
            "installed": _text("Whether the tools of the audit system are there (auditctl).", "boolean"),
            "enabled": _text(
                "Whether the kernel records (auditctl -s), or the Security log takes records and some events are audited.",
                "boolean",
            ),
            "immutable": _text("Whether rules can be changed by a restart only (-e 2).", "boolean"),
            "kept_by": _text("The program that takes the records from the kernel; null when there is none."),
            "rules": _text("How many rules are loaded (auditctl -l).", "integer"),
            "account_changes": _text(
                "Whether changes of accounts and groups are recorded, by whomever: of passwd, shadow and group; of the host's "
                "and the domain's on Windows.",
                "boolean",
            ),
            "sudo_changes": _text("Whether changes of sudoers and sudoers.d are recorded, by whomever.", "boolean"),
            "root_commands": _text(
                "all: every program that a person runs as root (on Windows, every program that starts) is recorded; becoming: that "
                "somebody becomes root, or logs on with an administrator's rights; none."
            ),
            "kernel_modules": _text("Whether loading and removing kernel modules is recorded.", "boolean"),
            "logins_kept": _text(
                "Whether no rule keeps logins and sudo out of the trail; on Windows, whether logons that succeed and that fail are recorded.",
                "boolean",
            ),
            "lost": _text("How many records were lost since the host started.", "integer"),
            "goes_to": {
                **_text("Where the records go.", "array"),
                "items": {
                    "type": "object",
                    "x-name": "to",
                    "x-also": ["way"],
                    "properties": {
                        "way": _text("file, syslog, server, journal or event log."),
                        "to": _text("The file, the server or the program."),
                    },
                },
            },
            "log_megabytes": _text(
                "How much auditd, or the Security log, keeps before it removes its oldest records; null when it removes none.",
                "number",
            ),
            "when_full": _text(
                "What auditd, or the Security log, does when it is full: rotate, keep_logs, ignore, syslog, suspend."
            ),
            "oldest_record_days": _text(
                "Age of the oldest record in auditd's files, or of the Security log; null when there is none.", "number"
            ),
            "audited": {
                **_text("Each kind of event that the audit policy of Windows knows.", "array"),
                "items": {
                    "type": "object",
                    "x-name": "kind",
                    "properties": {
                        "kind": _text("Its name in English, as auditpol calls the subcategory."),
                        "success": _text("Whether what succeeds is recorded.", "boolean"),
                        "failure": _text("Whether what fails is recorded.", "boolean"),
                    },
                },
            },
            "command_lines": _text(
                "Whether programs that start are recorded with their command lines (4688).", "boolean"
            ),
            "script_blocks": _text("Whether Windows PowerShell records all that it runs (4104).", "boolean"),
            "categories_ignored": _text(
                "Whether subcategories win over the old categories (SCENoApplyLegacyAuditPolicy); null when it is not set.",
                "boolean",
            ),
            "base_objects": _text("Whether global system objects are audited (AuditBaseObjects).", "boolean"),
            "base_directories": _text("Whether their directories are (AuditBaseDirectories).", "boolean"),
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, reduced(parse, processes=OURS, processes_root=OURS)),
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "Root asks the kernel for its audit rules and reads auditd's settings; of the records only a time stamp leaves the host. On Windows, administrators see the audit policy.",
        "fr": "root demande au noyau ses règles d'audit et lit les réglages d'auditd ; des enregistrements, seul un horodatage quitte l'hôte. Sous Windows, les administrateurs voient la stratégie d'audit.",
    },
)
