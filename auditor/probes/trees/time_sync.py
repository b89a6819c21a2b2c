"""What a tree of files tells of the sources that its clock asks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.medium import WHERE
from auditor.model import Answer, Command, Facts, Partial, Unknown
from auditor.probes.time_sync import PROBE
from auditor.readers.trees import clocks as trees
from auditor.readers.trees import units


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {"files": trees.FILES, "timesyncd": trees.TIMESYNCD, "units": units.UNITS, "starts": trees.STARTS}


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    """The sources that files name. A network gives others, by DHCP say, and what a daemon was built with is in no file."""
    told = trees.read(answers["files"], answers["timesyncd"], units.read(answers["units"]), answers["starts"])
    listed = [
        {"source": source, "kind": kind, WHERE: where}
        for sources in told.named.values()
        for source, kind, where in sources
    ]
    unseen = Unknown("not_observable")
    more = told.gap or Unknown("not_observable", "sources that are in no file")
    return {**dict.fromkeys(PROBE.facts["properties"], unseen), "sources": Partial(tuple(listed), more)}
