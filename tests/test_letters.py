"""The letter's page: strict HTML, hostile texts, the words of article 5.2, axe-core; and what a reply is never taken for."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import (
    make_acceptance,
    make_action,
    make_control,
    make_estate,
    make_exemption,
    make_finding,
    make_host,
    make_measure,
    make_recommendation,
)
from test_html import judged

from auditor import pages
from auditor.commands import inputs
from auditor.decisions import in_force
from auditor.letters.asked import Asked, Item, asked, recommended
from auditor.letters.form import Letter, asked_in, following, form, scope_of
from auditor.letters.page import About, liability, page
from auditor.letters.reply import OURS, Reply, Ruled, Signed, records
from auditor.model import Entity, Finding, Outcome, Perimeter, Subject, Suspended
from auditor.reconcile import reconcile
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
    return Letter("OTHER", "2026-11-22", items or (ITEM, WHOLE), "r1", texts={ITEM.control: "Keep them."})


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
    recommendations={"REC-1": make_recommendation(perimeter="theirs", issued_by="TOWN")},
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


def accepting(**changes: Any) -> Any:
    return make_acceptance(perimeter="theirs", entity="OTHER", role="chair", **{"hosts": ("far01",), **changes})


def test_what_does_not_stand_any_more_is_asked_anew_with_all_that_it_covers() -> None:
    """The new acceptance takes the place of the old one, or the two would void each other."""
    whole = accepting(hosts=("far01", "far02"))
    worse = found("far01", suspended=(Suspended("ACC-1", "acceptance", "R-BOUND"),))
    both = wanted(worse, found("far02"), given=(whole,))
    assert [(one.hosts, one.supersedes, one.reopened) for one in both.items] == [(("far01", "far02"), "ACC-1", True)]
    assert both.decided == 0
    assert "remplace ACC-1" in shown(replace(both.items[0], recommendation="REC-2"))
    other = accepting(id="ACC-2", hosts=("far02",))
    apart = wanted(worse, found("far02"), given=(accepting(), other))
    assert [(one.hosts, one.supersedes) for one in apart.items] == [(("far01",), "ACC-1")]
    assert apart.decided == 1
    later = found("far01", suspended=(Suspended("ACC-1", "acceptance", "R-LATER"),))
    assert [one.supersedes for one in wanted(later).items] == [""], "it stands for what it covers"


def test_an_exemption_is_not_renewed_by_a_letter() -> None:
    """An acceptance takes the place of no record of another kind: the two would void each other."""
    exempt = make_exemption(perimeter="theirs", hosts=("far01",))
    assert wanted(found("far01"), given=(exempt,), until="2027-12-31").items == ()


def test_what_hosts_have_in_common_makes_a_later_one_known_to_be_new() -> None:
    """Named as well, so that no renaming of a role takes away what was signed."""
    far = [make_host(f"far0{n}", perimeter="theirs", roles=("desktop",)) for n in (1, 2, 3)]
    town = replace(TOWN, hosts=(make_host("web01", roles=("desktop",)), *far[:2]))
    decided = in_force((), town, CONTROLS, MEASURES, "2026-11-22")
    findings = [found("far01"), found("far02")]
    (item,) = asked(findings, "OTHER", town, decided, CONTROLS, MEASURES).items
    assert (item.common, item.in_common) == ((("roles", "desktop"),), ("far01", "far02"))
    scope = {"hosts": ["far01", "far02"], "roles": ["desktop"], "frozen": {"count": 2, "hosts": ["far01", "far02"]}}
    assert scope_of(item) == scope
    assert "(rôle desktop)" in shown(replace(item, recommendation="REC-2"))
    (one,) = asked(findings[:1], "OTHER", town, decided, CONTROLS, MEASURES).items
    assert scope_of(one) == {"hosts": ["far01"]}, "the role stands for another one too"
    signed = accepting(hosts=("far01", "far02"), roles=("desktop",), frozen=("far01", "far02"), count=2)
    grown = replace(town, hosts=(*town.hosts, far[2]))
    now = in_force((signed,), grown, CONTROLS, MEASURES, "2026-11-22")
    reconciled = reconcile(lambda: [*findings, found("far03")], now)
    assert [(f.subject.id, [s.code for s in f.suspended]) for f in reconciled.beside()] == [
        ("far01", []), ("far02", []), ("far03", ["R-LATER"]),
    ]  # fmt: skip
    renamed = replace(town, hosts=tuple(replace(h, roles=()) for h in town.hosts))
    assert in_force((signed,), renamed, CONTROLS, MEASURES, "2026-11-22").about("kept-long-enough", "host:far02")


def test_the_logos_of_who_writes_and_who_is_written_to() -> None:
    """Pictures alone, and nothing fetched."""
    drawn = Entity("TOWN", "The town", "data:image/png;base64,iVBORw0KGgo=")
    evil = Entity("OTHER", "Other", 'data:image/svg+xml;base64,PHN2Zz4=" onload="alert(1)')
    about = About({}, CONTROLS, MEASURES, Asked(()), "2026-11-20", False, tuple(pages.logos([drawn, evil])))
    text = page(letter(ITEM), about)
    assert text.count("<img ") == 1
    assert '<img src="data:image/png;base64,iVBORw0KGgo=" alt="The town">' in text
    assert "; img-src data:; base-uri" in text
    assert "img-src" not in shown()
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def test_what_nothing_checks_is_said() -> None:
    about = About({}, CONTROLS, MEASURES, Asked(()), "2026-11-20", False, unchecked=3)
    assert "rien ne contrôle 3 mesures ou machines" in page(letter(ITEM), about)


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
    plain = form(letter(), "l.html", "0" * 64, ["town"])
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
    plain = form(letter(ITEM), "l.html", "0" * 64, ["town"])
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
    plain = form(letter(), "l.html", "0" * 64, ["town"])
    assert records(plain, {1: Reply()}, SIGNED, RULED, []) == []


def test_an_arbitration_that_is_asked_for_is_an_action_that_mends_nothing() -> None:
    """Of what may not be accepted, too; by the day that was given, or within the grace."""
    plain = form(letter(), "l.html", "0" * 64, ["town"])
    first, second = records(plain, {1: Reply("arbitrate"), 2: Reply("arbitrate", by="2026-12-24")}, SIGNED, RULED, [])
    assert (first["kind"], first["awaits"], first["due"]) == ("action", "arbitration", "2026-09-30")
    assert first["text"] == "Arbitrage demandé (convention, art. 4) : Keep them."
    assert (second["due"], second["scope"]) == ("2026-12-24", {"perimeter": True})
