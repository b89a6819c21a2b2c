"""A script that is run by hand: what it may answer, whose answer counts, and how long."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import tree_sitter_powershell
import tree_sitter_pwsh
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from make import MEASURES_YAML, POLICY_YAML, write
from tree_sitter import Language, Parser
from winrm_double import _QUESTION, frame

from auditor.cli import main
from auditor.framing import by_hand, ps, sh
from auditor.model import Command, Failure, Output

SITE_PROBE = """
from auditor.kinds import Dialect, Probe
from auditor.model import Command, Output, Unknown

def dialect(text):
    def parse(answers, args):
        answer = answers["days"]
        return {"days": int(answer.text) if isinstance(answer, Output) else answer.unknown()}
    return Dialect(lambda args: {"days": Command(text, elevated=text != "Get-Days")}, parse)

PROBE = Probe(
    title={"en": "Days", "fr": "Jours"},
    facts={"type": "object", "properties": {"days": {"type": "integer", "description": "Days."}}},
    dialects={"linux": dialect("echo 400"), "windows": dialect("Get-Days")},
)
"""
ESTATE = """
entities: [{id: TOWN}]
perimeters: [{id: own, owner: TOWN, kind: exclusive}]
hosts:
  all: {perimeter: own}
  here: {connection: by_hand, aliases: [%s]}
