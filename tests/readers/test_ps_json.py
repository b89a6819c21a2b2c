"""What ConvertTo-Json of Windows PowerShell 5.1 does to values, undone; errors told apart by what is never translated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.errors import Unreadable
from auditor.model import Failure, Output, Unknown
from auditor.readers import ps_json, windows_services


def out(text: str, code: int = 0, stderr: str = "") -> Output:
    return Output(code, text.encode(), stderr.encode(), 1.8e9, 1.8e9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('\ufeff{"a":1}\r\n', {"a": 1}),
        ('{"a":{"value":[1,2],"Count":2}}', {"a": [1, 2]}),
        ('{"a":{"value":"/Date(0)/","DisplayHint":2,"DateTime":"jeudi"}}', {"a": "/Date(0)/"}),
        ('{"value":true,"isManaged":false}', {"value": True, "isManaged": False}),
        ('{"value":1}', {"value": 1}),
        ('{"a":[{"value":[],"Count":0}]}', {"a": [[]]}),
    ],
)
def test_wrapped_values_are_unwrapped(text: str, value: Any) -> None:
    assert ps_json.read(out(text)) == value


@pytest.mark.parametrize("text", ["", "{", "é", "[" * 100_000, "1" * 5000])
def test_what_is_no_json_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        ps_json.read(out(text))


@pytest.mark.parametrize(
    ("stderr", "cause", "absent"),
    [
        ("CommandNotFoundException 80131501 Le terme «Get-X» n'est pas reconnu", "not_told", False),
        ("HRESULT 0x8004100E,Microsoft.Management.Infrastructure 80131500 Espace de noms non valide", "not_told", True),
        ("HRESULT 0x80041010,Microsoft.Management.Infrastructure 80131500 Classe non valide", "not_told", True),
        ("HRESULT 0x80041003,Microsoft.Management.Infrastructure 80131500 Accès refusé", "no_privilege", False),
        ("UnauthorizedAccessException 80070005 Accès refusé", "no_privilege", False),
        ("Other 80131500 CommandNotFoundException HRESULT 0x8004100e", "not_told", False),
        ("Accès refusé", "not_told", False),
        ("", "not_told", False),
    ],
)
def test_errors_are_told_apart_by_their_identifiers(stderr: str, cause: str, absent: bool) -> None:
    answer = out('{"a":1}', 1, stderr)
    told = ps_json.read(answer)
    assert isinstance(told, Unknown)
    assert (told.cause, ps_json.absent(answer)) == (cause, absent)


def test_a_failure_is_no_absence() -> None:
    failure = Failure("timeout", "CommandNotFoundException")
    assert ps_json.read(failure) == Unknown("timeout", "CommandNotFoundException")
    assert not ps_json.absent(failure)
    assert not ps_json.absent(out("x", 0, "CommandNotFoundException"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("/Date(1794895200000)/", 1794895200.0),
        ("/Date(1794895200000+0100)/", 1794895200.0),
        ("/Date(-62135596800000)/", None),
        ("2026-11-17T06:00:00Z", 1794895200.0),
        ("0001-01-01T00:00:00Z", None),
        ("1601-01-01T00:00:00Z", None),
    ],
)
def test_moments(value: Any, seconds: float | None) -> None:
    assert ps_json.moment(value, "x") == seconds


@pytest.mark.parametrize(
    "value", ["17/11/2026 06:00:00", "2026-11-17T06:00:00", "2026-13-17T06:00:00Z", 0, True, {}, "/Date(x)/"]
)
def test_what_is_no_moment_is_unknown(value: Any) -> None:
    assert isinstance(ps_json.moment(value, "x"), Unknown)


def test_one_row_and_none() -> None:
    assert ps_json.rows({"a": {"b": 1}}, "a") == [{"b": 1}]
    assert ps_json.rows({"a": []}, "a") == []
    for told in ({}, {"a": None}, {"a": [None]}, {"a": "x"}, {"a": [1]}, [], None):
        with pytest.raises(Unreadable):
            ps_json.rows(told, "a")


def test_texts_that_are_not_told_are_no_empty_list() -> None:
    assert ps_json.texts([]) == ()
    assert ps_json.texts("x") == ("x",)
    for told in (None, [None], [1], {}):
        with pytest.raises(Unreadable):
            ps_json.texts(told)


@pytest.mark.parametrize(("value", "name"), [(0, "Circular"), ("Retain", "Retain"), (2, "Retain")])
def test_enumerations_by_name_or_number(value: Any, name: str) -> None:
    assert ps_json.member(value, ("Circular", "AutoBackup", "Retain")) == name


@pytest.mark.parametrize("value", [3, -1, True, None, "circular", 1.0, []])
def test_no_member_of_the_enumeration(value: Any) -> None:
    assert isinstance(ps_json.member(value, ("Circular", "AutoBackup", "Retain")), Unknown)


def services(*rows: tuple[str, str], names: tuple[str, ...] = ()) -> windows_services.Services:
    base = (("RpcSs", "Running"), ("EventLog", "Running"))
    told = {"services": [{"name": n, "state": s, "maker": ""} for n, s in (*base, *rows)]}
    return windows_services.read(out(json.dumps({"names": ["RpcSs", "EventLog", *names]})), out(json.dumps(told)))


def test_a_service_that_is_starting_does_not_run() -> None:
    assert services(("X", "Start Pending")).runs(frozenset({"x"})) is False


def test_a_state_that_nobody_documented_is_unknown() -> None:
    assert isinstance(services(("X", "En cours")).runs(frozenset({"x"})), Unknown)


def test_a_service_without_a_state_is_unknown_and_never_stopped() -> None:
    assert isinstance(services(names=("X",)).runs(frozenset({"x"})), Unknown)


def test_a_list_without_what_always_runs_is_not_whole() -> None:
    silent = windows_services.read(out('{"names":["X"]}'), out('{"services":[]}'))
    assert silent.missing is not None
    assert services().missing is None
