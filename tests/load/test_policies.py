"""Policies: every mistake of every file at once, at its place, with what was probably meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from make import MEASURES_YAML, POLICY_YAML, make_probe, policy_schemas, write

from auditor.errors import InvalidInput
from auditor.load import policies


def load(*paths: Path, probes: Mapping[str, Any] | None = None) -> policies.Policies:
    return policies.load(paths, policy_schemas(probes))


def refused(*paths: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(*paths)
    return [str(p) for p in caught.value.problems]


def one_refused(folder: Path, before: str, after: str) -> str:
    """The one problem of the sample policy when a part of it is written otherwise; without its folder."""
    assert before in POLICY_YAML
    write(folder, measures=MEASURES_YAML, sample=POLICY_YAML.replace(before, after))
    (problem,) = refused(folder / "sample.yaml")
    return problem.removeprefix(f"{folder}/")


def test_a_policy_is_loaded_as_written(tmp_path: Path) -> None:
    """A control keeps its words, where it stands, and the digests of the files it came from."""
    write(tmp_path, measures=MEASURES_YAML, sample=POLICY_YAML)
    loaded = load(tmp_path)
    (control,) = loaded.controls
    assert control.expect == {"days": {"at_least": "$target_days"}}
    assert control.source == f"{tmp_path}/sample.yaml:4"
    assert control.references == {"anssi_hygiene": ("36",)}
    assert loaded.in_force == ("log-retention",)
    assert sorted(Path(f).name for f in loaded.digests) == ["measures.yaml", "sample.yaml"]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("probe: sample", "probe: smaple", "sample.yaml:9:12: the text 'smaple' is not one of sample; did you mean 'sample'?"),
        ("days: {", "dasy: {", "sample.yaml:11:7: unknown key 'dasy'; did you mean 'days'?"),
        ("at_least", "at_lest", "sample.yaml:11:14: unknown key 'at_lest'; did you mean 'at_least'?"),
        ("$target_days", "$target_day", "sample.yaml:11:24: the measure has no parameter 'target_day'; did you mean 'target_days'?"),
        ("$target_days", "soon", "sample.yaml:11:24: must be a number or a $name, not the text 'soon'"),
        ("$target_days", "true", "sample.yaml:11:24: must be a number or a $name, not true"),
        ("$target_days", "$host.zon.vlan", "sample.yaml:11:24: $host.zon.vlan stands for nothing, for example $host.zone.addresses"),
        ("days: {at_least: $target_days}", "{}", "sample.yaml:10:5: is empty"),
        ("days: {at_least: $target_days}", "days: {}", "sample.yaml:11:7: is empty"),
        ("days: {at_least: $target_days}", "any_of: []", "sample.yaml:11:15: is empty"),
        ("days: {at_least: $target_days}", "name: {matches: '('}", "sample.yaml:11:23: the pattern is not one: missing ) at position 1"),
        ("measure: log-retention", "measure: log-retentoin", "sample.yaml:5:14: there is no measure 'log-retentoin'; did you mean 'log-retention'?"),
        ("severity: high", "severity: hihg", "sample.yaml:8:15: the text 'hihg' is not one of low, medium, high, critical; did you mean 'high'?"),
        ("revision: 1", "revision: 0", "sample.yaml:6:15: 0 is less than the minimum of 1"),
        (", fr: C'est demandé.", "", "sample.yaml:12:5: lacks 'fr'"),
        ("id: kept", "id: 9kept", "sample.yaml:4:9: the text '9kept-long-enough' has not the right form, for example ssh-root-login-off"),
        ("id: kept-long-enough", "id: 9", "sample.yaml:4:9: the text '9' has not the right form, for example ssh-root-login-off"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    """Misspelt keys, facts, operators, parameters and values: one problem each, with file, line, column and a hint."""
    assert one_refused(tmp_path, before, after) == problem


def test_a_misspelt_key_is_unknown_and_missing(tmp_path: Path) -> None:
    """Both are said: what was written, and what is not there."""
    write(tmp_path, measures=MEASURES_YAML, sample=POLICY_YAML.replace("severity: high", "serverity: high"))
    assert [p.removeprefix(f"{tmp_path}/") for p in refused(tmp_path / "sample.yaml")] == [
        "sample.yaml:4:5: lacks 'severity'",
        "sample.yaml:8:5: unknown key 'serverity'; did you mean 'severity'?",
    ]


def test_all_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    """Measures, and each policy: nobody mends one to find the next."""
    write(
        tmp_path,
        measures=MEASURES_YAML.replace("kind: [host]", "kind: [hst]"),
        a=POLICY_YAML.replace("days:", "dayz:"),
        b=POLICY_YAML.replace("revision: 1", "revision: one") + "\tx",
        sub__c=POLICY_YAML.replace("why:", "wy:"),
    )
    found = [p.removeprefix(f"{tmp_path}/") for p in refused(tmp_path)]
    assert {p.partition(":")[0] for p in found} == {"a.yaml", "b.yaml", "measures.yaml", "sub/c.yaml"}
    assert any("wy" in p for p in found)


def test_a_period_is_a_parameter_of_its_measure(tmp_path: Path) -> None:
    """What nobody can look up is refused at its place."""
    wrong = MEASURES_YAML.replace("kind: [host]", "kind: [host]\n    period: target_day")
    write(tmp_path, measures=wrong, sample=POLICY_YAML)
    (problem,) = refused(tmp_path)
    assert problem.endswith(
        "measures.yaml:8:13: the measure has no parameter 'target_day'; did you mean 'target_days'?"
    )


def test_a_source_written_once_stands_for_both_languages(tmp_path: Path) -> None:
    source = '{en: "ours", fr: "la nôtre"}}\n      most: {value: 9, source: "A 1"'
    write(tmp_path, measures=MEASURES_YAML.replace('"the convention"', source), sample=POLICY_YAML)
    measure = load(tmp_path).measures["log-retention"]
    assert measure.sources == {"target_days": {"en": "ours", "fr": "la nôtre"}, "most": {"en": "A 1", "fr": "A 1"}}


def test_args_take_no_register_and_no_parameter(tmp_path: Path) -> None:
    """What is asked of a host may not depend on what people declare, so that a replay can judge anew."""
    for name, words in (("$registers.admins", "registers stand only in"), ("$target_days", "args take literals")):
        assert words in one_refused(
            tmp_path, "probe: sample", f"probe: sample\n    args: {{networks: {name}}}".replace("networks", "vlan")
        )


def test_an_age_of_a_register_names_a_parameter_of_the_measure(tmp_path: Path) -> None:
    """Hours, as the name of the parameter says."""
    for name, words in (
        ("$registers.gone.older_than.target_hours", "the measure has no parameter 'target_hours'"),
        ("$registers.gone.older_than.target_days", "stands for nothing"),
        ("$registers.gone.older_than", "stands for nothing"),
    ):
        assert words in one_refused(tmp_path, "at_least: $target_days", f"equals: {name}")


def test_unknown_arguments_are_refused(tmp_path: Path) -> None:
    """A misspelt argument would ask another question."""
    assert "unknown key 'vlna'; did you mean 'vlan'?" in one_refused(
        tmp_path, "probe: sample", "probe: sample\n    args: {vlna: 5}"
    )


def test_a_control_given_twice_is_refused(tmp_path: Path) -> None:
    """Two files may not hold the same control; the second says where the first is."""
    write(tmp_path, measures=MEASURES_YAML, a=POLICY_YAML, b=POLICY_YAML)
    assert refused(tmp_path) == [
        f"{tmp_path}/b.yaml:4:1: the control 'kept-long-enough' is given twice (first in {tmp_path}/a.yaml:4)"
    ]


@pytest.mark.parametrize("pattern", ["(" * 100_000, "a{99999999999999999999}", "[", "(?P<x>", "*"])
def test_no_pattern_ends_in_a_traceback(tmp_path: Path, pattern: str) -> None:
    """A pattern nested too deep, or ill-formed, is a problem with a place."""
    assert "the pattern is not one" in one_refused(
        tmp_path, "days: {at_least: $target_days}", f"name: {{matches: '{pattern}'}}"
    )


def test_no_policy_is_an_error(tmp_path: Path) -> None:
    """An empty folder, or measures alone, is nothing to audit."""
    assert refused(tmp_path) == [f"{tmp_path}: holds no policy (*.yaml)"]
    write(tmp_path, measures=MEASURES_YAML)
    assert "no policy was found" in refused(tmp_path / "measures.yaml")[0]


@pytest.mark.parametrize("text", ["", "[]", "policy", "5", "policy: x", "controls: 5", "~"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, a list, a word: said, without a traceback."""
    write(tmp_path, measures=MEASURES_YAML, sample=text)
    assert refused(tmp_path / "sample.yaml")