"""
NONCE = "0123456789abcdef" * 2
DAY_S = 86400.0


def auditor(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def town(tmp_path: Path) -> Callable[..., list[str]]:
    """The arguments that audit an estate with one host that nobody logs in to, this machine unless it has another name."""

    def built(name: str = "", said: str = "", variables: str = "") -> list[str]:
        estate = ESTATE % (name or os.uname().nodename)
        write(
            tmp_path / "town",
            hosts=f"all:\n  hosts:\n    here: {{{variables}}}\n",
            estate=estate.rstrip("}\n") + said + "}\n",
        )
        write(
            tmp_path,
            policies__measures=MEASURES_YAML,
            policies__sample=POLICY_YAML,
            **{"probes__sample.py": SITE_PROBE},
        )
        rest = ["-i", str(tmp_path / "town"), "--store", str(tmp_path / "runs.db")]
        return [str(tmp_path / "policies" / "sample.yaml"), "--probes", str(tmp_path / "probes"), *rest]

    return built


def script_of(words: list[str]) -> str:
    result = CliRunner().invoke(main, ["plan", *words, "--script", "here"])
    assert result.exit_code == 0, result.output
    return result.stdout


def run(script: str, tmp_path: Path) -> Path:
    """The answer of a real sh, in a file."""
    (tmp_path / "here.sh").write_text(script)
    with (tmp_path / "here.answer").open("wb") as file:
        subprocess.run(["sh", str(tmp_path / "here.sh")], stdout=file, check=True)
    return tmp_path / "here.answer"


@pytest.mark.root
def test_a_script_is_run_there_and_judged_here_once(town: Callable[..., list[str]], tmp_path: Path) -> None:
    words = town()
    answer = run(script_of(words), tmp_path)
    code, told = auditor("ingest", str(answer), *words, "-f", "json=-")
    assert code == 0, told
    report = json.loads(told)
    assert [(f["outcome"], f["medium"]) for f in report["findings"]] == [("pass", "by_hand")]
    assert (report["hosts"][0]["medium"], report["hosts"][0]["asked"]) == ("by_hand", False)
    assert answer.name in report["run"]["digests"]
    code, told = auditor("ingest", str(answer), *words)
    assert code == 2
    assert "was judged in run 1, and counts once" in told


@pytest.mark.root
def test_a_later_run_judges_the_host_on_what_was_brought(town: Callable[..., list[str]], tmp_path: Path) -> None:
    words = town()
    code, told = auditor("run", *words)
    assert (code, "never seen" in told) == (3, True)
    assert auditor("ingest", str(run(script_of(words), tmp_path)), *words)[0] == 0
    code, told = auditor("run", *words, "-f", "json=-")
    assert code == 0, told
    host = json.loads(told)["hosts"][0]
    assert (host["medium"], host["asked"], host["evidence_at"] > 0) == ("by_hand", False, True)
    assert "brought by hand: here." in auditor("report", "--store", words[-1])[1]
    junit = auditor("report", "--store", words[-1], "-f", "junit=-")[1]
    assert 'name="auditor.medium" value="by_hand"' in junit
    assert '"medium": "by_hand"' in auditor("replay", "latest", *words, "-f", "json=-")[1]
    other_policies = auditor("run", *words[1:])[1]
    assert "this was not asked" in other_policies


def test_nobody_connects_to_a_host_that_is_asked_by_hand(town: Callable[..., list[str]]) -> None:
    words = town(variables="ansible_host: 127.0.0.1, ansible_port: 1")
    assert "unreachable" not in auditor("run", *words)[1]
    assert auditor("doctor", *words[1:5])[0] == 2


def shifted(script: str, seconds: int) -> str:
    """The script, on a host whose clock is off."""
    assert "\ndate +%s\n" in script
    return script.replace("\ndate +%s\n", f"\necho $(($(date +%s) + {seconds}))\n", 1)


@pytest.mark.root
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda s: shifted(s, -4000), "by the host's clock"),
        (lambda s: shifted(s, 4000), "by the host's clock"),
        (lambda s: s.replace("uname -sn", "echo Linux other"), "it was run on 'other' and is for here"),
        (lambda s: re.sub("set -- .*", f"set -- {NONCE}", s), "a script that this store did not print"),
        (lambda s: "echo hello\n", "no answer to a script"),
        (lambda s: s.partition("\nb 0 ")[0], "no answer to a script"),
    ],
    ids=["late", "early", "another host", "another script", "nothing", "half a script"],
)
def test_what_does_not_prove_to_be_this_answer_is_refused(
    town: Callable[..., list[str]], tmp_path: Path, given: Callable[[str], str], says: str
) -> None:
    words = town()
    code, told = auditor("ingest", str(run(given(script_of(words)), tmp_path)), *words)
    assert code == 2
    assert says in told
    assert auditor("list", "runs", "--store", words[-1])[1] == ""


@pytest.mark.root
def test_an_answer_that_is_old_or_older_than_what_is_known_is_refused(
    town: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = town()
    first, second = script_of(words), script_of(words)
    answer = run(second, tmp_path).read_bytes()
    later = shifted(first, 30)
    assert auditor("ingest", str(run(later, tmp_path)), *words)[0] == 0
    (tmp_path / "second.answer").write_bytes(answer)
    code, told = auditor("ingest", str(tmp_path / "second.answer"), *words)
    assert (code, "newer evidence of here is in run 1" in told) == (2, True)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 91 * DAY_S)
    code, told = auditor("ingest", str(tmp_path / "second.answer"), *words)
    assert (code, "more than the evidence_max_age" in told) == (2, True)


@pytest.mark.root
@pytest.mark.parametrize("cut", [60, 120])
def test_what_is_missing_at_the_end_is_not_measured(town: Callable[..., list[str]], tmp_path: Path, cut: int) -> None:
    words = town()
    answer = run(script_of(words), tmp_path)
    answer.write_bytes(answer.read_bytes()[:-cut])
    code, told = auditor("ingest", str(answer), *words, "-f", "json=-")
    assert code == 3
    assert json.loads(told)["findings"][0]["reasons"][0]["cause"]["cause"] == "closed"


@pytest.mark.root
def test_the_script_of_another_perimeter_is_not_this_hosts(town: Callable[..., list[str]], tmp_path: Path) -> None:
    words = town()
    answer = run(script_of(words), tmp_path)
    estate = tmp_path / "town" / "estate.yaml"
    estate.write_text(estate.read_text().replace("TOWN", "OTHER"))
    code, told = auditor("ingest", str(answer), *words)
    assert (code, "of another estate or perimeter" in told) == (2, True)


def test_who_may_not_be_looked_at_gets_no_script(town: Callable[..., list[str]], tmp_path: Path) -> None:
    words = town()
    estate = tmp_path / "town" / "estate.yaml"
    estate.write_text(estate.read_text().replace("by_hand", "none, why: not ours"))
    code, told = auditor("plan", *words, "--script", "here")
    assert (code, "estate.yaml says connection: by_hand" in told) == (2, True)
    assert auditor("plan", *words[:-1], "none", "--script", "here")[0] == 2
    assert auditor("plan", *words, "--script", "nowhere")[0] == 2
    assert auditor("plan", *words, "--script", "here", "--limit", "here")[0] == 2


# ---------------------------------------------------------------- Windows

GRAMMARS = [Parser(Language(g.language())) for g in (tree_sitter_powershell, tree_sitter_pwsh)]
HOSTILE = "dc01'\nRemove-Item C:\\ #é"


def powershell(script: str, system: str = "Windows", table: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """What PowerShell would write, with what each text is answered with."""
    nonce = re.search(r"^\$N = '([0-9a-f]+)'$", script, re.MULTILINE)
    assert nonce
    told = b""
    for number, cap, text, _ in _QUESTION.findall(script):
        hello = f"{system}\nhere\n0\n{int(time.time())}\n0f8fad5b-d9cb-469f-a165-70867728950e\n"
        said = hello if text == ps._HELLO else table.get(text, "400\n")
        body = f"{said}\n{nonce[1]} 0.".encode()
        told += frame(nonce[1], number, "o", body, int(cap)) + frame(nonce[1], number, "e", b"", 2048)
    return told


@pytest.mark.parametrize("host", ["dc01", HOSTILE])
def test_the_powershell_is_whole_and_writes_one_file(host: str) -> None:
    questions = (sh.HELLO, Command("Get-Days"), Command("Get-Slow", timeout_s=60))
    text = by_hand.script(host, "windows", questions, (), True, NONCE)
    assert text.isascii()
    for parser in GRAMMARS:
        assert not parser.parse(text.encode()).root_node.has_error
    assert [number for number, *_ in _QUESTION.findall(text)] == ["0", "1", "2"]
    assert not any(line.startswith("Remove-Item") for line in text.splitlines())
    assert text.count("StreamWriter") == 1
    assert "param([string]$N)" not in text
    assert "exit 0" not in text


@pytest.mark.parametrize(
    "brought",
    [lambda b: b, lambda b: b.replace(b"\n", b"\r\n"), lambda b: b.decode().replace("\n", "\r\n").encode("utf-16")],
    ids=["as it is", "line ends of Windows", "through a console"],
)
def test_an_answer_of_windows_is_judged(
    town: Callable[..., list[str]], tmp_path: Path, brought: Callable[[bytes], bytes]
) -> None:
    words = town(said=", platform: windows")
    (tmp_path / "here.answer").write_bytes(brought(powershell(script_of(words))))
    assert auditor("ingest", str(tmp_path / "here.answer"), *words)[0] == 0


def test_an_answer_of_another_platform_does_not_count(town: Callable[..., list[str]], tmp_path: Path) -> None:
    words = town(said=", platform: windows")
    (tmp_path / "here.answer").write_bytes(powershell(script_of(words), "Linux"))
    code, said = auditor("ingest", str(tmp_path / "here.answer"), *words)
    assert (code, "not of the platform" in said) == (3, True)


# ---------------------------------------------------------------- hostile files

ASKED = (sh.HELLO, Command("a"), Command("b", elevated=True))


@given(st.binary(max_size=300), st.sampled_from(["linux", "windows"]))
@example(f"@{NONCE} 0 o 999999999\n".encode(), "linux")
@example(b"\xff\xfe@", "windows")
@example(f"@{NONCE} x e 0\n\n".encode(), "windows")
def test_any_file_is_read(text: bytes, platform: str) -> None:
    for data in (text, f"@{NONCE} 1 o ".encode() + text, f"@{NONCE} 1 o 5\nab".encode() + text):
        by_hand.nonce_of(data)
        told = by_hand.answers(data, ASKED, NONCE, platform, True, 1000.0)
        assert set(told) == set(ASKED)
        assert all(isinstance(a, Output | Failure) for a in told.values())
