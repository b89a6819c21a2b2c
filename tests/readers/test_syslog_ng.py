"""Where syslog-ng sends: only destinations that a log path uses."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Unknown
from auditor.readers.syslog_ng import targets


def found(text: str) -> list[tuple[object, object, str, object]]:
    return [(t.to, t.port, t.protocol, t.tls) for t in targets([text])]


@pytest.mark.parametrize(
    ("driver", "target"),
    [
        ('network("h" port(6514) transport("tls"))', ("h", 6514, "tcp", True)),
        ('network("h" transport(tls))', ("h", 514, "tcp", True)),
        ('network("h" transport("udp"))', ("h", 514, "udp", False)),
        ('syslog("h")', ("h", 601, "tcp", False)),
        ('syslog("h" transport("tls"))', ("h", 6514, "tcp", True)),
        ('syslog("h" transport("proxied-tls") port("99"))', ("h", 99, "tcp", True)),
        ('tcp("2001:db8::1" port(514))', ("2001:db8::1", 514, "tcp", False)),
        ("udp('h' destport(5140))", ("h", 5140, "udp", False)),
        ('tcp("h" port(`p`))', ("h", Unknown("not_told", "`p`"), "tcp", False)),
        ('tcp("`collector`")', (Unknown("not_told", "the destination is not a plain text"), 514, "tcp", False)),
    ],
)
def test_a_driver(driver: str, target: tuple[object, ...]) -> None:
    assert found(f"destination d {{ {driver}; }};\nlog {{ source(s); destination(d); }};") == [target]


def test_an_unused_or_commented_destination_is_none() -> None:
    text = 'destination d { tcp("h"); };\n#log { destination(d); };\nlog { source(s); destination(other); };'
    assert found(text) == []


def test_a_destination_declared_in_another_file_or_after_its_use() -> None:
    used, declared = "log { source(s); destination(d); };", 'destination d { tcp("h"); };'
    assert [t.to for t in targets([used, declared])] == ["h"]


def test_nested_paths_channels_and_inline_destinations() -> None:
    text = """
    destination d { channel { rewrite { set("x"); }; destination { tcp("chan"); }; }; };
    destination "q d" { udp("quoted"); };
    log { source(s); destination { tcp("inline"); }; log { filter(f); destination("q d"); }; };
    log { source(s); if (facility(auth)) { destination { tcp("cond"); }; } else { destination { udp("other"); }; }; };
    """
    assert [to for to, *_ in found(text)] == ["inline", "quoted", "cond", "other"]


def test_what_stays_on_the_host() -> None:
    assert found('destination d { file("/var/log/x"); unix-dgram("/dev/x"); };\nlog { destination(d); };') == []


@given(st.text(alphabet="destinationlog{}();\"'# \n\\network"))
def test_any_text_is_read(text: str) -> None:
    targets([text])


@pytest.mark.parametrize("piece", ['\\"', "a", "a(", '"', "'", "{", "(", " ", "a ", "log {", ")", "\n"])
def test_no_text_takes_long(piece: str) -> None:
    start = time.monotonic()
    targets([piece * (131072 // len(piece))])
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("source", "flags", "whole"),
    [
        ("system();", "", True),
        ("unix-dgram('/dev/log'); internal();", "", True),
        ("systemd-journal();", "", True),
        ('pipe("/proc/kmsg");', "", False),
        ('unix-dgram("/run/app.sock");', "", False),
        ('systemd-journal(matches("_COMM" "sshd"));', "", False),
        ('systemd-journal(namespace("app"));', "", False),
        ("system();", "flags(fallback);", False),
    ],
)
def test_what_of_the_host_a_log_path_passes_on(source: str, flags: str, whole: bool) -> None:
    text = f'source s {{ {source} }}; destination d {{ tcp("h"); }}; log {{ source(s); destination(d); {flags} }};'
    inline = f'destination d {{ tcp("h"); }}; log {{ source {{ {source} }}; destination(d); {flags} }};'
    for one in (text, inline):
        assert [t.partial is False for t in targets([one])] == [whole]
        assert whole or all(isinstance(t.partial, Unknown) for t in targets([one]))
