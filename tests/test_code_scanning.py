"""SARIF and Code Quality: the official schema, what GitHub and GitLab ask beyond it, and what must never be shown as mended."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_run import (
    ACCEPTED,
    CONTROLS,
    HOSTILE,
    JOURNAL,
    MEASURES,
    PRIVILEGE,
    ROOT_LOGIN,
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

from auditor.commands import repository
from auditor.compare import compared
from auditor.model import CAUSES, SEVERITIES, Finding, HostSeen, Outcome, Reason, Subject, Unknown
from auditor.reporters import _sarif_rules, codequality, sarif
from auditor.summary import exit_code

SCHEMA = json.loads((Path(__file__).parent / "data/schemas/sarif-schema-2.1.0.json").read_text("utf-8"))
SARIF = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
WEB = Subject("host", "web01", "syndicat")
PERSONS = re.compile(r"martin|durand|petit|moreau|laurent|simon|michel|inconnu")


def _sarif(run: SampleRun, lang: str = "en", **look: Any) -> dict[str, Any]:
    """The one run of the document, held against the schema."""
    written = rendered(sarif.REPORTER, run, voice(lang, **look))
    assert not written.startswith(b"\xef\xbb\xbf")
    document = json.loads(written)
    SARIF.validate(document)
    assert len(document["runs"]) == 1
    one: dict[str, Any] = document["runs"][0]
    return one


def _quality(run: SampleRun, lang: str = "en", **look: Any) -> list[dict[str, Any]]:
    """The entries, held against the table of GitLab's documentation."""
    written = rendered(codequality.REPORTER, run, voice(lang, **look))
    assert not written.startswith(b"\xef\xbb\xbf")
    entries: list[dict[str, Any]] = json.loads(written)
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert set(entry["location"]) == {"path", "lines"}
        assert not entry["location"]["path"].startswith(("/", "./"))
        assert type(entry["location"]["lines"]["begin"]) is int
        assert all(isinstance(entry[key], str) and entry[key] for key in ("description", "check_name", "fingerprint"))
    fingerprints = Counter(entry["fingerprint"] for entry in entries)
    assert set(fingerprints.values()) <= {1}, "GitLab folds entries of one fingerprint into one"
    return entries


def _said(one: dict[str, Any]) -> dict[str, tuple[str, str]]:
    told = one["invocations"][0]["toolExecutionNotifications"]
    return {n["descriptor"]["id"]: (n["level"], n["message"]["text"]) for n in told}


# ---------------------------------------------------------------- SARIF, as GitHub takes it


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("run", [fleet, one_host, decided, alone])
def test_sarif_holds_what_github_asks(run: Any, lang: str) -> None:
    one = _sarif(run(), lang)
    rules = one["tool"]["driver"]["rules"]
    for rule in rules:
        assert all(0 < len(rule[part]["text"]) for part in ("shortDescription", "fullDescription", "help"))
        assert max(len(rule[part]["text"]) for part in ("shortDescription", "fullDescription")) <= 1024
        assert rule["properties"]["security-severity"] in ("9.5", "8.0", "5.5", "2.0")
        assert "security" in rule["properties"]["tags"]
        assert len(rule["properties"]["tags"]) <= _sarif_rules.TAGS
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert not place["artifactLocation"]["uri"].startswith(("/", "file:"))
        assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert re.fullmatch(r".+:1", result["partialFingerprints"]["primaryLocationLineHash"])
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in one["results"]]
    assert len(set(marks)) == len(marks)


def test_sarif_severities_fall_into_githubs_bands() -> None:
    """GitHub: above 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, the rest low."""

    def band(score: float) -> str:
        return "critical" if score > 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"

    assert {name: band(float(score)) for name, score in _sarif_rules.SECURITY.items()} == {
        name: name for name in SEVERITIES
    }
    for rule in _sarif(one_host())["tool"]["driver"]["rules"]:
        if not rule["id"].endswith(_sarif_rules.WARN):
            assert band(float(rule["properties"]["security-severity"])) == CONTROLS[rule["id"]].severity


