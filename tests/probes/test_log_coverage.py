"""Which collector holds a host's newest record: names that fit, names that several have, and witnesses that know not all."""

from __future__ import annotations

from typing import Any

import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st
from make import ROOT, make_host

from auditor.expectations import Scope, outcome
from auditor.model import Host, Outcome, Partial, Unknown
from auditor.probes.log_coverage import PROBE, heard, normal

WRITTEN = written((ROOT / "policies/convention/logging.yaml").read_text())["controls"]
CONTROL = next(c for c in WRITTEN if c["probe"] == "log_coverage")
WEB = make_host("web01", address="10.0.0.1")
DB = make_host("db.example.org", address="10.0.0.2", aliases=("Ledger",))
TREE, JOURNALS = "/var/log/remote", "/var/log/journal/remote"
FRESH, OLD = 1.0, 100.0


def sender(name: str, hours: Any = FRESH, store: str = TREE) -> dict[str, Any]:
    return {"sender": name, "store": store, "newest_record_hours": hours}


def said(*rows: Any, missing: Unknown | None = None) -> dict[str, Any]:
    return {"named_senders": Partial(rows, missing) if missing else list(rows)}


def judge(host: str, *seen: Any, hosts: tuple[Host, ...] = (WEB, DB), own: dict[str, str] | None = None) -> Outcome:
    """What comes of the shipped control, with the collectors c0, c1 ... that said this."""
    named = ((h, (own or {}).get(h.id, "")) for h in hosts)
    facts = heard(named, ((f"c{i}", facts) for i, facts in enumerate(seen)))(host)
    scope = Scope({"target_hours": 24}, PROBE.facts)
    return outcome(CONTROL["expect"], CONTROL["tolerate"], facts, scope)[0]


@pytest.mark.parametrize("name", ["web01", "WEB01", "web01.", "web01.example.org", "10.0.0.1", "::ffff:10.0.0.1"])
def test_a_name_in_any_form(name: str) -> None:
    """A host known by a short name alone is it in any domain."""
    assert judge("web01", said(sender(name))) is Outcome.PASS
    assert judge("db.example.org", said(sender(name))) is Outcome.FAIL


@pytest.mark.parametrize("name", ["db", "DB.example.org", "ledger", "10.0.0.2", "mydb"])
def test_a_full_name_an_alias_and_what_it_calls_itself(name: str) -> None:
    assert judge("db.example.org", said(sender(name)), own={"db.example.org": "mydb"}) is Outcome.PASS


@pytest.mark.parametrize("name", ["web", "web010", "10.0.0.11", "localhost", "127.0.0.1", ""])
def test_another_name_is_not_this_host(name: str) -> None:
    assert judge("web01", said(sender(name), sender("db"))) is Outcome.FAIL


def test_every_host_may_be_called_localhost() -> None:
    here = make_host("here", address="localhost")
    assert judge("here", said(sender("localhost"), sender("db")), hosts=(here, DB)) is Outcome.FAIL


def test_a_name_that_several_have_is_nobodys() -> None:
    """Two hosts with one short name: unknown for both, unless a full name or an address tells them apart."""
    hosts = (make_host("a", address="web.a.example"), make_host("b", address="web.b.example"))
    for host in ("a", "b"):
        assert judge(host, said(sender("web")), hosts=hosts) is Outcome.UNKNOWN
    both = said(sender("web"), sender("web.a.example"))
    assert judge("a", both, hosts=hosts) is Outcome.PASS
    assert judge("b", both, hosts=hosts) is Outcome.UNKNOWN
    older = said(sender("web", OLD), sender("web.a.example", FRESH), sender("b", OLD + 1))
    assert judge("a", older, hosts=hosts) is Outcome.PASS
    assert judge("b", said(sender("b", OLD), sender("web", OLD + 1)), hosts=hosts) is Outcome.FAIL
    same = (make_host("x"), make_host("y"))
    assert judge("x", said(sender("twin")), hosts=same, own={"x": "twin", "y": "TWIN"}) is Outcome.UNKNOWN


def test_the_same_name_in_another_domain_may_be_it() -> None:
    """It is said, and neither counted nor passed over."""
    assert judge("db.example.org", said(sender("db.other.example"))) is Outcome.UNKNOWN


