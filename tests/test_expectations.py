"""Expectations: three-valued truth, reasons as data, and that knowing less never changes a definite answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import FACTS, facts_schema, make_check, make_control

from auditor.document import reason_to_plain
from auditor.expectations import Scope, concerns, finding, fingerprint, judge, outcome
from auditor.model import Outcome, Partial, Reason, Register, Unknown

LATER = Unknown("no_privilege", "sudo")
SCOPE = Scope({}, FACTS)


def truth(expect: Mapping[str, Any], facts: Mapping[str, Any], **values: Any) -> bool | None:
    return judge(expect, facts, Scope(values, FACTS))[0]


A, B = {"account": "a", "days": 1}, {"account": "b", "days": 9}
DIM = {"account": "c", "days": LATER}
EVERY = {"accounts": {"every": {"days": {"at_most": 5}}}}
ANY = {"accounts": {"any": {"days": {"at_most": 5}}}}
NONE = {"accounts": {"none": {"days": {"at_most": 5}}}}

TABLE: list[tuple[Mapping[str, Any], Any, bool | None]] = [
    (EVERY, [A], True),
    (EVERY, [], True),
    (EVERY, [A, B], False),
    (EVERY, [A, DIM], None),
    (EVERY, [A, DIM, B], False),
    (EVERY, Partial((A,), LATER), None),
    (EVERY, Partial((), LATER), None),
    (EVERY, Partial((B,), LATER), False),
    (EVERY, [A, LATER], None),
    (EVERY, [A, None], None),
    (EVERY, [A, "text"], None),
    (EVERY, LATER, None),
    (EVERY, None, False),
    (EVERY, "text", None),
    (ANY, [A, B], True),
    (ANY, [B], False),
    (ANY, [], False),
    (ANY, [B, DIM], None),
    (ANY, [A, DIM], True),
    (ANY, [B, LATER], None),
    (ANY, Partial((B,), LATER), None),
    (ANY, Partial((), LATER), None),
    (ANY, Partial((A,), LATER), True),
    (ANY, LATER, None),
    (ANY, None, False),
    (NONE, [B], True),
    (NONE, [], True),
    (NONE, [A, B], False),
    (NONE, [B, DIM], None),
    (NONE, [A, DIM], False),
    (NONE, [B, LATER], None),
    (NONE, Partial((B,), LATER), None),
    (NONE, Partial((), LATER), None),
    (NONE, Partial((A,), LATER), False),
    (NONE, None, False),
    ({"accounts": {"count": {"at_least": 1}}}, [A], True),
    ({"accounts": {"count": {"at_least": 1}}}, [], False),
    ({"accounts": {"count": {"at_least": 1}}}, [LATER], True),
    ({"accounts": {"count": {"at_least": 1}}}, Partial((), LATER), None),
    ({"accounts": {"count": {"at_least": 1}}}, Partial((A,), LATER), True),
    ({"accounts": {"count": {"equals": 1}}}, Partial((A,), LATER), None),
    ({"accounts": {"every": {"days": {"at_most": 5}}, "count": {"at_least": 1}}}, [], False),
]


@pytest.mark.parametrize(("expect", "accounts", "expected"), TABLE)
def test_a_list_is_judged_in_three_values(expect: Mapping[str, Any], accounts: Any, expected: bool | None) -> None:
    """A false element decides, an unknown or missing one keeps the answer open, and no list is no health."""
    assert truth(expect, {"accounts": accounts}) is expected


VALUES = {True: {"on": {"equals": True}}, False: {"on": {"equals": False}}, None: {"days": {"at_least": 1}}}
ORDER = (True, False, None)


@pytest.mark.parametrize("left", ORDER)
@pytest.mark.parametrize("right", ORDER)
def test_groups_follow_kleene(left: bool | None, right: bool | None) -> None:
    """`all_of` is false on one false, `any_of` true on one true; otherwise one unknown keeps it unknown."""
    facts = {"on": True, "days": LATER}
    both = [VALUES[left], VALUES[right]]
    all_of = False if False in (left, right) else None if None in (left, right) else True
    any_of = True if True in (left, right) else None if None in (left, right) else False
    assert truth({"all_of": both}, facts) is all_of
    assert truth({"any_of": both}, facts) is any_of
    assert truth({"any_of": [{"all_of": both}, {"any_of": both}]}, facts) is (
        True if True in (all_of, any_of) else None if None in (all_of, any_of) else False
    )


def test_a_fact_that_a_probe_did_not_give_is_unknown() -> None:
    """What is not among the facts was not told: not absent, not false."""
    for operators in ({"equals": True}, {"absent": True}, {"present": True}, {"not_equals": True}):
        assert truth({"on": operators}, {}) is None


def test_a_path_into_what_is_not_there_is_unknown() -> None:
    """A dotted path through null, a scalar, or Unknown is unknown, also for `absent`."""
    schema = facts_schema(sub=facts_schema(on={"type": "boolean"}))
    for sub in (None, 5, "text", [], LATER):
        assert judge({"sub.on": {"absent": True}}, {"sub": sub}, Scope({}, schema))[0] is None
    assert judge({"sub.on": {"equals": True}}, {"sub": {"on": True}}, Scope({}, schema))[0] is True


# ---------------------------------------------------------------- outcomes

TARGET = {"days": {"at_least": 365}}
LIMIT = {"days": {"at_least": 180}}


@pytest.mark.parametrize(
    ("days", "expected"),
    [(365, Outcome.PASS), (200, Outcome.WARN), (10, Outcome.FAIL), (None, Outcome.FAIL), (LATER, Outcome.UNKNOWN)],
)
def test_an_outcome_is_pass_warn_fail_or_unknown(days: Any, expected: Outcome) -> None:
    """The target is a pass, the limit a warning, neither a failure, what was not seen unknown."""
    assert outcome(TARGET, LIMIT, {"days": days}, SCOPE)[0] is expected


def test_a_path_that_tolerate_omits_keeps_its_expect() -> None:
    """Tolerating a shorter time does not tolerate that it is off."""
    expect = {**TARGET, "on": {"equals": True}}
    assert outcome(expect, LIMIT, {"days": 200, "on": True}, SCOPE)[0] is Outcome.WARN
    assert outcome(expect, LIMIT, {"days": 200, "on": False}, SCOPE)[0] is Outcome.FAIL
    assert outcome(expect, LIMIT, {"days": 200, "on": LATER}, SCOPE)[0] is Outcome.UNKNOWN
    assert outcome(expect, LIMIT, {"days": 400, "on": LATER}, SCOPE)[0] is Outcome.UNKNOWN


def test_a_failure_that_may_be_tolerated_is_unknown() -> None:
    """When the target is missed and the limit cannot be told, it is neither a failure nor a warning."""
    expect, tolerate = {"accounts": {"count": {"at_most": 0}}}, {"accounts": {"count": {"at_most": 1}}}
    facts = {"accounts": Partial((A,), LATER)}
    assert outcome(expect, {}, facts, SCOPE)[0] is Outcome.FAIL
    assert outcome(expect, tolerate, facts, SCOPE)[0] is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("expect", "facts", "untold"),
    [
        ({"days": {"at_least": 5}, "on": {"equals": True}}, {"days": 1, "on": LATER}, ["on"]),
        ({"days": {"at_least": 5}, "on": {"equals": True}}, {"days": 1, "on": True}, []),
        ({"names": {"none": {"equals": "a"}}}, {"names": Partial(("a",), LATER)}, ["names"]),
        ({"names": {"every": {"equals": "b"}}}, {"names": Partial(("a",), LATER)}, ["names"]),
        ({"days": {"at_least": 5}, "on": {"equals": True}}, {"days": LATER, "on": LATER}, []),
    ],
)
def test_what_could_not_be_told_beside_a_failure_is_kept(
    expect: dict[str, Any], facts: dict[str, Any], untold: list[str]
) -> None:
    """It may be worse than what was seen. Of an unknown it is the reason, and stands there."""
    found = finding(make_check(make_control(expect=expect)), facts, FACTS, 0.0)
    assert [r.path for r in found.untold] == untold
    assert all(r.cause == LATER for r in found.untold)


def test_a_failure_gives_what_failed_and_an_unknown_its_causes() -> None:
    """Reasons of a failure hold no cause; those of an unknown hold nothing else."""
    expect = {"days": {"at_least": 5}, "on": {"equals": True}}
    _, failed = outcome(expect, {}, {"days": 1, "on": LATER}, SCOPE)
    assert failed == (Reason("days", "at_least", 5, observed=1),)
    _, unknown = outcome(expect, {}, {"days": 9, "on": LATER}, SCOPE)
    assert unknown == (Reason("on", "equals", True, cause=LATER),)


def test_no_outcome_but_pass_is_without_a_reason() -> None:
    """Whoever reads a finding that is no pass is told why."""
    for expect, accounts, expected in TABLE:
        came_to, reasons = outcome(expect, {}, {"accounts": accounts}, SCOPE)
        assert bool(reasons) is (expected is not True), (expect, accounts)
        assert came_to is {True: Outcome.PASS, False: Outcome.FAIL, None: Outcome.UNKNOWN}[expected]
        json.dumps([reason_to_plain(r) for r in reasons])


# ---------------------------------------------------------------- reasons


def test_reasons_name_the_element_and_whether_it_is_a_person() -> None:
    """The element that failed is named as the schema says, with the flag that keeps it out of what leaves the team."""
    _, reasons = judge(EVERY, {"accounts": [A, B]}, SCOPE)
    assert reasons == (Reason("accounts[].days", "at_most", 5, observed=9, element="b", person=True),)
    _, reasons = judge(NONE, {"accounts": [A]}, SCOPE)
    assert [(r.element, r.person) for r in reasons] == [("a", True)]


def test_an_element_without_a_name_is_still_reported() -> None:
    """An element whose name is unknown, or that is no object at all, has a reason that is not lost."""
    for strange in ({"account": LATER, "days": 9}, {"days": 9}, {"account": None, "days": 9}):
        assert [r.element for r in judge(EVERY, {"accounts": [strange]}, SCOPE)[1]] == ["?"]
    for strange in (LATER, None, 5, "text"):
        _, reasons = judge(EVERY, {"accounts": [strange]}, SCOPE)
        assert [r.path for r in reasons] == ["accounts[].days"]
        assert reasons[0].cause is not None


def test_the_flag_of_a_person_follows_texts() -> None:
    """A text fact that names a person is flagged wherever it stands."""
    schema = facts_schema(
        owner={"type": "string", "x-person": True},
        owners={"type": "array", "items": {"type": "string", "x-person": True}},
    )
    facts = {"owner": "jean", "owners": ["jean"]}
    for expect in (
        {"owner": {"equals": "x"}},
        {"owners": {"every": {"equals": "x"}}},
        {"owners": {"none": {"equals": "jean"}}},
    ):
        assert [r.person for r in judge(expect, facts, Scope({}, schema))[1]] == [True], expect


REGISTER = Register("admins", ("secret-person", "other-person"), "records/admins.yaml")


@pytest.mark.parametrize(
    "expect",
    [
        {"name": {"one_of": "$registers.admins"}},
        {"names": {"contains": "$registers.admins"}},
        {"names": {"every": {"one_of": "$registers.admins"}}},
        {"accounts": {"every": {"account": {"one_of": "$registers.admins"}}}},
        {"accounts": {"any": {"account": {"one_of": "$registers.admins"}}}},
        {"any_of": [{"name": {"one_of": "$registers.admins"}}, {"name": {"matches": "$registers.admins"}}]},
    ],
)
def test_the_entries_of_a_register_are_never_in_reasons(expect: Mapping[str, Any]) -> None:
    """What people declared in confidence is compared with and never printed as expected."""
    scope = Scope({"registers.admins": REGISTER}, FACTS)
    facts = {"name": "x", "names": ["x"], "accounts": [A]}
    _, reasons = judge(expect, facts, scope)
    assert reasons
    assert "person" not in json.dumps([reason_to_plain(r) for r in reasons if not r.person]).replace(
        '"person": true', ""
    )
    assert not any(entry in repr(reasons) for entry in REGISTER.entries)


def test_an_entry_of_a_register_counts_by_the_moment_of_the_facts() -> None:
    """Who left within the time allowed is not counted yet; without a date, always."""
    gone = Register("gone", ("a", "b"), left_at={"a": 1000.0}, older_than_s=3600.0)
    check = make_check(
        make_control(expect={"names": {"none": {"one_of": "$registers.gone.older_than.x_hours"}}}),
        values={"registers.gone.older_than.x_hours": gone},
    )
    outcomes = [finding(check, {"names": [name]}, FACTS, at).outcome for name in "ab" for at in (4600.0, 4601.0)]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.FAIL, Outcome.FAIL]


def test_a_value_that_stands_for_nothing_is_unknown() -> None:
    """A `$name` without a value makes the answer unknown, for scalars, counts and elements alike."""
    for expect in (
        {"days": {"at_least": "$target"}},
        {"names": {"count": {"at_least": "$target"}}},
        {"names": {"every": {"equals": "$target"}}},
        {"names": {"contains": "$target"}},
    ):
        facts = {"days": 5, "names": ["a"]}
        assert truth(expect, facts) is None
        assert truth(expect, facts, target=Unknown("register_missing")) is None
    assert truth({"days": {"at_least": "$target"}}, {"days": 5}, target=5) is True


# ---------------------------------------------------------------- concerns


@pytest.mark.parametrize(
    ("expect", "facts", "expected"),
    [
        ({"on": {"equals": True}}, {"on": True}, True),
        ({"on": {"equals": True}}, {"on": False}, False),
        ({"on": {"equals": True}}, {"on": None}, None),
        ({"on": {"equals": True}}, {"on": LATER}, None),
        ({"on": {"equals": True}}, {}, None),
        ({"on": {"present": True}}, {"on": None}, None),
        ({"name": {"equals": "x"}}, {"name": ""}, None),
        ({"name": {"absent": True}}, {"name": "x"}, False),
        ({"names": {"contains": "x"}}, {"names": []}, None),
        ({"names": {"contains": "x"}}, {"names": ["y"]}, False),
        ({"names": {"any": {"equals": "x"}}}, {"names": []}, None),
        ({"names": {"any": {"equals": "x"}}}, {"names": [None]}, None),
        ({"names": {"any": {"equals": "x"}}}, {"names": None}, None),
        ({"names": {"any": {"equals": "x"}}}, {"names": ["y"]}, False),
        ({"names": {"any": {"equals": "x"}}}, {"names": Partial(("y",), LATER)}, None),
        ({"names": {"count": {"at_least": 1}}}, {"names": []}, None),
        ({"names": {"count": {"at_least": 2}}}, {"names": ["y"]}, False),
        ({"accounts": {"none": {"account": {"equals": "a"}}}}, {"accounts": [A]}, False),
        ({"accounts": {"any": {"days": {"equals": 3}}}}, {"accounts": [{"account": "a", "days": None}, B]}, None),
        ({"any_of": [{"on": {"equals": True}}, {"days": {"equals": 3}}]}, {"on": None, "days": 4}, None),
        ({"any_of": [{"on": {"equals": True}}, {"days": {"equals": 3}}]}, {"on": False, "days": 4}, False),
        ({"on": {"equals": True}, "days": {"equals": 3}}, {"on": None, "days": 4}, False),
    ],
)
def test_an_empty_fact_never_shows_that_a_control_does_not_concern(
    expect: Mapping[str, Any], facts: Mapping[str, Any], expected: bool | None
) -> None:
    """Not concerned is said of what was seen; of nothing, an empty list or an empty text it is unknown."""
    verdict, reasons = concerns(expect, facts, SCOPE)
    assert verdict is expected
    assert expected is True or reasons
    assert expected is not None or any(r.cause for r in reasons)


def test_what_does_not_concern_is_no_outcome() -> None:
    """Not concerned has no outcome and says why; unknown whether it concerns is unknown, never skipped."""
    check = make_check(make_control(concerns={"on": {"equals": True}}))
    seen = finding(check, {"on": False, "days": 1}, FACTS, 5.0)
    assert seen.outcome is None
    assert seen.reasons == (Reason("on", "equals", True, observed=False),)
    assert finding(check, {"on": None, "days": 400}, FACTS, 5.0).outcome is Outcome.UNKNOWN
    assert finding(check, {"on": LATER, "days": 400}, FACTS, 5.0).outcome is Outcome.UNKNOWN
    assert finding(check, {"on": True, "days": 400}, FACTS, 5.0).outcome is Outcome.PASS


def test_a_finding_without_facts_is_unknown_with_their_cause() -> None:
    """The Unknown that stands for all facts, and why nothing was asked, become the one reason."""
    assert finding(make_check(), LATER, FACTS, 5.0).reasons == (Reason("", "", cause=LATER),)
    unasked = Unknown("nothing_asked", "no host with the role x is declared")
    seen = finding(make_check(unasked=unasked), {"days": 400}, FACTS, 5.0)
    assert (seen.outcome, seen.reasons) == (Outcome.UNKNOWN, (Reason("", "", cause=unasked),))


def test_a_fingerprint_is_of_the_control_and_the_subject_alone() -> None:
    """It is the same from run to run, and other for another control or subject."""
    assert fingerprint("a", "host:b") == fingerprint("a", "host:b")
    assert (
        len(
            {
                fingerprint("a", "host:b"),
                fingerprint("a", "host:c"),
                fingerprint("b", "host:b"),
                fingerprint("ah", "ost:b"),
            }
        )
        == 4
    )


# ---------------------------------------------------------------- knowing less

_INTEGER = st.none() | st.integers(0, 4)
_WORD = st.none() | st.sampled_from(["a", "b", ""])
_ACCOUNT = st.fixed_dictionaries({"account": st.sampled_from(["a", "b"]), "days": _INTEGER})
_FACTS = st.fixed_dictionaries(
    {
        "days": _INTEGER,
        "on": st.none() | st.booleans(),
        "name": _WORD,
        "names": st.none() | st.lists(_WORD, max_size=3),
        "accounts": st.none() | st.lists(_ACCOUNT, max_size=3),
    }
)


def _some(*choices: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.one_of(*choices), min_size=1, max_size=2).map(lambda pairs: dict(pairs))


def _pair(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.just(name), value)


_PRESENCE = (_pair("absent", st.just(True)), _pair("present", st.just(True)))
_NUMBERS = _some(*(_pair(n, st.integers(0, 4)) for n in ("at_least", "at_most", "equals", "not_equals")), *_PRESENCE)
_TEXTS = _some(
    *(_pair(n, st.sampled_from(["a", "b"])) for n in ("equals", "not_equals", "matches", "contains")),
    *(_pair(n, st.just(["a", 1])) for n in ("one_of", "none_of")),
    *_PRESENCE,
)
_BOOLEANS = _some(_pair("equals", st.booleans()), _pair("not_equals", st.booleans()), *_PRESENCE)


def _lists(inner: st.SearchStrategy[Any], *more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    bounds = _some(*(_pair(n, st.integers(0, 3)) for n in ("at_least", "at_most", "equals")))
    return _some(*(_pair(n, inner) for n in ("every", "any", "none")), _pair("count", bounds), *more, *_PRESENCE)


_ROW = _some(_pair("account", _TEXTS), _pair("days", _NUMBERS))
_PATHS = _some(
    _pair("days", _NUMBERS),
    _pair("on", _BOOLEANS),
    _pair("name", _TEXTS),
    _pair("names", _lists(_TEXTS, _pair("contains", st.sampled_from(["a", ["a", "b"], []])))),
    _pair("accounts", _lists(_ROW)),
)
_EXPECT = st.recursive(
    _PATHS,
    lambda inner: st.tuples(st.sampled_from(["any_of", "all_of"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=4,
)


@st.composite
def _less(draw: st.DrawFn, facts: Any) -> Any:
    """The same facts with less known: any value may be Unknown, any list may lack elements."""
    if draw(st.integers(0, 5)) == 0:
        return LATER
    if isinstance(facts, dict):
        return {k: draw(_less(v)) for k, v in facts.items() if draw(st.integers(0, 9))}
    if isinstance(facts, list):
        kept = [draw(_less(v)) for v in facts if draw(st.integers(0, 3))]
        return Partial(tuple(kept), LATER) if len(kept) < len(facts) or draw(st.booleans()) else kept
    return facts


@st.composite
def _known(draw: st.DrawFn) -> tuple[Any, Any]:
    facts = draw(_FACTS)
    return facts, {name: draw(_less(value)) for name, value in facts.items()}


@settings(max_examples=500, deadline=None)
@given(expect=_EXPECT, known=_known())
def test_knowing_less_never_changes_a_definite_answer(expect: Mapping[str, Any], known: tuple[Any, Any]) -> None:
    """With facts unknown at any depth and lists incomplete, a definite verdict is the one of full knowledge."""
    whole, less = known
    for judged in (judge, concerns):
        verdict, reasons = judged(expect, less, SCOPE)
        assert verdict is None or verdict is judged(expect, whole, SCOPE)[0]
        assert verdict is True or reasons


@settings(max_examples=500, deadline=None)
@given(expect=_PATHS, tolerate=_PATHS | st.just({}), known=_known())
def test_knowing_less_never_makes_a_pass(expect: Mapping[str, Any], tolerate: Mapping[str, Any], known: Any) -> None:
    """Less knowledge never turns what is no pass into a pass, nor a failure into anything but unknown."""
    whole, less = known
    full, blind = (outcome(expect, tolerate, facts, SCOPE)[0] for facts in (whole, less))
    assert blind is not Outcome.PASS or full is Outcome.PASS
    assert full is not Outcome.FAIL or blind in (Outcome.FAIL, Outcome.UNKNOWN)
    assert blind is not Outcome.FAIL or full is Outcome.FAIL
