"""Files in reports are named by what was typed, the same on every machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree

from auditor import shelves
from auditor.cli import main
from auditor.commands.given_names import shared

SHIPPED = str(shelves.packaged("policies") / "convention/backup.yaml")


@pytest.mark.parametrize(
    ("path", "given", "name"),
    [
        ("town/hosts.yaml", ["town"], "town/hosts.yaml"),
        ("../x/p.yaml", ["../x"], "../x/p.yaml"),
        ("/home/me/x/pol/a/p.yaml", ["/home/me/x/pol/"], "pol/a/p.yaml"),
        ("/home/me/x/p.yaml", ["/home/me/x/p.yaml"], "p.yaml"),
        ("/home/me/polar/p.yaml", ["/home/me/pol"], "p.yaml"),
        ("/home/me/answer", [], "answer"),
        (SHIPPED, [], "auditor/policies/convention/backup.yaml"),
        ("collector", [], "collector"),
    ],
)
def test_a_name_says_no_more_than_was_typed(path: str, given: list[str], name: str) -> None:
    assert shared({path: "d"}, given) == {name: "d"}


def test_two_files_of_one_name_are_two() -> None:
    told = shared({"/a/p.yaml": "1" * 64, "/b/p.yaml": "2" * 64, "/c/p.yaml": "2" * 64}, [])
    assert told == {"p.yaml#11111111": "1" * 64, "p.yaml#22222222": "2" * 64}


@pytest.mark.parametrize(
    "names",
    [
        ("/a/p.yaml", "/b/p.yaml"),
        ("/a/p.yaml", "/b/p.yaml", f"/c/p.yaml#{'1' * 9}2"),
        ("/a/p.yaml", f"/c/p.yaml#{'1' * 8}"),
    ],
)
def test_no_file_takes_the_name_of_another(names: tuple[str, ...]) -> None:
    """Neither by how its digest begins, nor by what it is called."""
    digests = {name: "1" * (9 + number) + "2" * (55 - number) for number, name in enumerate(names)}
    assert sorted(shared(digests, []).values()) == sorted(digests.values())


def test_reports_of_two_machines_name_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the folders lie, also in the run's id."""
    told = []
    for place in ("one", "two"):
        folder = tmp_path / place
        (folder / "town").mkdir(parents=True)
        (folder / "town/hosts.yaml").write_text("all: {hosts: {web01: {}}}\n")
        (folder / "web01/etc/ssh").mkdir(parents=True)
        (folder / "web01/etc/ssh/sshd_config").write_text("UsePAM yes\n")
        monkeypatch.chdir(folder)
        words = [
            "-i",
            str(folder / "town"),
            "--tree",
            "web01=web01",
            "--store",
            "none",
            "-f",
            "json=r.json",
            "-f",
            "junit=r.xml",
        ]
        CliRunner().invoke(main, ["run", "--fail-on", "never", *words])
        run = json.loads((folder / "r.json").read_text())["run"]
        names = [e.get("name") for e in etree.parse(folder / "r.xml").iter("property")]
        digests = {name for name in names if name and name.startswith("digest.")}
        assert {"digest.town/hosts.yaml", "digest.auditor/policies/convention/backup.yaml"} <= digests
        assert digests == {f"digest.{name}" for name in run["digests"]}
        assert str(tmp_path) not in " ".join(digests)
        told.append((run["id"], run["digests"]))
    assert told[0] == told[1]
