"""WinRM against a server of our own to which the real pywinrm logs in: who is let in, what goes wrong, what is left behind."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from make import ESTATE_YAML, MEASURES_YAML, POLICY_YAML, write
from winrm_double import (
    ASCII_PASSWORD,
    PASSWORD,
    USER,
    Double,
    Error,
    Fault,
    PowerShell,
    Tls,
    Trouble,
    certified,
    listening,
)

from auditor.cli import main
from auditor.collect import Places, each
from auditor.framing import ps
from auditor.framing.sh import HELLO
from auditor.freshness import away
from auditor.kinds import Settings
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.transports import winrm

ASKED = Command("Get-Answer", arguments=("it's", "é"))
DENIED = Command("Get-Denied")
TABLE = {
    "Get-Answer": lambda *words: f"réponse {' '.join(words)} €\n",
    "Get-Denied": Error("UnauthorizedAccessException", "80070005", "Accès refusé."),
}
REQUESTS = 10 + 2  # three or four to log in, one for each other message; three answers that come apart take two more

Ask = Callable[..., dict[Command, Answer]]


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return certified(tmp_path_factory.mktemp("tls"), *(f"127.0.0.{n}" for n in range(1, 10)), "localhost", "::1")


@pytest.fixture
def serve(tmp_path: Path, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Double]]:
    """`serve(way)`: a double that is asked by HTTPS, or by HTTP."""
    from contextlib import ExitStack

    monkeypatch.setenv("WINDOWS_PASSWORD", PASSWORD)
    with ExitStack() as stack:

        def started(scheme: str = "https", **rest: object) -> Double:
            rest.setdefault("program", PowerShell(TABLE))
            rest.setdefault("tls", tls if scheme == "https" else None)
            return stack.enter_context(listening(tmp_path, **rest))

        yield started


def host(double: Double, tls: Tls | None = None, **rest: object) -> Host:
    said = {
        "scheme": "https" if double.tls else "http",
        "ca_trust_path": (tls or double.tls or Tls("", "", b"")).authority,
    }
    said |= rest.pop("winrm", {})  # type: ignore[arg-type]
    rest = {"address": "127.0.0.1", "user": USER, "password": "env:WINDOWS_PASSWORD", **rest}
    return Host("win01", connection="winrm", platform="windows", port=double.port, winrm={k: v for k, v in said.items() if v}, **rest)  # type: ignore[arg-type]  # fmt: skip


def ask(it: Host, *commands: Command, deadline_s: float = 20.0, opened: object = None) -> dict[Command, Answer]:
    commands = commands or (HELLO, ASKED)
    transport = opened or winrm.TRANSPORT.open(Settings(time.time, connect_timeout_s=5.0))
    told = list(transport(it, commands, deadline_s))  # type: ignore[operator]
    assert [c for c, _ in told].count(commands[0]) == 1
    assert len(told) == len(commands), "each question has exactly one answer"
    return dict(told)


def why(told: dict[Command, Answer]) -> tuple[str, str]:
    failures = [a for a in told.values() if isinstance(a, Failure)]
    return (failures[-1].cause, failures[-1].message) if failures else ("answered", "")


def emptied(double: Double) -> bool:
    """No shell is left, soon."""
    for _ in range(100):
        if not double.shells:
            return True
        time.sleep(0.05)
    return False


SCHEMES = pytest.mark.parametrize("scheme", ["https", "http"])

# ---------------------------------------------------------------- answers


WAYS = [
    ("https", {}, ("Negotiate",)),
    ("https", {"message_encryption": "always"}, ("Negotiate", "Basic")),
    ("http", {}, ("Negotiate",)),
    ("https", {"transport": "basic"}, ("Negotiate", "Basic")),
]


@pytest.mark.parametrize(
    ("scheme", "said", "schemes"), WAYS, ids=["ntlm", "ntlm sealed in TLS", "ntlm sealed", "basic"]
)
def test_a_host_is_asked_in_one_shell_by_few_requests(
    serve: Callable[..., Double],
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    said: dict[str, str],
    schemes: tuple[str, ...],
) -> None:
    monkeypatch.setenv("WINDOWS_PASSWORD", ASCII_PASSWORD)
    double = serve(scheme, schemes=schemes, users={USER: ASCII_PASSWORD})
    told = ask(host(double, winrm=said), HELLO, ASKED, DENIED)
    hello, answer, denied = told[HELLO], told[ASKED], told[DENIED]
    assert isinstance(hello, Output)
    assert hello.text.split("\n")[:3] == ["Windows", "WIN-DOUBLE", "1000"]
    assert isinstance(answer, Output)
    assert (answer.exit_code, answer.text, answer.error_text) == (0, "réponse it's é €\n", "")
    assert answer.host_at is not None
    assert isinstance(denied, Output)
    assert (denied.exit_code, denied.error_text) == (1, "UnauthorizedAccessException 80070005 Accès refusé.")
    assert (double.opened, double.connections, double.shells, double.refused) == (1, 1, {}, 0)
    assert double.requests <= REQUESTS
    assert double.options[0] == {"WINRS_NOPROFILE": "TRUE", "WINRS_CODEPAGE": "65001", "idle": "PT180S"}


def test_a_host_has_an_address_of_either_kind(serve: Callable[..., Double]) -> None:
    double = serve(address="::1")
    assert why(ask(host(double, address="::1"))) == ("answered", "")


def test_answers_that_come_one_by_one_take_one_request_each(serve: Callable[..., Double]) -> None:
    """What a host takes its time for is received when it is known."""
    slow = [Command(f"Get-{n}") for n in range(12)]
    double = serve(program=PowerShell({c.text: "x" for c in slow}, thinks_s=0.1))
    told = ask(host(double), HELLO, *slow)
    assert why(told) == ("answered", "")
    assert double.requests <= REQUESTS + len(slow)
    assert double.opened == 1


@SCHEMES
def test_long_scripts_and_answers_come_whole(serve: Callable[..., Double], scheme: str) -> None:
    """In pieces of 64 KiB one way, and as the host likes the other."""
    long = [Command(f"Get-{n}\n#{'x' * 30000}", cap_bytes=100_000) for n in range(10)]
    table = {c.text: f"{n} " + "é" * 40_000 for n, c in enumerate(long)}
    program = PowerShell(table)
    told = ask(host(serve(scheme, program=program)), HELLO, *long)
    assert [told[c].text for c in long] == list(table.values())  # type: ignore[union-attr]
    assert len(program.scripts[0]) > 4 * 65536


def test_an_answer_in_tiny_pieces_and_one_that_is_too_long(serve: Callable[..., Double]) -> None:
    table = {"a": "x" * 200, "b": "y" * 300}
    fits, cut = Command("a", cap_bytes=200), Command("b", cap_bytes=200)
    told = ask(host(serve(program=PowerShell(table), piece=50)), HELLO, fits, cut)
    assert told[fits].text == "x" * 200  # type: ignore[union-attr]
    assert why(told) == ("truncated", "more than 200 bytes")


def test_the_environment_says_neither_where_to_go_nor_whom_to_trust(
    serve: Callable[..., Double], monkeypatch: pytest.MonkeyPatch, tripwires: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")
    (tripwires / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    (tripwires / ".netrc").chmod(0o600)
    assert why(ask(host(serve()))) == ("answered", "")


def test_hosts_are_asked_at_the_same_time(serve: Callable[..., Double]) -> None:
    """With one transport, each in a conversation of its own."""
    double = serve()
    opened = winrm.TRANSPORT.open(Settings(time.time))
    items = [host(double, address=f"127.0.0.{n % 9 + 1}") for n in range(24)]
    told = list(each(items, lambda it: why(ask(it, opened=opened)), lambda it, error: (repr(error), ""), Places(8)))
    assert told == [("answered", "")] * 24
    assert (double.opened, double.shells) == (24, {})


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize("method", ["ntlm", "basic"])
@SCHEMES
def test_a_wrong_password_reaches_two_hosts_once_each(
    serve: Callable[..., Double], monkeypatch: pytest.MonkeyPatch, scheme: str, method: str
) -> None:
    monkeypatch.setenv("WINDOWS_PASSWORD", "wrong")
    double = serve(scheme, schemes=("Negotiate", "Basic"))
    opened = winrm.TRANSPORT.open(Settings(time.time))
    items = [host(double, address=f"127.0.0.{n}", winrm={"transport": method}) for n in range(1, 9)]
    told = list(each(items, lambda it: why(ask(it, opened=opened)), lambda it, error: (repr(error), ""), Places(8)))
    if (scheme, method) == ("http", "basic"):
        assert {cause for cause, _ in told} == {"no_transport"}
        assert double.requests == 0
        return
    assert {cause for cause, _ in told} == {"auth"}
    assert double.refused == 2
    assert sum("withheld" in words for _, words in told) == 6
    assert double.opened == 0


@SCHEMES
def test_an_account_that_has_expired_or_gone_is_no_other_trouble(serve: Callable[..., Double], scheme: str) -> None:
    """A host tells it from a wrong password only in its own log: we say both, and count it as refused."""
    double = serve(scheme, users={"somebody": PASSWORD})
    opened = winrm.TRANSPORT.open(Settings(time.time))
    found = [why(ask(host(double), opened=opened)) for _ in range(4)]
    assert {cause for cause, _ in found} == {"auth"}
    assert "a wrong password, or an account that may not log in" in found[0][1]
    assert ("withheld" in found[3][1], double.refused, double.opened) == (True, 2, 0)


def test_who_does_not_resolve_is_away_and_who_refuses_the_port_is_not(serve: Callable[..., Double]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    here = host(serve())
    for gone, there in ((replace(here, address="nowhere.invalid"), False), (replace(here, port=port), True)):
        told = dict(winrm.TRANSPORT.open(Settings(time.time))(gone, (HELLO,), 20))
        assert told[HELLO].cause == "unreachable"
        assert away(told) is not there


def test_a_host_that_is_not_there_is_no_refusal(serve: Callable[..., Double], tls: Tls) -> None:
    """A credential that was not shown was not refused."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    double = serve()
    opened = winrm.TRANSPORT.open(Settings(time.time))
    for _ in range(3):
        cause, words = why(ask(replace(host(double), port=port), opened=opened))
        assert cause == "unreachable"
        assert "Connection refused" in words
        assert why(ask(host(double, winrm={"ca_trust_path": ""}), opened=opened))[0] == "host_key"
    assert why(ask(host(double), opened=opened)) == ("answered", "")


