"""The PowerShell of the Windows dialects, as far as it can be known without a Windows: its grammar and what it calls.

Two grammars, because each lets something pass that the other refuses. What a real host answers is in recorded cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import pytest
import tree_sitter_powershell
import tree_sitter_pwsh
from documents import written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import ROOT, make_estate, make_host, make_plan, schema
from test_probes import FOLDER, answer
from tree_sitter import Language, Node, Parser

from auditor.commands import inputs
from auditor.errors import Unreadable
from auditor.expectations import finding
from auditor.kinds import Probe
from auditor.load import policies
from auditor.load.policy_schema import policy_schema
from auditor.model import Command, Failure, Outcome, Output, Partial, Register, Unknown
from auditor.shelves import probes

GRAMMARS = {
    name: Parser(Language(grammar.language()))
    for name, grammar in (("powershell", tree_sitter_powershell), ("pwsh", tree_sitter_pwsh))
}
WINDOWS = {
    name: p.dialects["windows"] for name, p in probes().items() if isinstance(p, Probe) and "windows" in p.dialects
}
QUESTIONS = {f"{probe}.{name}": c for probe, d in WINDOWS.items() for name, c in d.commands({}).items()}

# All that a question may call. None of these changes anything on the host, and none asks another host.
COMMANDS = {
    "convertto-json",
    "foreach-object",
    "get-childitem",
    "get-ciminstance",
    "get-content",
    "get-item",
    "get-itemproperty",
    "get-localuser",
    "get-mpcomputerstatus",
    "get-mppreference",
    "get-netfirewallprofile",
    "get-smbserverconfiguration",
    "get-wbsummary",
    "get-winevent",
    "new-object",
    "select-object",
}
# Programs, each with all that it may be given: what they print, and nothing else.
PROGRAMS = {
    "auditpol.exe /get /category:* /r",
    "auditpol.exe /list /user /v",
    "w32tm.exe /query /status /verbose",
}
METHODS = {
    "contains",
    "createupdatesearcher",
    "findall",
    "getactivetcplisteners",
    "getallnetworkinterfaces",
    "getipglobalproperties",
    "getipproperties",
    "getsubkeynames",
    "getvalue",
    "getvaluenames",
    "indexof",
    "invoke",
    "invokeget",
    "opensubkey",
    "replace",
    "search",
    "split",
    "substring",
    "tolowerinvariant",
    "tostring",
    "touniversaltime",
    "translate",
}
# What New-Object may make. Of the update agent, its settings and what it found: nothing that fetches or installs.
TYPES = {
    "-typename system.directoryservices.directorysearcher",
    "-typename system.security.principal.securityidentifier",
}
OBJECTS = {"-comobject microsoft.update.autoupdate", "-comobject microsoft.update.session"}
OFFLINE = "$s.Online = $false"  # of our own searcher: it then asks no server
# What ADSI may be asked: this host alone.
OWN = ('[ADSI]"WinNT://$env:COMPUTERNAME/', "[ADSI]'LDAP://localhost/", "[ADSI]('LDAP://localhost/")


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def words(node: Node) -> str:
    return (node.text or b"").decode()


def faults(text: str) -> list[str]:
    """What is wrong with a question's text; nothing, if it may be asked."""
    if not text.isascii():
        return ["is not ASCII"]
    found = []
    for grammar, parser in GRAMMARS.items():
        tree = parser.parse(text.encode()).root_node
        if tree.has_error:
            found.append(f"does not parse as {grammar}")
        for node in nodes(tree):
            found += fault(node)
    return list(dict.fromkeys(found))


