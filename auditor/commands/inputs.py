"""What several commands load in the same way: schemas, policies, the estate, decisions, the voice that reports speak with."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from auditor import credentials, shelves
from auditor.authorisation import authorised
from auditor.commands import trees
from auditor.commands.chosen import named, selected
from auditor.commands.roles import misspelt
from auditor.errors import InvalidInput, Problem
from auditor.kinds import TREE, Ask, DerivedProbe, Probe, Settings, Voice, asked_of
from auditor.load import decisions, declared, estate, policies
from auditor.load.policy_schema import policy_schema
from auditor.model import UNNAMED, Command, Control, Estate, Host, Measure, Text
from auditor.plan import Plan
from auditor.records import Record
from auditor.sentences import clean
from auditor.snapshot import Snapshot

Probes = Mapping[str, Probe | DerivedProbe]
T = TypeVar("T")
STATIC_SCHEMAS = (
    "measures", "inventory", "estate", "register", "attestation", "recommendation", *decisions.KINDS, "form", "run",
)  # fmt: skip
SCHEMAS = ("policy", *STATIC_SCHEMAS)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that people wrote, loaded; `digests` by file."""

    plan: Plan
    records: tuple[Record, ...]
    controls: Mapping[str, Control]  # every control that exists, selected or not: a decision may be about any
    measures: Mapping[str, Measure]
    digests: Mapping[str, str]
    kept: Snapshot  # what a run keeps of it, to be judged anew


def static_schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shelves.PACKAGE / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def all_probes(folder: str | None) -> tuple[Probes, dict[str, str]]:
    """The shipped probes and a site's own, and the digests of the latter."""
    if not folder:
        return shelves.probes(), {}
    site, digests = shelves.site_probes(Path(folder))
    known = {**shelves.probes(), **site}
    problems = [
        Problem(file, 0, 0, f"it is over '{probe.over}', which is no probe that asks hosts")
        for file, probe in zip(digests, site.values(), strict=True)
        if isinstance(probe, DerivedProbe) and not isinstance(known.get(probe.over), Probe)
    ]
    if problems:
        raise InvalidInput(problems)
    return known, digests


def load_policies(paths: tuple[str, ...], probes: Probes) -> policies.Policies:
    if not paths and probes.keys() == shelves.probes().keys():  # a site's probe has a name of its own
        return _shipped()
    return _policies([Path(p) for p in paths] or [shelves.packaged("policies")], probes)


@lru_cache(maxsize=1)
def _shipped() -> policies.Policies:
    """The shipped policies on the shipped probes: both sides of `--trusted` may be they."""
    return _policies([shelves.packaged("policies")], shelves.probes())


def _policies(chosen: list[Path], probes: Probes) -> policies.Policies:
    shipped = probes.keys() == shelves.probes().keys()
    return policies.load(chosen, _shipped_schemas() if shipped else _schemas(probes))


@lru_cache(maxsize=1)
def _shipped_schemas() -> policies.Schemas:
    return _schemas(shelves.probes())


def _schemas(probes: Probes) -> policies.Schemas:
    whole = frozenset(n for n, p in probes.items() if asked_of(p) == "perimeter")
    return policies.Schemas(policy_schema(probes), static_schema("measures"), whole)


def load_estate(paths: Sequence[str], today: str = "") -> tuple[Estate, dict[str, str]]:
    """The estate (the first path, and inventories that add hosts to it), or this machine alone when there is none."""
    if not paths:
        return this_machine(), {}
    wanted = estate.Schemas(
        *(static_schema(n) for n in ("inventory", "estate", "register", "recommendation", "attestation"))
    )
    town, digests = estate.load(Path(paths[0]), wanted, [Path(p) for p in paths[1:]])
    return authorised(town, today or as_of(None)), digests


def notify(town: Estate, lang: str | None) -> None:
    """What the reader of the inventory ought to know, once, on stderr."""
    speaking = voice(lang)
    for notice in town.notices:
        click.echo(clean(speaking.text(notice)), err=True)


