"""What people attest of a perimeter: from the file to the report, judged by its age, accepted, replayed, shown to whom."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from documents import written
from hypothesis import given
from hypothesis import strategies as st
from make import write

from auditor import authorisation
from auditor.cli import main
from auditor.errors import Unreadable
from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.load import declared
from auditor.model import Command, Estate, Failure, Output, Perimeter, Signatory, Unknown
from auditor.probes.attestation import PROBE
from auditor.readers.declared import ATTESTATIONS, HOSTS, REGISTERS, listed
from auditor.records import Attestation, Authorisation, Proof
from auditor.transports.records import TRANSPORT

REPORT = "What was found.\n"
SHA = hashlib.sha256(REPORT.encode()).hexdigest()
ESTATE = """\
entities: [{id: CUA}, {id: SCOTA}]
auditing_entity: CUA
perimeters:
  - {id: shared, owner: CUA, kind: shared, beneficiaries: [SCOTA]}
  - {id: cua-own, owner: CUA, kind: exclusive}
  - {id: scota-own, owner: SCOTA, kind: exclusive, advised_by: CUA}
signatories: [{role: president, entity: SCOTA}, {role: rssi, entity: CUA, since: "2025-01-01", until: "2027-12-31", may: [attestation]}]
zones: [{id: dmz, addresses: [192.0.2.0/24]}]
hosts:
  all: {perimeter: shared, connection: none, why: no way in, platform: other}
  web01: {zone: dmz}
  ours: {perimeter: cua-own}
  theirs: {perimeter: scota-own}
"""
HOSTS_YAML = "all: {hosts: {web01: {}, printer: {}, ours: {}, theirs: {}}}\n"
POLICY = """\
policy: attested
title: {en: Attested, fr: Attesté}
controls:
  - id: penetration-test-attested
    measure: vuln-pentest
    revision: 1
    title: {en: A test is attested, fr: Un test est attesté}
    severity: high
    probe: attestation
    args: {measure: vuln-pentest}
    expect: {age_days: {at_most: $target_days}, expired: {equals: false}, covers: {equals: true}}
    tolerate: {age_days: {at_most: $limit_days}}
    why: {en: So., fr: Ainsi.}
    fix: {en: Do., fr: Faire.}
    references: {iso27002: ["8.8"]}
  - id: list-reviewed
    measure: iam-admin-inventory
    revision: 1
    title: {en: The list is reviewed, fr: La liste est relue}
    severity: low
    probe: register
    args: {register: admins}
    expect: {reviewed_days: {at_most: $review_days}}
    why: {en: So., fr: Ainsi.}
    fix: {en: Do., fr: Faire.}
    references: {iso27002: ["8.8"]}
"""
MEASURES = """\
measures:
  - id: vuln-pentest
    title: {en: Test, fr: Test}
    quote: un test
    article: art. 5
    owner: operator-everywhere
    regime: {shared: adaptation, exclusive: acceptance}
    kind: [attest]
    parameters:
      target_days: {value: 365, unit: days, source: ours}
      limit_days: {value: 395, unit: days, source: ours}
  - id: iam-admin-inventory
    title: {en: List, fr: Liste}
    quote: la liste
    article: art. 5
    owner: operator
    regime: {shared: adaptation, exclusive: none}
    kind: [reg]
    parameters:
      review_days: {value: 365, unit: days, source: ours}
