"""Evaluation: raw answers become findings; whatever a host does, its checks have an outcome and a cause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import NOON, command, hello, make_control, make_estate, make_host, make_plan, make_probe, output

from auditor.errors import Unreadable
from auditor.evaluate import Judged, evaluate
from auditor.framing.sh import HELLO
from auditor.model import CAUSES, Answer, Command, Failure, Outcome, Unknown


def judged(answers: dict[Command, Answer], **changes: Any) -> Judged:
    plan = make_plan(**changes)
    return evaluate(plan.hosts[0], plan.checks_of(0), plan.questions_of(0), answers, plan.probes)


def cause(seen: Judged) -> Unknown | None:
    (finding,) = seen.findings
    assert finding.outcome is Outcome.UNKNOWN
    return finding.reasons[0].cause


def test_an_answer_becomes_a_finding() -> None:
    """Facts are parsed, judged and dated by our clock."""
    seen = judged({HELLO: hello(), command(): output("400", at=NOON + 3)})
    assert (seen.findings[0].outcome, seen.findings[0].at) == (Outcome.PASS, NOON + 3)
    assert (seen.failure, seen.measured) == (None, 1)
    assert judged({HELLO: hello(), command(): output("3")}).findings[0].outcome is Outcome.FAIL


@pytest.mark.parametrize("why", sorted(set(CAUSES) - {"not_asked"}))
def test_a_host_that_fails_has_every_check_unknown(why: str) -> None:
    """The cause of the host is the cause of its checks, even where some answer came."""
    seen = judged({HELLO: Failure(why, "words"), command(): output("400")})
    assert cause(seen) == Unknown(why, "words")
    assert (seen.failure, seen.measured) == (Unknown(why, "words"), 0)
    assert seen.facts == {"sample": Unknown(why, "words")}


@pytest.mark.parametrize("system", ["FreeBSD", "Darwin", "SunOS", "", "linux2", "Linux x", "\x1b[31mLinux"])
def test_another_platform_counts_for_nothing(system: str) -> None:
    """A host that is not what the inventory says is not judged by its answers."""
    assert (
        cause(judged({HELLO: hello(system), command(): output("400")})) or Unknown("timeout")
    ).cause == "other_platform"


def test_a_missing_answer_is_not_asked() -> None:
    """An answer that never came is unknown, also where the first question was answered."""
    seen = judged({HELLO: hello()})
    assert (cause(seen) or Unknown("timeout")).cause == "not_asked"
    assert seen.failure is None
    assert (cause(judged({})) or Unknown("timeout")).cause == "nothing_asked"


def test_what_cannot_be_read_is_unknown_for_that_probe_alone() -> None:
    """Unreadable costs one probe, and says what could not be read."""

    def parse(answers: Any, args: Any) -> Any:
        raise Unreadable("line 3")

    controls = [make_control("a"), make_control("b", probe="other")]
    probes = {"sample": make_probe(), "other": make_probe(parse)}
    seen = judged({HELLO: hello(), command(): output("400")}, controls=controls, probes=probes)
    assert [f.outcome for f in seen.findings] == [Outcome.PASS, Outcome.UNKNOWN]
    assert seen.findings[1].reasons[0].cause == Unknown("unreadable", "line 3")


def test_facts_are_parsed_once_for_a_probe_and_its_arguments() -> None:
    """Many controls on one probe share its facts."""
    calls = []

    def parse(answers: Any, args: Any) -> Any:
        calls.append(args)
        return {"days": 400}

    controls = [make_control(c, arguments={"vlan": v}) for c, v in (("a", 1), ("b", 1), ("c", 2))]
    seen = judged({HELLO: hello(), command(): output("")}, controls=controls, probes={"sample": make_probe(parse)})
    assert calls == [{"vlan": 1}, {"vlan": 2}]
    assert sorted(seen.facts) == ["sample [('vlan', 1)]", "sample [('vlan', 2)]"], "of that question, not of the probe"


ANSWER = st.builds(
    output, st.text(max_size=20), st.integers(0, 255), at=st.just(NOON), host_at=st.none() | st.floats(allow_nan=False)
) | st.builds(Failure, st.sampled_from(sorted(CAUSES)), st.text(max_size=5))


@given(first=ANSWER | st.just(hello()), second=ANSWER)
def test_no_answer_is_a_pass_but_the_right_one(first: Answer, second: Answer) -> None:
    """Whatever comes back: a pass only where the right number was told by a host of the right platform."""

    def parse(answers: Any, args: Any) -> Any:
        one = answers["days"]
        if isinstance(one, Failure):
            return {"days": one.unknown()}
        if not one.text.isascii() or not one.text.isdigit():
            raise Unreadable(one.text)
        return {"days": int(one.text)}

    (finding,) = judged({HELLO: first, command(): second}, probes={"sample": make_probe(parse)}).findings
    right = getattr(first, "text", "").split("\n")[0].strip() == "Linux" and getattr(second, "text", "0").isdigit()
    assert finding.outcome is not Outcome.PASS or right
    assert finding.outcome is not Outcome.UNKNOWN or finding.reasons[0].cause


def test_every_host_of_an_estate_can_be_evaluated_without_an_answer() -> None:
    """No platform, transport or lack of one raises."""
    hosts = [
        make_host(f"{c}-{p}", connection=c, platform=p)
        for c in ("ssh", "local", "winrm", "none")
        for p in ("linux", "windows", "other")
    ]
    plan = make_plan(make_estate(*hosts))
    for index in range(len(hosts)):
        seen = evaluate(plan.hosts[index], plan.checks_of(index), plan.questions_of(index), {}, plan.probes)
        assert all(f.outcome is Outcome.UNKNOWN for f in seen.findings)
