"""Hosts that are not always on, end to end: a real sshd that is there in one run and gone in the next."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from click.testing import CliRunner, Result
from conftest import lacking
from make import ESTATE_YAML, schema, site, write
from sshd import started

from auditor.cli import main
from auditor.transports._endpoint import Endpoint, Refused
from auditor.transports._ssh import dialling, route

pytestmark = pytest.mark.xdist_group("availability")


NAMES: dict[str, str] = {}  # address -> host, of the estate in use


class Fleet:
    """An estate whose hosts are addresses of one sshd, or of nothing once it has stopped; `dialled` counts connections."""

    def __init__(self, folder: Path, port: int, key_file: str, dialled: list[str]) -> None:
        self.folder, self.port, self.key_file, self.dialled = folder, port, key_file, dialled
        self.store = folder / "runs.db"

    def estate(self, **hosts: str) -> None:
        """By host: what estate.yaml says of it. Each has an address of its own."""
        reach = f"ansible_port: {self.port}, ansible_ssh_private_key_file: {self.key_file}"
        NAMES.update({f"127.0.0.{n}": name for n, name in enumerate(hosts, 1)})
        lines = [f"    {name}: {{ansible_host: 127.0.0.{n}, {reach}}}" for n, name in enumerate(hosts, 1)]
        places = "".join(f"  {name}: {{{place}}}\n" for name, place in hosts.items())
        write(self.folder / "town", hosts="all:\n  hosts:\n" + "\n".join(lines), estate=ESTATE_YAML + places)

    def run(self, *words: str, text: str = "echo 400") -> tuple[int, dict[str, Any]]:
        """The exit code and the run document, which is valid."""
        self.dialled.clear()
        result = self.invoke("run", *site(self.folder, text), "-i", str(self.folder / "town"), "-f", "json", *words)
        assert result.stderr == ""
        document = json.loads(result.stdout)
        jsonschema.Draft7Validator(schema("run")).validate(document)
        return result.exit_code, document

    def invoke(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--store", str(self.store)], catch_exceptions=False)

    def hours_pass(self, hours: float) -> None:
        """What was seen, was seen that much earlier."""
        with sqlite3.connect(self.store) as db:
            db.execute("UPDATE host SET seen_at = seen_at - ?", (hours * 3600,))
            db.execute("UPDATE answer SET at = at - ?, host_at = host_at - ?", (hours * 3600, hours * 3600))


@pytest.fixture
def fleet(
    program: Callable[[str], str], tmp_path: Path, tripwires: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """`with fleet() as town:` the sshd is up within, and gone after."""
    dialled: list[str] = []
    dial = dialling.dial
    monkeypatch.setattr(route, "PAUSES_S", ())  # a host that is down is dialled once

    def noted(end: Endpoint, *rest: Any) -> Any:
        dialled.append(NAMES[end.address])
        try:
            return dial(end, *rest)
        except Refused as error:  # no address of loopback is silent: a refused port stands for a host that is off
            raise Refused(error.cause, error.message, "silent") from None

    monkeypatch.setattr(dialling, "dial", noted)

    @contextmanager
    def up() -> Iterator[Fleet]:
        (tmp_path / "sshd").mkdir()
        with started(tmp_path / "sshd", program("sshd"), program("ssh-keygen")) as server:
            (tripwires / ".ssh").mkdir()
            addresses = [f"127.0.0.{n}" for n in range(1, 10)]
            (tripwires / ".ssh" / "known_hosts").write_text(server.known_hosts(addresses))
            yield Fleet(tmp_path, server.port, server.key_file, dialled)

    return up


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    """By host: its outcome, or the cause and detail of what is unknown."""
    causes = [(f, (f["reasons"] or [{}])[0].get("cause")) for f in document["findings"]]
    return {f["subject"]["id"]: f"{c['cause']} {c['detail']}".strip() if c else f["outcome"] for f, c in causes}


def test_a_host_of_office_hours_after_hours(fleet: Callable[[], Any]) -> None:
    """Judged on the day's evidence while that is young, then unknown; a server that is always on is an outage at once."""
    with fleet() as town:
        town.estate(pc="availability: office_hours", srv="roles: [web]")
        code, now = town.run()
        assert (code, outcomes(now)) == (0, {"pc": "pass", "srv": "pass"})
        assert now["summary"]["hosts"]["measured_now"] == 2
    town.hours_pass(30)
    code, evening = town.run()
    assert code == 3
    assert sorted(town.dialled) == ["pc", "srv"]
    assert outcomes(evening)["pc"] == "pass"
    assert outcomes(evening)["srv"].startswith("unreachable")
    hosts = {h["host"]: h for h in evening["hosts"]}
    assert hosts["pc"]["evidence_at"] == pytest.approx(now["run"]["started_at"] - 30 * 3600, abs=60)
    assert hosts["pc"]["evidence_at"] == evening["findings"][0]["at"]
    assert (hosts["pc"]["asked"], hosts["srv"]["evidence_at"]) == (True, 0)
    counted = evening["summary"]["hosts"]
    assert [counted[n] for n in ("reached", "measured_now", "measured_earlier", "attested", "unseen")] == [
        0,
        0,
        1,
        0,
        1,
    ]
    town.estate(pc="availability: office_hours")
    assert town.run()[0] == 0
    assert town.run(text="echo 401")[1]["findings"][0]["reasons"][0]["cause"]["cause"] == "not_asked"
    town.hours_pass(7 * 24 - 30 + 1)
    code, late = town.run()
    assert (code, outcomes(late)) == (3, {"pc": "last_seen last seen 7 days ago"})


