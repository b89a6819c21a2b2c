"""From exports of other tools to a first coverage table, in two commands and no YAML written by hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sshd import Sshd, free_port

from auditor.errors import InvalidInput
from auditor.load.inventory import merge, table
from auditor.load.inventory.table import Machine

GLPI = '"Nom";"Statut";"Numéro de série";"Système d\'exploitation - Nom";"Lieu";"Usager";"Adresse IP";\n'


def auditor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AUDITOR_INVENTORY_IMPORT_LANG": "en", "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "auditor", *words], cwd=folder, env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, timeout=110,
    )  # fmt: skip


def imported(folder: Path, *words: str) -> str:
    done = auditor(folder, "inventory", "import", *words, "--out", "town")
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------- end to end


def test_three_hundred_machines_of_glpi_to_a_coverage_table(tmp_path: Path, sshd: Sshd) -> None:
    """Import, then run: expected, reached and measured are told though nearly every port is closed."""
    closed = free_port()
    rows = "".join(
        f'"SRV{n:03}";"En service";"SN{n:05}";"Debian 12";"Arras";"x";"127.0.1.{n % 250 + 1}";\n' for n in range(299)
    )
    (tmp_path / "glpi.csv").write_bytes(
        (GLPI + rows + '"VIVANT";"";"L1";"Debian";"";"";"127.0.0.1";\n').encode("cp1252")
    )
    imported(tmp_path, "glpi.csv")
    # What a site has in its ssh configuration stands here in variables, for the test alone.
    live = f"ansible_port={sshd.port} ansible_user={sshd.user} ansible_ssh_private_key_file={sshd.key_file} ansible_become=false"
    (tmp_path / "town" / "hosts.ini").write_text(f"[all:vars]\nansible_port={closed}\n[ungrouped]\nvivant {live}\n")
    known = Path(os.environ["HOME"]) / ".ssh"
    known.mkdir(mode=0o700, exist_ok=True)
    (known / "known_hosts").write_text(sshd.known_hosts())
    done = auditor(tmp_path, "run", "-i", "town", "--store", "none", "--lang", "en", "--jobs", "64")
    assert done.returncode in (1, 3), done.stderr
    assert re.search(r"300 expected, 1 reached, 1 measured", done.stdout), done.stdout[:2000] + done.stderr


# ---------------------------------------------------------------- importing again


def test_importing_again_shows_what_changed_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    """hosts.yaml, estate.yaml and host_vars/ are never touched, and win."""
    (tmp_path / "glpi.csv").write_text(
        GLPI + '"A";"";"s1";"Debian";"";"";"10.0.0.1";\n"B";"";"s2";"";"";"";"10.0.0.2";\n'
    )
    imported(tmp_path, "glpi.csv")
    town = tmp_path / "town"
    (town / "hosts.yaml").write_text("all: {hosts: {a: {ansible_host: 10.9.9.9}, byhand: }}\n")
    estate = (town / "estate.yaml").read_text().replace("zones: []", "zones: [{id: z, addresses: [10.0.0.0/24]}]")
    (town / "estate.yaml").write_text(estate)
    (tmp_path / "glpi.csv").write_text(
        GLPI + '"A";"";"s1";"Debian";"";"";"10.0.0.7";\n"C";"";"s3";"";"";"";"10.0.0.3";\n'
    )
    said = imported(tmp_path, "glpi.csv")
    assert "added: 1 (c)" in said
    assert "gone: 1 (b)" in said
    assert "a: ansible_host: 10.0.0.1 > 10.0.0.7" in said
    assert "added by hand: 1 (byhand)" in said
    assert "no zone: 2 (a, byhand)" in said
    assert (town / "estate.yaml").read_text() == estate
    listed = auditor(tmp_path, "list", "hosts", "-i", "town").stdout
    assert re.search(r"^a\t10\.9\.9\.9\t", listed, re.MULTILINE)
    assert "nothing changed" in imported(tmp_path, "glpi.csv")


def test_an_imported_file_that_was_edited_is_not_written_over(tmp_path: Path) -> None:
    """What to do is said; the edit is kept."""
    (tmp_path / "glpi.csv").write_text(GLPI + '"A";"";"";"";"";"";"10.0.0.1";\n')
    imported(tmp_path, "glpi.csv")
    file = tmp_path / "town" / "00-imported.yaml"
    file.write_text(file.read_text().replace("10.0.0.1", "10.0.0.2"))
    done = auditor(tmp_path, "inventory", "import", "glpi.csv", "--out", "town")
    assert done.returncode == 2
    assert "was changed by hand: move what you changed to hosts.yaml" in done.stderr
    assert "10.0.0.2" in file.read_text()


def test_an_import_reads_its_own_file_again(tmp_path: Path) -> None:
    """A name beyond the first plane too."""
    (tmp_path / "x.csv").write_text(GLPI + '"\U0001d400";"";"";"";"";"";"10.0.0.1";\n', "utf-8")
    for _ in range(2):
        imported(tmp_path, "x.csv", "--out", "town")


def test_hostile_cells_are_text(tmp_path: Path) -> None:
    """No template, no tag, no escape and no new line of a cell reaches the inventory or the terminal."""
    (tmp_path / "x.csv").write_text(GLPI + '"A";"{{ lookup(1) }}";"";"!vault x";"\x1b[31m\nb: c";"#";"10.0.0.1";\n')
    assert "\x1b" not in imported(tmp_path, "x.csv")
    assert auditor(tmp_path, "lint", "town").returncode == 0
    assert "nothing changed" in imported(tmp_path, "x.csv")


# ---------------------------------------------------------------- exports


@pytest.mark.parametrize(
    ("data", "machine"),
    [
        (GLPI.encode("cp1252") + b'"A";"En service";"s";"Debian 12";"Mairie";"x";"fe80::1\n10.0.0.1";\n',
         Machine("A", "", "10.0.0.1", "Debian 12", "s", "Mairie", owner="x", status="En service")),
        ('#TYPE X\r\n"DNSHostName","Enabled","IPv4Address","Name"\r\n"a.t.fr","True","10.0.0.1","A"\r\n'.encode("utf-16"),
         Machine("A", "a.t.fr", "10.0.0.1", status="True")),
        (b"\xef\xbb\xbfname\taddress\nA.t.fr\t10.0.0.1\n", Machine("A", "A.t.fr", "10.0.0.1")),
        (b"id;name;alias;address;activate\n12;A;the a;10.0.0.1;1\n", Machine("A", "", "10.0.0.1", status="1")),
        (b"CMD;ADD;x\nHOST;ADD;A;the a;10.0.0.1;tpl;Central;g\nHOST;setparam;A;x;y\n", Machine("A", "", "10.0.0.1")),
        (b"sep=,\nHostname,IP\nA,10.0.0.1\n,\n", Machine("A", "", "10.0.0.1")),
    ],
    ids=["glpi", "powershell", "tabs", "centreon", "clapi", "excel"],
)  # fmt: skip
def test_exports_are_read(data: bytes, machine: Machine) -> None:
    """Encodings, separators and the names of columns of each tool."""
    assert table.parsed(data, "x.csv") == [machine]


def test_a_column_may_be_named(tmp_path: Path) -> None:
    """--map speaks where the header does not; a field that is none is refused."""
    mapping = table.mapped(["Désignation=name", "Qui = quoi=owner"])
    assert table.parsed("Désignation;Qui = quoi\nA;B\n".encode(), "x", mapping) == [Machine("A", owner="B")]
    with pytest.raises(InvalidInput, match="did you mean 'owner'"):
        table.mapped(["a=onwer"])
    with pytest.raises(InvalidInput, match="write it COLUMN=FIELD"):
        table.mapped(["a"])


def test_machines_are_one_by_serial_then_by_name() -> None:
    """A serial number joins two names; two serial numbers keep one name apart; no firmware's default joins anything."""
    found = merge.merged({
        "g": [Machine("A", serial="S1"), Machine("b", serial="To be filled by O.E.M."), Machine("b", serial="Default string")],
        "h": [Machine("renamed", serial="s1"), Machine("B", owner="x"), Machine("c", serial="S2"), Machine("c", serial="S3")],
    })  # fmt: skip
    assert [m.machine.name for m in found.machines] == ["a", "b", "c", "c-s3"]
    assert found.renamed == (("A", "renamed"),)
    assert found.machines[1].machine.owner == "x"
    assert dict(found.twice) == {"g": ("b",), "h": ("c-s3",)}
