"""The command line: exit codes, what stands on stdout, and that mistakes are said before anything is asked."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import lacking
from make import ACCEPTANCE_YAML, ACCEPTED, ESTATE_YAML, MEASURES_YAML, POLICY_YAML, ROOT, site, write

from auditor.cli import main
from auditor.store import Store

HERE = "web01: {ansible_connection: local, ansible_host: localhost}"


def auditor(*words: str, **environment: str) -> Result:
    result = CliRunner().invoke(main, list(words), env=environment, catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def estate(folder: Path, hosts: str = HERE, **files: str) -> str:
    write(folder / "town", hosts=f"all: {{hosts: {{{hosts}}}}}", estate=ESTATE_YAML, **files)
    return str(folder / "town")


def run(folder: Path, *words: str, text: str = "echo 400", town: str | None = None) -> Result:
    policy, *probes = site(folder, text)
    return auditor("run", policy, *probes, "-i", town or estate(folder), *words)


# ---------------------------------------------------------------- exit codes


def test_exit_0_everything_was_measured_and_is_well(tmp_path: Path) -> None:
    """A host that passes, nothing left out."""
    result = run(tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")


def test_exit_1_an_open_failure(tmp_path: Path) -> None:
    """From --fail-on on; an accepted failure is not open; a failure wins over what was not measured."""
    assert run(tmp_path, text="echo 3").exit_code == 1
    assert run(tmp_path, "--fail-on", "high", text="echo 3").exit_code == 1
    assert run(tmp_path, "--fail-on", "critical", text="echo 3").exit_code == 0
    assert run(tmp_path, "--fail-on", "never", text="echo 3").exit_code == 0
    both = estate(tmp_path / "two", f"{HERE}, nas: {{ansible_connection: winrm}}")
    assert run(tmp_path, text="echo 3", town=both).exit_code == 1
    accepted = estate(tmp_path / "three", **ACCEPTED)
    assert run(tmp_path, "--as-of", "2026-11-21", text="echo 3", town=accepted).exit_code == 0
    assert run(tmp_path, "--as-of", "2026-05-31", text="echo 3", town=accepted).exit_code == 1


GONE = """\
policy: gone
title: {en: Gone, fr: Parti}
controls:
  - id: nobody-who-left
    measure: log-retention
    revision: 1
    title: {en: Nobody who left, fr: Personne de parti}
    severity: high
    probe: admins
    expect: {accounts: {none: {account: {one_of: $registers.leavers.older_than.grace_hours}}}}
    why: {en: It is asked., fr: C'est demandé.}
    fix: {en: Remove them., fr: Les retirer.}
"""


def test_who_left_counts_from_the_day_judged_on(tmp_path: Path) -> None:
    """root, whom every machine has, left the day before: a failure; not when judged on a day before that."""
    left = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 25 * 3600))
    town = estate(tmp_path, records__l=f"register: leavers\nentries: [{{entry: root, left_at: '{left}'}}]\n")
    for hours, code in ((24, {1}), (26, {0, 3})):
        measures = MEASURES_YAML.replace(
            "target_days:", f"grace_hours: {{value: {hours}, source: x}}\n      target_days:"
        )
        write(tmp_path / "gone", measures=measures, gone=GONE)
        policy = str(tmp_path / "gone" / "gone.yaml")
        assert auditor("run", policy, "-i", town, "--store", "none").exit_code in code
        assert auditor("run", policy, "-i", town, "--store", "none", "--as-of", "2026-01-01").exit_code in {0, 3}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--limit", "wbe01"], "no host, group or role is named wbe01"),
        (["--limit", ","], "--limit: it names no host"),
        (["--limit", ""], "--limit: it names no host"),
        (["--limit", "web01:!web01"], "--limit: web01:!web01 leaves no host"),
        (["--as-of", "tomorrow"], "'tomorrow' is no day"),
        (["-f", "jsn"], "there is no format 'jsn'; did you mean 'json'?"),
        (["-f", "json=-", "-f", "text=-"], "only one report can go to stdout"),
        (["-f", "json=/none/x.json"], "is not there or cannot be written"),
        (["-f", "json=/tmp"], "/tmp is a folder"),
        (["-f", "json=/tmp/same-report", "-f", "text=/tmp/../tmp/same-report"], "two reports would be written to"),
        (["--store", "/dev/null/runs.db"], "the store /dev/null/runs.db cannot be made"),
        (["--jobs", "0"], "--jobs"),
        (["--fail-on", "hihg"], "--fail-on"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_exit_2_unusable_input(tmp_path: Path, words: list[str], says: str) -> None:
    """Said on stderr, nothing on stdout, and no host was asked."""
    asked = tmp_path / "asked"
    result = run(tmp_path, *words, text=f"touch {asked}; echo 400")
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""
    assert not asked.exists()


def test_exit_2_shows_the_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    """Policies, inventory, estate and decisions, each at its place."""
    policy, *probes = site(tmp_path)
    write(tmp_path / "policies", sample=POLICY_YAML.replace("days:", "dasy:"))
    town = estate(tmp_path, decisions__a=ACCEPTANCE_YAML.replace("2027-06-01", "2026-02-30"))
    write(
        Path(town),
        hosts="all: {hosts: {web01: {ansible_port: x}}}",
        estate=ESTATE_YAML.replace("zone: dmz", "zone: dzm"),
    )
    result = auditor("run", policy, *probes, "-i", town)
    assert result.exit_code == 2
    assert [line.rpartition("/")[2].split(":")[0] for line in result.stderr.splitlines()] == [
        "sample.yaml",
        "a.yaml",
        "estate.yaml",
        "hosts.yaml",
    ]


def test_exit_2_of_policies_where_the_estate_is_right(tmp_path: Path) -> None:
    """What its decisions expect of controls is not known then; their other mistakes are said all the same."""
    policy, *probes = site(tmp_path)
    write(tmp_path / "policies", sample=POLICY_YAML.replace("days:", "dasy:"))
    town = estate(tmp_path, decisions__a=ACCEPTANCE_YAML.replace("2027-06-01", "2026-02-30"))
    result = auditor("run", policy, *probes, "-i", town)
    assert result.exit_code == 2
    assert [line.rpartition("/")[2].split(":")[0] for line in result.stderr.splitlines()] == ["sample.yaml", "a.yaml"]


def test_exit_3_something_was_not_measured(tmp_path: Path) -> None:
    """A question without an answer, a host never connected to, a transport that is not there; never hides it."""
    assert run(tmp_path, text="true").exit_code == 3
    assert run(tmp_path, "--fail-on", "never", text="true").exit_code == 3
    assert run(tmp_path, town=estate(tmp_path / "two", f"{HERE}, nas: {{ansible_connection: winrm}}")).exit_code == 3
    accepted = estate(tmp_path / "three", **ACCEPTED)
    assert run(tmp_path, "--as-of", "2026-11-21", text="true", town=accepted).exit_code == 3


def process(*words: str, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "auditor", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **{"cwd": ROOT, **more})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_exit_130_interrupted(tmp_path: Path, number: int) -> None:
    """What is in is judged and reported, the run is kept as partial, and there is no traceback."""
    policy, *probes = site(tmp_path, f"touch {tmp_path}/asked; sleep 30; echo 400", 60)
    store = tmp_path / "runs.db"
    with process("run", policy, *probes, "-i", estate(tmp_path), "--store", str(store), "-f", "json") as running:
        for _ in range(600):
            if (tmp_path / "asked").exists():
                break
            time.sleep(0.1)
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "")
    told = json.loads(out)
    assert told["run"]["state"] == "partial"
    assert [f["reasons"][0]["cause"]["cause"] for f in told["findings"]] == ["interrupted"]
    assert [h.state for h in Store(str(store), create=False).runs()] == ["partial"]


def test_exit_130_before_any_host_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while files are read is no failure of a control."""

    def interrupted(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("auditor.commands.inputs.load_policies", interrupted)
    assert run(tmp_path).exit_code == 130


def test_the_help_tells_the_exit_codes() -> None:
    """Each of them, with what it means."""
    for words in (["--help"], ["run", "--help"]):
        shown = auditor(*words)
        assert shown.exit_code == 0
        assert all(f"{code}  " in shown.stdout for code in (0, 1, 2, 3, 130))


# ---------------------------------------------------------------- what is printed


def test_stdout_has_only_the_result(tmp_path: Path) -> None:
    """A JSON report on stdout is JSON, whatever else is written."""
    result = run(
        tmp_path, "-f", "json=-", "-f", f"text={tmp_path}/a.txt", "-f", f"junit={tmp_path}/a.xml", text="echo 3"
    )
    assert json.loads(result.stdout)["findings"][0]["outcome"] == "fail"
    assert (tmp_path / "a.txt").read_text().strip()
    assert (tmp_path / "a.xml").read_text().startswith("<?xml")
    assert [oct((tmp_path / n).stat().st_mode & 0o777) for n in ("a.txt", "a.xml")] == ["0o600"] * 2
    assert [p.name for p in tmp_path.glob(".a*")] == []


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_colour_where_none_is_wanted(tmp_path: Path, variables: dict[str, str]) -> None:
    """NO_COLOR, a dumb terminal, or no terminal at all."""
    policy, *probes = site(tmp_path, "echo 3")
    assert "\x1b" not in auditor("run", policy, *probes, "-i", estate(tmp_path), **variables).stdout


def test_a_report_prints_the_same_bytes_again(tmp_path: Path) -> None:
    """In every format, as long as the run is kept."""
    for format_ in ("text", "json", "junit", "html"):
        first = run(tmp_path, "-f", format_, text="echo 3")
        again = auditor("report", "latest", "-f", format_)
        assert (again.exit_code, again.stdout) == (0, first.stdout)


def test_store_none_keeps_nothing(tmp_path: Path) -> None:
    """No file is made, and there is no run to report."""
    assert run(tmp_path, "--store", "none").exit_code == 0
    assert not list(Path(os.environ["HOME"]).rglob("*.db*"))
    for words in (["report"], ["report", "--store", "none"], ["list", "runs"]):
        result = auditor(*words)
        assert (result.exit_code, result.stdout) == (2, "")


def test_a_full_stdout_is_said_so(tmp_path: Path) -> None:
    """A report that could not be written is no success and no failure of a control."""
    if not Path("/dev/full").exists():
        lacking("no /dev/full")
    policy, *probes = site(tmp_path)
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "auditor", "run", policy, *probes, "-i", estate(tmp_path)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, "stdout cannot be written: No space left on device\n")
    result = run(tmp_path, "-f", "json=/dev/full")
    assert (result.exit_code, "cannot be written: No space left" in result.stderr) == (2, True)


def test_streams_that_the_caller_shut_change_no_code(tmp_path: Path) -> None:
    """`>&-` loses the report and `2>&-` the rest; what is for stderr lands in no report."""
    policy, *probes = site(tmp_path, "echo 3")
    write(tmp_path / "plain", hosts=f"all: {{hosts: {{{HERE}}}}}")
    words = [sys.executable, "-m", "auditor", "run", policy, *probes, "-i", str(tmp_path / "plain"), "--store", "none"]
    for shut in (">&-", "2>&-", ">&- 2>&-"):
        command = ["sh", "-c", f'exec "$@" {shut}', "sh", *words, "-f", "json", "--timings"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert not done.stdout or json.loads(done.stdout)["run"]["state"] == "complete"


@pytest.mark.root
def test_a_folder_that_we_may_not_enter_is_said_so(tmp_path: Path) -> None:
    """Its names can be listed, and no more; in a process of its own, as what root once opened stays open."""
    policy, *probes = site(tmp_path)
    town = Path(estate(tmp_path))
    town.chmod(0o400)
    words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", sys.executable, "-m", "auditor"]
    done = subprocess.run([*words, "run", policy, *probes, "-i", str(town)], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{town}/hosts.yaml: Permission denied: it is for this account to read\n"


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`auditor schema policy | head -1` ends quietly."""
    done = subprocess.run(
        f"{sys.executable} -m auditor schema policy | head -c 10 >/dev/null",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stderr == ""


def test_a_run_from_an_empty_folder(tmp_path: Path) -> None:
    """Without arguments this machine is audited with the shipped policies, wherever one stands."""
    (tmp_path / "empty").mkdir()
    with process("run", "-f", "json", "--store", "none", cwd=tmp_path / "empty") as running:
        out, err = running.communicate(timeout=100)
    assert running.returncode in (0, 1, 3), err
    assert json.loads(out)["run"]["declared"] is False
    assert list((tmp_path / "empty").iterdir()) == []


# ---------------------------------------------------------------- plan, lint, list, explain, schema


def test_a_plan_opens_no_connection(tmp_path: Path) -> None:
    """It prints what would be asked, of SSH hosts too, and touches nothing: the tripwires would tell."""
    asked = tmp_path / "asked"
    policy, *probes = site(tmp_path, f"touch {asked}; echo 400")
    town = estate(tmp_path, f"{HERE}, far: {{ansible_host: 192.0.2.1}}")
    result = auditor("plan", policy, *probes, "-i", town)
    assert result.exit_code == 0
    assert "far: ssh 192.0.2.1" in result.stdout
    assert f"touch {asked}" in result.stdout
    assert not asked.exists()


def test_a_plan_gives_its_reasons_in_the_language(tmp_path: Path) -> None:
    """Of a host that is not connected to, of a control without a question, and of what nothing checks."""
    more = "  dc1: {roles: [ad-dc], platform: windows}\n  web01: {zone: bare}\n"
    town = ESTATE_YAML.replace("signatories:", "  - {id: bare}\nsignatories:") + more
    write(tmp_path / "town", hosts=f"all: {{hosts: {{{HERE}, dc1: }}}}", estate=town)
    said = auditor("plan", "-i", str(tmp_path / "town"), "--lang", "fr").stdout.split("\n")
    lines = "\n".join(line for line in said if line.startswith("# "))
    for reason in (
        "sans connexion: un contrôleur de domaine n'est interrogé que si estate.yaml dit audit: true",
        "rien demandé: la zone « bare » ne dit pas",
        "aucun point de contrôle ne la vérifie",
    ):
        assert reason in lines
    assert not re.search("no control|no zone|the zone|does not say|is asked only", lines)


def test_lint_knows_an_inventory_by_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "windows.yaml"
    for variable, code in (("ansible_port: 22", 0), ("ansible_port: x", 2)):
        file.write_text(f"all: {{hosts: {{w: {{{variable}}}}}}}\n")
        result = auditor("lint", str(file))
        assert (result.exit_code, "is no port" in result.stdout) == (code, bool(code))


def test_a_role_that_is_most_likely_misspelt_is_said_and_no_error(tmp_path: Path) -> None:
    """With its place, by lint and by whoever asks hosts; a word of the site's own, or of a policy beside, is not said."""
    town = estate(tmp_path)
    said = "  web01: {roles: [web-front, log-colector, AD-DC, log-collectors]}\n"
    file = write(tmp_path / "town", estate=ESTATE_YAML + said) / "estate.yaml"
    line = (ESTATE_YAML + said).count("\n")
    column = said.index("log-colector") + 1
    hint = f"{file}:{line}:{column}: no control and no probe speaks of the role 'log-colector'; did you mean 'log-collector'?"
    linted = auditor("lint", town)
    assert (linted.exit_code, linted.stdout) == (0, "")
    assert (
        hint in linted.stderr and "'AD-DC'; did you mean 'ad-dc'" in linted.stderr and "web-front" not in linted.stderr
    )
    assert hint in run(tmp_path, "--store", "none", town=town).stderr
    policy, *probes = site(tmp_path)
    Path(policy).write_text(
        POLICY_YAML.replace("probe:", "applies_to: {roles: [log-collectors]}\n    probe:", 1), "utf-8"
    )
    assert "'log-collectors'; did" in linted.stderr
    beside = auditor("lint", town, str(Path(policy).parent), *probes).stderr
    assert "'log-collectors'; did" not in beside and "'log-colector'; did" in beside


def test_lint_of_an_empty_folder_says_what_it_looked_for(tmp_path: Path) -> None:
    result = auditor("lint", str(tmp_path))
    assert (result.exit_code, result.stdout.count("\n")) == (2, 1)
    assert result.stdout.startswith(f"{tmp_path}: is empty: no policy (*.yaml), no inventory")


def test_explain_has_french_punctuation_and_words() -> None:
    said = auditor("explain", "ssh-root-login-off", "--lang", "fr").stdout
    assert "gravité : élevée" in said
    assert "pourquoi : " in said
    assert "severity: high" in auditor("explain", "ssh-root-login-off", "--lang", "en").stdout


def test_lint_says_all_errors_in_text_and_json(tmp_path: Path) -> None:
    """The same problems, for people and for machines; 0 when there is none."""
    write(tmp_path, measures=MEASURES_YAML, sample=POLICY_YAML.replace("days:", "dasy:").replace("high", "hihg"))
    probes = site(tmp_path / "site")[1:]
    policy = str(tmp_path / "sample.yaml")
    text, plain = auditor("lint", policy, *probes), auditor("lint", policy, "-f", "json", *probes)
    assert text.exit_code == plain.exit_code == 2
    assert text.stdout.splitlines() == [
        f"{p['file']}:{p['line']}:{p['column']}: {p['message']}" for p in json.loads(plain.stdout)
    ]
    assert len(json.loads(plain.stdout)) == 2
    good = auditor("lint", *site(tmp_path / "site"), estate(tmp_path))
    assert (good.exit_code, good.stdout) == (0, "")


def test_lists_are_one_a_line(tmp_path: Path) -> None:
    """Hosts, probes, controls and runs, separated by tabs."""
    run(tmp_path)
    assert (
        auditor("list", "hosts", "-i", str(tmp_path / "town")).stdout == "web01\tlocalhost\tlocal\tlinux\town\tdmz\t-\n"
    )
    assert "sample\tlinux\tDays\n" in auditor("list", "probes", "--probes", str(tmp_path / "probes")).stdout
    assert (
        "sample\tlinux\tJours\n"
        in auditor("list", "probes", "--probes", str(tmp_path / "probes"), "--lang", "fr").stdout
    )
    assert auditor("list", "controls").stdout.count("\t") % 4 == 0
    assert auditor("list", "runs").stdout.split("\t")[2] == "complete"


def test_explain_knows_controls_and_probes(tmp_path: Path) -> None:
    """A shipped control, a site's probe; a misspelt one is guessed."""
    control = auditor("list", "controls").stdout.split("\t")[0]
    assert auditor("explain", control).stdout.startswith(f"{control}: ")
    probes = site(tmp_path)[1:]
    assert "facts:  days (integer): Days." in auditor("explain", "sample", *probes).stdout
    wrong = auditor("explain", "smaple", *probes)
    assert (wrong.exit_code, "did you mean 'sample'?" in wrong.stderr) == (2, True)


def test_explain_says_who_answers_for_a_measure_and_what_checks_it() -> None:
    """A measure that a control checks, and one of people: whose, under which decision, how often, from which words."""
    said = auditor("explain", "log-retention").stdout
    assert "who answers for it: whoever runs the shared infrastructure\n" in said
    assert "on an exclusive perimeter: no decision can stand beside a failure\n" in said
    assert "controls: collected-logs-reach-back-about-twelve-months, " in said
    assert "  $limit_days = 300  (« environ douze mois »: below ten months" in said
    french = auditor("explain", "gov-kpi", "--lang", "fr").stdout
    assert "le responsable de la sécurité des systèmes d'information\n" in french
    assert "à renouveler sous : $review_days = 31\n" in french
    assert "points de contrôle : indicators-attested" in french
    bare = auditor("explain", "gov-mcs-shared", "--lang", "fr").stdout
    assert "points de contrôle : aucun point de contrôle ne la vérifie\n" in bare
    control = auditor("explain", "ssh-root-login-off").stdout
    assert "  who answers for it: the owner of each perimeter\n" in control


def test_measures_are_listed_one_a_line() -> None:
    lines = [line.split("\t") for line in auditor("list", "measures").stdout.splitlines()]
    assert ["gov-pssi", "art. 5", "plain", "both", "Security policy applied by both parties"] in lines
    assert {len(line) for line in lines} == {5}


def test_every_schema_is_printed() -> None:
    """Each name that is listed is JSON; another is guessed."""
    names = auditor("schema").stdout.split()
    for name in names:
        assert json.loads(auditor("schema", name).stdout)["$schema"].startswith("http://json-schema.org/draft-07")
    wrong = auditor("schema", "polcy")
    assert (wrong.exit_code, "did you mean 'policy'?" in wrong.stderr) == (2, True)


# ---------------------------------------------------------------- a site's own probes


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("PROBE = 5", "holds no PROBE"),
        ("", "holds no PROBE"),
        ("def (", "mine.py:1:"),
        ("import no_such_module", "cannot be imported"),
        ("import sys\nsys.exit(0)", "cannot be imported: SystemExit"),
        *(
            (
                f"from auditor.kinds import Dialects, Probe\ndef late():\n    {does}\nPROBE = Probe({{}}, {{}}, Dialects(linux=late))",
                says,
            )
            for does, says in (("import no_such_module", "cannot be imported"), ("return 5", "holds no PROBE"))
        ),
        ("\x00", "mine.py"),
        (
            "from auditor.kinds import DerivedProbe\nPROBE = DerivedProbe({}, 'smaple', {}, print)",
            "it is over 'smaple'",
        ),
    ],
)
def test_a_bad_probe_of_a_site_is_said_so(tmp_path: Path, content: str, says: str) -> None:
    """Not a probe, not Python, or folding what does not exist: exit 2 with its file."""
    write(tmp_path, **{"mine.py": content})
    result = auditor("list", "probes", "--probes", str(tmp_path))
    assert (result.exit_code, says in result.stderr) == (2, True)


def test_probes_that_others_could_write_are_not_run(tmp_path: Path) -> None:
    """A file, or a folder, that others may write is code of others."""
    probes = Path(site(tmp_path)[2])
    marker = tmp_path / "ran"
    write(probes, **{"mine.py": f"open({str(marker)!r}, 'w')"})
    for path, mode in ((probes / "mine.py", 0o666), (probes, 0o777)):
        before = path.stat().st_mode
        path.chmod(mode)
        result = auditor("list", "probes", "--probes", str(probes))
        assert (result.exit_code, "chmod go-w" in result.stderr) == (2, True)
        path.chmod(before)
    assert not marker.exists()


def test_a_site_may_not_take_a_shipped_name(tmp_path: Path) -> None:
    """A shipped question stays what it is."""
    write(tmp_path, **{"admins.py": "PROBE = 5"})
    assert "is the name of a shipped probe" in auditor("list", "probes", "--probes", str(tmp_path)).stderr


def test_the_digests_of_a_sites_probes_are_in_the_run(tmp_path: Path) -> None:
    """So that a run says by which code it was asked."""
    told = json.loads(run(tmp_path, "-f", "json").stdout)
    assert "probes/sample.py" in told["run"]["digests"]


# ---------------------------------------------------------------- whom a report is for


def test_html_is_written_for_either_audience_and_reprinted(tmp_path: Path) -> None:
    """The run writes one page, `report` the other of the same run; only technicians read the host's name."""
    store, page = str(tmp_path / "runs.db"), tmp_path / "page.html"
    town = estate(tmp_path)
    assert (
        run(tmp_path, "--store", store, "-f", f"html={page}", "--lang", "fr", text="echo 3", town=town).exit_code == 1
    )
    technical = page.read_text("utf-8")
    assert technical.startswith("<!DOCTYPE html>")
    assert page.stat().st_mode & 0o777 == 0o600
    assert "web01" in technical
    done = auditor("report", "--store", store, "-f", f"html={page}", "--lang", "fr", "--audience", "elus")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "web01" not in page.read_text("utf-8")
    assert "Des mesures ne sont pas tenues" in page.read_text("utf-8")


@pytest.mark.parametrize("formats", [[], ["-f", "text=-"], ["-f", "html=page.html", "-f", "junit=-"], ["-f", "json=-"]])
def test_what_names_hosts_is_not_written_for_officials(tmp_path: Path, formats: list[str]) -> None:
    """Before anything is asked or read: a format that cannot keep hosts out refuses."""
    result = run(tmp_path, "--audience", "elus", *formats)
    assert result.exit_code == 2
    assert "--audience elus: a " in result.stderr
    assert "give -f html=FILE alone" in result.stderr
    assert result.stdout == ""


def test_an_empty_home_is_none() -> None:
    """The store is looked for below the account's home, never below the root of the file system."""
    given = {k: v for k, v in os.environ.items() if k not in ("XDG_DATA_HOME", "AUDITOR_STORE")} | {"HOME": ""}
    command = [sys.executable, "-c", "import os, sys; sys.argv[1:] = ['--version']\nfrom auditor.cli import program\n"
               "try: program()\nfinally: print(os.path.expanduser('~'))"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=given)
    assert done.stdout.splitlines()[-1] == pwd.getpwuid(os.getuid()).pw_dir
