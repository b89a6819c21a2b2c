"""What a tree of files tells of tools for remote help. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.remote_tools import TOOLS, Tool, lies
from auditor.readers import files
from auditor.readers.files import LINKS
from auditor.readers.trees import units

FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec", "/opt/bin", "/snap/bin")
# Of what a folder holds only that it holds something is asked.
INSTALLED = Command(
    " ".join(
        [
            *(f"{folder}/{p}" for folder in FOLDERS for p in dict.fromkeys(p for tool in TOOLS for p in tool.programs)),
            *(f"{path}/*" for path in dict.fromkeys(p for tool in TOOLS for p in tool.paths)),
        ]
    ),
    kind="read",
    mask=LINKS,
    cap_bytes=524288,
)


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"installed": INSTALLED, "units": units.UNITS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """What is installed, or started by a link; that nothing else is there, or runs, only the host can tell."""
    told, started = files.read(answers["installed"]), units.read(answers["units"])
    found = [one for tool in TOOLS if (one := _in_tree(tool, tuple(told.texts), started))]
    gap = told.gap or started.gap or Unknown("not_observable", "what else is on the host")
    return {"tools": Partial(tuple(found), gap)}


def _in_tree(tool: Tool, paths: tuple[str, ...], started: units.Units) -> Fact:
    """None: the tree has nothing of it."""
    names = {*tool.processes, *tool.programs}
    programs = [p for p in paths if p.rpartition("/")[0] in FOLDERS and p.rpartition("/")[2] in tool.programs]
    lying = [*programs, *(p for p in paths if lies(tool, f"path {p.rpartition('/')[0]}"))][:1]
    own = sorted(unit for unit in {*started.there, *started.starts} if unit.partition("@")[0] in names)
    if not lying and not own:
        return None
    running = started.runs(*own) if own else Unknown("not_observable", f"whether {tool.name} runs")
    seen = [*(f"unit {name}" for name in own), *(f"path {path}" for path in lying)]
    where = tuple(dict.fromkeys([*(started.place(*own) if own else ()), *lying]))
    return {"tool": tool.name, "running": running, "seen": ", ".join(seen)[:200], WHERE: where}