BREAKS_OFF = {"closes": b"", "speaks HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n", "closes after its name": b"SSH-2.0-Old\r\n",
              "is full": b"Exceeded MaxStartups\r\n"}  # fmt: skip


@pytest.mark.parametrize("way", ["ssh", "openssh"])
@pytest.mark.parametrize("said", BREAKS_OFF.values(), ids=BREAKS_OFF)
def test_a_host_that_breaks_off_is_there_and_no_old_pass_stands_for_it(
    said: bytes, way: str, fleet: Callable[[], Any]
) -> None:
    with fleet() as town:
        town.estate(lap="availability: roaming")
        assert town.run()[0] == 0
    hosts = town.folder / "town" / "hosts.yaml"
    hosts.write_text(hosts.read_text().replace("ansible_port", f"ansible_connection: {way}, ansible_port"))

    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as caller:
                    caller.sendall(said)
                    caller.shutdown(socket.SHUT_WR)
                    caller.recv(4096)

    with socket.create_server(("127.0.0.1", town.port)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        code, document = town.run()
        listener.shutdown(socket.SHUT_RDWR)
    assert (code, document["findings"][0]["outcome"], document["hosts"][0]["evidence_at"]) == (3, "unknown", 0)


def test_reports_say_what_is_earlier(fleet: Callable[[], Any]) -> None:
    """Text, in both languages, and JUnit; a stored run is printed again with the same bytes."""
    with fleet() as town:
        town.estate(pc="availability: roaming", laptop="availability: roaming")
        town.run()
    town.hours_pass(24)
    code, document = town.run()
    stamp = document["hosts"][0]["evidence_stamp"]
    assert (code, document["summary"]["hosts"]["oldest_evidence"]) == (
        0,
        min(h["evidence_stamp"] for h in document["hosts"]),
    )
    page = town.invoke("report", "--lang", "en").stdout
    assert "0 now, 2 earlier, 0 attested, 0 by nobody" in page
    assert f"Hosts judged on earlier evidence: 2, the oldest of {stamp[:10]}" in page
    details = town.invoke("report", "--lang", "en", "--details").stdout
    assert f"{stamp[:10]} {stamp[11:16]} UTC  no answer  laptop" in details
    assert "Machines jugées sur preuve antérieure : 2" in town.invoke("report", "--lang", "fr").stdout
    written = town.invoke("report", "-f", "junit", "--lang", "en").stdout
    suites = {s.get("name"): s for s in ET.fromstring(written)}
    properties = {p.get("name"): p.get("value") for p in suites["pc"].iter("property")}
    assert properties["auditor.evidence"] == stamp
    assert "every-host-reached: judged on earlier evidence: pc, laptop" in (
        suites["run:coverage"].findtext("system-out") or ""
    )
    assert json.loads(town.invoke("report", "-f", "json").stdout) == document


def test_missing_connects_only_where_it_must(fleet: Callable[[], Any]) -> None:
    """One connection to each host without fresh evidence, none to the others; then none at all."""
    with fleet() as town:
        town.estate(a="roles: [x]", b="roles: [x]")
        assert town.run("--missing")[0] == 0
        assert sorted(town.dialled) == ["a", "b"]
        town.estate(a="roles: [x]", b="roles: [x]", c="roles: [x]", d="connection: none, why: a copier")
        code, more = town.run("--missing")
        assert (code, town.dialled) == (3, ["c"])
        assert [(h["host"], h["asked"]) for h in more["hosts"]] == [
            ("a", False),
            ("b", False),
            ("c", True),
            ("d", False),
        ]
        assert town.run("--missing")[0] == 3
        assert town.dialled == []
        town.hours_pass(27)
        town.run("--missing")
        assert sorted(town.dialled) == ["a", "b", "c"]
    code, _ = town.run("--missing", "--limit", "a,b")
    assert (code, town.dialled) == (0, [])
    town.hours_pass(27)
    code, gone = town.run("--missing", "--limit", "a,b")
    assert (code, sorted(town.dialled)) == (3, ["a", "b"])
    assert all(o.startswith("unreachable") for o in outcomes(gone).values())


def test_no_connection_is_opened_in_quiet_hours(fleet: Callable[[], Any]) -> None:
    """By the clock of France, whatever the zone of this machine; other hosts are asked."""
    now = datetime.now(ZoneInfo("Europe/Paris"))
    quiet = f"quiet_hours: {now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    loud = f"quiet_hours: {now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=4):%H:%M}"
    with fleet() as town:
        town.estate(a=quiet, b=loud)
        code, first = town.run()
        assert (code, town.dialled, outcomes(first)) == (3, ["b"], {"a": "last_seen never seen", "b": "pass"})
        town.estate(a="roles: [x]", b=loud)
        assert town.run()[0] == 0
        town.estate(a=quiet, b=loud)
        code, second = town.run()
        assert (code, town.dialled, outcomes(second)) == (0, ["b"], {"a": "pass", "b": "pass"})
        assert [h["asked"] for h in second["hosts"]] == [False, True]


