"""The files of the forwarders in a tree in; per agent what its program would read of them, out. Pure.

Sources: rsyslog.conf(5), the syslog-ng administration guide ("@include"), the agents' own manuals.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.model import Answer, Command, Unknown
from auditor.readers import files, systemd_conf
from auditor.readers.own_names import Own, is_loopback, plain
from auditor.readers.repositories import canonical
from auditor.readers.trees.included import beyond, unseen


def _question(mask: str, text: str) -> Command:
    return Command(text, kind="read", mask=mask, cap_bytes=131072)


SPLUNK = "/opt/splunkforwarder/etc"
QUESTIONS: Mapping[str, Command] = {
    "rsyslog": _question("rsyslog", "/etc/rsyslog.conf /etc/rsyslog.d/*"),
    "syslog_ng": _question("syslog", "/etc/syslog-ng/syslog-ng.conf /etc/syslog-ng/conf.d/*"),
    "journal_upload": _question("systemd", systemd_conf.globs("journal-upload.conf")),
    "wazuh": _question("wazuh", "/var/ossec/etc/ossec.conf"),
    "yaml": _question(
        "yaml",
        "/etc/fluent-bit/fluent-bit.yaml /etc/fluent-bit/fluent-bit.yml /etc/vector/vector.yaml /etc/vector/vector.yml"
        " /etc/filebeat/filebeat.yml /etc/filebeat/modules.d/*.yml /etc/filebeat/inputs.d/*.yml"
        " /etc/elastic-agent/elastic-agent.yml /opt/Elastic/Agent/elastic-agent.yml /etc/promtail/config.yml /etc/promtail/config.yaml",
    ),
    "toml": _question("toml", "/etc/vector/vector.toml"),
    "json": _question("presence", "/etc/vector/vector.json"),
    "blocks": _question(
        "blocks",
        "/etc/fluent-bit/fluent-bit.conf /etc/td-agent-bit/td-agent-bit.conf /etc/fluent/fluentd.conf"
        " /etc/td-agent/td-agent.conf /etc/nxlog/nxlog.conf /etc/nxlog.conf /opt/nxlog/etc/nxlog.conf /opt/nxlog/etc/nxlog.d/*.conf",
    ),
    "assigned": _question(
        "assigned",
        f"{SPLUNK}/system/local/outputs.conf {SPLUNK}/apps/*/local/outputs.conf {SPLUNK}/apps/*/default/outputs.conf",
    ),
    "river": _question("river", "/etc/alloy/config.alloy"),
}
NAMES = Command("/etc/hostname /etc/hosts", kind="read", mask="comments")
# Whose file it is, by how its path begins.
AGENTS = {
    "/etc/fluent-bit/": "fluent-bit", "/etc/td-agent-bit/": "fluent-bit", "/etc/fluent/": "fluentd", "/etc/td-agent/": "fluentd",
    "/etc/vector/": "vector", "/etc/filebeat/": "filebeat", "/etc/elastic-agent/": "elastic-agent",
    "/opt/Elastic/": "elastic-agent", "/etc/promtail/": "promtail", "/etc/alloy/": "alloy", "/etc/nxlog": "nxlog",
    "/opt/nxlog/": "nxlog", SPLUNK: "splunk", "/var/ossec/": "wazuh",
}  # fmt: skip
# The question, and the file that each begins with.
MAIN = {
    "rsyslog": ("rsyslog", "/etc/rsyslog.conf"),
    "syslog-ng": ("syslog_ng", "/etc/syslog-ng/syslog-ng.conf"),
}
_INCLUDE = re.compile(
    r"^[ \t]*\$includeconfig[ \t]+(?P<directive>[^\n]*)|^[ \t]*@include[ \t]+\"(?P<quoted>[^\"\n]*)\""
    r"|(?<![a-z_])include[ \t]*\((?P<inner>[^()]*)",
    re.IGNORECASE | re.MULTILINE,
)
_FILE = re.compile(r"(?:^|[\s(])file[ \t]*=[ \t]*\"([^\"]*)\"", re.IGNORECASE)
_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
DEEPEST = 3
_LINE = re.compile(r"([0-9]{1,7})\|(.*)")


@dataclass(frozen=True, slots=True)
class Forwarders:
    """`texts` by agent and path, in the form of the agent's reader; `shown`: the same by the lines of the files.

    `bare`: agents of which the file is not there that they begin with. `gap`: why there may be more.
    """

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shown: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    gap: Unknown | None = None


def read(answers: Mapping[str, Answer]) -> Forwarders:
    found = {name: files.read(answers[name]) for name in QUESTIONS}
    gaps = [f.gap for f in found.values()]
    texts: dict[str, Mapping[str, str]] = {}
    shown: dict[str, Mapping[str, str]] = {"journal-upload": found["journal_upload"].texts}
    for agent, (name, main) in MAIN.items():
        texts[agent], shown[agent], gap = _gathered(name, found[name], main)
        gaps.append(gap)
    uploads = enumerate(systemd_conf.effective(found["journal_upload"].texts, "journal-upload.conf"))
    texts["journal-upload"] = {str(number): text for number, text in uploads}
    for name in ("wazuh", "yaml", "toml", "json", "blocks", "assigned", "river"):
        for path, text in found[name].texts.items():
            agent = next(a for begin, a in AGENTS.items() if path.startswith(begin))
            bare, whole = _unnumbered(text)
            texts[agent] = {**texts.get(agent, {}), path: bare}
            shown[agent] = {**shown.get(agent, {}), path: whole}
    mainless = frozenset(agent for agent, (_, main) in MAIN.items() if main not in texts[agent])
    return Forwarders({a: t for a, t in texts.items() if t}, shown, mainless, worst(gaps))


def worst(gaps: Iterable[Unknown | None]) -> Unknown | None:
    """What could be known and is not comes before what only a host can tell: it must not be hidden behind that."""
    seen = [gap for gap in gaps if gap]
    return next((gap for gap in seen if gap.cause != "not_observable"), seen[0] if seen else None)


def _unnumbered(text: str) -> tuple[str, str]:
    """What a mask told of a file, without the numbers of its lines; and the same, each line where it stands."""
    rows = [(int(found[1]), found[2]) for line in text.split("\n") if (found := _LINE.fullmatch(line))]
    placed: dict[int, str] = {}
    for number, said in rows:
        placed[number] = f"{placed.get(number, '')} {said}"
    last = max(placed, default=0)
    return "\n".join(said for _, said in rows), "\n".join(placed.get(n, "") for n in range(1, last + 1))


# ---------------------------------------------------------------- what rsyslog and syslog-ng include


def _gathered(name: str, found: files.Files, main: str) -> tuple[Mapping[str, str], Mapping[str, str], Unknown | None]:
    """The main file, or without it those beside it, each with what it includes in its place; the files that were read; and
    why that may not be all.
    """
    texts = found.texts
    reading = _Including(name, texts, main.rpartition("/")[0], found.empty)
    if texts and main not in texts:
        reading.gap = Unknown("not_observable", main)
    begin = [main] if main in texts else [path for path in texts if path.endswith(".conf")]
    whole = {path: reading.text(path, 0) for path in begin if path not in reading.read}
    return whole, reading.read, reading.gap


@dataclass(slots=True)
class _Including:
    """`read`: the files, as they are, in the order in which they are come to."""

    question: str
    texts: Mapping[str, str]
    folder: str
    empty: frozenset[str]
    gap: Unknown | None = None
    read: dict[str, str] = field(default_factory=dict)

    def text(self, path: str, depth: int) -> str:
        text = self.read[path] = self.texts[path]
        return _INCLUDE.sub(lambda found: self._included(found, path, depth), text)

    def _included(self, found: re.Match[str], path: str, depth: int) -> str:
        """A quoted text that a file does not close ends with it."""
        glob = _glob(found, self.folder)
        paths = _matching(self.texts, glob) if glob else []
        gap = self._unseen(glob, bool(paths)) if glob else None
        if depth == DEEPEST:
            gap, paths = Unknown("not_told", f"what {path} includes"), []
        self.gap = worst([self.gap, gap])
        texts = (self.text(one, depth + 1) for one in paths if one not in self.read)
        return "\n" + "".join(text + '"' * (len(_QUOTE.findall(text)) % 2) + "\n" for text in texts)

    def _unseen(self, glob: str, found: bool) -> Unknown | None:
        """A folder that the tree holds is whole; what is included and not there is on the host, for all we know."""
        folder = glob.rpartition("/")[0]
        held = folder in self.empty or any(path.rpartition("/")[0] == folder for path in self.texts)
        question = QUESTIONS[self.question]
        return beyond(question, glob) or (None if found or ("*" in glob and held) else unseen(question, glob))


def _glob(found: re.Match[str], folder: str) -> str:
    """What is included; of a folder all that is in it; "" for what syslog-ng brings itself."""
    named = _FILE.search(found["inner"]) if found["inner"] is not None else None
    glob = (named[1] if named else found["directive"] or found["quoted"] or "?").strip()
    whole = glob if glob.startswith("/") else f"{folder}/{glob}"
    return "" if glob == "scl.conf" else whole + "*" if whole.endswith("/") else whole


def _matching(texts: Mapping[str, str], glob: str) -> list[str]:
    return sorted(path for path in texts if path.startswith(glob + "/") or _alike(path, glob))


def _alike(path: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(path, glob) and path.count("/") == glob.count("/")


# ---------------------------------------------------------------- whose tree it is


def own(answer: Answer) -> Own | Unknown:
    """The names that the files give to the host; of its addresses they tell the loopback ones alone."""
    found = files.read(answer)
    name = found.texts.get("/etc/hostname", "").strip()
    if found.gap or not name:
        return found.gap or Unknown("not_observable", "/etc/hostname")
    rows = [line.partition("#")[0].split() for line in found.texts.get("/etc/hosts", "").split("\n")]
    mine = [row for row in rows if row and (is_loopback(row[0]) or plain(name) in [plain(n) for n in row[1:]])]
    names = {plain(n) for row in mine for n in row[1:]}
    return Own(frozenset({plain(name), *names}), frozenset(a for row in mine for a in canonical(row[0])))


def is_own(name: str | Unknown, known: Own | Unknown) -> bool | Unknown:
    if isinstance(name, Unknown):
        return name
    if isinstance(known, Unknown):
        return known
    address = canonical(name)
    if name in known.names or (address and address[0] in known.addresses):
        return True
    alike = any(n.partition(".")[0] == name.partition(".")[0] for n in known.names)
    return Unknown("not_observable", f"whether {name[:80]} is this host") if address or alike else False
