"""Reports of sample runs: golden files, official schemas, hostile texts, and what must never be said."""

from __future__ import annotations

import io
import json
import os
import re
import tracemalloc
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from sample_run import (
    ACCEPTED,
    AT,
    CONTROLS,
    HOSTILE,
    MEASURES,
    SampleRun,
    alone,
    decided,
    finding,
    fleet,
    header,
    one_host,
    rendered,
    voice,
)

from auditor import shelves
from auditor.model import Coverage, Finding, HostSeen, Outcome, Reason, Subject, Touched, Trusted, Unknown
from auditor.reporters import codequality, html, junit, sarif, text
from auditor.reporters import json as json_reporter
from auditor.reporters._plain import dumped
from auditor.reporters._text.controls import UNASKED
from auditor.reporters._text.sections import TOP

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
RUN_SCHEMA = json.loads((HERE.parent / "auditor/schemas/run.schema.json").read_text(encoding="utf-8"))
XSDS = [etree.XMLSchema(etree.parse(HERE / "data/schemas" / name)) for name in ("JUnit.xsd", "junit-10.xsd")]
WEB = Subject("host", "web01", "syndicat")


def _golden(name: str, written: bytes) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(written)
    assert path.read_bytes() == written, f"{name} differs; UPDATE_GOLDEN=1 writes it anew, then read the difference"


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize(("name", "run"), [("one-host", one_host), ("fleet", fleet)])
def test_text_is_the_golden_one(name: str, run: object, lang: str) -> None:
    _golden(f"text.{name}.{lang}.txt", rendered(text.REPORTER, run(), voice(lang)))


def test_details_are_the_golden_ones() -> None:
    _golden("text.fleet-details.fr.txt", rendered(text.REPORTER, fleet(), voice("fr", details=True)))


def test_json_is_the_golden_one() -> None:
    _golden("run.json", rendered(json_reporter.REPORTER, fleet(), voice("fr")))


def test_junit_is_the_golden_one() -> None:
    _golden("junit.xml", rendered(junit.REPORTER, fleet(), voice("en")))


def test_sarif_is_the_golden_one() -> None:
    _golden("auditor.sarif", rendered(sarif.REPORTER, fleet(), voice("en")))


def test_codequality_is_the_golden_one() -> None:
    _golden("codequality.json", rendered(codequality.REPORTER, fleet(), voice("en")))


@pytest.mark.parametrize(
    "reporter", [text.REPORTER, json_reporter.REPORTER, junit.REPORTER, sarif.REPORTER, codequality.REPORTER]
)
def test_same_run_same_bytes(reporter: object) -> None:
    assert rendered(reporter, fleet(), voice("fr")) == rendered(reporter, fleet(), voice("fr"))


# ---------------------------------------------------------------- text


def _text(run: SampleRun, lang: str = "en", **look: bool | int) -> str:
    return rendered(text.REPORTER, run, voice(lang, **look)).decode("utf-8")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("width", [80, 120])
def test_a_fleet_fits_on_a_page(lang: str, width: int) -> None:
    lines = _text(fleet(), lang, width=width).splitlines()
    assert len(lines) <= text.PAGE
    assert max(map(len, lines)) <= width


def test_a_page_shows_the_ten_gravest_fixes_when_there_is_room() -> None:
    controls = {f"c-{n:02d}": replace(CONTROLS["clock-synchronised"], id=f"c-{n:02d}") for n in range(14)}
    findings = [
        finding(n, Subject("host", f"h{n}", ""), c, "fail", severity="high")
        for n in range(3)
        for c in list(controls)[n:]
    ]
    run = SampleRun(header(hosts_expected=3, checks_planned=len(findings)), controls, MEASURES, all_findings=findings)
    run.all_hosts = [HostSeen(f"h{n}", None, 14, 14, 1.0) for n in range(3)]
    page = _text(run)
    assert len(page.splitlines()) <= text.PAGE
    assert len(re.findall(r"^  high +\d", page, re.MULTILINE)) == TOP
    assert "4 more not shown" in page
    assert all(c in _text(run, details=True) for c in controls)


