"""The commands that ask hosts, or say what would be asked of them: run, plan, ingest, collector, doctor."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import parameters
from auditor.cli.exit_codes import DOCTOR_CODES, EXIT_CODES


@click.command(epilog=EXIT_CODES)
@parameters.policy
@parameters.estate
@parameters.limit
@parameters.tree
@parameters.gated
@parameters.store
@parameters.as_of
@click.option(
    "--missing", is_flag=True, help="Ask only hosts without fresh evidence in the store; judge the others on it."
)
@parameters.jobs
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
@parameters.probes
@parameters.lang
@parameters.shown
@parameters.log
def run(**options: Any) -> None:
    """Audits hosts, and reports. Without arguments: this machine, with the shipped policies."""
    from auditor.commands.asked import Asked
    from auditor.commands.run import run as command

    sys.exit(command(Asked(**options)))


@click.command()
@parameters.policy
@parameters.estate
@parameters.limit
@parameters.probes
@parameters.lang
@click.option("--privileges", is_flag=True, help="Instead, what is asked as root, why, and for which controls.")
@click.option("--script", metavar="HOST", help="Instead, the script to run by hand on this host; see `auditor ingest`.")
@parameters.store
def plan(**options: Any) -> None:
    """Prints what would be read and run on each host, before any connection."""
    from auditor.commands.plan import plan as command

    sys.exit(command(**options))


@click.command(epilog=EXIT_CODES)
@click.argument("file", type=click.File("rb"))
@parameters.policy
@parameters.estate
@parameters.gated
@parameters.store
@parameters.as_of
@parameters.probes
@parameters.lang
@parameters.details
@parameters.audience
def ingest(**options: Any) -> None:
    """Judges FILE: what a host answered to the script that `auditor plan --script HOST` printed, run there by hand.

    \b
    Examples:
      auditor plan -i inventories/town --script dc01 > dc01.ps1
      auditor ingest dc01.answer -i inventories/town
    """
    from auditor.commands.by_hand import ingest as command

    sys.exit(command(**options))


@click.group()
def collector() -> None:
    """The one text that answers as root on the hosts."""


@collector.command(name="install-files")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@parameters.probes
@parameters.lang
def install_files(**options: Any) -> None:
    """Writes to DIR, a new folder, what installs it: the text, its Ansible role, the sudoers line."""
    from auditor.commands.collector import install_files as command

    sys.exit(command(**options))


@click.command(epilog=DOCTOR_CODES)
@parameters.estate
@parameters.limit
@parameters.jobs
@click.option("--candidate-keys", metavar="FILE",
              help="Write the host keys that are not known to FILE, a new one, for review; nothing trusts it.")  # fmt: skip
@parameters.probes
@parameters.lang
def doctor(**options: Any) -> None:
    """Connects to every host, asks no control, and says what ails those that do not answer, and the cure.

    \b
    Examples:
      auditor doctor -i inventories/town
      auditor doctor -i inventories/town --limit new --candidate-keys candidate_keys
    """
    from auditor.commands.doctor import doctor as command

    sys.exit(command(**options))
