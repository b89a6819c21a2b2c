"""What starts a daemon, in; of each line the program, the settings that it is pointed to, and what holds it back, out. Pure.

Every line keeps its number. Source: systemd.service(5), systemd.unit(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STARTS = re.compile(r"\s*ExecStart\s*=\s*[-@:+!|]*(\S*)(.*)")
_NAMED = (
    r"(?:\w*(?:OPT|OPTS|OPTIONS|ARGS|FLAGS)|CONFIG_FILE|VECTOR_CONFIG\w*)"  # the variables that these daemons go by
)
_VARIABLES = re.compile(rf"\s*(?:export\s+)?(?:Environment\s*=\s*(?:.*[\s\"'])?)?{_NAMED}\s*=(.*)")
_OTHERS = re.compile(rf"\$(?!\{{?(?:{_NAMED}|MAINPID|\$)\b)")  # on a command line, any that is not one of those
_FILE_OF_VARIABLES = re.compile(r"\s*EnvironmentFile\s*=\s*(?!-?/etc/(?:default|sysconfig)/[\w.-]+\s*\Z)[^\s].*")
_HOLDS = re.compile(r"\s*(?:(?:Condition|Assert)(\w+)|ExecCondition|Requisite|BindsTo|Conflicts)\s*=\s*(.*?)\s*")
# What the units of these daemons come with: it keeps them from containers, and from each other.
_USUAL = re.compile(
    r"Capability=CAP_SYS_TIME|Virtualization=!container|Requisite=|Conflicts=(?:[\w.-]*(?:chrony|ntp|timesync|shutdown|syslog)[\w.-]*\s*)+"
)
_ROOTS = re.compile(
    r"\s*(?:Root(?:Directory|Image)|Bind(?:ReadOnly)?Paths|(?:Mount|Extension)Images|ExtensionDirectories|PassEnvironment)\s*=\s*[^\s].*"
)
_SETTINGS = re.compile(
    r"(?:^|[\s\"'])(?:-[a-zA-Z]*[fcC]\s*|--?(?:conf|config|cfgfile|config[.-]file|config[.-]path|c)[=\s]\s*)[\"']?(/[^\s\"']*)"
)


# Programs that others may be told to start.
_DAEMON = re.compile(
    r"(?:^|[\s/;&|\"'=])(rsyslogd|syslog-ng|systemd-journal-upload|chronyd|ntpd|systemd-timesyncd|fluent-bit|vector|filebeat|promtail"
    r"|alloy)(?=[\s;&|\"']|\Z)"
)
# What quotes and escapes make of a word is not followed; a switch's file that begins with no slash lies where it is started.
_WOVEN = re.compile(r"\\|-\S*\$|[^\s=\"'][\"']+[^\s\"']")
_RELATIVE = re.compile(
    r"(?:^|\s)(?:-[a-zA-Z]*[fcC]\s+|--?(?:conf|config|cfgfile|config[.-]file|config[.-]path)[=\s]\s*)(?![/$-])\S"
    r"|(?:^|\s)-(?:f|c(?!onf)|C)[^\s/-]\S*/"
)


def daemon(text: bytes) -> bytes:
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    return "\n".join("\r".join(_told(line.rstrip("\r"))) for line in lines).encode("utf-8", "surrogatepass")


def _told(line: str) -> Iterator[str]:
    starts, held = _STARTS.fullmatch(line), _HOLDS.fullmatch(line)
    variables = None if starts else _VARIABLES.fullmatch(line)
    if starts and starts[1]:
        yield f"start\t{starts[1].rpartition('/')[2][:80]}"
    if starts:
        yield from (f"also\t{name}" for name in dict.fromkeys(_DAEMON.findall(starts[2])))
    if starts and not starts[1].startswith("/") and starts[1]:
        yield "odd"
    said = starts[2] if starts else variables[1] if variables else ""
    yield from (f"settings\t{path}" for path in _SETTINGS.findall(said))
    if (
        _FILE_OF_VARIABLES.fullmatch(line)
        or ((starts or variables) and _woven(line, said))
        or (starts and _OTHERS.search(said))
    ):
        yield "odd"
    if held and held[2] and not _USUAL.fullmatch(line.strip().removeprefix("Condition").removeprefix("Assert")):
        yield "held"
    if _ROOTS.fullmatch(line):
        yield "odd"


def _woven(line: str, said: str) -> bool:
    """Whether more is started than one line shows."""
    open_ended = any(line.count(quote) % 2 for quote in "\"'")
    return open_ended or bool(_WOVEN.search(said) or _RELATIVE.search(re.sub("[\"']", "", said)))
