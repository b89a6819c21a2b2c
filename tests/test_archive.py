"""Archives that were cut, altered, or made to harm: each refused with words that say what to do, none believed."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import (
    NOBODY,
    ask_with,
    make_acceptance,
    make_action,
    make_adaptation,
    make_control,
    make_estate,
    make_exemption,
    make_header,
    make_host,
    make_pace,
    make_plan,
)
from sample_run import voice

from auditor import archive
from auditor.audit import audit
from auditor.errors import InvalidInput
from auditor.model import Estate, Header, Host
from auditor.reporters import html, junit, text
from auditor.reporters import json as json_report
from auditor.shape import plain, shaped
from auditor.snapshot import Snapshot, from_plain, to_plain
from auditor.store import Catalogue, Store, StoredRun

Line = dict[str, Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive of two hosts."""
    plan = make_plan(make_estate(make_host("a"), make_host("b", roles=("web",))))
    store = Store("")
    header = make_header(hosts_expected=2, checks_planned=2)
    catalogue = Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters)
    run = store.begin(header, catalogue, Snapshot(plan.estate, (), (make_acceptance(),), {"hosts.yaml": "ab"}))
    run = audit(plan, {"ssh": ask_with("3")}, store, run, NOBODY, make_pace())
    path = tmp_path_factory.mktemp("archive") / "good"
    with path.open("wb") as sink:
        archive.write(run, sink)
    store.close()
    return path.read_bytes()


def lines(data: bytes) -> list[Line]:
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def packed(parts: list[Any], end: bool = True) -> bytes:
    """The parts as an archive, with an end that fits them."""
    body = b"".join(json.dumps(part, sort_keys=True, separators=(",", ":")).encode() + b"\n" for part in parts)
    last = {"end": {"lines": len(parts), "sha256": hashlib.sha256(body).hexdigest()}}
    return gzip.compress(body + (json.dumps(last).encode() + b"\n" if end else b""), mtime=0)


def used(run: StoredRun) -> None:
    """All that anybody does with an archived run."""
    for reporter in (json_report, junit, text, html):
        reporter.render(run, voice("fr"), lambda part: lambda data: None)
    run.inputs()
    for seq in run.places().values():
        run.answers(seq)


def refusal(data: bytes, folder: Path) -> str:
    """What is said of a file; "" when it is read, and can be used."""
    path = folder / "odd.auditor"
    path.write_bytes(data)
    kept = Store("")
    try:
        used(archive.read(path, kept))
    except InvalidInput as error:
        assert str(path) in str(error)
        assert len(str(error)) < len(str(path)) + 600
        return str(error)
    finally:
        kept.close()
    return ""


def without_end(data: bytes) -> list[Line]:
    return lines(data)[:-1]


def test_what_was_written_is_read(good: bytes, tmp_path: Path) -> None:
    """A file that is laid out anew, with an end that fits it, too."""
    assert refusal(good, tmp_path) == ""
    assert refusal(packed(without_end(good)), tmp_path) == ""


def test_nothing_of_how_a_host_is_reached_is_in_it() -> None:
    """Names of secrets, keys and accounts stay in the inventory."""
    host = make_host(
        "a", user="root7", key_file="/k7", password="env:SECRET7", proxy_jump="j7", ssh_options=(("x7", "y"),)
    )
    assert "7" not in json.dumps(to_plain(Snapshot(make_estate(host))))


