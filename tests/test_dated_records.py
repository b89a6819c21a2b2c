"""What registers, decisions and declared numbers tell: the shipped controls, from files to outcomes, on both sides."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from documents import written
from hypothesis import given
from hypothesis import strategies as st
from make import ROOT, make_host

from auditor.cli import main
from auditor.commands import inputs
from auditor.errors import Unreadable
from auditor.kinds import RECORDS, Probe, Settings
from auditor.model import Output
from auditor.probes import adaptations, recommendations, workstations
from auditor.probes import incidents as incidents_probe
from auditor.readers.declared import DATED
from auditor.readers.working_days import easter, working_days
from auditor.transports.records import TRANSPORT

PROBES = (adaptations.PROBE, incidents_probe.PROBE, recommendations.PROBE, workstations.PROBE)
NAMES = (
    "detected_at",
    "declared_at",
    "report_sent_on",
    "count",
    "since",
    "personal_data",
    "moments",
    "informed",
    "declined",
    "on",
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from((*NAMES, "2026-02-30", "2026-06-01")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SIGNED = "Signed.\n"
SHA = hashlib.sha256(SIGNED.encode()).hexdigest()
ESTATE = """\
entities: [{id: CUA}, {id: SCOTA}]
auditing_entity: CUA
perimeters:
  - {id: shared, owner: CUA, kind: shared, beneficiaries: [SCOTA]}
  - id: own
    owner: SCOTA
    kind: exclusive
    advised_by: CUA
    audit_authorisation: {by: president, from: 2026-04-01, until: 2029-12-31, document: records/paper.txt, sha256: SHA}
signatories:
  - {role: president, entity: SCOTA, since: 2026-03-31}
  - {role: rssi, entity: CUA, since: 2025-01-01}
hosts:
  all: {perimeter: shared, connection: none, why: no way in, platform: other}
  pc1: {roles: [workstation]}
  nas: {perimeter: own}
