"""The forty questions as a suite of pytest-testinfra. peers.py copies it beside questions.json and runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
QUESTIONS = json.loads((HERE / "questions.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def answers() -> Iterator[dict[str, dict[str, str]]]:
    """Address to question to answer, written when all is asked."""
    told: dict[str, dict[str, str]] = {}
    yield told
    (HERE / "answers.json").write_text(json.dumps(told))


def ask(host: Any, kind: str, name: str) -> str:
    if kind == "mode":
        return f"{host.file(name).mode:o}"
    if kind == "setting":
        return str(host.file(name).content_string).strip()
    if kind == "package":
        return "installed" if host.package(name).is_installed else "absent"
    if kind == "shell":
        return str(host.user(name).shell)
    return str(host.run(name).stdout).strip()


@pytest.mark.parametrize("question", QUESTIONS, ids=[q["id"] for q in QUESTIONS])
def test_question(host: Any, question: dict[str, str], answers: dict[str, dict[str, str]]) -> None:
    answer = ask(host, question["kind"], question["name"])
    answers.setdefault(host.backend.host.name, {})[question["id"]] = answer
    assert answer == question["wanted"]
