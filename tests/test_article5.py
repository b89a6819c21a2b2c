"""The five bullets of article 5: verbatim, every measure in one, and never better than their worst."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st

from auditor.article5 import BULLETS, ORDER, Bullet, bullet_of, standing, worst
from auditor.model import Measure

ROOT = Path(__file__).parent.parent
ARTICLE = re.sub(r"\s+", " ", (ROOT / "tests/data/convention/convention-article-5.txt").read_text("utf-8"))
MEASURES = written((ROOT / "policies/convention/measures.yaml").read_text("utf-8"))["measures"]
COUNTS = st.dictionaries(
    st.sampled_from(
        ["fail", "warn", "accepted_fail", "accepted_warn", "unknown", "nothing_asked", "pass", "not_concerned"]
    ),
    st.integers(1, 9),
)


@pytest.mark.parametrize("bullet", BULLETS, ids=lambda bullet: bullet.title["en"])
def test_a_bullet_is_verbatim(bullet: Bullet) -> None:
    assert f"- {bullet.quote}" in ARTICLE


def test_these_are_all_the_bullets() -> None:
    listed = ARTICLE.partition("viser notamment :")[2].partition("Ces objectifs")[0]
    words = " ".join(re.sub(r"[;.](?= |$)", "", listed).replace("- ", "").split())
    assert words == " ".join(bullet.quote for bullet in BULLETS)


STARTS = {"iam": 0, "log": 1, "prot": 2, "net": 2, "vuln": 3, "bcp": 4}


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m["id"])
def test_every_technical_measure_is_quoted_from_one_bullet_and_no_other(measure: dict) -> None:
    start = measure["id"].partition("-")[0]
    known = Measure(measure["id"], measure["title"], measure["quote"], measure["article"])
    if start in STARTS:
        assert sum(measure["quote"] in bullet.quote for bullet in BULLETS) == 1
        assert bullet_of(known) is BULLETS[STARTS[start]]
    else:
        assert bullet_of(known) is None


def test_a_measure_of_another_text_is_in_no_bullet() -> None:
    assert bullet_of(Measure("a", {}, BULLETS[0].quote, "art. 6")) is None
    assert bullet_of(Measure("a", {}, "", "art. 5")) is None


@given(st.lists(COUNTS, max_size=6), COUNTS)
def test_more_is_never_better(counted: list[dict[str, int]], more: dict[str, int]) -> None:
    """Whatever is added, what stood there stands there still, and the worst is no better; nothing at all is no pass."""
    before, after = standing(counted), standing([*counted, more])
    assert all(after[name] >= count for name, count in before.items())
    if before:
        assert ORDER.index(worst(after)) <= ORDER.index(worst(before))
    assert worst(standing([])) == "nothing_asked"


@given(COUNTS)
def test_what_was_not_seen_is_not_hidden_by_a_pass(counts: dict[str, int]) -> None:
    if worst(standing([counts])) == "pass":
        assert counts.keys() <= {"pass", "not_concerned"}
