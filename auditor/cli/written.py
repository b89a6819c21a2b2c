"""The commands on what people wrote, and on what there is to write: lint, list, inventory, explain, schema."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import parameters


@click.command()
@click.argument("path", nargs=-1, required=True, type=click.Path(exists=True))
@parameters.text_or_json
@parameters.probes
def lint(**options: Any) -> None:
    """Checks policies, estates and decisions: every error at once, as file:line:column."""
    from auditor.commands.lint import lint as command

    sys.exit(command(**options))


@click.command(name="list")
@click.argument("what", type=click.Choice(["controls", "hosts", "measures", "probes", "runs"]))
@parameters.estate
@parameters.probes
@parameters.store
@parameters.lang
def list_(**options: Any) -> None:
    """Lists controls, hosts, measures, probes or runs: one a line, tab-separated."""
    from auditor.commands.list import list_ as command

    sys.exit(command(**options))


@click.group()
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
@parameters.lang
def import_(**options: Any) -> None:
    """Makes an estate of CSV exports (GLPI, Get-ADComputer, Centreon), and tells where they disagree.

    \b
    Fields: name, fqdn, address, os, serial, location, zone, owner, status, kind, entity.
    """
    from auditor.commands.inventory import import_ as command

    sys.exit(command(**options))


@click.command()
@click.argument("name", shell_complete=parameters.completed("explained"))
@parameters.probes
@parameters.lang
def explain(**options: Any) -> None:
    """Explains a CONTROL, a MEASURE or a PROBE: what it asks, why, and what to do."""
    from auditor.commands.explain import explain as command

    sys.exit(command(**options))


@click.command()
@click.argument("name", required=False, shell_complete=parameters.completed("schemas"))
@parameters.probes
def schema(**options: Any) -> None:
    """Prints the JSON Schema NAME, for editors; without a name, lists them."""
    from auditor.commands.schema import schema as command

    sys.exit(command(**options))
