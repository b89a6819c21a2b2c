"""The PowerShell of the Windows dialects, as far as it can be known without a Windows: its grammar and what it calls.

Two grammars, because each lets something pass that the other refuses. What a real host answers is in recorded cases.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import pytest
import tree_sitter_powershell
import tree_sitter_pwsh
import yaml
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
    "get-item",
    "get-itemproperty",
    "get-localuser",
    "get-mpcomputerstatus",
    "get-winevent",
    "new-object",
}
METHODS = {
    "contains",
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
    "replace",
    "split",
    "substring",
    "tolowerinvariant",
    "tostring",
    "touniversaltime",
    "translate",
}
# That New-Object may make.
TYPES = {"system.directoryservices.directorysearcher", "system.security.principal.securityidentifier"}
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
        if name not in COMMANDS:
            yield f"calls {name}"
        if name.startswith("get-") and "-ErrorAction Stop" not in words(node):
            yield f"{name} may fail in silence"
        if name == "new-object" and not any(f"-typename {t} " in words(node).lower() for t in TYPES):
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
    elif node.type == "assignment_expression" and "." in words(node).partition("=")[0]:
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
        ("foreach ($n in @('a') {", "does not parse as powershell"),
        ("$a ? 1 : 2", "does not parse as powershell"),
        ("try { 1 }", "try without catch"),
        ("'\N{LATIN SMALL LETTER E WITH ACUTE}'", "is not ASCII"),
    ],
)
def test_a_question_that_does_more_is_refused(text: str, wrong: str) -> None:
    assert wrong in faults(text)


def test_the_text_that_sudo_runs_holds_no_powershell() -> None:
    assert not set(inputs.elevated(probes())) & set(QUESTIONS.values())


# ---------------------------------------------------------------- whatever a host answers


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("value", "Count", "names", "services", "products", "members", "interfaces", "adapters"),
                    *(
                        "accounts",
                        "dates",
                        "groups",
                        "providers",
                        "listeners",
                        "ports",
                        "processes",
                        "installed",
                        "values",
                    ),
                ]
            )
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
    host = make_host("win", platform="windows", zone="dmz", roles=("ad-dc",))
    chosen = [c for c in loaded.controls if c.id == control]
    plan = make_plan(make_estate(host, registers=registers), chosen, dict(probes()), measures=loaded.measures)
    (check,) = plan.checks_of(0)
    name = check.control.probe
    recorded = yaml.safe_load((FOLDER / name / f"windows-{case}.yaml").read_text())
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
    ],
)
def test_a_shipped_control_on_windows(control: str, case: str, wanted: str | None) -> None:
    assert outcome(control, case) == wanted
