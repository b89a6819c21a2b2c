"""The click commands in; the manual page auditor(1) out, as roff. Run by `make man`, and by every build of the wheel.

It is written here rather than by click-man, which leaves out the epilog (our exit codes), cuts the name lines short and
gives each command a page of its own, so that nobody could search one page for an option.
"""

from __future__ import annotations

import inspect
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = "share/man/man1/auditor.1"
FILES = (
    ("~/.local/share/auditor/runs.db", "The runs, where neither --store nor AUDITOR_STORE says another place."),
    ("~/.ssh/config, ~/.ssh/known_hosts", "Read as ssh(1) reads them."),
    (
        "/usr/local/libexec/auditor-elevated",
        "On a host: the collector, the one text that sudo(8) lets the account run as root.",
    ),
)
ENVIRONMENT = (
    ("AUDITOR_STORE, AUDITOR_LANG", "Stand in for --store and --lang."),
    ("LANG, LC_ALL", "The language of what is printed, where nothing else says it."),
    ("NO_COLOR", "Nothing is coloured."),
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the page into the wheel: it is never older than the commands that it travels with."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".1", delete=False) as file:
            file.write(page())
        Path(file.name).chmod(0o644)
        self.written = Path(file.name)
        build_data["shared_data"][file.name] = INSTALLED

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.written.unlink()


def page() -> str:
    """The page of this source tree."""
    sys.path.insert(0, str(ROOT))
    from auditor import __version__
    from auditor.cli import EXIT_CODES, main

    top = click.Context(main, info_name="auditor", **main.context_settings)
    lines = [
        f'.TH AUDITOR 1 "" "auditor {__version__}" "User Commands"',
        ".SH NAME",
        f"auditor \\- {_text(_first_sentence(main))}",
        ".SH SYNOPSIS",
        *_usage(top),
        ".SH DESCRIPTION",
        *_paragraphs(main.help or ""),
        ".SH OPTIONS",
        *_options(top),
        ".SH COMMANDS",
    ]
    for context in _commands(top):
        lines += _command(context)
    lines += [".SH EXIT STATUS", *_paragraphs(EXIT_CODES.replace("Exit codes:\n", ""))]
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines.append(f".SH {title}")
        for term, meaning in entries:
            lines += [".TP", f".B {_text(term)}", _text(meaning)]
    return "\n".join(lines) + "\n"


def _commands(parent: click.Context) -> Iterator[click.Context]:
    """Every command that does something, in the order of the help; a group is only a prefix of its commands."""
    assert isinstance(parent.command, click.Group)
    for name in parent.command.list_commands(parent):
        command = parent.command.get_command(parent, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, parent=parent, info_name=name)
        if isinstance(command, click.Group):
            yield from _commands(context)
        else:
            yield context


def _command(context: click.Context) -> Iterator[str]:
    yield f".SS {_text(context.command_path)}"
    yield from _usage(context)
    yield ".PP"
    yield from _paragraphs(context.command.help or "")
    yield from _options(context)


def _options(context: click.Context) -> Iterator[str]:
    """Those of its own; --help stands with the program's."""
    for param in context.command.get_params(context):
        record = param.get_help_record(context)
        if isinstance(param, click.Option) and record and (context.parent is None or param.name != "help"):
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))


def _usage(context: click.Context) -> Iterator[str]:
    yield f".B {_text(context.command_path)}"
    yield _text(" ".join(context.command.collect_usage_pieces(context)))


def _first_sentence(command: click.Command) -> str:
    return re.split(r"\.\s", inspect.cleandoc(command.help or ""), maxsplit=1)[0].rstrip(".")


def _paragraphs(text: str) -> Iterator[str]:
    """Click's paragraphs: one that begins with a backspace keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(text).strip("\n"))):
        if number:
            yield ".PP"
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() == "\b":
            yield from (".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield _text(" ".join(line.strip() for line in lines))


def _text(text: str) -> str:
    """Inert roff: a backslash, a hyphen that must stay one, a line that would be a request."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    )
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(page())
