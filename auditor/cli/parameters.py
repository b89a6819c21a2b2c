"""The options and arguments that several commands take, and how their values are read and completed."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def completed(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """What a shell asks for when somebody types Tab; imported only then."""

    def asked(ctx: click.Context, param: click.Parameter, beginning: str) -> list[CompletionItem]:
        from auditor.commands.complete import complete

        return complete(kind, ctx.params, beginning)

    return asked


def days(ctx: click.Context, param: click.Parameter, given: str) -> int:
    """`60d` as 60."""
    number = given.removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= 4):
        raise click.BadParameter(f"'{given}' is no number of days; write it as 60d")
    return int(number)


def _logged(ctx: click.Context, param: click.Parameter, value: str) -> None:
    if value == "json" and not ctx.resilient_parsing:
        from auditor.commands.log import install

        install()


def estates(text: str, required: bool = False) -> Decorator:
    """`-i`, with this help."""
    where = click.Path(exists=True)
    return click.option("-i", "--estate", metavar="ESTATE", multiple=True, required=required, type=where, help=text)


def together(*parameters: Decorator) -> Decorator:
    """Parameters that several commands take, in this order."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        return reduce(lambda one, parameter: parameter(one), reversed(parameters), command)

    return decorated


SEVERITIES = click.Choice(["low", "medium", "high", "critical", "never"])

policy = click.argument("policy", nargs=-1, type=click.Path(exists=True))
estate = estates("Folder of an estate, or an inventory; given again: more inventories. Default: this machine.")
estate_then = estates("Folder of an estate, or an inventory; given again: more inventories. Default: the run's own.")
one_estate = estates("Folder of the estate; given again: more inventories. Default: that of this folder.")
limit = click.option(
    "--limit",
    metavar="PATTERN",
    help="Only these hosts, by Ansible's patterns: web:&prod:!web01, web*, ~regex, web[0:2], @file; roles too.",
)
tree = click.option("--tree", "trees", metavar="HOST=PATH", multiple=True,
                    help="Judge the files of PATH in the place of HOST, nothing else; may be given several times.")  # fmt: skip
probes = click.option("--probes", metavar="DIR", type=click.Path(exists=True, file_okay=False),
                      help="Folder of your own probes (Python files).")  # fmt: skip
lang = click.option(
    "--lang", envvar="AUDITOR_LANG", type=click.Choice(["fr", "en"]), help="Language of what is printed. Default: LANG."
)
store = click.option(
    "--store",
    envvar="AUDITOR_STORE",
    metavar="PATH",
    type=click.Path(readable=False),
    help="Where runs are kept, or `none`. Default: ~/.local/share/auditor.",
)
formats = click.option("-f", "--format", "formats", metavar="FORMAT=PATH", multiple=True,
                       shell_complete=completed("formats"),
                       help="A report: text, html, json, junit, sarif, codequality, prometheus or nagios; `-` is stdout. May be given several times.")  # fmt: skip
fail_on = click.option(
    "--fail-on", type=SEVERITIES, default="low", show_default=True, help="Open failures from here on exit with 1."
)
fail_on_warn = click.option(
    "--fail-on-warn", is_flag=True, help="A missed target counts as a failure, even within its limit."
)
as_of = click.option(
    "--as-of", metavar="DATE", help="Judge what people declared (decisions, leavers) on this day, 2026-11-30."
)
jobs = click.option(
    "--jobs", type=click.IntRange(1, 512), default=32, show_default=True, help="Hosts asked at the same time."
)
log = click.option("--log", envvar="AUDITOR_LOG", type=click.Choice(["text", "json"]), default="text",
                   is_eager=True, expose_value=False, callback=_logged,
                   help="What stderr is: text for people, or events as JSON lines for a journal.")  # fmt: skip
details = click.option("--details", is_flag=True, help="Unfold every finding in the text and HTML reports.")
audience = click.option("--audience", type=click.Choice(["technique", "elus"]), default="technique", show_default=True,
                        help="Whom the HTML report is for; elus: elected officials, it names no host and no weakness.")  # fmt: skip
sarif_accepted = click.option("--sarif-accepted", type=click.Choice(["suppress", "omit"]), default="suppress",
                              show_default=True,
                              help="Findings that a decision covers, in SARIF: suppressed, or left out, as GitHub shows suppressed ones open.")  # fmt: skip
run = click.argument("run", shell_complete=completed("runs"))
latest = click.argument("run", required=False, default="latest", shell_complete=completed("runs"))
text_or_json = click.option(
    "-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
policies = click.option("--policy", "policies", metavar="PATH", multiple=True, type=click.Path(exists=True),
                        help="Your own policies, where there are some.")  # fmt: skip

gated = together(formats, fail_on, fail_on_warn)
shown = together(details, audience, sarif_accepted)
records = together(one_estate, as_of, policies, probes, lang)
