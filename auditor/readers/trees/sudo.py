"""The files of sudo in a tree in; its rules, each with its file and line, out: what cvtsudoers would make of them. Pure.

Source: sudoers(5). Owners and modes are not those of the host, and are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from auditor.model import Answer, Command, Output, Unknown
from auditor.readers import files, sudo_grammar, sudo_lines, sudoers
from auditor.readers.trees import people

POLKIT = Command(
    "/etc/polkit-1/rules.d/*.rules /usr/local/share/polkit-1/rules.d/*.rules /etc/polkit-1/localauthority/*/*.pkla",
    kind="read",
    mask="polkit",
    cap_bytes=262144,
)
WHICH = "/var/lib/dpkg/alternatives/sudo"  # which of several is the host's sudo
FOLDERS = ("/etc/sudoers.d", "/usr/etc/sudoers.d")
SUDOERS = Command(
    f"/etc/sudoers /usr/etc/sudoers /etc/sudoers.d/* /usr/etc/sudoers.d/* /etc/doas.conf /etc/sudoers-rs /etc/sudo.conf /usr/etc/sudo.conf {WHICH}",
    kind="read",
    mask="sudoers",
    cap_bytes=262144,
)
_INCLUDE = re.compile(r"[ \t]*[@#]include(?:dir)?[ \t]+\"?([^\" \t]+)")
_TAG = re.compile(r"([A-Z_]+) *: *")
_OPTION = re.compile(
    r"(?:(?:ROLE|TYPE|PRIVS|LIMITPRIVS|TIMEOUT|NOTBEFORE|NOTAFTER|CWD|CHROOT|APPARMOR_PROFILE) *= *[^ ]+"
    r"|sha(?:224|256|384|512) *: *[^ ]+) *"
)
_PLAIN = re.compile(r"/[^=]*|ALL|sudoedit|list|[A-Z][A-Z0-9_]*")
_BOOLEAN = re.compile(r"(!*)(authenticate|targetpw|rootpw|runaspw)")
_VALUE = re.compile(r"(timestamp_timeout|exempt_group|runas_default|pam_(?:login_|askpass_)?service) *= *([^ ]+)")
_WEIGHTY = re.compile(
    r"[^=]*(authenticate|timestamp_timeout|exempt_group|runas_default|targetpw|rootpw|runaspw|pam_(?:login_|askpass_)?service)"
)
_AMONG = re.compile(r"Defaults([@:>!])\s*((?:[^\s,]+\s*,\s*)*[^\s,]+)\s*")


def rules(answer: Answer, tree: people.Tree) -> sudoers.Rules | Unknown:
    """As the host would tell them; `gap` is `not_observable` where files that sudo reads are not in the tree."""
    found = files.read(answer)
    if found.gap or not found.texts:
        return found.gap or Unknown("not_observable", "/etc/sudoers")
    lines = [(line if len(line.splitlines()) < 2 else "odd", place) for line, place in _files(found.texts, tree)]
    text = "\n".join(["sudoers files", *(line for line, _ in lines), "unweighed", f"name {tree.name}", "end"])
    told = sudoers.rules(Output(0, text.encode("utf-8", "surrogatepass"), b"", 0.0))
    if isinstance(told, Unknown):
        return told
    places = [place for line, place in lines if line.startswith(("rule ", "also "))]
    placed = tuple(replace(rule, where=(place,)) for rule, place in zip(told.rules, places, strict=True))
    return replace(told, rules=placed, gap=told.gap or _gap(found.texts, placed, tree))


def polkit(answer: Answer) -> tuple[dict[str, str], Unknown | None]:
    """The files of polkit rules that say yes to somebody unasked, each with its first such line; why there may be others."""
    found, said = files.read(answer), {}
    for path, text in found.texts.items():
        word = "pkla" if path.endswith(".pkla") else "rules"
        number = next((n for n, line in enumerate(text.split("\n"), 1) if word in line.split()), 0)
        if number:
            said[path] = f"{path}:{number}"
    return said, found.gap


def _gap(texts: Mapping[str, str], found: tuple[sudoers.Rule, ...], tree: people.Tree) -> Unknown | None:
    if not {"/etc/sudoers", "/usr/etc/sudoers"} & set(texts):
        return Unknown("not_observable", "/etc/sudoers")
    if "/etc/doas.conf" in texts or "/etc/sudoers-rs" in texts:
        return Unknown("not_told", "rules of doas or sudo-rs, which are not read in a tree")
    if re.search(r"cargo/bin/sudo|sudo-rs", texts.get(WHICH, "")):
        return Unknown("not_told", "sudo-rs may be the host's sudo, and read these rules otherwise")
    if not tree.name and any(set(rule.hosts) != {"ALL"} for rule in found):
        return Unknown("not_observable", "/etc/hostname")
    return None


def _files(texts: Mapping[str, str], tree: people.Tree) -> Iterator[tuple[str, str]]:
    """The main file, and the folder in the place of the line that includes it."""
    main = next((p for p in ("/etc/sudoers", "/usr/etc/sudoers") if p in texts), "")
    beside = {folder: [p for p in texts if p.startswith(folder + "/") and _counts(p)] for folder in FOLDERS}
    if not main:
        for path in beside[FOLDERS[0]]:
            yield from _lines(texts[path], path)
    for line, place in _lines(texts[main], main) if main else ():
        if line.startswith("include ") and line[8:] in FOLDERS:
            for path in beside[line[8:]]:
                yield from _lines(texts[path], path)
        elif line.startswith("include ") and line[8:] in texts:
            yield from _lines(texts[line[8:]], line[8:])
        else:
            yield line, place
    if tree.sudoers_elsewhere:
        yield "directory", "/etc/nsswitch.conf"
    conf = next((p for p in ("/etc/sudo.conf", "/usr/etc/sudo.conf") if p in texts), "")
    plugins = (line.split() for line in texts.get(conf, "").split("\n"))
    if any(_may_decide(words) for words in plugins):
        yield f"policy {conf}", conf


def _may_decide(words: list[str]) -> bool:
    """Whether a line of sudo.conf names another plugin than sudo's own, another place of it, or gives it other files."""
    if [word.lower() for word in words[:2]] == ["path", "plugin_dir"]:
        return True
    plugin = bool(words) and words[0].lower() == "plugin" and words[2:] != ["sudoers.so"]
    return plugin and not re.search(r"_(io|audit|approval)$", "".join(words[1:2]))


