"""Who owes a measure: by its owner rule, the perimeters on which somebody answers for it."""

import pytest

from auditor.model import Perimeter
from auditor.owed import owed_on
from auditor.plan import coverage
from tests.make import make_estate, make_host, make_measure, make_plan

TOWN = {
    p.id: p
    for p in (
        Perimeter("common", "CITY", "shared", ("SYNDICATE", "HARBOUR")),
        Perimeter("city", "CITY"),
        Perimeter("syndicate", "SYNDICATE"),
    )
}
EVERYWHERE = ("common", "city", "syndicate")


@pytest.mark.parametrize(
    ("owner", "owing"),
    [
        ("", EVERYWHERE),
        ("perimeter", EVERYWHERE),
        ("operator-everywhere", EVERYWHERE),
        ("operator", ("common",)),
        ("member", ("common",)),
        ("beneficiary", ("common", "syndicate")),  # HARBOUR has nothing of its own: it is served by what is shared
        ("both", ("common", "syndicate")),
    ],
)
def test_a_rule_names_its_perimeters(owner: str, owing: tuple[str, ...]) -> None:
    assert owed_on(owner, EVERYWHERE, TOWN) == owing


def test_a_beneficiary_answers_on_its_own_perimeters() -> None:
    alone = {**TOWN, "common": Perimeter("common", "CITY", "shared", ("SYNDICATE",))}
    assert owed_on("beneficiary", EVERYWHERE, alone) == ("syndicate",)
    assert owed_on("both", EVERYWHERE, alone) == ("common", "syndicate")


@pytest.mark.parametrize("owner", ["operator", "member", "beneficiary", "both"])
def test_where_nobody_is_of_the_kind_everybody_owes_it(owner: str) -> None:
    """One organisation alone, and hosts for which no perimeter is declared: no measure is owed nowhere."""
    own = {"a": Perimeter("a", "TOWN"), "b": Perimeter("b", "TOWN")}
    assert owed_on(owner, ("a", "b"), own) == ("a", "b")
    assert owed_on(owner, ("",), {}) == ("",)


def test_a_shared_perimeter_that_serves_nobody_leaves_nobody_out() -> None:
    known = {"common": Perimeter("common", "CITY", "shared"), "city": Perimeter("city", "CITY")}
    assert owed_on("operator", ("common", "city"), known) == ("common",)
    assert owed_on("beneficiary", ("common", "city"), known) == ("common", "city")
    assert owed_on("both", ("common", "city"), known) == ("common", "city")


def test_a_plan_says_a_measure_only_where_it_is_owed() -> None:
    measures = {
        name: make_measure(name, owner=owner)
        for name, owner in (("log-retention", "perimeter"), ("plan", "operator"), ("referent", "beneficiary"))
    }
    estate = make_estate(make_host(perimeter="city"), perimeters=TOWN)
    plan = make_plan(estate, measures=measures, in_force=tuple(measures))
    assert [(c.subject.id, c.measure) for c in coverage(plan)] == [
        ("common", "log-retention"),
        ("common", "plan"),
        ("common", "referent"),
        ("syndicate", "log-retention"),
        ("syndicate", "referent"),
    ]
