"""The forty questions as a site's probe: one Command each, all on one connection. peers.py copies it beside questions.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Facts, Failure

QUESTIONS = json.loads((Path(__file__).parent / "questions.json").read_text("utf-8"))
STATUS = "install ok installed"


def asked(kind: str, name: str) -> Command:
    if kind == "mode":
        return Command('stat -Lc %a -- "$1"', arguments=(name,))
    if kind == "setting":
        return Command('cat -- "$1"', arguments=(name,))
    if kind == "package":
        return Command("dpkg-query -f '${Status}' -W -- \"$1\"", arguments=(name,))
    if kind == "shell":
        return Command('getent passwd -- "$1"', arguments=(name,))
    return Command(name)


def told(kind: str, answer: Answer) -> Any:
    if isinstance(answer, Failure):
        return answer.unknown()
    text = answer.text.strip()
    if kind == "package":
        return "installed" if answer.exit_code == 0 and text == STATUS else "absent"
    return text.split(":")[6] if kind == "shell" else text


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {q["id"]: asked(q["kind"], q["name"]) for q in QUESTIONS}


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    return {q["id"]: told(q["kind"], answers[q["id"]]) for q in QUESTIONS}


PROBE = Probe(
    title={"en": "Forty questions", "fr": "Quarante questions"},
    facts={
        "type": "object",
        "properties": {q["id"]: {"type": "string", "description": q["name"]} for q in QUESTIONS},
    },
    dialects={"linux": Dialect(commands, parse)},
)