"""


def attested(perimeter: str = "shared", on: str = "2026-01-10", **more: str) -> str:
    said = {
        "kind": "attestation",
        "id": f"ATT-{perimeter}",
        "measure": "vuln-pentest",
        "perimeter": perimeter,
        "on": on,
        "by": "{role: rssi, entity: CUA}",
        "document": "documents/report.txt",
        "sha256": SHA,
        "scope": "{perimeter: true}",
        **more,
    }
    return "".join(f"{key}: {value}\n" for key, value in said.items())


@pytest.fixture
def town(tmp_path: Path) -> Path:
    for name, text in {
        "policy.yaml": POLICY,
        "measures.yaml": MEASURES,
        "town/estate.yaml": ESTATE,
        "town/hosts.yaml": HOSTS_YAML,
        "town/records/admins.yaml": 'register: admins\nreviewed_at: "2026-06-01"\nentries: [root]\n',
        "town/records/documents/report.txt": REPORT,
        "town/records/pentest.yaml": attested(),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def audited(town: Path, as_of: str, *words: str) -> dict[str, Any]:
    """The run document of an audit judged on a day."""
    command = [
        "run",
        str(town / "policy.yaml"),
        "-i",
        str(town / "town"),
        "--store",
        str(town / "s.db"),
        "--as-of",
        as_of,
    ]
    return told(town, [*command, *words])


def told(town: Path, command: list[str]) -> dict[str, Any]:
    out = town / "out.json"
    result = CliRunner().invoke(main, [*command, "-f", f"json={out}"], catch_exceptions=False)
    assert result.exit_code in (0, 1, 3), result.output
    document: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return document


def outcomes(document: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(f["subject"]["id"], f["control"]): f["outcome"] for f in document["findings"]}


def cause(document: dict[str, Any], perimeter: str) -> str:
    (found,) = (
        f
        for f in document["findings"]
        if f["subject"]["id"] == perimeter and f["control"] == "penetration-test-attested"
    )
    assert found["outcome"] == "unknown"
    (reason,) = found["reasons"]
    return str(reason["cause"]["cause"])


# ---------------------------------------------------------------- judged by its age


@pytest.mark.parametrize(
    ("as_of", "outcome"),
    [
        ("2026-01-10", "pass"),
        ("2027-01-10", "pass"),
        ("2027-01-11", "warn"),
        ("2027-02-09", "warn"),
        ("2027-02-10", "fail"),
        ("2026-01-09", "unknown"),
    ],
)
def test_an_attestation_is_judged_by_its_age_on_the_day_asked_for(town: Path, as_of: str, outcome: str) -> None:
    """The target, the limit, and a day on which nobody had attested anything yet."""
    found = outcomes(audited(town, as_of))
    assert found[("shared", "penetration-test-attested")] == outcome


def test_each_control_is_asked_where_somebody_owes_it(town: Path) -> None:
    """The register's measure is the operator's, on the shared perimeter alone; what is asked is no longer 'nothing asked'."""
    document = audited(town, "2026-11-22")
    assert outcomes(document) == {
        ("shared", "penetration-test-attested"): "pass",
        ("shared", "list-reviewed"): "pass",
        ("cua-own", "penetration-test-attested"): "unknown",
        ("scota-own", "penetration-test-attested"): "unknown",
    }
    assert cause(document, "cua-own") == "no_record"
    assert not [gap for gap in document["coverage"] if gap["measure"]]
    assert {f["medium"] for f in document["findings"]} == {"records"}
    assert document["summary"]["checks"]["attested"] == 2
    assert [host["host"] for host in document["hosts"]] == ["web01", "printer", "ours", "theirs"], (
        "perimeters are no hosts"
    )


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (attested(sha256="00" * 32), "altered"),
        (attested(document="documents/gone.txt"), "altered"),
        (attested(scope="{hosts: [web01]}"), "not_covered"),
        (attested(scope="{zones: [dmz], frozen: {count: 1, hosts: [web01]}}"), "not_covered"),
        (attested(scope="{hosts: [gone]}"), "not_covered"),
        (attested(on="2027-01-01"), "no_record"),
        (attested("cua-own"), "no_record"),
    ],
)
def test_what_proves_nothing_is_not_measured(town: Path, record: str, why: str) -> None:
    (town / "town/records/pentest.yaml").write_text(record, "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == why


def test_a_document_that_is_over_fails_however_young(town: Path) -> None:
    (town / "town/records/pentest.yaml").write_text(attested(until="2026-03-31"), "utf-8")
    assert outcomes(audited(town, "2026-03-31"))[("shared", "penetration-test-attested")] == "pass"
    assert outcomes(audited(town, "2026-04-01"))[("shared", "penetration-test-attested")] == "fail"


def test_hosts_that_an_attestation_in_force_names_count_as_attested(town: Path) -> None:
    """Not by the perimeter alone, and no longer once it is too old."""
    record = town / "town/records/pentest.yaml"
    assert audited(town, "2026-11-22")["summary"]["hosts"]["attested"] == 0
    record.write_text(
        attested(scope="{perimeter: true, zones: [dmz], frozen: {count: 2, hosts: [web01, printer]}}"), "utf-8"
    )
    document = audited(town, "2026-11-22")
    assert document["summary"]["hosts"]["attested"] == 1
    assert document["summary"]["hosts"]["unseen"] == 3
    assert [host["host"] for host in document["hosts"] if host.get("attested")] == ["web01"]
    assert audited(town, "2027-06-01")["summary"]["hosts"]["attested"] == 0


# ---------------------------------------------------------------- what is not asked


def test_a_part_of_the_estate_asks_nothing_of_perimeters(town: Path) -> None:
    result = CliRunner().invoke(
        main, ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--limit", "web01", "--store", "none"]
    )
    assert result.exit_code == 2
    assert "nothing to audit" in result.output


def test_no_host_answers_for_a_perimeter(town: Path) -> None:
    (town / "town/hosts.yaml").write_text(HOSTS_YAML.replace("printer: {}", '"perimeter:shared": {}'), "utf-8")
    result = CliRunner().invoke(main, ["lint", str(town / "town")])
    assert (result.exit_code, "has the name of a perimeter" in result.output) == (2, True)


def test_a_change_does_not_attest_for_itself(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trusted side's records and documents count; the change's own are only said to be there."""
    monkeypatch.chdir(town)

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

    (town / "town/records/documents/report.txt").write_text("before", "utf-8")
    for words in (("init", "-qb", "main"), ("add", "-A"), ("commit", "-qm", "a")):
        git(*words)
    (town / "town/records/documents/report.txt").write_text(REPORT, "utf-8")
    write(town / "town", records__own=attested("cua-own"))
    command = ["run", "policy.yaml", "-i", "town", "--store", "none", "--trusted", "main", "--as-of", "2026-11-22"]
    document = told(town, command)
    assert cause(document, "shared") == "altered"
    assert cause(document, "cua-own") == "no_record"
    assert any("own.yaml" in one["name"] for one in document["run"]["trusted"]["touched"])