def fault(node: Node) -> Iterator[str]:
    if node.type == "command":
        name = words(node).split()[0].lower()
        if name not in COMMANDS and words(node).strip() not in PROGRAMS:
            yield f"calls {name}"
        if name.startswith("get-") and "-ErrorAction Stop" not in words(node):
            yield f"{name} may fail in silence"
        if name == "new-object" and not any(f"{t} " in f"{words(node).lower()} " for t in TYPES | OBJECTS):
            yield f"makes {words(node)}"
        if "directorysearcher" in words(node).lower() and not (
            "-ArgumentList @($" in words(node) and "ReferralChasing = 'None'" in words(node)
        ):
            yield "asks whatever directory answers"
        if name == "convertto-json" and not ("-InputObject" in words(node) and "-Depth" in words(node)):
            yield "ConvertTo-Json without -InputObject or -Depth"
    elif node.type in ("invokation_expression", "invocation_expression"):
        method = next((words(c).lower() for c in node.children if c.type == "member_name"), "?")
        if method not in METHODS:
            yield f"calls .{method}()"
        if method == "replace" and "]::" in words(node).partition("(")[0]:
            yield f"calls {words(node)}"
        if method == "invoke" and "('Members')" not in words(node):
            yield f"invokes {words(node)}"
    elif node.type in (
        "redirection",
        "merging_redirection_operator",
        "file_redirection_operator",
        "expandable_here_string_literal",
    ):
        yield f"holds a {node.type}"
    elif node.type in ("command_invokation_operator", "command_invocation_operator"):
        yield "runs what a variable or a text names"
    elif node.type == "cast_expression" and words(node).lower().startswith("[adsi]"):
        if not words(node).startswith(OWN) and words(node) != "[ADSI]$_":
            yield f"asks {words(node)}"
    elif node.type == "try_statement" and not any(c.type in ("catch_clauses", "finally_clause") for c in node.children):
        yield "try without catch"
    elif node.type == "assignment_expression" and "." in words(node).partition("=")[0] and words(node) != OFFLINE:
        yield f"sets {words(node)}"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_read_only_and_plain(name: str) -> None:
    assert faults(QUESTIONS[name].text) == []
    assert QUESTIONS[name].kind == "run"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Set-Service -Name 'x'", "calls set-service"),
        ("Get-Item -LiteralPath 'HKLM:\\x'", "get-item may fail in silence"),
        ("(Get-Item -LiteralPath 'x' -ErrorAction Stop).Delete()", "calls .delete()"),
        ("[System.IO.File]::WriteAllText('a', 'b')", "calls .writealltext()"),
        ("& 'cmd.exe' '/c' 'del'", "runs what a variable or a text names"),
        ("$x = New-Object -TypeName System.Net.WebClient", "makes New-Object -TypeName System.Net.WebClient"),
        ("ConvertTo-Json -InputObject 1 > c:\\x", "holds a redirection"),
        ("$g.psbase.Invoke('SetPassword')", "invokes $g.psbase.Invoke('SetPassword')"),
        (". 'c:\\x.ps1'", "runs what a variable or a text names"),
        ('$g = [ADSI]"LDAP://dc"', 'asks [ADSI]"LDAP://dc"'),
        ("$g = [ADSI]'LDAP://dc'", "asks [ADSI]'LDAP://dc'"),
        ("$g = [ADSI]('LDAP://' + $d)", "asks [ADSI]('LDAP://' + $d)"),
        (
            "$s = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList @('(cn=a)')",
            "asks whatever directory answers",
        ),
        ("[System.IO.File]::Replace('a', 'b', 'c')", "calls [System.IO.File]::Replace('a', 'b', 'c')"),
        ("$d.Disabled = $true", "sets $d.Disabled = $true"),
        ("$s.Online = $true", "sets $s.Online = $true"),
        (
            "$i = New-Object -ComObject Microsoft.Update.Installer",
            "makes New-Object -ComObject Microsoft.Update.Installer",
        ),
        ("$s.CreateUpdateDownloader()", "calls .createupdatedownloader()"),
        ("foreach ($n in @('a') {", "does not parse as powershell"),
        ("$a ? 1 : 2", "does not parse as powershell"),
        ("try { 1 }", "try without catch"),
        ("auditpol.exe /clear /y", "calls auditpol.exe"),
        ("w32tm.exe /resync", "calls w32tm.exe"),
        ("w32tm.exe /query /status /verbose /computer:dc01", "calls w32tm.exe"),
        ("'\N{LATIN SMALL LETTER E WITH ACUTE}'", "is not ASCII"),
    ],
)
def test_a_question_that_does_more_is_refused(text: str, wrong: str) -> None:
    assert wrong in faults(text)


# What these tell of a secret is that there is one, or since when.
ABOUT_A_SECRET = (
    r"(?i)HasPrivateKey|PasswordRequired|PasswordLastSet|pwdLastSet"
    r"|ms-Mcs-AdmPwdExpirationTime|msLAPS-PasswordExpirationTime"
)


def test_no_question_asks_for_what_is_secret() -> None:
    """Private keys, what opens an encrypted disk, passwords in the addresses of proxies."""
    for name, command in QUESTIONS.items():
        words_of_it = re.sub(ABOUT_A_SECRET, "", command.text)
        assert not re.search(r"PrivateKey|Export|KeyProtector|Password|Pwd", words_of_it, re.IGNORECASE), name


def test_the_text_that_sudo_runs_holds_no_powershell() -> None:
    assert not set(inputs.elevated(probes())) & set(QUESTIONS.values())


