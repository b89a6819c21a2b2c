"""The command line: options, help and exit codes. Imports only click; a command is imported when it is called."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from auditor import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_CODES = """\b
Exit codes:
  0    everything planned was measured, and no open failure reaches --fail-on
  1    an open failure does
  2    unusable input, or nothing to audit
  3    no such failure, but something was not measured
  130  interrupted
"""

DOCTOR_CODES = """\b
Exit codes:
  0    every host that is to be asked answered, as root where that is wanted
  2    unusable input, or nobody to ask
  3    something was not reached
  130  interrupted
"""

DIFF_CODES = """\b
Exit codes:
  0    nothing is new, worse, or lost its decision
  1    something is
  2    unusable input
"""


def _completed(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell asks for when somebody types Tab; imported only then."""

    def asked(ctx: click.Context, param: click.Parameter, beginning: str) -> list[CompletionItem]:
        from auditor.commands.complete import complete

        return complete(kind, ctx.params, beginning)

    return asked


SEVERITIES = click.Choice(["low", "medium", "high", "critical", "never"])
_policy = click.argument("policy", nargs=-1, type=click.Path(exists=True))
_estate = click.option("-i", "--estate", metavar="ESTATE", multiple=True, type=click.Path(exists=True),
                       help="Folder of an estate, or an inventory; given again: more inventories. Default: this machine.")  # fmt: skip
_limit = click.option(
    "--limit",
    metavar="PATTERN",
    help="Only these hosts, by Ansible's patterns: web:&prod:!web01, web*, ~regex, web[0:2], @file; roles too.",
)
_tree = click.option("--tree", "trees", metavar="HOST=PATH", multiple=True,
                     help="Judge the files of PATH in the place of HOST, nothing else; may be given several times.")  # fmt: skip
_probes = click.option("--probes", metavar="DIR", type=click.Path(exists=True, file_okay=False),
                       help="Folder of your own probes (Python files).")  # fmt: skip
_lang = click.option(
    "--lang", envvar="AUDITOR_LANG", type=click.Choice(["fr", "en"]), help="Language of what is printed. Default: LANG."
)
_store = click.option(
    "--store",
    envvar="AUDITOR_STORE",
    metavar="PATH",
    type=click.Path(readable=False),
    help="Where runs are kept, or `none`. Default: ~/.local/share/auditor.",
)
_format = click.option("-f", "--format", "formats", metavar="FORMAT=PATH", multiple=True,
                       shell_complete=_completed("formats"),
                       help="A report: text, html, json, junit, sarif or codequality; `-` is stdout. May be given several times.")  # fmt: skip
_as_of = click.option(
    "--as-of", metavar="DATE", help="Judge what people declared (decisions, leavers) on this day, 2026-11-30."
)
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 512), default=32, show_default=True, help="Hosts asked at the same time."
)
_details = click.option("--details", is_flag=True, help="Unfold every finding in the text and HTML reports.")
_audience = click.option("--audience", type=click.Choice(["technique", "elus"]), default="technique", show_default=True,
                         help="Whom the HTML report is for; elus: elected officials, it names no host and no weakness.")  # fmt: skip
_sarif_accepted = click.option("--sarif-accepted", type=click.Choice(["suppress", "omit"]), default="suppress",
                               show_default=True,
                               help="Findings that a decision covers, in SARIF: suppressed, or left out, as GitHub shows suppressed ones open.")  # fmt: skip


class Group(click.Group):
    """Shows the commands in the order of use, and errors of the input without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [
            "run",
            "plan",
            "collector",
            "doctor",
            "lint",
            "inventory",
            "report",
            "diff",
            "list",
            "explain",
            "schema",
        ]

    def invoke(self, ctx: click.Context) -> Any:
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
            quiet()
            ctx.exit(141)
        except OSError as error:  # stdout is a file on a full disk, say; reports have errors of their own
            if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG):
                raise
            quiet()
            click.echo(f"stdout cannot be written: {error.strerror}", err=True)
            ctx.exit(2)


def program() -> None:
    """The program: a defect keeps its traceback, and exits with 2, never with the 1 of an open failure."""
    try:
        main()
    except Exception:  # noqa: BLE001 - only to choose the exit code
        import traceback

        traceback.print_exc()
        click.echo(f"a defect of auditor {__version__}: please report it with the lines above", err=True)
        sys.exit(2)


def quiet() -> None:
    """Nothing more is written to stdout: whoever read it has gone, or it is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


@main.command(epilog=EXIT_CODES)
@_policy
@_estate
@_limit
@_tree
@_format
@click.option(
    "--fail-on", type=SEVERITIES, default="low", show_default=True, help="Open failures from here on exit with 1."
)
@click.option("--fail-on-warn", is_flag=True, help="A missed target counts as a failure, even within its limit.")
@_store
@_as_of
@click.option(
    "--missing", is_flag=True, help="Ask only hosts without fresh evidence in the store; judge the others on it."
)
@_jobs
@click.option(
    "--deadline", type=click.IntRange(5, 3600), default=300, show_default=True, help="Seconds that a host may take."
)
@click.option(
    "--against",
    metavar="RUN|FILE",
    help="Compare with this run or JSON report: only what is new, worse or lost its decision exits with 1.",
)
@click.option("--trusted", metavar="REF",
              help="Judge with policies, estate, decisions and probes as git has them at REF; what differs is listed first.")  # fmt: skip