def test_another_host_at_the_address(fleet: Callable[[], Any]) -> None:
    """Everything of it is unknown, until estate.yaml says that it was reinstalled."""
    if not any(
        Path(p).is_file() and Path(p).read_text().strip() for p in ("/etc/machine-id", "/var/lib/dbus/machine-id")
    ):
        lacking("this machine has no machine-id")
    with fleet() as town:
        town.estate(a="roles: [x]", b="roles: [x]")
        assert town.run()[0] == 0
        with sqlite3.connect(town.store) as db:
            db.execute("UPDATE host SET machine = ? WHERE id = 'a'", ("c" * 32,))
        for _ in range(2):
            code, other = town.run()
            assert code == 3
            assert outcomes(other)["a"].startswith("other_host it shows the machine-id ")
            assert outcomes(other)["b"] == "pass"
        town.estate(a=f"reinstalled_at: {datetime.now(ZoneInfo('Europe/Paris')):%Y-%m-%d}", b="roles: [x]")
        assert town.run()[0] == 0


def test_missing_needs_a_store(tmp_path: Path) -> None:
    """Without one there is no earlier evidence; said before anything is asked."""
    asked = tmp_path / "asked"
    words = ["run", *site(tmp_path, f"touch {asked}; echo 400"), "--missing", "--store", "none"]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout, asked.exists()) == (2, "", False)
    assert "--missing: with --store none there is no earlier evidence" in result.stderr


def test_another_entitys_host_of_the_same_name_is_asked(fleet: Callable[[], Any]) -> None:
    """One store, two estates: what the first one's host told is no evidence of the second one's; its own folder may move."""
    with fleet() as town:
        town.estate(pc="availability: roaming")
        assert town.run()[0] == 0
        (town.folder / "town").rename(town.folder / "elsewhere")
        town.estate(pc="availability: roaming")
        assert (town.run("--missing")[0], town.dialled) == (0, [])
        written = town.folder / "town" / "estate.yaml"
        written.write_text(written.read_text().replace("TOWN", "OTHER_TOWN"))
        assert (town.run("--missing")[0], town.dialled) == (0, ["pc"])
