"""Sentences in two languages, the catalogue that makes the second, and texts of hosts made inert."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes
from sample_run import FRENCH, HOSTILE, voice

from auditor.decision_words import IDLE_WORDS, idle, standing
from auditor.model import CAUSES, IdleDecision, Reason, StandsBeside, Unknown
from auditor.operators import OPERATORS
from auditor.sentences import (
    DETAILS,
    account,
    as_root,
    cause,
    clean,
    day,
    moment,
    rule,
    sentence,
    told,
    unconcerned,
    without_persons,
)

SOURCES = Path(__file__).parent.parent / "auditor"
EN, FR = voice("en"), voice("fr")


# ---------------------------------------------------------------- the catalogue


def _messages() -> Iterator[tuple[str, str]]:
    """Every message for people: what `N_(...)` and `say(...)` are given as a constant, in templates too, and the causes."""
    for path in sorted(SOURCES.rglob("*.py")):
        where = path.relative_to(SOURCES.parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            message = node.args[0]
            if name in ("N_", "say") and isinstance(message, ast.Constant) and isinstance(message.value, str):
                yield message.value, f"{where}:{node.lineno}"
    for path in sorted(SOURCES.rglob("templates/*.html")):
        where = path.relative_to(SOURCES.parent).as_posix()
        for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                yield call.args[0].as_const(), f"{where}:{call.lineno}"
    for key, message in CAUSES.items():
        yield message, f"auditor/model/truth.py: CAUSES[{key!r}]"


def test_every_message_has_its_french() -> None:
    lacking = {message: where for message, where in _messages() if message not in FRENCH}
    listing = "\n".join(f"  {where}" for where in lacking.values())
    entries = json.dumps(dict.fromkeys(lacking, ""), ensure_ascii=False, indent=1)
    assert not lacking, f"auditor/locale/fr.json lacks what these say:\n{listing}\nAdd and translate:\n{entries}"


def test_no_french_is_unused() -> None:
    unused = sorted(FRENCH.keys() - {message for message, _ in _messages()})
    assert not unused, f"no source says these entries of auditor/locale/fr.json: {unused}"


@pytest.mark.parametrize(("english", "french"), FRENCH.items())
def test_the_french_uses_the_same_names(english: str, french: str) -> None:
    names = re.compile(r"\{\w*\}")
    assert french.strip(), "empty"
    assert sorted(names.findall(english)) == sorted(names.findall(french))
    assert english == ": " or english[:1].isspace() == french[:1].isspace()


def test_the_catalogue_has_no_key_twice() -> None:
    def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), sorted(k for k in keys if keys.count(k) > 1)
        return dict(pairs)

    json.loads((SOURCES / "locale/fr.json").read_text(encoding="utf-8"), object_pairs_hook=once)


def test_every_operator_has_its_sentence_in_the_catalogue() -> None:
    assert {operator.sentence for operator in OPERATORS.values()} <= FRENCH.keys()


def test_every_reason_code_of_a_decision_has_its_words() -> None:
    codes = {
        node.value
        for path in (*(SOURCES / "decisions").glob("*.py"), SOURCES / "reconcile.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"R-[A-Z]+", node.value)
    }
    assert codes <= IDLE_WORDS.keys()
    assert (
        idle(IdleDecision("a", "R-EXPIRY", "2026-06-30", ""), FR)
        == "elle a expiré, ou durerait trop longtemps (2026-06-30)"
    )
    assert idle(IdleDecision("a", "R-NEW", "", ""), FR) == "R-NEW"


def test_the_details_are_those_that_are_given() -> None:
    """Constant texts stand there as they stand here; a change there without one here would go untranslated."""
    source = "".join(
        path.read_text(encoding="utf-8")
        for m in (
            "kinds",
            "evaluate",
            "plan",
            "freshness",
            "store",
            "replay",
            "framing/sh",
            "framing/collector",
            "load/tiers",
            "probes/attestation",
            "probes/incidents",
            "probes/workstations",
            "readers/attested",
            "readers/kept",
        )
        for path in ((SOURCES / m).glob("*.py") if (SOURCES / m).is_dir() else [SOURCES / f"{m}.py"])
    )
    for form in DETAILS:
        start = form.partition("{")[0]
        assert start in source, f"nobody says: {form}"


# ---------------------------------------------------------------- sentences

TWO_FACTORS = Reason("logins[].two_factors", "equals", True, False, element="root (192.0.2.1)", person=True)
NO_PRIVILEGE = Unknown("no_privilege", "sudo: a password is required")


@pytest.mark.parametrize(
    ("reason", "english", "french"),
    [
        (
            TWO_FACTORS,
            "logins[].two_factors of root (192.0.2.1): expected true, found false",
            "logins[].two_factors de root (192.0.2.1) : attendu vrai, constaté faux",
        ),
        (
            Reason("logins", "every", cause=NO_PRIVILEGE),
            "could not tell logins: the question needs a privilege that we do not have (sudo: a password is required)",
            "impossible d'établir logins : la question exige un privilège que nous n'avons pas "
            "(sudo: a password is required)",
        ),
        (
            Reason("", "", cause=Unknown("unreachable")),
            "the host did not answer",
            "la machine n'a pas répondu",
        ),
        (
            Reason("age_days", "at_most", 30, 30.004),
            "age_days: expected at most 30, found 30.004",
            "age_days : attendu au plus 30, constaté 30.004",
        ),
        (
            Reason("server", "present", True, None),
            "server: expected present, found nothing",
            "server : attendu présent, constaté rien",
        ),
        (
            Reason("kind", "one_of", ["a", "b", "c", "d", "e", "f", "g"], ""),
            'kind: expected one of a, b, c, d, e and 2 more, found ""',
            'kind : attendu parmi a, b, c, d, e et 2 de plus, constaté ""',
        ),
        (
            Reason("flag", "equals", "true", True),
            'flag: expected "true", found true',
            'flag : attendu "true", constaté vrai',
        ),
        (
            Reason("names[]", "one_of", "$registers.admins", "jo", element="jo", person=True),
            "names[] of jo: expected one of the entries of the register admins, found jo",
            f"names[] de jo : attendu parmi {FRENCH['the entries of the register {name}'].format(name='admins')}, constaté jo",
        ),
        (
            Reason("mounts", "none", {"exposed": {"equals": True}, "port": {"one_of": [1, 2]}}, None, element="nfs"),
            "mounts: expected “no element meets: exposed true + port one of 1, 2”, found nfs",
            "mounts : attendu « aucun élément ne vérifie : exposed vrai + port parmi 1, 2 », constaté nfs",
        ),
        (
            Reason("repositories", "count", {"at_least": 1}, ()),
            "repositories: expected “number of elements: at least 1”, found 0",
            "repositories : attendu « nombre d'éléments : au moins 1 », constaté 0",
        ),
        (
            Reason("repositories", "any", {"any_of": [{"a": {"equals": 1}}, {"b": {"absent": True}}]}, ()),
            "repositories: expected “at least one element meets: at least one of: a 1 / b absent”, found nothing",
            "repositories : attendu « au moins un élément vérifie : au moins une de ces conditions : "
            "a 1 / b absent », constaté rien",
        ),
        (
            Reason("", "", cause=Unknown("nothing_asked", "no host with the role dns is declared")),
            "nothing asked (no host with the role dns is declared)",
            "rien demandé (aucune machine ayant le rôle dns n'est déclarée)",
        ),
    ],
)
def test_sentence(reason: Reason, english: str, french: str) -> None:
    assert sentence(reason, EN, True) == english
    assert sentence(reason, FR, True) == french


def test_reasons_that_differ_in_the_element_are_one_sentence() -> None:
    reasons = [Reason("a[].b", "equals", True, False, element=f"e{n}") for n in range(17)]
    assert told(reasons, EN, True) == ("a[].b of e0, e1, e2, e3, e4 and 12 more: expected true, found false",)
    assert "e16" in told(reasons, EN, True, shown=0)[0]
    mixed = [Reason(f"p{n}", "equals", True, False) for n in range(8)]
    assert told(mixed, EN, True)[-1] == "and 3 more reasons"
    assert len(told(mixed, EN, True, shown=0)) == 8


def test_a_sentence_is_said_once() -> None:
    unseen = Unknown("timeout")
    reasons = [Reason("a", operator, 1, cause=unseen) for operator in ("every", "count", "any")]
    assert told(reasons, EN, True) == ("could not tell a: no answer in time",)


def test_why_a_control_does_not_concern() -> None:
    assert unconcerned([Reason("listens", "equals", True, False)], EN, True) == (
        "applies where listens is true; found false",
    )


def test_a_detail_that_only_repeats_the_path_is_left_out() -> None:
    assert sentence(Reason("a.b", "equals", 1, cause=Unknown("not_told", "a.b")), EN, True) == (
        "could not tell a.b: the platform does not tell this"
    )


def test_dates() -> None:
    assert (day("2027-01-31", FR), day("2027-01-31", EN), day("", FR), day("soon", FR)) == (
        "31/01/2027",
        "2027-01-31",
        "",
        "soon",
    )
    assert moment(1_795_299_065.0, FR) == "21/11/2026 22:11 UTC"
    assert moment(0, FR) == ""
    decision = StandsBeside("A-1", "acceptance", "president (S)", "2027-01-31", "")
    assert standing(decision, FR) == "accepté jusqu'au 31/01/2027 (A-1, par president (S))"
    assert standing(decision, FR, iso=True) == "accepté jusqu'au 2027-01-31 (A-1, par president (S))"


def test_an_operator_of_another_release_is_still_said() -> None:
    assert rule("newer_than", 3, EN) == "3"


# ---------------------------------------------------------------- persons


def test_a_person_is_a_stable_key() -> None:
    key = account("root")
    assert re.fullmatch(r"account-[0-9a-f]{8}", key)
    assert sentence(TWO_FACTORS, EN, False) == f"logins[].two_factors of {key}: expected true, found false"


@pytest.mark.parametrize(
    "reason",
    [
        Reason("names[]", "equals", "x", "j.canary", element="j.canary", person=True),
        Reason("names", "none", {"equals": "x"}, "j.canary", element="j.canary", person=True),
        Reason("owner", "equals", "x", "j.canary", person=True),
        Reason("owners", "contains", "x", ["root", "j.canary"], person=True),
        Reason("sessions[].user", "equals", "x", "j.canary", element="web01", person=True),
        Reason("logins[].keys", "equals", "x", 1, element="j.canary (10.0.0.1)", person=True),
        Reason("logins[].keys", "equals", "x", cause=Unknown("unreadable", "of j.canary"), person=True),
        Reason("keys[].path", "equals", "x", "/home/j.canary/.ssh/id", element="/home/j.canary/.ssh"),
        Reason("", "", cause=Unknown("no_privilege", "j.canary is not in the sudoers file.")),
        Reason("", "", cause=Unknown("no_privilege", "Sorry, user j.canary may not run sudo on web01.")),
        Reason("", "", cause=Unknown("unreadable", "cat: /home/j.canary/.ssh/authorized_keys: denied")),
    ],
)
def test_no_name_of_a_person_where_none_may_go(reason: Reason) -> None:
    for by in (EN, FR):
        assert "canary" not in sentence(reason, by, False)
        assert "canary" not in unconcerned([reason], by, False)[0] or reason.cause
        assert "canary" in sentence(reason, by, True)


def test_a_message_without_logins_stays() -> None:
    assert without_persons("sudo: a password is required") == "sudo: a password is required"
    assert cause(Unknown("timeout", "after 20 s"), EN, False) == "no answer in time (after 20 s)"


# ---------------------------------------------------------------- inert


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("a\nb\r\tc", "a b  c"),
        ("\u202e\u2066\u2069\u200f\ufeff", "\\u202e\\u2066\\u2069\\u200f\\ufeff"),
        ("\udcff\ufffe\uffff", "\\udcff\\ufffe\\uffff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\U000e0001", "\\U000e0001"),
        ("é « ok »\u00a0!\u202f日本", "é « ok »\u00a0!\u202f日本"),
        ("a" * 300, "a" * 199 + "…"),
    ],
)
def test_clean(text: str, inert: str) -> None:
    assert clean(text) == inert


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_whatever_a_host_says_a_sentence_is_inert(text: str, other: str) -> None:
    for reason in (
        Reason(text, "equals", other, text, element=other),
        Reason(text, "matches", text, [text, other], person=True),
        Reason("a", "none", {text: {"equals": other}}, other, element=text),
        Reason("a", "equals", 1, cause=Unknown("unreadable", text)),
    ):
        for persons in (True, False):
            line = sentence(reason, FR, persons)
            assert all(c.isprintable() or c in "\u00a0\u202f" or c.isspace() for c in line), ascii(line)
            assert "\n" not in line
            line.encode("utf-8")


def test_hostile_text_in_a_sentence() -> None:
    line = sentence(Reason("banner", "equals", "x", HOSTILE), EN, True)
    assert line.endswith("found \\udcff \\x00 \\x1b[31mRED\\x1b[0m \\ufffe é \\u202egpj ]]> <&> \\u2028")


def test_a_cause_keeps_the_command_that_mends_it() -> None:
    """The longest that a key which changed behind a bastion makes; what a host could say beyond is cut."""
    name = f"host.{'x' * 40}.example.org"
    command = f"ssh -p 22 {name} ssh-keyscan -p 22 {name} >> '/etc/auditor/the town/known hosts'"
    words = f"the host's key has CHANGED; it shows ssh-ed25519 SHA256:{'A' * 43}. If it was reinstalled: ssh-keygen -R {name}"
    assert command in cause(Unknown("host_key", f"{words}; then {command}"), EN, False)
    assert len(cause(Unknown("host_key", "x" * 5000), EN, False)) < 700


def test_what_answered_as_root_is_said_once_for_all_its_hosts() -> None:
    one, sent = "installed " + "5a" * 32, "e" * 64
    seen = [("web01", "piped"), ("a", one), ("none", ""), ("web02\x1b", "piped"), ("b", one)]
    assert as_root(seen, sent, EN) == [
        (f"collector sent along, SHA-256 {sent}", ["web01", clean("web02\x1b")]),
        (f"collector installed, SHA-256 {'5a' * 32}", ["a", "b"]),
    ]
    assert as_root(seen[:1], sent, FR)[0][0].startswith("collecteur d'audit envoyé")
    assert as_root([], sent, EN) == []


def test_which_collector_is_needed_is_said_in_french() -> None:
    detail = "collector 41aa07507cda needed: /usr/local/libexec/auditor-elevated is collector 0123456789ab"
    assert "collecteur d'audit 41aa07507cda nécessaire" in cause(Unknown("no_privilege", detail), FR, True)
