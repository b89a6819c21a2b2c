"""Every probe against its recorded answers, and every shipped probe's shape."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from documents import written

import auditor.probes
from auditor.errors import Unreadable
from auditor.kinds import DerivedProbe, Probe
from auditor.medium import WHERE
from auditor.model import CAUSES, Answer, Command, Failure, Output, Partial, Unknown

FOLDER = Path(__file__).parent / "probes"
CASES = sorted(FOLDER.glob("*/*.yaml"))
NAMES = sorted(m.name for m in pkgutil.iter_modules(auditor.probes.__path__) if not m.ispkg)
NOON = 1795000000


def probe(name: str) -> Probe | DerivedProbe:
    found = importlib.import_module(f"auditor.probes.{name}").PROBE
    assert isinstance(found, Probe | DerivedProbe)
    return found


HOST_PROBES = [n for n in NAMES if isinstance(probe(n), Probe)]


# ---------------------------------------------------------------- recorded answers


def as_read(files: Mapping[str, str], denied: list[str]) -> bytes:
    """The bytes that framing.sh.READ prints for these files."""
    parts = []
    for path, text in files.items():
        name, body = path.encode(), text.encode()
        parts.append(b"F %d %d %s\n%s\n" % (len(body), len(name), name, body))
    parts += [b"! %d %s\n" % (len(p.encode()), p.encode()) for p in denied]
    return b"".join(parts)


def answer(spec: Mapping[str, Any]) -> Answer:
    if "failure" in spec:
        return Failure(spec["failure"], spec.get("message", ""), float(spec.get("at", NOON)))
    if "files" in spec or "denied" in spec:
        stdout = as_read(spec.get("files", {}), spec.get("denied", []))
    else:
        stdout = spec.get("stdout", "").encode()
    host_at = spec.get("host_at", NOON)
    return Output(
        exit_code=spec.get("exit_code", 0),
        stdout=stdout,
        stderr=spec.get("stderr", "").encode(),
        at=float(spec.get("at", NOON)),
        host_at=None if host_at is None else float(host_at),
    )


def plain(fact: Any) -> Any:
    """A fact as a recorded case writes it."""
    if isinstance(fact, Unknown):
        return {"unknown": fact.cause}
    if isinstance(fact, Partial):
        return {"partial": [plain(i) for i in fact.items], "missing": fact.missing.cause}
    if isinstance(fact, Mapping):
        return {k: plain(v) for k, v in fact.items()}
    if isinstance(fact, list | tuple):
        return [plain(i) for i in fact]
    return fact


def wrong(fact: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Where a fact is not of the type that its schema gives; Unknown and null may stand anywhere."""
    if fact is None or isinstance(fact, Unknown):
        return
    kinds = {"object": Mapping, "array": (list, tuple, Partial), "string": str, "boolean": bool, "integer": int}
    kind = schema.get("type")
    expected: Any = (int, float) if kind == "number" else kinds.get(str(kind), object)
    if not isinstance(fact, expected) or (isinstance(fact, bool) and kind in ("number", "integer")):
        yield f"{path}: {fact!r} is no {kind}"
    elif kind == "object":
        for name, value in fact.items():
            if name not in schema["properties"]:
                yield f"{path}.{name} is not in the schema"
            else:
                yield from wrong(value, schema["properties"][name], f"{path}.{name}")
    elif kind == "array":
        for item in fact.items if isinstance(fact, Partial) else fact:
            yield from wrong(item, schema["items"], f"{path}[]")


