"""Decision records: their shape is checked when they are loaded; what they mean, later."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import ACCEPTANCE_YAML, ACCEPTED, SIGNED, decision_schemas, make_probe, schema, write

from auditor.errors import InvalidInput
from auditor.load import decisions, recommendations
from auditor.load.policy_schema import policy_schema
from auditor.records import Acceptance, Action, Adaptation, Compensation, Exemption, Record, Scope

ADAPTATION_YAML = """\
kind: adaptation
id: ADA-1
perimeter: common
entity: TOWN
measure: log-retention
controls: [kept-long-enough]
scope:
  zones: [dmz]
  networks: [10.62.60.0/24]
  frozen: {count: 1, hosts: [web01]}
constraint: technical
original: {target_days: 365}
adapted:
  parameters: {target_days: 100}
  expect: {kept-long-enough: {days: {at_least: $target_days}}}
informed: [{entity: OTHER, at: 2026-05-01, channel: letter}]
justification: The disk is full until the next budget.
decision: {role: mayor, signed_at: 2026-06-01}
expires: 2027-06-01
"""
EXEMPTION_YAML = """\
kind: exemption
id: EXE-1
perimeter: own
entity: TOWN
reason: not_applicable
unasked: {measures: [log-retention], hosts: [printer01]}
justification: A printer keeps no logs of its own.
risk: {residual: {niveau: faible}}
decision: {role: ssi-lead, signed_at: 2026-06-01}
expires: 2027-06-01
"""
ACTION_YAML = """\
kind: action
id: ACT-1
perimeter: own
controls: [kept-long-enough]
scope: {hosts: [web01]}
text: Buy a disk.
responsible: support-desk
due: 2026-12-01
ticket: GLPI-4711
"""
BOUND = ACCEPTANCE_YAML + "as_long_as: {kept-long-enough: {days: {at_least: 100}}}\n"
EXPECTS = decisions.Expects(
    policy_schema({"sample": make_probe()})["definitions"],
    {"kept-long-enough": "sample"},
    {"kept-long-enough": {"target_days": 365}},
)


def load(folder: Path, expects: decisions.Expects | None = None) -> tuple[Record, ...]:
    return decisions.load(folder, decision_schemas(), expects)[0]


def refused(folder: Path, expects: decisions.Expects | None = None) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(folder, expects)
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


def test_a_record_is_loaded_as_written(tmp_path: Path) -> None:
    """Dates stay texts, the effect begins with the signature, and its document is looked at."""
    write(tmp_path, **ACCEPTED)
    (one,) = load(tmp_path / "decisions")
    assert isinstance(one, Acceptance)
    assert (one.signature.signed_at, one.signature.effective_from, one.expires, one.status) == (
        "2026-06-01",
        "2026-06-01",
        "2027-06-01",
        "active",
    )
    assert one.source == f"{tmp_path}/decisions/a.yaml:2"
    assert [p.holds for p in one.proofs] == [True]
    write(tmp_path, **{"decisions__documents__AR-1.txt": SIGNED + " "})
    (one,) = load(tmp_path / "decisions")
    assert [p.holds for p in one.proofs] == [False]  # type: ignore[union-attr]
    (tmp_path / "decisions/documents/AR-1.txt").unlink()
    (one,) = load(tmp_path / "decisions")
    assert [p.found for p in one.proofs] == [""]  # type: ignore[union-attr]


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    """Each is a type of its own."""
    write(tmp_path, b=ADAPTATION_YAML, c=EXEMPTION_YAML, d=ACTION_YAML)
    adaptation, exemption, action = load(tmp_path, EXPECTS)
    assert isinstance(adaptation, Adaptation)
    assert adaptation.scope == Scope(zones=("dmz",), networks=("10.62.60.0/24",), frozen=("web01",), count=1)
    assert (adaptation.parameters, adaptation.informed[0].entity) == ({"target_days": 100}, "OTHER")
    assert isinstance(exemption, Exemption)
    assert (exemption.unasked_measures, exemption.unasked_hosts) == (("log-retention",), ("printer01",))
    assert isinstance(action, Action)
    assert (action.responsible, action.due, action.status) == ("support-desk", "2026-12-01", "open")


def test_ids_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    """`9.10` is not 9.1."""
    write(tmp_path, a=ACCEPTANCE_YAML.replace("id: ACC-1", "id: 9.10") + "compensated_by: [{control: 4.20, on: 007}]\n")
    (one,) = load(tmp_path)
    assert one.id == "9.10"
    assert isinstance(one, Acceptance)
    assert one.compensated_by == (Compensation("4.20", "007"),)


def test_so_do_those_that_may_be_left_empty(tmp_path: Path) -> None:
    """`9.10` and `9.1` are two records."""
    text = ACCEPTANCE_YAML.replace("signed_at", "delegation_ref: 9.20, signed_at") + "supersedes: 9.10\n"
    write(tmp_path, a=text)
    (one,) = load(tmp_path)
    assert isinstance(one, Acceptance)
    assert (one.supersedes, one.signature.delegation_ref) == ("9.10", "9.20")
    write(tmp_path, a=ACCEPTANCE_YAML + "supersedes: null\n")
    assert [r.supersedes for r in load(tmp_path) if isinstance(r, Acceptance)] == [""]


def test_what_looks_like_a_record_is_never_passed_over(tmp_path: Path) -> None:
    """A revocation is not lost because of how its file is called, or behind a link."""
    folder = write(tmp_path / "town", **ACCEPTED) / "decisions"
    (folder / "REVOKED.YAML").write_text("kind: acceptance\n")
    (tmp_path / "elsewhere").mkdir()
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    assert refused(folder) == [
        "REVOKED.YAML: a record is named REVOKED.yaml",
        "more: a link to a folder is not followed: put the records here",
    ]
    (folder / "REVOKED.YAML").unlink()
    (folder / "more").unlink()
    (folder / "documents" / "SCAN.PDF").write_text("x")
    assert len(load(folder)) == 1


def test_no_folder_is_no_decision(tmp_path: Path) -> None:
    """An estate need not hold decisions."""
    assert load(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("expires: 2027-06-01", "expires: 2026-02-30", "a.yaml:10:10: 2026-02-30 is no day of the calendar"),
        ("expires: 2027-06-01", "expires: 01/06/2027", "a.yaml:10:10: the text '01/06/2027' has not the right form, for example 2027-02-20"),
        ("expires: 2027-06-01", "", "a.yaml:1:1: lacks 'expires'"),
        ("signed_at: 2026-06-01", "signed_at: 2026-13-01", "a.yaml:9:36: 2026-13-01 is no day of the calendar"),
        ("scope: {hosts: [web01]}", "scope: {}", "a.yaml:7:1: is empty"),
        ("scope: {hosts: [web01]}", "scope: {hosts: []}", "a.yaml:7:16: is empty"),
        ("scope: {hosts: [web01]}", "scope: {networks: [10.0.0.1/8]}", "a.yaml:7:20: no network: 10.0.0.1/8 has host bits set"),
        ("controls: [kept-long-enough]", "controls: []", "a.yaml:6:11: is empty"),
        ("kind: acceptance", "kind: exception", "a.yaml:1:7: there is no kind 'exception' here; did you mean"),
        ("kind: acceptance", "kind: [1]", "a.yaml:1:7: there is no kind"),
        ("kind: acceptance\n", "", "a.yaml:1:1: lacks 'kind' (acceptance, adaptation, exemption, action)"),
        ("The machine is replaced next year.", "Because.", "a.yaml:8:16: "),
        ("expires:", "expire:", "a.yaml:10:1: unknown key 'expire'; did you mean 'expires'?"),
        ("documents/AR-1.txt", "/etc/passwd", "a.yaml:11:22: the text '/etc/passwd' has not the right form"),
        ("documents/AR-1.txt", "../../x", "a.yaml:11:22: the text '../../x' has not the right form"),
        ("recommendation: REC-1", "recommendation: {ref: REC-1}", "a.yaml:5:17: must be text, not a mapping"),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_said_at_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    """Dates that are none, empty scopes, missing reasons: the record is refused, with its place."""
    assert before in ACCEPTANCE_YAML
    write(tmp_path, a=ACCEPTANCE_YAML.replace(before, after))
    found = refused(tmp_path)
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EXEMPTION_YAML.replace("unasked: {measures: [log-retention], hosts: [printer01]}\n", ""), "a.yaml:1:1: needs controls and scope or unasked"),
        (EXEMPTION_YAML.replace("risk: {residual: {niveau: faible}}\n", ""), "a.yaml:1:1: lacks 'risk'"),
        (ADAPTATION_YAML.replace("informed: [{entity: OTHER, at: 2026-05-01, channel: letter}]\n", ""), "a.yaml:1:1: lacks 'informed'"),
        (ADAPTATION_YAML.replace("target_days: 100", "target_days: many"), "a.yaml:14:29: must be a number, not the text 'many'"),
        (ACTION_YAML.replace("due: 2026-12-01", "due: soon"), "a.yaml:8:6: the text 'soon' has not the right form, for example"),
        (ACTION_YAML + "status: late\n", "a.yaml:10:9: the text 'late' is not one of open, done, abandoned"),
        ("- kind: action\n", "a.yaml:1:1: must be a record"),
        (BOUND.replace("days:", "dasy:"), "a.yaml:12:33: unknown key 'dasy'; did you mean 'days'?"),
        (BOUND.replace("at_least: 100", "at_least: $target_dyas"), "a.yaml:12:50: the measure has no parameter 'target_dyas'"),
        (BOUND.replace("days: {at_least: 100}", "name: {matches: '('}"), "a.yaml:12:49: the pattern is not one"),
        (ADAPTATION_YAML.replace("{days: {at_least", "{day: {at_least"), "a.yaml:15:31: unknown key 'day'"),
    ],
)  # fmt: skip
def test_a_wrong_shape_of_another_kind(tmp_path: Path, text: str, problem: str) -> None:
    """Each by its own schema; what bounds or adapts is held against the facts of the control's probe."""
    write(tmp_path, a=text)
    found = refused(tmp_path, EXPECTS)
    assert any(one.startswith(problem) for one in found), found