@pytest.mark.parametrize(
    ("schemes", "said", "cause", "words"),
    [
        (("Kerberos",), {}, "auth", "the host takes no ntlm, only Kerberos"),
        (("Negotiate",), {"transport": "certificate"}, "no_transport", "ansible_winrm_cert_pem is needed"),
        (("Negotiate",), {"transport": "credssp"}, "no_transport", "write ntlm, kerberos, basic, certificate"),
        (("Negotiate",), {"ca_trust_path": "/nowhere"}, "no_transport", "ansible_winrm_ca_trust_path: /nowhere is not there"),
        (("Basic",), {"transport": "basic"}, "auth", "Basic takes plain ASCII alone"),
        (("Negotiate",), {"path": "other"}, "framing", "HTTP 404 where WinRM is expected"),
    ],
)  # fmt: skip
def test_a_password_is_shown_to_none_that_takes_no_such(
    serve: Callable[..., Double], schemes: tuple[str, ...], said: dict[str, str], cause: str, words: str
) -> None:
    double = serve(schemes=schemes)
    found = why(ask(host(double, winrm=said)))
    assert found[0] == cause
    assert words in found[1]
    assert (double.refused, double.opened, double.requests <= 1) == (0, 0, True)


def test_basic_is_no_second_try(serve: Callable[..., Double], monkeypatch: pytest.MonkeyPatch) -> None:
    """One way to log in, and it is the one that the inventory names."""
    monkeypatch.setenv("WINDOWS_PASSWORD", ASCII_PASSWORD)
    double = serve(schemes=("Negotiate",), users={USER: ASCII_PASSWORD})
    assert why(ask(host(double, winrm={"transport": "basic"}))) == ("auth", "the host takes no basic, only Negotiate")
    assert (double.requests, double.refused) == (1, 0)