def test_sarif_writes_no_pass_and_nothing_that_does_not_concern() -> None:
    one = _sarif(one_host())
    assert {r["ruleId"]: (r["kind"], r["level"]) for r in one["results"]} == {
        "ssh-root-login-off": ("fail", "error"),
        "logins-ask-two-factors": ("fail", "error"),
        "journal-keeps-twelve-months/warn": ("fail", "warning"),
        "restore-point-off-site": ("fail", "error"),
        "administrators-are-registered": ("open", "none"),
    }


def test_sarif_a_missed_target_closes_no_gate() -> None:
    """The run exits with 0 for it; GitHub's merge protection reads the severity of the rule."""
    one = _sarif(alone(finding(1, WEB, "journal-keeps-twelve-months", "warn", *JOURNAL)))
    rule = one["tool"]["driver"]["rules"][one["results"][0]["ruleIndex"]]
    assert rule["properties"]["security-severity"] == "2.0"
    assert one["results"][0]["level"] != "error"


def test_sarif_what_is_no_longer_seen_does_not_look_mended() -> None:
    """An alert that is missing next time is closed: what fails now and cannot be told next keeps its rule and fingerprint."""
    keys = [
        (one["results"][0]["ruleId"], one["results"][0]["partialFingerprints"])
        for one in (
            _sarif(alone(finding(1, WEB, "ssh-root-login-off", "fail", *ROOT_LOGIN))),
            _sarif(alone(finding(1, WEB, "ssh-root-login-off", "unknown", *PRIVILEGE))),
        )
    ]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (alone(finding(1, WEB, "a", "pass"), state="partial"), "run-complete"),
        (alone(finding(1, WEB, "a", "pass"), hosts_expected=2), "every-host-reached"),
        (alone(finding(1, WEB, "a", "pass"), checks_planned=2), "every-check-told"),
        (replace(alone(), all_hosts=[HostSeen("web01", Unknown("timeout"), 1, 0)]), "timeout"),
        (replace(alone(finding(1, WEB, "a", "pass")), all_coverage=one_host().all_coverage), "measures-without-a-control"),
    ],
    ids=["partial", "no host", "lost", "away", "gap"],
)  # fmt: skip
def test_what_was_not_seen_is_said_in_both(run: SampleRun, name: str) -> None:
    one = _sarif(run)
    assert _said(one)[name][0] == "error"
    assert one["invocations"][0]["executionSuccessful"] is False
    assert exit_code(run, "low", False) == 3
    entries = _quality(run)
    assert [entry["severity"] for entry in entries] == ["critical"]
    assert entries[0]["check_name"] == ("every-host-reached" if name == "timeout" else name)


def test_a_clean_run_is_clean_in_both() -> None:
    run = alone(finding(1, WEB, "clock-synchronised", "pass"))
    one = _sarif(run)
    assert one["results"] == []
    assert one["invocations"][0]["executionSuccessful"] is True
    assert one["invocations"][0]["toolExecutionNotifications"] == []
    assert rendered(codequality.REPORTER, run, voice("en")) == b"[]\n"


def test_what_does_not_gate_is_counted_and_opens_nothing() -> None:
    idle = [
        finding(n, WEB, name, "unknown", Reason("", "", cause=Unknown("nothing_asked")), gates=False)
        for n, name in enumerate(CONTROLS)
    ]
    run = alone(*idle, declared=False)
    one = _sarif(run)
    assert one["results"] == []
    words = f"checks that could not be told, and that do not count: {len(CONTROLS)} ({CAUSES['nothing_asked']})"
    assert _said(one) == {"uncounted-nothing_asked": ("note", words)}
    assert [(e["check_name"], e["severity"], e["description"]) for e in _quality(run)] == [
        ("uncounted-nothing_asked", "info", words)
    ]


