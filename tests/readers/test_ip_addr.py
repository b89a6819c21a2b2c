"""The text of `ip addr`, as three programs print it; and whatever else may come."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.readers import ip_addr
from auditor.readers.ip_addr import Interface

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ifname", "linkinfo", "info_kind", "info_data", "id", "addr_info", "local", "master"]),
            inner,
        )
    ),
    max_leaves=12,
)


def test_a_vlan_over_a_port() -> None:
    text = json.dumps(
        [
            {"ifname": "e0", "link_type": "ether", "addr_info": []},
            {
                "ifname": "e0.5",
                "link": "e0",
                "master": "br5",
                "link_type": "ether",
                "linkinfo": {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": 5}},
                "addr_info": [{"family": "inet", "local": "10.0.0.1", "prefixlen": 32, "address": "10.0.0.2"}],
            },
            {},
        ]
    )
    assert ip_addr.read(text) == (
        Interface("e0", "physical"),
        Interface("e0.5", "vlan", "e0", "br5", 5, ("10.0.0.1",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"ifname": "br0", "linkinfo": {"info_kind": "bridge", "info_data": {"vlan_filtering": 1}}}]),
        json.dumps([{"ifname": "br0", "linkinfo": {"info_kind": "openvswitch"}}]),
        "2: br0: <BROADCAST,UP> mtu 1500\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0\n"
        "    bridge forward_delay 1500 vlan_filtering 1 vlan_protocol 802.1Q",
    ],
)
def test_a_switch_with_a_table_of_vlans(text: str) -> None:
    assert [i.filters for i in ip_addr.read(text)] == [True]
    plain = text.replace('": 1', '": 0').replace("filtering 1", "filtering 0").replace("openvswitch", "bridge")
    assert [i.filters for i in ip_addr.read(plain)] == [False]


def test_the_text_of_a_bridge_port_and_of_a_tunnel() -> None:
    text = (
        "2: v1@t0: <BROADCAST> mtu 1500 qdisc noop master br0 state DOWN\n"
        "    link/ether b2:b2:3b:7d:c5:5b brd ff:ff:ff:ff:ff:ff promiscuity 1  minmtu 68\n"
        "    veth \n"
        "    bridge_slave state disabled priority 32\n"
        "5: tun9: <POINTOPOINT,NOARP> mtu 1500 qdisc noop state DOWN\n"
        "    link/none  promiscuity 0  minmtu 68\n"
        "    tun type tun pi off\n"
        "    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun9\n"
        "6: e1: <BROADCAST> mtu 1500 qdisc noop master br0 state DOWN\n"
        "    link/ether b2:b2:3b:7d:c5:5c brd ff:ff:ff:ff:ff:ff promiscuity 1\n"
        "    bridge_slave state disabled\n"
    )
    assert ip_addr.read(text) == (
        Interface("v1", "veth", "t0", "br0"),
        Interface("tun9", "tun", addresses=("10.8.0.1",)),
        Interface("e1", "physical", master="br0"),
    )


@pytest.mark.parametrize("text", ["", "[]", "[{}]", "[1]", "sh: ip: not found", "[" * 100000, "[" + "9" * 5000 + "]"])
def test_what_is_no_list_of_interfaces(text: str) -> None:
    with pytest.raises(Unreadable):
        ip_addr.read(text)


@given(st.lists(JSON, max_size=3))
def test_no_json_breaks_it(document: object) -> None:
    try:
        ip_addr.read(json.dumps(document))
    except Unreadable:
        pass


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    try:
        ip_addr.read("1: lo: <UP> mtu 1\n" + text)
    except Unreadable:
        pass