def _counts(path: str) -> bool:
    name = path.rpartition("/")[2]
    return "." not in name and not name.endswith("~")


def _lines(text: str, path: str) -> Iterator[tuple[str, str]]:
    """Each logical line in the words of readers/sudoers.py, with its place: that of its first line."""
    whole, written, first = "", "", 0
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        first = first if written else number
        written += line
        line = line.removesuffix("\r")
        if sudo_lines.goes_on(line):
            whole, written = whole + sudo_lines.bare(line) + " ", written + "\n"
            continue
        for told in _line((whole + line).replace("\t", " ")):
            yield told, f"{path}:{first}"
        last = number == len(lines) and written.endswith("\n")
        if last or not (_INCLUDE.match(line) or sudo_grammar.is_parsed(written)):
            yield "odd", f"{path}:{first}"
        whole = written = ""
    if written:
        yield "odd", f"{path}:{first}"


def _line(line: str) -> Iterator[str]:
    included = _INCLUDE.match(line)
    if included:
        yield f"include {included[1].rstrip('/') or '/'}"
    elif re.match(r" *(#(?!-?[0-9]).*)?$", line):
        return
    elif re.match(r" *Defaults", line):
        yield from _defaults(line.strip())
    elif alias := re.match(r" *(User|Host|Runas|Cmnd|Cmd)_Alias +(.*)", line):
        kind = {"User": "alias", "Host": "host", "Runas": "runas"}.get(alias[1])
        bare = re.sub(r"#(?!-?[0-9]).*", "", alias[2])
        yield from (
            (f"{kind} {bare if kind == 'alias' else _bare(bare)[0]}",) if kind else _Listing("cmnd").read(alias[2])
        )
    else:
        yield from _Listing("rule").read(line)


def _bare(text: str) -> tuple[str, bool]:
    """Without escapes, quoted texts and comments, none of which can be told apart from separators later."""
    text = re.sub(r'"[^"]*"', "?", re.sub(r"\\.", "?", text).replace('""', "\1"))
    return re.sub(r"! +", "!", re.sub(r"#(?!-?[0-9]).*", "", text)).strip(), '"' in text


