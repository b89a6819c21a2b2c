"""The command line: options, help and exit codes. Imports only click; a command is imported when it is called."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from auditor import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

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

REPORT_CODES = """\b
Exit codes:
  0    the audit was reported
  2    unusable input
  3    the audit is older than --max-age
With -f nagios they are a plugin's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
"""

DIFF_CODES = """\b
Exit codes:
  0    nothing is new, worse, or lost its decision
  1    something is
  2    unusable input
"""


CHECK_CODES = """\b
Exit codes:
  0    every record that is not over is in force
  1    one is void, or void in part; or an ended one was altered
  2    unusable input: a wrong shape, a file that cannot be read
"""

DRAFT_CODES = """\b
Exit codes:
  0    the letter was written, or there is nothing to decide and all was measured
  2    unusable input
  3    there is nothing to decide, but something was not measured
"""


def _completed(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell asks for when somebody types Tab; imported only then."""

    def asked(ctx: click.Context, param: click.Parameter, beginning: str) -> list[CompletionItem]:
        from auditor.commands.complete import complete

        return complete(kind, ctx.params, beginning)

    return asked


def _days(ctx: click.Context, param: click.Parameter, given: str) -> int:
    """`60d` as 60."""
    number = given.removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= 4):
        raise click.BadParameter(f"'{given}' is no number of days; write it as 60d")
    return int(number)


def _estates(text: str, required: bool = False) -> Decorator:
    """`-i`, with this help."""
    where = click.Path(exists=True)
    return click.option("-i", "--estate", metavar="ESTATE", multiple=True, required=required, type=where, help=text)


def _together(*parameters: Decorator) -> Decorator:
    """Parameters that several commands take, in this order."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        return reduce(lambda one, parameter: parameter(one), reversed(parameters), command)

    return decorated


SEVERITIES = click.Choice(["low", "medium", "high", "critical", "never"])
_policy = click.argument("policy", nargs=-1, type=click.Path(exists=True))
_estate = _estates("Folder of an estate, or an inventory; given again: more inventories. Default: this machine.")
_estate_then = _estates("Folder of an estate, or an inventory; given again: more inventories. Default: the run's own.")
_one_estate = _estates("Folder of the estate; given again: more inventories. Default: that of this folder.")
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
                       help="A report: text, html, json, junit, sarif, codequality, prometheus or nagios; `-` is stdout. May be given several times.")  # fmt: skip
_fail_on = click.option(
    "--fail-on", type=SEVERITIES, default="low", show_default=True, help="Open failures from here on exit with 1."
)
_fail_on_warn = click.option(
    "--fail-on-warn", is_flag=True, help="A missed target counts as a failure, even within its limit."
)
_as_of = click.option(
    "--as-of", metavar="DATE", help="Judge what people declared (decisions, leavers) on this day, 2026-11-30."
)
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 512), default=32, show_default=True, help="Hosts asked at the same time."
)


def _logged(ctx: click.Context, param: click.Parameter, value: str) -> None:
    if value == "json" and not ctx.resilient_parsing:
        from auditor.commands.log import install

        install()


_log = click.option("--log", envvar="AUDITOR_LOG", type=click.Choice(["text", "json"]), default="text",
                    is_eager=True, expose_value=False, callback=_logged,
                    help="What stderr is: text for people, or events as JSON lines for a journal.")  # fmt: skip
_details = click.option("--details", is_flag=True, help="Unfold every finding in the text and HTML reports.")
_audience = click.option("--audience", type=click.Choice(["technique", "elus"]), default="technique", show_default=True,
                         help="Whom the HTML report is for; elus: elected officials, it names no host and no weakness.")  # fmt: skip
_sarif_accepted = click.option("--sarif-accepted", type=click.Choice(["suppress", "omit"]), default="suppress",
                               show_default=True,
                               help="Findings that a decision covers, in SARIF: suppressed, or left out, as GitHub shows suppressed ones open.")  # fmt: skip
_run = click.argument("run", shell_complete=_completed("runs"))
_latest = click.argument("run", required=False, default="latest", shell_complete=_completed("runs"))
_text_or_json = click.option(
    "-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_policies = click.option("--policy", "policies", metavar="PATH", multiple=True, type=click.Path(exists=True),
                         help="Your own policies, where there are some.")  # fmt: skip

_gated = _together(_format, _fail_on, _fail_on_warn)
_shown = _together(_details, _audience, _sarif_accepted)
_records = _together(_one_estate, _as_of, _policies, _probes, _lang)


class Group(click.Group):
    """Shows the commands in the order of use, and errors of the input without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [
            "run",
            "plan",
            "ingest",
            "collector",
            "doctor",
            "lint",
            "inventory",
            "report",
            "replay",
            "diff",
            "export",
            "prune",
            "recommendations",
            "acceptances",
            "actions",
            "list",
            "explain",
            "schema",
        ]

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

        click.echo(traceback.format_exc(), nl=False, err=True)
        click.echo(f"a defect of auditor {__version__}: please report it with the lines above", err=True)
        sys.exit(2)


