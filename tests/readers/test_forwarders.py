"""What a host flattens of its agents' configuration, and what is read of it: the pitfalls of each syntax, and any text."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import make
import pytest
from documents import written
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Unreadable
from auditor.framing.sh import GONE
from auditor.model import Output, Partial, Unknown
from auditor.readers.forwarders import flatten, sockets, wazuh
from auditor.readers.forwarders.target import address, leaves_out, switch

PROBE = importlib.import_module("auditor.probes.log_forwarding")
PARSE = PROBE.PROBE.dialects["linux"].parse
NAMES = tuple(PROBE.PROBE.dialects["linux"].commands({}))
CASES = sorted((Path(__file__).parent.parent / "probes" / "log_forwarding").glob("*.yaml"))
RECORDED = [
    case["answers"] for case in (written(path.read_text("utf-8")) for path in CASES) if case["platform"] == "linux"
]


def flattened(tmp_path: Path, syntax: str, text: str | bytes, separator: str = "") -> str:
    file = tmp_path / "conf"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = subprocess.run(
        ["dash", "-c", GONE + flatten.SHELL + f'k x "{separator}" "$P_{syntax}" "$1"', "sh", str(file)],
        capture_output=True,
        timeout=20,
    )
    assert ran.stderr == b""
    return "\n".join(
        line[1:] for line in ran.stdout.decode("utf-8", "backslashreplace").splitlines() if line[:1] == "|"
    )


@pytest.mark.parametrize(
    ("syntax", "text", "told"),
    [
        ("y", "output.logstash.hosts: [a, 'b:1', \"c\"]", "hosts[0]\ta hosts[1]\tb:1 hosts[2]\tc"),
        ("y", "output:\n  logstash:\n    hosts:\n    - a\n    - b", "hosts[0]\ta hosts[1]\tb"),
        ("y", "output.logstash:\n  hosts: a # b\n  enabled: false", "hosts\ta enabled\tfalse"),
        ("y", "output.logstash:\n  hosts: 'a # b'", "hosts\ta "),
        ("y", "output.logstash: {hosts: [SECRET]}", "?\toutput.logstash"),
        ("y", "output.logstash:\n  hosts: *SECRET", "?\toutput.logstash.hosts"),
        ("y", "output.logstash:\n  <<: *SECRET", "?\toutput.logstash"),
        ("y", "output.logstash:\n  hosts: [\n    'SECRET'\n  ]", None),
        ("y", "output.logstash:\n  password: |\n    hosts: SECRET\n  enabled: true", "enabled\ttrue"),
        ("y", "output.logstash:\n  password: >-\n    hosts: SECRET\n\n    enabled: SECRET", ""),
        ("y", "output.logstash:\n\thosts: SECRET", None),
        ("y", "output.logstash:\n  password: SECRET\n  hosts: a\r\n", "hosts\ta"),
        ("t", "[sinks.a]\naddress = 'h:1' # x\npassword = 'SECRET'", "address\th:1"),
        ("t", 'sinks.a.address = "h"', "address\th"),
        ("t", "[sinks.a]\nsource = '''\naddress = \"SECRET\"\n'''\naddress = \"h\"", "address\th"),
        ("t", '[sinks.a]\ninputs = [ # x\n  "i",\n  "j",\n]\naddress = "h"', "inputs[0]\ti inputs[1]\tj address\th"),
        ("t", '[sinks.a]\ntls = { enabled = true, key_pass = "SECRET" }', "?\tsinks.a.tls"),
        ("t", '[sinks.a]\ninputs = [ "i",', None),
        ("b", "[OUTPUT]\n  Host h\n  http_passwd SECRET\n", "host\th"),
        ("b", "<match **>\n  <server>\n    host h\n    password SECRET\n  </server>\n</match>", "@arg\t** host\th"),
        (
            "r",
            'loki.write "x" {\n endpoint {\n  url = "http://h/SECRET"\n  password = "SECRET"\n }\n}',
            "url\thttp://h",
        ),
    ],
)
def test_a_syntax(tmp_path: Path, syntax: str, text: str, told: str | None) -> None:
    """The last word of each path, and its value; None: something was not understood, and that is said."""
    got = flattened(tmp_path, syntax, text)
    assert "SECRET" not in got
    if told is None:
        assert "?\t" in got
    else:
        assert " ".join(x if x[:1] == "?" else x.rpartition(".")[2] for x in got.splitlines()) == told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://u:SECRET@h:1/SECRET?t=SECRET", "https://h:1"),
        ("https://u:SEC/RET@h", "?"),
        ("https://u:SEC@RET@h", "?"),
        ("https://h/x@y", "?"),
        ("u:SECRET@h:1", "h:1"),
        ("h:1/SECRET", "h:1"),
        ("${X:https://u:SECRET@h}", "?"),
        ("[2001:db8::1]:514", "[2001:db8::1]:514"),
        ("h\\x00SECRET", "?"),
    ],
)
def test_an_address_loses_its_secrets(tmp_path: Path, url: str, told: str) -> None:
    assert flattened(tmp_path, "b", f"[OUTPUT]\n  host {url}\n") == f"output[0].host\t{told}"


@given(st.sampled_from("ytbr"), st.binary(max_size=300))
def test_any_file_is_flattened_and_read(tmp_path_factory: pytest.TempPathFactory, syntax: str, raw: bytes) -> None:
    got = flattened(tmp_path_factory.mktemp("x"), syntax, raw)
    flatten.read(got)


@given(st.text(alphabet="abc.[]01\t\n?", max_size=200))
def test_any_flattened_text_is_a_tree(text: str) -> None:
    settings = flatten.read(text)
    assert isinstance(settings.root, dict)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("h", ("h", 9, "")),
        ("https://H:1", ("h", 1, "https")),
        ("[::1]:2", ("::1", 2, "")),
        ("${X}", (None, None, "")),
        ("?", (None, None, "")),
        ("https://[x", (None, None, "")),
        ("h:99999999", (None, None, "")),
    ],
)
def test_an_address(place: str, told: tuple[Any, ...]) -> None:
    assert tuple(None if isinstance(v, Unknown) else v for v in address(place, 9)) == told


def test_a_switch_that_is_neither_is_unknown() -> None:
    assert [switch(t, False) for t in ("On", "no", None)] == [True, False, False]
    assert isinstance(switch("${TLS}", False), Unknown)


@pytest.mark.parametrize(
    ("journal", "filtered", "files", "inputs", "out"),
    [
        (True, False, [], 1, False),
        (True, True, [], 1, None),
        (False, False, ["/var/log/nginx/*.log"], 1, True),
        (False, False, ["/var/log/*.log", "/var/log/syslog"], 2, None),
        (False, False, ["/var/log/messages"], 1, True),
        (False, False, ["/var/**"], 1, None),
        (False, False, ["?"], 1, None),
        (False, False, ["*" * 3 + "a*b*c*d*e"], 1, None),
        (False, False, [], 1, True),
        (False, False, [], 0, None),
    ],
)
def test_which_messages_are_left_out(
    journal: bool, filtered: bool, files: list[str], inputs: int, out: bool | None
) -> None:
    told = leaves_out(journal, filtered, files, inputs)
    assert told is out if out is not None else isinstance(told, Unknown)


def test_connections_of_both_kinds() -> None:
    told = sockets.read(Output(0, b"0A0200C0:0202\n0000000000000000FFFF00000B0200C0:1972\nx\nend\n", b"", 0.0))
    assert [told.to("192.0.2.10", 514), told.to("192.0.2.11", 6514), told.to("192.0.2.10", 6514)] == [True, True, False]
    assert isinstance(told.to(None, 514), Unknown)
    assert told.to(None, 9) is False
    assert isinstance(sockets.read(Output(0, b"0A0200C0:0202\n", b"", 0.0)).to("192.0.2.1", 1), Unknown)


def test_a_state_of_wazuh_that_is_not_told() -> None:
    assert wazuh.connected({}) is None
    assert wazuh.connected({"/x/wazuh-agentd.state": "garbage"}) is None


@given(
    st.sampled_from(RECORDED), st.sampled_from(NAMES), st.integers(0, 3000), st.binary(max_size=12), st.integers(0, 60)
)
def test_a_recorded_answer_that_was_altered(
    answers: dict[str, Any], name: str, at: int, put: bytes, taken: int
) -> None:
    try:
        assert isinstance(PARSE(make.altered(answers, name, at, put, taken), {})["targets"], list | Partial)
    except Unreadable:
        pass
