"""The real `ip` in network namespaces of its own; each control passes once and fails once."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from documents import written
from namespaces import Told, ask, judged, need

from auditor.model import Outcome, Unknown
from auditor.probes.addresses import PROBE

pytestmark = [pytest.mark.root, pytest.mark.timeout(60)]

ZONE = {"networks": ["10.62.30.0/24", "2001:db8:30::/64"], "vlan": 30}
CASES = Path(__file__).parent.parent / "probes" / "addresses"

WIRE = """
mount --make-rprivate /
ip link set lo up
ip link add wire type veth peer name far
ip link set wire up
ip link set far up
"""


@pytest.fixture(autouse=True)
def _machine() -> None:
    need("ip")


def told(setup: str, args: Mapping[str, Any] = ZONE) -> Told:
    return ask(PROBE, "addresses", WIRE + setup, args)


def zone(answer: Told) -> Outcome | None:
    return judged(PROBE, "network", "host-address-in-its-declared-zone", answer.facts)


def tags(answer: Told) -> Outcome | None:
    return judged(PROBE, "network", "tagged-interfaces-in-declared-vlan", answer.facts)


def test_the_address_of_the_declared_zone_passes() -> None:
    answer = told("ip addr add 10.62.30.21/24 dev wire\nip route add default via 10.62.30.1\n")
    assert zone(answer) is Outcome.PASS
    assert tags(answer) is None
    assert {"address": "10.62.30.21", "interface": "wire", "kind": "veth", "in_zone": True} in answer.facts["addresses"]


@pytest.mark.parametrize("other", ["10.62.10.9/24", "10.62.10.9/32 scope link", "2001:db8:10::9/64 nodad"])
def test_an_address_of_another_zone_fails(other: str) -> None:
    answer = told(
        f"ip addr add 10.62.30.21/24 dev wire\nip addr add {other} dev wire\nip route add default via 10.62.30.1\n"
    )
    assert zone(answer) is Outcome.FAIL


def test_a_bridge_of_containers_is_not_judged_and_one_to_the_network_is() -> None:
    bridge = """
ip link add br0 type bridge
ip link add guest type veth peer name inside
ip link set guest master br0
ip addr add 172.17.0.1/16 dev br0
ip link set br0 up
ip addr add 10.62.30.21/24 dev wire
ip route add default via 10.62.30.1
"""
    answer = told(bridge)
    assert [a["address"] for a in answer.facts["local_addresses"]] == ["172.17.0.1"]
    assert zone(answer) is Outcome.PASS
    joined = told(bridge + "ip route del default\nip route add default via 172.17.0.2\n")
    assert zone(joined) is Outcome.FAIL


def test_a_host_without_any_address_does_not_pass() -> None:
    assert zone(told("")) is Outcome.FAIL


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_under_other_shells(shell: str) -> None:
    need(shell)
    answer = told(
        f"ip addr add 10.62.30.21/24 dev wire\nip route add default via 10.62.30.1\n"
        f"mount --bind $(readlink -f $(command -v {shell})) $(readlink -f /bin/sh)\n"
    )
    assert zone(answer) is Outcome.PASS


def test_the_ip_of_busybox_tells_addresses_but_no_tags() -> None:
    need("busybox")
    plain = """
ip addr add 10.62.30.21/24 dev wire
ip route add default via 10.62.30.1
ip tuntap add dev odd mode tun
mount --bind $(command -v busybox) $(readlink -f $(command -v ip))
"""
    answer = told(plain)
    assert [a["address"] for a in answer.facts["addresses"]] == ["10.62.30.21"]
    assert zone(answer) is Outcome.PASS
    assert isinstance(answer.facts["has_tagged"], Unknown)
    assert tags(answer) is Outcome.UNKNOWN


def test_without_any_ip_it_is_unknown() -> None:
    answer = told("mount -t tmpfs none /mnt\n: > /mnt/none\nmount --bind /mnt/none $(readlink -f $(command -v ip))\n")
    assert zone(answer) is Outcome.UNKNOWN


@pytest.mark.parametrize(("vlan", "outcome"), [(30, Outcome.PASS), (10, Outcome.FAIL)])
def test_a_real_tagged_interface(vlan: int, outcome: Outcome) -> None:
    link = "ip link add link wire name wire.7 type vlan id 7"
    tried = subprocess.run(["unshare", "-n", "sh", "-c", f"ip link add wire type veth && {link}"], capture_output=True)
    if tried.returncode != 0:
        pytest.skip("this kernel has no VLAN interfaces (module 8021q), and no package brings them")
    answer = told(
        f"ip link add link wire name wire.v type vlan id {vlan}\n"
        "ip link add link wire name wire.99 type vlan id 99\n"
        "ip addr add 10.62.30.21/24 dev wire.v\n"
    )
    assert [t["vlan"] for t in answer.facts["tagged"]] == [vlan, 99]
    assert tags(answer) is outcome


@pytest.mark.parametrize(("removed", "outcome"), [("", Outcome.FAIL), ("10.62.10.9", Outcome.PASS)])
def test_recorded_tagged_interfaces(removed: str, outcome: Outcome) -> None:
    """A recorded `ip -j` stands in where the kernel has no VLAN interfaces: the command's text and the control are real."""
    case = written((CASES / "tagged.yaml").read_text("utf-8"))
    recorded = case["answers"]["addresses"]["stdout"]
    if removed:
        recorded = recorded.replace(removed, "169.254.9.9")
    answer = told(
        f"mount -t tmpfs none /mnt\ncat > /mnt/ip <<'END'\n#!/bin/sh\ncat <<'JSON'\n{recorded}\nJSON\nEND\n"
        "chmod 755 /mnt/ip\nmount --bind /mnt/ip $(readlink -f $(command -v ip))\n"
    )
    assert tags(answer) is outcome
