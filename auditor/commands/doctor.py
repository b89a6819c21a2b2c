"""`auditor doctor`: connects to every host, asks no control, and prints what ails the hosts with the cure of each ill."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from auditor.collect import Places, answers, each
from auditor.commands import inputs
from auditor.commands.chosen import selected
from auditor.commands.interrupting import INTERRUPTED
from auditor.commands.progress import progress
from auditor.cures import Called, Trouble
from auditor.diagnosis import Seen, alike, as_root, candidates, groups, lines, seen
from auditor.errors import InvalidInput
from auditor.framing.collector import digest, elevation
from auditor.framing.sh import HELLO
from auditor.freshness import quiet
from auditor.kinds import Ask, Settings, Voice
from auditor.model import BY_HAND, Command, Host
from auditor.sentences import as_root as answered_as_root
from auditor.sentences import clean
from auditor.summary import folded

DEADLINE_S = 60.0  # for a handful of short questions, sudo among them
NOT_REACHED = 3


def doctor(
    estate: tuple[str, ...],
    limit: str | None,
    jobs: int,
    candidate_keys: str | None,
    probes: str | None,
    lang: str | None,
) -> int:
    known, _ = inputs.all_probes(probes)
    town, _ = inputs.load_estate(estate)
    chosen = selected(town, limit)
    asked = tuple(h for h in chosen if h.connection not in ("none", BY_HAND))
    if not asked:
        raise InvalidInput("nobody to ask: the inventory says not to connect to any of these hosts, or names none")
    places = Places(min(jobs, len(asked)))
    settings = replace(inputs.settings(known), connecting=places.connecting)
    if candidate_keys is not None:
        _check(candidate_keys, settings, asked)
    inputs.notify(town, lang)
    speaking = inputs.voice(lang)
    found, interrupted = _examined(asked, inputs.asks(asked, settings), elevation(settings.elevated), places, lang)
    troubles = tuple(one.trouble for one in found if one.trouble)
    called = _called(estate, limit, probes)
    if candidate_keys:
        troubles = _written(troubles, candidate_keys, speaking)
        called = replace(called, candidates=candidate_keys)
    _show(chosen, found, troubles, called, digest(settings.elevated), speaking)
    if interrupted:
        return INTERRUPTED
    return NOT_REACHED if troubles else 0


def _called(estate: Sequence[str], limit: str | None, probes: str | None) -> Called:
    inventories = [word for path in estate for word in ("-i", path)]
    own = ["--probes", probes] if probes else []
    limited = ["--limit", limit] if limit else []
    return Called(
        again=shlex.join(["auditor", "doctor", *inventories, *limited, *own, "--candidate-keys", "candidate_keys"]),
        install_files=shlex.join(["auditor", "collector", "install-files", "collector-files", *own]),
        hosts=shlex.join(["auditor", "list", "hosts", *inventories]),
    )


# ---------------------------------------------------------------- asking


def _examined(
    hosts: Sequence[Host], asks: Mapping[str, Ask], elevated: Command, places: Places, lang: str | None
) -> tuple[tuple[Seen, ...], bool]:
    """What every host came to, in their order; whether it was interrupted, and who was not asked then."""

    def work(host: Host) -> Seen:
        if quiet(host, inputs.civil(time.time())):
            return Seen(host, Trouble(host, "quiet"))
        commands = (HELLO, elevated) if as_root(host) else (HELLO,)
        return seen(host, answers(host, commands, asks.get(host.connection), DEADLINE_S), elevated)

    def broken(host: Host, error: Exception) -> Seen:
        return Seen(host, Trouble(host, "internal", f"{type(error).__name__}: {error}"))

    came: dict[str, Seen] = {}
    interrupted = False
    with progress(len(hosts), lang) as done:
        try:
            for one in each(hosts, work, broken, places, lambda host: host.at_once):
                came[one.host.id] = one
                done(one.host.id, False)
        except KeyboardInterrupt:
            interrupted = True
    return alike([came.get(h.id) or Seen(h, Trouble(h, "interrupted")) for h in hosts]), interrupted


# ---------------------------------------------------------------- saying


def _show(
    hosts: Sequence[Host], found: Sequence[Seen], troubles: Sequence[Trouble], called: Called, sent: str, voice: Voice
) -> None:
    well = [one.host.id for one in found if one.trouble is None]
    form = voice.say("Well: {count} of {asked}: {hosts}") if well else voice.say("Well: {count} of {asked}")
    click.echo(form.format(count=len(well), asked=len(found), hosts=_folded(well)))
    for words, names in answered_as_root(((one.host.id, one.collector) for one in found), sent, voice):
        click.echo(f"  {words}: {len(names)} × {folded(names)}")
    never = [h.id for h in hosts if h.connection in ("none", BY_HAND)]
    if never:
        form = voice.say("Never connected to, as the inventory says: {count}: {hosts}")
        click.echo(form.format(count=len(never), hosts=_folded(never)))
    for group in groups(troubles):
        click.echo()
        for line in lines(group, called, voice):
            click.echo(line)


def _folded(ids: Sequence[str]) -> str:
    return folded(clean(name) for name in ids)


# ---------------------------------------------------------------- candidate keys


def _check(file: str, settings: Settings, hosts: Sequence[Host]) -> None:
    """Raises InvalidInput for a file that is there, that would be trusted, or that could not be written."""
    from auditor.transports._endpoint import Routes

    routes = Routes(settings)
    trusted = {p for h in hosts if h.connection in ("ssh", "openssh") for p in routes.trusted(h)}
    path = Path(file)
    if os.path.realpath(path) in {os.path.realpath(os.path.expanduser(p)) for p in trusted}:
        raise InvalidInput(f"--candidate-keys: {file} is a known_hosts file in use: name one that nothing trusts")
    if os.path.lexists(path):
        raise InvalidInput(f"--candidate-keys: {file} is there already: name a new file")
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise InvalidInput(f"--candidate-keys: the folder {path.parent} is not there or cannot be written")


def _written(troubles: Sequence[Trouble], file: str, voice: Voice) -> tuple[Trouble, ...]:
    """Writes the keys that nobody knows, and marks the troubles that are then a matter of comparing."""
    text, written = candidates(troubles, voice)
    if not written:
        click.echo(
            voice.say("No unknown host key was shown: {file} is not written.").format(file=clean(file)), err=True
        )
        return tuple(troubles)
    _write(Path(file), text)
    count = text.count("\n") // 2
    click.echo(voice.say("{file}: keys to compare: {count}").format(file=clean(file), count=count), err=True)
    return tuple(replace(t, kind="key_written") if t in written else t for t in troubles)


def _write(path: Path, text: str) -> None:
    """The whole file or none, for its owner alone; never over another."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except FileExistsError:
        raise InvalidInput(f"--candidate-keys: {path} is there already: name a new file") from None
    except OSError as error:
        raise InvalidInput(f"--candidate-keys: {path} cannot be written: {error.strerror}") from None