def test_without_an_estate_nothing_is_asked_of_perimeters(town: Path) -> None:
    result = CliRunner().invoke(main, ["run", str(town / "policy.yaml"), "--store", "none"])
    assert result.exit_code == 2
    assert "nothing to audit" in result.output


def test_the_plan_says_what_is_looked_up(town: Path) -> None:
    result = CliRunner().invoke(main, ["plan", str(town / "policy.yaml"), "-i", str(town / "town"), "--lang", "en"])
    assert result.exit_code == 0
    assert "# perimeter:shared: records, controls: 2, questions: 4\n#   penetration-test-attested\n" in result.output


# ---------------------------------------------------------------- decided, replayed, compared, shown


ACCEPTANCE = f"""\
kind: acceptance
id: ACC-1
perimeter: scota-own
owner_entity: SCOTA
recommendation: REC-1
controls: [penetration-test-attested]
scope: {{perimeter: true}}
justification: The test is ordered for next year.
decision: {{role: president, signed_at: 2026-06-01}}
expires: 2027-05-31
evidence: {{document: act.txt, sha256: {SHA}}}
"""
RECOMMENDATION = """\
kind: recommendation
id: REC-1
perimeter: scota-own
controls: [penetration-test-attested]
text: Have it tested.
issued_by: CUA
communicated_at: 2026-05-01
"""


def test_what_is_overdue_can_be_accepted_and_what_is_missing_cannot(town: Path) -> None:
    write(
        town / "town", decisions__a=ACCEPTANCE, recommendations__r=RECOMMENDATION, records__theirs=attested("scota-own")
    )
    (town / "town/decisions/act.txt").write_text(REPORT, "utf-8")

    def theirs(as_of: str) -> Any:
        found = audited(town, as_of)["findings"]
        return next(f for f in found if f["subject"]["id"] == "scota-own")

    late = theirs("2027-03-01")
    assert (late["outcome"], late["decision"]["id"]) == ("fail", "ACC-1")
    (town / "town/records/theirs.yaml").unlink()
    missing = theirs("2027-03-01")
    assert (missing["outcome"], missing["decision"]) == ("unknown", None)


def test_a_run_is_replayed_from_its_evidence_alone(town: Path) -> None:
    """The records are gone, and it is judged on another day; compared with the run, that is what changed."""
    audited(town, "2026-11-22")
    archive = str(town / "run.auditor")
    assert CliRunner().invoke(main, ["export", "latest", archive, "--store", str(town / "s.db")]).exit_code == 0
    (town / "town/records/pentest.yaml").unlink()
    again = told(town, ["replay", archive, "--store", "none"])
    assert outcomes(again)[("shared", "penetration-test-attested")] == "pass"
    later = told(town, ["replay", archive, "--as-of", "2027-06-01", "--against", archive, "--store", "none"])
    (found,) = (f for f in later["findings"] if f["outcome"] == "fail" and f["control"] == "penetration-test-attested")
    assert found["change"]


def test_an_entity_reads_nothing_attested_of_another(town: Path) -> None:
    write(town / "town", records__ours=attested("cua-own", document="documents/secret.txt"))
    audited(town, "2026-11-22")
    for reporter in ("json", "html", "text", "junit"):
        out = town / f"view.{reporter}"
        words = ["report", "--for", "SCOTA", "--store", str(town / "s.db"), "-f", f"{reporter}={out}"]
        result = CliRunner().invoke(main, words)
        assert out.exists(), result.output
        text = out.read_text("utf-8")
        assert "penetration-test-attested" in text or reporter in ("html", "text")
        assert "cua-own" not in text
        assert "secret.txt" not in text


