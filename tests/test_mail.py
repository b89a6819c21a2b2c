"""Mail: five lines of counts through a real server with TLS, or a word on stderr and a code that cron can trust."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from make import site
from post_office import Box, certificates, free_port, server, talker
from sample_run import HOSTILE, finding, fleet, one_host, voice

from auditor import mail
from auditor.cli import main
from auditor.compare import compared
from auditor.errors import InvalidInput
from auditor.mail import NotSent, Server
from auditor.model import Outcome, Reason, Subject
from auditor.reporters._letter import letter
from auditor.store import Store

CANARY = "Canari-4f1e/+="


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def trust(papers: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test's own authority is trusted, as a site's is: by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(papers["ca"]))
    yield
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join(15)


def message(subject: str = "a subject", *lines: str) -> mail.EmailMessage:
    return mail.message("auditor@example.org", ["rssi@example.org"], subject, lines or ("one", "two"))


def to(port: int, **changes: object) -> Server:
    return replace(Server("localhost", port, False), **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the server


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS"])
def test_a_mail_goes_through_tls_and_a_login(
    implicit: bool, papers: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way of TLS; the password comes from where it is kept, at the last moment."""
    monkeypatch.setenv("POST", CANARY)
    box = Box(password=CANARY.encode())
    with server(box, papers["good"], implicit, login=True) as port:
        mail.send(to(port, implicit=implicit, user="audit", password="env:POST"), message())
    assert box.logins == [(b"audit", CANARY.encode())]
    assert box.envelopes == [("auditor@example.org", ["rssi@example.org"])]
    assert box.mails[0].get_content().splitlines() == ["one", "two"]


@pytest.mark.parametrize(
    "subject", ["Contrôle terminé : été, œuf €", "漢字", HOSTILE, "a\r\nBcc: x@example.org", "é" * 400]
)
def test_any_subject_arrives_as_one_header(subject: str, papers: dict[str, Path]) -> None:
    """8-bit texts are encoded, and what a name of an estate holds makes no header of its own."""
    box = Box()
    with server(box, papers["good"]) as port:
        mail.send(to(port), message(subject, subject, "· second"))
    got = box.mails[0]
    assert got["Bcc"] is None
    assert got["Subject"].isprintable()
    assert got["Subject"][:10].strip() == mail.clean(subject)[:10].strip()
    assert len(got.get_content().splitlines()) == 2
    assert got["Auto-Submitted"] == "auto-generated"
    assert all(len(line) < 998 and line.isascii() for line in bytes(got).decode("ascii").splitlines())


@pytest.mark.parametrize("name", ["other", "expired", "own"])
@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS"])
def test_a_certificate_that_is_not_the_servers_is_refused(name: str, implicit: bool, papers: dict[str, Path]) -> None:
    """Of another name, expired, or of nobody's: nothing is sent."""
    box = Box()
    with server(box, papers[name], implicit) as port, pytest.raises(NotSent, match="its certificate is not trusted"):
        mail.send(to(port, implicit=implicit), message())
    assert not box.mails
    assert not box.logins