def test_what_the_inventory_lacks_is_said(serve: Callable[..., Double]) -> None:
    double = serve()
    assert why(ask(host(double, user=""))) == ("auth", "no user: give ansible_user")
    assert why(ask(host(double, password="")))[1].startswith("no password: name it in auditor_password")
    assert why(ask(host(double, password="env:NOT_SET"))) == ("auth", "env:NOT_SET: the variable is not set")
    assert double.connections == 0


def test_who_may_not_open_a_shell_is_told(serve: Callable[..., Double]) -> None:
    """And the password is not counted as refused."""
    fault = Trouble("fault", 3, Fault(5, "w:AccessDenied", "Accès refusé."))
    double = serve(troubles={"Create fault": fault})
    opened = winrm.TRANSPORT.open(Settings(time.time))
    for _ in range(3):
        cause, words = why(ask(host(double), opened=opened))
        assert cause == "auth"
        assert "Remote Management Users" in words
    assert why(ask(host(double), opened=opened)) == ("answered", "")


# ---------------------------------------------------------------- certificates


@pytest.mark.parametrize(
    ("names", "days", "trusted", "says"),
    [
        (("127.0.0.1",), 30, False, "certificate"),
        (("127.0.0.1",), -1, True, "certificate has expired"),
        (("127.0.0.2", "srv.example"), 30, True, "IP address mismatch"),
    ],
    ids=["untrusted", "expired", "mismatching"],
)
def test_a_certificate_is_verified_before_a_credential_is_shown(
    serve: Callable[..., Double], tmp_path: Path, tls: Tls, names: tuple[str, ...], days: int, trusted: bool, says: str
) -> None:
    other = certified(tmp_path / "other", *names, days=days)
    double = serve(tls=other)
    cause, words = why(ask(host(double, other if trusted else tls)))
    assert cause == "host_key"
    assert says in words
    assert double.requests == 0


