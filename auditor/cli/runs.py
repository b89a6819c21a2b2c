"""The commands on runs that are kept: report, replay, export, diff, prune."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import parameters
from auditor.cli.exit_codes import DIFF_CODES, EXIT_CODES, REPORT_CODES


@click.command(epilog=REPORT_CODES)
@parameters.latest
@parameters.formats
@click.option("--of", "of", metavar="ESTATE",
              help="The latest audit of this estate, as `auditor list runs` names it (`-`: without an estate).")  # fmt: skip
@click.option("--for", "for_", metavar="ENTITY",
              help="As this entity may see it: its perimeters and the shared ones that serve it, nothing of another's.")  # fmt: skip
@click.option("--against", metavar="RUN|FILE", help="Also say what changed since this run or JSON report.")
@parameters.store
@parameters.lang
@parameters.shown
@click.option("--max-age", metavar="HOURS", type=click.FloatRange(min=0, min_open=True),
              help="An older audit gives 3. With -f nagios: 26.")  # fmt: skip
@parameters.log
def report(**options: Any) -> None:
    """Reports a stored RUN (a number, the beginning of an id, or `latest`) or an archive again, without any host."""
    from auditor.commands.report import report as command

    sys.exit(command(**options))


@click.command(epilog=EXIT_CODES)
@parameters.run
@parameters.policy
@parameters.estate_then
@parameters.gated
@click.option("--against", metavar="RUN|FILE",
              help="Say what differs from this run, archive or JSON report; only what is new, worse or lost its decision exits with 1.")  # fmt: skip
@parameters.store
@click.option("--keep", is_flag=True, help="Keep the replay in the store, beside the run; it is never `latest`.")
@click.option("--as-of", metavar="DATE", help="Judge decisions and records on this day. Default: the day of the run.")
@parameters.probes
@parameters.lang
@parameters.shown
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


@click.command()
@parameters.run
@click.argument("file", type=click.Path(readable=False, allow_dash=True))
@parameters.store
def export(**options: Any) -> None:
    """Writes RUN, evidence and all, as one file: to replay, report or compare it elsewhere.

    FILE holds what the hosts answered: only its owner can read it, and it is to be kept so.
    """
    from auditor.commands.export import export as command

    sys.exit(command(**options))


@click.command(epilog=DIFF_CODES)
@click.argument("before", shell_complete=parameters.completed("runs"))
@click.argument("after", required=False, default="latest", shell_complete=parameters.completed("runs"))
@parameters.text_or_json
@parameters.store
@parameters.lang
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


@click.command()
@click.option("--keep", metavar="DAYS", type=click.IntRange(1, 36500), default=395, show_default=True,
              help="How long audits and their evidence are kept.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say how many audits would be removed, and from when.")
@parameters.store
@parameters.lang
@parameters.log
def prune(**options: Any) -> None:
    """Removes audits and evidence that are older than may be kept, and gives their room back to the disk.

    \b
    What stays, however old: the newest complete audit of each estate, and what
    --missing and `availability` may still judge a host on.
    """
    from auditor.commands.prune import prune as command

    sys.exit(command(**options))