def test_colour_is_off_unless_asked_and_never_from_a_host() -> None:
    assert "\x1b" not in _text(fleet())
    coloured = _text(fleet(), colour=True, details=True)
    codes = set(re.findall("\x1b.{0,4}", coloured))
    assert codes
    assert all(re.match("\x1b\\[(?:0|1|2|3[1-5])m", code) for code in codes)
    plain = _text(fleet(), details=True)
    assert re.sub("\x1b\\[[0-9]+m", "", coloured) == plain


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("run", [fleet, one_host, decided])
def test_no_line_is_obeyed_by_a_terminal(run: object, lang: str) -> None:
    for line in _text(run(), lang, details=True).split("\n"):
        assert line.isprintable(), ascii(line)


def test_every_outcome_has_its_word_without_colour() -> None:
    page = _text(one_host(), "fr")
    words = ("ÉCART", "À SURVEILLER", "NON MESURÉ", "CONFORME", "NON CONCERNÉ", "RIEN DEMANDÉ")
    places = [page.index(f"\n{word}") for word in words]
    assert places == sorted(places)
    assert "risque accepté" in page
    assert "jusqu'au 31/01/2027 (ACC-2026-014, par president" in page


@pytest.mark.parametrize(
    "run",
    [
        alone(finding(1, WEB, "clock-synchronised", "unknown", Reason("", "", cause=Unknown("timeout")))),
        alone(finding(1, WEB, "clock-synchronised", "pass"), state="partial"),
        alone(finding(1, WEB, "clock-synchronised", "pass"), checks_planned=2),
        replace(alone(finding(1, WEB, "clock-synchronised", "pass"), hosts_expected=1), all_hosts=[]),
        replace(
            alone(finding(1, WEB, "clock-synchronised", "pass")),
            all_coverage=[Coverage(WEB, "log-retention", Unknown("nothing_asked"), gates=False)],
        ),
    ],
    ids=["unknown", "partial", "lost", "no host", "gap"],
)
def test_what_was_not_seen_is_said(run: SampleRun) -> None:
    page = _text(run)
    assert "Not everything was seen" in page
    assert "Nothing is open" not in page
    assert "Everything planned" not in page
    assert "%" not in page


def test_a_clean_run_says_so_and_accepted_risks_remain() -> None:
    assert "Nothing is open." in _text(alone(finding(1, WEB, "clock-synchronised", "pass")))
    risky = finding(1, WEB, "clock-synchronised", "fail", Reason("a", "equals", 1, 2), decision=ACCEPTED)
    page = _text(alone(risky))
    assert "what was decided remains" in page
    assert "Nothing is open." not in page


def test_a_partial_run_is_said_to_be_partial() -> None:
    assert "THE RUN IS PARTIAL" in _text(alone(finding(1, WEB, "clock-synchronised", "pass"), state="partial"))


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", "Judged on earlier evidence, of 2026-11-20 22:11 UTC. Not asked now: 1."),
        ("fr", "Jugée sur preuve antérieure, du 20/11/2026 22:11 UTC. Non interrogées cette fois : 1."),
    ],
)
def test_earlier_evidence_is_said_to_be_earlier(lang: str, says: str) -> None:
    """One host: the headline says of when, before it says that all was measured; none was measured now."""
    run = alone(finding(1, WEB, "clock-synchronised", "pass"))
    run.all_hosts = [HostSeen("web01", None, 1, 1, AT - 86400, evidence_at=AT - 86400, asked=False)]
    page = rendered(text.REPORTER, run, voice(lang)).decode()
    assert says in " ".join(page.split())
    assert ("0 now, 1 earlier" if lang == "en" else "0 maintenant, 1 plus tôt") in page


# ---------------------------------------------------------------- the three kinds of decision


@pytest.mark.parametrize("details", [False, True])
def test_the_three_kinds_are_told_apart(details: bool) -> None:
    """Each counted and listed by itself; a missed adapted target and a suspended acceptance are open."""
    said = " ".join(_text(decided(), details=details, width=140).split())
    assert "2 open (critical 1, medium 1), 1 accepted, 1 adapted" in said
    assert "0 open, 1 exempted" in said
    for one in ("ACC-2026-014", "ADA-2026-001", "EXE-2026-001", "ACT-2026-007: start chrony"):
        assert one in said
    assert "SYNDICAT: decide about “Root does not log in by SSH" in said
    assert "void ADA-2026-003 a beneficiary was not told yet" in said
    if details:
        assert "overdue, GLPI-4711" in said
        assert "EPCI: communicate a recommendation" in said
        assert "The adapted target is missed too." in said
        assert "Acceptance ACC-2026-020 does not stand: what is seen now is not what was decided about" in said
        assert "Acceptance ACC-2026-021 does not stand: new, not covered: it came after the signature" in said