def _ended(code: object) -> None:
    """The exit code is the last event of a log, where one is kept."""
    if "auditor.commands.log" in sys.modules:
        from auditor.commands.log import event

        event("ended", "info" if code in (0, 1, 3) else "error", exit_code=code)


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
@_gated
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
    help="Compare with this run, archive or JSON report: only what is new, worse or lost its decision exits with 1.",
)
@click.option("--mail", metavar="ADDRESS", multiple=True,
              help="Send what changed since the last audit, in counts; the server is named in AUDITOR_SMTP.")  # fmt: skip
@click.option("--mail-detail", is_flag=True, help="The mail also names hosts and controls.")
@click.option("--trusted", metavar="REF",
              help="Judge with policies, estate, decisions and probes as git has them at REF; what differs is listed first.")  # fmt: skip
@click.option("--timings", is_flag=True, help="On stderr, how long probes and hosts took; nothing of it is kept.")
@_probes
@_lang
@_shown
@_log
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
@click.option("--script", metavar="HOST", help="Instead, the script to run by hand on this host; see `auditor ingest`.")
@_store
def plan(**options: Any) -> None:
    """Prints what would be read and run on each host, before any connection."""
    from auditor.commands.plan import plan as command

    sys.exit(command(**options))


@main.command(epilog=EXIT_CODES)
@click.argument("file", type=click.File("rb"))
@_policy
@_estate
@_gated
@_store
@_as_of
@_probes
@_lang
@_details
@_audience
def ingest(**options: Any) -> None:
    """Judges FILE: what a host answered to the script that `auditor plan --script HOST` printed, run there by hand.

    \b
    Examples:
      auditor plan -i inventories/town --script dc01 > dc01.ps1
      auditor ingest dc01.answer -i inventories/town
    """
    from auditor.commands.by_hand import ingest as command

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
@_text_or_json
@_probes
def lint(**options: Any) -> None:
    """Checks policies, estates and decisions: every error at once, as file:line:column."""
    from auditor.commands.lint import lint as command

    sys.exit(command(**options))


@main.command(epilog=REPORT_CODES)
@_latest
@_format
@click.option("--for", "for_", metavar="ENTITY",
              help="As this entity may see it: its perimeters and the shared ones that serve it, nothing of another's.")  # fmt: skip
@click.option("--against", metavar="RUN|FILE", help="Also say what changed since this run or JSON report.")
@_store
@_lang
@_shown
@click.option("--max-age", metavar="HOURS", type=click.FloatRange(min=0, min_open=True),
              help="An older audit gives 3. With -f nagios: 26.")  # fmt: skip
@_log
def report(**options: Any) -> None:
    """Reports a stored RUN (a number, the beginning of an id, or `latest`) or an archive again, without any host."""
    from auditor.commands.report import report as command

    sys.exit(command(**options))


@main.command(epilog=EXIT_CODES)
@_run
@_policy
@_estate_then
@_gated
@click.option("--against", metavar="RUN|FILE",
              help="Say what differs from this run, archive or JSON report; only what is new, worse or lost its decision exits with 1.")  # fmt: skip
@_store
@click.option("--keep", is_flag=True, help="Keep the replay in the store, beside the run; it is never `latest`.")
@click.option("--as-of", metavar="DATE", help="Judge decisions and records on this day. Default: the day of the run.")
@_probes
@_lang
@_shown
def replay(**options: Any) -> None:
    """Judges the evidence of RUN anew, without any host: by other policies, another estate, other decisions.

    RUN is one of the store (a number, the beginning of an id, `latest`), an archive, or `demo`: a fictional estate, recorded,
    that travels with the auditor. Without POLICY and ESTATE: those of the
    run. What was not asked then is not measured; ages are as they were then.

    \b
    Examples:
      auditor replay demo -f html=demo.html
      auditor replay latest stricter/ --against latest
      auditor replay town.auditor -i inventories/town --as-of 2026-12-31
    """
    from auditor.commands.replay import replay as command

    sys.exit(command(**options))