@dataclass(slots=True)
class _Listing:
    """`users hosts = [(runas)] [options] [tags] [!]command, ... : hosts = ...`, as lines of one kind."""

    kind: str
    left: str = ""
    run: str = ""
    ask: str = ""
    dated: bool = False
    summed: bool = False  # the next command counts for one digest of its file only
    items: list[str] = field(default_factory=list)
    hosts: bool = False  # after a colon, another list of hosts comes first
    odd: bool = False
    told: list[str] = field(default_factory=list)

    def read(self, line: str) -> list[str]:
        left, equals, rest = line.partition("=")
        self.left = left.strip()
        text, self.odd = _bare(rest)
        for element in _elements(text) if equals else ():
            waiting: str | None = element
            while waiting is not None:
                waiting = self._item(waiting.strip())
        self._flush()
        return [*self.told, "odd"] if self.odd or self.hosts or not equals else self.told

    def _flush(self) -> None:
        if self.items:
            self.told.append("\t".join([f"{self.kind} {self.left}", *self.items]))
        self.items, self.run, self.ask, self.dated, self.summed = [], "", "", False, False

    def _item(self, text: str) -> str | None:
        """Reads one; gives what stands behind a colon: another list of hosts, and what may be run there."""
        if self.hosts:
            hosts, equals, text = text.partition("=")
            self.left += ", " + hosts.strip()
            if not equals:
                return None
            self.hosts = False
        text = self._decorated(text.strip())
        bare = text.lstrip("! ")
        negated = text[: len(text) - len(bare)].count("!") % 2
        before, colon, after = bare.partition(":")
        command, _, rest = before.strip().partition(" ")
        if command:
            self._keep("!" if negated else "", command, rest.strip())
        if not colon:
            return None
        self._flush()
        self.kind = "also" if self.kind == "rule" else self.kind
        self.left, self.hosts = "", True
        return after

    def _keep(self, no: str, command: str, rest: str) -> None:
        if command.startswith("^"):
            command, rest = "^", ""
        elif not _PLAIN.fullmatch(command):
            command, self.odd = "?", True
        said = "" if not rest else ' ""' if rest == "\1" else " ...*" if "*" in rest else " ..."
        when = "WHEN: " if self.dated or self.summed else ""
        self.items.append(f"{self.run}{self.ask}{when}{no}{command}{said}")
        self.summed = False

    def _decorated(self, text: str) -> str:
        """Takes whom it is run as, options and tags from the front; they hold for what follows them in the list."""
        run = re.match(r"\(([^()]*)\) *", text)
        if run:
            self.run, text = f"({run[1]}) ", text[run.end() :]
        while found := _TAG.match(text) or _OPTION.match(text):
            tag = found[1] if found.re is _TAG else ""
            if tag in ("NOPASSWD", "PASSWD"):
                self.ask = f"{tag}: "
            self.dated = self.dated or (not tag and found[0].startswith("NOT"))
            self.summed = self.summed or found[0].startswith("sha")
            text = text[found.end() :]
        return text


def _elements(text: str) -> list[str]:
    """At the commas that stand in no brackets."""
    found, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += char
    return found


def _defaults(line: str) -> Iterator[str]:
    among = _AMONG.match(line)
    to, names, rest = (among[1], among[2], line[among.end() :]) if among else ("-", "", line[len("Defaults") :])
    names = "".join(names.split()).replace('"', "")
    text, odd = _bare(rest)
    odd = odd or "\\" in names
    for one in (re.sub(r"!\s+", "!", v.strip()) for v in text.split(",")):
        boolean, value = _BOOLEAN.fullmatch(one), _VALUE.fullmatch(one)
        told = ""
        if boolean:
            told = f"{boolean[2]}\t{'no' if len(boolean[1]) % 2 else 'yes'}"
        elif one in ("!timestamp_timeout", "!exempt_group"):
            told = f"{one[1:]}\t"
        elif value:
            told = f"{value[1]}\t{value[2]}"
        odd = odd or (not told and bool(_WEIGHTY.match(one)))
        if told:
            yield f"default {to}\t{names}\t{told}"
    if odd:
        yield "odd"
