"""Whether the kernel's audit trail is on, who keeps it and where, and what its loaded rules record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.readers.undated import reduced, undated


def _text(says: str, kind: str = "string") -> Mapping[str, Any]:
    return {"type": kind, "description": says}


def _on_linux() -> Dialect:
    from auditor.probes.linux import audit_trail as linux
    from auditor.readers.kernel_audit import OURS

    return Dialect(linux.commands, reduced(linux.parse, processes=OURS, processes_root=OURS))


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
        linux=_on_linux,
        windows=_on_windows,
    ),
    trees=Dialects(linux=_in_a_tree),
    privilege={
        "en": "Root asks the kernel for its audit rules and reads auditd's settings; of the records only a time stamp leaves the host. On Windows, administrators see the audit policy.",
        "fr": "root demande au noyau ses règles d'audit et lit les réglages d'auditd ; des enregistrements, seul un horodatage quitte l'hôte. Sous Windows, les administrateurs voient la stratégie d'audit.",
    },
)
