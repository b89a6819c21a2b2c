"""What `sshd -T` prints, and the lists that bar users."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.readers import sshd

USEPAM = {"usepam": ("yes",), "pubkeyauthentication": ("yes",), "kbdinteractiveauthentication": ("yes",)}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({**USEPAM}, (("publickey",), ("keyboard-interactive",))),
        ({**USEPAM, "usepam": ("no",)}, (("publickey",),)),
        ({**USEPAM, "authenticationmethods": ("any",)}, (("publickey",), ("keyboard-interactive",))),
        (
            {**USEPAM, "authenticationmethods": ("publickey,keyboard-interactive:pam",)},
            (("publickey", "keyboard-interactive"),),
        ),
        ({**USEPAM, "authenticationmethods": ("publickey,password publickey",)}, (("publickey",),)),
        (
            {**USEPAM, "authenticationmethods": ("publickey,password", "publickey,publickey")},
            (("publickey", "publickey"),),
        ),
        ({}, ()),
    ],
)
def test_alternatives(settings: sshd.Settings, expected: tuple[tuple[str, ...], ...]) -> None:
    assert sshd.alternatives(settings) == expected


@pytest.mark.parametrize(
    ("settings", "user", "address", "groups", "expected"),
    [
        ({}, "bob", "10.0.0.1", frozenset(), False),
        ({"denyusers": ("b*",)}, "bob", "10.0.0.1", None, True),
        ({"denyusers": ("b?b",)}, "bob", "10.0.0.1", None, True),
        ({"allowusers": ("alice", "bob")}, "bob", "10.0.0.1", None, False),
        ({"allowusers": ("alice",)}, "bob", "10.0.0.1", None, True),
        ({"allowusers": ("bob@10.0.0.0/8",)}, "bob", "10.0.0.1", None, False),
        ({"allowusers": ("bob@10.0.0.0/8",)}, "bob", "192.0.2.1", None, True),
        ({"allowusers": ("bob@10.*",)}, "bob", "10.1.2.3", None, False),
        ({"allowusers": ("bob@bastion.example",), "usedns": ("yes",)}, "bob", "192.0.2.1", None, False),
        ({"allowusers": ("bob@bastion.example",), "usedns": ("no",)}, "bob", "192.0.2.1", None, True),
        ({"denyusers": ("bob@bastion.example",), "usedns": ("yes",)}, "bob", "192.0.2.1", None, False),
        ({"allowgroups": ("ssh",)}, "bob", "10.0.0.1", frozenset({"bob"}), True),
        ({"allowgroups": ("ssh",)}, "bob", "10.0.0.1", None, False),
        ({"allowgroups": ("s*",)}, "bob", "10.0.0.1", frozenset({"ssh"}), False),
        ({"denygroups": ("ssh",)}, "bob", "10.0.0.1", frozenset({"ssh"}), True),
    ],
)
def test_barred(
    settings: sshd.Settings, user: str, address: str, groups: frozenset[str] | None, expected: bool
) -> None:
    assert sshd.barred(settings, user, address, groups) is expected


@pytest.mark.parametrize(
    ("line", "otherwise"),
    [
        ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", False),
        ("/usr/sbin/sshd -D -oCiphers=a,b -o MACs=x", False),
        ("/usr/sbin/sshd -f /etc/ssh/sshd_config", False),
        ("/usr/sbin/sshd -f /root/x", True),
        ("/usr/sbin/sshd -Df /root/x", True),
        ("/usr/sbin/sshd -D -oPermitRootLogin=yes", True),
        ("/usr/sbin/sshd -D -o PermitRootLogin=yes", True),
        ("/usr/local/sbin/sshd -D", True),
        ("/usr/sbin/sshd -p 2222", False),
    ],
)
def test_a_server_started_otherwise_is_seen(line: str, otherwise: bool) -> None:
    asked = sshd.read(f"sshd\t/usr/sbin/sshd\nprocess\t{line}\nvary\t\nend\n")
    assert bool(asked.started_otherwise) is otherwise


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sshd\tnone\n",
        "end\n",
        "sshd\t/usr/sbin/sshd\nrc\t0\nend\n",
        "sshd\t/x\ncontext\troot\t1\t2\n=\ta b\nrc\t0\nend\n",
        "sshd\t/x\ncontext\troot\t1\t2\t3\n=\ta b\nend\n",
        "sshd\t/x\nkeys\t/root/x\t99999999999999999999\t0\t0\nend\n",
    ],
)
def test_a_cut_answer_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        sshd.read(text)


def test_an_answer_without_its_main_words_is_an_error_not_of_the_configuration() -> None:
    asked = sshd.read("sshd\t/x\ncontext\troot\t1\t2\t3\n=\tusepam yes\nrc\t0\nend\n")
    assert asked.contexts[0].error and not asked.contexts[0].error_of_configuration


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_glob_reads_as_fnmatch_does(pattern: str, text: str) -> None:
    assert sshd.glob(pattern, text) == bool(re.fullmatch(fnmatch.translate(pattern), text))


def test_glob_takes_no_time() -> None:
    assert sshd.glob("*a" * 100 + "b", "a" * 5000) is False


@given(
    st.lists(
        st.sampled_from(
            ["sshd\tx", "context\ta\tb\tc\td", "=\tusepam yes", "!\tx", "same", "rc\t0", "vary\t user", "\x85", "end"]
        )
    )
)
def test_no_text_raises_anything_else(lines: list[str]) -> None:
    try:
        sshd.read("\n".join([*lines, "end"]))
    except Unreadable:
        pass


@pytest.mark.parametrize(
    ("pattern", "address", "inside"),
    [
        ("10.0.0.0/8,192.168.0.0/16", "192.168.4.1", True),
        ("10.0.0.0/8,192.168.0.0/16", "192.0.2.1", False),
        ("10.*,192.168.*", "192.168.4.1", True),
        ("!10.0.0.0/8,*", "203.0.113.1", True),
        ("*,!10.0.0.0/8", "10.2.0.1", False),
        ("!10.0.0.0/8", "203.0.113.1", False),
    ],
)
def test_a_list_of_hosts_behind_a_name(pattern: str, address: str, inside: bool) -> None:
    assert sshd.within(address, pattern) is inside
    assert sshd.barred({"allowusers": (f"bob@{pattern}",)}, "bob", address, frozenset()) is not inside
    assert sshd.barred({"denyusers": (f"bob@{pattern}",)}, "bob", address, frozenset()) is inside


def test_a_list_that_leaves_out_a_name_is_open_where_names_are_looked_up() -> None:
    settings = {"usedns": ("yes",), "denyusers": ("bob@!inside.example,*",)}
    assert sshd.barred(settings, "bob", "203.0.113.1", frozenset()) is False
