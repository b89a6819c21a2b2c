"""What the kernel and auditd answer in; whether there is an audit trail, what it records and where that goes out. Pure.

The rules are those that the kernel has, whatever the files say. Sources: auditd.conf(5), auditd-plugins(5); ANSSI-BP-028 R33
and R73.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.readers import audit_rules, auditd, processes
from auditor.readers.kernel_audit import KERNEL, PLACE, Kernel, kernel_of, needed_on, place_of

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
    place = place_of(answers["place"])
    installed: Fact = place if isinstance(place, Unknown) else "auditctl" in place
    running = processes.read(answers["processes_root"], answers["processes"])
    kernel = kernel_of(answers["kernel"], place, running)
    needed = needed_on(place)
    told = dict.fromkeys(KERNEL_FACTS, kernel) if isinstance(kernel, Unknown) else _told(kernel, needed)
    return {
        "installed": installed,
        **told,
        **_kept(answers, told["kept_by"]),
        **dict.fromkeys(WINDOWS_FACTS, OF_WINDOWS),
    }


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
    """False on one false, else unknown on one unknown."""
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