def test_json_counts_the_three_kinds_apart() -> None:
    document = json.loads(rendered(json_reporter.REPORTER, decided(), voice("en")))
    counts = {name: n for name, n in document["summary"]["counts"].items() if n}
    assert counts == {"fail": 2, "accepted_fail": 1, "adapted_fail": 1, "exempted_warn": 1, "exempted_gap": 1}
    assert [f["adapted"] for f in document["findings"]] == ["pass", "fail", None, None, None]
    assert [a["id"] for a in document["actions"]] == ["ACT-2026-007"]
    assert [one["what"] for one in document["to_do"]] == ["decide", "communicate"]


def test_junit_fails_what_is_open_and_skips_what_was_decided() -> None:
    cases = {name: case for (_, name), case in _cases(_junit(decided())).items()}
    assert (
        cases["journal-keeps-twelve-months"].find("skipped").text.startswith("ADAPTED until 2027-05-09 (ADA-2026-001")
    )
    assert cases["mail-relay-encrypts"].find("skipped").text.startswith("EXEMPTED until 2027-02-01 (EXE-2026-001")
    assert cases["restore-point-off-site"].find("skipped") is not None
    missed = cases["clock-synchronised"].find("failure").text
    assert "The adapted target is missed too." in missed
    assert "Actions: ACT-2026-007" in missed
    assert "ACC-2026-020 does not stand" in cases["ssh-root-login-off"].find("failure").text
    assert cases["nothing-asked"].find("skipped") is not None
    assert cases["every-host-reached"].find("error") is None, "nobody needs to reach what is exempt"


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize("run", [fleet, one_host, decided])
def test_json_is_valid(run: object) -> None:
    jsonschema.Draft7Validator.check_schema(RUN_SCHEMA)
    document = json.loads(rendered(json_reporter.REPORTER, run(), voice("fr")))
    jsonschema.Draft7Validator(RUN_SCHEMA).validate(document)
    assert len(document["findings"]) == document["summary"]["checks"]["told"]
    assert sum(document["summary"]["counts"].values()) == len(document["findings"]) + len(document["coverage"])


def test_json_schema_describes_everything_and_admits_nothing_else() -> None:
    def walk(schema: object, where: str) -> Iterator[str]:
        if isinstance(schema, dict):
            if schema.get("type") == "object" and schema.get("additionalProperties") in (None, True):
                yield f"{where}: open"
            for name, inner in schema.get("properties", {}).items():
                if "description" not in inner and "$ref" not in inner:
                    yield f"{where}.{name}: no description"
            for name, inner in schema.items():
                yield from walk(inner, f"{where}.{name}")

    assert list(walk(RUN_SCHEMA, "")) == []
    assert "oneOf" not in json.dumps(RUN_SCHEMA)


def test_json_knows_all_causes() -> None:
    from auditor.model import CAUSES

    assert RUN_SCHEMA["definitions"]["unknown"]["properties"]["cause"]["enum"] == list(CAUSES)


def test_json_holds_no_byte_that_a_terminal_obeys_and_no_nan() -> None:
    reasons = Reason("a\u202e", "equals", float("nan"), [float("inf"), HOSTILE, "\U0001f600 \U000e0001"])
    written = rendered(json_reporter.REPORTER, alone(finding(1, WEB, "x", "fail", reasons)), voice("en"))
    plain = written.decode("utf-8")
    assert all(line.isprintable() for line in plain.split("\n"))
    document = json.loads(plain, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    told = document["findings"][0]["reasons"][0]
    assert told["path"] == "a\u202e"
    assert told["wanted"] == "nan"
    assert told["observed"] == ["inf", HOSTILE.replace("\udcff", "\\udcff"), "\U0001f600 \U000e0001"]


@given(st.text(alphabet=st.characters()))
@settings(max_examples=200)
def test_any_text_makes_json_that_reads_back(seen: str) -> None:
    plain = dumped({"a": seen})
    assert plain.isprintable()
    expected = re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m.group()):04x}", seen)
    assert json.loads(plain.encode("utf-8")) == {"a": expected}


# ---------------------------------------------------------------- JUnit


def _junit(run: SampleRun, lang: str = "en") -> bytes:
    return rendered(junit.REPORTER, run, voice(lang))