def test_without_tls_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither mail nor login: all that the server hears is a greeting and a farewell."""
    monkeypatch.setenv("POST", CANARY)
    heard = bytearray()

    def talk(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        while piece := caller.recv(4096):
            heard.extend(piece)
            caller.sendall(b"221 bye\r\n" if b"QUIT" in piece.upper() else b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")

    with talker(talk) as port, pytest.raises(NotSent, match="offers no TLS"):
        mail.send(to(port, user="audit", password="env:POST"), message())
    assert [line.split()[0].upper() for line in bytes(heard).splitlines()] == [b"EHLO", b"QUIT"]


@pytest.mark.parametrize("answer", [b"454 not now\r\n", b"220 go\r\nnot TLS at all\r\n", b""])
def test_tls_that_does_not_come_about_is_no_mail(answer: bytes) -> None:
    heard = bytearray()

    def talk(caller: socket.socket) -> None:
        caller.sendall(b"220 here\r\n")
        heard.extend(caller.recv(4096))
        caller.sendall(b"250-here\r\n250 STARTTLS\r\n")
        heard.extend(caller.recv(4096))
        caller.sendall(answer)
        heard.extend(caller.recv(4096) if answer else b"")
        caller.close()

    with talker(talk) as port, pytest.raises(NotSent):
        mail.send(to(port), message())
    assert b"MAIL" not in heard


def test_a_server_that_is_silent_is_given_up() -> None:
    with talker(lambda caller: None) as port, pytest.raises(NotSent, match="did not answer in time"):
        mail.send(to(port), message(), step_s=0.3)


def test_a_server_that_drips_is_given_up() -> None:
    """Each byte is in time, the whole never is."""

    def talk(caller: socket.socket) -> None:
        for _ in range(40):
            caller.sendall(b"2")
            time.sleep(0.05)

    with talker(talk) as port, pytest.raises(NotSent, match="did not end within 0.5 s"):
        mail.send(to(port), message(), step_s=1, whole_s=0.5)


def test_what_is_refused_is_said(papers: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No port, a recipient, the text, the login; and one recipient of two."""
    with pytest.raises(NotSent, match="refused"):
        mail.send(to(free_port()), message())
    two = mail.message("auditor@example.org", ["a@example.org", "b@example.org"], "s", ["x"])
    for refuses, sent, says in (
        ({"RCPT": "rssi 550 nobody here"}, message(), "no recipient was taken: 550 nobody here"),
        ({"DATA": "554 spam"}, message(), "554 spam"),
        ({"RCPT": "b@ 550 nobody here"}, two, "but not for b@example.org"),
    ):
        with server(Box(refuses=refuses), papers["good"]) as port, pytest.raises(NotSent, match=says):
            mail.send(to(port), sent)
    monkeypatch.setenv("POST", CANARY)
    box = Box()
    with server(box, papers["good"], login=True) as port, pytest.raises(NotSent, match="535") as told:
        mail.send(to(port, user="audit", password="env:POST"), message())
    assert len(box.logins) == 1, "a wrong password is tried once, so that it locks no account"
    assert CANARY not in str(told.value)
    with (
        server(Box(), papers["good"], login=True) as port,
        pytest.raises(NotSent, match="NONE: the variable is not set"),
    ):
        mail.send(to(port, user="audit", password="env:NONE"), message())


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("mail.example.org", ""),
        ("http://mail.example.org", ""),
        ("smtp://", ""),
        ("smtp://h:port", ""),
        ("smtp://[::1", ""),
        ("smtp://h/path", ""),
        ("smtp://h?x=1", ""),
        (f"smtp://audit:{CANARY}@h", "env:X"),
        ("smtp://audit@h", ""),
        ("smtp://h", "env:X"),
        ("smtp://audit@h", CANARY),
    ],
)
def test_a_server_is_named_rightly_or_not_at_all(url: str, password: str) -> None:
    """Said before anything is asked; and what is put in the wrong place is not repeated."""
    with pytest.raises(InvalidInput) as told:
        mail.server(url, password)
    assert CANARY not in str(told.value)
    assert "AUDITOR_SMTP" in str(told.value)


def test_a_server_has_the_port_of_its_kind() -> None:
    assert mail.server("smtp://mail.example.org", "") == Server("mail.example.org", 587, False)
    assert mail.server("smtps://a%40b@[::1]:4650", "env:X") == Server("::1", 4650, True, "a@b", "env:X")


