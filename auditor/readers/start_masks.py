"""What starts a daemon, in; of each line the program, the settings that it is pointed to, and what holds it back, out. Pure.

Every line keeps its number. Source: systemd.service(5), systemd.unit(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STARTS = re.compile(r"\s*ExecStart\s*=\s*[-@:+!|]*(\S*)(.*)")
_VARIABLES = re.compile(r"\s*(?:export\s+)?(?:Environment\s*=\s*\"?)?\w*(?:OPT|OPTS|OPTIONS|ARGS|FLAGS)\s*=(.*)")
_HOLDS = re.compile(r"\s*(?:(?:Condition|Assert)(\w+)|ExecCondition|Requisite|BindsTo|Conflicts)\s*=\s*(.*?)\s*")
# What the units of these daemons come with: it keeps them from containers, and from each other.
_USUAL = re.compile(
    r"Capability=CAP_SYS_TIME|Virtualization=!container|Requisite=|Conflicts=(?:[\w.-]*(?:chrony|ntp|timesync|shutdown|syslog)[\w.-]*\s*)+"
)
_ROOTS = re.compile(r"\s*(?:Root(?:Directory|Image)|Bind(?:ReadOnly)?Paths|(?:Mount|Extension)Images)\s*=\s*[^\s].*")
_SETTINGS = re.compile(
    r"(?:^|[\s\"'])(?:-[a-zA-Z]*[fcC]\s*|--?(?:conf|config|cfgfile|config[.-]file|config[.-]path|c)[=\s]\s*)[\"']?(/[^\s\"']*)"
)


def daemon(text: bytes) -> bytes:
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return "\n".join("\r".join(_told(line.rstrip("\r"))) for line in lines).encode("utf-8", "surrogatepass")


def _told(line: str) -> Iterator[str]:
    starts, held = _STARTS.fullmatch(line), _HOLDS.fullmatch(line)
    variables = None if starts else _VARIABLES.fullmatch(line)
    if starts and starts[1]:
        yield f"start\t{starts[1].rpartition('/')[2][:80]}"
    if starts and not starts[1].startswith("/") and starts[1]:
        yield "odd"
    said = starts[2] if starts else variables[1] if variables else ""
    yield from (f"settings\t{path}" for path in _SETTINGS.findall(said))
    if (starts or variables) and re.search(r"\\(?!\Z)|-\S*\$|\\\Z", said):
        yield "odd"
    if held and held[2] and not _USUAL.fullmatch(line.strip().removeprefix("Condition").removeprefix("Assert")):
        yield "held"
    if _ROOTS.fullmatch(line):
        yield "odd"
