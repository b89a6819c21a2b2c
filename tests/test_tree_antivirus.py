"""Settings of antivirus products in a tree: what they have them watch, learn and leave out, as the programs read them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_tree_dialects import WANTS, answers_of, cause, facts_of, items, made
from test_tree_doors import changed

from auditor.medium import WHERE
from auditor.readers import clamav
from auditor.readers.trees.antivirus import MDATP

CLAMD, FRESHCLAM = "etc/clamav/clamd.conf", "etc/clamav/freshclam.conf"
SETTINGS = "# ours\nLocalSocket /run/clamd\nOnAccessIncludePath /home\nOnAccessPrevention yes\nOnAccessExcludeUname clamav\nExcludePath ^/proc/\n"
LEARNS = "DatabaseMirror db.example\nChecks 24\nHTTPProxyPassword canary\n"
LINKS = {
    f"{WANTS}/{unit}.service": f"->/lib/systemd/system/{unit}.service"
    for unit in ("clamav-daemon", "clamav-clamonacc", "clamav-freshclam")
}
GOOD = {CLAMD: SETTINGS, FRESHCLAM: LEARNS, **LINKS}
UNIT = "etc/systemd/system/clamav-clamonacc.service"


def told(folder: Path) -> tuple[Any, Any, list[str]]:
    """Whether it watches, whether it learns, and what it leaves out."""
    facts = facts_of("antivirus_settings", folder)
    found = [
        (cause(p["real_time"]) or p["real_time"], cause(p["updates"]) or p["updates"]) for p in items(facts["products"])
    ]
    watches, learns = found[0] if found else (cause(facts["products"]), cause(facts["products"]))
    left_out = facts["exclusions"]
    return watches, learns, [e["exclusion"] for e in items(left_out)] + ([cause(left_out)] if cause(left_out) else [])


def test_settings_that_watch_and_learn(tmp_path: Path) -> None:
    assert told(made(tmp_path, **GOOD)) == (True, True, [])
    assert "canary" not in str(answers_of("antivirus_settings", tmp_path))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({CLAMD: SETTINGS.replace("OnAccessPrevention yes", "OnAccessPrevention no")}, f"/{CLAMD}:4"),
        ({CLAMD: SETTINGS.replace("OnAccessPrevention yes\n", "")}, f"/{CLAMD}:3"),
        ({CLAMD: SETTINGS.replace("OnAccessPrevention", "# OnAccessPrevention")}, f"/{CLAMD}:3"),
        ({CLAMD: "OnAccessPrevention no\n" + SETTINGS}, f"/{CLAMD}:1"),
        ({CLAMD: SETTINGS.replace("OnAccessIncludePath", "#OnAccessIncludePath")}, f"/{CLAMD}:4"),
        ({CLAMD: "Example\n" + SETTINGS}, f"/{CLAMD}:1"),
        ({UNIT: "->/dev/null"}, f"/{UNIT}"),
        ({UNIT: ""}, f"/{UNIT}"),
        ({UNIT: "->../../hollow", "etc/hollow": ""}, f"/{UNIT}"),
        ({"etc/systemd/system/clamav-daemon.service": "->/dev/null"}, "/etc/systemd/system/clamav-daemon.service"),
    ],
)
def test_a_change_that_switches_watching_off(tmp_path: Path, change: Mapping[str, str], line: str) -> None:
    changed(made(tmp_path, **GOOD), **change)
    assert told(tmp_path)[0] is False
    (found,) = items(facts_of("antivirus_settings", tmp_path)["products"])
    assert line in found[WHERE]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({CLAMD: SETTINGS + "OnAcessPrevention no\n"}, "unreadable"),
        ({CLAMD: SETTINGS + "onaccessprevention no\n"}, "unreadable"),
        ({CLAMD: SETTINGS.replace("yes", "yes # now")}, "unreadable"),
        ({CLAMD: SETTINGS.replace("\n", "\r\n")}, "unreadable"),
        ({CLAMD: SETTINGS + "LogTime\n"}, "unreadable"),
        ({CLAMD: SETTINGS + " # indented\n"}, "unreadable"),
        ({CLAMD: SETTINGS + "\ufeffLogTime yes\n"}, "unreadable"),
        ({"etc/clamd.d/scan.conf": "OnAccessPrevention no\n"}, "not_observable"),
        ({UNIT: "[Service]\nExecStart=/bin/true\n"}, "not_told"),
        ({UNIT: "[Service]\nExecStart=/usr/sbin/clamonacc -c /root/x\n"}, "not_told"),
        ({UNIT + ".d/a.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/clamonacc --config-file=/root/x\n"}, "not_told"),
        ({UNIT + ".d/a.conf": "[Unit]\nConditionPathExists=/never\n"}, "not_observable"),
        ({"etc/systemd/system/service.d/a.conf": "[Unit]\nConditionPathExists=/never\n"}, "not_observable"),
        ({"etc/systemd/system/clamav-.service.d/a.conf": "[Unit]\nConditionPathExists=/never\n"}, "not_observable"),
        ({UNIT.replace("etc", "usr/local/lib", 1): "[Service]\nExecStart=/bin/true\n"}, "not_told"),
        ({UNIT + ".d/a.conf": "[Service]\nExecCondition=/bin/false\n"}, "not_observable"),
    ],
)  # fmt: skip
def test_what_is_not_sure_is_no_pass(tmp_path: Path, change: Mapping[str, str], why: str) -> None:
    assert told(changed(made(tmp_path, **GOOD), **change))[0] == why


def test_units_of_their_own_that_start_the_same_are_the_same(tmp_path: Path) -> None:
    unit = "[Service]\nExecStart=\nExecStart=-/usr/sbin/clamonacc -F --log=/var/log/c --fdpass\n"
    assert told(made(tmp_path, **GOOD, **{UNIT: unit})) == (True, True, [])


@pytest.mark.parametrize("lacking", [*LINKS, CLAMD, FRESHCLAM])
def test_what_the_tree_lacks_only_the_host_tells(tmp_path: Path, lacking: str) -> None:
    watches, learns, left_out = told(made(tmp_path, **{n: t for n, t in GOOD.items() if n != lacking}))
    assert "not_observable" in (watches, learns)
    assert False not in (watches, learns)
    assert left_out == (["not_observable"] if lacking == CLAMD else [])


@pytest.mark.parametrize(
    ("text", "learns"),
    [
        (LEARNS.replace("24", "0"), False),
        ("Checks 0\n" + LEARNS, False),
        (LEARNS + "Checks 0\n", True),
        (LEARNS.replace("Checks 24\n", ""), True),
        (LEARNS + "ExcludeDatabase Daily\n", False),
        (LEARNS + "Example\n", False),
        (LEARNS.replace("24", "often"), "unreadable"),
        ("#" + LEARNS, "not_observable"),
        (LEARNS + "Chekcs 1\n", "unreadable"),
    ],
)
def test_how_often_it_learns(tmp_path: Path, text: str, learns: Any) -> None:
    assert told(made(tmp_path, **{**GOOD, FRESHCLAM: text}))[1] == learns


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("OnAccessExcludePath /srv", ["/srv"]),
        ('OnAccessExcludePath "/srv"', ["/srv"]),
        ("ExcludePath ^/srv/", ["^/srv/"]),
        ("ExcludePath ^/proc|/home", ["^/proc|/home"]),
        ("ExcludePath /", ["/"]),
        ("OnAccessExcludeUname root", ["whatever root does"]),
        ("OnAccessExcludeRootUID yes", ["whatever root does"]),
        ("OnAccessExcludeUID 1000", ["whatever uid 1000 does"]),
        ("OnAccessExcludeUID 1000\nOnAccessExcludeUID 0", []),
        ("# OnAccessExcludePath /srv", []),
        ("OnAccessExcludePath", ["unreadable"]),
    ],
)
def test_what_is_left_out(tmp_path: Path, line: str, what: list[str]) -> None:
    made(tmp_path, **{**GOOD, CLAMD: SETTINGS + line + "\n"})
    assert told(tmp_path)[2] == what
    found = items(facts_of("antivirus_settings", tmp_path)["exclusions"])
    assert all(one[WHERE] == (f"/{CLAMD}:7",) for one in found)


def test_a_unit_that_a_package_brings_is_no_fault_of_the_tree(tmp_path: Path) -> None:
    made(tmp_path, **GOOD, **{"etc/systemd/system/clamonacc.service": "->/lib/systemd/system/clamav-clamonacc.service"})
    assert told(tmp_path) == (True, True, [])


def test_a_list_of_exclusions_that_a_unit_gives(tmp_path: Path) -> None:
    unit = "[Service]\nExecStart=/usr/sbin/clamonacc --exclude-list=/etc/clamav/out\n"
    assert told(made(tmp_path, **GOOD, **{UNIT: unit}))[2] == ["what /etc/clamav/out lists"]


# ---------------------------------------------------------------- Defender


def managed(level: str | None = "real_time", updates: bool | None = True, **engine: Any) -> str:
    cloud = {"proxy": "http://u:canary@p", **({} if updates is None else {"automaticDefinitionUpdateEnabled": updates})}
    return json.dumps(
        {"antivirusEngine": {**({"enforcementLevel": level} if level else {}), **engine}, "cloudService": cloud},
        indent=1,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (managed(), (True, True, [])),
        (managed("passive"), (False, True, [])),
        (managed("on_demand", False), (False, False, [])),
        (managed(None, None), ("not_observable", "not_observable", [])),
        (managed("Real_Time"), ("unreadable", True, [])),
        (managed(passiveMode=True), (False, True, [])),
        (managed(enableRealTimeProtection=False), (False, True, [])),
        (managed(exclusions=[{"$type": "excludedPath", "path": "/srv"}, {"$type": "new"}, 7]), (True, True, ["/srv", "an exclusion of another kind", "an exclusion of another kind"])),
        ("{", ("unreadable", "unreadable", ["unreadable"])),
        ('{"antivirusEngine": []}', ("unreadable", "unreadable", ["unreadable"])),
    ],
)  # fmt: skip
def test_the_preferences_of_defender(tmp_path: Path, text: str, expected: tuple[Any, Any, list[str]]) -> None:
    made(tmp_path, **{MDATP[1:]: text, f"{WANTS}/mdatp.service": "->/lib/systemd/system/mdatp.service"})
    assert told(tmp_path) == expected
    assert "canary" not in str(answers_of("antivirus_settings", tmp_path))


def test_one_that_is_masked_does_not_watch(tmp_path: Path) -> None:
    made(tmp_path, **{MDATP[1:]: managed(), "etc/systemd/system/mdatp.service": "->/dev/null"})
    assert told(tmp_path) == (False, False, [])


# ---------------------------------------------------------------- as the programs themselves read it


@pytest.mark.parametrize(
    "text",
    [
        SETTINGS,
        "OnAccessPrevention yes\nOnAccessPrevention no\n",
        "  OnAccessPrevention\tYES  \n",
        "OnAccessPrevention true # now\n",
        "onaccessprevention yes\n",
        "OnAccessPrevention=yes\n",
        " # indented\nOnAccessPrevention yes\n",
        "OnAccessPrevention yes\r\n",
        "Example\nOnAccessPrevention yes\n",
        "OnAccessPrevention\n",
        "Nonsense 1\nOnAccessPrevention yes\n",
        "\n\n#\nOnAccessPrevention 1\n",
        '"OnAccessPrevention" yes\n',
    ],
)
def test_clamav_reads_it_so(tmp_path: Path, text: str) -> None:
    """Where we say that it blocks, clamconf says so; where clamconf says that it does not, we never say that it does."""
    (tmp_path / "clamd.conf").write_text(text)
    done = subprocess.run(["clamconf", "-c", str(tmp_path), "-n"], capture_output=True, text=True, check=False)
    theirs = bool(re.search(r'^OnAccessPrevention = "yes"', done.stdout, re.MULTILINE))
    ours = clamav.read("/x", clamav.masked(text.encode()).decode())
    blocks = not ours.odd and "Example" not in ours.said and ours.first("OnAccessPrevention").lower() in clamav.YES
    assert blocks == theirs or (theirs and ours.odd)


def test_every_option_that_clamav_knows_is_known() -> None:
    said = ""
    for file in ("clamd.conf", "freshclam.conf"):
        said += subprocess.run(["clamconf", "-g", file], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^#([A-Z][A-Za-z0-9]+) \S+$", said, re.MULTILINE))
    assert len(names) > 100
    assert names <= clamav.KNOWN
