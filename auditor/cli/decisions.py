"""The commands on what somebody decided: recommendations, acceptances, actions."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import parameters
from auditor.cli.exit_codes import CHECK_CODES, DRAFT_CODES

_within = click.option("--within", metavar="DAYS", default="60d", show_default=True, callback=parameters.days,
                       help="So many days ahead.")  # fmt: skip


@click.group()
def recommendations() -> None:
    """What is recommended to who owns a perimeter."""


@recommendations.command(epilog=DRAFT_CODES)
@parameters.latest
@click.option("--for", "entity", metavar="ENTITY", required=True, shell_complete=parameters.completed("entities"),
              help="Who is asked: the owner of exclusive perimeters.")  # fmt: skip
@parameters.estates("Folder of the estate; given again: more inventories.", required=True)
@click.option("--out", metavar="LETTER.html", required=True, type=click.Path(dir_okay=False),
              help="The letter; its form is written beside it, LETTER.yaml. Neither may be there.")  # fmt: skip
@click.option("--communicated-on", metavar="DATE", help="The letter's day, on which it recommends. Default: today.")
@click.option("--drafted-by", metavar="ROLE", default="", help="The role that drafts it; it cannot sign.")
@click.option("--renew", metavar="DAYS", default="0d", callback=parameters.days,
              help="Ask again about decisions that end within so many days: 60d.")  # fmt: skip
@parameters.policies
@parameters.probes
@parameters.store
@parameters.lang
def draft(**options: Any) -> None:
    """Writes the French letter that asks an entity to adopt or decline what is recommended, and its form.

    It holds every failure on its exclusive perimeters that nobody decided about. RUN is a stored run or a JSON report.

    \b
    Example:
      auditor recommendations draft -i inventories/town --for SCOTA --out letters/2026-11.html
    """
    from auditor.commands.recommendations import draft as command

    sys.exit(command(**options))


@click.group()
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
@parameters.records
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
@parameters.records
def list_decisions(**options: Any) -> None:
    """Lists decisions: id, kind, state, perimeter, controls, last day, role; tab-separated."""
    from auditor.commands.decided import list_ as command

    sys.exit(command(**options))


@acceptances.command()
@click.argument("id", shell_complete=parameters.completed("records"))
@parameters.records
def show(**options: Any) -> None:
    """Shows the record ID: where it stands, why, and its text."""
    from auditor.commands.decided import show as command

    sys.exit(command(**options))


@acceptances.command(epilog=CHECK_CODES)
@click.argument("path", nargs=-1, type=click.Path(exists=True))
@parameters.as_of
@parameters.policies
@parameters.probes
@parameters.lang
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
@parameters.records
def due_decisions(**options: Any) -> None:
    """Lists what ends, is to be reviewed or was promised soon, and what has ended: day, id, what, perimeter."""
    from auditor.commands.decided import due as command

    sys.exit(command(**options))


@click.group()
def actions() -> None:
    """What somebody is to mend, until when."""


@actions.command(name="list")
@parameters.records
def list_actions(**options: Any) -> None:
    """Lists actions: due day, id, state, perimeter, controls, role, ticket, text; tab-separated."""
    from auditor.commands.decided import actions as command

    sys.exit(command(within=None, **options))


@actions.command(name="due")
@_within
@parameters.records
def due_actions(**options: Any) -> None:
    """Lists open actions that are late or due soon, as `list` does."""
    from auditor.commands.decided import actions as command

    sys.exit(command(**options))
