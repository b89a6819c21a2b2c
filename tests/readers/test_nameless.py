"""A tree's own name: it adds nothing to sudo's files, and trees that differ in nothing else are judged once."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.kinds import Probe
from auditor.model import Answer, Facts, Output
from auditor.probes import sudo_rules as judged
from auditor.probes.trees import accounts, admins, ssh_logins, sudo_rules
from auditor.readers.masks import MASKS
from auditor.readers.trees import nameless, people, sudo

PARSES = {module.__name__.rpartition(".")[2]: module.parse for module in (accounts, admins, ssh_logins, sudo_rules)}
PASSWD = "root:x:0:0::/root:/bin/sh\neve:x:1000:1000::/home/eve:/bin/sh\n"
SHADOW = b"root:!:20000:0:99999:7:::\neve:$y$x:20000:0:99999:7:::\n"
RULES = [
    "eve ALL=(ALL) ALL",
    "eve web01=(ALL) ALL",
    "eve web*, !web01=(ALL) ALL",
    "eve ALL, !web01=(root) NOPASSWD: /bin/x : db01 = ALL",
    "Host_Alias HERE = web01",
    "Host_Alias ALL_OF = ALL",
    "eve HERE=(ALL) NOPASSWD: ALL",
    "eve ALL_OF=(ALL) ALL",
    "eve 192.0.2.1, +net=ALL",
    "Defaults@web01 !authenticate",
    "Defaults@HERE targetpw",
    "Defaults !authenticate",
    "Defaults:eve !authenticate",
    "ALL ALL=(ALL) ALL",
    "@include /etc/more",
]
rules = st.lists(st.sampled_from(RULES), max_size=4).map(lambda lines: "".join(f"{line}\n" for line in lines))
hostnames = st.sampled_from(
    ["web01", "web02", "host", "db01", "web01.example.org", "WEB01", "", "a b", "# web01\nweb02", "é"]
)


def shown(**texts: str) -> Output:
    parts = [(path.replace("__", "/").encode(), text.encode()) for path, text in texts.items()]
    return Output(0, b"".join(b"F %d %d %b\n%b\n" % (len(t), len(p), p, t) for p, t in parts), b"", 7.0)


def answers(probe: str, rules: str, hostname: str) -> dict[str, Answer]:
    nothing = shown(__etc__nothing="")
    commands = importlib.import_module(f"auditor.probes.trees.{probe}").commands({})
    return {
        **dict.fromkeys(commands, nothing),
        "accounts": shown(__etc__passwd=PASSWD, __etc__group="root:x:0:\nsudo:x:27:eve\n"),
        "sources": shown(__etc__hostname=hostname, **{"__etc__nsswitch.conf": "sudoers: files\n"}),
        "sudoers": shown(__etc__sudoers=rules),
        "config": shown(__etc__ssh__sshd_config="UsePAM no\nPermitRootLogin yes\n"),
        "shadow": shown(__etc__shadow=MASKS["shadow"](SHADOW).decode()),
    }


def told(parse: nameless.Parse, given: dict[str, Answer]) -> Facts | str:
    try:
        return parse(given, {})
    except Unreadable as why:
        return str(why)


@pytest.mark.parametrize("probe", PARSES)
@given(rules=rules, hostname=hostnames)
def test_without_the_name_the_same_is_told(probe: str, rules: str, hostname: str) -> None:
    given = answers(probe, rules, hostname)
    assert told(nameless.nameless(PARSES[probe]), given) == told(PARSES[probe], given)


@pytest.mark.parametrize("probe", PARSES)
def test_trees_that_differ_in_their_name_alone_are_judged_once(probe: str) -> None:
    dialect = importlib.import_module(f"auditor.probes.{probe}").PROBE
    assert isinstance(dialect, Probe)
    parse = dialect.trees["linux"].parse
    first, second = (parse(answers(probe, "eve ALL=(ALL) ALL\n", name), {}) for name in ("web01", "web02"))
    assert first is second
    of_one, of_other = (parse(answers(probe, "eve web01=(ALL) ALL\n", name), {}) for name in ("web01", "web02"))
    assert of_one is not of_other


def test_a_rule_of_one_host_holds_there_alone() -> None:
    """Also after another tree of the same rules was judged."""
    parse = judged.PROBE.trees["linux"].parse
    found = [
        parse(answers("sudo_rules", "bob web01=(ALL) ALL\n", name), {})["rules"] for name in ("web02", "web01", "")
    ]
    assert [len(getattr(rules, "items", rules)) for rules in found][:2] == [0, 1]
    assert found[2].missing.detail == "/etc/hostname"


@pytest.mark.parametrize("end", ["\n", "\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\r"])
def test_the_name_adds_no_line_to_the_rules_of_sudo(end: str) -> None:
    hostname = f"web01{end}default -\t\ttargetpw\tyes{end}"
    tree = people.read(shown(__etc__passwd=PASSWD, __etc__group="root:x:0:\n"), shown(__etc__hostname=hostname))
    read = sudo.rules(shown(__etc__sudoers="ALL ALL=(ALL) ALL\n"), tree)
    assert not read.asks_root_password
    assert read.granting == ("ALL",)


@pytest.mark.parametrize("end", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029", "\r"])
@pytest.mark.parametrize(
    "line", ["eve{}rule bob ALL=(ALL) ALL", "eve ALL=(ALL) ALL{}end", "User_Alias A = b{}alias ALL = c"]
)
def test_a_line_of_sudoers_is_one_line(end: str, line: str) -> None:
    """What another reader takes for two is told to be odd, and is not two."""
    tree = people.read(shown(__etc__passwd=PASSWD, __etc__group="root:x:0:\n"), shown(__etc__hostname="web01"))
    read = sudo.rules(shown(__etc__sudoers="ALL ALL=(ALL) ALL\n" + line.format(end) + "\n"), tree)
    assert read.gap and read.gap.cause == "unreadable"
    assert read.subjects[0] == "ALL" and "bob" not in read.subjects


@pytest.mark.parametrize(
    ("text", "name"),
    [("web01\n", "web01"), ("\n# c\n web01 \nweb02\n", "web01"), ("", ""), ("a b\n", ""), ("é\n", ""), ("x" * 65, "")],
)
def test_the_name_is_that_of_hostname_5(text: str, name: str) -> None:
    assert people.read(shown(__etc__passwd=PASSWD), shown(__etc__hostname=text)).name == name