# ---------------------------------------------------------------- files that are wrong


def test_all_errors_of_all_records_are_said_at_once(town: Path) -> None:
    records = town / "town/records"
    (records / "a.yaml").write_text(attested(on="11/01/2026", until="2026-02-30"), "utf-8")
    (records / "b.yaml").write_text(attested("nowhere", scop="{}"), "utf-8")
    (records / "c.yaml").write_text("word: of honour\n", "utf-8")
    (records / "d.yaml").write_text(attested(id="D", values="{rto_h: 2, result: perhaps}"), "utf-8")
    (records / "e.yaml").write_text("kind: attestation\nid: E\n", "utf-8")
    (records / "f.yaml").write_text('register: f\nreviewed_at: "2026-02-30"\nentries: []\n', "utf-8")
    times = '{started_at: "2026-05-02T08:00:00+02:00", service_back_at: "2026-05-02T18:00:00+02:00", rto_h: 2}'
    (records / "g.yaml").write_text(attested(id="G", values=times), "utf-8")
    (records / "h.yaml").write_text(attested("elsewhere", id="H", by="{role: rssi, entity: NOBODY}"), "utf-8")
    (records / "i.yaml").write_text(attested(), "utf-8")
    result = CliRunner().invoke(main, ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--store", "none"])
    assert result.exit_code == 2
    said = result.output
    for name, words in {
        "a.yaml:5:5": "has not the right form, for example 2026-11-02",
        "b.yaml:10:1": "unknown key 'scop'; did you mean 'scope'?",
        "c.yaml:1:1": "is neither a register",
        "d.yaml:10:": "is not one of passed, failed",
        "e.yaml:1:1": "lacks 'measure'",
        "f.yaml:2:14": "2026-02-30 is no day of the calendar",
        "g.yaml:10:": "2 hours are given, the times make 10.0",
        "h.yaml:2:1": "there is no perimeter 'elsewhere'",
        "pentest.yaml:2:1": "is given twice",
    }.items():
        assert any(name in line and words in line for line in said.splitlines()), (name, words, said)
    assert "there is no entity 'NOBODY'" in said


def test_an_attestation_of_no_measure_is_an_error(town: Path) -> None:
    """Nothing would ever read it."""
    (town / "town/records/pentest.yaml").write_text(attested(measure="vuln-pentets"), "utf-8")
    result = CliRunner().invoke(main, ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--store", "none"])
    assert result.exit_code == 2
    assert "pentest.yaml:2:1: there is no measure 'vuln-pentets'; did you mean 'vuln-pentest'?" in result.output


def test_times_make_the_hours(tmp_path: Path) -> None:
    times = '{restore_point: "2026-05-01T22:00:00Z", started_at: "2026-05-02T08:00:00Z", service_back_at: "2026-05-02T20:30:00Z"}'
    (tmp_path / "a.yaml").write_text(attested(on="2026-05-02", values=times), "utf-8")
    problems: list[Any] = []
    found = declared.load(tmp_path, {}, {}, problems, {})
    assert not problems
    assert {k: v for k, v in found.attestations[0].values.items() if k.endswith("_h")} == {"rto_h": 12.5, "rpo_h": 10.0}


# ---------------------------------------------------------------- whose word it is


DELEGATED = (
    "signatories: [{role: president, entity: SCOTA}, {role: director, entity: CUA, until: %s}]\n"
    "delegations: [{ref: D, role: rssi, entity: CUA, by: director, since: %s, until: %s}]\n"
)


@pytest.mark.parametrize(
    ("mandates", "by", "outcome"),
    [
        ("signatories: [{role: rssi, entity: CUA}]", "{role: rssi, entity: CUA}", "pass"),
        ("signatories: [{role: rssi, entity: CUA, since: 2026-01-11}]", "{role: rssi, entity: CUA}", "unknown"),
        ("signatories: [{role: rssi, entity: CUA, until: 2026-01-09}]", "{role: rssi, entity: CUA}", "unknown"),
        ("signatories: [{role: rssi, entity: SCOTA}]", "{role: rssi, entity: CUA}", "unknown"),
        ("signatories: [{role: rssi, entity: SCOTA}]", "{role: rssi, entity: SCOTA}", "unknown"),  # it only benefits
        ("roles: [{id: rssi, entity: CUA}]", "{role: rssi, entity: CUA}", "unknown"),
        ("", "{role: rssi, entity: CUA}", "unknown"),
        (DELEGATED % ("2026-12-31", "2026-01-01", "2026-01-31"), "{role: rssi, entity: CUA}", "pass"),
        (DELEGATED % ("2026-12-31", "2026-01-11", "2026-01-31"), "{role: rssi, entity: CUA}", "unknown"),
        (DELEGATED % ("2026-01-09", "2026-01-01", "2026-01-31"), "{role: rssi, entity: CUA}", "unknown"),
    ],
)
def test_who_attests_holds_a_mandate_of_an_entity_that_answers(
    town: Path, mandates: str, by: str, outcome: str
) -> None:
    lines = [line for line in ESTATE.splitlines(keepends=True) if not line.startswith("signatories")]
    (town / "town/estate.yaml").write_text("".join(lines) + mandates + "\n", "utf-8")
    (town / "town/records/pentest.yaml").write_text(attested(by=by), "utf-8")
    document = audited(town, "2026-11-22")
    assert outcomes(document)[("shared", "penetration-test-attested")] == outcome
    assert outcome == "pass" or cause(document, "shared") == "not_entitled"


def test_who_benefits_attests_what_it_owes_itself_alone(town: Path) -> None:
    """A measure of the beneficiaries, and of no other rule; on what is shared, not on another's own perimeter."""
    (town / "measures.yaml").write_text(MEASURES.replace("operator-everywhere", "both"), "utf-8")
    for perimeter in ("shared", "cua-own"):
        record = attested(perimeter, by="{role: president, entity: SCOTA}")
        (town / f"town/records/{perimeter}.yaml").write_text(record, "utf-8")
    (town / "town/records/pentest.yaml").unlink()
    document = audited(town, "2026-11-22")
    assert outcomes(document)[("shared", "penetration-test-attested")] == "pass"
    assert ("cua-own", "penetration-test-attested") not in outcomes(document)
    (town / "measures.yaml").write_text(MEASURES, "utf-8")
    assert cause(audited(town, "2026-11-22"), "cua-own") == "not_entitled"


def test_a_perimeter_that_changed_hands_takes_no_word_of_before_with_it(town: Path) -> None:
    estate = ESTATE.replace("{id: shared, owner: CUA,", "{id: shared, owner: CUA, since: 2026-01-11,")
    (town / "town/estate.yaml").write_text(estate, "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == "not_entitled"


def test_a_mandate_to_attest_opens_no_door() -> None:
    proof = Proof("a", SHA, SHA)
    perimeter = Perimeter("own", "SCOTA", authorisation=Authorisation("clerk", "2026-01-01", "2026-12-31", proof))
    for may, barred in ((("attestation",), True), (("acceptance", "attestation"), False)):
        estate = Estate(
            (), {"own": perimeter}, signatories=(Signatory("clerk", "SCOTA", may=may),), auditing_entity="CUA"
        )
        assert bool(authorisation.barred(estate, perimeter, "2026-06-01")) is barred


# ---------------------------------------------------------------- what it says, and of when


def test_of_two_of_one_day_nobody_knows_the_newer(town: Path) -> None:
    """Else a good one would hide a bad one by its name."""
    (town / "town/records/other.yaml").write_text(attested(id="ZZZ"), "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == "not_told"
    assert cause(audited(town, "2026-01-09"), "shared") == "no_record"


def test_an_empty_document_proves_nothing(town: Path) -> None:
    (town / "town/records/documents/report.txt").write_bytes(b"")
    empty = hashlib.sha256(b"").hexdigest()
    (town / "town/records/pentest.yaml").write_text(attested(sha256=empty), "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == "altered"


@pytest.mark.parametrize("special", ["folder", "loop", "device"])
def test_a_document_that_is_no_file_proves_nothing(town: Path, special: str) -> None:
    document = town / "town/records/documents/report.txt"
    document.unlink()
    if special == "folder":
        document.mkdir()
    else:
        document.symlink_to({"loop": "report.txt", "device": "/dev/zero"}[special])
    assert cause(audited(town, "2026-11-22"), "shared") == "altered"


def test_a_word_that_says_that_it_failed_fails() -> None:
    """Whatever else the shipped control looks at."""
    policy = written((Path(__file__).parents[1] / "policies/convention/attestations.yaml").read_text("utf-8"))
    asked = [control for control in policy["controls"] if control["probe"] == "attestation"]
    deaf = [c["id"] for c in asked if "failed" not in c["expect"] and "values.result" not in c["expect"]]
    assert deaf == ["penetration-test-leaves-out-no-exposed-host"]
    assert not [c["id"] for c in asked if "failed" in c.get("tolerate", {})]


def test_a_later_host_is_not_covered(town: Path) -> None:
    record = town / "town/records/pentest.yaml"
    record.write_text(attested(scope="{zones: [dmz], hosts: [printer], frozen: {count: 1, hosts: [web01]}}"), "utf-8")
    assert outcomes(audited(town, "2026-11-22"))[("shared", "penetration-test-attested")] == "pass"
    (town / "town/hosts.yaml").write_text(HOSTS_YAML.replace("web01: {}", "web01: {}, web02: {}"), "utf-8")
    (town / "town/estate.yaml").write_text(ESTATE + "  web02: {zone: dmz}\n", "utf-8")
    document = audited(town, "2026-11-22")
    assert cause(document, "shared") == "not_covered"
    (found,) = (f for f in document["findings"] if f["subject"]["id"] == "shared" and f["outcome"] == "unknown")
    assert found["reasons"][0]["cause"]["detail"] == "web02; of them new: web02"
    record.write_text(attested(scope="{perimeter: true, frozen: {count: 2, hosts: [web01, printer]}}"), "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == "not_covered"


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (attested(scope="{zones: [dmz]}"), "'zones' needs the hosts that it stood for that day: frozen:"),
        (attested(scope="{roles: [a], frozen: {count: 3, hosts: [web01]}}"), "3, and 1 hosts are named"),
        (attested(scope="{hosts: [web01], frozen: {count: 1, hosts: [web01]}}"), "nothing stands for these"),
        (attested(until="2026-01-09"), "2026-01-09 is before 2026-01-10"),
        (
            attested(values='{service_back_at: "2024-05-02T08:00:00Z"}'),
            "the service was back on 2024-05-02, and 'on' says",
        ),
        (attested(values='{service_back_at: "2026-01-10T23:30:00Z"}'), "the service was back on 2026-01-11"),
        (attested(values='{started_at: "2026-01-11T08:00:00Z"}'), "is after 2026-01-10"),
        (attested(values="{rto_minutes: 5}"), "unknown key 'rto_minutes'"),
        (attested(values="{rto_h: 5 h}"), "must be a number, not the text '5 h'"),
        ("register: exposed\nentries: [web1]\n", "there is no host 'web1'; did you mean 'web01'?"),
    ],
)
def test_what_cannot_be_meant_is_an_error(town: Path, record: str, words: str) -> None:
    (town / "town/records/pentest.yaml").write_text(record, "utf-8")
    result = CliRunner().invoke(main, ["lint", str(town / "town")])
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("number", [".nan", ".inf", "-1", "true", "1e400"])
def test_a_number_that_is_none_never_passes(town: Path, number: str) -> None:
    (town / "town/records/pentest.yaml").write_text(attested(values=f"{{rto_h: {number}, result: passed}}"), "utf-8")
    policy = POLICY.replace("expired: {equals: false}", "values.rto_h: {at_most: 48}")
    (town / "policy.yaml").write_text(policy, "utf-8")
    command = ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--store", "none", "-f", "json=-"]
    result = CliRunner().invoke(main, command)
    assert (
        result.exit_code == 2
        or outcomes(json.loads(result.stdout))[("shared", "penetration-test-attested")] == "unknown"
    )


def test_a_record_in_a_folder_below_counts(town: Path) -> None:
    """A newer word must not be lost because of its place, or of its name."""
    below = town / "town/records/2026"
    below.mkdir()
    record = attested(id="NEW", on="2026-02-02", document="../documents/gone.txt")
    (below / "new.yaml").write_text(record, "utf-8")
    assert cause(audited(town, "2026-11-22"), "shared") == "altered"
    (below / "new.yaml").rename(below / "new.YAML")
    result = CliRunner().invoke(main, ["lint", str(town / "town")])
    assert (result.exit_code, "a record is named new.yaml" in result.output) == (2, True)


# ---------------------------------------------------------------- what is not asked, rightly


EXEMPTION = f"""\
kind: exemption
id: EXE-1
perimeter: cua-own
entity: CUA
reason: not_applicable
unasked: {{measures: [vuln-pentest]}}
justification: Nothing of it can be reached from outside.
risk: {{scenario: none, residual: {{niveau: faible}}}}
decision: {{role: rssi, signed_at: 2026-06-01}}
expires: 2027-05-31
evidence: {{document: act.txt, sha256: {SHA}}}
"""


@pytest.fixture
def exempted(town: Path) -> Path:
    estate = ESTATE.replace("may: [attestation]", "may: [exemption]")
    (town / "town/estate.yaml").write_text(estate, "utf-8")
    write(town / "town", decisions__e=EXEMPTION)
    (town / "town/decisions/act.txt").write_text(REPORT, "utf-8")
    return town


def gaps(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (g["subject"]["id"], g["measure"]): g["decision"] and g["decision"]["id"]
        for g in document["coverage"]
        if g["measure"]
    }


def test_an_exempted_measure_wants_no_record(exempted: Path) -> None:
    """Of that perimeter alone, and as long as it lasts."""
    document = audited(exempted, "2026-11-22")
    assert ("cua-own", "penetration-test-attested") not in outcomes(document)
    assert outcomes(document)[("scota-own", "penetration-test-attested")] == "unknown"
    assert gaps(document) == {("cua-own", "vuln-pentest"): "EXE-1"}
    assert document["run"]["checks_planned"] == len(document["findings"]) == 3
    after = audited(exempted, "2027-06-01")
    assert outcomes(after)[("cua-own", "penetration-test-attested")] == "unknown"
    assert not gaps(after)


@pytest.mark.parametrize(
    "record", [attested("cua-own"), attested("cua-own", sha256="00" * 32), attested("cua-own", on="2028-01-01")]
)
def test_what_was_declared_is_judged_whatever_an_exemption_says(exempted: Path, record: str) -> None:
    write(exempted / "town", records__own=record)
    before = outcomes(audited(exempted, "2027-03-01"))
    (exempted / "town/decisions/e.yaml").unlink()
    assert outcomes(audited(exempted, "2027-03-01")) == before


@pytest.mark.parametrize(
    "wrong",
    [
        ("perimeter: cua-own", "perimeter: shared"),
        ("role: rssi", "role: president"),
        ("2027-05-31", "2026-06-30"),
        (SHA, "00" * 32),
    ],
)
def test_an_exemption_that_is_void_spares_nothing(exempted: Path, wrong: tuple[str, str]) -> None:
    (exempted / "town/decisions/e.yaml").write_text(EXEMPTION.replace(*wrong), "utf-8")
    found = outcomes(audited(exempted, "2026-11-22"))
    assert found[("cua-own", "penetration-test-attested")] == "unknown"
    assert found[("shared", "penetration-test-attested")] == "pass", "what was declared there is judged"


def test_a_regime_that_lets_nothing_be_decided_lets_nothing_be_spared(exempted: Path) -> None:
    (exempted / "measures.yaml").write_text(MEASURES.replace("exclusive: acceptance", "exclusive: statutory"), "utf-8")
    assert outcomes(audited(exempted, "2026-11-22"))[("cua-own", "penetration-test-attested")] == "unknown"


def test_a_replay_knows_what_was_declared_then(exempted: Path) -> None:
    """The evidence tells, and not the records of today: an exemption of later hides nothing of then."""
    archive = str(exempted / "run.auditor")
    export = ["export", "latest", archive, "--store", str(exempted / "s.db")]
    document = audited(exempted, "2026-11-22")
    assert CliRunner().invoke(main, export).exit_code == 0
    again = told(exempted, ["replay", archive, "--store", "none"])
    assert (outcomes(again), gaps(again)) == (outcomes(document), gaps(document))
    assert again["run"]["checks_planned"] == 3
    write(exempted / "town", records__own=attested("cua-own", sha256="00" * 32))
    audited(exempted, "2026-11-22")
    Path(archive).unlink()
    assert CliRunner().invoke(main, export).exit_code == 0
    (exempted / "town/records/own.yaml").unlink()
    for estate in ([], ["-i", str(exempted / "town")]):
        assert cause(told(exempted, ["replay", archive, "--store", "none", *estate]), "cua-own") == "altered"


# ---------------------------------------------------------------- lint


def test_lint_holds_attestations_against_measures(town: Path) -> None:
    """The shipped ones, and those of the policies that are linted with the estate."""
    record = town / "town/records/pentest.yaml"
    assert CliRunner().invoke(main, ["lint", str(town / "town")]).exit_code == 0
    record.write_text(attested(measure="vuln-pentets"), "utf-8")
    result = CliRunner().invoke(main, ["lint", str(town / "town")])
    assert (result.exit_code, "there is no measure 'vuln-pentets'" in result.output) == (2, True)
    for name, text in (("measures", MEASURES), ("policy", POLICY)):
        (town / f"{name}.yaml").write_text(text.replace("vuln-pentest", "vuln-pentets"), "utf-8")
    result = CliRunner().invoke(main, ["lint", str(town / "town"), str(town / "policy.yaml")])
    assert result.exit_code == 0, result.output


def test_a_control_of_perimeters_chooses_no_hosts(town: Path) -> None:
    policy = POLICY.replace("    probe: register\n", "    applies_to: {roles: [a]}\n    probe: register\n")
    (town / "policy.yaml").write_text(policy, "utf-8")
    result = CliRunner().invoke(main, ["lint", str(town / "policy.yaml")])
    assert result.exit_code == 2
    assert "the probe 'register' is asked of whole perimeters" in result.output


# ---------------------------------------------------------------- hostile words, and who may read them


HOSTILE = "<script>x</script> \\x1b[31m \\u202e %s {0} $(id) ]]> & \\\" '"


@pytest.mark.parametrize("reporter", ["text", "html", "junit", "json", "sarif", "codequality", "prometheus", "nagios"])
def test_hostile_words_are_inert(town: Path, reporter: str) -> None:
    evil = f'"{HOSTILE}"'
    (town / "town/records/pentest.yaml").write_text(attested(id=evil, document=evil, about=evil), "utf-8")
    write(town / "town", records__own=attested("cua-own", by=f"{{role: {evil}, entity: CUA}}"))
    out = town / "out"
    command = ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--store", "none", "-f", f"{reporter}={out}"]
    assert CliRunner().invoke(main, command, catch_exceptions=False).exit_code == 3
    text = out.read_text("utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text or reporter == "json"
    assert "<script>" not in text or reporter in ("text", "json", "sarif", "codequality", "nagios")


def test_officials_read_no_name_of_a_host_that_an_attestation_leaves_out(town: Path) -> None:
    (town / "town/records/pentest.yaml").write_text(attested(scope="{hosts: [web01]}"), "utf-8")
    out = town / "out.html"
    command = ["run", str(town / "policy.yaml"), "-i", str(town / "town"), "--store", "none", "-f", f"html={out}"]
    assert CliRunner().invoke(main, [*command, "--audience", "elus"]).exit_code == 3
    text = out.read_text("utf-8")
    assert "printer" not in text
    assert "web01" not in text


def test_each_entity_reads_what_is_attested_of_what_is_shared(town: Path) -> None:
    """And of what is another's own nothing: no id, role, document, day, or cause."""
    secret = {"id": "ATT-SECRET", "document": "documents/secret.txt", "by": "{role: clerk, entity: CUA}"}
    write(town / "town", records__ours=attested("cua-own", **secret))
    audited(town, "2026-11-22")
    for reporter in ("json", "html", "text", "junit", "sarif", "codequality", "prometheus"):
        out = town / f"view.{reporter}"
        words = ["report", "--for", "SCOTA", "--store", str(town / "s.db"), "-f", f"{reporter}={out}", "--details"]
        CliRunner().invoke(main, words)
        text = out.read_text("utf-8")
        for name in ("cua-own", "ATT-SECRET", "secret.txt", "clerk", "not_entitled", "ours.yaml"):
            assert name not in text, (reporter, name)


# ---------------------------------------------------------------- the transport, and what is hostile


def test_the_transport_answers_every_question_once(town: Path) -> None:
    from auditor.commands import inputs

    plan = inputs.load((str(town / "policy.yaml"),), (str(town / "town"),), None, None).plan
    host = next(s for s in plan.subjects if s.id == "perimeter:shared")
    other = Command("entries", kind="read")
    ask = TRANSPORT.open(Settings(lambda: 7.0, estate=plan.estate))
    answers = dict(ask(host, (HELLO, ATTESTATIONS, REGISTERS, HOSTS, other), 1.0))
    assert answers.pop(other) == Failure("not_observable", at=7.0)
    assert all(isinstance(one, Output) and one.at == 7.0 for one in answers.values())
    assert isinstance(found := answers[REGISTERS], Output)
    assert "root" not in found.text, "entries stay where they are"
    assert isinstance(found := answers[HOSTS], Output)
    assert [one["id"] for one in json.loads(found.text)] == ["web01", "printer"]
    nothing = TRANSPORT.open(Settings(lambda: 7.0))
    assert dict(nothing(host, (ATTESTATIONS,), 1.0)) == {ATTESTATIONS: Failure("not_observable", at=7.0)}


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
    st.lists(inner) | st.dictionaries(st.text(), inner)
)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_answer_breaks_the_reader(text: bytes) -> None:
    output = Output(0, text, b"", 0.0)
    try:
        told = listed(output, Attestation)
    except Unreadable:
        return
    assert told == () or isinstance(told, Unknown)


@given(st.dictionaries(st.sampled_from(["on", "until", "values", "scope", "proof"]), st.text() | st.integers()))
def test_a_record_with_odd_values_is_unreadable(odd: dict[str, Any]) -> None:
    record = {
        "id": "A", "measure": "m", "perimeter": "p", "on": "2026-01-01", "role": "r", "entity": "e",
        "proof": {"document": "d", "sha256": SHA, "found": SHA}, "scope": {"perimeter": True}, **odd,
    }  # fmt: skip
    answers = {"attestations": Output(0, json.dumps([record]).encode(), b"", 0.0), "hosts": Output(0, b"[]", b"", 0.0)}
    try:
        facts = PROBE.dialects["records"].parse(answers, {"measure": "m", "as_of": "2026-11-18"})
    except Unreadable:
        return
    assert set(facts) == set(PROBE.facts["properties"])
