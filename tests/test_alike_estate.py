"""An estate judged with all that its hosts share, and each host judged alone: the very same is said of every one."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import _lru_cache_wrapper
from typing import Any

import pytest
import yaml
from make import NOON, make_estate, make_host, output
from test_probes import CASES, answer

import auditor.evaluate
from auditor import document, shelves
from auditor.alike import FEW
from auditor.commands.inputs import load_policies
from auditor.framing.sh import HELLO
from auditor.model import Answer, Bound, Command, Failure, Finding, Host, Outcome, Reason, Register, Subject
from auditor.plan import Plan
from auditor.store import texts

PROBES = shelves.probes()
POLICIES = load_policies((), PROBES)
CONTROLS = tuple(POLICIES.controls)
REMEMBERING = ("auditor.readers", "auditor.probes", "auditor.expectations", "auditor.store", "auditor.alike")
SYSTEMS = {"linux": "Linux", "windows": "Windows"}
REGISTERS = (
    Register("leavers", ("bob", "alice"), "own", left_at={"bob": NOON, "alice": NOON - 9e6}),
    Register("admins", ("root", "alice"), "", left_at={"alice": NOON - 1e5}),
)


def an_estate(rng: random.Random) -> Plan:
    hosts = [
        make_host(
            f"h{i}",
            platform=rng.choice(["linux", "linux", "linux", "windows"]),
            perimeter=rng.choice(["own", "common"]),
            zone=rng.choice(["dmz", "bare", ""]),
            address=rng.choice(["10.62.60.7", "10.1.1.1", f"h{i}.invalid"]),
            roles=rng.choice([(), ("log-collector",), ("web",)]),
            commissioned_at=rng.choice(["", "2025-05-05", "2026-01-01"]),
        )
        for i in range(14)
    ]
    adapted = {c.id: c for c in rng.sample(CONTROLS, 20)}
    beside = {h.id: rng.choice([{}, {"target_days": 3}]) for h in hosts}

    def bounds(control: str, subject: str) -> tuple[Bound, ...]:
        host = subject.partition(":")[2]
        if control not in adapted or host not in beside:
            return ()
        held = adapted[control].expect
        return (Bound("ADA-1", as_long_as=held, expect=held, tolerate={}, values=beside[host], adapts=True),)

    estate = make_estate(*hosts, registers=REGISTERS, declared=True)
    measures = POLICIES.measures
    return Plan(
        estate, estate.hosts, CONTROLS, measures, tuple(measures), PROBES, bounds=bounds, until=NOON, day="2026-11-21"
    )


def recorded(rng: random.Random) -> Mapping[tuple[str, str], list[Mapping[str, Answer]]]:
    """By probe and platform, some answers that hosts gave."""
    found: dict[tuple[str, str], list[Mapping[str, Answer]]] = {}
    for path in rng.sample(CASES, 400):
        case = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        told = {name: answer(spec) for name, spec in case["answers"].items()}
        found.setdefault((path.parent.name, case.get("platform", "linux")), []).append(told)
    return {key: told[:3] for key, told in found.items()}


def told_of(plan: Plan, rng: random.Random) -> list[dict[Command, Answer]]:
    """What each host answers: few different things, at different times."""
    known = recorded(rng)
    every = []
    for index, host in enumerate(plan.hosts):
        told: dict[Command, Answer] = {HELLO: output(f"{SYSTEMS[host.platform]}\n{host.id}\n0\n{NOON:.0f}\n{index}")}
        for question in plan.questions_of(index):
            said = rng.choice(known.get((question.probe, host.platform), [{}]))
            for name, command in question.commands.items():
                one = said.get(name, Failure("not_asked"))
                told.setdefault(command, replace(one, at=one.at + rng.choice([0, 0, 3, 4000])))
        every.append(told)
    return every


def judged(plan: Plan, index: int, told: Mapping[Command, Answer]) -> tuple[Finding, ...]:
    host: Host = plan.hosts[index]
    asked = plan.questions_of(index)
    return auditor.evaluate.evaluate(host, plan.checks_of(index), asked, told, plan.probes).findings


def forget() -> None:
    for one in gc.get_objects():
        if isinstance(one, _lru_cache_wrapper) and str(one.__module__).startswith(REMEMBERING):
            one.cache_clear()


def alone(plan: Plan, every: list[dict[Command, Answer]], monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Nothing is remembered from host to host, nor of the plan, and no facts are shared."""
    found = []
    with monkeypatch.context() as patched:
        patched.setattr(auditor.evaluate, "shared", lambda question, facts: dict(facts))
        for index, told in enumerate(every):
            forget()
            found.append([json.dumps(document.kept_to_plain(f)) for f in judged(replace(plan), index, told)])
    return found


@pytest.mark.parametrize("seed", range(3))
def test_an_estate_comes_to_what_each_of_its_hosts_comes_to_alone(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    plan = an_estate(rng)
    every = told_of(plan, rng)
    wanted = alone(plan, every, monkeypatch)
    assert len({Outcome(json.loads(text)["outcome"] or "pass") for texts in wanted for text in texts}) == len(Outcome)

    def of(index: int) -> list[str]:
        found = judged(plan, index, every[index])
        for one in found:
            text = texts.written(one)
            assert document.kept_to_plain(texts.read(one.seq, text)) == json.loads(text)
            assert json.loads(text) == json.loads(json.dumps(document.kept_to_plain(one)))
        return [json.dumps(document.kept_to_plain(one)) for one in found]

    order = list(range(len(every)))
    forget()
    assert [of(index) for index in order] == wanted
    rng.shuffle(order)
    found = {index: of(index) for index in order}
    assert [found[index] for index in sorted(order)] == wanted
    forget()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(of, range(len(every)))) == wanted


# ---------------------------------------------------------------- what stays in memory


def reasons_alive() -> Iterator[Any]:
    gc.collect()
    return (one for one in gc.get_objects() if isinstance(one, Reason) and one.path == "of-one-host-alone")


def test_long_findings_of_a_varied_fleet_do_not_stay_in_memory() -> None:
    """Each of 200 hosts has 60 reasons of its own; what is kept of them follows from no fleet's size."""
    forget()
    written = []
    for place in range(200):
        reasons = tuple(Reason("of-one-host-alone", "every", element=f"{place} {i}") for i in range(60))
        subject = Subject("host", f"h{place}", "own")
        written.append(texts.written(Finding(place, subject, "c", Outcome.FAIL, "high", "0", reasons)))
    del reasons
    assert 0 < sum(1 for _ in reasons_alive()) <= FEW * 60
    forget()
    for place, text in enumerate(written):
        texts.read(place, text)
    assert 0 < sum(1 for _ in reasons_alive()) <= FEW * 60
