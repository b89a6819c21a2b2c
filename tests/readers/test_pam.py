"""PAM stacks as libpam walks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Unknown
from auditor.readers import pam
from auditor.readers.files import Files
from auditor.readers.pam import asked

BOB = pam.Who("bob", 1000, local=True, groups=frozenset({"bob"}))


def proofs(text: str, who: pam.Who = BOB, **others: str) -> set[frozenset[str]]:
    texts = {"/etc/pam.d/sshd": text, **{f"/etc/pam.d/{n}": t for n, t in others.items()}}
    entries = pam.stack(texts, "sshd")
    assert not isinstance(entries, Unknown), entries
    found = pam.paths(entries, who)
    assert not isinstance(found, Unknown), found
    return {p.proofs for p in found}


def sets(*each: str) -> set[frozenset[str]]:
    return {frozenset(one.split()) for one in each}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auth required pam_unix.so", sets("password")),
        (
            "auth [success=2 default=ignore]\tpam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so",
            set(),
        ),
        (
            "auth [success=1 default=ignore]\tpam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so",
            sets("password"),
        ),
        (
            "auth [ success = 1  default = ignore ] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so",
            sets("password"),
        ),
        ("auth required pam_unix.so\nauth required pam_oath.so", sets("password token")),
        ("auth required pam_unix.so\nauth optional pam_oath.so", sets("password", "password token")),
        ("auth sufficient pam_unix.so\nauth required pam_oath.so", sets("password", "token")),
        ("auth required pam_oath.so\nauth sufficient pam_unix.so", sets("token", "password token")),
        ("auth requisite pam_unix.so\nauth sufficient pam_permit.so\nauth required pam_oath.so", sets("password")),
        ("auth sufficient pam_rootok.so\nauth required pam_unix.so", sets("")),
        ("auth required /usr/lib/security/pam_unix.so", sets("password")),
        ("auth required \\\n pam_unix.so # not pam_oath.so", sets("password")),
        ("-auth required pam_oath.so\nauth required pam_unix.so", sets("password token", "password")),
        ("AUTH Required pam_unix.so", sets("password")),
        ("account required pam_permit.so\nsession required pam_oath.so", set()),
        ("auth required pam_env.so", sets("")),
        (
            "auth required pam_faillock.so preauth\nauth sufficient pam_unix.so\nauth [default=die] pam_faillock.so authfail",
            sets("password"),
        ),
        ("auth [default=reset] pam_deny.so\nauth required pam_unix.so", sets("password")),
    ],
)
def test_paths(text: str, expected: set[frozenset[str]]) -> None:
    assert proofs(text) == expected


def test_include_is_textual_and_substack_ends_on_its_own() -> None:
    inner = "auth sufficient pam_unix.so\nauth required pam_deny.so"
    assert proofs("auth include inner\nauth required pam_oath.so", inner=inner) == sets("password")
    assert proofs("auth substack inner\nauth required pam_oath.so", inner=inner) == sets("password token")


def test_a_jump_counts_a_substack_as_one() -> None:
    text = "auth [success=1 default=ignore] pam_unix.so\nauth substack inner\nauth required pam_oath.so"
    inner = "auth required pam_deny.so\nauth required pam_deny.so"
    assert proofs(text, inner=inner) == sets("password token")


def test_files_that_include_each_other_are_unreadable() -> None:
    texts = {"/etc/pam.d/sshd": "@include a", "/etc/pam.d/a": "@include sshd"}
    found = pam.stack(texts, "sshd")
    assert isinstance(found, Unknown) and found.cause == "unreadable"


def test_a_service_without_a_file_falls_to_other() -> None:
    entries = pam.stack({"/etc/pam.d/other": "auth required pam_deny.so"}, "sshd")
    assert not isinstance(entries, Unknown)
    assert pam.paths(entries, BOB) == frozenset()
    assert isinstance(pam.stack({}, "sshd"), Unknown)


def test_who_decides_the_conditions_that_can_be_told() -> None:
    text = "auth requisite pam_unix.so\nauth [success=1 default=ignore] pam_succeed_if.so user ingroup {}\nauth required pam_oath.so"
    assert proofs(text.format("bob")) == sets("password")
    assert proofs(text.format("staff")) == sets("password token")


def test_an_account_of_a_directory_cannot_use_pam_unix() -> None:
    text = "auth sufficient pam_unix.so\nauth required pam_oath.so"
    assert proofs(text, pam.Who("dora", None, local=False)) == sets("token")


def test_empty_passwords_are_no_proof() -> None:
    who = pam.Who("bob", 1000, local=True, empty_password_allowed=True)
    assert proofs("auth required pam_unix.so nullok", who) == sets("password", "")
    assert proofs("auth required pam_unix.so", who) == sets("password")


def weakest(*paths: tuple[str, str], beside: str = "") -> bool | Unknown:
    found = frozenset(pam.Path(frozenset(p.split()), gate) for p, gate in paths)
    return pam.weakest(found, frozenset(beside.split()))[0]


def test_the_weakest_path_decides() -> None:
    assert weakest(("password token", "")) is True
    assert weakest(("password token", ""), ("password", "")) is False
    assert weakest(("password", ""), beside="key") is True
    assert isinstance(weakest(("password token", ""), ("password", "pam_access")), Unknown)
    assert weakest(("token", "pam_access"), ("password", "pam_access")) is False
    assert isinstance(weakest(("password ?pam_duo", "")), Unknown)
    assert weakest(("password ?pam_duo", ""), ("password", "")) is False


WORDS = st.sampled_from(
    "auth account -auth required requisite sufficient optional include substack @include sshd other [success=1 [default=ignore] "
    "[success=9999999999] [] pam_unix.so pam_oath.so nullok pam_permit.so pam_deny.so pam_succeed_if.so user ingroup \\ # \x00 \n".split(
        " "
    )
)


@given(st.lists(WORDS, max_size=40), st.text(max_size=40))
def test_no_text_raises(words: list[str], tail: str) -> None:
    texts: Mapping[str, str] = {
        "/etc/pam.d/sshd": " ".join(words) + "\n" + tail,
        "/etc/pam.d/other": "auth required pam_unix.so",
    }
    entries = pam.stack(texts, "sshd")
    if not isinstance(entries, Unknown):
        pam.paths(entries, BOB)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("id=* debug", True),
        ("cue", None),  # of another module
        ("id=* alwaysok", False),
        ("id=* nullok", None),  # whether root is enrolled was not told
        ("grace_period=*", None),
        ("brand_new", None),
        ("*", None),
    ],
)
def test_an_option_that_may_let_through_leaves_it_open(options: str, expected: bool | None) -> None:
    entries = pam.stack(
        {"/etc/pam.d/sshd": f"auth required pam_unix.so\nauth required pam_yubico.so {options}"}, "sshd"
    )
    assert not isinstance(entries, Unknown)
    found = pam.paths(entries, pam.Who("root", 0, True))
    assert not isinstance(found, Unknown)
    two = pam.weakest(found, frozenset())[0]
    assert isinstance(two, Unknown) if expected is None else two is expected


def test_every_module_that_takes_a_token_has_its_options() -> None:
    assert set(pam.HARMLESS) == pam.TOKEN
    assert not any(
        {*pam.OPTIONAL_TOKEN, *pam.NO_TOKEN} & names or "grace_period" in names for names in pam.HARMLESS.values()
    )


def judged(text: str, who: pam.Who) -> bool | Unknown:
    entries = pam.stack({"/etc/pam.d/sshd": text}, "sshd")
    assert not isinstance(entries, Unknown)
    found = pam.paths(entries, who)
    assert not isinstance(found, Unknown)
    return pam.weakest(found, frozenset())[0]


GOOGLE = frozenset({"pam_google_authenticator"})


def test_nullok_lets_through_only_who_is_not_enrolled() -> None:
    text = "auth required pam_unix.so\nauth required pam_google_authenticator.so nullok"
    assert judged(text, replace(BOB, has=GOOGLE)) is True
    assert judged(text, replace(BOB, lacks=GOOGLE)) is False
    untold = judged(text, BOB)
    assert isinstance(untold, Unknown) and "bob is enrolled" in untold.detail


def test_an_enrolled_user_is_let_through_by_alwaysok_all_the_same() -> None:
    text = "auth required pam_unix.so\nauth required pam_u2f.so alwaysok"
    assert judged(text, replace(BOB, has=frozenset({"pam_u2f"}))) is False


def test_a_control_that_passes_over_unknown_users_is_no_second_factor_for_them() -> None:
    text = "auth required pam_unix.so\nauth [user_unknown=ignore success=ok default=die] pam_oath.so usersfile=*"
    assert judged(text, replace(BOB, has=frozenset({"pam_oath"}))) is True
    assert judged(text, replace(BOB, lacks=frozenset({"pam_oath"}))) is False
    assert isinstance(judged(text, BOB), Unknown)


def test_a_locked_password_opens_nothing() -> None:
    text = "auth sufficient pam_unix.so nullok\nauth required pam_oath.so"
    assert proofs(text, replace(BOB, no_password=True, empty_password_allowed=True)) == sets("token")


def test_who_calls_su_is_not_root() -> None:
    text = "auth sufficient pam_rootok.so\nauth required pam_unix.so"
    assert proofs(text, replace(BOB, called_by_root=False)) == sets("password")


@pytest.mark.parametrize("code", ["authinfo_unavail", "module_unknown", "session_err", "service_err"])
def test_a_control_that_lets_past_what_does_not_answer_leaves_it_open(code: str) -> None:
    who = replace(BOB, has=frozenset({"pam_yubico"}))
    text = "auth requisite pam_unix.so\nauth [success=ok {}=ignore default=die] pam_yubico.so"
    entries = pam.stack({"/etc/pam.d/sshd": text.format(code)}, "sshd")
    assert not isinstance(entries, Unknown)
    found = pam.paths(entries, who)
    assert not isinstance(found, Unknown)
    assert isinstance(pam.weakest(found, frozenset())[0], Unknown)
    assert proofs(text.format(code).replace("=ignore", "=die"), who) == sets("password token")


SSS, UNIX, DENY = (
    "auth sufficient pam_sss.so cached_login\n",
    "auth required pam_unix.so\n",
    "auth required pam_deny.so\n",
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sshd": SSS}, True),
        ({"sshd": UNIX}, False),
        ({"sshd": UNIX, "other": UNIX}, False),
        ({"sshd": UNIX, "other": DENY}, False),
        (
            {"sshd": UNIX, "other": SSS},
            None,
        ),  # login, without a file, would ask as other does: nobody told whether it is there
        ({"sshd": UNIX, "other": "@include nowhere\n"}, None),
        ({"sshd": "", "other": SSS}, True),  # no line of its own: other decides
        ({"sshd": "", "other": DENY}, False),
        ({"sshd": ""}, None),
        ({**dict.fromkeys(asked.DOORS, UNIX), "other": SSS}, False),
        ({"other": SSS}, None),
        ({}, False),
    ],
)
def test_what_a_door_without_a_file_asks(files: dict[str, str], expected: bool | None) -> None:
    told = Files({f"/etc/pam.d/{name}": text for name, text in files.items()})
    for found in (asked.asks("pam_sss", told), asked.has_option("pam_sss", "cached_login", told)):
        assert (None if isinstance(found, Unknown) else found) is expected
