"""The program: its commands in the order of use, and how a command ends: its message and its exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import Any

import click

from auditor import __version__
from auditor.cli import asking, decisions, runs, written
from auditor.cli.exit_codes import EXIT_CODES

WHILE_LOADING = 200_000  # what modules and files are made of lives on: to walk it for garbage so often finds none


class Group(click.Group):
    """Shows the commands in the order of use, and errors of the input without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._mapped(ctx)
        except (SystemExit, click.exceptions.Exit, click.ClickException) as end:
            _ended(end.code if isinstance(end, SystemExit) else end.exit_code)
            raise

    def _mapped(self, ctx: click.Context) -> Any:
        from auditor.errors import AuditorError

        try:
            return super().invoke(ctx)
        except AuditorError as error:
            click.echo(str(error), err=True)
            ctx.exit(2)
        except KeyboardInterrupt:  # before the hosts were asked, or after: a run in between says what it kept
            click.echo("interrupted", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            _quiet()
            ctx.exit(141)
        except PermissionError as error:  # met on the way to what was named: what is read has errors of its own
            if error.filename is None:
                raise
            click.echo(f"{error.filename}: {error.strerror}: it is for this account to read", err=True)
            ctx.exit(2)
        except OSError as error:  # stdout is a file on a full disk, say; reports have errors of their own
            if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
                raise
            _quiet()
            click.echo(f"stdout cannot be written: {error.strerror}", err=True)
            ctx.exit(2)


def _ended(code: object) -> None:
    """The exit code is the last event of a log, where one is kept."""
    if "auditor.commands.log" in sys.modules:
        from auditor.commands.log import event

        event("ended", "info" if code in (0, 1, 3) else "error", exit_code=code)


def _quiet() -> None:
    """Nothing more is written to stdout: whoever read it has gone, or it is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shut() -> None:
    """Streams that the caller shut (`>&-`) take what is written and lose it: what is for stderr must not land on stdout."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


@click.group(cls=Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="auditor")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Checks a security baseline on the hosts of an estate, without an agent, and says who answers for every gap.

    \b
    Examples:
      auditor run                          audit this machine with the shipped policies
      auditor run -i inventories/town      audit an estate over SSH
      auditor run -f text=- -f junit=audit.xml --fail-on high
      auditor plan -i inventories/town     what would be asked, before any connection
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


COMMANDS = (  # in the order of use, which help keeps
    asking.run,
    asking.plan,
    asking.ingest,
    asking.collector,
    asking.doctor,
    written.lint,
    written.inventory,
    runs.report,
    runs.replay,
    runs.diff,
    runs.export,
    runs.prune,
    decisions.recommendations,
    decisions.acceptances,
    decisions.actions,
    written.list_,
    written.explain,
    written.schema,
)
for command in COMMANDS:
    main.add_command(command)


def program() -> None:
    """The program: a defect keeps its traceback, and exits with 2, never with the 1 of an open failure."""
    gc.set_threshold(WHILE_LOADING)
    if os.environ.get("HOME") == "":  # as cron and init scripts leave it: `~` would be the root of the file system
        del os.environ["HOME"]
    _shut()
    try:
        main()
    except Exception as defect:
        import traceback

        click.echo(traceback.format_exc(), nl=False, err=True)
        click.echo(f"a defect of auditor {__version__}: please report it with the lines above", err=True)
        raise SystemExit(2) from defect