def _valid(written: bytes) -> etree._Element:
    document = etree.fromstring(written)
    for xsd in XSDS:
        xsd.assertValid(document)
    return document


def _cases(written: bytes) -> dict[tuple[str, str], etree._Element]:
    cases = list(_valid(written).iter("testcase"))
    named = {(c.get("classname"), c.get("name")): c for c in cases}
    assert len(named) == len(cases), "a consumer ignores the second test of one name"
    return named


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("run", [fleet, one_host, decided, lambda: alone()])
def test_junit_is_valid_by_both_schemas(run: object, lang: str) -> None:
    document = _valid(_junit(run(), lang))
    assert document.attrib == {}
    for suite in document:
        for kind, counter in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(counter)) == len(list(suite.iter(kind)))
        assert int(suite.get("tests")) == len(list(suite.iter("testcase")))
        for result in suite.iter("failure", "error", "skipped"):
            assert result.get("message")
            assert result.get("message") in result.text
            assert result.get("type") is not None or result.tag == "skipped"


def test_junit_says_what_each_outcome_came_to() -> None:
    cases = {name: case for (_, name), case in _cases(_junit(one_host())).items()}
    assert cases["clock-synchronised"].getchildren() == []
    assert cases["journal-keeps-twelve-months"].getchildren() == []
    assert cases["ssh-root-login-off"].find("failure").get("type") == "critical"
    assert cases["administrators-are-registered"].find("error").get("type") == "no_privilege"
    skipped = cases["restore-point-off-site"].find("skipped").get("message")
    assert skipped.startswith("ACCEPTED until 2027-01-31 (ACC-2026-014, by president (SYNDICAT)): still failing, ")
    assert cases["mail-relay-encrypts"].find("skipped").get("message").startswith("not concerned: ")
    bare = cases["measures-without-a-control"].find("error")
    assert bare.get("type") == "nothing_asked"
    assert bare.text.endswith("\nstaff-awareness: Awareness of staff: nothing asked (no control checks it)")
    assert "found 190.25" in next(_valid(_junit(one_host())).iter("system-out")).text


def _unasked(*subjects: str, measures: int = 40) -> SampleRun:
    """The sample fleet where nothing is asked about many measures, on each of these perimeters."""
    run = fleet()
    names = [f"organised-{n:02}" for n in range(measures)]
    run.measures = {**run.measures, **{n: replace(MEASURES["staff-awareness"], id=n) for n in names}}
    why = Unknown("nothing_asked", "no control checks it")
    run.all_coverage = [Coverage(Subject("perimeter", s, s), n, why) for s in subjects for n in names]
    return run


def test_measures_that_nothing_checks_are_a_row_a_perimeter_and_named_in_details() -> None:
    run = _unasked("epci", "syndicat")
    brief, whole = _text(run, width=200), _text(run, details=True)
    assert len(brief.splitlines()) <= text.PAGE
    assert [whole.count(f"organised-{n:02}") for n in range(40)] == [4] * 40  # twice in the table, once each perimeter
    assert "Nothing asked  80" in brief


def test_a_calm_page_says_how_many_measures_nothing_checks() -> None:
    """Where nothing fails they do not take its place: one row of the roll-up, one for each perimeter."""
    run = replace(_unasked("epci", "syndicat"), all_findings=(), all_idle=())
    lines = _text(run, width=100).splitlines()
    assert ["(40 measures that nothing checks or attests)" in line for line in lines].count(True) == 1
    told = [line.split()[:2] for line in lines if "organised-00, organised-01" in line]
    assert told == [["40", "perimeter:epci"], ["40", "perimeter:syndicat"]]


def test_one_host_names_a_few_of_the_measures_that_nothing_checks() -> None:
    run = replace(one_host(), all_coverage=_unasked("syndicat").all_coverage)
    brief = _text(run)
    assert brief.count("organised-") == UNASKED
    assert "and 32 more" in brief
    assert _text(run, details=True).count("organised-") == 40


