"""What the shipped controls on Windows logins and the domain make of recorded answers, each passing, failing and not measured."""

from __future__ import annotations

import pytest
from test_windows_probes import outcome

from auditor.model import Register

LONG_AGO = 1.7e9
LEFT = "leavers-cannot-log-in"
DOMAIN_LEFT = "leavers-have-no-domain-account"


def left(*names: str) -> Register:
    return Register("leavers", names, left_at=dict.fromkeys(names, LONG_AGO))


@pytest.mark.parametrize(
    ("control", "case", "wanted"),
    [
        ("windows-passwords-required", "expected", "pass"),
        ("windows-passwords-required", "expected-french", "fail"),
        ("windows-passwords-required", "partial", "unknown"),
        ("windows-passwords-required", "unprivileged", "unknown"),
        ("windows-passwords-required", "absent", "unknown"),
        ("usable-accounts-in-use", "expected", "pass"),
        ("usable-accounts-in-use", "expected-french", "fail"),
        ("usable-accounts-in-use", "expected-2012", "unknown"),
        ("usable-accounts-in-use", "clock-skew", "unknown"),
        ("administrators-log-in-by-name", "expected", "pass"),
        ("administrators-log-in-by-name", "expected-french", "fail"),
        ("administrators-log-in-by-name", "expected-server-core", "fail"),
        ("administrators-log-in-by-name", "unprivileged", "unknown"),
        ("windows-admin-doors-two-factors", "expected", "fail"),
        ("windows-admin-doors-two-factors", "expected-smart-card", "fail"),
        ("windows-admin-doors-two-factors", "expected-domain", "unknown"),
        ("windows-admin-doors-two-factors", "expected-duo", "unknown"),
        ("windows-admin-doors-two-factors", "absent", "warn"),
        ("windows-admin-doors-two-factors", "expected-card-and-no-winrm", "pass"),
        ("windows-admin-doors-two-factors", "unprivileged", "unknown"),
        ("remote-doors-two-factors", "expected", "fail"),
        ("remote-doors-two-factors", "absent", None),
        ("remote-doors-two-factors", "expected-card-and-no-winrm", "pass"),
        ("remote-doors-two-factors", "expected-gateway", "fail"),
        ("remote-doors-two-factors", "expected-domain", "unknown"),
        ("remote-desktop-asks-first", "expected", "pass"),
        ("remote-desktop-asks-first", "expected-weak", "fail"),
        ("remote-desktop-asks-first", "expected-policy-wins", "pass"),
        ("remote-desktop-asks-first", "expected-not-set", "unknown"),
        ("remote-desktop-asks-first", "absent", None),
        ("winrm-takes-nothing-in-clear", "expected", "pass"),
        ("winrm-takes-nothing-in-clear", "expected-weak", "fail"),
        ("winrm-takes-nothing-in-clear", "expected-policy-wins", "pass"),
        ("winrm-takes-nothing-in-clear", "unprivileged", "unknown"),
        ("identities-from-a-directory-that-answers", "expected", "pass"),
        ("identities-from-a-directory-that-answers", "absent", "fail"),
        ("identities-from-a-directory-that-answers", "expected-silent", "unknown"),
        ("identities-from-a-directory-that-answers", "partial", "unknown"),
        ("directory-cache-expires-in-time", "expected", "fail"),
        ("directory-cache-expires-in-time", "expected-no-cache", "pass"),
        ("directory-cache-expires-in-time", "expected-controller", "unknown"),
        ("directory-cache-expires-in-time", "absent", None),
        ("domain-administrators-with-smart-card", "expected-french", "pass"),
        ("domain-administrators-with-smart-card", "expected", "fail"),
        ("domain-administrators-with-smart-card", "partial-groups-denied", "unknown"),
        ("domain-accounts-in-use", "expected-french", "pass"),
        ("domain-accounts-in-use", "expected", "fail"),
        ("domain-accounts-in-use", "expected-no-sync", "unknown"),
        ("domain-accounts-in-use", "unprivileged", "unknown"),
        ("domain-accounts-prove-themselves", "expected-french", "pass"),
        ("domain-accounts-prove-themselves", "expected", "fail"),
        ("domain-key-renewed", "expected", "pass"),
        ("domain-key-renewed", "expected-old-key", "fail"),
        ("domain-key-renewed", "clock-skew", "unknown"),
        ("laps-manages-local-passwords", "expected", "pass"),
        ("laps-manages-local-passwords", "absent", "fail"),
        ("laps-manages-local-passwords", "expected-dates-hidden", "unknown"),
    ],
)
def test_a_shipped_control(control: str, case: str, wanted: str | None) -> None:
    assert outcome(control, case) == wanted


@pytest.mark.parametrize(
    ("control", "case", "register", "wanted"),
    [
        (LEFT, "expected-french", left("JDUPONT"), "fail"),
        (LEFT, "expected-french", left("jdurand"), "pass"),
        (LEFT, "expected-french", left("prestataire"), "pass"),  # its account has expired
        (LEFT, "partial", left("jdurand"), "unknown"),
        (DOMAIN_LEFT, "expected", left("MDurand"), "fail"),
        (DOMAIN_LEFT, "expected", left("town\\MDURAND"), "fail"),
        (DOMAIN_LEFT, "expected", left("stage01"), "pass"),  # its account has expired
        (DOMAIN_LEFT, "expected", left("other"), "pass"),
        (DOMAIN_LEFT, "partial", left("other"), "unknown"),
        (
            "domain-administrators-all-declared",
            "expected-french",
            Register("admins", ("mairie\\ADM-Martin", "MAIRIE\\Administrateur")),
            "pass",
        ),
        ("domain-administrators-all-declared", "expected-french", Register("admins", ("MAIRIE\\adm-martin",)), "fail"),
        ("domain-administrators-all-declared", "unprivileged", Register("admins", ("MAIRIE\\adm-martin",)), "unknown"),
        ("leavers-administrate-nothing", "expected", left("ADM-Durand"), "fail"),  # MAIRIE\\adm-durand
        ("leavers-administrate-nothing", "expected", left("mairie\\adm-durand"), "fail"),
        ("leavers-administrate-nothing", "expected", left("Domain Admins"), "pass"),  # a group, which nobody is
        ("everyday-accounts-administrate-nothing", "expected", Register("everyday_accounts", ("Leroy",)), "fail"),
        ("everyday-accounts-administrate-nothing", "expected", Register("everyday_accounts", ("adm-durand",)), "fail"),
        ("everyday-accounts-administrate-nothing", "expected", Register("everyday_accounts", ("martin",)), "pass"),
        ("local-accounts-all-declared", "expected", Register("local_accounts", ("maint",)), "pass"),
        ("local-accounts-all-declared", "expected-french", Register("local_accounts", ("jdupont",)), "fail"),
        ("remote-tools-all-declared", "absent", Register("remote_tools", ("RustDesk",)), "pass"),
        ("remote-tools-all-declared", "expected", Register("remote_tools", ("RustDesk",)), "fail"),
        ("remote-tools-all-declared", "expected-french-rustdesk", Register("remote_tools", ("ngrok",)), "warn"),
        ("remote-tools-all-declared", "unprivileged-all", Register("remote_tools", ("ngrok",)), "unknown"),
    ],
)
def test_a_shipped_control_that_compares_with_a_register(
    control: str, case: str, register: Register, wanted: str
) -> None:
    both = (register, Register("local_accounts", ()), Register("admins", ()))
    kept = {r.id: r for r in reversed(both)}
    assert outcome(control, case, *kept.values()) == wanted
