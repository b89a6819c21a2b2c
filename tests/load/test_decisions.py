"""Decision records: their shape is checked when they are loaded; what they mean, later."""

from __future__ import annotations

from pathlib import Path

import pytest
from make import ACCEPTANCE_YAML, schema, write

from auditor.errors import InvalidInput
from auditor.load import decisions
from auditor.model import Acceptance


def load(folder: Path) -> tuple[Acceptance, ...]:
    return decisions.load(folder, schema("acceptance"))[0]


def refused(folder: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(folder)
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


def test_a_record_is_loaded_as_written(tmp_path: Path) -> None:
    """Dates stay texts, the effect begins with the signature, and only its status makes it active."""
    write(tmp_path, a=ACCEPTANCE_YAML)
    (one,) = load(tmp_path)
    assert (one.signed_at, one.effective_from, one.expires, one.status) == (
        "2026-06-01",
        "2026-06-01",
        "2099-12-31",
        "active",
    )
    assert one.source == f"{tmp_path}/a.yaml:2"


def test_no_folder_is_no_decision(tmp_path: Path) -> None:
    """An estate need not hold decisions."""
    assert load(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("2099-12-31", "2026-02-30", "a.yaml:10:10: 2026-02-30 is no day of the calendar"),
        ("2099-12-31", "2099", "a.yaml:10:10: the text '2099' has not the right form, for example 2027-02-20"),
        ("expires: 2099-12-31", "", "a.yaml:1:1: lacks 'expires'"),
        ("signed_at: 2026-06-01", "signed_at: 2026-13-01", "a.yaml:9:36: 2026-13-01 is no day of the calendar"),
        ("scope: {hosts: [web01]}", "scope: {}", "a.yaml:7:1: is empty"),
        ("scope: {hosts: [web01]}", "scope: {hosts: []}", "a.yaml:7:16: is empty"),
        ("controls: [kept-long-enough]", "controls: []", "a.yaml:6:11: is empty"),
        ("kind: acceptance", "kind: exemption", "a.yaml:1:7: must be the text 'acceptance', not the text 'exemption'"),
        ("The machine is replaced next year.", "Because.", "a.yaml:8:16: "),
        ("expires:", "expire:", "a.yaml:10:1: unknown key 'expire'; did you mean 'expires'?"),
    ],
)
def test_a_wrong_shape_is_said_at_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    """Dates that are none, empty scopes, missing reasons: the record is refused, with its place."""
    assert before in ACCEPTANCE_YAML
    write(tmp_path, a=ACCEPTANCE_YAML.replace(before, after))
    assert any(found.startswith(problem) for found in refused(tmp_path))


def test_the_errors_of_all_records_come_at_once(tmp_path: Path) -> None:
    """One bad record does not hide the next, nor one given twice."""
    write(
        tmp_path,
        a=ACCEPTANCE_YAML,
        b=ACCEPTANCE_YAML,
        c="kind: [",
        **{"d.yml": ACCEPTANCE_YAML.replace("ACC-1", "ACC-2").replace("2099-12-31", "2026-02-30")},
    )
    found = refused(tmp_path)
    assert [p.partition(":")[0] for p in found] == ["b.yaml", "c.yaml", "d.yml"]
    assert "given twice" in found[0]
