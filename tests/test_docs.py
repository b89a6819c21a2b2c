"""The examples of README and docs/ are run: files are written, commands give what the page shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [p for p in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if "```console" in p.read_text("utf-8")]
FILE = re.compile(r"<!-- file: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)
RECORDED = re.compile(r"<!-- recorded: (?P<path>\S+) from (?P<folder>\S+) -->")
CONSOLE = re.compile(r"(?P<skip><!-- not run: .*? -->\n)?```console\n(?P<text>.*?)```", re.DOTALL)


def commands(text):
    """Each `$ command` of a console block, with the lines that it must print."""
    for block in text.split("$ ")[1:]:
        line, _, output = block.partition("\n")
        yield line.strip(), output.rstrip("\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_examples_tell_the_truth(page, tmp_path):
    """Every example of the page that is not marked as not run prints exactly what the page shows."""
    text = page.read_text("utf-8")
    for match in FILE.finditer(text):
        target = tmp_path / match["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(match["text"], "utf-8")
        target.chmod(0o644)
    for match in RECORDED.finditer(text):
        words = ["answers.yaml", "-i", "hosts.yaml", str(tmp_path / match["path"]), "policies"]
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "record.py"), *words],
            cwd=ROOT / match["folder"],
            check=True,
            timeout=60,
        )
    ran = 0
    for block in CONSOLE.finditer(text):
        if block["skip"]:
            continue
        for line, expected in commands(block["text"]):
            words = shlex.split(line)
            assert words[0] == "auditor", line
            done = subprocess.run(
                [sys.executable, "-m", "auditor", *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=60
            )
            assert (done.stdout + done.stderr).rstrip("\n") == expected, line
            ran += 1
    assert ran or "<!-- not run:" in text


def test_every_option_named_in_the_docs_exists():
    """A page names no option that the command line lost."""
    from auditor.cli import main

    known = {"--help", "--version", "--editable"}
    for command in main.commands.values():
        for one in (command, *getattr(command, "commands", {}).values()):
            known.update(opt for param in one.params for opt in param.opts)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for line in page.read_text("utf-8").splitlines():
            if re.search(r"(?<![\w/.-])auditor ", line):  # the command, not an account or a folder of that name
                for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
                    assert option in known, f"{page.name}: {option}"


def test_the_records_that_the_docs_show_are_in_force(tmp_path):
    """An example that is void teaches what does not work."""
    from auditor.commands import inputs
    from auditor.decisions import in_force

    for match in FILE.finditer((ROOT / "docs/decisions.md").read_text("utf-8")):
        target = tmp_path / match["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(match["text"], "utf-8")
    given = inputs.load((), (str(tmp_path / "town"),), None, None)
    decided = in_force(given.records, given.plan.estate, given.controls, given.measures, "2026-11-22")
    assert [one.record.id for one in (*decided.held, *decided.actions)] == [
        "ACC-2026-003",
        "ADA-2026-001",
        "ACT-2026-007",
    ]
    assert decided.notes == ()


def test_the_two_commands_from_finding_to_signature_print_what_the_docs_show(tmp_path):
    """With a report on the hosts of the page, judged on the day of the signature."""
    from sample_run import SampleRun, finding, header, rendered, voice

    from auditor.commands import inputs
    from auditor.model import Subject
    from auditor.reporters import json as json_reporter

    text = (ROOT / "docs/decisions.md").read_text("utf-8")
    for match in FILE.finditer(text):
        target = tmp_path / match["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(match["text"], "utf-8")
    given = inputs.load((), (str(tmp_path / "town"),), None, None)
    failing = ("antivirus-or-edr-running", "antivirus-or-edr-fresh", "restore-point-within-a-day", "audit-trail-is-kept",
               "host-address-in-its-declared-zone")  # fmt: skip
    severities = {name: given.controls[name].severity for name in failing}
    findings = [
        finding(n, Subject("host", "pc01", "scota"), name, "fail", severity=severities[name])
        for n, name in enumerate(failing)
    ]
    run = SampleRun(
        header(), {n: given.controls[n] for n in failing}, given.measures, given.plan.estate.perimeters, findings
    )
    (tmp_path / "audit.json").write_bytes(rendered(json_reporter.REPORTER, run, voice("en")))
    (tmp_path / "scan.pdf").write_bytes(b"signed")
    shown = [one for one in CONSOLE.finditer(text) if one["skip"]]
    assert len(shown) == 2
    for block, more in zip(shown, ([], ["--as-of", "2026-12-04"]), strict=True):
        ((line, expected),) = commands(block["text"])
        words = [sys.executable, "-m", *shlex.split(line), *more]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.stdout + done.stderr).rstrip("\n") == expected


def test_every_reason_code_is_in_the_docs():
    """With what it means and what to do; and no code that there is not."""
    from auditor.decision_words import IDLE_WORDS

    rows = re.findall(
        r"^\| `(R-[A-Z]+)` \| .+ \| .+ \|$", (ROOT / "docs/decisions.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted({code.partition("/")[0] for code in IDLE_WORDS})