def test_the_newest_of_several_collectors_counts() -> None:
    assert judge("web01", said(sender("web01", OLD)), said(sender("web01", FRESH))) is Outcome.PASS
    assert judge("web01", said(sender("web01", OLD)), said(sender("db"))) is Outcome.FAIL
    assert judge("web01", said(sender("web01", OLD), sender("10.0.0.1", FRESH))) is Outcome.PASS


@pytest.mark.parametrize(
    "silent", [Unknown("unreachable"), Unknown("not_asked"), {}, said(missing=Unknown("no_privilege")),
               said(sender("db"), missing=Unknown("not_told"))],
)  # fmt: skip
def test_a_witness_that_does_not_know_all(silent: Any) -> None:
    """What it shows counts; what it does not show proves nothing."""
    assert judge("web01", silent) is Outcome.UNKNOWN
    assert judge("web01", silent, said(sender("db"))) is Outcome.UNKNOWN
    assert judge("web01", silent, said(sender("web01", OLD))) is Outcome.UNKNOWN
    assert judge("web01", silent, said(sender("web01"))) is Outcome.PASS


def test_a_collector_that_holds_nothing_is_a_whole_answer() -> None:
    assert judge("web01", said()) is Outcome.FAIL


def test_a_tree_that_is_not_kept_by_sender_tells_nothing_of_them() -> None:
    """Files by facility, or one for all, hide whoever is in them; not once they are stale."""
    for rows in ((sender("auth-2"), sender("x")), (sender("db"), sender("messages"))):
        assert judge("web01", said(*rows)) is Outcome.UNKNOWN
    assert judge("web01", said(sender("db"), sender("x", FRESH, "/srv/log"))) is Outcome.UNKNOWN
    assert judge("web01", said(sender("db"), sender("messages", 2000.0))) is Outcome.FAIL
    assert judge("mail", said(sender("mail")), hosts=(make_host("mail"),)) is Outcome.PASS


def test_a_sender_whose_age_is_not_known() -> None:
    skewed = sender("web01", Unknown("clock_skew"))
    assert judge("web01", said(skewed)) is Outcome.UNKNOWN
    assert judge("web01", said(skewed, sender("10.0.0.1"))) is Outcome.PASS
    assert judge("web01", said(skewed, sender("10.0.0.1", OLD))) is Outcome.UNKNOWN


def test_a_host_that_may_be_away() -> None:
    """Within the age that its evidence may have, its silence is a warning; none at all is a failure."""
    laptop = make_host("pc", availability="roaming", evidence_max_age_s=30 * 86400.0)
    for hours, came_to in ((OLD, Outcome.WARN), (1000.0, Outcome.FAIL)):
        assert judge("pc", said(sender("pc", hours), sender("db")), hosts=(laptop, DB)) is came_to
    assert judge("pc", said(sender("db")), hosts=(laptop, DB)) is Outcome.FAIL


def test_a_host_that_need_send_nothing_says_so() -> None:
    hosts = (make_host("a", logs="not_required"), WEB)
    told = heard(((h, "") for h in hosts), iter([]))
    assert [told(h.id)["required"] for h in hosts] == [False, True]


ROWS = st.lists(
    st.one_of(
        st.none(), st.text(max_size=9),
        st.fixed_dictionaries({
            "sender": st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["web01", "db", "10.0.0.1", "::1%x", "[::"])),
            "store": st.one_of(st.none(), st.text(max_size=5)),
            "newest_record_hours": st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.just(Unknown("not_told"))),
        }),
    ),
    max_size=6,
)  # fmt: skip


@given(ROWS, st.booleans())
def test_whatever_a_collector_says(rows: list[Any], partial: bool) -> None:
    """Nothing raises; a pass needs a row with a recent record under a name of the host."""
    seen = said(*rows, missing=Unknown("truncated") if partial else None)
    if judge("web01", seen) is not Outcome.PASS:
        return
    own = ("web01", "10.0.0.1")
    assert any(
        isinstance(r, dict) and isinstance(r["sender"], str) and normal(r["sender"]).startswith(own) for r in rows
    )