def test_a_host_that_its_collector_tells_of_is_not_away() -> None:
    """As the exit code has it: nobody connects to a printer, and somebody tells of it."""
    told = finding(1, WEB, "clock-synchronised", "pass")
    run = replace(alone(told), all_hosts=[HostSeen("web01", Unknown("not_connected", "a printer"), 1, 0)])
    assert exit_code(run, "low", False) == 0
    assert _sarif(run)["invocations"][0]["toolExecutionNotifications"] == []


def test_sarif_accepted_risks_are_suppressed_or_left_out_and_counted() -> None:
    one = _sarif(fleet())
    held = [r for r in one["results"] if "suppressions" in r]
    assert [r["ruleId"] for r in held] == ["restore-point-off-site", "journal-keeps-twelve-months/warn"]
    assert held[0]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "accepted until 2027-01-31 (ACC-2026-014, by president (SYNDICAT))",
        }
    ]
    bare = _sarif(fleet(), suppressed=False)
    assert len(bare["results"]) == len(one["results"]) - 2
    assert not any("suppressions" in r for r in bare["results"])
    assert _said(bare)["decided"] == ("note", "findings that a decision covers, left out of this report: 2")
    assert "decided" not in _said(one)


def test_decisions_cover_what_they_cover_in_both() -> None:
    """An adaptation whose target is missed too covers nothing, nor does what is suspended; an exempted host is no gap."""
    one = _sarif(decided())
    states = {r["ruleId"]: (r["level"], "suppressions" in r) for r in one["results"]}
    assert states == {
        "journal-keeps-twelve-months": ("error", True),
        "clock-synchronised": ("warning", False),
        "mail-relay-encrypts/warn": ("warning", True),
        "restore-point-off-site": ("error", True),
        "ssh-root-login-off": ("error", False),
    }
    assert [name for name, (level, _) in _said(one).items() if level == "error"] == []
    assert one["invocations"][0]["executionSuccessful"] is True
    assert [e["check_name"] for e in _quality(decided())] == ["clock-synchronised", "ssh-root-login-off"]


def test_an_adapted_limit_that_is_kept_closes_no_gate() -> None:
    adapted = replace(ACCEPTED, id="ADA-1", kind="adaptation")
    run = alone(finding(1, WEB, "ssh-root-login-off", "fail", *ROOT_LOGIN, decision=adapted, adapted=Outcome.WARN))
    assert exit_code(run, "low", False) == 0
    (result,) = _sarif(run)["results"]
    assert (result["ruleId"], result["level"]) == ("ssh-root-login-off/warn", "warning")
    assert [e["severity"] for e in _quality(run)] == ["info"]


def test_sarif_says_what_became_of_a_finding() -> None:
    before = alone(
        finding(1, WEB, "ssh-root-login-off", "fail", *ROOT_LOGIN),
        finding(2, WEB, "clock-synchronised", "pass"),
        finding(3, WEB, "journal-keeps-twelve-months", "warn", *JOURNAL),
    )
    after = alone(
        finding(1, WEB, "ssh-root-login-off", "fail", *ROOT_LOGIN),
        finding(2, WEB, "clock-synchronised", "fail", Reason("a", "equals", 1, 2)),
        finding(3, WEB, "journal-keeps-twelve-months", "fail", *JOURNAL),
    )
    after.since = compared(before, after)
    states = {r["ruleId"]: r["baselineState"] for r in _sarif(after)["results"]}
    assert states == {
        "ssh-root-login-off": "unchanged",
        "clock-synchronised": "new",
        "journal-keeps-twelve-months": "updated",
    }
    assert not any("baselineState" in r for r in _sarif(before)["results"])


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        ({}, "auditor/demo"),
        ({"estate": "", "declared": False}, "auditor/web01"),
        ({"limit": "web"}, "auditor/demo/limit=web"),
        ({"policies": ("policies/ssh.yaml",)}, "auditor/demo/policies-ssh.yaml"),
    ],
)
def test_sarif_parts_of_an_estate_do_not_close_each_others_alerts(changes: dict[str, Any], category: str) -> None:
    """GitHub holds an upload against the last one of its category: all before the last slash."""
    assert _sarif(alone(**changes))["automationDetails"]["id"].rpartition("/")[0] == category
    assert _sarif(alone(limit="a:b"))["automationDetails"] != _sarif(alone(limit="a*b"))["automationDetails"]