@click.option("--timings", is_flag=True, help="On stderr, how long probes and hosts took; nothing of it is kept.")
@_probes
@_lang
@_details
@_audience
@_sarif_accepted
def run(**options: Any) -> None:
    """Audits hosts, and reports. Without arguments: this machine, with the shipped policies."""
    from auditor.commands.run import run as command

    sys.exit(command(**options))


@main.command()
@_policy
@_estate
@_limit
@_probes
@_lang
@click.option("--privileges", is_flag=True, help="Instead, what is asked as root, why, and for which controls.")
def plan(**options: Any) -> None:
    """Prints what would be read and run on each host, before any connection."""
    from auditor.commands.plan import plan as command

    sys.exit(command(**options))


@main.group()
def collector() -> None:
    """The one text that answers as root on the hosts."""


@collector.command(name="install-files")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@_probes
@_lang
def install_files(**options: Any) -> None:
    """Writes to DIR, a new folder, what installs it: the text, its Ansible role, the sudoers line."""
    from auditor.commands.collector import install_files as command

    sys.exit(command(**options))


@main.command(epilog=DOCTOR_CODES)
@_estate
@_limit
@_jobs
@click.option("--candidate-keys", metavar="FILE",
              help="Write the host keys that are not known to FILE, a new one, for review; nothing trusts it.")  # fmt: skip
@_probes
@_lang
def doctor(**options: Any) -> None:
    """Connects to every host, asks no control, and says what ails those that do not answer, and the cure.

    \b
    Examples:
      auditor doctor -i inventories/town
      auditor doctor -i inventories/town --limit new --candidate-keys candidate_keys
    """
    from auditor.commands.doctor import doctor as command

    sys.exit(command(**options))


@main.command()
@click.argument("path", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_probes
def lint(**options: Any) -> None:
    """Checks policies, estates and decisions: every error at once, as file:line:column."""
    from auditor.commands.lint import lint as command

    sys.exit(command(**options))


@main.command()
@click.argument("run", required=False, default="latest", shell_complete=_completed("runs"))
@_format
@_store
@_lang
@_details
@_audience
@_sarif_accepted
def report(**options: Any) -> None:
    """Reports a stored RUN (a number, the beginning of an id, or `latest`) again, without any host."""
    from auditor.commands.report import report as command

    sys.exit(command(**options))


@main.command(epilog=DIFF_CODES)
@click.argument("before", shell_complete=_completed("runs"))
@click.argument("after", required=False, default="latest", shell_complete=_completed("runs"))
@click.option("-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_store
@_lang
@click.option("--details", is_flag=True, help="Every change, however many.")
def diff(**options: Any) -> None:
    """Compares two runs: what is new, worse, resolved, no longer measured, or lost its decision.

    BEFORE and AFTER are runs of the store (a number, the beginning of an id, `latest`, `latest~1`) or JSON reports.

    \b
    Examples:
      auditor diff latest~1
      auditor diff before.json after.json -f json
    """
    from auditor.commands.diff import diff as command

    sys.exit(command(**options))


@main.command(name="list")
@click.argument("what", type=click.Choice(["controls", "hosts", "measures", "probes", "runs"]))
@_estate
@_probes
@_store
@_lang
def list_(**options: Any) -> None:
    """Lists controls, hosts, measures, probes or runs: one a line, tab-separated."""
    from auditor.commands.list import list_ as command

    sys.exit(command(**options))


@main.group()
def inventory() -> None:
    """Inventories from other tools."""


@inventory.command(name="import")
@click.argument("file", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--map", "mapping", metavar="COLUMN=FIELD", multiple=True, help="What a column says, where its name does not tell."
)
@click.option(
    "--out",
    type=click.Path(readable=False),
    metavar="DIR",
    default="estate",
    show_default=True,
    help="Folder of the estate.",
)
@_lang
def import_(**options: Any) -> None:
    """Makes an estate of CSV exports (GLPI, Get-ADComputer, Centreon), and tells where they disagree.

    \b
    Fields: name, fqdn, address, os, serial, location, zone, owner, status, kind, entity.
    """
    from auditor.commands.inventory import import_ as command

    sys.exit(command(**options))


@main.command()
@click.argument("name", shell_complete=_completed("explained"))
@_probes
@_lang
def explain(**options: Any) -> None:
    """Explains a CONTROL, a MEASURE or a PROBE: what it asks, why, and what to do."""
    from auditor.commands.explain import explain as command

    sys.exit(command(**options))


@main.command()
@click.argument("name", required=False, shell_complete=_completed("schemas"))
@_probes
def schema(**options: Any) -> None:
    """Prints the JSON Schema NAME, for editors; without a name, lists them."""
    from auditor.commands.schema import schema as command

    sys.exit(command(**options))


if __name__ == "__main__":
    program()
