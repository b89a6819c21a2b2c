"""WinRM by tickets of a real KDC, by certificates, and by another real client than ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import lacking
from cryptography.hazmat.primitives import serialization
from hypothesis import example, given
from hypothesis import strategies as st
from kdc import PASSWORD, REALM, USER, Realm, realm
from test_transport_winrm import ASKED, DENIED, REQUESTS, TABLE, ask, host, why
from winrm_double import ASCII_PASSWORD, Double, PowerShell, Tls, Trouble, certified, listening
from winrm_double import USER as LOCAL_USER

from auditor.framing.sh import HELLO
from auditor.kinds import Settings
from auditor.model import Answer, Command, Failure, Host, Output
from auditor.transports import winrm
from auditor.transports._wsman.wire import moment

Serve = Callable[..., Double]
NAMES = ("localhost", "127.0.0.1", "127.0.0.2")


@pytest.fixture(scope="session")
def town(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    for module in ("kerberos", "gssapi", "krb5"):
        try:
            __import__(module)
        except ImportError:
            lacking(f"needs {module}: pip install '.[kerberos-tests]'")
    with realm(tmp_path_factory.mktemp("kdc"), program) as one:
        yield one


@pytest.fixture
def ticket(town: Realm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`ticket(...)` is what a person does before the auditor runs; also makes this process one of the realm."""
    for name in ("KRB5_CONFIG", "KRB5_KTNAME"):
        monkeypatch.setenv(name, town.environment[name])
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{town.folder}/none")

    def taken(*options: str, user: str = USER) -> None:
        monkeypatch.setenv("KRB5CCNAME", town.kinit(*options, user=user))

    return taken


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return certified(tmp_path_factory.mktemp("tls"), *NAMES)