def this_machine() -> Estate:
    system = {"Linux": "linux", "Windows": "windows"}.get(platform.system(), "other")
    name = platform.node() or "localhost"
    host = Host(name, "localhost", connection="local", platform=system, perimeter=UNNAMED)
    return Estate((host,), declared=False, source="")


def load_decisions(
    paths: Sequence[str], expecting: Callable[[], decisions.Expects | None] = lambda: None
) -> tuple[tuple[Record, ...], dict[str, str]]:
    """The records of the first estate; `expecting` gives what an expect in them may say, where that is known."""
    if not paths:
        return (), {}
    folder = estate_folder(paths) / "decisions"
    return decisions.load(folder, decision_schemas(), expecting() if folder.is_dir() else None)


def estate_folder(paths: Sequence[str]) -> Path:
    """The first path, or where that inventory lies."""
    first = Path(paths[0])
    return first if first.is_dir() else first.parent


def decision_schemas() -> dict[str, dict[str, Any]]:
    return {kind: static_schema(kind) for kind in decisions.KINDS}


def expects(probes: Probes, chosen: policies.Policies) -> decisions.Expects:
    """What an expect in a decision may say of each control."""
    return decisions.Expects(
        policy_schema(probes)["definitions"],
        {c.id: c.probe for c in chosen.controls},
        {c.id: chosen.measures[c.measure].parameters for c in chosen.controls},
    )


def load(
    policy: tuple[str, ...],
    estate_paths: Sequence[str],
    limit: str | None,
    probes_dir: str | None,
    then: Snapshot | None = None,
    today: str = "",
    given_trees: tuple[str, ...] = (),
    work: str = "",
    owing: bool = False,
) -> Inputs:
    """All of it; every problem of all files in one InvalidInput.

    `then` is what a run was judged by: where no estate is given, its own and its decisions count; only its hosts do. `today` is
    the day that an estate's authorisations are held against, where it is another than the real one. Trees are looked for from
    the folder `work`; `owing`: also of the hosts that are chosen and of which none is given.
    """
    recalled = then if then and not estate_paths else None
    probes, probe_digests = all_probes(probes_dir)
    chosen, (town, estate_digests), (records, decision_digests) = _written(
        policy, estate_paths, probes, today, recalled
    )
    shipped = load_policies((), probes) if policy else chosen
    controls = {c.id: c for c in (*shipped.controls, *chosen.controls)}
    town = replace(town, notices=(*town.notices, *misspelt(town, controls.values(), probes)))
    only = then.chosen if then else ()
    if given_trees:
        town = trees.standing_in(town, given_trees, work)
        if owing:
            town = trees.owed(town, selected(town, limit), asked_of_files(probes))
        hosts = tuple(h for h in town.hosts if h.connection == TREE)
    else:
        hosts = named(town, only) if only else selected(town, limit)
    trees.check(hosts, work)
    whole = not limit and not only and not given_trees
    plan = Plan(town, hosts, chosen.controls, chosen.measures, chosen.in_force, probes, whole=whole)
    if plan.count() == 0:
        raise InvalidInput("nothing to audit: no control of these policies applies to any of these hosts")
    measures = {**shipped.measures, **chosen.measures}
    unread = list(declared.unmeasured(town, measures))
    if unread:
        raise InvalidInput(unread)
    of_estate = {**estate_digests, **decision_digests}
    kept = Snapshot(town, () if whole else tuple(h.id for h in hosts), records, of_estate)
    return Inputs(plan, records, controls, measures, {**chosen.digests, **of_estate, **probe_digests}, kept)


def asked_of_files(probes: Probes) -> frozenset[str]:
    """The platforms of which files can tell something."""
    return frozenset(p for probe in probes.values() if isinstance(probe, Probe) for p in probe.trees)


