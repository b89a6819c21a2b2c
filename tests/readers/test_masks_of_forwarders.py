"""What is masked here of a tree's files is what a host masks of its own: held against the text that a host runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.probes.questions.forwarders.mask import MASK
from auditor.readers.forwarders import flatten, flattening, mask
from auditor.readers.masks import MASKS

GONE = "gone() { return 0; }\n"
AWK = {"yaml": ("$P_y", "''"), "toml": ("$P_t", "''"), "blocks": ("$P_b", "''"), "assigned": ("$P_b", "="), "river": ("$P_r", "''")}  # fmt: skip
PIECES = {
    "yaml": ["- ", "a: ", "  ", "    ", "\n", "\n", "\n", "output.logstash:", "hosts: ", "['a:1','b']", '"x"', "name: es", "# c",
             "|", "host: https://u:p@h/x", "journal:", "path: ", "'q'", "{a: b}", "{}", "[]", "---", "&x", "outputs:", "tls: on",
             "\t", "x.y: 1", ": "],
    "toml": ["[sinks.a]", "[[outputs]]", "\n", "\n", "\n", "type = ", '"loki"', "endpoint = ", "'http://u:p@h/x'", "inputs = [",
             '"a"', ",", "]", '"""', "'''", "# c", "{}", "{ a = 1 }", "tls.verify_hostname = true", "x", 'address = "h:1"', " "],
    "blocks": ["[OUTPUT]", "\n", "\n", "\n", "  Name ", "forward", "Host ", "h", "<match **>", "</match>", "<server>", "host h",
               "# c", " #{x}", '"q"', "'q", "@type forward", "port 1", "  ", "\t", "tls on", "@include x", ";"],
    "assigned": ["[tcpout:x]", "\n", "\n", "\n", "server = ", "h:9997,", "g:1", "# c", "sslVerifyServerCert = true", "=",
                 "[syslog]", "[ httpout ]", "uri=https://a/b", "  "],
    "river": ['loki.write "x" {', "}", "\n", "\n", "endpoint {", "url = ", '"https://u:p@h/x"', "forward_to = [", "x.y", "]",
              "//c", "`", "host = (", 'mode = "x",', "a { b = 1 }", "  "],
    "syslog": ["*.* ", "@@h:1", "action(", 'type="omfwd" ', 'target="h" ', 'password="s" ', "\n", "\n", '"', "'", "#c", "/*",
               "*/", "$IncludeConfig /etc/x", "$Foo bar", "$ActionSendStreamDriverMode 1", "$ActionQueueDiscardSeverity 0", "tls ", 'network("h" port(1))', " ",
               "secret=x", "key(abc)", ":omrelp:h:1", ":omx:y z", " ^/bin/x;y z", " >x y", "\\", "`", '@include "x"',
               'peer-verify("yes")', "[", "]", "a/*", "token = x"],
}  # fmt: skip
PIECES["rsyslog"] = [*PIECES["syslog"], "\\\n", "\\ \n", " \\\n  ", "\\\t\r\n", "\n\n", "\r\n", "\v", "# c \\\n", "/var/log/a", ":omfile:/b",
                     "x" * 5119, "x" * 10238, "-/c", "$IncludeConfig /d/*.conf", "{", "}"]  # fmt: skip


SYSLOGS = {"syslog": "syslog-ng", "rsyslog": "rsyslog"}


def on_a_host(kind: str, file: Path, tools: str = "/usr/bin:/bin") -> list[str]:
    if kind in SYSLOGS:
        script = GONE + MASK + f'm {SYSLOGS[kind]} 3 "{file}"'
    else:
        program, sign = AWK[kind]
        script = GONE + flatten.SHELL + f'k x {sign} "{program}" "{file}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, env={"LC_ALL": "C", "PATH": tools})
    return [line[1:] for line in done.stdout.decode("latin-1").split("\n") if line.startswith("|")]


def in_a_tree(kind: str, text: bytes) -> list[str]:
    lines = MASKS[kind](text).decode("latin-1").split("\n")
    return [line if kind in SYSLOGS else line.partition("|")[2] for line in lines if line]


@pytest.mark.parametrize("kind", PIECES)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_host_masks_the_same(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.sampled_from(PIECES[kind]), min_size=1, max_size=40))) + "\n"
    file = tmp_path / "file"
    file.write_bytes(text.encode("latin-1"))
    assert in_a_tree(kind, text.encode("latin-1")) == on_a_host(kind, file)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES["rsyslog"]), min_size=1, max_size=40))