def test_http_where_https_is_expected_and_the_other_way(serve: Callable[..., Double], tls: Tls) -> None:
    clear, secure = serve("http"), serve("https")
    cause, words = why(ask(host(clear, tls, winrm={"scheme": "https"})))
    assert (cause, "no TLS conversation with 127.0.0.1" in words) == ("framing", True)
    assert why(ask(host(secure, winrm={"scheme": "http"})))[0] in ("closed", "framing")
    assert clear.refused == secure.refused == 0


def test_ntlm_is_bound_to_the_channel(serve: Callable[..., Double], tmp_path: Path, tls: Tls) -> None:
    """Who stands between, with a certificate that we trust, cannot pass our login on."""
    double = serve(tls=replace(tls, digest=b"\0" * 32))
    assert why(ask(host(double)))[0] == "auth"
    assert double.refused == 1


# ---------------------------------------------------------------- what breaks


STEPS = ["Hello", "Login", "Create", "Command", "Send", "Receive", "Signal", "Delete"]


@SCHEMES
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["drop", "lost"])
def test_a_connection_that_drops_leaves_no_shell(
    serve: Callable[..., Double], scheme: str, step: str, how: str
) -> None:
    """Before the host understood a message, or after it did; what it opened without telling us, it ends by itself."""
    double = serve(scheme, troubles={step: Trouble(how)})
    told = ask(host(double))
    if step in ("Signal", "Delete"):
        assert why(told) == ("answered", "")
    else:
        assert why(told)[0] == "closed"
    if (step, how) == ("Create", "lost"):
        assert [o["idle"] for o in double.options] == ["PT180S"]
    elif step == "Delete" and how == "drop":
        assert double.options[0]["idle"] == "PT180S"
    else:
        assert emptied(double)
    assert double.requests <= 2 * REQUESTS


@SCHEMES
@pytest.mark.parametrize("step", ["Hello", "Login", "Create", "Command", "Send", "Receive"])
def test_a_host_that_stalls_ends_at_its_deadline(serve: Callable[..., Double], scheme: str, step: str) -> None:
    double = serve(scheme, troubles={step: Trouble("stall")})
    done: list[dict[Command, Answer]] = []
    asking = threading.Thread(target=lambda: done.append(ask(host(double), deadline_s=1.5)))
    asking.start()
    asking.join(30)
    assert [why(told)[0] for told in done] == ["timeout"]
    assert emptied(double)


def test_a_connection_that_never_speaks_ends_at_its_deadline(serve: Callable[..., Double], tls: Tls) -> None:
    double = serve()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why(ask(replace(host(double), port=silent.getsockname()[1]), deadline_s=1.5))[0] == "timeout"