# ---------------------------------------------------------------- whatever a host answers


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "Count", "names", "services", "products", "members", "interfaces", "adapters"])
            | st.sampled_from(["accounts", "dates", "groups", "installed", "listeners", "ports", "processes"])
            | st.sampled_from(["providers", "values"])
            | st.sampled_from(["code", "lines", "records", "newest", "oldest", "logs", "managers", "events", "files"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def answers(commands: dict[str, Command]) -> st.SearchStrategy[dict[str, Output | Failure]]:
    texts = st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode())
    output = st.builds(
        Output,
        exit_code=st.sampled_from([0, 0, 0, 1]),
        stdout=texts,
        stderr=st.binary(max_size=40),
        at=st.just(1.8e9),
        host_at=st.sampled_from([None, 1.8e9, 2.8e9]),
    )
    one = output | st.builds(Failure, st.sampled_from(["timeout", "truncated", "no_privilege"]))
    return st.fixed_dictionaries(dict.fromkeys(commands, one))


@pytest.mark.parametrize("name", WINDOWS)
@settings(suppress_health_check=[HealthCheck.too_slow])  # a probe may ask a dozen questions
@given(data=st.data())
def test_a_host_cannot_break_a_dialect(name: str, data: st.DataObject) -> None:
    dialect = WINDOWS[name]
    given_answers = data.draw(answers(dict(dialect.commands({}))))
    try:
        facts = dialect.parse(given_answers, {})
    except Unreadable:
        return
    probe = probes()[name]
    assert isinstance(probe, Probe)
    assert set(facts) == set(probe.facts["properties"])


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize(
    "stdout", [b"", b"{}", b"null", b"[]", b"0", b"\xff\xfe{\x00}\x00", b'{"services":[],"products":[]}']
)
def test_an_answer_that_says_nothing_is_no_health(name: str, stdout: bytes) -> None:
    """Exit code 0 and nothing in it: every fact is Unknown, or a list known to be incomplete."""
    dialect = WINDOWS[name]
    silent = Output(0, stdout, b"", 1.8e9, 1.8e9)
    try:
        facts = dialect.parse(dict.fromkeys(dialect.commands({}), silent), {})
    except Unreadable:
        return
    for fact in facts.values():
        assert isinstance(fact, Unknown) or (isinstance(fact, Partial) and not fact.items)


# ---------------------------------------------------------------- what the shipped controls make of recorded answers


@cache
def shipped() -> policies.Policies:
    return policies.load([ROOT / "policies"], policies.Schemas(policy_schema(probes()), schema("measures")))


def outcome(control: str, case: str, *registers: Register) -> Outcome | None:
    """What a shipped control comes to on a host that answered as recorded."""
    loaded = shipped()
    chosen = [c for c in loaded.controls if c.id == control]
    host = make_host("win", platform="windows", zone="dmz", roles=("ad-dc",))
    other = make_host("other", connection="none", roles=("web-filter", "backup-offsite"))
    plan = make_plan(make_estate(host, other, registers=registers), chosen, dict(probes()), measures=loaded.measures)
    (check,) = plan.checks_of(0)
    name = check.control.probe
    recorded = written((FOLDER / name / f"windows-{case}.yaml").read_text())
    given_answers = {n: answer(spec) for n, spec in recorded["answers"].items()}
    arguments = {
        **recorded["arguments"],
        **{k: v for k, v in check.arguments.items() if k not in recorded["arguments"]},
    }
    probe = probes()[name]
    assert isinstance(probe, Probe)
    return finding(check, probe.dialects["windows"].parse(given_answers, arguments), probe.facts, 1.8e9).outcome


AV, FRESH, LOCAL = "antivirus-or-edr-running", "antivirus-or-edr-fresh", "local-logs-survive-a-collector-outage"
BUILT_IN, ZONE, VLAN = (
    "windows-built-in-administrator-disabled",
    "host-address-in-its-declared-zone",
    "tagged-interfaces-in-declared-vlan",
)
MONTH, WAITS, RESTART, RELEASE, SMB1 = (
    "windows-updated-within-a-month",
    "windows-no-security-update-waits",
    "windows-restarted-for-its-updates",
    "windows-release-supported",
    "windows-smb1-off",
)
FIREWALL, WEB, DISKS, CERTIFICATES = (
    "windows-firewall-refuses-by-default",
    "windows-web-filtered",
    "windows-workstation-disks-encrypted",
    "windows-certificates-in-order",
)
BACKUP, OFF_SITE = "windows-backup-within-a-day", "windows-backup-off-site"


@pytest.mark.parametrize(
    ("control", "case", "wanted"),
    [
        (AV, "expected", "pass"),
        (AV, "expected-passive", "pass"),
        (AV, "expected-block-mode", "fail"),
        (AV, "expected-real-time-off", "fail"),
        (AV, "expected-service-stopped", "fail"),
        (AV, "absent", "fail"),
        (AV, "expected-falcon-on-server", "unknown"),
        (AV, "expected-unlisted-product", "unknown"),
        (AV, "unprivileged", "unknown"),
        (AV, "unreadable", "unknown"),
        (FRESH, "expected", "pass"),
        (FRESH, "expected-no-signatures", "fail"),
        (FRESH, "expected-stale", "fail"),
        (FRESH, "expected-passive", "unknown"),
        (FRESH, "expected-clock-skew", "unknown"),
        (BUILT_IN, "expected", "pass"),
        (BUILT_IN, "expected-french", "fail"),
        (BUILT_IN, "partial-no-flags", "unknown"),
        (BUILT_IN, "unprivileged", "unknown"),
        (LOCAL, "expected", "pass"),
        (LOCAL, "expected-young", "warn"),
        (LOCAL, "expected-wraps-in-hours", "fail"),
        (LOCAL, "expected-full", "fail"),
        (LOCAL, "unprivileged", "unknown"),
        (ZONE, "expected", "pass"),
        (ZONE, "expected-second-network", "fail"),
        (ZONE, "expected-wsl", "unknown"),
        (ZONE, "absent", "fail"),
        (ZONE, "unprivileged", "pass"),
        (VLAN, "expected", None),
        (VLAN, "expected-tagged", "fail"),
        (VLAN, "expected-virtual-switch", "unknown"),
        (MONTH, "expected", "pass"),
        (MONTH, "expected-waiting", "fail"),
        (MONTH, "absent", "unknown"),
        (MONTH, "unprivileged", "pass"),
        (MONTH, "unprivileged-policy", "unknown"),
        (WAITS, "expected", "pass"),
        (WAITS, "expected-waiting", "fail"),
        (WAITS, "absent", "unknown"),
        (WAITS, "partial", "unknown"),
        (WAITS, "partial-undated", "unknown"),
        (WAITS, "unprivileged", "unknown"),
        (RESTART, "expected", "pass"),
        (RESTART, "expected-pending", "warn"),
        (RESTART, "absent", "warn"),
        (RESTART, "unprivileged", "pass"),
        (RESTART, "unreadable", "unknown"),
        (RELEASE, "expected", "pass"),
        (RELEASE, "expected-ended", "fail"),
        (RELEASE, "expected-bought-updates", "pass"),
        (RELEASE, "partial-unknown-build", "unknown"),
        (RELEASE, "clock-skew", "unknown"),
        (SMB1, "expected", "pass"),
        (SMB1, "expected-old-server", "fail"),
        (SMB1, "expected-started-on-demand", "fail"),
        (SMB1, "unprivileged", "unknown"),
        (SMB1, "unprivileged-ruled-out", "pass"),
        (FIREWALL, "expected", "pass"),
        (FIREWALL, "expected-public-off", "fail"),
        (FIREWALL, "expected-inbound-allowed", "fail"),
        (FIREWALL, "expected-service-stopped", "fail"),
        (FIREWALL, "expected-other-firewall", "pass"),
        (FIREWALL, "partial-center-silent", "pass"),
        (FIREWALL, "partial-registry-alone", "unknown"),
        (FIREWALL, "unprivileged", "unknown"),
        (WEB, "expected", "pass"),
        (WEB, "expected-other-resolver", "fail"),
        (WEB, "expected-proxy", "pass"),
        (WEB, "expected-each-user", "fail"),
        (WEB, "expected-server", "pass"),
        (WEB, "expected-server-without-leave", "fail"),
        (WEB, "partial", "unknown"),
        (WEB, "absent", "unknown"),
        (DISKS, "expected", "pass"),
        (DISKS, "expected-suspended", "fail"),
        (DISKS, "absent", None),
        (DISKS, "partial", "unknown"),
        (DISKS, "unprivileged", "unknown"),
        (CERTIFICATES, "expected", "pass"),
        (CERTIFICATES, "expected-ended", "fail"),
        (CERTIFICATES, "expected-short-lived", "pass"),
        (CERTIFICATES, "absent", None),
        (CERTIFICATES, "partial", "unknown"),
        (CERTIFICATES, "unprivileged", "unknown"),
        (BACKUP, "expected", "pass"),
        (BACKUP, "expected-stale", "fail"),
        (BACKUP, "expected-never-succeeded", "fail"),
        (BACKUP, "expected-veeam", "pass"),
        (BACKUP, "partial", "pass"),
        (BACKUP, "partial-veeam-warning", "unknown"),
        (BACKUP, "absent", "unknown"),
        (BACKUP, "unprivileged", "unknown"),
        (OFF_SITE, "expected", "pass"),
        (OFF_SITE, "expected-elsewhere", "fail"),
        (OFF_SITE, "expected-volume", "unknown"),
        (OFF_SITE, "expected-veeam", "unknown"),
    ],
)
def test_a_shipped_control_on_windows(control: str, case: str, wanted: str | None) -> None:
    assert outcome(control, case) == wanted