@main.command()
@_run
@click.argument("file", type=click.Path(readable=False, allow_dash=True))
@_store
def export(**options: Any) -> None:
    """Writes RUN, evidence and all, as one file: to replay, report or compare it elsewhere.

    FILE holds what the hosts answered: only its owner can read it, and it is to be kept so.
    """
    from auditor.commands.export import export as command

    sys.exit(command(**options))


@main.command(epilog=DIFF_CODES)
@click.argument("before", shell_complete=_completed("runs"))
@click.argument("after", required=False, default="latest", shell_complete=_completed("runs"))
@_text_or_json
@_store
@_lang
@click.option("--details", is_flag=True, help="Every change, however many.")
def diff(**options: Any) -> None:
    """Compares two runs: what is new, worse, resolved, no longer measured, or lost its decision.

    BEFORE and AFTER are runs of the store (a number, the beginning of an id, `latest`, `latest~1`), archives or JSON reports.

    \b
    Examples:
      auditor diff latest~1
      auditor diff before.json after.json -f json
    """
    from auditor.commands.diff import diff as command

    sys.exit(command(**options))


@main.command()
@click.option("--keep", metavar="DAYS", type=click.IntRange(1, 36500), default=395, show_default=True,
              help="How long audits and their evidence are kept.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say how many audits would be removed, and from when.")
@_store
@_lang
@_log
def prune(**options: Any) -> None:
    """Removes audits and evidence that are older than may be kept, and gives their room back to the disk.

    \b
    What stays, however old: the newest complete audit of each estate, and what
    --missing and `availability` may still judge a host on.
    """
    from auditor.commands.prune import prune as command

    sys.exit(command(**options))


_within = click.option("--within", metavar="DAYS", default="60d", show_default=True, callback=_days,
                       help="So many days ahead.")  # fmt: skip


@main.group()
def recommendations() -> None:
    """What is recommended to who owns a perimeter."""


@recommendations.command(epilog=DRAFT_CODES)
@_latest
@click.option("--for", "entity", metavar="ENTITY", required=True, shell_complete=_completed("entities"),
              help="Who is asked: the owner of exclusive perimeters.")  # fmt: skip
@_estates("Folder of the estate; given again: more inventories.", required=True)
@click.option("--out", metavar="LETTER.html", required=True, type=click.Path(dir_okay=False),
              help="The letter; its form is written beside it, LETTER.yaml. Neither may be there.")  # fmt: skip
@click.option("--communicated-on", metavar="DATE", help="The letter's day, on which it recommends. Default: today.")
@click.option("--drafted-by", metavar="ROLE", default="", help="The role that drafts it; it cannot sign.")
@click.option("--renew", metavar="DAYS", default="0d", callback=_days,
              help="Ask again about decisions that end within so many days: 60d.")  # fmt: skip
@_policies
@_probes
@_store
@_lang
def draft(**options: Any) -> None:
    """Writes the French letter that asks an entity to adopt or decline what is recommended, and its form.

    It holds every failure on its exclusive perimeters that nobody decided about. RUN is a stored run or a JSON report.

    \b
    Example:
      auditor recommendations draft -i inventories/town --for SCOTA --out letters/2026-11.html
    """
    from auditor.commands.recommendations import draft as command

    sys.exit(command(**options))


@main.group()
def acceptances() -> None:
    """Decisions on risk: signed, listed, checked."""


@acceptances.command()
@click.argument("form", type=click.Path(exists=True, dir_okay=False))
@click.option("--document", metavar="FILE", required=True, type=click.Path(exists=True, dir_okay=False),
              help="The letter that came back signed, scanned; it is kept beside the records.")  # fmt: skip
@click.option("--on", metavar="DATE", required=True, help="The day of the signature.")
@click.option("--by", metavar="ROLE", required=True, help="The role that signed.")
@click.option("--delegation", metavar="REF", default="", help="The delegation that it signed by.")
@click.option("--signatory", metavar="NAME", default="", help="The person who signed.")
@click.option("--accept", metavar="ITEM,...", multiple=True,
              help="What is accepted: numbers of the letter, or controls. Default: all but what is adopted or arbitrated.")  # fmt: skip