def test_sarif_text_of_a_host_makes_no_link_and_takes_no_argument() -> None:
    evil = Reason("banner", "equals", "x", "[click](https://evil.example) {0} " + HOSTILE)
    text = _sarif(alone(finding(1, WEB, "a", "fail", evil)))["results"][0]["message"]["text"]
    assert "](" not in text
    assert "{{0}}" in text
    assert text.isprintable()


@pytest.mark.parametrize("run", [fleet, one_host])
def test_no_person_is_named_in_either(run: Any) -> None:
    for reporter in (sarif.REPORTER, codequality.REPORTER):
        written = rendered(reporter, run(), voice("en")).decode("utf-8")
        assert not PERSONS.search(written)
        assert "account-" in written


@pytest.mark.parametrize("reporter", [sarif.REPORTER, codequality.REPORTER])
def test_keys_and_names_are_the_same_in_every_language(reporter: Any) -> None:
    def marks(lang: str) -> list[str]:
        return re.findall(
            r'"(?:ruleId|check_name|fingerprint)": "[^"]*"', rendered(reporter, fleet(), voice(lang)).decode()
        )

    assert marks("en") == marks("fr") != []


# ---------------------------------------------------------------- limits


def _many(each: dict[str, int]) -> SampleRun:
    """So many findings of each severity or outcome, the least grave first, with texts as hosts give them."""

    def findings() -> Iterator[Finding]:
        seq = 0
        for what, count in each.items():
            outcome = what if what in ("warn", "unknown") else "fail"
            severity = what if what in SEVERITIES else "critical"
            for n in range(count):
                seq += 1
                host = Subject("host", f"host-{n // 40:04d}", "epci")
                reason = Reason(
                    "settings[].value", "equals", "yes", f"value {n * 7919 % 1000}", element=f"/etc/file-{n}.conf"
                )
                mark = f"{what}-{n:028d}"
                yield finding(seq, host, "ssh-root-login-off", outcome, reason, severity=severity, fingerprint=mark)

    return SampleRun(header(checks_planned=sum(each.values())), CONTROLS, MEASURES, all_findings=findings)


def test_sarif_keeps_the_gravest_within_githubs_limits() -> None:
    run = _many({"warn": 500, "low": 2000, "unknown": 3000, "medium": 2000, "critical": 20000})
    written = rendered(sarif.REPORTER, run, voice("en"))
    one = json.loads(written)["runs"][0]
    kept = Counter(r["partialFingerprints"]["auditorFinding/v1"].split("-")[0] for r in one["results"])
    assert kept == {"critical": 20000, "medium": 2000, "low": 2000, "unknown": 1000}
    assert len(one["results"]) == sarif.MOST == 25_000
    assert _said(one)["too-many"] == ("error", "results left out, the least grave ones: 2500 of 27500")
    assert len(gzip.compress(written, 6)) < 10 * 1024 * 1024


