"""Answers and failures to troubles, groups and commands: tables, without any host."""

from __future__ import annotations

import base64
import shlex
from typing import get_args

import pytest
from make import hello, make_host, output
from sample_run import HOSTILE, voice

from auditor.cures import CURES, Called, Step, Trouble, cure, in_one
from auditor.diagnosis import alike, candidates, groups, lines, seen
from auditor.framing.sh import HELLO, elevated_text, elevation, question
from auditor.model import CAUSES, Answer, Command, Failure, Host, Hurdle, Obstacle, Output

EN, FR = voice("en"), voice("fr")
ASKED = elevation(())
CALLED = Called(
    "auditor doctor -i town --candidate-keys candidate_keys",
    "auditor collector install-files collector-files",
    "auditor list hosts",
)
KEY = ("ssh-ed25519", b"\x00\x00\x00\x0bssh-ed25519 key")


def host(id: str = "srv01", **changes: object) -> Host:
    return make_host(id, **{"address": f"{id}.invalid", "user": "audit", **changes})


def trouble_of(told: dict[Command, Answer], **changes: object) -> Trouble | None:
    return seen(host(**changes), told, ASKED).trouble


def obstacle(hurdle: Hurdle, **changes: object) -> Obstacle:
    return Obstacle(**{"hurdle": hurdle, "address": "10.0.0.1", "port": 2222, "user": "audit", "name": "[10.0.0.1]:2222",
                       "files": ("~/.ssh/known_hosts",), **changes})  # type: ignore[arg-type]  # fmt: skip


# ---------------------------------------------------------------- one host


@pytest.mark.parametrize(
    ("first", "elevated", "kind"),
    [
        (hello(), output("0\n"), None),
        (hello(), output("1000\n"), "sudo"),
        (hello(), output("", 1), "sudo"),
        (hello(), None, "not_asked"),
        (hello(), Failure("no_privilege", "sudo: a password is required", 0.0, Obstacle("sudo")), "sudo"),
        (hello(), Failure("no_privilege", "no sudo", 0.0, Obstacle("no_sudo")), "no_sudo"),
        (hello(), Failure("no_privilege", "older", 0.0, Obstacle("old_text")), "old_text"),
        (hello(), Failure("timeout", "no answer within 5 s"), "sudo"),
        (hello(), Failure("closed", "gone"), "closed"),
        (hello(), Failure("framing", "no answer"), "shell"),
        (hello(), Failure("truncated", "too long"), "truncated"),
        (hello("FreeBSD"), output("0\n"), "other_platform"),
        (Failure("framing", "no answer"), Failure("framing", "no answer"), "shell"),
        (Failure("unreachable", "?", 0.0, Obstacle("name")), Failure("unreachable"), "name"),
        (Failure("unreachable", "?"), Failure("unreachable"), "unreachable"),
        (Failure("host_key", "?", 0.0, obstacle("key_unknown", key=KEY)), Failure("host_key"), "key_unknown"),
        (Failure("host_key", "?", 0.0, obstacle("key_unknown")), Failure("host_key"), "key_untold"),
        (Failure("timeout", "?"), Failure("timeout"), "timeout"),
        (Failure("no_transport", "winrm"), Failure("no_transport"), "no_transport"),
    ],
)
def test_what_answers_come_to(first: Answer, elevated: Answer | None, kind: str | None) -> None:
    told = {HELLO: first, **({ASKED: elevated} if elevated else {})}
    found = trouble_of(told)
    assert (found.kind if found else None) == kind


def test_silence_is_not_health() -> None:
    """No answer at all, to either question, is a trouble; only a host that must not become root may go without."""
    assert trouble_of({}) is not None
    assert trouble_of({HELLO: hello()}) is not None
    assert trouble_of({HELLO: hello()}, become=False) is None
    assert trouble_of({HELLO: Failure("closed")}, become=False) is not None


def machine(id: str, name: str, machine_id: str, root: str = "0") -> object:
    told = {HELLO: Output(0, f"Linux\n{name}\n0\n1795000000\n{machine_id}\n".encode(), b"", 0.0), ASKED: output(root)}
    return seen(host(id), told, ASKED)


