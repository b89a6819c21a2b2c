"""A variable's name in; its value as what it has to be out, or a problem where it is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import Problem
from auditor.load.inventory.tree import Var
from auditor.load.yaml import Tagged


@dataclass(frozen=True, slots=True)
class Given:
    """The merged variables of a host, and what is found wrong with them."""

    variables: Mapping[str, Var]
    problems: list[Problem]

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(self.variables[key].problem(message))

    def value(self, key: str) -> Any:
        """Of a variable that we need: in clear, and no template."""
        var = self.variables.get(key)
        if var is None:
            return None
        if isinstance(var.value, Tagged):
            if var.value.tag == "!unsafe":
                return var.value.text
            self.wrong(key, f"{key} is encrypted with ansible-vault: write it in clear, it is no secret")
            return None
        if isinstance(var.value, str) and ("{{" in var.value or "{%" in var.value):
            message = f"{key} is a template ({{{{ }}}}): templates are not evaluated, write the value"
            self.wrong(key, f"{message}, or give the output of `ansible-inventory --list`")
            return None
        return var.value

    def text(self, *keys: str, default: str = "") -> str:
        """Of the first of these variables that says something."""
        for key in keys:
            value = self.value(key)
            if isinstance(value, bool | dict | list):
                self.wrong(key, f"{key} must be text")
            elif "\0" in str(value):
                self.wrong(key, f"{key} holds a NUL character: take it out")
            elif value not in (None, ""):
                return str(value)
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.value(key)
        words = {"yes": True, "true": True, "on": True, "1": True, "y": True, "t": True}
        words |= {"no": False, "false": False, "off": False, "0": False, "n": False, "f": False}
        if value is None or isinstance(value, bool):
            return default if value is None else value
        if str(value).lower() not in words:
            self.wrong(key, f"'{str(value)[:80]}' is neither true nor false")
            return False
        return words[str(value).lower()]

    def path(self, *keys: str) -> tuple[str, str]:
        """A path as written, and whole: beside the file that says it, where it is relative."""
        written = self.text(*keys)
        key = next((k for k in keys if k in self.variables), "")
        return written, whole(written, self.variables[key].file) if written else ""


def whole(written: str, file: str) -> str:
    """A path as it is written in a file: from the home (~), or from the inventory's folder."""
    path = Path(os.path.expanduser(written))
    folder = Path(file).parent
    for part in (folder, *folder.parents):
        if part.name in ("group_vars", "host_vars"):
            folder = part.parent
    return str(path if path.is_absolute() else folder / path)