@given(st.text(alphabet=st.characters(), max_size=60), st.text(alphabet=st.characters(), max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_text_is_valid_in_both(seen: str, name: str) -> None:
    host = Subject("host", name or "h", name)
    reason = Reason(name, "equals", seen, seen, element=seen)
    run = alone(
        finding(1, host, "a", "fail", reason, fingerprint="1"),
        finding(2, host, "b", "unknown", Reason(name, "", cause=Unknown("timeout", seen)), fingerprint="2"),
        finding(3, host, "c", "warn", reason, decision=replace(ACCEPTED, by=seen), fingerprint="3"),
        finding(4, host, "d", None, reason, fingerprint="4"),
        version=seen,
        limit=name,
    )
    run.controls = {"a": replace(CONTROLS["clock-synchronised"], id="a", source=f"p{name}/x.yaml:7", fix={"en": seen})}
    run.all_hosts = [HostSeen(name, Unknown("unreachable", seen), 4, 0)]
    assert [r["ruleId"] for r in _sarif(run)["results"]] == ["a", "b", "c/warn"]
    assert [e["check_name"] for e in _quality(run)[:2]] == ["a", "b"]


# ---------------------------------------------------------------- Code Quality


def test_codequality_says_each_open_finding_with_its_severity() -> None:
    told = {e["check_name"]: (e["severity"], e["description"]) for e in _quality(one_host())}
    assert {name: severity for name, (severity, _) in told.items()} == {
        "ssh-root-login-off": "blocker",
        "logins-ask-two-factors": "critical",
        "journal-keeps-twelve-months": "info",
        "administrators-are-registered": "major",
        "measures-without-a-control": "critical",
    }
    assert told["ssh-root-login-off"][1] == (
        "web01: Root does not log in by SSH with a password: permit_root_login: expected prohibit-password, found yes"
    )
    assert ": not measured: could not tell logins: " in told["administrators-are-registered"][1]


def test_codequality_points_at_the_line_of_the_control() -> None:
    assert _quality(one_host())[0]["location"] == {"path": "policies/convention/sample.yaml", "lines": {"begin": 4}}


# ---------------------------------------------------------------- where things are


@pytest.mark.parametrize(
    ("source", "told"),
    [("a/b.yaml:12", ("a/b.yaml", 12)), ("", ("policies", 1)), ("b.yaml", ("policies", 1)), ("a:0", ("a", 1)),
     ("a:x", ("a", 1)), ("a:\u0663", ("a", 1)), (f"a:{'9' * 5000}", ("a", 1)), ("a b#c:d.yaml:3", ("a b#c:d.yaml", 3))],
)  # fmt: skip
def test_a_place_is_always_told(source: str, told: tuple[str, int]) -> None:
    run = alone(finding(1, WEB, "clock-synchronised", "fail"))
    run.controls = {"clock-synchronised": replace(CONTROLS["clock-synchronised"], source=source)}
    place = _quality(run)[0]["location"]
    assert (place["path"], place["lines"]["begin"]) == told
    uri = _sarif(run)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri)


def test_paths_are_relative_to_the_repository(tmp_path: Path) -> None:
    work = tmp_path / "repo" / "deep"
    work.mkdir(parents=True)
    (tmp_path / "repo/.git").write_text("gitdir: elsewhere\n")
    (tmp_path / "link").symlink_to(tmp_path / "repo")
    located = repository.located(str(work))
    assert located("policies/a.yaml") == "deep/policies/a.yaml"
    assert located("../a.yaml") == "a.yaml"
    assert located(str(tmp_path / "repo/x/a.yaml")) == "x/a.yaml"
    assert located(str(tmp_path / "link/x/a.yaml")) == "x/a.yaml"
    assert located(str(work)) == "deep"
    assert located("") == ""
    assert located("/etc/auditor/a.yaml") == "etc/auditor/a.yaml"
    assert located(str(repository.shelves.packaged("policies") / "convention/backup.yaml")).endswith(
        "policies/convention/backup.yaml"
    )


def test_without_a_repository_paths_are_relative_to_the_work_folder(tmp_path: Path) -> None:
    assert not any((folder / ".git").exists() for folder in (tmp_path, *tmp_path.parents))
    located = repository.located(str(tmp_path))
    assert located(f"policies{os.sep}a.yaml") == "policies/a.yaml"
    shipped = repository.shelves.packaged("policies") / "convention/backup.yaml"
    assert located(str(shipped)) == "policies/convention/backup.yaml"


def test_a_work_folder_that_is_gone_costs_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert repository.located(repository.work_folder())("policies/a.yaml") == "policies/a.yaml"
