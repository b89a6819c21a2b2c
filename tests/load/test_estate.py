"""The estate: who owns what; whatever it names must exist, and every host must stand somewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from make import ESTATE_YAML, estate_schemas, write

from auditor.errors import InvalidInput
from auditor.load import estate
from auditor.model import Estate, Register

HOSTS = "web: {hosts: {web01: , web02: }}\ndb: {hosts: {db01: }}\n"


def load(folder: Path) -> Estate:
    return estate.load(folder, estate_schemas())[0]


def refused(folder: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(folder)
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


def test_an_inventory_alone_is_one_perimeter(tmp_path: Path) -> None:
    """Without estate.yaml every host is of one perimeter, and the estate counts as declared."""
    loaded = load(write(tmp_path, hosts=HOSTS))
    assert {h.perimeter for h in loaded.hosts} == {"estate"}
    assert loaded.declared


def test_the_nearest_line_of_estate_yaml_wins(tmp_path: Path) -> None:
    """all, then groups as they merge in the inventory, then the host itself."""
    more = ESTATE_YAML.replace("zones:", "  - {id: far, owner: OTHER, kind: exclusive}\nauditing_entity: TOWN\nzones:")
    more += "  web: {roles: [web-front]}\n  site: {perimeter: far}\n  zz: {perimeter: own}\n  web02: {zone: dmz, roles: [x]}\n"
    hosts = "zz: {children: {site: }}\nsite: {children: {web: }}\n" + HOSTS
    found = {h.id: h for h in load(write(tmp_path, hosts=hosts, estate=more)).hosts}
    assert (found["web01"].perimeter, found["web01"].roles, found["web01"].zone) == ("far", ("web-front",), "dmz")
    assert (found["web02"].roles, found["db01"].perimeter) == (("x",), "own")


def test_under_which_names_a_collector_knows_a_host(tmp_path: Path) -> None:
    """None but its own when nothing is said; and its logs are required."""
    more = ESTATE_YAML + "  web02: {aliases: [intranet, 10.0.0.9], logs: not_required}\n"
    found = {h.id: (h.aliases, h.logs) for h in load(write(tmp_path, hosts=HOSTS, estate=more)).hosts}
    assert (found["web01"], found["web02"]) == (((), "required"), (("intranet", "10.0.0.9"), "not_required"))


def test_when_a_host_can_be_asked(tmp_path: Path) -> None:
    """Always when nothing is said; how old evidence may be follows from that, unless it is said."""
    more = ESTATE_YAML + "  web: {availability: office_hours, quiet_hours: 22:00-06:30}\n"
    more += "  web02: {availability: roaming, evidence_max_age: 36h, reinstalled_at: 2026-11-01}\n"
    found = {h.id: h for h in load(write(tmp_path, hosts=HOSTS, estate=more)).hosts}
    said = {
        n: (h.availability, h.quiet_hours_s, h.evidence_max_age_s / 3600, h.reinstalled_at) for n, h in found.items()
    }
    assert said["db01"] == ("always", None, 26, "")
    assert said["web01"] == ("office_hours", (79200, 23400), 168, "")
    assert said["web02"] == ("roaming", (79200, 23400), 36, "2026-11-01")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("zone: dmz}", "zone: dzm}", "estate.yaml:11:31: there is no zone 'dzm'; did you mean 'dmz'?"),
        ("perimeter: own", "perimeter: onw", "estate.yaml:11:20: there is no perimeter 'onw'; did you mean 'own'?"),
        ("owner: TOWN", "owner: TWON", "estate.yaml:5:22: there is no entity 'TWON'; did you mean 'TOWN'?"),
        ("entity: TOWN", "entity: TWON", "estate.yaml:9:27: there is no entity 'TWON'; did you mean 'TOWN'?"),
        ("10.62.60.0/24", "10.62.60.1/24", "estate.yaml:7:37: no network: 10.62.60.1/24 has host bits set"),
        ("10.62.60.0/24", "10", "estate.yaml:7:37: no network: '10' does not appear to be an IPv4 or IPv6 network"),
        ("all: {", "web03: {perimeter: own}\n  all: {", "estate.yaml:11:3: the inventory has no host or group 'web03'; did you mean 'web02'?"),
        ("all: {perimeter", "web: {perimeter", "estate.yaml:10:1: the host 'db01' has no perimeter: give it one under hosts, or its group"),
        ("zone: dmz}", "connection: none}", "estate.yaml:11:3: connection: none needs a 'why'"),
        ("zone: dmz}", "platform: linus}", "estate.yaml:11:35: the text 'linus' is not one of linux, windows, cisco_ios, fortios, other; did you mean 'linux'?"),
        ("zone: dmz}", "logs: none}", "estate.yaml:11:31: the text 'none' is not one of required, not_required"),
        ("zone: dmz}", "zoen: dmz}", "estate.yaml:11:25: unknown key 'zoen'; did you mean 'zone'?"),
        ("zone: dmz}", "commissioned_at: 2026-02-30}", "estate.yaml:11:42: 2026-02-30 is no day of the calendar"),
        ("zone: dmz}", "reinstalled_at: 2026-02-30}", "estate.yaml:11:41: 2026-02-30 is no day of the calendar"),
        ("zone: dmz}", "availability: nights}", "estate.yaml:11:39: the text 'nights' is not one of always, office_hours, roaming"),
        ("zone: dmz}", "evidence_max_age: 0h}", "estate.yaml:11:43: the text '0h' has not the right form, for example 26h"),
        ("zone: dmz}", "evidence_max_age: 26}", "estate.yaml:11:43: the text '26' has not the right form, for example 26h"),
        ("zone: dmz}", "quiet_hours: 22:00-24:00}", "estate.yaml:11:38: the text '22:00-24:00' has not the right form, for example 22:00-06:00"),
        ("zone: dmz}", "quiet_hours: 9-12}", "estate.yaml:11:38: the text '9-12' has not the right form, for example 22:00-06:00"),
        ("zone: dmz}", "quiet_hours: 06:00-06:00}", "estate.yaml:11:38: 06:00-06:00 has no length; a host that is never connected to says connection: none, and why"),
        ('"2026-01-01"', '"2026-13-01"', "estate.yaml:9:40: 2026-13-01 is no day of the calendar"),
        ('"2026-01-01"', "2026", "estate.yaml:9:40: the text '2026' has not the right form, for example 2026-03-31"),
        ('"2026-01-01"', "2026-01-01, until: 2025-01-01", "estate.yaml:9:59: 2025-01-01 is before 2026-01-01"),
        ("  - {id: OTHER}", "  - {id: TOWN}", "estate.yaml:3:10: 'TOWN' is given twice"),
        ("vlan: 60", "vlan: 4095", "estate.yaml:7:21: 4095 is greater than the maximum of 4094"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    """Names that stand for nothing, networks and days that are none: with file, line, column and a hint."""
    assert before in ESTATE_YAML
    assert problem in refused(write(tmp_path, hosts=HOSTS, estate=ESTATE_YAML.replace(before, after)))


def test_the_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    """The inventory, the estate and the registers."""
    write(
        tmp_path,
        hosts=HOSTS.replace("db01: ", "db01: {ansible_port: x}"),
        estate=ESTATE_YAML.replace("owner: TOWN", "owner: TWON"),
        records__admins="register: admins\nentry: []\n",
    )
    assert [p.partition(":")[0] for p in refused(tmp_path)] == [
        "estate.yaml",
        "hosts.yaml",
        "records/admins.yaml",
        "records/admins.yaml",
    ]


def test_registers_are_loaded_by_their_name(tmp_path: Path) -> None:
    """Two files may not hold one register."""
    write(tmp_path, hosts=HOSTS, estate=ESTATE_YAML, records__a="register: admins\nentries: [root, 0644]\n")
    assert load(tmp_path).registers == (Register("admins", ("root", "0644"), "", f"{tmp_path}/records/a.yaml"),)
    write(tmp_path, records__b="register: admins\nentries: []\n")
    assert refused(tmp_path) == ["records/b.yaml:1:11: the register 'admins' is given twice"]


def test_an_entry_may_say_when_it_left(tmp_path: Path) -> None:
    """With its zone; a moment that is none, or a zone left out, is an error of the file."""
    text = "register: leavers\nentries:\n  - old\n  - {entry: dupont, left_at: 2026-10-30T17:00:00+01:00}\n"
    write(tmp_path, hosts=HOSTS, estate=ESTATE_YAML, records__leavers=text)
    (register,) = load(tmp_path).registers
    assert register.entries == ("old", "dupont")
    assert register.left_at == {"dupont": 1793376000.0}
    write(tmp_path, records__leavers=text.replace("-10-30", "-13-30"))
    assert refused(tmp_path) == ["records/leavers.yaml:4:30: 2026-13-30T17:00:00+01:00 is no moment"]
    write(tmp_path, records__leavers=text.replace("+01:00", ""))
    assert [p.partition(": ")[0] for p in refused(tmp_path)] == ["records/leavers.yaml:4:30"]


def test_a_folder_without_an_inventory_is_an_error(tmp_path: Path) -> None:
    """It says which names an inventory may have."""
    assert refused(tmp_path) == [
        f"{tmp_path}: holds no inventory (hosts or inventory, as .yaml, .yml, .json, .ini, .csv)"
    ]


@pytest.mark.root
@pytest.mark.parametrize("name", ["hosts", "estate", "records/admins"])
def test_a_file_that_we_may_not_read_is_an_error(tmp_path: Path, name: str) -> None:
    """A closed file is named, without a traceback, and never taken as absent."""
    write(tmp_path, hosts=HOSTS, estate=ESTATE_YAML, records__admins="register: admins\nentries: []\n")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        os.chmod(folder, folder.stat().st_mode | 0o055)
    (tmp_path / f"{name}.yaml").chmod(0)
    wanted = estate_schemas()
    os.seteuid(65534)
    try:
        with pytest.raises(InvalidInput, match=f"{name}.yaml: cannot be read: Permission denied"):
            estate.load(tmp_path, wanted)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ("  web01: {zone: dmz, was: web02}\n", "the inventory has a host 'web02': 'web01' cannot have been it"),
        ("  web01: {was: srv7}\n  web02: {was: srv7}\n", "'web01' was it first: 'web02' cannot have been it"),
        ("  all: {was: srv7}\n", "'all' is a group: only a host was something else"),
    ],
)
def test_what_a_host_was_first_is_no_other_host(tmp_path: Path, places: str, problem: str) -> None:
    hosts = "all:\n  hosts:\n    web01: {ansible_host: 192.0.2.1}\n    web02: {ansible_host: 192.0.2.2}\n"
    declared = (
        ESTATE_YAML.replace("  all: {", "  ungrouped: {") + "  web02: {perimeter: town}\n  web01: {perimeter: town}\n"
    )
    lines = declared.splitlines(keepends=True)
    kept = [line for line in lines if not any(line.startswith(f"  {n}:") for n in ("web01", "web02", "ungrouped"))]
    folder = write(tmp_path / "town", hosts=hosts, estate="".join(kept) + places)
    assert any(problem in said for said in refused(folder))


PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(("content", "form"), [(PNG, "png"), (JPEG, "jpeg"), (PNG + b"x" * (65536 - 8), "png")])
def test_a_logo_is_read_whole(tmp_path: Path, content: bytes, form: str) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents/logo.svg").write_bytes(content)  # what is in it counts, not its name
    folder = write(
        tmp_path, hosts=HOSTS, estate=ESTATE_YAML.replace("{id: TOWN", "{id: TOWN, logo: documents/logo.svg", 1)
    )
    assert load(folder).entities["TOWN"].logo.startswith(f"data:image/{form};base64,")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<svg/>", "is no PNG or JPEG picture"),
        (b"", "is no PNG"),
        (PNG + b"x" * 65536, "larger than 64 KiB"),
        (None, "no file"),
    ],
)
def test_what_is_no_logo_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    (tmp_path / "documents").mkdir()
    if content is not None:
        (tmp_path / "documents/logo.png").write_bytes(content)
    folder = write(
        tmp_path, hosts=HOSTS, estate=ESTATE_YAML.replace("{id: TOWN", "{id: TOWN, logo: documents/logo.png", 1)
    )
    (problem,) = refused(folder)
    assert problem.startswith("estate.yaml:")
    assert why in problem