def test_one_host_says_once_what_many_controls_lack() -> None:
    lost = Unknown("unreachable", "10.0.0.1:22: timed out")
    one = next(f for f in one_host().findings() if f.outcome is Outcome.UNKNOWN and not f.decision)
    seen = [replace(one, control=f"c-{n}", reasons=(Reason("a" * n, "equals", cause=lost),)) for n in range(4)]
    seen[3] = replace(seen[3], severity="critical")
    other = replace(one, control="c-other", reasons=(*seen[1].reasons, Reason("b", "equals", cause=Unknown("timeout"))))
    brief = " ".join(_text(replace(one_host(), all_findings=[*seen, other])).split())
    assert brief.count("timed out") == 2
    assert f"the host did not answer (10.0.0.1:22: timed out) (critical 1, {one.severity} 3)" in brief
    assert all(f"c-{n}" in brief for n in (*range(4), "other"))
    few = _text(replace(one_host(), all_findings=seen[1:]))
    unfolded = _text(replace(one_host(), all_findings=seen), details=True)
    assert (few.count("10.0.0.1:22"), unfolded.count("10.0.0.1:22")) == (3, 4)


def test_the_document_holds_each_measure_that_nothing_checks() -> None:
    document = json.loads(rendered(json_reporter.REPORTER, _unasked("epci", "syndicat"), voice("en")))
    assert len(document["coverage"]) == 80
    assert document["summary"]["by_perimeter"]["epci"]["nothing_asked"] == 40


def test_junit_says_measures_that_nothing_checks_in_one_test_a_perimeter() -> None:
    cases = [c for (_, name), c in _cases(_junit(_unasked("epci", "syndicat"))).items() if name.startswith("measures")]
    assert [c.get("classname") for c in cases] == [
        "epci.perimeter:epci.coverage",
        "syndicat.perimeter:syndicat.coverage",
    ]
    for case in cases:
        assert case[0].tag == "error"
        assert len(re.findall("^organised-[0-9]{2}: ", case[0].text, re.MULTILINE)) == 40


def test_junit_names_are_the_same_in_every_language() -> None:
    assert list(_cases(_junit(fleet(), "en"))) == list(_cases(_junit(fleet(), "fr")))


@pytest.mark.parametrize("run", [fleet, one_host])
def test_junit_names_no_person(run: object) -> None:
    written = _junit(run()).decode("utf-8")
    assert not re.search(r"martin|durand|petit|moreau|laurent|simon|michel|inconnu", written)
    assert "account-" in written


def test_junit_an_empty_message_stays_a_failure() -> None:
    run = alone(
        finding(1, WEB, "a", "fail"), finding(2, WEB, "b", "unknown"), finding(3, WEB, "c", "fail", decision=ACCEPTED)
    )
    cases = {name: case for (_, name), case in _cases(_junit(run)).items()}
    assert [cases[name][0].tag for name in "abc"] == ["failure", "error", "skipped"]


def test_junit_hosts_that_differ_in_dots_do_not_collapse() -> None:
    hosts = [Subject("host", name, "") for name in ("a.b", "a_b", "a.b.c", "a_b.c")]
    run = alone(*(finding(n, host, "clock-synchronised", "fail") for n, host in enumerate(hosts)))
    assert len(_cases(_junit(run))) == len(hosts) + 3


def test_junit_what_does_not_gate_is_neither_red_nor_green() -> None:
    gap = finding(1, WEB, "a", "unknown", Reason("", "", cause=Unknown("nothing_asked")), gates=False)
    cases = {name: case for (_, name), case in _cases(_junit(alone(gap))).items()}
    assert cases["a"][0].tag == "skipped"


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"state": "partial"}, "run-complete"), ({"hosts_expected": 2}, "every-host-reached"),
     ({"checks_planned": 9}, "every-check-told")],
)  # fmt: skip
def test_junit_of_half_a_run_is_red(changes: dict[str, object], name: str) -> None:
    cases = {n: case for (_, n), case in _cases(_junit(alone(finding(1, WEB, "a", "pass"), **changes))).items()}
    red = [n for n, case in cases.items() if len(case)]
    assert red == [name]


@given(st.text(alphabet=st.characters(), max_size=60), st.text(alphabet=st.characters(), max_size=20))
@settings(max_examples=60, deadline=None)
def test_junit_of_any_text_is_valid(seen: str, name: str) -> None:
    host = Subject("host", name or "h", name)
    reason = Reason(name, "equals", seen, seen, element=seen)
    run = alone(
        finding(1, host, "a", "fail", reason),
        finding(2, host, "b", "unknown", Reason(name, "", cause=Unknown("timeout", seen))),
        finding(3, host, "c", "warn", reason),
        finding(4, host, "d", None, reason, decision=replace(ACCEPTED, by=seen)),
        version=seen,
    )
    document = _valid(_junit(run))
    tags = Counter(child.tag for case in document.iter("testcase") for child in case)
    assert (tags["failure"], tags["error"], tags["skipped"]) == (1, 1, 1)


