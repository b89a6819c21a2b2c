"""Auditing another's perimeter: without its owner's valid authorisation on the day, nothing is asked of its hosts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make import NOBODY, begin, make_control, make_estate, make_host, make_pace, make_plan

from auditor.audit import audit
from auditor.authorisation import authorised
from auditor.collect import answers
from auditor.framing.sh import HELLO
from auditor.model import Failure, Outcome, Perimeter, Signatory
from auditor.records import Authorisation, Proof
from auditor.store import Store
from auditor.summary import exit_code

GIVEN = Authorisation("chair", "2026-02-01", "2026-11-21", Proof("a.txt", "ab" * 32, "ab" * 32))
TODAY = "2026-11-21"


def town(authorisation: Authorisation | None = GIVEN, **changes: Any) -> Any:
    perimeters = {
        "own": Perimeter("own", "TOWN"),
        "theirs": Perimeter("theirs", "OTHER", authorisation=authorisation),
    }
    given = {"perimeters": perimeters, "auditing_entity": "TOWN", **changes}
    return make_estate(make_host("web01"), make_host("far01", perimeter="theirs"), **given)


@pytest.mark.parametrize(
    ("authorisation", "says"),
    [
        (GIVEN, ""),
        (None, "gave no authorisation"),
        (replace(GIVEN, since="2026-11-22", until="2026-12-31"), "begins on 2026-11-22"),
        (replace(GIVEN, until="2026-11-20"), "ended on 2026-11-20"),
        (replace(GIVEN, by="mayor"), "the role mayor could not give it for OTHER"),
        (replace(GIVEN, by="nobody"), "could not give it"),
        (replace(GIVEN, proof=Proof("a.txt", "ab" * 32, "")), "a.txt is missing"),
        (replace(GIVEN, proof=Proof("a.txt", "ab" * 32, "cd" * 32)), "not the one that was signed"),
    ],
)
def test_it_is_dated_documented_and_the_owners(authorisation: Authorisation | None, says: str) -> None:
    """The last day counts; our own perimeter needs none."""
    near, far = authorised(town(authorisation), TODAY).hosts
    assert near.barred == ""
    assert bool(far.barred) is bool(says)
    assert says in far.barred


def test_a_mandate_that_ended_gives_none() -> None:
    """Whoever gives it is entitled on its first day."""
    ended = (Signatory("chair", "OTHER", "2020-01-01", "2026-01-31"),)
    assert "could not give it" in authorised(town(signatories=ended), TODAY).hosts[1].barred


def test_one_owner_needs_no_authorisation() -> None:
    """Nobody audits another there."""
    plain = make_estate()
    assert authorised(plain, TODAY) is plain


def test_nothing_is_asked_and_the_host_is_not_measured() -> None:
    """No connection; its checks are unknown with the cause, the host is counted, the exit code says so."""
    asked: list[str] = []

    def ask(host: Any, commands: Any, deadline_s: float) -> Any:
        from make import told

        asked.append(host.id)
        yield from told(commands, name=host.id).items()

    plan = make_plan(authorised(town(None), TODAY), [make_control()])
    assert plan.commands_of(1) == ()
    store = Store("")
    run = audit(plan, {"ssh": ask}, store, begin(store, plan), NOBODY, make_pace())
    assert asked == ["web01"]
    near, far = run.findings()
    assert (near.outcome, far.outcome) == (Outcome.PASS, Outcome.UNKNOWN)
    assert [r.cause.cause for r in far.reasons if r.cause] == ["not_authorised"]
    assert [h.failure.cause if h.failure else None for h in run.hosts()] == [None, "not_authorised"]
    assert exit_code(run, "low", False) == 3
    store.close()


def test_whoever_asks_all_the_same_gets_no_answer() -> None:
    """The last gate before a transport: a command that plans for itself opens no connection either."""

    def ask(host: Any, commands: Any, deadline_s: float) -> Any:
        raise AssertionError("a connection was opened")

    _, far = authorised(town(None), TODAY).hosts
    assert answers(far, (HELLO,), ask, 1.0) == {HELLO: Failure("not_authorised", far.barred)}


ESTATE = """\
entities: [{id: TOWN}, {id: OTHER}]
auditing_entity: TOWN
perimeters:
  - {id: own, owner: TOWN, kind: exclusive}
  - {id: theirs, owner: OTHER, kind: exclusive}
hosts:
  all: {perimeter: theirs}
"""


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_plan_and_doctor_say_so(tmp_path: Path, command: str) -> None:
    """Neither connects."""
    from click.testing import CliRunner
    from make import write

    from auditor.cli import main

    write(tmp_path, hosts="all: {hosts: {far01: {ansible_connection: local}}}", estate=ESTATE)
    result = CliRunner().invoke(main, [command, "-i", str(tmp_path), "--lang", "en"])
    assert "no valid authorisation to audit this perimeter" in result.output.lower()
    assert "OTHER gave no authorisation" in result.output
    assert "sh -c" not in result.output
