"""PowerShell's framing: the script's own text, and answers that come back whole, cut, false or as noise."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
import tree_sitter
import tree_sitter_powershell
from hypothesis import given
from hypothesis import strategies as st
from winrm_double import _QUESTION, arguments, frame

from auditor import shelves
from auditor.framing import ps, sh
from auditor.kinds import Probe
from auditor.model import Answer, Command, Failure, Output

NONCE = "0123456789abcdef"
POWERSHELL = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
# All that the script itself may call: none of it changes anything.
READ_ONLY = {"Get-ItemProperty", "New-Object", "ForEach-Object", "U", "W", "Q"}
ONE = Command("Get-One", cap_bytes=100)
TWO = Command("Get-Two", elevated=True)


def read(data: bytes, *commands: Command, step: int = 0) -> dict[Command, Answer]:
    reader = ps.Reader(commands, NONCE)
    told: list[tuple[Command, Answer]] = []
    for start in range(0, len(data), step or len(data) or 1):
        told += reader.feed(data[start : start + (step or len(data))], 1000.0)
    told += reader.finish(Failure("closed"))
    assert len(told) == len(commands)
    return dict(told)


def whole(number: int, text: bytes, command: Command, code: int = 0, wrong: bytes = b"") -> bytes:
    said = text + f"\n{NONCE} {code}.".encode()
    return frame(NONCE, str(number), "o", said, sh.limit(command)) + frame(NONCE, str(number), "e", wrong, 2048)


# ---------------------------------------------------------------- the script


def nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


@pytest.mark.parametrize(
    "text",
    [ps.script((sh.HELLO, ONE, TWO)), ps._HELLO, ps.bootstrap(NONCE), ps.bootstrap(NONCE, controller=True)],
    ids=["all", "hello", "start", "start on a domain controller"],
)
def test_the_script_is_powershell_that_changes_nothing(text: str) -> None:
    """As far as a grammar can tell; there is no PowerShell here to run it."""
    assert text.isascii()
    root = POWERSHELL.parse(text.encode()).root_node
    assert not root.has_error
    found = list(nodes(root))
    kinds = {n.type for n in found}
    assert not kinds & {"pipeline_chain_tail", "merging_redirection_operator"}
    called = {(n.text or b"").decode() for n in found if n.type == "command_name"}
    assert called <= READ_ONLY
    for node in found:
        if node.type == "try_statement":
            assert any(child.type in ("catch_clauses", "finally_clause") for child in node.children)


def test_powershell_of_32_bits_on_windows_of_64_is_asked_nothing() -> None:
    """Software of 64 bits is in no key that it is shown."""
    told = "if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess)"
    for text, first in ((ps.bootstrap(NONCE), "[ScriptBlock]"), (ps.by_hand((ONE,), NONCE, "x"), "Q 0 ")):
        assert 0 < text.index(told) < text.index(first)
    assert "32 bits" in ps.ended(ps.NARROW, b"", 0.0).message


def test_quick_questions_come_first_and_hello_is_in_powershell() -> None:
    slow, slower = Command("Get-Slow", timeout_s=60), Command("Get-Slower", timeout_s=90)
    text = ps.script((sh.HELLO, slower, slow, ONE, TWO))
    places = [text.index(f"Q {n} ") for n in (0, 3, 4, 2, 1)]
    assert places == sorted(places)
    assert "uname" not in text
    assert ps.script((ONE,), (), False) == ps.script((ONE,), (TWO,), True)


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=5))
def test_arguments_are_data(words: list[str]) -> None:
    """Whatever they hold stands on one line of ASCII, and comes back as it was."""
    text = ps.script((Command("Get-X", arguments=tuple(words)),))
    assert text.isascii()
    line = next(li for li in text.split("\n") if li.startswith("'@ @("))
    assert arguments(line[4:]) == words


@pytest.mark.parametrize("text", ["Get-X\n'@ ; Remove-Item", "'@", "Get-é"])
def test_a_question_that_would_break_the_script_is_a_defect(text: str) -> None:
    with pytest.raises(ValueError, match="question for Windows"):
        ps.script((Command(text),))


def test_files_are_not_read_by_globs() -> None:
    with pytest.raises(ValueError, match="PowerShell alone"):
        ps.script((Command("/etc/passwd", kind="read"),))


def test_every_question_of_the_release_fits_in_the_script() -> None:
    dialects = [d for p in shelves.probes().values() if isinstance(p, Probe) and (d := p.dialects.get("windows"))]
    asked = tuple(dict.fromkeys([sh.HELLO, *(c for d in dialects for c in d.commands({}).values())]))
    text = ps.script(asked)
    assert not POWERSHELL.parse(text.encode()).root_node.has_error
    assert sorted(int(found[0]) for found in _QUESTION.findall(text)) == list(range(len(asked)))


# ---------------------------------------------------------------- answers


@given(st.binary(max_size=100), st.integers(0, 1), st.binary(max_size=100), st.integers(1, 40))
def test_bytes_come_back_whatever_the_pieces(text: bytes, code: int, wrong: bytes, step: int) -> None:
    told = read(whole(0, text, ONE, code, wrong), ONE, step=step)
    assert told == {ONE: Output(code, text, wrong, 1000.0)}


@given(st.binary(max_size=400), st.integers(1, 50))
def test_noise_is_no_answer(noise: bytes, step: int) -> None:
    assert {type(a) for a in read(noise, ONE, TWO, step=step).values()} == {Failure}


@given(st.binary(max_size=300))
def test_noise_in_a_frame_is_a_failure(noise: bytes) -> None:
    data = f"@{NONCE} 0 o {len(noise)}\n".encode() + noise + b"\n"
    found = read(data, ONE)[ONE]
    assert isinstance(found, Failure)


def test_a_long_answer_is_cut_and_said_to_be() -> None:
    told = read(whole(0, b"x" * 101, ONE) + whole(1, b"y", TWO), ONE, TWO)
    assert told[ONE] == Output(0, b"x" * 101, b"", 1000.0)  # there is room for a last line
    cut = read(whole(0, b"x" * 140, ONE) + whole(1, b"y", TWO), ONE, TWO)
    assert cut[ONE] == Failure("truncated", "more than 100 bytes", 1000.0)
    assert cut[TWO] == Output(0, b"y", b"", 1000.0)


def test_a_frame_of_another_shape_ends_the_reading() -> None:
    too_long = b"@%s 0 o 200\n" % NONCE.encode() + b"A" * 200 + b"\n"
    assert read(too_long, ONE)[ONE] == Failure("framing", "a frame longer than its limit", 1000.0)
    no_base64 = b"@%s 0 o 4\n" % NONCE.encode() + b"====\n"
    assert read(no_base64, ONE)[ONE] == Failure("framing", "an answer that is not base64", 1000.0)
    twice = frame(NONCE, "0", "o", b"x", 100) * 2
    assert read(twice, ONE)[ONE].cause == "framing"  # type: ignore[union-attr]


def test_the_clock_and_the_privilege_are_the_hosts_own_to_tell() -> None:
    """An elevated question is asked as any other; what an account lacks, the answer says."""
    said = f"Windows\nW\n1000\n900\n{'a' * 8}\n".encode()
    told = read(
        whole(0, said, sh.HELLO) + whole(1, b"", TWO, 1, b"UnauthorizedAccessException 80070005 Non"), sh.HELLO, TWO
    )
    denied = told[TWO]
    assert isinstance(denied, Output)
    assert (denied.exit_code, denied.host_at, denied.error_text[:36]) == (
        1,
        900.0,
        "UnauthorizedAccessException 80070005",
    )


@given(st.binary(max_size=300))
def test_why_it_ended_is_one_safe_line(stderr: bytes) -> None:
    for text in (stderr, b"#< CLIXML\r\n" + stderr, b'#< CLIXML <S S="Error">' + stderr + b"</S>"):
        words = ps.error_words(text)
        assert words.isprintable()
        assert len(words) <= 300


def test_base64_is_as_long_as_it_is_said_to_be() -> None:
    assert [ps.encoded(n) for n in range(50)] == [len(base64.b64encode(bytes(n))) for n in range(50)]