def test_a_host_with_busybox_masks_the_same(tmp_path: Path, pieces: list[str]) -> None:
    (tmp_path / "tools").mkdir(exist_ok=True)
    for tool in ("awk", "sed", "tr", "wc"):
        (tmp_path / "tools" / tool).is_symlink() or (tmp_path / "tools" / tool).symlink_to("/usr/bin/busybox")
    text = "".join(pieces) + "\n"
    (tmp_path / "file").write_text(text)
    tools = f"{tmp_path}/tools:/usr/bin:/bin"
    assert in_a_tree("rsyslog", text.encode()) == on_a_host("rsyslog", tmp_path / "file", tools)


@pytest.mark.parametrize(
    ("text", "given_by"),
    [
        ('module(load="imuxsock")\n', "L"),
        ('# x \\\nmodule(load="imuxsock")\n', ""),
        ('module(load="imudp") # module(load="imuxsock")\n', ""),
        ('module(load="imux\\\n  sock")\n', "L"),
        ('/* x\n*/ module(load="imuxsock" SysSock.Use="off")\n', "L N"),
    ],
)
def test_what_gives_rsyslog_messages_stands_in_no_comment(tmp_path: Path, text: str, given_by: str) -> None:
    (tmp_path / "file").write_text(text)
    script = GONE + MASK + f'm rsyslog 3 "{tmp_path}/file"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert [line for line in done.stdout.decode().split("\n") if len(line) == 1] == given_by.split()


def test_a_file_with_a_nul_is_not_read(tmp_path: Path) -> None:
    """What follows it in its line rsyslog does not see."""
    (tmp_path / "file").write_bytes(b"\0*.* @@h:1\n")
    script = GONE + MASK + f'm rsyslog 3 "{tmp_path}/file"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout.decode() == f"! rsyslog {tmp_path}/file\n"


def test_both_tell_something(tmp_path: Path) -> None:
    """That they agree is worth something where there is something to say."""
    text = b"output.elasticsearch:\n  hosts: ['https://u:canary@h:9200/x']\n  password: canary\n"
    (tmp_path / "file").write_bytes(text)
    assert (
        in_a_tree("yaml", text)
        == on_a_host("yaml", tmp_path / "file")
        == ["output.elasticsearch.hosts[0]\thttps://h:9200"]
    )
    assert flattening.yaml(text) == b"2|output.elasticsearch.hosts[0]\thttps://h:9200"


def test_every_line_keeps_its_number() -> None:
    text = b'# a\n*.* @h\n/* b\nc */\naction(type="omfwd"\n  target="h" password="canary")\n'
    lines = mask.syslog(text).split(b"\n")
    assert (lines[1], lines[5]) == (b"*.* @h", b'  target="h" password="")')
    assert len(lines) == len(text.split(b"\n"))


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("systemd", "[Upload]\nURL=https://u:canary@h:1/canary\nServerKeyFile=/canary\n", "[Upload]\nURL=https://h:1\n\n"),
        ("systemd", "[Time]\nNTP=a \\\n  b\n  canary\n", "[Time]\nNTP=a \\\n  b\n\n"),
        ("clocks", "crypto pw canary\nserver -6 A key 1\nrefclock SHM 0 canary\n", "\nserver A\nrefclock SHM 0\n"),
        ("auditd", "num_logs = 5\nkrb5_principal = canary\n", "num_logs = 5\n\n"),
        ("sssd", "[domain/a]\nLDAP_default_authtok = canary\nid_provider = ldap\n; canary\n", "[domain/a]\n\nid_provider=ldap\n\n"),
        ("sssd", "[sssd]\ncanary\n", "[sssd]\nodd\n"),
        ("shadow", "a:$y$canary:1:0:9:7:::\nb:!canary:1::::::\nc::1::::::\ncanary\n", "a:x:1:0:9:7:::\nb:*:1::::::\nc::1::::::\nodd\n"),
        ("logrotate", "# canary\n/x {\n postrotate\n  canary\n endscript\n rotate 1\n}\n", "\n/x {\n postrotate\n\n endscript\n rotate 1\n}\n"),
        ("presence", "canary\n", ""),
        ("wazuh", "<client>\n<!-- <address>canary</address>\n --><server><address>h</address></server>\n<key>canary</key></client>\n", "3|<address>h\n3|end"),
    ],
)  # fmt: skip
def test_secrets_are_gone(name: str, text: str, kept: str) -> None:
    assert MASKS[name](text.encode()).decode() == kept
