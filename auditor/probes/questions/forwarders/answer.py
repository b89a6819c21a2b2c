"""What the question on the agents that send logs printed in; taken apart, agent by agent, out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Failure, Unknown

# The files that each agent reads where its command line names none.
OWN_FILES = {
    "rsyslog": ("/etc/rsyslog.conf",),
    "syslog-ng": ("/etc/syslog-ng/syslog-ng.conf",),
    "fluent-bit": (
        "/etc/fluent-bit/fluent-bit.conf",
        "/etc/td-agent-bit/td-agent-bit.conf",
        "/etc/fluent-bit/fluent-bit.yaml",
        "/etc/fluent-bit/fluent-bit.yml",
    ),
    "fluentd": ("/etc/fluent/fluentd.conf", "/etc/td-agent/td-agent.conf"),
    "vector": ("/etc/vector/vector.toml", "/etc/vector/vector.yaml", "/etc/vector/vector.yml"),
    "filebeat": ("/etc/filebeat/filebeat.yml", "filebeat.yml"),
    "promtail": ("/etc/promtail/config.yml", "/etc/promtail/config.yaml"),
    "alloy": ("/etc/alloy/config.alloy",),
    "nxlog": ("/etc/nxlog/nxlog.conf", "/etc/nxlog.conf", "/opt/nxlog/etc/nxlog.conf"),
}

NO = ("no", "n", "false", "f", "off", "0")  # parse_boolean of systemd
COARSE = ("emerg", "alert", "crit", "err", "warning", "notice", "0", "1", "2", "3", "4", "5")  # below what is usual


@dataclass(frozen=True, slots=True)
class Config:
    """Per agent, the masked texts of its files by path; `otherwise`: agents that run with other settings than were read.

    `waiting`: whether messages wait on disk; `deaf`: agents that read nothing of what programs of
    the host say, or may not; `missing`: why there may be more of all this.
    """

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    otherwise: Mapping[str, Unknown] = field(default_factory=dict)
    waiting: bool | Unknown = False
    deaf: Mapping[str, Unknown | None] = field(default_factory=dict)
    missing: Unknown | None = None


def read(rooted: Answer, plain: Answer) -> Config:
    """What root reads where we may ask as root, else what anybody may read."""
    if isinstance(rooted, Failure) and isinstance(plain, Failure):
        return Config(missing=rooted.unknown(), waiting=rooted.unknown())
    answer = plain if isinstance(rooted, Failure) else rooted
    assert not isinstance(answer, Failure)
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        untold = Unknown("unreadable", "the forwarders' configuration is not told")
        return Config(missing=untold, waiting=untold)
    denied = [line[2:] for line in lines if line.startswith("! ")]
    started = [(a, path) for a, _, path in (line[2:].partition(" ") for line in lines if line.startswith("S "))]
    changed = [(a, path) for a, _, path in (line[2:].partition(" ") for line in lines if line.startswith("O "))]
    return Config(
        _chosen(_texts(lines[:-1]), started),
        {a: _changed(a, path) for a, path in changed} | {a: _otherwise(a, p) for a, p in started if _is_other(a, p)},
        _waiting([line[2:] for line in lines if line.startswith("Q ")], rooted),
        _deaf(
            [*(line[2:] for line in lines if line.startswith("D ")), *_unheard(lines)],
            _gap(rooted, denied),
        ),
        _gap(rooted, denied),
    )


def _texts(lines: list[str]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, list[str]]] = {}
    current: list[str] = []
    for line in lines:
        if line.startswith("|"):
            current.append(line[1:])
        elif line.startswith("F "):
            agent, _, path = line[2:].partition(" ")
            current = texts.setdefault(agent, {}).setdefault(path, [])
    return {agent: {path: "\n".join(t) for path, t in files.items()} for agent, files in texts.items()}


def _chosen(texts: dict[str, dict[str, str]], started: list[tuple[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """Of two files that an agent may read, the one that it was started with."""
    for agent, path in started:
        files, path = texts.get(agent, {}), _clean(path)
        if path in files and agent in OWN_FILES:
            texts[agent] = {p: t for p, t in files.items() if p == path or p not in OWN_FILES[agent]}
    return texts


def _clean(path: str) -> str:
    return re.sub("/+", "/", path.strip())


def _is_other(agent: str, path: str) -> bool:
    return _clean(path) not in OWN_FILES.get(agent, ())


def _otherwise(agent: str, path: str) -> Unknown:
    return Unknown("not_told", f"{agent} runs with another configuration: {path[:100]}")


def _changed(agent: str, path: str) -> Unknown:
    if path == "?":
        return Unknown("not_told", f"when {agent} read its configuration")
    return Unknown("not_told", f"{path[:100]} changed after {agent} started")


def _deaf(said: list[str], gap: Unknown | None) -> Mapping[str, Unknown | None]:
    why = Unknown("not_told", "whether it reads all that programs of the host say")
    return {agent.removeprefix("? "): why if agent.startswith("? ") else gap for agent in said}


def _unheard(lines: list[str]) -> list[str]:
    """rsyslog, where it reads the socket of the system (L) alone, and journald hands it nothing, or not all."""
    said = dict(line[2:].lower().partition("=")[::2] for line in lines if line.startswith("J "))
    withheld = said.get("forwardtosyslog") in NO or said.get("maxlevelsyslog") in COARSE
    if "L" not in lines or "Y" in lines or not withheld:
        return []
    return ["? rsyslog" if "M" in lines else "rsyslog"]


def _waiting(queues: list[str], rooted: Answer) -> bool | Unknown:
    if any(not q.startswith("? ") for q in queues):
        return True
    cause = rooted.cause if isinstance(rooted, Failure) else "unreadable"
    return Unknown(cause, queues[0][2:]) if queues else False


def _gap(rooted: Answer, denied: list[str]) -> Unknown | None:
    if not denied:
        return None
    cause = rooted.cause if isinstance(rooted, Failure) else "unreadable"
    return Unknown(cause, "; ".join(denied)[:200])