@pytest.mark.parametrize("part", ["head", "half", "last line", "last byte"])
def test_a_cut_file_is_never_a_whole_one(good: bytes, tmp_path: Path, part: str) -> None:
    """Wherever it was cut; also between two lines, packed anew."""
    short = {
        "head": good[:1],
        "half": good[: len(good) // 2],
        "last byte": good[:-9],
        "last line": packed(without_end(good), end=False),
    }
    said = refusal(short[part], tmp_path)
    assert "cut or damaged" in said


def altered(change: Callable[[list[Line]], None]) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        parts = without_end(data)
        change(parts)
        return packed(parts)

    return make


def of(parts: list[Line], kind: str) -> Any:
    return next(part[kind] for part in parts if kind in part)


def _set(kind: str, **values: Any) -> Callable[[bytes], bytes]:
    return altered(lambda parts: of(parts, kind).update(values))


def _drop(kind: str) -> Callable[[bytes], bytes]:
    return altered(lambda parts: parts.__setitem__(slice(None), [p for p in parts if kind not in p]))


def _twice(kind: str) -> Callable[[bytes], bytes]:
    return altered(lambda parts: parts.append({kind: of(parts, kind)}))


def _raw(text: str) -> Callable[[bytes], bytes]:
    return lambda data: gzip.compress(text.encode("utf-8", "surrogatepass"))


CASES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "cut or damaged"),
    "no gzip": (lambda data: b"\x1f\x8bnothing", "cut or damaged"),
    "no JSON": (_raw("hello\n"), "no JSON"),
    "another JSON": (_raw('{"a": 1}\n'), "no archive of an audit"),
    "a list": (_raw("[1]\n"), "not one part"),
    "two keys": (_raw('{"a": 1, "b": 2}\n'), "not one part"),
    "nested": (_raw("[" * 100_000 + "\n"), "holds what no auditor writes"),
    "a newer version": (_set(archive.FORMAT, version=99, auditor="9.9"), "version 99, written by auditor 9.9"),
    "no version": (lambda data: packed([{archive.FORMAT: 1}]), "no archive of an audit"),
    "no header": (_drop("run"), "where 'run' is due"),
    "a header of texts": (_set("run", number="x"), "Header.number cannot be 'x'"),
    "a header of another time": (_set("run", started_at=1e300), "Header.started_at"),
    "a header that is not one": (_set("run", elsewhere=1), "holds what no auditor writes"),
    "an unknown part": (altered(lambda parts: parts.append({"film": {}})), "a part 'film'"),
    "evidence exchanged": (_set("evidence", stdout="9999", exit_code=0, stderr=""), "altered or damaged"),
    "a question exchanged": (_set("command", text="echo 1"), "altered or damaged"),
    "an unknown cause": (_set("host", seen={"failure": {"cause": "x", "detail": ""}}), "holds what no auditor writes"),
    "evidence left out": (_drop("evidence"), "refer to evidence that is not in this archive"),
    "questions left out": (_drop("command"), "refer to evidence that is not in this archive"),
    "an answer of no digest": (_set("host", answers=[["zz", "zz", 0, 0]]), "holds what no auditor writes"),
    "a host twice": (_twice("host"), "two of one place"),
    "a place that is none": (_set("host", seq=2**70), "HostKept.seq"),
    "a finding of no outcome": (_set("finding", outcome="good"), "holds what no auditor writes"),
    "a finding of no severity": (_set("finding", severity="dire"), "Finding.severity"),
    "a fingerprint that is none": (_set("finding", fingerprint=7), "Finding.fingerprint"),
    "a control without a title": (_set("control", title=None), "holds what no auditor writes"),
    "inputs that are none": (_set("inputs", estate=7), "Estate cannot be"),
    "a host that is a number": (_set("inputs", estate={"hosts": [{"id": 7, "address": "x"}]}), "Estate.hosts.id cannot be"),
    "a surrogate in a name": (_set("inputs", estate={"hosts": [{"id": "\udcff", "address": "x"}]}), "holds what no auditor writes"),
    "a decision of another kind": (_set("inputs", records=[{"kind": "wish"}]), "holds what no auditor writes"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_archive_is_refused_in_words(good: bytes, tmp_path: Path, case: str) -> None:
    """And never a traceback."""
    make, says = CASES[case]
    assert says in refusal(make(good), tmp_path)


def test_a_changed_line_without_its_end_is_found(good: bytes, tmp_path: Path) -> None:
    """A finding that was edited: the end tells."""
    parts = lines(good)
    of(parts, "finding")["outcome"] = "pass"
    body = b"".join(json.dumps(part, sort_keys=True, separators=(",", ":")).encode() + b"\n" for part in parts)
    assert "its digest is another" in refusal(gzip.compress(body), tmp_path)


def test_what_is_packed_to_no_end_is_refused(good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long line, and many short ones, read no further than the limit."""
    monkeypatch.setattr(archive, "LONGEST", 2**20)
    head = b"".join(json.dumps(part).encode() + b"\n" for part in without_end(good))
    assert "longer than an archive may be" in refusal(
        gzip.compress(head + b'{"idle": "' + b"x" * 2**24 + b'"}\n'), tmp_path
    )
    monkeypatch.setattr(archive, "LARGEST", len(head) + 100_000)
    alike = json.dumps({"coverage": of(without_end(good), "coverage")}).encode() + b"\n"
    assert "longer than an archive may be" in refusal(gzip.compress(head + alike * 10_000), tmp_path)
    monkeypatch.setattr(archive, "LARGEST", 2**30)
    monkeypatch.setattr(archive, "MOST", 3)
    many = [p for p in without_end(good) if "control" not in p]
    many[2:2] = [{"control": {**of(without_end(good), "control"), "id": f"c{n}"}} for n in range(5)]
    assert "more than 3 controls" in refusal(packed(many), tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_in_any_place_is_read_or_refused(good: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """Never a traceback, in reading or in any report of what was read."""
    parts = without_end(good)
    spots = [spot for index, part in enumerate(parts) for spot in _spots(part, (index,))]
    path = data.draw(st.sampled_from(spots))
    scalars = st.sampled_from(
        [None, True, -1, 2**64, 1e308, -1e308, "", "x\udcff", "\x00\x1b", [], {}, [[]], {"a": []}]
    )
    where: Any = parts
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = data.draw(scalars)
    refusal(packed(parts), tmp_path)


def _spots(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _spots(one, (*path, key))


# ---------------------------------------------------------------- shapes


def test_a_snapshot_comes_back() -> None:
    """Everything but how hosts are reached, where the estate lay, and what was only a notice."""
    town = make_estate(make_host("a", roles=("web",), evidence_max_age_s=5.0), groups={"all": ("a",)})
    records = (make_acceptance(), make_adaptation(), make_exemption(), make_action())
    kept = Snapshot(town, ("a",), records, {"x": "ab"}, 7.0)
    assert from_plain(json.loads(json.dumps(to_plain(kept)))) == kept


@pytest.mark.parametrize("noun", [Header, Host, Estate], ids=lambda n: n.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_shaping_is_the_inverse_of_plain(noun: type[Any], data: st.DataObject) -> None:
    """For any value of the type that a file may hold."""
    value = data.draw(st.from_type(noun))
    try:
        made = shaped(noun, json.loads(json.dumps(plain(value))))
    except ValueError:
        return  # a surrogate, a moment beyond all dates
    assert plain(made) == plain(value)


def test_a_control_of_a_policy_is_shaped() -> None:
    """Mappings of anything stay as they are."""
    control = make_control(tolerate={"days": {"at_least": 3}})
    assert shaped(type(control), plain(control)) == control