def parsed(found: Probe, case: Mapping[str, Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """As evaluate does it: what cannot be read makes every fact Unknown."""
    answers = {name: answer(spec) for name, spec in case["answers"].items()}
    try:
        return found.dialects[case.get("platform", "linux")].parse(answers, arguments)
    except Unreadable as why:
        return {name: Unknown("unreadable", str(why)) for name in found.facts["properties"]}


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_recorded_case(path: Path) -> None:
    case = written(path.read_text())
    assert set(case) <= {"about", "platform", "arguments", "answers", "facts", "canary"}, "an unknown key in the case"
    found = probe(path.parent.name)
    assert isinstance(found, Probe)
    dialect = found.dialects[case.get("platform", "linux")]
    arguments = case.get("arguments") or {}
    asked = dialect.commands(arguments)
    assert set(case["answers"]) == set(asked), "a case answers every command, and no other"
    facts = parsed(found, case, arguments)
    assert set(facts) == set(found.facts["properties"]), "parse gives every fact of the schema"
    assert list(wrong(facts, found.facts, "facts")) == []
    assert {name: plain(facts[name]) for name in case["facts"]} == case["facts"]
    if "canary" in case:
        assert case["canary"] not in repr(facts)


# ---------------------------------------------------------------- the shape of every shipped probe


def undescribed(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        if not str(inner.get("description", "")).strip():
            yield f"{path}{name}"
        assert "type" in inner, f"{path}{name} has no type"
        yield from undescribed(inner, f"{path}{name}.")
        yield from undescribed(inner.get("items", {}), f"{path}{name}[].")


def unnamed(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Lists of objects whose name, or what is shown beside it, is no field of theirs."""
    for name, inner in schema.get("properties", {}).items():
        items = inner.get("items", {})
        if inner.get("type") == "array" and items.get("type") == "object":
            fields = [items.get("x-name"), *items.get("x-also", ())]
            if any(f not in items["properties"] for f in fields):
                yield f"{path}{name}"
        yield from unnamed(inner, f"{path}{name}.")
        yield from unnamed(items, f"{path}{name}[].")


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_of_a_probe_are_whole(name: str) -> None:
    found = probe(name)
    for schema in (found.facts, found.arguments):
        jsonschema.Draft7Validator.check_schema(dict(schema))
        assert schema["type"] == "object"
        assert list(undescribed(schema)) == []
        assert list(unnamed(schema)) == []
    assert set(found.title) == {"en", "fr"}
    if isinstance(found, DerivedProbe):
        assert found.over in NAMES


def constant(command: Command) -> tuple[str, str, bool, int, int]:
    return command.text, command.kind, command.elevated, command.timeout_s, command.cap_bytes


def some_arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    examples: dict[str, Any] = {
        "array": ["192.0.2.7"],
        "string": "192.0.2.7",
        "integer": 7,
        "number": 7,
        "boolean": True,
    }
    return {
        name: [{}] if (inner.get("items") or {}).get("type") == "object" else examples.get(str(inner.get("type")), "x")
        for name, inner in schema.get("properties", {}).items()
    }


@pytest.mark.parametrize("name", HOST_PROBES)
def test_the_texts_of_a_probe_are_constant(name: str) -> None:
    found = probe(name)
    assert isinstance(found, Probe)
    assert set(found.privilege) == {"en", "fr"}
    for dialect in (*found.dialects.values(), *found.trees.values()):
        bare, given = dialect.commands({}), dialect.commands(some_arguments(found.arguments))
        assert {n: constant(c) for n, c in bare.items()} == {n: constant(c) for n, c in given.items()}
        for command in (*bare.values(), *given.values()):
            assert not command.elevated or all(a and "\n" not in a for a in command.arguments)
            assert command.text.isascii()


@pytest.mark.parametrize("name", HOST_PROBES)
def test_a_probe_tells_nothing_when_nothing_was_answered(name: str) -> None:
    """Every fact that a silent host leaves is Unknown (or a list known to be incomplete): never health."""
    found = probe(name)
    assert isinstance(found, Probe)
    for dialect in (*found.dialects.values(), *found.trees.values()):
        facts = dict(dialect.parse({n: Failure("no_privilege", "sudo") for n in dialect.commands({})}, {}))
        facts.pop(WHERE, None)
        assert set(facts) == set(found.facts["properties"])
        for fact in facts.values():
            assert isinstance(fact, Unknown) or (isinstance(fact, Partial) and not fact.items)


@pytest.mark.parametrize("name", [n for n in HOST_PROBES if probe(n).dialects])  # type: ignore[union-attr]
def test_a_probe_has_recorded_cases(name: str) -> None:
    kept = sorted(p.stem for p in CASES if p.parent.name == name)
    lacking = [
        w for w in ("expected", "absent", "unreadable", "unprivileged", "partial") if not any(w in k for k in kept)
    ]
    assert lacking == []


def test_the_causes_in_cases_exist() -> None:
    for path in CASES:
        for spec in written(path.read_text())["answers"].values():
            assert spec.get("failure", "timeout") in CAUSES, path
