"""A run as one entity may see it: nothing of another's in any byte of any format, and nothing of its own lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_run import AT, CONTROLS, MEASURES, SampleRun, decided, finding, fleet, header, rendered, voice

from auditor import shelves
from auditor.compare import compared
from auditor.model import (
    ActionSeen,
    Coverage,
    Entity,
    Finding,
    HostSeen,
    IdleDecision,
    Outcome,
    Perimeter,
    Reason,
    StandsBeside,
    Subject,
    Suspended,
    ToDo,
    Touched,
    Trusted,
    Unknown,
)
from auditor.sentences import WITHHELD, told
from auditor.summary import summary
from auditor.view import entities, sees, view

SECRET = "zqx"  # the beginning of every word that is another's; in none of ours
LANGS = ("en", "fr")


def every_format(run: SampleRun, lang: str, details: bool) -> Iterator[bytes]:
    for _, reporter in shelves.REPORTERS.items():
        for audience in reporter.audiences:
            yield rendered(reporter, run, voice(lang, audience=audience, details=details))


# ---------------------------------------------------------------- nothing of another's

words = st.integers(0, 999).map(lambda n: f"{SECRET}{n}")
host_names = st.one_of(
    words,
    words.map(lambda w: f"{w}.{SECRET}corp.example"),
    words.map(lambda w: f"pc-{w}-03"),
    words.map(lambda w: f"{w} of the cellar"),
    st.integers(1, 250).map(lambda n: f"203.0.113.{n}"),
)
outcomes = st.sampled_from(["fail", "warn", "unknown", "pass", None])
MINE = {
    "epci": Perimeter("epci", "EPCI", "shared", ("SYNDICAT",)),
    "syndicat": Perimeter("syndicat", "SYNDICAT"),
}


@st.composite
def runs(draw: st.DrawFn) -> tuple[SampleRun, list[str], int]:
    """A run of two owners, the names of another's hosts, and how many findings the other may see.

    All of another's is secret words; what is visible names another's hosts, with secret words beside the names.
    """
    say = lambda: draw(words)  # noqa: E731
    secret = f"{say()}-perimeter"
    hidden = draw(st.lists(host_names, min_size=1, max_size=4, unique_by=str.casefold))
    spoken = st.sampled_from(hidden).flatmap(
        lambda name: st.sampled_from(
            [
                name,
                name.upper(),
                f"{name} ({SECRET}1)",
                f"job-{name}-daily",
                f"{name}.lan:514",
                f"<{name}>",
                f"a, {name}, b",
                f"vm{name}data",
                f"\u0130vm{name.upper()}data \u00df",
            ]
        )
    )
    text = lambda: draw(spoken)  # noqa: E731
    of_them = StandsBeside(f"ACC-{say()}", "acceptance", say(), "2027-01-31", say(), "2026-01-31")
    of_us = StandsBeside(
        "ACC-1", "acceptance", "president (SYNDICAT)", "2027-01-31", f"until {draw(st.sampled_from(hidden))} goes"
    )
    controls = {**CONTROLS, say(): replace(CONTROLS["clock-synchronised"], source=f"{say()}/policy.yaml:1")}
    theirs = list(controls)[-1]
    findings: list[Finding] = []
    for seq in range(draw(st.integers(0, 4))):
        where = draw(st.sampled_from(sorted(MINE)))
        findings.append(
            finding(
                seq, Subject("host", f"web{seq:02d}", where), draw(st.sampled_from(sorted(CONTROLS))), draw(outcomes),
                Reason("collectors[].newest", draw(st.sampled_from(["equals", "none", "matches"])), text(), text(),
                       element=text(), person=draw(st.booleans())),
                Reason("a", "one_of", [text(), 3], (text(), {"x": [text()], text(): None})),
                Reason("", "", cause=Unknown(draw(st.sampled_from(["not_measured", "not_asked", "other_host"])), text())),
                decision=draw(st.sampled_from([None, of_us])),
                suspended=(Suspended("ACC-2", "acceptance", "R-COMP", f"control: {draw(st.sampled_from(hidden))}",
                                     (Reason("b", "equals", 1, text()),)),),
            )
        )  # fmt: skip
    mine = len(findings)
    findings += [
        finding(
            10 + seq, Subject("host", name, secret, say()), draw(st.sampled_from([theirs, *CONTROLS])), draw(outcomes),
            Reason(say(), "equals", say(), say(), element=say()), Reason("", "", cause=Unknown("timeout", say())),
            decision=draw(st.sampled_from([None, of_them])), fingerprint=say(), actions=(say(),),
            suspended=(Suspended(say(), "acceptance", "R-LATER", say()),),
        )
        for seq, name in enumerate(hidden)
    ]  # fmt: skip
    alone = Subject("host", f"{say()}-printer", secret)
    hosts = [
        HostSeen(f.subject.id, None, 1, 1, AT, "own-name 1234", known_as=("198.51.100.7",)) for f in findings[:mine]
    ]
    hosts += [HostSeen(name, Unknown("other_host", say()), 1, 0, AT, f"{say()} {say()}", was=say()) for name in hidden]
    run = SampleRun(
        header(
            estate=f"/srv/{say()}", legacy=("web00", *hidden), digests={f"{say()}.yaml": say(), "collector": "ab"},
            hosts_expected=len(hosts) + 1, checks_planned=len(findings), state=draw(st.sampled_from(["complete", "partial"])),
            policies=draw(st.sampled_from([(), (f"policies/{hidden[0]}.yaml",)])),
            trusted=Trusted(f"for/{hidden[0]}", "a" * 40, (
                Touched("host", "added", say()), Touched("file", "changed", f"{say()}.yaml"), Touched("control", "changed", theirs),
                Touched("decision", "removed", say()), Touched("control", "added", say()), Touched("measure", "added", say()),
            )),
        ),
        controls,
        MEASURES,
        {**MINE, secret: Perimeter(secret, "OTHER", advised_by="SYNDICAT", operated_by="SYNDICAT", since=say())},
        findings,
        [*hosts, HostSeen(alone.id, Unknown("nothing_asked"), 0, 0)],
        [
            IdleDecision("ACC-3", "R-LATER", ", ".join(hidden), "decisions/a.yaml:1", perimeter="syndicat"),
            IdleDecision(say(), "R-OWNER", say(), say(), perimeter=secret),
            IdleDecision(say(), "R-OWNER", say(), say()),
        ],
        [
            Coverage(alone, "", Unknown("nothing_asked", say()), True, draw(st.sampled_from([None, of_them]))),
            Coverage(Subject("perimeter", secret, secret), "log-retention", Unknown("nothing_asked", say())),
            Coverage(Subject("perimeter", "epci", "epci"), "log-retention", Unknown("nothing_asked", text())),
        ],
        [
            ActionSeen(say(), secret, (theirs,), say(), say(), "2026-11-01", "open", Outcome.WARN, 1, say(), say()),
            ActionSeen("ACT-1", "epci", ("clock-synchronised",), f"as on {draw(st.sampled_from(hidden))}", "desk", "2026-11-01",
                       "open", Outcome.WARN, 1, draw(st.sampled_from(hidden)), draw(st.sampled_from(hidden))),
        ],
        [ToDo("decide", "OTHER", secret, theirs, "low", 1, tuple(hidden), say())],
    )  # fmt: skip
    run.entities = {"OTHER": Entity("OTHER", say(), f"data:image/png;base64,{SECRET}"), "EPCI": Entity("EPCI")}
    return run, hidden, mine


@given(runs(), st.sampled_from(LANGS), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_format_holds_anything_of_another(drawn: tuple[SampleRun, list[str], int], lang: str, details: bool) -> None:
    run, hidden, mine = drawn
    shown = view(run, "SYNDICAT")
    assert sum(1 for _ in shown.findings()) == mine == shown.header.checks_planned
    for written in every_format(shown, lang, details):
        assert SECRET.encode() not in written.lower()
        assert not [name for name in hidden if name.encode() in written]
    assert any(
        SECRET.encode() in written.lower() or b"203.0.113." in written for written in every_format(run, lang, True)
    )


@given(runs(), runs())
@settings(max_examples=25, deadline=None)
def test_what_changed_is_compared_as_it_may_be_seen(
    one: tuple[SampleRun, list[str], int], other: tuple[SampleRun, list[str], int]
) -> None:
    before, after = view(one[0], "SYNDICAT"), view(other[0], "SYNDICAT")
    after.since = compared(before, after)
    for written in every_format(after, "en", True):
        assert SECRET.encode() not in written.lower()


# ---------------------------------------------------------------- nothing of its own is lost


@pytest.mark.parametrize("run", [fleet, decided])
def test_an_entity_sees_its_own_and_what_is_shared_with_it(run) -> None:
    made = run()
    shared, own = view(made, "EPCI"), view(made, "SYNDICAT")
    assert [f for f in made.findings() if f.subject.perimeter == "epci"] == list(shared.findings())
    assert list(own.findings()) == list(made.findings())
    assert list(own.hosts()) == list(made.hosts())
    assert {h.host for h in shared.hosts()} == {
        h.host for h in made.hosts() if h.host.startswith(("srv", "log")) or (run is fleet and h.host == "printer")
    }


@pytest.mark.parametrize("run", [fleet, decided])
def test_each_finding_stands_in_the_view_of_its_owner_with_the_same_outcome(run) -> None:
    made = run()
    by_owner = {name: {f.fingerprint: f.outcome for f in view(made, name).findings()} for name in entities(made)}
    for one in made.findings():
        assert by_owner[made.perimeters[one.subject.perimeter].owner][one.fingerprint] is one.outcome


def test_numbers_are_those_of_what_is_seen() -> None:
    seen = summary(view(fleet(), "EPCI"))
    assert (seen.hosts_expected, seen.checks_planned) == (20, 61)
    assert seen.hosts_measured == 19
    assert view(fleet(), "EPCI").header.hosts_inventoried == 20


def test_what_was_lost_may_be_ones_own_and_leaves_the_view_partial() -> None:
    run = fleet()
    whole = replace(run, header=replace(run.header, hosts_expected=len(run.all_hosts)))
    assert view(whole, "SYNDICAT").header.state == "complete"
    fewer = replace(whole, header=replace(whole.header, checks_planned=whole.header.checks_planned + 1))
    assert view(fewer, "SYNDICAT").header.state == "partial"
    gone = replace(whole, header=replace(whole.header, hosts_expected=99))
    assert view(gone, "SYNDICAT").header.state == "partial"
    nobodys = replace(whole, all_hosts=[*whole.all_hosts, HostSeen("stray", Unknown("timeout"), 0, 0)])
    assert view(nobodys, "SYNDICAT").header.state == "partial"
    assert "stray" not in {h.host for h in view(nobodys, "SYNDICAT").hosts()}


def test_who_advises_or_operates_anothers_own_system_does_not_see_it() -> None:
    theirs = Perimeter("p", "A", "exclusive", ("B",), "B", "B")
    assert sees("A", theirs)
    assert not sees("B", theirs)
    assert sees("B", replace(theirs, kind="shared"))
    assert not sees("C", replace(theirs, kind="shared"))


# ---------------------------------------------------------------- what stands in its place


def one_text(text: str, hidden: str, own: str = "web01") -> str:
    """What a finding of one's own says, where another's host is called so."""
    run = SampleRun(
        header(hosts_expected=2, checks_planned=2), CONTROLS, MEASURES, {"a": Perimeter("a", "A"), "b": Perimeter("b", "B")},
        [
            finding(1, Subject("host", own, "a"), "clock-synchronised", "fail", Reason("x[]", "equals", 1, 2, element=text)),
            finding(2, Subject("host", hidden, "b"), "clock-synchronised", "pass"),
        ],
        [HostSeen(own, None, 1, 1), HostSeen(hidden, None, 1, 1, known_as=("192.0.2.9",))],
    )  # fmt: skip
    (shown,) = view(run, "A").findings()
    return shown.reasons[0].element


@pytest.mark.parametrize(
    "text",
    [
        "nas-01",
        "NAS-01",
        "nas-01.town.example",
        "vm:nas-01 (10.0.0.4)",
        "job_nas-01_daily",
        "192.0.2.9",
        "[192.0.2.9]:514",
        "dynas-01x",
        "vmNAS-01data",
        "x192.0.2.9y",
    ],
)
def test_a_text_that_names_anothers_host_says_only_whose_it_is(text: str) -> None:
    assert one_text(text, "nas-01.town.example") == WITHHELD.format(owner="B")


@pytest.mark.parametrize("text", ["nas-010", "nas-1", "192.0.2.90", "1192.0.2.9", "web01", "nasal", "na\u0130s-0", ""])
def test_what_names_no_host_of_another_stays(text: str) -> None:
    assert one_text(text, "nas-01.town.example") == text


def test_ones_own_name_is_told_though_another_has_it_in_a_longer_one() -> None:
    assert one_text("nas (disk 2)", "nas.town.example", own="nas") == "nas (disk 2)"
    assert one_text("nas-2", "nas", own="nas-2") == "nas-2"
    assert one_text("vm of dynas-01x", "nas-01", own="dynas-01x") == "vm of dynas-01x"
    assert one_text("nas", "backup of the nas", own="nas") == "nas"


@pytest.mark.parametrize(
    ("hidden", "text"), [("mail", "mailbox"), ("proxy", "proxying"), ("pc", "upc"), ("42", "1421 42x")]
)
def test_an_everyday_word_within_a_longer_one_names_nothing(hidden: str, text: str) -> None:
    assert one_text(text, hidden) == text


def test_it_is_said_in_the_language() -> None:
    reason = Reason("collectors[].newest_hours", "at_most", 24, 90, element=WITHHELD.format(owner="CUA"))
    assert "a host of CUA" in told((reason,), voice("en"), True)[0]
    assert "une machine de CUA" in told((reason,), voice("fr"), True)[0]


# ---------------------------------------------------------------- the command


def test_the_json_of_a_view_is_a_run_document() -> None:
    document = json.loads(rendered(shelves.REPORTERS["json"], view(decided(), "EPCI"), voice("en")))
    assert document["run"]["hosts_expected"] == 1
    assert document["run"]["estate"] == "EPCI"
    assert [one["id"] for one in document["perimeters"]] == ["epci"]
    assert document["to_do"] == []
