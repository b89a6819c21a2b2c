"""How VPN servers authenticate, from the real texts that stand in their files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.model import Failure, Output
from auditor.readers import vpn


def told(text: str) -> vpn.Configured:
    return vpn.read(Output(0, text.encode(), b"", 0.0))


def test_what_failed_is_missing() -> None:
    assert vpn.read(Failure("no_privilege")).missing is not None


@pytest.mark.parametrize(
    "text", ["", "openvpn\t/x\n", "word\tserver\nend\n", "more\nend\n", "what\nend\n", "end\nmore\tx\n"]
)
def test_what_is_cut_or_of_another_shape_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        told(text)


@pytest.mark.parametrize(
    ("method", "proofs"),
    [
        ("pubkey", {"key"}),
        ("pubkey-sha256", {"key"}),
        ("ike:pubkey", None),
        ("rsa-2048", {"key"}),
        ("psk", set()),
        ("eap-mschapv2", {"password"}),
        ("eap-radius", None),
        ("xauth", {"password"}),
        ("xauth-pam", None),
        ("something", None),
    ],
)
def test_the_methods_of_ike(method: str, proofs: set[str] | None) -> None:
    found = told(f"swanctl\nswan\trw\tremote\t{method}\nend\n").servers[0].proofs
    assert found == proofs if proofs is not None else all(p.startswith("?") for p in found) and found


def test_sections_that_take_from_each_other_end() -> None:
    found = told("ipsec\nconn\ta\nset\talso\tb\nconn\tb\nset\talso\ta\nset\tauto\tadd\nend\n")
    assert {s.name for s in found.servers} == {"a", "b"}


def test_a_default_section_counts_last() -> None:
    text = "ipsec\nconn\t%default\nset\tauto\tadd\nset\trightauth\tpsk\nconn\ta\nset\talso\tb\nconn\tb\nset\trightauth\tpubkey\nend\n"
    assert {s.name: s.proofs for s in told(text).servers} == {"a": {"key"}, "b": {"key"}}


WORDS = st.sampled_from(
    "openvpn word wireguard ipsec conn set more swanctl swan ocserv auth sudo end server plugin also %default a remote pam ? \t \n".split(
        " "
    )
)


@given(st.lists(WORDS, max_size=30), st.text(max_size=20))
def test_no_text_raises_anything_else(words: list[str], tail: str) -> None:
    for text in ("\t".join(words) + tail, "\t".join(words).replace("\n\t", "\n") + "\nend\n"):
        try:
            told(text)
        except Unreadable:
            pass
