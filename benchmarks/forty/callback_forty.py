"""What a playbook's forty tasks answered, for Ansible to write in the place of its own output. peers.py names it to Ansible."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: callback_forty
type: stdout
short_description: the answers of forty tasks, as one JSON file
description: Writes, for every host, the answer of every task.
"""


def told(result: Any) -> str:
    """The answer in what a module gave back; each of the five modules has keys of its own."""
    if "stat" in result:
        return str(result["stat"]["mode"]).lstrip("0")
    if "content" in result:
        return base64.b64decode(result["content"]).decode().strip()
    if "ansible_facts" in result:
        (entry,) = result["ansible_facts"]["getent_passwd"].values()
        return str(entry[-1])
    if result["cmd"][0] == "dpkg-query":
        return "installed" if result["stdout"] == "install ok installed" else "absent"
    return str(result["stdout"])


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "callback_forty"

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, dict[str, str]] = {}

    def v2_runner_on_ok(self, result: Any) -> None:
        self.answers.setdefault(result.host.name, {})[str(result.task.name)] = told(result.result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._display.display(f"{result.host.name}: {result.task.name}: {result.result}")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._display.display(f"{result.host.name}: {result.result}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        Path(os.environ["FORTY_ANSWERS"]).write_text(json.dumps(self.answers))
