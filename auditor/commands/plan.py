"""`auditor plan`: what would be read and run on each host, printed before any connection."""

from __future__ import annotations

import click

from auditor import shelves
from auditor.commands import by_hand, inputs
from auditor.commands import privileges as asked_as_root
from auditor.errors import InvalidInput
from auditor.kinds import Voice
from auditor.model import BY_HAND, Check, Command, Host, Unknown
from auditor.plan import Plan, coverage
from auditor.sentences import cause, clean, nothing_asked


def plan(
    policy: tuple[str, ...],
    estate: tuple[str, ...],
    limit: str | None,
    probes: str | None,
    lang: str | None,
    privileges: bool,
    script: str | None,
    store: str | None,
) -> int:
    if script is not None:
        if limit or privileges:
            raise InvalidInput("--script names one host: leave --limit and --privileges out")
        return by_hand.show(policy, estate, script, probes, lang, store)
    given = inputs.load(policy, estate, limit, probes)
    inputs.notify(given.plan.estate, lang)
    speaking = inputs.voice(lang)
    catalogue = inputs.elevated(given.plan.probes)
    if privileges:
        asked_as_root.show(given.plan, catalogue, speaking)
        return 0
    for index, host in enumerate(given.plan.hosts):
        _host(given.plan, index, catalogue, speaking)
        if host.barred or host.connection == "none":
            click.echo(f"# {speaking.say('not connected to')}: {_why(host, speaking)}")
    for index in range(len(given.plan.hosts), len(given.plan.subjects)):
        _perimeter(given.plan, index, catalogue, speaking)
    _gaps(given.plan, speaking)
    return 0


def _why(host: Host, voice: Voice) -> str:
    """Why no connection is opened to it."""
    if host.barred:
        return cause(Unknown("not_authorised", host.barred), voice, True)
    return nothing_asked(Unknown("not_connected", host.why), voice)


def _gaps(plan: Plan, voice: Voice) -> None:
    """The hosts and measures that nothing is asked about, with why."""
    unasked: dict[tuple[str, Unknown], list[str]] = {}
    for gap in coverage(plan):
        unasked.setdefault((gap.subject.key, gap.cause), []).append(gap.measure or gap.subject.id)
    for (subject, why), about in unasked.items():
        click.echo(f"# {voice.say('nothing asked')}: {subject} {', '.join(about)}: {nothing_asked(why, voice)}")


def _perimeter(plan: Plan, index: int, catalogue: tuple[Command, ...], voice: Voice) -> None:
    """What is looked up in the records of a perimeter; no connection is opened."""
    subject, checks, commands = plan.subjects[index], plan.checks_of(index), plan.commands_of(index)
    if checks:
        title = voice.say("{subject}: records, controls: {controls}, questions: {commands}")
        click.echo("# " + title.format(subject=clean(subject.id), controls=len(checks), commands=len(commands)))
        for check in checks:
            click.echo(f"#   {check.control.id}")
        click.echo(shelves.TRANSPORTS[subject.connection].script(commands, catalogue, False), nl=False)


def _host(plan: Plan, index: int, catalogue: tuple[Command, ...], voice: Voice) -> None:
    host = plan.hosts[index]
    checks, commands = plan.checks_of(index), plan.commands_of(index)
    as_root = sum(1 for c in commands if c.elevated)
    title = voice.say(
        "{host}: {connection} {address}, controls: {controls}, questions: {commands}, as root: {elevated}"
    )
    click.echo(
        "# "
        + title.format(
            host=clean(host.id),
            connection=host.connection,
            address=clean(host.address),
            controls=len(checks),
            commands=len(commands),
            elevated=as_root,
        )
    )
    for check in checks:
        click.echo(f"#   {check.control.id}{_unasked(check, host, voice)}")
    if commands and host.connection == BY_HAND:
        click.echo(f"# {voice.say('by hand: auditor plan --script {host}').format(host=clean(host.id))}")
    if commands and host.connection in shelves.TRANSPORTS.names():
        click.echo(shelves.TRANSPORTS[host.connection].script(commands, catalogue, host.become))


def _unasked(check: Check, host: Host, voice: Voice) -> str:
    """Why this control asks nothing of the host; of one that nobody may ask, the host's own line says it."""
    if check.unasked is None or host.barred:
        return ""
    return f"  ({voice.say('nothing asked')}: {nothing_asked(check.unasked, voice)})"