def _written(
    policy: tuple[str, ...], estate_paths: Sequence[str], probes: Probes, today: str, recalled: Snapshot | None
) -> tuple[policies.Policies, tuple[Estate, dict[str, str]], tuple[tuple[Record, ...], dict[str, str]]]:
    """Policies, the estate and its decisions, with their digests; the latter two as they were, where they are recalled."""
    problems: list[Problem] = []

    def tried(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InvalidInput as error:
            problems.extend(error.problems)
            return None

    chosen = tried(lambda: load_policies(policy, probes))
    town = tried(lambda: (recalled.estate, dict(recalled.digests)) if recalled else load_estate(estate_paths, today))

    def expecting() -> decisions.Expects | None:
        return expects(probes, chosen) if chosen else None

    records = tried(lambda: (recalled.records, {}) if recalled else load_decisions(estate_paths, expecting))
    if problems or not (chosen and town and records):
        raise InvalidInput(problems)
    return chosen, town, records


def elevated(probes: Probes) -> tuple[Command, ...]:
    """Every elevated question of the catalogue, whatever its arguments: the one fixed text is made of them.

    Windows has no sudo: what an ordinary account cannot tell there is asked all the same, and refused.
    """
    found: dict[Command, None] = {}
    for probe in probes.values():
        if isinstance(probe, Probe):
            for dialect in (probe.dialects[platform] for platform in probe.dialects if platform != "windows"):
                found.update(dict.fromkeys(c for c in dialect.commands({}).values() if c.elevated))
    return tuple(found)


def civil(at: float) -> datetime:
    """A moment as clocks in France show it."""
    return datetime.fromtimestamp(at, ZoneInfo("Europe/Paris"))


def asks(hosts: Sequence[Host], settings: Settings) -> dict[str, Ask]:
    """The transports that these hosts need, opened."""
    needed = {h.connection for h in hosts} & set(shelves.TRANSPORTS.names())
    return {name: shelves.TRANSPORTS[name].open(settings) for name in sorted(needed)}


def settings(probes: Probes, town: Estate | None = None) -> Settings:
    """What transports need to ask with these probes; secrets and trials are shared by all of them."""
    return Settings(
        clock=time.time,
        elevated=elevated(probes),
        secrets=credentials.Secrets(),
        trials=credentials.Trials(),
        estate=town,
    )


def as_of(given: str | None) -> str:
    """The civil day in France that decisions are judged on, ISO."""
    return day_of("--as-of", given)


def day_of(option: str, given: str | None) -> str:
    """The civil day that an option gives, ISO; today in France without one."""
    if not given:
        return civil(time.time()).date().isoformat()
    try:
        if date.fromisoformat(given).isoformat() == given:  # Python also reads 20261130 and 2026-W48-1
            return given
        raise ValueError(given)
    except ValueError:
        raise InvalidInput(f"{option}: '{given}' is no day; write it as 2026-11-30") from None


def plus_days(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def end_of(day: str) -> float:
    """When this day ends in France, in seconds since 1970 UTC."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.max.time(), ZoneInfo("Europe/Paris"))
    return midnight.timestamp()


def language(given: str | None) -> str:
    """`--lang`, then the locale's variables, then English."""
    wanted = given or next((v for n in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(n))), "en")
    return "fr" if wanted.startswith("fr") else "en"


def voice(lang: str | None, stream_is_terminal: bool = False, details: bool = False) -> Voice:
    chosen = language(lang)
    catalogue: dict[str, str] = {}
    if chosen != "en":
        catalogue = json.loads((shelves.PACKAGE / "locale" / f"{chosen}.json").read_text("utf-8"))

    def text(texts: Text) -> str:
        return texts.get(chosen) or texts.get("en", "")

    quiet = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    width = shutil.get_terminal_size((100, 24)).columns if stream_is_terminal else 100
    colour = stream_is_terminal and not quiet
    return Voice(chosen, lambda m: catalogue.get(m, m), text, colour, details, max(60, min(width, 140)))


def stdout_is_terminal() -> bool:
    return sys.stdout.isatty()
