"""What a collector tells, altered: facts or Unknown come of it, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from documents import written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import output

from auditor.errors import Unreadable
from auditor.model import Answer, Partial, Unknown
from auditor.probes.log_archive import PROBE

DIALECT = PROBE.dialects["linux"]
LINES = sorted(
    {
        line
        for path in (Path(__file__).parent / "log_archive").glob("*.yaml")
        for told in written(path.read_text())["answers"].values()
        for line in told.get("stdout", "").split("\n")
    }
)
PIECES = st.lists(
    st.one_of(st.sampled_from(LINES), st.text(max_size=20), st.sampled_from(LINES).map(lambda line: line[:-3]))
)


def facts(told: Mapping[str, str]) -> Mapping[str, Any]:
    answers: dict[str, Answer] = {name: output(told.get(name, "")) for name in DIALECT.commands({})}
    return DIALECT.parse(answers, {"commissioned_at": "2026-01-01"})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({name: PIECES for name in ("journal", "tree", "engines", "deletion")}))
def test_mutated_answers(pieces: Mapping[str, list[str]]) -> None:
    heads = {"journal": "uid 0\n", "tree": "uid 0 zone +0000\n", "deletion": "uid 0\n", "engines": "looked\n"}
    told = {name: heads[name] + "\n".join([*lines, "end"]) for name, lines in pieces.items()}
    try:
        found = facts(told)
    except Unreadable:
        return
    assert set(found) == set(PROBE.facts["properties"])
    for row in found["named_senders"].items if isinstance(found["named_senders"], Partial) else found["named_senders"]:
        assert isinstance(row["newest_record_hours"], float | Unknown)


@pytest.mark.parametrize("name", ["journal", "tree", "engines", "deletion"])
def test_an_answer_that_is_cut_leaves_what_depends_on_it_unknown(name: str) -> None:
    path = Path(__file__).parent / "log_archive" / "expected_names_of_a_tree.yaml"
    told = {n: a.get("stdout", "") for n, a in written(path.read_text())["answers"].items()}
    whole, cut = facts(told), facts({**told, name: told[name][:-4]})
    changed = {fact for fact in whole if whole[fact] != cut[fact]}
    assert (
        changed
        >= {
            "journal": {"named_senders", "oldest_record_days", "room_days", "configured_days"},
            "tree": {"named_senders", "oldest_record_days", "room_days", "configured_days"},
            "engines": {"named_senders", "oldest_record_days", "room_days", "configured_days"},
            "deletion": {"configured_days"},
        }[name]
    )
    assert all(isinstance(cut[fact], Unknown | Partial) for fact in changed)