class _Sink(io.RawIOBase):
    """Counts what is written and keeps none of it."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, piece: object) -> int:
        self.size += len(piece)  # type: ignore[arg-type]
        return 0


def _many(hosts: int, each: int) -> SampleRun:
    def findings() -> Iterator[Finding]:
        for n in range(hosts):
            subject = Subject("host", f"h{n:04d}", "epci")
            for c in range(each):
                yield finding(
                    n * each + c, subject, f"c-{c:02d}", "fail" if c % 10 == 0 else "pass", Reason("a", "equals", 1, n)
                )

    run = SampleRun(
        header(hosts_expected=hosts, checks_planned=hosts * each), CONTROLS, MEASURES, all_findings=findings
    )
    run.all_hosts = [HostSeen(f"h{n:04d}", None, each, each, 1.0) for n in range(hosts)]
    return run


@pytest.mark.timeout(120)
def test_junit_of_50_000_tests_stays_in_memory_of_one_suite() -> None:
    run, sink = _many(1000, 50), _Sink()
    tracemalloc.start()
    junit.REPORTER.render(run, voice("en"), lambda part: sink.write)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.size > 4_000_000
    assert peak < 3_000_000, f"{peak} bytes at the peak"


def test_junit_of_many_suites_parses_with_the_standard_library() -> None:
    root = ET.fromstring(_junit(_many(20, 10)))
    assert [suite.get("id") for suite in root] == [str(n) for n in range(21)]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_stored_run_says_which_decisions_have_ended_since(lang: str) -> None:
    """On the day after the last one; officials read no id."""
    said = {"en": "have ended since: 1", "fr": "ont pris fin depuis"}[lang]
    for name in ("text", "html"):
        for day, expected in (("", False), ("2027-01-31", False), ("2027-02-01", True)):
            page = rendered(shelves.REPORTERS[name], decided(), voice(lang, today=day, width=1000)).decode()
            assert (said in page.replace("\u00a0", " ")) is expected, (name, day)
    public = rendered(shelves.REPORTERS["html"], decided(), voice(lang, today="2027-02-01", audience="elus")).decode()
    assert said in public.replace("\u00a0", " ")
    assert "ACC-2026-014" not in public


# ---------------------------------------------------------------- what a change does to what judges it


def judged_apart(*names: str) -> SampleRun:
    touched = tuple(Touched("control", "changed", name, ("expect",)) for name in names)
    run = fleet()
    return replace(run, header=replace(run.header, trusted=Trusted("origin/main", "0f" * 20, touched)))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_a_change_touches_stands_first_in_every_report(lang: str) -> None:
    run = judged_apart("odd " + HOSTILE, "ssh")
    told = rendered(text.REPORTER, run, voice(lang)).decode()
    first = " ".join(line.strip() for line in told.splitlines()[1:4])
    assert "origin/main (0f0f0f0f0f0f)" in first and "odd " in first
    assert "\x1b" not in told
    document = etree.fromstring(rendered(junit.REPORTER, run, voice(lang)))
    for xsd in XSDS:
        xsd.assertValid(document)
    assert document[0].get("name") == "run:trusted"
    jsonschema.validate(json.loads(rendered(json_reporter.REPORTER, run, voice(lang))), RUN_SCHEMA)
    page = rendered(html.REPORTER, run, voice(lang)).decode()
    assert 0 < page.index("origin/main") < page.index('id="verdict"')
    officials = rendered(html.REPORTER, run, voice(lang, audience="elus")).decode()
    assert "origin/main" in officials and "odd " not in officials


def test_a_long_list_of_what_a_change_touches_leaves_the_page_a_page() -> None:
    run = judged_apart(*(f"control-{n}" for n in range(60)))
    lines = rendered(text.REPORTER, run, voice("en")).decode().splitlines()
    assert len(lines) <= 40 + 11
    assert sum("control changed" in line for line in lines) == 9 and any("and 51 more" in line for line in lines)
    whole = rendered(text.REPORTER, run, voice("en", details=True)).decode()
    assert whole.count("control changed") == 60