def test_the_errors_of_all_records_come_at_once(tmp_path: Path) -> None:
    """One bad record does not hide the next, nor one given twice."""
    write(
        tmp_path,
        a=ACCEPTANCE_YAML,
        b=ACTION_YAML.replace("ACT-1", "ACC-1"),
        c="kind: [",
        **{"d.yml": ACCEPTANCE_YAML.replace("ACC-1", "ACC-2").replace("2027-06-01", "2026-02-30")},
    )
    found = refused(tmp_path)
    assert [p.partition(":")[0] for p in found] == ["b.yaml", "c.yaml", "d.yml"]
    assert "given twice" in found[0]


def test_a_document_that_is_no_file_is_none(tmp_path: Path) -> None:
    """A folder, or a name that no file can have."""
    (tmp_path / "documents/AR-1.txt").mkdir(parents=True)
    write(tmp_path, a=ACCEPTANCE_YAML)
    (one,) = load(tmp_path)
    assert isinstance(one, Acceptance)
    assert one.proofs[0].found == ""


def test_recommendations_name_what_is_there(tmp_path: Path) -> None:
    """One file each; a perimeter or an entity that the estate lacks is said at its place."""
    from make import make_estate

    write(tmp_path, a=ACCEPTED["recommendations__a"].replace("own", "onw"), b=ACCEPTED["recommendations__a"])
    problems: list[object] = []
    found = recommendations.load(tmp_path, schema("recommendation"), problems, {})  # type: ignore[arg-type]
    recommendations.unknown(found, make_estate(), problems)  # type: ignore[arg-type]
    assert [str(p).removeprefix(f"{tmp_path}/") for p in problems] == [
        f"b.yaml:2:1: the record 'REC-1' is given twice (first in {tmp_path}/a.yaml:2)",
        "a.yaml:2:1: there is no perimeter 'onw'; did you mean 'own'?",
    ]


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([BOUND, ADAPTATION_YAML, EXEMPTION_YAML, ACTION_YAML]), st.integers(0, 40), TREES, st.integers(0, 3)
)
def test_any_value_anywhere_is_refused_or_loaded(
    tmp_path_factory: pytest.TempPathFactory, text: str, line: int, value: object, form: int
) -> None:
    """A line that is replaced, taken out or doubled ends in a list of problems or in records, never in a traceback."""
    import json

    lines = text.splitlines()
    place = line % len(lines)
    key = lines[place].partition(":")[0]
    lines[place] = (f"{key}: {json.dumps(value)}", "", lines[place] * 2, f"{key}:")[form]
    folder = write(tmp_path_factory.mktemp("any"), a="\n".join(lines))
    try:
        load(folder, EXPECTS)
    except InvalidInput as error:
        assert error.problems