def test_one_machine_under_several_names() -> None:
    one, other = "a" * 32, "b" * 32
    given = [machine("a", "n1", one), machine("b", "n1", one, "1000"), machine("c", "n2", one), machine("d", "n1", other),
             machine("e", "n3", ""), machine("f", "n3", "")]  # fmt: skip
    kinds = {s.host.id: s.trouble.kind if s.trouble else "" for s in alike(given)}  # type: ignore[arg-type]
    assert kinds == {"a": "same_machine", "b": "same_machine", "c": "", "d": "", "e": "", "f": ""}


# ---------------------------------------------------------------- groups and words


def test_every_hurdle_and_every_cause_has_a_title_and_advice_in_both_languages() -> None:
    for kind in (*get_args(Hurdle), *CAUSES, *CURES):
        for by in (EN, FR):
            found = cure(kind)
            assert by.say(found.title)
            assert by.say(found.advice)
    assert set(get_args(Hurdle)) <= set(CURES)


@pytest.mark.parametrize("kind", sorted({*get_args(Hurdle), *CAUSES, *CURES}))
def test_whatever_stands_in_the_data_a_command_is_words_and_a_line_inert(kind: str) -> None:
    """What an inventory or a host says never becomes shell."""
    evil = "x'; touch /tmp/pwned; echo '$(id) \x1b[31m"
    for at in (None, obstacle("silent", address=evil, user=evil, name=evil, files=(evil,), bastion=True, key=KEY)):
        troubles = [
            Trouble(
                host(f"h{n}", address=f"{evil}{n}", user=evil, key_file=evil, proxy_jump=evil), kind, HOSTILE, at, "#1"
            )
            for n in range(3)
        ]
        for group in groups(troubles):
            for line in lines(group, Called("again", "text", "hosts", evil), FR):
                assert line.isprintable() or "\u202f" in line or "\xa0" in line, ascii(line)
            step = cure(kind).step(troubles[0], Called("again", "text", "hosts", "file"))
            if step:
                words = shlex.split(in_one(step.before, (step.word,), step.after), comments=False)
                assert "touch" not in words


def test_groups_go_by_kind_and_bastion_in_the_order_of_the_way_in() -> None:
    given = [
        Trouble(host("b"), "sudo"),
        Trouble(host("a"), "closed"),
        Trouble(host("c"), "port", obstacle=obstacle("port", bastion=True)),
        Trouble(host("d"), "port", obstacle=obstacle("port")),
        Trouble(host("e"), "port", obstacle=obstacle("port", bastion=True)),
        Trouble(host("f"), "name"),
    ]
    found = [(g.kind, g.bastion, [t.host.id for t in g.troubles]) for g in groups(given)]
    assert found == [
        ("name", "", ["f"]),
        ("port", "", ["d"]),
        ("port", "10.0.0.1:2222", ["c", "e"]),
        ("sudo", "", ["b"]),
        ("closed", "", ["a"]),
    ]
    assert (
        lines(groups(given)[2], CALLED, EN)[0] == "At the bastion 10.0.0.1:2222: nothing listens at the port: 2 × c, e"
    )


def commands(*troubles: Trouble, called: Called = CALLED) -> list[str]:
    (group,) = groups(troubles)
    return [line.strip() for line in lines(group, called, EN) if line.startswith("    ")]