"""
TODAY = "2026-11-18"
POLICIES = ("records", "attestations")
WHOLE: dict[str, Any] = {"since": "2025-11-01", "count": 1}
NOTICED = "2026-10-01T08:00:00+02:00"
INCIDENTS = (
    "anomalies-declared-in-time",
    "dpo-alerted-of-personal-data",
    "major-incident-reports-in-time",
    "breaches-told-to-the-dpo-within-a-day",
    "breaches-notified-within-three-days",
)
GOOD = {
    "entry": "INC-1",
    "detected_at": NOTICED,
    "declared_at": "2026-10-01T10:00:00+02:00",
    "personal_data": "breach",
    "dpo_alerted_at": "2026-10-02T08:00:00+02:00",
    "cnil_notified_at": "2026-10-04T08:00:00+02:00",
    "major": True,
    "qualified_on": "2026-10-02",
    "report_sent_on": "2026-10-16",
}


@pytest.fixture
def town(tmp_path: Path) -> Path:
    folder = tmp_path / "town"
    for name, text in {
        "estate.yaml": ESTATE.replace("SHA", SHA),
        "hosts.yaml": "all: {hosts: {pc1: {}, nas: {}}}\n",
        "records/paper.txt": SIGNED,
    }.items():
        put(folder / name, text)
    return folder


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def attest(town: Path, measure: str, perimeter: str = "shared", on: str = "2026-11-02", **more: Any) -> None:
    said = {
        "kind": "attestation",
        "id": f"ATT-{measure}-{perimeter}",
        "measure": measure,
        "perimeter": perimeter,
        "on": on,
        "by": {"role": "rssi", "entity": "CUA"},
        "document": "paper.txt",
        "sha256": SHA,
        "scope": {"perimeter": True},
        **more,
    }
    put(town / f"records/{said['id']}.yaml", yaml.safe_dump(said))


def register(town: Path, name: str, *entries: Any, **more: Any) -> None:
    put(town / f"records/{name}.yaml", yaml.safe_dump({"register": name, "entries": list(entries), **more}))


def judged(town: Path, as_of: str = TODAY) -> dict[tuple[str, str], dict[str, Any]]:
    """Each finding of a perimeter, by its id and that of the control."""
    out = town.parent / "out.json"
    policies = [str(ROOT / "policies" / "convention" / f"{name}.yaml") for name in POLICIES]
    words = ["-i", str(town), "--store", "none", "--as-of", as_of, "-f", f"json={out}"]
    result = CliRunner().invoke(main, ["run", *policies, *words], catch_exceptions=False)
    assert out.exists(), result.output
    found = json.loads(out.read_text("utf-8"))["findings"]
    return {
        (f["subject"]["id"], f["control"]["id"] if isinstance(f["control"], dict) else f["control"]): f for f in found
    }


def outcome(town: Path, control: str, perimeter: str = "shared", as_of: str = TODAY) -> str:
    return str(judged(town, as_of)[(perimeter, control)]["outcome"])


def incidents(town: Path, as_of: str = TODAY) -> tuple[str, ...]:
    found = judged(town, as_of)
    return tuple(found[("shared", control)]["outcome"] for control in INCIDENTS)


# ---------------------------------------------------------------- nothing declared, and nothing to declare


def test_where_nothing_is_declared_nothing_passes(town: Path) -> None:
    """Of all these controls, on every perimeter that owes them."""
    found = judged(town)
    policy = written((ROOT / "policies/convention/records.yaml").read_text("utf-8"))
    ours = {c["id"] for c in policy["controls"]}
    outcomes = {f["outcome"] for (_, control), f in found.items() if control in ours}
    assert {control for _, control in found} >= ours
    assert outcomes == {"unknown"}


def test_an_empty_register_is_no_pass_by_itself(town: Path) -> None:
    for name in ("incidents", "workstations"):
        register(town, name, reviewed_at="2026-11-17")
    (town / "hosts.yaml").write_text("all: {hosts: {nas: {}}}\n", "utf-8")
    (town / "estate.yaml").write_text((town / "estate.yaml").read_text().replace("  pc1: {roles: [workstation]}\n", ""))
    assert set(incidents(town)) == {"unknown"}
    assert outcome(town, "workstations-younger-than-five-years") == "unknown"


def test_somebody_may_attest_that_there_is_none(town: Path) -> None:
    attest(town, "inc-register", values={"since": "2025-11-01", "count": 0})
    attest(town, "gov-adaptation-notice", values={"count": 0})
    for perimeter in ("shared", "own"):
        attest(town, "gov-reco-register", perimeter, values={"count": 0})
    attest(town, "gov-residual-risk", "own", values={"count": 0})
    found = judged(town)
    assert set(incidents(town)) == {"pass"}
    assert found[("shared", "adaptations-announced-before")]["outcome"] == "pass"
    assert found[("own", "recommendations-communicated-and-answered")]["outcome"] == "pass"
    assert found[("own", "declined-recommendations-accepted")]["outcome"] == "pass"


# ---------------------------------------------------------------- incidents


def test_dates_in_time_pass_to_the_hour(town: Path) -> None:
    register(town, "incidents", GOOD)
    attest(town, "inc-register", values=WHOLE)
    assert incidents(town) == ("pass",) * 5


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        ({"declared_at": "2026-10-02T08:01:00+02:00"}, ("warn", "pass", "pass", "pass", "pass")),
        ({"declared_at": None}, ("fail", "pass", "pass", "pass", "pass")),
        ({"dpo_alerted_at": "2026-10-02T08:01:00+02:00"}, ("pass", "pass", "pass", "fail", "pass")),
        ({"dpo_alerted_at": None}, ("pass", "fail", "pass", "fail", "pass")),
        ({"cnil_notified_at": "2026-10-04T08:01:00+02:00"}, ("pass", "pass", "pass", "pass", "fail")),
        ({"cnil_notified_at": None}, ("pass", "pass", "pass", "pass", "fail")),
        ({"cnil_notified_at": None, "no_notification": "encrypted"}, ("pass",) * 5),
        ({"report_sent_on": "2026-10-19"}, ("pass", "pass", "warn", "pass", "pass")),
        ({"report_sent_on": "2026-10-24"}, ("pass", "pass", "warn", "pass", "pass")),
        ({"report_sent_on": "2026-10-26"}, ("pass", "pass", "fail", "pass", "pass")),
        ({"report_sent_on": None}, ("pass", "pass", "fail", "pass", "pass")),
        ({"personal_data": "none", "dpo_alerted_at": None, "cnil_notified_at": None}, ("pass",) * 5),
        ({"personal_data": "possible", "cnil_notified_at": None}, ("pass", "pass", "pass", "unknown", "unknown")),
    ],
)
def test_dates_that_are_late_or_never_came(town: Path, changes: dict[str, Any], outcomes: tuple[str, ...]) -> None:
    register(town, "incidents", {**GOOD, **changes})
    attest(town, "inc-register", values=WHOLE)
    assert incidents(town) == outcomes


@pytest.mark.parametrize(
    ("lacking", "place"),
    [("declared_at", 0), ("dpo_alerted_at", 1), ("report_sent_on", 2), ("dpo_alerted_at", 3), ("cnil_notified_at", 4)],
)
def test_what_the_register_does_not_say_is_not_measured(town: Path, lacking: str, place: int) -> None:
    register(town, "incidents", {name: value for name, value in GOOD.items() if name != lacking})
    attest(town, "inc-register", values=WHOLE)
    assert incidents(town)[place] == "unknown"


def test_references_alone_tell_nothing_however_well_counted(town: Path) -> None:
    register(town, "incidents", "INC-1", reviewed_at="2026-11-02")
    attest(town, "inc-register", values=WHOLE)
    assert incidents(town) == ("unknown",) * 5


@pytest.mark.parametrize(
    "word",
    [
        {"values": {"since": "2025-11-01", "count": 2}},
        {"values": {"since": "2025-11-01", "count": 0}},
        {"values": {"since": "2026-01-01", "count": 1}},
        {"values": {"count": 1}},
        {"values": WHOLE, "scope": {"hosts": ["pc1"]}},
        {"values": WHOLE, "sha256": "00" * 32},
        {"values": WHOLE, "by": {"role": "nobody", "entity": "CUA"}},
        {},
    ],
)
def test_a_register_that_nobody_counted_so_passes_nothing_and_fails_what_is_late(town: Path, word: Any) -> None:
    attest(town, "inc-register", **word)
    register(town, "incidents", GOOD)
    assert incidents(town) == ("unknown",) * 5
    register(town, "incidents", {**GOOD, "dpo_alerted_at": None, "cnil_notified_at": None})
    assert incidents(town) == ("unknown", "fail", "unknown", "fail", "fail")


def test_the_year_is_whole_to_the_day(town: Path) -> None:
    """The period reaches back 365 days; what was noticed 366 days ago is not judged any more."""
    late = {**GOOD, "cnil_notified_at": None}
    for day, expected in (("2025-11-18", "fail"), ("2025-11-17", "pass")):
        register(town, "incidents", {**late, "detected_at": f"{day}T08:00:00+01:00"})
        attest(town, "inc-register", values={"since": "2025-11-17", "count": 1})
        assert outcome(town, "breaches-notified-within-three-days") == expected
    register(town, "incidents")
    for since, expected in (("2025-11-18", "pass"), ("2025-11-19", "unknown")):
        attest(town, "inc-register", values={"since": since, "count": 0})
        assert outcome(town, "breaches-notified-within-three-days") == expected


def test_the_count_ages(town: Path) -> None:
    """92 days, and a week of grace."""
    register(town, "incidents", GOOD)
    attest(town, "inc-register", values={"since": "2025-10-01", "count": 1})
    days = ("2027-02-02", "2027-02-03", "2027-02-09", "2027-02-10")
    assert [incidents(town, day) for day in days] == [(word,) * 5 for word in ("pass", "warn", "warn", "fail")]


def test_a_count_that_failed_fails(town: Path) -> None:
    attest(town, "inc-register", values={"since": "2025-11-01", "count": 0, "result": "failed"})
    assert incidents(town) == ("fail",) * 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"declared_at": "2026-10-01T07:59:00+02:00"}, "is before detected_at"),
        ({"report_sent_on": "2026-10-01"}, "is before 2026-10-02"),
        ({"qualified_on": "2026-09-30"}, "is before 2026-10-01"),
        ({"qualified_on": "2026-02-30"}, "is no day of the calendar"),
        ({"detected_at": "2026-02-30T08:00:00+02:00"}, "is no moment"),
        ({"personal_data": "perhaps"}, "perhaps"),
        ({"detected_at": None}, "must be text, not nothing"),
    ],
)
def test_dates_that_cannot_be_are_errors_with_their_place(town: Path, changes: dict[str, Any], said: str) -> None:
    register(town, "incidents", {**GOOD, **changes})
    result = CliRunner().invoke(main, ["lint", str(town)])
    assert (result.exit_code, said in result.output, "incidents.yaml:" in result.output) == (2, True, True), (
        result.output
    )


def test_a_period_that_begins_after_its_end_is_an_error(town: Path) -> None:
    attest(town, "inc-register", values={"since": "2026-11-03", "count": 0})
    result = CliRunner().invoke(main, ["lint", str(town)])
    assert (result.exit_code, "2026-11-03 is after 2026-11-02" in result.output) == (2, True)


def test_entries_of_other_registers_stay_where_they_are(town: Path) -> None:
    """Who left is in no evidence."""
    register(town, "leavers", {"entry": "dupont", "left_at": NOTICED})
    register(town, "incidents", GOOD)
    ask = TRANSPORT.open(Settings(lambda: 0.0, estate=inputs.load_estate((str(town),), TODAY)[0]))
    ((_, answer),) = ask(make_host("perimeter:shared", perimeter="shared"), (DATED,), 1.0)
    assert isinstance(answer, Output)
    assert "INC-1" in answer.text
    assert "dupont" not in answer.text


@given(st.sampled_from(PROBES), st.sampled_from(["dated", "adaptations", "recommendations", "attestations"]), ODD, ODD)
def test_odd_records_are_unreadable_or_told(probe: Probe, name: str, key: Any, value: Any) -> None:
    """No answer breaks a parser, and what it cannot read is Unknown or refused as a whole."""
    record = {
        "dated": {"register": "incidents", "perimeter": "", "id": "INC-1"},
        "adaptations": {"id": "A", "effective_from": "2026-01-01", "expires": "2027-01-01", "active": True, "informed": [], "beneficiaries": ["x"]},
        "recommendations": {"id": "R", "controls": ["c"], "communicated_at": "", "altered": "", "reply": "", "replied_on": "", "declined": [], "adopted": []},
        "attestations": {"id": "A", "measure": "m", "perimeter": "p", "on": "2026-01-01", "role": "r", "entity": "e", "attests": "answers",
                         "proof": {"document": "d", "sha256": SHA, "found": SHA}, "scope": {"perimeter": True}},
    }[name]  # fmt: skip
    odd = {**record, **({key: value} if isinstance(key, str) else {"moments": key, "days": value, "values": key})}
    dialect = probe.dialects[RECORDS]
    answers = {n: Output(0, b"[]", b"", 0.0) for n in dialect.commands({})}
    answers[name] = Output(0, json.dumps([odd]).encode(), b"", 0.0)
    try:
        facts = dialect.parse(answers, {"measure": "m", "register": "incidents", "as_of": TODAY})
    except Unreadable:
        return
    assert set(facts) == set(probe.facts["properties"])


# ---------------------------------------------------------------- workstations


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([{"entry": "pc1", "purchased_on": "2021-11-18"}], "pass"),
        ([{"entry": "pc1", "purchased_on": "2021-11-17"}], "fail"),
        ([{"entry": "pc2", "purchased_on": "2022-11-17"}], "unknown"),
        (["pc1"], "unknown"),
        ([{"entry": "pc2", "purchased_on": "2012-11-17"}], "fail"),
    ],
)
def test_workstations_by_their_days_of_purchase(town: Path, entries: list[Any], expected: str) -> None:
    register(town, "workstations", *entries, reviewed_at="2026-11-01")
    assert outcome(town, "workstations-younger-than-five-years") == expected


def test_a_register_of_workstations_that_nobody_reads_again(town: Path) -> None:
    entry = {"entry": "pc1", "purchased_on": "2024-01-01"}
    for reviewed, expected in (("2025-11-18", "pass"), ("2025-11-17", "warn"), ("2025-10-18", "fail"), ("", "unknown")):
        register(town, "workstations", entry, **({"reviewed_at": reviewed} if reviewed else {}))
        assert outcome(town, "workstations-younger-than-five-years") == expected, reviewed


# ---------------------------------------------------------------- decisions


def adapt(town: Path, **more: Any) -> None:
    said = {
        "kind": "adaptation",
        "id": "ADA-1",
        "perimeter": "shared",
        "entity": "CUA",
        "measure": "log-retention",
        "controls": ["collected-logs-reach-back-about-twelve-months"],
        "scope": {"hosts": ["pc1"]},
        "constraint": "technical",
        "original": {"target_days": 335},
        "adapted": {"parameters": {"target_days": 180}},
        "informed": [{"entity": "SCOTA", "at": "2026-05-10"}],
        "justification": "The disks hold six months until they are replaced.",
        "decision": {"role": "rssi", "signed_at": "2026-05-10"},
        "expires": "2027-05-09",
        **more,
    }
    put(town / "decisions/ADA-1.yaml", yaml.safe_dump(said))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "pass"),
        ({"informed": [{"entity": "SCOTA", "at": "2026-05-11"}]}, "fail"),
        ({"informed": [{"entity": "SCOTA", "at": "2026-12-01"}]}, "fail"),
        ({"informed": [{"entity": "CUA", "at": "2026-05-01"}]}, "fail"),
        ({"decision": {"role": "rssi", "signed_at": "2026-05-10", "effective_from": "2026-11-19"}}, "unknown"),
    ],
)
def test_adaptations_by_their_notices(town: Path, changes: dict[str, Any], expected: str) -> None:
    adapt(town, **changes)
    attest(town, "gov-adaptation-notice", values={"count": 1})
    assert outcome(town, "adaptations-announced-before") == expected


def test_an_adaptation_that_nobody_counted(town: Path) -> None:
    adapt(town)
    assert outcome(town, "adaptations-announced-before") == "unknown"
    adapt(town, informed=[{"entity": "SCOTA", "at": "2026-06-01"}])
    assert outcome(town, "adaptations-announced-before") == "fail"


def recommend(town: Path, **more: Any) -> None:
    said = {
        "kind": "recommendation",
        "id": "REC-1",
        "perimeter": "own",
        "controls": ["antivirus-or-edr-running"],
        "text": "Install the shared EDR.",
        "issued_by": "CUA",
        "communicated_at": "2026-04-20",
        **more,
    }
    put(town / "recommendations/REC-1.yaml", yaml.safe_dump({k: v for k, v in said.items() if v is not None}))


def accept(town: Path, name: str = "ACC-1", **more: Any) -> None:
    said = {
        "kind": "acceptance",
        "id": name,
        "perimeter": "own",
        "owner_entity": "SCOTA",
        "recommendation": "REC-1",
        "controls": ["antivirus-or-edr-running"],
        "scope": {"hosts": ["nas"]},
        "justification": "The vendor does not support an EDR; replaced in 2027.",
        "decision": {"role": "president", "signed_at": "2026-05-20"},
        "expires": "2027-05-19",
        "evidence": {"document": "act.txt", "sha256": SHA},
        **more,
    }
    put(town / f"decisions/{name}.yaml", yaml.safe_dump(said))
    put(town / "decisions/act.txt", SIGNED)


def answered(town: Path, count: int = 1, as_of: str = TODAY) -> tuple[str, str]:
    """Of the register, and of the risks taken."""
    attest(town, "gov-reco-register", "own", values={"count": count})
    attest(town, "gov-residual-risk", "own", values={"count": count})
    found = judged(town, as_of)
    names = ("recommendations-communicated-and-answered", "declined-recommendations-accepted")
    first, second = (str(found[("own", name)]["outcome"]) for name in names)
    return first, second


def test_a_recommendation_that_was_declined_needs_an_acceptance(town: Path) -> None:
    recommend(town, reply="declined", replied_on="2026-05-20")
    assert answered(town) == ("pass", "fail")
    accept(town)
    assert answered(town) == ("pass", "pass")
    assert answered(town, as_of="2027-05-20")[1] == "fail"


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": {"role": "rssi", "signed_at": "2026-05-20"}},
        {"owner_entity": "CUA"},
        {"evidence": {"document": "act.txt", "sha256": "00" * 32}},
        {"drafted_by": "president"},
        {"decision": {"role": "president", "signed_at": "2026-03-01"}},
    ],
)
def test_an_acceptance_that_is_not_formalised_fails(town: Path, changes: dict[str, Any]) -> None:
    recommend(town)
    accept(town, **changes)
    assert answered(town)[1] == "fail"


def test_a_renewal_stands_for_what_it_replaces(town: Path) -> None:
    recommend(town)
    accept(town, expires="2026-11-01")
    assert answered(town)[1] == "fail"
    accept(
        town,
        "ACC-2",
        supersedes="ACC-1",
        decision={"role": "president", "signed_at": "2026-10-20"},
        expires="2027-10-19",
    )
    assert answered(town)[1] == "pass"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"communicated_at": "2026-08-18"}, "pass"),
        ({"communicated_at": "2026-08-17"}, "fail"),
        ({"reply": "adopted", "replied_on": "2026-06-01"}, "pass"),
        ({"reply": "adopted", "replied_on": "2026-12-01"}, "fail"),
    ],
)
def test_a_recommendation_awaits_its_answer_for_a_while(town: Path, changes: dict[str, Any], expected: str) -> None:
    recommend(town, **changes)
    assert answered(town)[0] == expected


def test_a_recommendation_that_was_not_communicated_fails(town: Path) -> None:
    recommend(town, communicated_at=None)
    assert answered(town, 0) == ("fail", "pass")


def test_what_is_counted_otherwise_passes_nothing(town: Path) -> None:
    recommend(town, reply="declined", replied_on="2026-05-20")
    accept(town)
    assert answered(town, 2) == ("unknown", "unknown")


def act(town: Path, **more: Any) -> None:
    said = {
        "kind": "action",
        "id": "ACT-1",
        "perimeter": "own",
        "controls": ["antivirus-or-edr-running"],
        "scope": {"hosts": ["nas"]},
        "text": "Install it.",
        "responsible": "SCOTA",
        "due": "2026-12-31",
        "raised_by": "REC-1",
        **more,
    }
    put(town / "decisions/ACT-1.yaml", yaml.safe_dump(said))


def test_an_action_of_its_recommendation_adopts_it(town: Path) -> None:
    recommend(town)
    for changes, expected in (({}, "pass"), ({"raised_by": "an audit"}, "fail"), ({"status": "abandoned"}, "fail"), ({"awaits": "arbitration"}, "fail")):  # fmt: skip
        act(town, **changes)
        assert answered(town)[0] == expected, changes


# ---------------------------------------------------------------- declared numbers


NGFW: dict[str, Any] = {"measure": "net-ngfw", "until": "2027-06-30", "values": {"databases_days": 7}}
FLOWS: dict[str, Any] = {"measure": "net-flows", "values": {"tested_flows": 24, "open_flows": 0}}
CHECKED: dict[str, Any] = {"measure": "bcp-integrity", "values": {"result": "passed"}}
TERM: dict[str, Any] = {"measure": "conv-term", "until": "2027-03-18"}
GDPR: dict[str, Any] = {"measure": "rgpd-audit-3y", "on": "2023-11-18"}


@pytest.mark.parametrize(
    ("control", "word", "expected"),
    [
        ("next-generation-firewalls-attested", NGFW, "pass"),
        ("next-generation-firewalls-attested", {**NGFW, "values": {"databases_days": 8}}, "fail"),
        ("next-generation-firewalls-attested", {"measure": "net-ngfw"}, "unknown"),
        ("next-generation-firewalls-attested", {**NGFW, "until": "2026-11-17"}, "fail"),
        ("next-generation-firewalls-attested", {**NGFW, "on": "2026-10-18"}, "pass"),
        ("next-generation-firewalls-attested", {**NGFW, "on": "2026-10-17"}, "warn"),
        ("next-generation-firewalls-attested", {**NGFW, "on": "2026-10-10"}, "fail"),
        ("next-generation-firewalls-attested", {**NGFW, "values": {"databases_days": 1, "result": "failed"}}, "fail"),
        ("next-generation-firewalls-attested", {**NGFW, "scope": {"hosts": ["gone"]}}, "unknown"),
        ("forbidden-flows-test-attested", FLOWS, "pass"),
        ("forbidden-flows-test-attested", {**FLOWS, "values": {"tested_flows": 24, "open_flows": 1}}, "fail"),
        ("forbidden-flows-test-attested", {**FLOWS, "values": {"tested_flows": 0, "open_flows": 0}}, "fail"),
        ("forbidden-flows-test-attested", {**FLOWS, "values": {"open_flows": 0}}, "unknown"),
        ("forbidden-flows-test-attested", {"measure": "net-flows"}, "unknown"),
        ("forbidden-flows-test-attested", {**FLOWS, "on": "2025-11-17"}, "warn"),
        ("forbidden-flows-test-attested", {**FLOWS, "on": "2025-10-01"}, "fail"),
        ("repository-check-attested", CHECKED, "pass"),
        ("repository-check-attested", {**CHECKED, "values": {"result": "failed"}}, "fail"),
        ("repository-check-attested", {"measure": "bcp-integrity"}, "unknown"),
        ("repository-check-attested", {**CHECKED, "on": "2026-10-17"}, "warn"),
        ("repository-check-attested", {**CHECKED, "on": "2026-09-16"}, "fail"),
        ("convention-term-attested", TERM, "pass"),
        ("convention-term-attested", {**TERM, "until": "2027-03-17"}, "warn"),
        ("convention-term-attested", {**TERM, "until": "2026-11-18"}, "warn"),
        ("convention-term-attested", {**TERM, "until": "2026-11-17"}, "fail"),
        ("convention-term-attested", {"measure": "conv-term"}, "unknown"),
        ("gdpr-audit-attested", GDPR, "pass"),
        ("gdpr-audit-attested", {**GDPR, "on": "2023-11-17"}, "warn"),
        ("gdpr-audit-attested", {**GDPR, "on": "2016-11-17"}, "warn"),
        ("gdpr-audit-attested", {**GDPR, "values": {"result": "failed"}}, "fail"),
    ],
)
def test_what_is_declared_is_judged_on_both_sides(
    town: Path, control: str, word: dict[str, Any], expected: str
) -> None:
    estate = town / "estate.yaml"
    estate.write_text(estate.read_text().replace("since: 2025-01-01", "since: 2010-01-01"), "utf-8")
    attest(town, **word)
    assert outcome(town, control) == expected


# ---------------------------------------------------------------- working days


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2026-10-02", "2026-10-16", 10),  # Friday to Friday
        ("2026-10-02", "2026-10-02", 0),
        ("2026-10-02", "2026-10-04", 0),
        ("2026-11-09", "2026-11-13", 3),  # the Armistice
        ("2026-04-03", "2026-04-07", 1),  # Easter Monday
        ("2026-05-13", "2026-05-15", 1),  # Ascension
        ("2026-05-22", "2026-05-26", 1),  # Pentecost Monday
        ("2025-12-24", "2026-01-02", 5),  # Christmas and New Year's Day
    ],
)
def test_working_days_leave_out_what_nobody_works_on(since: str, until: str, days: int) -> None:
    assert working_days(date.fromisoformat(since), date.fromisoformat(until)) == days


@pytest.mark.parametrize("day", ["1961-04-02", "2000-04-23", "2008-03-23", "2024-03-31", "2025-04-20", "2038-04-25"])
def test_easter_is_when_calendars_have_it(day: str) -> None:
    known = date.fromisoformat(day)
    assert easter(known.year) == known
