"""What docs/ci.md and the root of the repository offer to CI systems: official schemas, pre-commit's own checks, hadolint."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pipeline
import pytest
import yaml
from pipeline import FILES, ROOT, commit, git

BESIDE = Path(sys.executable).parent  # tools that are installed with the tests


def _run(*words: str | Path, folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)


# ---------------------------------------------------------------- the pipelines


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("trees.gitlab-ci.yml", "vendor.gitlab-ci"),
        ("trees.github.yml", "vendor.github-workflows"),
        ("trees.github.yml", "custom.github-workflows-require-timeout"),
        (".gitlab-ci.yml", "vendor.gitlab-ci"),
        (".github/workflows/baseline.yml", "vendor.github-workflows"),
        (".github/workflows/baseline.yml", "custom.github-workflows-require-timeout"),
    ],
)
def test_a_pipeline_is_valid_by_the_official_schema(path: str, schema: str, tmp_path: Path) -> None:
    words = [BESIDE / "check-jsonschema", "--builtin-schema", schema]
    words += ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    text = FILES[path] if path in FILES else (ROOT / "contrib/ci" / path).read_text("utf-8")
    good.write_text(text, "utf-8")
    done = _run(*words, good, folder=tmp_path)
    assert done.returncode == 0, done.stdout
    bad.write_text(text.replace("script:", "scripts:").replace("timeout-minutes:", "timeout_minutes:"), "utf-8")
    assert _run(*words, bad, folder=tmp_path).returncode == 1, "the schema refuses nothing"


def test_the_pipelines_of_trees_run_the_same_where_it_counts() -> None:
    """What is linted and judged, by which side; only the job that renders runs the play."""
    jobs = pipeline.jobs()
    assert {name: len(both) for name, both in jobs.items()} == {"gitlab": 2, "github": 2, "jenkins": 2}
    for render, judge in jobs.values():
        assert render.commands[0] == "sh render.sh" and render.hands_over
        assert not any("render.sh" in c for c in judge.commands), "the play would be beside what judges"
        assert not any("auditor" in c for c in render.commands)
        assert judge.commands[-2] == "auditor lint policies inventory"
        assert {"--trusted", "--against", "--tree"} <= set(judge.commands[-1].split())
    assert "\nsh render.sh\n" in (ROOT / "contrib/ci/reference.sh").read_text("utf-8")


def test_a_red_job_of_trees_still_hands_over_its_reports() -> None:
    gitlab = yaml.safe_load(pipeline.TREES["gitlab"])["baseline"]["artifacts"]
    steps = yaml.safe_load(pipeline.TREES["github"])["jobs"]["baseline"]["steps"]
    written = {
        name: set(re.findall(r" -f \w+=([^-\s]\S*)", both[1].commands[-1])) for name, both in pipeline.jobs().items()
    }
    assert (gitlab["when"], set(gitlab["reports"].values())) == ("always", written["gitlab"])
    assert "!cancelled()" in steps[-1]["if"] and {steps[-1]["with"]["sarif_file"]} == written["github"]
    found = set(re.findall(r"always .*testResults: '([^']+)'", pipeline.TREES["jenkins"]))
    assert found == written["jenkins"]


def test_all_pipelines_run_the_same_commands_but_for_their_report() -> None:
    plain = {name: [re.sub(r" -f (?!text)\S+| --sarif-accepted \S+", "", c) for c in commands] for name, commands in
             pipeline.pipelines().items()}  # fmt: skip
    assert plain["gitlab"] == plain["github"] == plain["jenkins"]
    assert len(plain["gitlab"]) == 3


def test_what_a_pipeline_hands_over_is_what_its_command_writes() -> None:
    written = {
        name: set(re.findall(r" -f \w+=([^-\s]\S*)", commands[-1])) for name, commands in pipeline.pipelines().items()
    }
    reports = yaml.safe_load(FILES[".gitlab-ci.yml"])["baseline"]["artifacts"]["reports"]
    assert set(reports.values()) == written["gitlab"]
    steps = yaml.safe_load(FILES[".github/workflows/baseline.yml"])["jobs"]["baseline"]["steps"]
    upload = next(step for step in steps if "upload-sarif" in step.get("uses", ""))
    assert {upload["with"]["sarif_file"]} == written["github"]
    assert set(re.findall(r"testResults: '([^']+)'", FILES["Jenkinsfile"])) == written["jenkins"]


def test_a_red_github_job_still_uploads_its_report() -> None:
    """A step without a status function is skipped once a step failed."""
    steps = yaml.safe_load(FILES[".github/workflows/baseline.yml"])["jobs"]["baseline"]["steps"]
    assert "!cancelled()" in steps[-1]["if"]
    assert yaml.safe_load(FILES[".gitlab-ci.yml"])["baseline"]["artifacts"]["when"] == "always"


# ---------------------------------------------------------------- pre-commit


@pytest.fixture
def hooked(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The example's repository with our hook as pre-commit runs it; only the installation into an environment of its own is left out."""
    folder = tmp_path / "repo"
    pipeline.repository(folder)
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (repo,) = yaml.safe_load(FILES[".pre-commit-config.yaml"])["repos"]
    (wanted,) = repo["hooks"]
    assert wanted["id"] == hook["id"]
    local = {"repo": "local", "hooks": [{**hook, "args": wanted["args"], "language": "system"}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}), "utf-8")
    commit(folder, "The hook, from here")
    environment = pipeline.programs(tmp_path / "bin")
    return folder, {**environment, "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "GIT_CONFIG_NOSYSTEM": "1"}


def test_the_hook_is_a_hook_by_pre_commits_own_check(tmp_path: Path) -> None:
    manifest, config = ROOT / ".pre-commit-hooks.yaml", tmp_path / ".pre-commit-config.yaml"
    config.write_text(FILES[".pre-commit-config.yaml"], "utf-8")
    for what, file in (("validate-manifest", manifest), ("validate-config", config)):
        done = _run(BESIDE / "pre-commit", what, file, folder=tmp_path)
        assert done.returncode == 0, done.stdout


def test_the_hook_lets_a_right_policy_pass_and_stops_a_wrong_one(hooked: tuple[Path, dict[str, str]]) -> None:
    folder, environment = hooked
    policy = folder / "policies/ssh.yaml"

    def hook() -> subprocess.CompletedProcess[str]:
        git(folder, "add", "--all")
        return _run(BESIDE / "pre-commit", "run", "--color=never", folder=folder, env=environment)

    policy.write_text(policy.read_text("utf-8").replace("severity: high", "severity: critical"), "utf-8")
    right = hook()
    assert (right.returncode, "Passed" in right.stdout) == (0, True), right.stdout + right.stderr
    policy.write_text(policy.read_text("utf-8").replace("root_logins:", "root_login:"), "utf-8")
    wrong = hook()
    assert wrong.returncode == 1
    assert "policies/ssh.yaml:12:7: unknown key 'root_login'; did you mean 'root_logins'?" in wrong.stdout
    git(folder, "checkout", "--quiet", "HEAD", ".")
    (folder / "notes.txt").write_text("nothing of ours\n")
    assert "Skipped" in hook().stdout


# ---------------------------------------------------------------- the container


CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", "")
INSTRUCTIONS = [line.split(maxsplit=1) for line in CONTAINERFILE.splitlines() if line and not line.startswith("#")]


def test_the_containerfile_has_no_fault_that_hadolint_knows(program: Any) -> None:
    beside = BESIDE / "hadolint"
    done = _run(beside if beside.exists() else program("hadolint"), ROOT / "Containerfile", folder=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_container_is_nobody_and_keeps_no_secret() -> None:
    last = {word: rest for word, rest in INSTRUCTIONS}
    assert last["USER"] not in ("0", "root")
    assert "ENTRYPOINT" not in last, "CI systems start a shell in it"
    assert not {"ADD", "ARG", "EXPOSE", "VOLUME"} & set(last)
    bases = {rest.split()[0] for word, rest in INSTRUCTIONS if word == "FROM"}
    assert len(bases) == 1, "an environment of one Python does not run in another"
    assert ":" in next(iter(bases))


def test_what_the_containerfile_copies_is_enough_to_build(tmp_path: Path) -> None:
    """The wheel made of these files alone holds the policies and the program; no image is built here."""
    copied = [rest.split() for word, rest in INSTRUCTIONS if word == "COPY" and not rest.startswith("--from")]
    for *sources, target in copied:
        for source in sources:
            inside = tmp_path / target.strip("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, inside, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                inside.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, inside)
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "out")]
    done = _run(*words, tmp_path / "src", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))).namelist()
    assert "auditor/policies/convention/measures.yaml" in names
    assert any(name.endswith("entry_points.txt") for name in names)
