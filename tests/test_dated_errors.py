"""Dates, counts and answers that are wrong, of another place, or say less than they seem to: nothing passes on them, and none hides another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from make import make_host
from test_dated_records import (
    GOOD,
    NGFW,
    SHA,
    TERM,
    TODAY,
    WHOLE,
    accept,
    act,
    adapt,
    answered,
    attest,
    incidents,
    judged,
    outcome,
    put,
    recommend,
    register,
    town,
)

from auditor.cli import main
from auditor.commands import inputs
from auditor.kinds import RECORDS, Settings
from auditor.model import Output
from auditor.probes import incidents as incidents_probe
from auditor.readers.declared import DATED
from auditor.transports.records import TRANSPORT

__all__ = ["town"]  # a fixture
OLD = {"detected_at": "2025-10-01T08:00:00+02:00", "declared_at": "2025-10-01T09:00:00+02:00"}
BOTH = ["antivirus-or-edr-running", "journal-keeps-twelve-months"]


def lint(town: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["lint", str(town)], catch_exceptions=False)
    return result.exit_code, result.output


# ---------------------------------------------------------------- incidents


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"breach_at": "2026-10-01T08:00:00+02:00", "cnil_notified_at": None}, 4),
        ({"breach_at": "2026-10-01T08:00:00+02:00", "dpo_alerted_at": None}, 3),
        ({"qualified_on": "2026-10-01", "report_sent_on": None}, 2),
    ],
)
def test_what_became_a_breach_or_major_within_the_year_is_of_the_year(
    town: Path, changes: dict[str, Any], place: int
) -> None:
    """However long ago it was first noticed."""
    register(town, "incidents", {**GOOD, **OLD, **changes})
    attest(town, "inc-register", values={"since": "2025-11-01", "count": 0})
    assert incidents(town)[place] == "fail"


def test_a_breach_noticed_on_a_day_to_come_hides_no_late_alert(town: Path) -> None:
    late = {"breach_at": "2027-10-01T08:00:00+02:00", "dpo_alerted_at": "2026-11-10T08:00:00+01:00"}
    register(town, "incidents", {**GOOD, **late, "cnil_notified_at": "2026-11-10T08:00:00+01:00"})
    attest(town, "inc-register", values=WHOLE)
    assert incidents(town)[3:] == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"qualified_on": "", "report_sent_on": "2026-09-01"}, "2026-09-01 is before 2026-10-01"),
        ({"personal_data": "none", "breach_at": "2026-10-02T08:00:00+02:00"}, "personal_data"),
        ({"major": False}, "qualified_on"),
        ({"no_notification": "  "}, "the text '  ' has not the right form"),
        ({"detected_at": "2026-10-01T08:00:00+02:00\n"}, "is no moment"),
        ({"qualified_on": "2026-10-02\n"}, "is no day"),
    ],
)
def test_an_entry_that_contradicts_itself_is_an_error_with_its_place(
    town: Path, changes: dict[str, Any], said: str
) -> None:
    register(town, "incidents", {k: v for k, v in {**GOOD, **changes}.items() if v != ""})
    code, output = lint(town)
    assert (code, said in output, "incidents.yaml:" in output) == (2, True, True), output


def test_an_incident_entered_twice_makes_up_for_none_that_is_missing(town: Path) -> None:
    register(town, "incidents", GOOD, GOOD)
    code, output = lint(town)
    assert (code, "incidents.yaml:12:3: the entry 'INC-1' is given twice" in output) == (2, True), output
    register(town, "incidents", GOOD)
    put(town / "records/own.yaml", yaml.safe_dump({"register": "incidents", "perimeter": "shared", "entries": [GOOD]}))
    attest(town, "inc-register", values={"since": "2025-11-01", "count": 2})
    assert incidents(town) == ("unknown",) * 5


@pytest.mark.parametrize(
    "odd",
    [
        {"moments": {"detected_at": {"at": 2e9, "on": "2026-06-01"}, "declared_at": {"at": 1e9, "on": "2026-06-01"}}},
        {"days": {"report_sent_on": "2026-05-01", "qualified_on": "2026-06-01"}, "major": True},
        {"days": {"report_sent_on": "2026-05-01", "qualified_on": "1999-06-01"}, "major": True},
    ],
)
def test_one_entry_that_cannot_be_hides_no_other(odd: dict[str, Any]) -> None:
    entry = {"register": "incidents", "perimeter": "", "moments": {}, "days": {}, "personal_data": "none"}
    never = {
        **entry,
        "id": "INC-2",
        "personal_data": "breach",
        "moments": {"cnil_notified_at": None, "declared_at": None},
    }
    dialect = incidents_probe.PROBE.dialects[RECORDS]
    answers: dict[str, Any] = {n: Output(0, b"[]", b"", 0.0) for n in dialect.commands({})}
    answers["dated"] = Output(0, json.dumps([{**entry, "id": "INC-1", **odd}, never]).encode(), b"", 0.0)
    facts: Any = dialect.parse(answers, {"measure": "m", "register": "incidents", "as_of": TODAY})
    assert {"incident": "INC-2", "hours": None} in facts["declarations"].items
    assert {"incident": "INC-2", "hours": None} in facts["notifications"].items


def test_why_nobody_was_notified_is_in_no_evidence(town: Path) -> None:
    """It is free text, and may tell of persons."""
    register(town, "incidents", {**GOOD, "cnil_notified_at": None, "no_notification": "The disk of Mrs Dupont."})
    attest(town, "inc-register", values=WHOLE)
    ask = TRANSPORT.open(Settings(lambda: 0.0, estate=inputs.load_estate((str(town),), TODAY)[0]))
    ((_, answer),) = ask(make_host("perimeter:shared", perimeter="shared"), (DATED,), 1.0)
    assert isinstance(answer, Output)
    assert "Dupont" not in answer.text
    assert incidents(town) == ("pass",) * 5


# ---------------------------------------------------------------- workstations


def test_a_purchase_to_come_is_no_young_workstation(town: Path) -> None:
    register(town, "workstations", {"entry": "pc1", "purchased_on": "2062-06-01"}, reviewed_at="2026-11-01")
    assert outcome(town, "workstations-younger-than-five-years") == "unknown"


def test_a_workstation_of_elsewhere_speaks_for_no_perimeter(town: Path) -> None:
    """Of a register of the whole estate only what may be of the perimeter counts there."""
    (town / "hosts.yaml").write_text("all: {hosts: {pc1: {}, nas: {}, pc2: {}}}\n", "utf-8")
    estate = (
        (town / "estate.yaml")
        .read_text()
        .replace("  - id: own", "  - {id: other, owner: CUA, kind: shared, beneficiaries: [SCOTA]}\n  - id: own")
    )
    put(town / "estate.yaml", estate + "  pc2: {perimeter: other}\n")
    register(town, "workstations", {"entry": "pc1", "purchased_on": "2024-06-01"}, reviewed_at="2026-11-01")
    found = judged(town)
    name = "workstations-younger-than-five-years"
    assert (found[("shared", name)]["outcome"], found[("other", name)]["outcome"]) == ("pass", "unknown")


def test_a_workstation_that_is_too_old_is_so_whatever_perimeter_the_inventory_has_it_in(town: Path) -> None:
    """Those of an exclusive perimeter were provided too, and nobody else is asked."""
    entries = ({"entry": "pc1", "purchased_on": "2024-06-01"}, {"entry": "nas", "purchased_on": "2012-06-01"})
    register(town, "workstations", *entries, reviewed_at="2026-11-01", perimeter="shared")
    assert outcome(town, "workstations-younger-than-five-years") == "fail"


# ---------------------------------------------------------------- adaptations and recommendations


def test_an_adaptation_that_serves_nobody_named_was_announced_to_nobody(town: Path) -> None:
    put(town / "estate.yaml", (town / "estate.yaml").read_text().replace(", beneficiaries: [SCOTA]", ""))
    adapt(town, informed=[{"entity": "CUA", "at": "2026-05-01"}])
    attest(town, "gov-adaptation-notice", values={"count": 1})
    assert outcome(town, "adaptations-announced-before") == "unknown"


def test_answers_about_another_perimeter_answer_nothing(town: Path) -> None:
    estate = (town / "estate.yaml").read_text()
    put(
        town / "estate.yaml", estate.replace("  - id: own", "  - {id: other, owner: CUA, kind: exclusive}\n  - id: own")
    )
    recommend(town)
    accept(town, perimeter="other", owner_entity="CUA", decision={"role": "rssi", "signed_at": "2026-05-20"})
    assert answered(town)[0] == "fail"
    (town / "decisions/ACC-1.yaml").unlink()
    act(town, perimeter="other", scope={"perimeter": True})
    assert answered(town)[0] == "fail"


def test_an_action_on_other_controls_answers_nothing(town: Path) -> None:
    """Nor does one change the outcome of the control that it is about."""
    recommend(town)
    act(town, controls=["recommendations-communicated-and-answered"], scope={"perimeter": True})
    assert answered(town)[0] == "fail"


def test_what_is_answered_in_part_awaits_its_answer(town: Path) -> None:
    recommend(town, controls=BOTH)
    act(town)
    assert answered(town)[0] == "fail"
    accept(town, controls=BOTH[1:])
    assert answered(town) == ("pass", "pass")


def test_what_is_declined_as_a_whole_is_accepted_as_a_whole(town: Path) -> None:
    recommend(town, controls=BOTH, reply="declined", replied_on="2026-05-20")
    accept(town)
    assert answered(town) == ("pass", "fail")
    accept(town, "ACC-2", controls=BOTH[1:])
    assert answered(town) == ("pass", "pass")


def test_an_action_hides_no_badly_signed_acceptance(town: Path) -> None:
    recommend(town)
    accept(town, decision={"role": "rssi", "signed_at": "2026-05-20"})
    act(town)
    assert answered(town)[1] == "fail"


def test_a_renewal_in_part_hides_not_what_it_leaves_out(town: Path) -> None:
    recommend(town, controls=BOTH)
    accept(town, controls=BOTH, expires="2026-11-01")
    renewed = {
        "supersedes": "ACC-1",
        "decision": {"role": "president", "signed_at": "2026-10-20"},
        "expires": "2027-10-19",
    }
    accept(town, "ACC-2", controls=BOTH[:1], **renewed)
    assert answered(town)[1] == "fail"
    accept(town, "ACC-2", controls=BOTH, **renewed)
    assert answered(town)[1] == "pass"


def test_an_acceptance_after_a_reply_declines(town: Path) -> None:
    recommend(town, reply="adopted", replied_on="2026-05-01")
    accept(town, decision={"role": "rssi", "signed_at": "2026-05-20"})
    assert answered(town)[1] == "fail"


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": {"role": "rssi", "signed_at": "2026-05-20"}},
        {"decision": {"role": "president", "signed_at": "2026-04-19"}},
        {"evidence": {"document": "act.txt", "sha256": "00" * 32}},
    ],
)
def test_an_acceptance_that_its_owner_did_not_sign_in_answer_is_none(town: Path, changes: dict[str, Any]) -> None:
    recommend(town)
    accept(town, **changes)
    assert answered(town)[0] == "fail"


def test_a_letter_that_is_another_tells_of_no_communication(town: Path) -> None:
    put(town / "recommendations/letter.txt", "Another.\n")
    recommend(town, reply="adopted", replied_on="2026-05-01", document="letter.txt", sha256=SHA)
    assert answered(town)[0] == "unknown"
    put(town / "recommendations/letter.txt", "Signed.\n")
    assert answered(town)[0] == "pass"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reply": "adopted"}, "replied_on"),
        ({"replied_on": "2026-05-01"}, "reply"),
        ({"reply": "adopted", "replied_on": "2026-04-19"}, "2026-04-19 is before 2026-04-20"),
        ({"reply": "adopted", "replied_on": "2026-05-01", "communicated_at": None}, "communicated_at"),
        ({"reply": "adopted", "replied_on": "2026-02-30"}, "is no day"),
    ],
)
def test_a_reply_that_cannot_be_is_an_error_with_its_place(town: Path, changes: dict[str, Any], said: str) -> None:
    recommend(town, **changes)
    code, output = lint(town)
    assert (code, said in output, "REC-1.yaml:" in output) == (2, True, True), output


# ---------------------------------------------------------------- declared numbers


def test_firewalls_without_the_end_of_their_licences_have_none_that_is_current(town: Path) -> None:
    attest(town, **{k: v for k, v in NGFW.items() if k != "until"})
    assert outcome(town, "next-generation-firewalls-attested") == "unknown"


def test_a_term_that_ends_in_years_is_not_the_current_one(town: Path) -> None:
    """The convention is of one year, however often it goes on."""
    for until, expected in (("2028-03-18", "pass"), ("2028-04-18", "warn"), ("2072-12-02", "warn")):
        attest(town, **{**TERM, "until": until})
        assert outcome(town, "convention-term-attested") == expected, until