@SCHEMES
def test_a_hung_question_costs_what_comes_after_it(serve: Callable[..., Double], scheme: str) -> None:
    """What was answered counts; PowerShell is ended on the host."""
    hung, after = Command("Wait-Forever", timeout_s=30), Command("Get-After", timeout_s=60)
    double = serve(scheme, program=PowerShell({**TABLE, "Wait-Forever": None}))
    told = ask(host(double), HELLO, after, hung, ASKED, deadline_s=3.0)
    assert isinstance(told[HELLO], Output)
    assert isinstance(told[ASKED], Output)
    assert [told[c].cause for c in (hung, after)] == ["timeout", "timeout"]  # type: ignore[union-attr]
    assert double.log[-2:] == ["Signal", "Delete"]
    assert emptied(double)


def test_who_stops_asking_leaves_no_shell(serve: Callable[..., Double]) -> None:
    double = serve(program=PowerShell({**TABLE, "Wait-Forever": None}))
    telling = winrm.TRANSPORT.open(Settings(time.time))(host(double), (HELLO, Command("Wait-Forever")), 20.0)
    assert next(telling)[0] == HELLO
    telling.close()  # type: ignore[attr-defined]
    assert double.shells == {}


# ---------------------------------------------------------------- what is no answer


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><b>&b;</b>'
WRONG = {
    "a page": Trouble("answer", 9, body=b"<html><body>Access blocked by policy</body>", kind="text/html"),
    "no text": Trouble("answer", 9, body=b""),
    "no XML": Trouble("answer", 9, body=b"\xff\xfe\x00<<<"),
    "XML of another kind": Trouble("answer", 9, body=b"<a><b/></a>"),
    "a bomb": Trouble("answer", 9, body=BOMB),
    "a bomb in disguise": Trouble("answer", 9, body="<?xml version='1.0' encoding='UTF-16'?>".encode("utf-16") + BOMB),
    "many declarations": Trouble("answer", 9, body=b"<?xml encoding" * 70_000),
    "another encoding": Trouble("answer", 9, body=b"<?xml version='1.0' encoding='cp037'?><a/>"),
    "too much": Trouble("answer", 9, body=b"<a>" + b"x" * 3_000_000 + b"</a>"),
    "deep": Trouble("answer", 9, body=b"<a>" * 200_000),
    "elsewhere": Trouble("answer", 9, status=302, headers=(("Location", "http://127.0.0.1:9/wsman"),)),
    "a proxy's login": Trouble("answer", 9, status=407, headers=(("Proxy-Authenticate", "NTLM"),)),
    "a server's error": Trouble("answer", 9, status=503, body=b"<html>busy</html>"),
    "a fault without a number": Trouble("answer", 9, status=500, body=b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        b"<s:Body><s:Fault><s:Detail><f:WSManFault xmlns:f='http://schemas.microsoft.com/wbem/wsman/1/wsmanfault' Code='x'/>"
        b"</s:Detail></s:Fault></s:Body></s:Envelope>"),
    "streams of no base64": Trouble("answer", 9, body=b'<a xmlns:r="r"><r:Stream Name="stdout">\xc3\xa9</r:Stream></a>'),
}  # fmt: skip


@SCHEMES
@pytest.mark.parametrize("step", ["Hello", "Create", "Receive"])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_answer_is_a_failure(serve: Callable[..., Double], scheme: str, step: str, wrong: str) -> None:
    double = serve(scheme, troubles={step: replace(WRONG[wrong])})
    cause, words = why(ask(host(double), deadline_s=4.0))
    if step == "Receive" and wrong == "XML of another kind" and scheme == "https":
        assert cause == "timeout"  # neither an answer nor an end
    else:
        assert cause in ("framing", "closed")
        assert words
    assert emptied(double)


def test_an_answer_in_clear_is_none_where_it_has_to_be_sealed(serve: Callable[..., Double]) -> None:
    """Who stands between could write it."""
    body = b'<a><Stream Name="stdout">eA==</Stream><x State="CommandState/Done"/><ExitCode>0</ExitCode></a>'
    double = serve("http", troubles={"Receive": Trouble("answer", 9, body=body)})
    assert why(ask(host(double))) == ("framing", "HTTP 200: an answer in clear where it has to be sealed")
    assert emptied(double)


