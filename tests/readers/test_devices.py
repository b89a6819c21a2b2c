"""Device files: what they say is told with its line, what they do not say is unknown, and no secret is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make import make_host

from auditor.errors import Unreadable
from auditor.kinds import Probe, Settings
from auditor.model import Output, Partial, Unknown
from auditor.probes import device_administration, device_services
from auditor.readers.masks import MASKS
from auditor.transports import tree

DATA = Path(__file__).parents[1] / "data" / "devices"
PROBES = (device_administration.PROBE, device_services.PROBE)


def told(probe: Probe, platform: str, file: Path) -> Mapping[str, Any]:
    dialect = probe.trees[platform]
    commands = dialect.commands({})
    host = make_host(connection="tree", tree=str(file), platform=platform)
    answers = dict(tree.open_(Settings(time.time))(host, tuple(commands.values()), 30.0))
    return dialect.parse({name: answers[c] for name, c in commands.items()}, {})


def of(text: str, probe: Probe, platform: str) -> Mapping[str, Any]:
    masked = MASKS[platform](text.encode())
    return probe.trees[platform].parse({"device": Output(0, b"F %d 0 \n%b\n" % (len(masked), masked), b"", 0.0)}, {})


def doors(fact: Any) -> list[tuple[str, str, str]]:
    return [(d["service"], d["on"], *d["where"]) for d in (fact.items if isinstance(fact, Partial) else fact)]


def test_what_an_ios_device_opens() -> None:
    facts = told(PROBES[0], "cisco_ios", DATA / "sw01.cfg")
    assert doors(facts["cleartext"]) == [
        ("telnet", "line vty 5 15", ":66"), ("snmp v1/v2c", "community 1", ":48"), ("snmp v1/v2c", "community 2", ":49"),
    ]  # fmt: skip
    assert doors(facts["from_anywhere"]) == [
        ("vty", "line vty 5 15", ":66"), ("snmp", "community 2", ":49"), ("web", "ip http secure-server", ":45"),
    ]  # fmt: skip
    assert facts["by_name"] is True


def test_what_a_fortios_device_opens() -> None:
    facts = told(PROBES[0], "fortios", DATA / "fw01.conf")
    assert doors(facts["cleartext"]) == [
        ("http", "wan1", ":11"), ("telnet", "wan1", ":11"), ("snmp v1/v2c", "community 1", ":36"),
    ]  # fmt: skip
    assert doors(facts["from_anywhere"]) == [("admin", "account 1", ":18")]
    assert [(a["account"], a["two_factors"], a["bound"]) for a in facts["administrators"]] == [
        ("admin", False, False), ("ops", True, True),
    ]  # fmt: skip


def test_ports_logs_and_time() -> None:
    facts = told(PROBES[1], "cisco_ios", DATA / "sw01.cfg")
    assert [(p["port"][-1], p["mode"], p["untagged"], p["carries_all"]) for p in facts["ports"]] == [
        ("1", "access", 20, False), ("2", "access", 1, False), ("3", "trunk", 999, False), ("4", "trunk", 1, True),
    ]  # fmt: skip
    assert [(t["address"], t["encrypted"]) for t in facts["log_targets"]] == [("192.0.2.50", False)]
    assert [(t["address"], t["encrypted"]) for t in facts["time_sources"]] == [("192.0.2.51", True)]
    facts = told(PROBES[1], "fortios", DATA / "fw01.conf")
    assert [t["address"] for t in (*facts["log_targets"], *facts["time_sources"])] == ["192.0.2.50", "192.0.2.51"]
    assert isinstance(facts["ports"], Unknown)


@pytest.mark.parametrize(("platform", "file"), [("cisco_ios", "sw01.cfg"), ("fortios", "fw01.conf")])
def test_no_secret_is_kept(platform: str, file: str) -> None:
    raw = (DATA / file).read_bytes()
    kept = MASKS[platform](raw)
    assert raw.count(b"canary") > 5
    assert b"canary" not in kept
    assert kept.count(b"\n") == raw.count(b"\n"), "lines keep their numbers"


@pytest.mark.parametrize(("platform", "file"), [("cisco_ios", "sw01.cfg"), ("fortios", "fw01.conf")])
@pytest.mark.parametrize("probe", PROBES)
def test_a_file_that_was_cut_proves_nothing_absent(probe: Probe, platform: str, file: str) -> None:
    lines = (DATA / file).read_text().splitlines(keepends=True)
    for end in range(len(lines) - 3):
        for fact in of("".join(lines[:end]), probe, platform).values():
            assert isinstance(fact, Partial | Unknown | bool)


@pytest.mark.parametrize(
    ("text", "fact"),
    [("line vty 0 4\n login\nend\n", "cleartext"), ("line vty 0 4\n transport input ssh\nend\n", "cleartext"), ("end\n", "from_anywhere")],
)  # fmt: skip
def test_a_default_that_is_not_shown_is_unknown(text: str, fact: str) -> None:
    assert isinstance(of(text, PROBES[0], "cisco_ios")[fact], Partial)


WORDS = [
    *DATA.joinpath("sw01.cfg").read_text().splitlines(),
    *DATA.joinpath("fw01.conf").read_text().splitlines(),
    " ",
    '"',
    "\0",
    "set",
    "edit",
]


@given(
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=20)), max_size=30).map("\n".join),
    st.sampled_from(["cisco_ios", "fortios"]),
)
def test_nothing_raises_but_unreadable(text: str, platform: str) -> None:
    def read(probe: Probe) -> object:
        return of(text.encode("utf-8", "replace").decode(), probe, platform)

    for probe in PROBES:
        try:
            read(probe)
        except Unreadable:
            continue
