"""`auditor list`: controls, hosts, measures, probes or runs, one a line, tab-separated."""

from __future__ import annotations

from collections.abc import Iterator

import click

from auditor.commands import inputs
from auditor.commands.store_place import store_path
from auditor.document import stamp
from auditor.kinds import DerivedProbe
from auditor.sentences import clean
from auditor.store import Store


def list_(what: str, estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> int:
    lines = {"controls": _controls, "hosts": _hosts, "measures": _measures, "probes": _probes, "runs": _runs}[what]
    for line in lines(estate, probes, store, lang):
        click.echo("\t".join(clean(word) for word in line))
    return 0


def _controls(estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> Iterator[list[str]]:
    speaking = inputs.voice(lang)
    known, _ = inputs.all_probes(probes)
    for control in inputs.load_policies((), known).controls:
        yield [control.id, control.severity, control.measure, control.probe, speaking.text(control.title)]


def _hosts(estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> Iterator[list[str]]:
    town = inputs.load_estate(estate)[0]
    inputs.notify(town, lang)
    for host in town.hosts:
        roles = ",".join(host.roles) or "-"
        yield [host.id, host.address, host.connection, host.platform, host.perimeter or "-", host.zone or "-", roles]


def _measures(estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> Iterator[list[str]]:
    speaking = inputs.voice(lang)
    for one in inputs.load_policies((), inputs.all_probes(probes)[0]).measures.values():
        yield [one.id, one.article or "-", one.force or "-", one.owner or "-", speaking.text(one.title)]


def _probes(estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> Iterator[list[str]]:
    speaking = inputs.voice(lang)
    for name, probe in sorted(inputs.all_probes(probes)[0].items()):
        platforms = () if isinstance(probe, DerivedProbe) else dict.fromkeys((*probe.dialects, *probe.trees))
        over = f"over {probe.over}" if isinstance(probe, DerivedProbe) else ",".join(platforms)
        yield [name, over, speaking.text(probe.title)]


def _runs(estate: tuple[str, ...], probes: str | None, store: str | None, lang: str | None) -> Iterator[list[str]]:
    keeping = Store(store_path(store), create=False)
    try:
        for h in keeping.runs():
            state = f"{h.state}, replay of {h.replay.number}" if h.replay else h.state
            yield [str(h.number), h.id or "-", state, stamp(h.started_at), str(h.hosts_expected), h.estate or "-"]
    finally:
        keeping.close()
