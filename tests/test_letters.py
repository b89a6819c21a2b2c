"""The letter's page: strict HTML, hostile texts, the words of article 5.2, axe-core; and what a reply is never taken for."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import (
    make_action,
    make_control,
    make_estate,
    make_finding,
    make_host,
    make_measure,
    make_recommendation,
)
from test_html import judged

from auditor.commands import inputs
from auditor.decisions import in_force
from auditor.letters.asked import Asked, Item, asked, recommended
from auditor.letters.form import Letter, asked_in, following, form
from auditor.letters.page import About, liability, page
from auditor.letters.reply import OURS, Reply, Ruled, Signed, records
from auditor.model import Finding, Outcome, Perimeter, Subject
from auditor.records import MATRICES, DecisionRules

ITEM = Item(1, "theirs", "kept-long-enough", 1, "high", ("far01",), True, "TOWN", False, "REC-1")
WHOLE = replace(
    ITEM, number=2, hosts=(), acceptable=False, recommended_at="2026-05-01", supersedes="ACC-9", limit_kept=True
)
CONTROLS = {"kept-long-enough": make_control()}
MEASURES = {"log-retention": make_measure()}
RULED = Ruled(DecisionRules(), MATRICES)
SIGNED = Signed("2026-08-31", "mayor", "documents/a.pdf", "0" * 64)
EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egpj\x00\x1b[31m",
    "{{ 7*7 }}",
    "&lt;b&gt;",
    "]]>\ud800",
)


def letter(*items: Item) -> Letter:
    return Letter("OTHER", "2026-11-22", items or (ITEM, WHOLE), "r1")


def shown(*items: Item, text: str = "", counts: Asked | None = None) -> str:
    controls = {ITEM.control: replace(CONTROLS[ITEM.control], **{k: {"fr": text} for k in ("title", "why", "fix")})}
    about = About({"OTHER": text}, controls if text else CONTROLS, inputs.load_policies((), inputs.all_probes(None)[0]).measures,
                  counts or Asked((), 9, 2, 1, 1), "2026-11-20", True)  # fmt: skip
    return page(letter(*items), about)


# ---------------------------------------------------------------- the page


def test_it_is_strict_html_that_runs_and_fetches_nothing() -> None:
    text = shown()
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!#content)", text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text


def test_the_words_of_article_5_2_are_exact() -> None:
    measures = inputs.load_policies((), inputs.all_probes(None)[0]).measures
    said = (
        "formalise, le cas échéant, son acceptation des risques résiduels lorsqu'il choisit de ne pas appliquer une "
        "recommandation de la CUA",
        "Cette acceptation dégage la CUA de toute responsabilité pour les conséquences pouvant en découler.",
    )
    assert liability(measures) == said
    plain = shown().replace("&#39;", "'").replace("\u00a0", " ")
    for quote in said:
        assert f"« {quote} »" in plain


def test_every_reply_has_its_box_and_no_box_is_for_what_the_texts_forbid() -> None:
    text = shown()
    assert text.count("adopter la recommandation au plus tard le") == 2
    assert text.count("</span> accepter le risque résiduel") == 1
    assert text.count("Les textes ne permettent pas d") == 1
    assert text.count("</span> demander un arbitrage (art. 4)") == 2
    for word in ("G1 mineure", "V4 quasi certaine", "des données personnelles sont concernées"):
        assert word in text


def test_what_was_not_measured_is_said() -> None:
    assert "2 contrôles sur 9 n" in shown()
    assert "partiel" in shown()
    assert "mesuré" not in shown(counts=Asked((), 9))


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
def test_hostile_texts_are_inert(evil: str) -> None:
    item = replace(ITEM, hosts=(evil,), perimeter=evil, recommendation=evil, supersedes=evil, adviser=evil)
    text = shown(item, text=evil)
    tags = lambda t: {e.tag for e in html5lib.parse(t, namespaceHTMLElements=False).iter()}  # noqa: E731
    assert tags(text) == tags(shown(ITEM, text="plain"))
    assert all(line.isprintable() for line in text.replace("\u00a0", " ").split("\n"))
    text.encode("utf-8")


@pytest.mark.xdist_group("chromium")
def test_axe_finds_nothing(program: Callable[[str], str], tmp_path: Path) -> None:
    result = judged(program, tmp_path, shown(ITEM, WHOLE), "--window-size=500,900")
    assert result["told"] == []
    assert result["wide"] <= 0, "the page scrolls sideways"
    assert {"color-contrast", "document-title", "html-has-lang"} <= set(result["passes"])


# ---------------------------------------------------------------- what is asked

OWN = Perimeter("theirs", "OTHER", advised_by="TOWN")
TOWN = make_estate(
    make_host("far01", perimeter="theirs"),
    make_host("far02", perimeter="theirs"),
    make_host("web01"),
    perimeters={"own": Perimeter("own", "TOWN"), "theirs": OWN, "common": Perimeter("common", "OTHER", "shared")},
    recommendations={"REC-1": make_recommendation(perimeter="theirs")},
    auditing_entity="TOWN",
)


def found(host: str, perimeter: str = "theirs", outcome: Outcome = Outcome.FAIL, **changes: object) -> Finding:
    return make_finding(outcome, subject=Subject("host", host, perimeter), **changes)


def wanted(*findings: Finding, given: tuple = (), until: str = "", day: str = "2026-11-22") -> Asked:
    decided = in_force(given, TOWN, CONTROLS, MEASURES, day)
    return asked(findings, "OTHER", TOWN, decided, CONTROLS, MEASURES, until)


def test_only_open_findings_of_its_own_exclusive_perimeters_are_asked_about() -> None:
    seen = wanted(
        found("far01"), found("far02", outcome=Outcome.WARN), found("web01", "own"), found("c1", "common"),
        found("far01", outcome=Outcome.UNKNOWN), found("far01", outcome=Outcome.PASS),
    )  # fmt: skip
    assert [(one.control, one.hosts) for one in seen.items] == [("kept-long-enough", ("far01", "far02"))]
    assert (seen.seen, seen.unseen) == (4, 1)
    assert seen.items[0].adviser == "TOWN"
    assert wanted(found("far01", outcome=Outcome.UNKNOWN)).items == ()


def test_what_somebody_mends_in_time_is_not_asked_about() -> None:
    action = make_action(perimeter="theirs", scope=replace(make_action().scope, hosts=("far01",)), due="2026-12-01")
    assert wanted(found("far01"), given=(action,)).mending == 1
    assert len(wanted(found("far01"), given=(action,), day="2027-03-01").items) == 1


def test_a_recommendation_counts_for_the_hosts_that_it_was_written_about() -> None:
    item = replace(ITEM, recommendation="", hosts=("far01", "far02"))
    told = make_recommendation(perimeter="theirs", issued_by="TOWN", communicated_at="2026-05-01")
    assert recommended(item, [told], "2026-11-22").recommendation == told.id
    assert recommended(item, [replace(told, hosts=("far01",))], "2026-11-22") == item
    assert recommended(item, [replace(told, hosts=("far02", "far01"))], "2026-11-22").recommendation == told.id
    for other in (replace(told, communicated_at=""), replace(told, communicated_at="2027-01-01"),
                  replace(told, perimeter="own"), replace(told, controls=("x",)), replace(told, issued_by="OTHER")):  # fmt: skip
        assert recommended(item, [other], "2026-11-22") == item
    assert recommended(replace(item, hosts=()), [replace(told, hosts=("far01",))], "2026-11-22").recommendation == ""


# ---------------------------------------------------------------- the form and the reply


def test_the_form_and_the_letter_are_bound() -> None:
    plain = form(letter(), "l.html", "0" * 64, ["town"], {ITEM.control: "Keep them."})
    assert asked_in(plain) == letter().asked
    assert letter().asked in shown()
    plain["items"][0]["scope"]["hosts"].append("far02")
    assert asked_in(plain) != letter().asked


def test_ids_follow_those_that_are_taken() -> None:
    ids = following("REC", "2026-11-22", ["REC-2026-009", "REC-2025-100", "REC-2026-x", "REC-2026-0", "ACC-2026-050"])
    assert list(islice(ids, 2)) == ["REC-2026-010", "REC-2026-011"]


ratings = st.sampled_from(["", "G1", "G2", "G3", "G4"]), st.sampled_from(["", "V1", "V2", "V3", "V4"])


@given(*ratings, st.sampled_from([None, True, False]))
@settings(max_examples=60, deadline=None)
def test_what_the_reply_does_not_say_is_never_taken_for_harmless(
    gravite: str, vraisemblance: str, personal: bool | None
) -> None:
    """No level without a rating, the longer time only for a rated risk that is not high, personal until it is denied."""
    plain = form(letter(ITEM), "l.html", "0" * 64, ["town"], {ITEM.control: "Keep them."})
    reply = Reply("accept", gravite=gravite, vraisemblance=vraisemblance, personal_data=personal)
    (one,) = records(plain, {1: reply}, SIGNED, RULED, [])
    level = one["risk"].get("residual", {}).get("niveau")
    if gravite and vraisemblance:
        assert level == MATRICES[OURS][int(gravite[1]) - 1][int(vraisemblance[1]) - 1]
    else:
        assert level is None
    assert one["expires"] == ("2027-08-30" if level in ("faible", "moyen") else "2027-02-27")
    assert one["risk"]["personal_data"] is (personal is not False)


def test_no_reply_makes_no_record() -> None:
    plain = form(letter(), "l.html", "0" * 64, ["town"], {ITEM.control: "Keep them."})
    assert records(plain, {1: Reply(), 2: Reply("arbitrate")}, SIGNED, RULED, []) == []