@click.option("--adopt", metavar="ITEM=DATE,...", multiple=True, help="What is adopted, and by when: an action.")
@click.option(
    "--arbitrate",
    metavar="ITEM[=DATE],...",
    multiple=True,
    help="What goes to arbitration (art. 4), and by when: it stays open, and an action says so.",
)
@click.option("--risk", metavar="[ITEM=]G2V3", multiple=True,
              help="Severity and likelihood that were ticked. Without: not rated, and accepted for six months at most.")  # fmt: skip
@click.option("--personal-data", metavar="none|all|ITEM,...",
              help="Where personal data are concerned. Without: everywhere, so --dpo-on is needed.")  # fmt: skip
@click.option("--dpo-on", metavar="DATE", default="", help="The day of the data protection officer's opinion.")
@click.option("--deliberation", metavar="REF", default="", help="The deliberation; needed where the risk is high.")
@click.option("--because", metavar="TEXT", default="", help="The reason that was given.")
@click.option("--expires", metavar="DATE", default="", help="The last day. Default: as long as the rules allow.")
@click.option(
    "--responsible",
    metavar="ROLE",
    default="",
    help="Who adopts what is adopted, or sees to the arbitration. Default: who signed.",
)
@_records
def sign(**options: Any) -> None:
    """Enters a signed reply: what it accepts is in force at once, what it adopts becomes an action.

    What the rules would void is refused, with the reason; then nothing is written. A signed record is never edited.

    \b
    Examples:
      auditor acceptances sign letters/2026-11.yaml --document scan.pdf --on 2026-12-04 --by president-scota --personal-data none
      auditor acceptances sign letters/2026-11.yaml --document scan.pdf --on 2026-12-04 --by president-scota \\
          --accept 1,2 --risk 1=G2V2 --risk 2=G3V1 --personal-data 2 --dpo-on 2026-12-01 --adopt 3=2027-03-01 --arbitrate 4
    """
    from auditor.commands.sign import sign as command
    from auditor.commands.ticked import Ticked
    from auditor.letters.reply import Signed

    ticked = {
        k: options.pop(k) for k in ("accept", "adopt", "arbitrate", "risk", "personal_data", "because", "responsible")
    }
    signed = {k: options.pop(k) for k in ("by", "delegation", "signatory", "dpo_on", "deliberation", "expires")}
    sys.exit(command(ticked=Ticked(**ticked), signed=Signed(on="", document="", sha256="", **signed), **options))


@acceptances.command(name="list")
@_records
def list_decisions(**options: Any) -> None:
    """Lists decisions: id, kind, state, perimeter, controls, last day, role; tab-separated."""
    from auditor.commands.decided import list_ as command

    sys.exit(command(**options))


@acceptances.command()
@click.argument("id", shell_complete=_completed("records"))
@_records
def show(**options: Any) -> None:
    """Shows the record ID: where it stands, why, and its text."""
    from auditor.commands.decided import show as command

    sys.exit(command(**options))


@acceptances.command(epilog=CHECK_CODES)
@click.argument("path", nargs=-1, type=click.Path(exists=True))
@_as_of
@_policies
@_probes
@_lang
def check(**options: Any) -> None:
    """Checks all records of the estate at PATH, or around the file PATH: shape and meaning, without any host.

    \b
    Examples:
      auditor acceptances check inventories/town
      auditor acceptances check inventories/town/decisions/ACC-2026-003.yaml
    """
    from auditor.commands.decided import check as command

    sys.exit(command(**options))


@acceptances.command(name="due")
@_within
@_records
def due_decisions(**options: Any) -> None:
    """Lists what ends, is to be reviewed or was promised soon, and what has ended: day, id, what, perimeter."""
    from auditor.commands.decided import due as command

    sys.exit(command(**options))


@main.group()
def actions() -> None:
    """What somebody is to mend, until when."""


@actions.command(name="list")
@_records
def list_actions(**options: Any) -> None:
    """Lists actions: due day, id, state, perimeter, controls, role, ticket, text; tab-separated."""
    from auditor.commands.decided import actions as command

    sys.exit(command(within=None, **options))


@actions.command(name="due")
@_within
@_records
def due_actions(**options: Any) -> None:
    """Lists open actions that are late or due soon, as `list` does."""
    from auditor.commands.decided import actions as command

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
