"""An estate, controls and probes in; the roles of hosts that are most likely misspelt, in words and with their place, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor.kinds import DerivedProbe, Probe
from auditor.load.schema import nearest
from auditor.load.tiers import CONTROLLER
from auditor.model import Control, Estate, Text
from auditor.plan.names import named

LIKE = 0.8  # the site's own web-front is no web-filter


def misspelt(town: Estate, controls: Iterable[Control], probes: Mapping[str, Probe | DerivedProbe]) -> Iterator[Text]:
    """Those that nothing speaks of and that are like one that something does. Any other role is a word of the site's own."""
    spoken = sorted(_spoken(controls, probes)) if town.roles_at else ()
    for role, at in town.roles_at.items():
        near = nearest(role.lower(), spoken, LIKE) if role not in spoken else ""
        if near:
            yield {
                "en": f"{at}: no control and no probe speaks of the role '{role}'; did you mean '{near}'?",
                "fr": f"{at} : aucun contrôle ni aucune sonde ne parle du rôle « {role} » ; vouliez-vous dire « {near} » ?",
            }


def _spoken(controls: Iterable[Control], probes: Mapping[str, Probe | DerivedProbe]) -> set[str]:
    """Roles that choose hosts for a control, that a `$hosts.ROLE.addresses` names, that a probe looks for; and the controllers'."""
    found = {CONTROLLER, *(role for probe in probes.values() for role in probe.roles)}
    for control in controls:
        found.update(control.roles)
        names = named(control.arguments, control.expect, control.tolerate, control.concerns)
        found.update(n.split(".")[1] for n in names if n.startswith("hosts."))
    return found