@pytest.fixture
def serve(tmp_path: Path, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setenv("WINDOWS_PASSWORD", ASCII_PASSWORD)
    with ExitStack() as stack:

        def started(scheme: str = "https", **rest: Any) -> Double:
            given = {
                "program": PowerShell(TABLE),
                "users": {LOCAL_USER: ASCII_PASSWORD},
                "tls": tls if scheme == "https" else None,
            }
            return stack.enter_context(listening(tmp_path, **{**given, **rest}))

        yield started


def by_ticket(double: Double, **rest: Any) -> Host:
    said = {"transport": "kerberos", **rest.pop("winrm", {})}
    return host(double, address="localhost", winrm=said, **{"user": USER, "password": "", **rest})


SCHEMES = pytest.mark.parametrize("scheme", ["https", "http"])


# ---------------------------------------------------------------- Kerberos


@SCHEMES
def test_a_ticket_opens_one_shell_by_few_requests(serve: Serve, ticket: Callable[..., None], scheme: str) -> None:
    """Bound to the certificate over HTTPS, every message sealed over HTTP."""
    ticket()
    double = serve(scheme, realm=REALM)
    told = ask(by_ticket(double), HELLO, ASKED, DENIED)
    assert why(told) == ("answered", "")
    assert [a.exit_code for a in told.values() if isinstance(a, Output)] == [0, 0, 1]
    assert set(double.logins) == {USER}
    assert (double.opened, double.connections, double.shells, double.refused) == (1, 1, {}, 0)
    assert double.requests <= REQUESTS


@SCHEMES
def test_long_scripts_and_answers_are_sealed_by_a_ticket(
    serve: Serve, ticket: Callable[..., None], scheme: str
) -> None:
    ticket()
    long = [Command(f"Get-{n}\n#{'x' * 30000}", cap_bytes=100_000) for n in range(5)]
    table = {c.text: f"{n} " + "é" * 40_000 for n, c in enumerate(long)}
    told = ask(by_ticket(serve(scheme, realm=REALM, program=PowerShell(table))), HELLO, *long)
    assert [told[c].text for c in long] == list(table.values())  # type: ignore[union-attr]


def test_a_ticket_is_bound_to_the_certificate_that_the_host_showed(
    serve: Serve, ticket: Callable[..., None], tls: Tls
) -> None:
    """Who stands between, with a certificate that we trust, cannot pass it on."""
    ticket()
    double = serve(tls=replace(tls, digest=b"\0" * 32), realm=REALM)
    assert why(ask(by_ticket(double)))[0] == "auth"
    assert double.opened == 0
    assert double.refused


@SCHEMES
def test_what_kerberos_refuses_is_said(
    serve: Serve, town: Realm, ticket: Callable[..., None], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    double = serve(scheme, realm=REALM)
    cause, words = why(ask(by_ticket(double)))
    assert (cause, "no ticket" in words, "kinit" in words) == ("auth", True, True)
    ticket()
    told = {
        "another account": by_ticket(double, user=f"other@{REALM}"),
        "another name": by_ticket(double, winrm={"kerberos_hostname_override": "nowhere.invalid"}),
        "another service": by_ticket(double, winrm={"service": "WSMAN"}),
        "no such way": host(double, winrm={"transport": "kerberos"}, address="localhost", user=USER),
    }
    found = {name: why(ask(it)) for name, it in told.items()}
    assert {cause for name, (cause, _) in found.items() if name != "no such way"} == {"auth"}
    assert "no ticket for this account" in found["another account"][1]
    assert "knows no service of that name" in found["another service"][1]
    assert found["no such way"] == ("answered", "")
    assert double.opened == 1


def test_an_expired_ticket_is_no_ticket(serve: Serve, ticket: Callable[..., None]) -> None:
    ticket("-l", "1s")
    time.sleep(2)
    cause, words = why(ask(by_ticket(serve("http", realm=REALM))))
    assert (cause, "the ticket has expired" in words) == ("auth", True)


def test_an_account_that_expired_gets_no_ticket_for_the_host(
    serve: Serve, town: Realm, ticket: Callable[..., None]
) -> None:
    """It still holds the ticket of the morning; the domain gives it nothing for the host any more, or the host says so."""
    town.administer(f"addprinc -pw {PASSWORD} leaver")
    ticket(user=f"leaver@{REALM}")
    town.administer("modprinc -allow_svr HTTP/localhost")
    try:
        cause, words = why(ask(by_ticket(serve("http", realm=REALM), user=f"leaver@{REALM}")))
    finally:
        town.administer("modprinc +allow_svr HTTP/localhost")
    assert (cause, words.startswith("no ticket")) == ("auth", True)


def test_a_host_that_takes_no_ticket_is_shown_none(serve: Serve, ticket: Callable[..., None]) -> None:
    ticket()
    double = serve(schemes=("Basic",), realm=REALM)
    assert why(ask(by_ticket(double))) == ("auth", "the host takes no kerberos, only Basic")
    assert double.logins == []


def test_another_realms_host_proves_nothing(
    serve: Serve, town: Realm, ticket: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has not the host's key cannot read the ticket."""
    ticket()
    town.administer(f"ktadd -k {town.folder}/newer HTTP/localhost")  # a new key: the old one does not open it
    try:
        monkeypatch.setenv("KRB5CCNAME", town.kinit())
        double = serve("http", realm=REALM)
        assert why(ask(by_ticket(double)))[0] == "auth"
        assert double.opened == 0
    finally:
        town.administer(f"ktadd -k {town.folder}/keytab HTTP/localhost")


OTHER_TIME = """
import sys, time
from pathlib import Path
from winrm_double import PowerShell, listening
with listening(Path(sys.argv[1]), program=PowerShell({}), realm="TOWN.TEST") as double:
    print(double.port, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_clock_that_is_off_is_told_from_a_refusal(
    town: Realm, ticket: Callable[..., None], tmp_path: Path, minutes: int
) -> None:
    """The host's: a server of its own, for which it is another time."""
    libraries = [p for p in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
    if not libraries:
        lacking("needs libfaketime (tests/servers.sh installs it)")
    ticket()
    environment = {
        **town.environment, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]), "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": f"{minutes * 60:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    command = [sys.executable, "-c", OTHER_TIME, str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        it = replace(by_ticket(Double()), port=port)
        cause, words = why(dict(winrm.TRANSPORT.open(Settings(time.time))(it, (HELLO,), 20.0)))
        process.communicate()
    assert cause == "clock_skew"
    assert words.startswith(("its clock is 10 minutes off", "its clock is 11 minutes off"))


@given(
    st.text(max_size=80)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,9} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{1,9} [+-]?[0-9A-Z]{1,9}")
)
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Mon, 1 Jan 99999999999 00:00:00 GMT")
def test_any_date_of_a_host_is_a_moment_or_none(text: str) -> None:
    assert isinstance(moment(text), float | None)


def test_a_date_of_a_host_is_read() -> None:
    assert moment("Thu, 01 Jan 1970 00:01:00 GMT") == 60.0


@SCHEMES
@pytest.mark.parametrize("step", ["Hello", "Login", "Create", "Command", "Send", "Receive", "Signal", "Delete"])
def test_a_connection_that_drops_leaves_no_shell_of_a_ticket(
    serve: Serve, ticket: Callable[..., None], scheme: str, step: str
) -> None:
    ticket()
    double = serve(scheme, realm=REALM, troubles={step: Trouble("drop")})
    told = ask(by_ticket(double))
    assert why(told)[0] == ("answered" if step in ("Signal", "Delete") else "closed")
    for _ in range(100):
        if not double.shells:
            break
        time.sleep(0.05)
    assert len(double.shells) == (step == "Delete")


def test_nothing_of_a_ticket_is_in_a_log(
    serve: Serve, ticket: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    """And the library's own complaints are not printed: what went wrong is in the answer."""
    why(ask(by_ticket(serve("http", realm=REALM))))
    assert capfd.readouterr().err == ""


# ---------------------------------------------------------------- certificates


@pytest.fixture
def ours(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """The variables of a certificate of an account, with its key."""

    def made(days: int = 30, common: str = "audit-t1", passphrase: bool = False, authority: str = "") -> dict[str, str]:
        folder = tmp_path / f"account-{common}-{days}"
        one = certified(folder, days=days, common=common)
        if passphrase:
            pem = Path(one.chain).read_bytes()
            key = serialization.load_pem_private_key(pem, None)
            sealed = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"x"),
            )
            (folder / "key.pem").write_bytes(sealed)
        return {
            "transport": "certificate",
            "cert_pem": one.chain,
            "cert_key_pem": str(folder / "key.pem") if passphrase else one.chain,
            "authority": one.authority,
        }

    return made


def by_certificate(double: Double, said: dict[str, str]) -> Host:
    given = {k: v for k, v in said.items() if k != "authority"}
    return host(double, user="", password="", winrm=given)


def test_a_certificate_that_the_host_maps_opens_one_shell(serve: Serve, ours: Callable[..., dict[str, str]]) -> None:
    said = ours()
    double = serve(clients=said["authority"], mapped={"audit-t1": "TOWN\\audit-t1"}, schemes=("Negotiate",))
    told = ask(by_certificate(double, said), HELLO, ASKED)
    assert why(told) == ("answered", "")
    assert (double.opened, double.connections, double.shells) == (1, 1, {})
    assert double.requests <= REQUESTS


@pytest.mark.parametrize(
    ("given", "cause", "says"),
    [
        ({"common": "nobody"}, "auth", "maps our certificate to no account"),
        ({"days": -1}, "auth", "our certificate"),
        ({"passphrase": True}, "no_transport", "has a passphrase"),
    ],
    ids=["unmapped", "expired", "sealed key"],
)
def test_why_a_certificate_is_not_taken_is_said(
    serve: Serve, ours: Callable[..., dict[str, str]], given: dict[str, Any], cause: str, says: str
) -> None:
    said = ours(**given)
    double = serve(clients=said["authority"], mapped={"audit-t1": "TOWN\\audit-t1"})
    found = why(ask(by_certificate(double, said)))
    assert found[0] in (cause, "closed")  # TLS 1.3 refuses after the handshake, and may hang up before we read why
    assert says in found[1]
    assert double.opened == 0


def test_a_certificate_of_another_authority_is_refused(
    serve: Serve, ours: Callable[..., dict[str, str]], tls: Tls
) -> None:
    double = serve(clients=tls.authority, mapped={"audit-t1": "TOWN\\audit-t1"})
    cause, words = why(ask(by_certificate(double, ours())))
    assert cause in ("auth", "closed")
    assert "our certificate" in words
    assert double.opened == 0


def test_a_certificate_is_not_shown_over_http(serve: Serve, ours: Callable[..., dict[str, str]]) -> None:
    said = ours()
    double = serve("http")
    assert why(ask(by_certificate(double, said)))[0] == "no_transport"
    assert double.requests == 0


# ---------------------------------------------------------------- another client


PSRP = [("https", "basic"), ("https", "ntlm"), ("https", "negotiate"), ("http", "ntlm"), ("http", "negotiate")]


@pytest.mark.parametrize(("scheme", "way"), PSRP)
@pytest.mark.filterwarnings("ignore")
def test_another_real_client_gets_the_same_answers(serve: Serve, scheme: str, way: str) -> None:
    """pypsrp's: the double is not fitted to pywinrm alone."""
    from pypsrp.shell import Process, WinRS
    from pypsrp.wsman import WSMan

    from auditor.framing import ps

    program = PowerShell(TABLE)
    double = serve(scheme, program=program, schemes=("Negotiate", "Basic"))
    nonce = "0123456789abcdef"
    trusted = {"ssl": True, "cert_validation": double.tls.authority} if double.tls else {"ssl": False}
    client = WSMan("127.0.0.1", port=double.port, username=LOCAL_USER, password=ASCII_PASSWORD, auth=way, **trusted)
    commands = (HELLO, ASKED, DENIED)
    with client, WinRS(client, no_profile=True, codepage=65001) as shell:
        executable, arguments = winrm.PROGRAM
        process = Process(shell, executable, [*arguments, f'"{ps.bootstrap(nonce)}"'], no_shell=True)
        process.begin_invoke()
        process.send(ps.script(commands).encode(), end=True)
        process.end_invoke()
    reader = ps.Reader(commands, nonce)
    theirs: dict[Command, Answer] = dict(reader.feed(process.stdout, time.time()))
    theirs |= dict(reader.finish(Failure("closed")))
    ours = ask(host(double, winrm={"transport": "basic" if way == "basic" else "ntlm"}), *commands)
    assert process.rc == 0
    assert {c: (a.exit_code, a.stderr) for c, a in theirs.items()} == {
        c: (a.exit_code, a.stderr) for c, a in ours.items()
    }  # type: ignore[union-attr]
    assert theirs[ASKED].stdout == ours[ASKED].stdout  # type: ignore[union-attr]
    assert double.shells == {}
