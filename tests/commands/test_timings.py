"""What a run says aside, on stderr: how long it took, and what to set when hosts were not reached."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make import ask_with, make_estate, make_host, make_plan, make_probe

from auditor.commands import inputs
from auditor.commands.timings import Timings
from auditor.commands.unreached import doctored, hints
from auditor.model import Command, Failure, HostSeen, Unknown
from commands.test_cli import HERE, estate, run

SAY = inputs.voice("en")


# ---------------------------------------------------------------- --timings


def test_timings_are_on_stderr_and_change_no_report(tmp_path: Path) -> None:
    two = estate(tmp_path, f"{HERE}, gone: {{ansible_host: 127.0.0.99, ansible_port: 1}}")
    plain = run(tmp_path, "-f", "json=-", "--store", "none", town=two)
    timed = run(tmp_path, "-f", "json=-", "--store", "none", "--timings", "--lang", "en", town=two)
    assert timed.exit_code == plain.exit_code == 3
    assert _steady(timed.stdout) == _steady(plain.stdout)
    assert plain.stderr == ""
    assert re.fullmatch(
        r"Time on the hosts +median +worst  slowest on\n"
        r"  sample +[0-9.]+ s +[0-9.]+ s  web01\n"
        r"Slowest hosts +connection +answers\n"
        r"  web01 +[0-9.]+ s +[0-9.]+ s\n"
        r"Hosts that did not answer: 1, after [0-9.]+ s at most\n",
        timed.stderr,
    )


def _steady(document: str) -> str:
    """Without moments and digests, which differ from one run to the next anyway."""
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?|[0-9a-f]{16,64}|\d{9,}(\.\d+)?", "-", document)


def test_a_probe_is_all_its_questions_and_its_worst_host_is_named() -> None:
    asked = {"one": Command("a"), "two": Command("b"), "never": Command("c")}
    plan = make_plan(
        make_estate(*(make_host(n) for n in ("h1", "h2", "h3"))),
        probes={"sample": make_probe(commands=lambda a: asked)},
    )
    times = Timings(plan)
    ask = times.around(ask_with())
    for host, seconds in zip(plan.hosts, (1.0, 0.25, 3.0), strict=True):
        times.question(host.id, asked["one"], seconds)
        times.question(host.id, asked["two"], 0.5)
        assert dict(ask(host, plan.commands_of(0), 5.0))
    assert list(times.lines(SAY))[1].split() == ["sample", "1.50", "s", "3.50", "s", "h3"]
    assert list(times.lines(inputs.voice("fr")))[1].split() == ["sample", "1,50", "s", "3,50", "s", "h3"]


def test_hosts_that_do_not_answer_or_tell_no_time() -> None:
    plan = make_plan(make_estate(make_host("h1"), make_host("h2")))

    def silent(host: Any, commands: Any, deadline_s: float) -> Any:
        return iter([(c, Failure("unreachable")) for c in commands])

    times = Timings(plan)
    list(times.around(silent)(plan.hosts[0], plan.commands_of(0), 5.0))
    assert [line.partition(":")[0] for line in times.lines(SAY)] == ["Hosts that did not answer"]
    list(times.around(ask_with())(plan.hosts[1], plan.commands_of(1), 5.0))
    lines = list(times.lines(SAY))
    assert lines[0].startswith("Slowest hosts")
    assert lines[-1] == "No host tells how long its questions took: it has no /proc/uptime."


def test_a_host_of_a_hostile_name_is_inert() -> None:
    plan = make_plan(make_estate(make_host("h\x1b[2J")))
    times = Timings(plan)
    list(times.around(ask_with())(plan.hosts[0], plan.commands_of(0), 5.0))
    assert "\x1b" not in "".join(times.lines(SAY))


# ---------------------------------------------------------------- hosts that were not reached


def seen(cause: str = "", detail: str = "") -> HostSeen:
    return HostSeen("h", Unknown(cause, detail) if cause else None, 1, 0)


LOST = seen("unreachable", "10.0.0.1:22: timed out")
NO_NAME = seen("unreachable", "srv01:22: Name or service not known")
PROXY = {"https_proxy": "http://user:canary@proxy:3128", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("hosts", "environment", "begin"),
    [
        ([LOST], {}, []),
        ([LOST, LOST, seen()], PROXY, ["Hosts not reached: 2. https_proxy is set"]),
        ([LOST], {"HTTP_PROXY": "x", "ALL_PROXY": "y"}, ["Hosts not reached: 1. ALL_PROXY, HTTP_PROXY is set"]),
        ([LOST], {"https_proxy": "", "no_proxy": "x"}, []),
        ([NO_NAME], {}, ["Names that are not known here: 1."]),
        ([NO_NAME, LOST], PROXY, ["Names that are not known here: 1.", "Hosts not reached: 2."]),
        ([seen("auth"), seen("host_key"), seen("timeout"), seen()], PROXY, []),
    ],
)
def test_what_to_set_is_said_once_a_cause(hosts: list[HostSeen], environment: dict[str, str], begin: list[str]) -> None:
    said = list(hints(hosts, environment, SAY))
    assert len(said) == len(begin)
    assert all(one.startswith(b) for one, b in zip(said, begin, strict=True))
    assert "canary" not in "".join(said)
    assert all("ProxyJump" in one for one in said)


def test_whoever_could_not_be_asked_is_sent_to_the_doctor() -> None:
    away = replace(LOST, evidence_at=1.0)
    never = replace(seen("not_connected"), asked=False)
    lost = [LOST, seen("auth"), seen("host_key"), away, never, seen(), seen("interrupted")]
    (said,) = doctored(lost, ("my town", "more.ini"), "web:!x", SAY)
    assert said.startswith("Hosts that could not be asked: 3.")
    assert said.endswith("auditor doctor -i 'my town' -i more.ini --limit 'web:!x'")
    assert not list(doctored([away, never, seen()], ("town",), None, SAY))
    assert not list(doctored(lost, (), None, SAY))
    (said,) = doctored(lost, ("town/" * 80,), None, SAY)
    assert said.endswith("town/" * 80), "a command that is cut mends nothing"


def test_a_run_behind_a_proxy_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary@proxy:3128")
    gone = estate(tmp_path, "gone: {ansible_host: 127.0.0.99, ansible_port: 1}")
    result = run(tmp_path, "--lang", "en", town=gone)
    assert result.exit_code == 3
    assert result.stderr.startswith("Hosts not reached: 1. HTTPS_PROXY is set here, but SSH does not go through")
    assert result.stderr.splitlines()[1:] == [
        f"Hosts that could not be asked: 1. What ails each, and the command that mends it: auditor doctor -i {gone}"
    ]
    quiet = run(tmp_path, "--lang", "en", "-f", f"json={tmp_path}/r.json", town=gone)  # as in cron: nobody reads along
    assert quiet.stderr.count("\n") == 1
    assert "canary" not in result.output