def test_a_quota_is_a_failure_in_the_hosts_words(serve: Callable[..., Double]) -> None:
    fault = Fault(2150859174, "w:QuotaLimit", "This user is allowed 30 shells\u202e \x85.")
    double = serve(troubles={"Create fault": Trouble("fault", 1, fault)})
    cause, words = why(ask(host(double)))
    assert cause == "closed"
    assert words.startswith("WinRM fault 2150859174: This user is allowed 30 shells")
    assert words.isprintable()


def test_a_busy_host_is_sent_its_script_again(serve: Callable[..., Double]) -> None:
    busy = Trouble("fault", 1, Fault(170, "w:InternalError", "The requested resource is in use."))
    double = serve(troubles={"Send fault": busy})
    assert why(ask(host(double))) == ("answered", "")
    assert double.log.count("Send") == 2


CLIXML = (
    b'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><S S="progress">Loading</S>'
    b'<S S="Error">Cannot &lt;invoke&gt; method._x000D__x000A_</S><S S="Error">At line:1</S></Objs>'
)


@pytest.mark.parametrize(
    ("program", "cause", "words"),
    [
        (PowerShell(exit_code=87), "no_privilege", "constrained language mode"),
        (PowerShell(exit_code=88), "not_told", "older than 3.0"),
        (PowerShell(exit_code=89), "not_asked", "it is a domain controller"),
        (PowerShell(exit_code=1, stderr=CLIXML), "closed", "code 1: Cannot <invoke> method. At line:1"),
        (PowerShell(exit_code=1, stderr="accès refusé".encode("cp850")), "closed", "code 1: acc\\x8as refus\\x82"),
        (PowerShell(exit_code=1), "closed", "PowerShell ended with code 1"),
    ],
)
def test_why_powershell_ended_is_said(
    serve: Callable[..., Double], program: PowerShell, cause: str, words: str
) -> None:
    found = why(ask(host(serve(program=program))))
    assert found[0] == cause
    assert words in found[1]


@pytest.mark.parametrize(
    ("before", "cause"),
    [
        (b"\xef\xbb\xbf", "answered"),
        ("Bienvenue à tous\r\n".encode("utf-16"), "answered"),
        (b"x" * 70_000, "framing"),
        (b"x" * 5_000_000, "framing"),
    ],
    ids=["a mark of byte order", "another code page", "chatter", "a flood"],
)
def test_what_stands_before_the_answers(serve: Callable[..., Double], before: bytes, cause: str) -> None:
    double = serve(program=PowerShell(TABLE, before=before, stderr=CLIXML))
    assert why(ask(host(double)))[0] == cause
    assert emptied(double)


def test_errors_that_powershell_writes_beside_do_not_matter(serve: Callable[..., Double]) -> None:
    assert why(ask(host(serve(program=PowerShell(TABLE, stderr=CLIXML * 50))))) == ("answered", "")


# ---------------------------------------------------------------- secrets