@pytest.mark.parametrize("text", ["a", "a@", "@b", "a@b\n", "a@b, c@d", "a b@c", "<a@b>", "é@b", "a@b\r\nBcc: c@d", ""])
def test_an_address_is_one_address(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no mail address"):
        mail.address(text, "--mail")


# ---------------------------------------------------------------- the letter


def test_five_lines_and_no_name() -> None:
    """Of a fleet where all sorts of things are wrong: no host, no control, no person."""
    before, run = fleet(), fleet()
    before.all_findings = [replace(f, outcome=f.outcome and type(f.outcome).PASS) for f in before.findings()]
    before.header = replace(before.header, number=11)
    for lang in ("en", "fr"):
        subject, lines = letter(run, compared(before, run), 1, voice(lang), detail=False)
        assert len(lines) == 5
        text = "\n".join([subject, *lines])
        names = [h.host for h in run.hosts()] + list(run.controls) + ["a.martin", "z.inconnu", "192.0.2", "ACC-2026"]
        assert [n for n in names if n in text] == []
    assert subject == "[auditor] demo: nouveau: 34, n'est plus mesuré: 8"
    assert lines[2] == "Écarts ouverts : critique: 14, élevée: 15, moyenne: 1, faible: 1 ; risques acceptés : 2"
    assert lines[4].endswith("auditor report 12, auditor diff 11 12")


def test_what_is_not_comparable_is_said() -> None:
    """Another set of hosts and controls, an interruption, no run before."""
    before, run = one_host(), fleet()
    _, lines = letter(run, compared(before, run), 1, voice("en"), detail=False)
    assert lines[2] == "What was asked is not the same: hosts added: 22, hosts gone: 1"
    run.header = replace(run.header, state="partial")
    subject, lines = letter(run, None, 130, voice("en"), detail=False)
    assert subject == "[auditor] demo: the audit was interrupted"
    assert lines[0].endswith("interrupted; there is no earlier one to compare it with")
    assert letter(one_host(), None, 0, voice("en"), detail=False)[0] == "[auditor] demo: first audit"
    assert letter(one_host(), compared(before, one_host()), 0, voice("en"), detail=False)[0].endswith(": nothing new")


def test_hosts_that_went_dark_are_no_quiet_week() -> None:
    before, run = one_host(), one_host()
    run.all_findings = [replace(f, outcome=Outcome.UNKNOWN) for f in run.all_findings]
    lost = sum(f.outcome is not Outcome.UNKNOWN for f in before.all_findings)
    subject, _ = letter(run, compared(before, run), 3, voice("en"), detail=False)
    assert subject.endswith(f": no longer measured: {lost}") and lost


def test_a_clock_that_went_back_is_said() -> None:
    """The run before is dated later: the mail does not pass over it."""
    before, run = one_host(), one_host()
    before.header = replace(before.header, started_at=before.header.started_at + 3600)
    _, lines = letter(run, compared(before, run), 0, voice("fr"), detail=False)
    assert len(lines) == 6
    assert lines[2].startswith("! ")
    assert "horloge" in lines[2]


def test_detail_names_hosts_and_controls_and_still_no_person() -> None:
    before, run = one_host(), one_host()
    before.all_findings = []
    run.all_findings = [
        finding(
            1,
            Subject("host", "web01", "syndicat"),
            "logins-ask-two-factors",
            "fail",
            Reason("logins[].two_factors", "equals", True, False, element="a.martin", person=True),
        )
    ]
    _, lines = letter(run, compared(before, run), 1, voice("en"), detail=True)
    text = "\n".join(lines)
    assert "logins-ask-two-factors (high)  web01" in text
    assert "a.martin" not in text
    assert "account-" in text


# ---------------------------------------------------------------- as a command


def audit(tmp_path: Path, text: str, *words: str, **environment: str) -> Result:
    words = ("run", *site(tmp_path, text), "--store", str(tmp_path / "runs.db"), "--lang", "en", *words)
    return CliRunner().invoke(main, words, env=environment, catch_exceptions=False)


def test_each_audit_is_told_against_the_one_before_it(tmp_path: Path, papers: dict[str, Path]) -> None:
    """Of the same policies; the exit code stays the audit's, and the report is written as without a mail."""
    box = Box()
    with server(box, papers["good"]) as port:
        where = {"AUDITOR_SMTP": f"smtp://localhost:{port}", "AUDITOR_MAIL_FROM": "auditor@example.org"}
        mails = ("--mail", "rssi@example.org", "--mail", "dgs@example.org")
        assert audit(tmp_path, "echo 400", *mails, **where).exit_code == 0
        done = audit(tmp_path, "echo 3", *mails, "-f", "junit=-", **where)
        assert (done.exit_code, done.stderr) == (1, "")
        assert audit(tmp_path, "echo 3", *mails, "--mail-detail", **where).exit_code == 1
    assert done.stdout.startswith("<?xml")
    assert [m["Subject"] for m in box.mails] == [
        f"[auditor] this machine: {w}" for w in ("first audit", "new: 1", "nothing new")
    ]
    assert box.mails[1]["To"] == "rssi@example.org, dgs@example.org"
    assert "Since then: new: 1" in box.mails[1].get_content()
    assert "Exit code 1; more: auditor report 2, auditor diff 1 2" in box.mails[1].get_content()
    assert "Audit 3 (" in box.mails[2].get_content()


def test_a_mail_that_is_not_sent_is_never_a_success(tmp_path: Path) -> None:
    """2 whatever the audit came to, with both on stderr; the audit is kept and its report written."""
    where = {"AUDITOR_SMTP": f"smtp://localhost:{free_port()}", "AUDITOR_MAIL_FROM": "auditor@example.org"}
    for number, (text, code) in enumerate((("echo 400", 0), ("echo 3", 1), ("true", 3)), 1):
        done = audit(tmp_path, text, "--mail", "rssi@example.org", "-f", f"json={tmp_path}/{number}.json", **where)
        assert done.exit_code == 2
        assert "the mail was not sent: localhost:" in done.stderr
        assert f"audit {number} itself ended, and came to exit code {code}: auditor report {number}" in done.stderr
        assert (tmp_path / f"{number}.json").stat().st_size
    assert [h.state for h in Store(str(tmp_path / "runs.db")).runs()] == ["complete"] * 3


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["--mail", "x@example.org"], {}, "name the mail server in AUDITOR_SMTP"),
        (["--mail", "x@example.org"], {"AUDITOR_SMTP": "smtp://h"}, "name the sender in AUDITOR_MAIL_FROM"),
        (["--mail", "nobody"], {"AUDITOR_SMTP": "smtp://h", "AUDITOR_MAIL_FROM": "a@b"}, "'nobody' is no mail address"),
        (["--mail", "x@y"], {"AUDITOR_SMTP": "smtp://h", "AUDITOR_MAIL_FROM": "a"}, "AUDITOR_MAIL_FROM: 'a' is no"),
        (["--mail-detail"], {}, "give --mail ADDRESS too"),
    ],
)
def test_mail_is_set_up_before_anything_is_asked(
    tmp_path: Path, words: list[str], environment: dict[str, str], says: str
) -> None:
    done = audit(tmp_path, f"touch {tmp_path}/asked; echo 400", *words, **environment)
    assert (done.exit_code, done.stdout, says in done.stderr) == (2, "", True)
    assert not (tmp_path / "asked").exists()
