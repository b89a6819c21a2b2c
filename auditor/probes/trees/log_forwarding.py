"""What a tree of files tells of where its logs are sent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.log_forwarding import READERS, SENDERS, element
from auditor.readers.forwarders.target import Target
from auditor.readers.own_names import Own
from auditor.readers.trees import forwarders as trees
from auditor.readers.trees import starts, units
from auditor.readers.trees.places import naming

# The units that run each.
UNITS: Mapping[str, tuple[str, ...]] = {
    **{agent: (agent,) for agent in READERS},
    "journal-upload": ("systemd-journal-upload",),
    "fluent-bit": ("fluent-bit", "td-agent-bit"),
    "fluentd": ("fluentd", "td-agent"),
    "wazuh": ("wazuh-agent",),
    "splunk": ("SplunkForwarder", "splunk"),
}


STARTS = starts.question(dict.fromkeys(name for names in UNITS.values() for name in names))


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {**trees.QUESTIONS, "names": trees.NAMES, "units": units.UNITS, "starts": STARTS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """A forwarder that a link has started counts as one that runs; that it takes its configuration, only itself can tell."""
    told, started, own = trees.read(answers), units.read(answers["units"]), trees.own(answers["names"])
    elsewhere = None if started.whole else Unknown("not_observable", "forwarders of which this tree has no file")
    how = starts.read(answers["starts"])
    active = {agent: _goes(agent, told, started, how) for agent in UNITS}
    found = [_in_tree(agent, target, told, started, own, active[agent]) for agent, target in _set(told, started)]
    astray = (why for why in active.values() if isinstance(why, Unknown) and why.cause != "not_observable")
    missing = trees.worst(
        [told.gap, started.gap, elsewhere, *astray, how.beside(n for names in UNITS.values() for n in names)]
    )
    return {
        "targets": Partial(tuple(found), missing) if missing else found,
        "waiting": Unknown("not_observable"),
        WHERE: {"targets": tuple(path for files in told.shown.values() for path in list(files)[:1])},
    }


def _goes(agent: str, told: trees.Forwarders, started: units.Units, how: starts.Starts) -> bool | Unknown:
    """Whether it is started, with the files that are read here."""
    runs = started.runs(*UNITS[agent])
    own = [trees.MAIN[agent][1]] if agent in trees.MAIN else told.shown.get(agent, ())
    return (how.otherwise(UNITS[agent], own) if runs is True else None) or runs


def _set(told: trees.Forwarders, started: units.Units) -> Iterator[tuple[str, Target]]:
    for agent, read in READERS.items():
        files = told.texts.get(agent, {})
        for target in read(files):
            vague = agent in told.bare and target.tls is False and target.protocol != "udp"
            yield agent, replace(target, tls=NO_MAIN, verifies=NO_MAIN) if vague else target
        if not files and agent in (*SENDERS, "journal-upload") and started.runs(*UNITS[agent]) is True:
            yield agent, Target(*[Unknown("not_observable", f"where {agent} sends")] * 7)


NO_MAIN = Unknown("not_observable", "the file that the forwarder begins with")


def _in_tree(
    agent: str,
    target: Target,
    told: trees.Forwarders,
    started: units.Units,
    own: Own | Unknown,
    active: bool | Unknown,
) -> dict[str, Fact]:
    untaken = Unknown("not_observable", f"whether {agent} takes this configuration")
    shown = told.shown.get(agent, {})
    unseen = Unknown("not_observable", "connections")
    shown_as = replace(target, partial=untaken if target.partial is False else target.partial)
    one = {**element(agent, shown_as, active, own), "connected": unseen, "link": unseen}
    name = one["to"]
    itself = one["loopback"] if one["loopback"] is True else trees.is_own(name, own)
    named = naming(shown, name) if isinstance(name, str) else ()
    return {**one, "to_itself": itself, WHERE: named or tuple(shown)[:1] or started.place(*UNITS[agent])}