@pytest.mark.parametrize("right", [True, False])
@SCHEMES
def test_a_password_is_in_no_log_and_no_answer(
    serve: Callable[..., Double],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    right: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    program = PowerShell(TABLE)
    double = serve(scheme, program=program, schemes=("Negotiate", "Basic"))
    if not right:
        monkeypatch.setenv("WINDOWS_PASSWORD", "canary-wrong")
    ways = ("ntlm", "basic") if scheme == "https" else ("ntlm",)
    told = [ask(host(double, winrm={"transport": way})) for way in ways]
    assert "canary" not in caplog.text
    assert "canary" not in repr(told)
    assert not any("canary" in s for s in program.scripts)


# ---------------------------------------------------------------- a run

SITE_PROBE = """
from auditor.kinds import Dialect, Probe
from auditor.model import Command, Output, Unknown

def dialect(text):
    def parse(answers, args):
        answer = answers["days"]
        if not isinstance(answer, Output):
            return {"days": answer.unknown()}
        if answer.exit_code:
            return {"days": Unknown("no_privilege", answer.error_text)}
        return {"days": int(answer.text)}
    return Dialect(lambda args: {"days": Command(text, elevated=text == "Get-Days")}, parse)

PROBE = Probe(
    title={"en": "Days", "fr": "Jours"},
    facts={"type": "object", "properties": {"days": {"type": "integer", "description": "Days."}}},
    dialects={"linux": dialect("echo 400"), "windows": dialect("Get-Days")},
)
"""


def town(folder: Path, double: Double, tls: Tls) -> list[str]:
    """An estate of this machine and two Windows hosts, with one control for all; the arguments of a run of it."""
    variables = (
        f"ansible_connection: winrm, ansible_port: {double.port}, ansible_user: {USER}, auditor_password: env:WINDOWS_PASSWORD, "
        f"ansible_winrm_ca_trust_path: {tls.authority}"
    )
    hosts = "".join(f"    win{n}: {{ansible_host: 127.0.0.{n}, {variables}}}\n" for n in (1, 2))
    here = "    web01: {ansible_connection: local, ansible_host: localhost}\n"
    write(folder / "town", hosts=f"all:\n  hosts:\n{here}{hosts}", estate=ESTATE_YAML)
    write(folder, policies__measures=MEASURES_YAML, policies__sample=POLICY_YAML, **{"probes__sample.py": SITE_PROBE})
    return [str(folder / "policies" / "sample.yaml"), "--probes", str(folder / "probes"), "-i", str(folder / "town")]


def auditor(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def each_its_own() -> Callable[..., str]:
    """Windows hosts of different names and identities, as one double stands for two."""
    count = iter(range(9))

    def said(*_: str) -> str:
        number = next(count)
        return f"Windows\nWIN{number}\n1000\n{int(time.time())}\n0f8fad5b-d9cb-469f-a165-{number:012d}\n"

    return said


def test_windows_hosts_of_a_mixed_estate_are_measured(serve: Callable[..., Double], tls: Tls, tmp_path: Path) -> None:
    """And nothing that is kept or reported holds the password."""
    double = serve(program=PowerShell({"Get-Days": "400\n", ps._HELLO: each_its_own()}))
    words = town(tmp_path, double, tls)
    store = str(tmp_path / "runs.db")
    code, told = auditor("run", *words, "--store", store, "-f", "json=-")
    assert code == 0, told
    header = json.loads(told)
    assert {h["host"]: h["measured"] for h in header["hosts"]} == {"web01": 1, "win1": 1, "win2": 1}
    assert (double.opened, double.shells) == (2, {})
    kept = b"".join(p.read_bytes() for p in tmp_path.glob("runs.db*"))
    assert PASSWORD.encode() not in kept
    assert PASSWORD not in told


def test_what_a_windows_account_may_not_ask_is_not_measured(
    serve: Callable[..., Double], tls: Tls, tmp_path: Path
) -> None:
    denied = Error("UnauthorizedAccessException", "80070005", "Accès refusé")
    double = serve(program=PowerShell({"Get-Days": denied, ps._HELLO: each_its_own()}))
    code, told = auditor("run", *town(tmp_path, double, tls), "--store", "none", "--details")
    assert code == 3
    assert "Accès refusé" in told


def test_a_host_that_is_no_windows_is_not_measured(serve: Callable[..., Double], tls: Tls, tmp_path: Path) -> None:
    double = serve(program=PowerShell({"Get-Days": "400", ps._HELLO: "Linux\nx\n0\n1\n\n"}))
    code, told = auditor("run", *town(tmp_path, double, tls), "--store", "none")
    assert code == 3
    assert "not of the platform" in told


def test_the_plan_shows_the_script_of_a_windows_host(serve: Callable[..., Double], tls: Tls, tmp_path: Path) -> None:
    """Before any connection, and what needs an administrator there is no part of what sudo is allowed elsewhere."""
    double = serve()
    words = town(tmp_path, double, tls)
    code, told = auditor("plan", *words)
    assert code == 0
    assert "Q 1 65568 @'\nGet-Days\n'@ @()" in told
    assert (double.connections, PASSWORD in told) == (0, False)
    assert auditor("collector", "install-files", str(tmp_path / "files"), "--probes", str(tmp_path / "probes"))[0] == 0
    assert "Get-Days" not in (tmp_path / "files" / "auditor-elevated").read_text()