def test_one_command_for_all_hosts_as_far_as_they_differ_in_one_word() -> None:
    """By the name that the inventory and ssh_config know, with the port that was found; a bastion by its address."""
    login = obstacle("login")
    assert commands(Trouble(host("a"), "login", "", login)) == ["ssh-copy-id -p 2222 audit@a.invalid"]
    assert commands(*(Trouble(host(h), "login", "", login) for h in "ab")) == [
        'for h in audit@a.invalid audit@b.invalid; do ssh-copy-id -p 2222 "$h"; done'
    ]
    other = Trouble(host("b"), "login", "", obstacle("login", port=22))
    assert commands(Trouble(host("a"), "login", "", login), other) == [
        "ssh-copy-id -p 2222 audit@a.invalid",
        "ssh-copy-id audit@b.invalid",
    ]
    assert commands(Trouble(host("a", proxy_jump="gate"), "login", "", obstacle("login", bastion=True))) == [
        "ssh-copy-id -p 2222 audit@10.0.0.1"
    ]
    assert commands(Trouble(host("a", proxy_jump="gate", key_file="~/my key"), "login", "", login)) == [
        "ssh-copy-id -i ~/'my key' -p 2222 -o ProxyJump=gate audit@a.invalid"
    ]
    many = [Trouble(host(f"h{n}"), "login", "", obstacle("login", port=n)) for n in range(1, 9)]
    assert commands(*many)[2:] == ["ssh-copy-id -p 3 audit@h3.invalid", "and 5 more like these"]


def test_who_gets_a_rule_of_sudo() -> None:
    """The user that logs in; by number where only the host's answer tells."""
    at = Obstacle("sudo")
    assert "echo 'audit ALL=" in commands(Trouble(host(), "sudo", "", at))[0]
    told = {HELLO: Output(0, b"Linux\nn\n1001\n1\n\n", b"", 0.0), ASKED: Failure("no_privilege", "no", 0.0, at)}
    found = seen(host(user=""), told, ASKED).trouble
    assert found
    assert "echo '#1001 ALL=" in commands(found)[0]


def test_what_hosts_said_is_grouped_and_cut() -> None:
    given = [Trouble(host(f"h{n}"), "closed", words) for n, words in enumerate(["a", "a", "b", "c", "d", "e" * 999])]
    told = lines(groups(given)[0], CALLED, EN)
    assert told[1:5] == ["  h[0-1]: a", "  h2: b", "  h3: c", "  and 2 more like these"]


# ---------------------------------------------------------------- candidate keys


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("10.0.0.1", True), ("[10.0.0.1]:2222", True), ("[fe80::1%eth0]:22", True), ("the-town.example", True),
        ("*", False), ("a,b", False), ("!a", False), ("@cert-authority", False), ("#a", False), ("|1|x|y", False),
        ("a b", False), ("a\nb", False), ("[*]:22", False), ("?", False), ("", False),
    ],
)  # fmt: skip
def test_a_candidate_names_one_host_and_nothing_else(name: str, written: bool) -> None:
    text, of = candidates([Trouble(host(), "key_unknown", "", obstacle("key_unknown", name=name, key=KEY))], EN)
    assert bool(text) == bool(of) == written
    if written:
        assert text.splitlines()[-1] == f"{name} ssh-ed25519 {base64.b64encode(KEY[1]).decode()}"


@pytest.mark.parametrize("kind", sorted(set(CURES) - {"key_unknown"}))
def test_only_an_unknown_key_is_a_candidate(kind: str) -> None:
    assert candidates([Trouble(host(), kind, "", obstacle("key_changed", key=KEY))], EN) == ("", ())


def test_the_comment_of_a_candidate_is_one_line() -> None:
    one = Trouble(host("a\nb * ssh-ed25519 AAAA"), "key_unknown", "", obstacle("key_unknown", key=KEY))
    text, _ = candidates([one], EN)
    assert [line[0] for line in text.splitlines()] == ["#", "#", "["]


# ---------------------------------------------------------------- the elevated text and its release


def test_the_question_whether_root_answers_is_of_one_release_only() -> None:
    some, others = (Command("a", elevated=True),), (Command("b", elevated=True),)
    assert elevation(some) == elevation(some) != elevation(others)
    for catalogue, other in ((some, others), (others, some), ((), some)):
        assert question(elevation(catalogue)) in elevated_text(catalogue)
        assert question(elevation(catalogue)) not in elevated_text(other)


def test_a_step_without_words() -> None:
    assert cure("port").step(Trouble(host(), "port"), CALLED) == Step("ss -ltnp | grep sshd")