def test_a_file_brings_the_measures_that_it_names_a_folder_all(tmp_path: Path) -> None:
    """One policy answers for its measures; the whole folder also for those that nothing checks."""
    more = MEASURES_YAML + MEASURES_YAML.replace("measures:\n", "").replace("log-retention", "other-measure")
    write(tmp_path, measures=more, sample=POLICY_YAML)
    assert load(tmp_path / "sample.yaml").in_force == ("log-retention",)
    assert load(tmp_path).in_force == ("log-retention", "other-measure")


def test_the_probes_decide_what_can_be_expected(tmp_path: Path) -> None:
    """A fact that another probe tells is unknown here."""
    write(tmp_path, measures=MEASURES_YAML, sample=POLICY_YAML)
    facts = {"type": "object", "properties": {"age": {"type": "integer", "description": "Age."}}}
    with pytest.raises(InvalidInput, match="unknown key 'days'"):
        load(tmp_path, probes={"sample": make_probe(facts=facts)})


def test_a_file_of_the_same_text_is_read_once_and_keeps_its_own_name(tmp_path: Path) -> None:
    """Both sides of a change are mostly the same; what differs is told at its own place."""
    schemas = policy_schemas(None)
    for side in ("theirs", "own"):
        (tmp_path / side).mkdir()
        write(tmp_path / side, measures=MEASURES_YAML, sample=POLICY_YAML)
    theirs, own = (policies.load([tmp_path / side], schemas) for side in ("theirs", "own"))
    assert theirs.controls[0].expect is own.controls[0].expect
    assert own.controls[0].source == f"{tmp_path}/own/sample.yaml:4"
    assert own.digests == {name.replace("theirs", "own"): digest for name, digest in theirs.digests.items()}
    for wrong in ("probe: smaple", "probe: sample\n    nonsense: 1"):
        write(tmp_path / "own", sample=POLICY_YAML.replace("probe: sample", wrong))
        for _ in range(2):
            with pytest.raises(InvalidInput, match=f"{tmp_path}/own/sample.yaml:"):
                policies.load([tmp_path / "own"], schemas)
    write(tmp_path / "own", measures=MEASURES_YAML.replace("log-retention", "log-keeping"), sample=POLICY_YAML)
    with pytest.raises(InvalidInput, match=f"{tmp_path}/own/sample.yaml:5:14: there is no measure 'log-retention'"):
        policies.load([tmp_path / "own"], schemas)
    alone = f"{tmp_path}/alone/sample.yaml:5:14: there is no measure 'log-retention': no measures.yaml lies beside"
    write(tmp_path / "alone", sample=POLICY_YAML)
    with pytest.raises(InvalidInput, match=alone):
        policies.load([tmp_path / "alone"], schemas)


def test_a_policy_is_no_file_of_measures_because_it_was_a_policy(tmp_path: Path) -> None:
    schemas = policy_schemas(None)
    write(tmp_path, measures=MEASURES_YAML, sample=POLICY_YAML)
    policies.load([tmp_path], schemas)
    write(tmp_path, measures=POLICY_YAML)
    with pytest.raises(InvalidInput, match="measures.yaml:1:1: "):
        policies.load([tmp_path], schemas)
