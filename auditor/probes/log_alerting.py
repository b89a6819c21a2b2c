"""What looks for anomalies on a log collector, and whether it has rules to do so: processes and rule files in, products out. Pure.

What monitors availability (Zabbix, Icinga, Centreon) and what only sends logs on is none. A product whose rules are in a
database of its own is there, and what it looks for is Unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.kinds import Dialect, Probe
from auditor.model import Answer, Command, Fact, Facts, Partial, Unknown
from auditor.probes.questions import alerting
from auditor.probes.questions.alerting import ALERTING, ALERTING_ROOT, Told
from auditor.readers import processes
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.undated import undated


@dataclass(frozen=True, slots=True)
class Product:
    """One whose rules are files. `certain`: these are all the names that it may run under."""

    name: str
    key: str
    watches: str
    processes: tuple[str, ...]
    homes: tuple[str, ...] = ()
    certain: bool = True


PYTHONS = ("/usr/bin", "/usr/local/bin", "/opt/elastalert", "/opt/elastalert2")
PRODUCTS = (
    Product("Wazuh", "wazuh", "logs", ("wazuh-analysisd", "ossec-analysisd"), ("/var/ossec",)),
    Product("CrowdSec", "crowdsec", "logs", ("crowdsec",)),
    Product("ElastAlert", "elastalert", "logs", ("elastalert",), PYTHONS, certain=False),
    Product("Suricata", "suricata", "network", ("Suricata-Main",), ("/usr/bin", "/usr/sbin", "/usr/local/bin")),
)
OURS = processes.among(*(name for product in PRODUCTS for name in product.processes))


def commands(_args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "alerting": ALERTING,
        "alerting_root": ALERTING_ROOT,
        "processes": PROCESSES,
        "processes_root": PROCESSES_ROOT,
    }


def parse(answers: Mapping[str, Answer], _args: Mapping[str, Any]) -> Facts:
    told = alerting.read(answers["alerting_root"], answers["alerting"])
    seen = processes.read(answers["processes_root"], answers["processes"])
    found = [_product(p, told, seen) for p in PRODUCTS if _there(p, told, seen)]
    known = {p["product"] for p in found}
    found += [_unread(name) for name in told.unread if name not in known]
    missing = told.missing or seen.missing or _denied(told, known)
    return {"products": Partial(tuple(found), missing) if missing else found}


def _there(product: Product, told: Told, seen: Processes) -> bool:
    return product.key in told.there or seen.found(product.processes, product.homes) is not None


def _denied(told: Told, known: set[Fact]) -> Unknown | None:
    """A product that may be there, for what would tell is closed."""
    return next((told.untold[p.key] for p in PRODUCTS if p.key in told.untold and p.name not in known), None)


def _product(product: Product, told: Told, seen: Processes) -> dict[str, Fact]:
    running = _running(product, told, seen)
    idle = Unknown("not_told", f"{product.name} does not run")
    return {
        "product": product.name,
        "watches": product.watches,
        "running": running,
        "rule_files": idle if running is False else _rule_files(product, told),
    }


def _running(product: Product, told: Told, seen: Processes) -> bool | Unknown:
    running = seen.runs(product.processes, product.homes)
    if running is True and product.key in told.off:
        return Unknown("not_told", told.off[product.key])
    if running is False and not product.certain:
        return Unknown("not_told", f"under which name {product.name} runs")
    return running


def _rule_files(product: Product, told: Told) -> int | Unknown:
    """Those that it surely read when it started; what changed since may have been read, or not."""
    before, since = told.rules.get(product.key, (0, 0))
    if before:
        return told.untold.get(product.key, before)
    if product.key in told.untold:
        return told.untold[product.key]
    if product.key not in told.rules:
        return told.missing or Unknown("not_told", f"the rules of {product.name}")
    return Unknown("not_told", f"the rules of {product.name} changed after it started") if since else 0


def _unread(name: str) -> dict[str, Fact]:
    return {
        "product": name,
        "watches": "logs",
        "running": Unknown("not_told", f"whether {name} runs to look for anomalies"),
        "rule_files": Unknown("not_told", f"where {name} keeps its rules is not read"),
    }


PROBE = Probe(
    title={"en": "What looks for anomalies in logs", "fr": "Recherche d'anomalies dans les journaux"},
    privilege={
        "en": "root: rules and settings of Wazuh, CrowdSec and Suricata are closed to others; nothing of them but numbers leaves the host",
        "fr": "root : règles et réglages de Wazuh, CrowdSec et Suricata sont fermés aux autres ; seuls des nombres en sortent",
    },
    facts={
        "type": "object",
        "properties": {
            "products": {
                "type": "array",
                "description": "The known products on the host that look for anomalies and raise alerts.",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "Its name."},
                        "watches": {"type": "string", "description": "What it looks at: logs or network."},
                        "running": {"type": "boolean", "description": "Whether its program that judges runs."},
                        "rule_files": {
                            "type": "integer",
                            "description": "Files that hold a rule that can raise an alert, unchanged since it started.",
                        },
                    },
                },
            },
        },
    },
    dialects={"linux": Dialect(commands, undated(parse, processes=OURS, processes_root=OURS))},
)
