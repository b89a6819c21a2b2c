"""What a tree of files tells of its audit trail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Facts, Partial, Unknown
from auditor.probes.audit_trail import PROBE
from auditor.probes.linux.audit_trail import ACCOUNTS, MODULES, SUDO, all_of
from auditor.readers import audit_rules, auditd
from auditor.readers.trees import auditing

OF_RULES = ("rules", "account_changes", "sudo_changes", "root_commands", "kernel_modules", "logins_kept")


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"rules": auditing.RULES, "auditd": auditing.SETTINGS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """What the files have loaded. That the kernel's audit is on and these rules are in it, only the host can tell."""
    loaded = auditing.loaded(answers["rules"])
    rules = loaded.rules
    told = dict.fromkeys(OF_RULES, rules) if isinstance(rules, Unknown) else _of_rules(rules)
    places = {**dict.fromkeys(OF_RULES, loaded.where), "enabled": (loaded.off,) if loaded.off else ()}
    return {
        **dict.fromkeys(PROBE.facts["properties"], Unknown("not_observable")),
        **told,
        **_goes(auditing.settings(answers["auditd"])),
        **({"enabled": False} if loaded.off else {}),
        WHERE: places,
    }


def _of_rules(rules: audit_rules.Rules) -> Facts:
    def changed(paths: tuple[str, ...]) -> bool | Unknown:
        return auditing.on_any(lambda needed: all_of(audit_rules.changes(rules, path, needed) for path in paths))

    return {
        "rules": len(rules),
        "account_changes": changed(ACCOUNTS),
        "sudo_changes": changed(SUDO),
        "root_commands": auditing.on_any(lambda needed: audit_rules.root_commands(rules, needed)),
        "kernel_modules": auditing.on_any(lambda needed: audit_rules.calls(rules, MODULES, needed)),
        "logins_kept": audit_rules.logins(rules),
    }


def _goes(settings: auditd.Settings | Unknown) -> Facts:
    if isinstance(settings, Unknown):
        return {"goes_to": settings, "log_megabytes": settings, "when_full": settings}
    listed = tuple({"way": way, "to": to} for way, to in settings.goes_to)
    return {
        "goes_to": Partial(listed, Unknown("not_observable", "whether auditd keeps the records")),
        "log_megabytes": settings.megabytes,
        "when_full": settings.when_full,
    }
