"""`auditor inventory import`: CSV exports in; an estate's imported hosts, what changed, and a reconciliation out."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from auditor.commands import inputs
from auditor.errors import InvalidInput, Problem
from auditor.kinds import Voice
from auditor.load import yaml
from auditor.load.inventory import imported, merge, table
from auditor.load.inventory.merge import Merged, Reconciled
from auditor.load.inventory.sources import IMPORTED
from auditor.load.inventory.table import Machine
from auditor.model import Estate
from auditor.sentences import clean
from auditor.summary import folded

MAX_SHOWN = 20  # changed hosts that are shown one by one


def import_(file: tuple[str, ...], mapping: tuple[str, ...], out: str, lang: str | None) -> int:
    """0 when the estate is written; what people wrote is never touched. Raises InvalidInput with every problem."""
    speaking = inputs.voice(lang)
    exports = _exports(file, table.mapped(mapping))
    found = merge.merged(exports)
    folder = Path(out)
    target = folder / IMPORTED
    old, new = imported.before(target), imported.hosts(found.machines)
    _write(target, imported.text(new))
    if not any((folder / f"estate.{end}").exists() for end in ("yaml", "yml")):
        _write(folder / "estate.yaml", imported.ESTATE_YAML)
    for line in _said(exports, found, imported.changes(old, new), bool(old), speaking):
        click.echo(clean(line, 0))
    try:
        town, _ = inputs.load_estate([out])
    except InvalidInput as error:
        raise InvalidInput(
            [*error.problems, Problem(out, 0, 0, "imported, but the estate cannot be read as it stands")]
        ) from None
    for line in _estate(town, found, speaking):
        click.echo(clean(line, 0))
    click.echo(f"auditor run -i {out}", err=True)
    return 0


def _exports(files: Sequence[str], mapping: Mapping[str, str]) -> dict[str, Sequence[Machine]]:
    problems: list[Problem] = []
    exports: dict[str, Sequence[Machine]] = {}
    for name in files:
        path = Path(name)
        try:
            source = path.name if path.name not in exports else str(path)
            exports[source] = table.parsed(yaml.read(path), str(path), mapping)
        except InvalidInput as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidInput(problems)
    return exports


def _write(target: Path, text: str) -> None:
    """Whole or not at all, readable by its owner: an inventory names people."""
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, target)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise InvalidInput([Problem(str(target), 0, 0, f"cannot be written: {error.strerror}")]) from None


# ---------------------------------------------------------------- what is said


def _said(
    exports: Mapping[str, Sequence[Machine]], found: Reconciled, changed: imported.Changes, again: bool, voice: Voice
) -> Iterator[str]:
    say = voice.say
    for source, machines in exports.items():
        yield say("{source}: {count} machines").format(source=source, count=len(machines))
    yield say("together: {count} hosts").format(count=len(found.machines))
    if again:
        yield from _changes(changed, voice)
    yield say("Reconciliation")
    if len(exports) > 1:
        for source in exports:
            alone = [m.machine.name for m in found.machines if m.sources == [source]]
            yield from _line(say("only in {source}").format(source=source), alone)
    for source, repeated in found.twice.items():
        yield from _line(say("several times in {source}").format(source=source), repeated)
    for several in found.renamed:
        yield f"  {say('one serial number, several names')}: {', '.join(several)}"
    for address, sharing in found.shared.items():
        yield from _line(say("the same address {address}").format(address=address), sharing)
    yield from _line(say("no owner"), _lacking(found.machines, "owner"))
    yield from _line(say("no serial number"), _lacking(found.machines, "serial"))
    yield from _line(say("no address, only a name"), _lacking(found.machines, "address"))
    yield from _line(say("no operating system"), _lacking(found.machines, "os"))
    for status, names in sorted(_by_status(found.machines).items()):
        yield from _line(say("status {status}").format(status=status), names)


def _line(label: str, names: Iterable[str]) -> Iterator[str]:
    """Counted, and folded as ranges."""
    listed = list(names)
    if listed:
        yield f"  {label}: {len(listed)} ({folded(listed)})"


def _lacking(machines: Iterable[Merged], what: str) -> list[str]:
    return [m.machine.name for m in machines if not getattr(m.machine, what)]


def _by_status(machines: Iterable[Merged]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in machines:
        if one.machine.status:
            found.setdefault(one.machine.status, []).append(one.machine.name)
    return found


def _changes(changed: imported.Changes, voice: Voice) -> Iterator[str]:
    say = voice.say
    yield say("Since the last import")
    if not (changed.added or changed.gone or changed.changed):
        yield f"  {say('nothing changed')}"
    yield from _line(say("added"), changed.added)
    yield from _line(say("gone"), changed.gone)
    yield from _line(say("changed"), changed.changed)
    for name in list(changed.changed)[:MAX_SHOWN]:
        for key, (before, after) in changed.changed[name].items():
            yield f"    {name}: {key}: {before or '-'} > {after or '-'}"


def _estate(town: Estate, found: Reconciled, voice: Voice) -> Iterator[str]:
    """What only the whole estate, with what people wrote, can tell."""
    networks = [ipaddress.ip_network(a) for z in town.zones.values() for a in z.addresses]
    loose = [h.id for h in town.hosts if not h.zone and not _within(h.address, networks)]
    yield from _line(voice.say("no zone"), loose)
    imported_names = {m.machine.name for m in found.machines}
    yield from _line(voice.say("added by hand"), (h.id for h in town.hosts if h.id not in imported_names))


def _within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in n for n in networks)
