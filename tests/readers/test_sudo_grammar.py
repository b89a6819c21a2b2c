"""Which lines of sudoers sudo can parse: each as visudo 1.9.13 has it, against which tests/real holds many more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.readers import masks
from auditor.readers.sudo_grammar import is_parsed
from auditor.readers.sudo_lines import bare, goes_on

PARSED = (
    "", "# c", "bob ALL=ALL", "bob ALL=(ALL:ALL) NOPASSWD: /bin/ls -l *, !/bin/su", "%dom\\ users ALL=ALL", '"%dom users" ALL=ALL',
    'Defaults env_reset, !insults, env_keep += "A B"', "Defaults:bob ,eve insults", "Defaults!/bin/ls !authenticate", "User_Alias A=b : C=d,!e",
    "Host_Alias H=10.0.0.0/8,fe80::1", "Cmnd_Alias X=/a b\\,c, sudoedit /etc/x", f"Cmnd_Alias X=sha256:{'a' * 64} /bin/ls", "bob ALL=()ALL",
    "bob ALL=(:)ALL", "bob h=ALL:i=ALL", "bob ALL=CWD=/x NOTBEFORE=20300101000000Z NOPASSWD: ALL", "bob ALL=list", "bob ALL=^/x$", "#5 ALL=ALL",
    "bob ALL=\\\n ALL", "bob ALL=/bin/x a=b (c)", "bob ALL=ALL # c", "bob ALL=ALL\r",
)  # fmt: skip
REFUSED = (
    "bob", "bob ALL", "bob ALL=", "bob ALL=ALL,", "bob ALL=ls", "bob ALL=(bob", "bob ALL=(a:)ALL", "bob ALL=(a) (b) ALL", "bob ALL=NOPASSWD ALL",
    "bob ALL=(a:%b)ALL", "bob ALL=/bin/x \\-c", "bob ALL=/bin/x =", "bob ALL=sha256:aa /bin/ls", f"bob ALL=sha256:{'a' * 64} X", "bob ALL=list x",
    "bob ALL=TIMEOUT=x ALL", "bob ALL=CWD=a ALL", "bob 10.0.0.1/33=ALL\0", "10.0.0.1 ALL=ALL", '"" ALL=ALL', '"%" ALL=ALL', "bob ALL=ALL #5", "#-",
    "Defaults", "Defaults a=b c", "Defaults !a=b", "Defaults Insults", "Defaults  @ insults", "Defaults:bob", "User_Alias Ab=c", "User_Alias ALL=c",
    "User_Alias A=", "User_Alias A=b:", "bob ALL=NOPASSWD: /bin/ls\0", '"bob ALL=ALL', "bob\\ \n ALL=ALL", "bob ALL=/bin/ls a\rb",
)  # fmt: skip


@pytest.mark.parametrize("line", PARSED)
def test_what_sudo_parses(line: str) -> None:
    assert is_parsed(line)


@pytest.mark.parametrize("line", REFUSED)
def test_what_sudo_refuses(line: str) -> None:
    assert not is_parsed(line)


@given(
    st.lists(
        st.sampled_from([*PARSED, *REFUSED, "!", "(", '"', "\\", "#", " ", ",", "=", ":", "Defaults", "sha512:"])
    ).map("".join)
    | st.text()
)
def test_no_text_raises_anything(line: str) -> None:
    assert is_parsed(line) in (True, False)
    assert masks.sudoers(line.encode("utf-8", "surrogatepass")) is not None


@pytest.mark.parametrize(
    "line",
    ["bob ALL=/bin/x \\-c secret", "bob ALL=/bin/x secret =", "bob ALL=/bin/x secret#5", "bob\\ \n ALL=/bin/x secret"],
)
def test_a_line_that_is_refused_stays_so_when_its_arguments_are_hidden(line: str) -> None:
    shown = masks.sudoers(line.encode()).decode()
    assert "secret" not in shown and not is_parsed(shown)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("a\\", True), ("a\\ ", True), ("a\\\\", False), ("a\\\\\\", True), ("# a\\", False), ("#5\\", True)],
)
def test_a_backslash_behind_another_goes_on_no_line(line: str, expected: bool) -> None:
    assert goes_on(line) is expected
    assert bare("a\\\\\\") == "a\\\\"
