"""Small whole nouns for tests: each with defaults, and changes by keyword."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from auditor.audit import Pace
from auditor.collect import Places
from auditor.decisions import InForce
from auditor.framing.sh import HELLO
from auditor.kinds import DerivedProbe, Dialect, Probe
from auditor.load import decisions, estate, policies
from auditor.load.policy_schema import policy_schema
from auditor.model import (
    Answer,
    Check,
    Command,
    Control,
    Entity,
    Estate,
    Facts,
    Finding,
    Header,
    Host,
    Measure,
    Outcome,
    Output,
    Perimeter,
    Question,
    Signatory,
    Subject,
    Unknown,
    Zone,
)
from auditor.plan import Plan
from auditor.records import (
    Acceptance,
    Action,
    Adaptation,
    Exemption,
    Level,
    Notice,
    Proof,
    Recommendation,
    Risk,
    Scope,
    Signature,
)
from auditor.store import Catalogue, Store, StoredRun

NOON = 1795000000.0
ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "auditor" / "schemas"
BOTH = {"en": "Said in English.", "fr": "Dit en français."}
NOBODY = InForce()


def text(en: str = "A title", fr: str = "Un titre") -> dict[str, str]:
    return {"en": en, "fr": fr}


def make_host(id: str = "web01", **changes: Any) -> Host:
    return Host(**{"id": id, "address": f"{id}.invalid", "perimeter": "own", **changes})


def make_estate(*hosts: Host, **changes: Any) -> Estate:
    given: dict[str, Any] = {
        "hosts": hosts or (make_host(),),
        "perimeters": {
            "own": Perimeter("own", "TOWN"),
            "common": Perimeter("common", "TOWN", "shared"),
        },
        "zones": {"dmz": Zone("dmz", 60, ("10.62.60.0/24",)), "bare": Zone("bare")},
        "entities": {"TOWN": Entity("TOWN"), "OTHER": Entity("OTHER")},
        "signatories": (
            Signatory("mayor", "TOWN", "2026-01-01", "2026-12-31"),
            Signatory("chair", "OTHER"),
            Signatory("ssi-lead", "TOWN", may=("exemption",)),
        ),
        "recommendations": {"REC-1": make_recommendation()},
        "source": "town",
    }
    return Estate(**{**given, **changes})


def make_measure(id: str = "log-retention", **changes: Any) -> Measure:
    given: dict[str, Any] = {"id": id, "title": text(), "parameters": {"target_days": 365, "limit_days": 180}}
    return Measure(**{**given, **changes})


def make_control(id: str = "kept-long-enough", **changes: Any) -> Control:
    given: dict[str, Any] = {
        "id": id,
        "policy": "sample",
        "measure": "log-retention",
        "revision": 1,
        "title": text(),
        "severity": "high",
        "probe": "sample",
        "expect": {"days": {"at_least": 365}},
        "why": BOTH,
        "fix": BOTH,
        "source": "sample.yaml:4",
    }
    return Control(**{**given, **changes})


def facts_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


FACTS = facts_schema(
    days={"type": "integer", "description": "Days."},
    on={"type": "boolean", "description": "Whether it is on."},
    name={"type": "string", "description": "A name."},
    names={"type": "array", "description": "Names.", "items": {"type": "string", "description": "A name."}},
    accounts={
        "type": "array",
        "description": "Accounts.",
        "items": {
            "type": "object",
            "x-name": "account",
            "properties": {
                "account": {"type": "string", "x-person": True, "description": "The login."},
                "days": {"type": "integer", "description": "Days."},
            },
        },
    },
)


def command(text: str = "echo 400", **changes: Any) -> Command:
    return Command(text, **changes)


def make_probe(
    parse: Callable[[Mapping[str, Answer], Mapping[str, Any]], Facts] | None = None,
    commands: Callable[[Mapping[str, Any]], Mapping[str, Command]] | None = None,
    **changes: Any,
) -> Probe:
    """By default `days` is the number that the one command printed."""

    def days(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
        answer = answers["days"]
        told: Any = int(answer.text) if isinstance(answer, Output) else answer.unknown()
        return {**{name: Unknown("not_told") for name in FACTS["properties"]}, "days": told}

    dialect = Dialect(commands or (lambda args: {"days": command()}), parse or days)
    return Probe(**{"title": text(), "facts": FACTS, "dialects": {"linux": dialect}, **changes})


def make_derived(over: str = "sample", fold: Any = None, **changes: Any) -> DerivedProbe:
    """By default `names` are the hosts that told, and `days` the least of theirs."""

    def least(subject: Subject, seen: Iterable[tuple[str, Any]]) -> Facts:
        told = {host: facts["days"] if isinstance(facts, Mapping) else facts for host, facts in seen}
        unknown = next((d for d in told.values() if isinstance(d, Unknown)), None)
        return {"days": unknown or min(told.values(), default=Unknown("nothing_asked", "no host")), "names": list(told)}

    return DerivedProbe(text(), over, FACTS, fold or least, **changes)


def make_plan(
    estate: Estate | None = None,
    controls: Iterable[Control] | None = None,
    probes: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Plan:
    town = estate or make_estate()
    given: dict[str, Any] = {
        "estate": town,
        "hosts": town.hosts,
        "controls": tuple(controls if controls is not None else [make_control()]),
        "measures": {"log-retention": make_measure()},
        "in_force": ("log-retention",),
        "probes": probes or {"sample": make_probe()},
    }
    return Plan(**{**given, **changes})


SEALED = Proof("documents/AR-1.txt", "ab" * 32, "ab" * 32)


def make_recommendation(id: str = "REC-1", **changes: Any) -> Recommendation:
    given: dict[str, Any] = {
        "id": id,
        "perimeter": "own",
        "controls": ("kept-long-enough", "other-control", "of-collectors", "of-windows", "of-the-whole", "gone", "*"),
        "text": "Keep the logs.",
        "issued_by": "OTHER",
        "communicated_at": "2026-05-01",
        "source": f"recommendations/{id}.yaml:2",
    }
    return Recommendation(**{**given, **changes})


def _decision(id: str, changes: dict[str, Any]) -> dict[str, Any]:
    """What all kinds say; the fields of scope and signature may be given by themselves."""
    scope = {
        k: changes.pop(k) for k in ("hosts", "groups", "roles", "zones", "networks", "frozen", "count") if k in changes
    }
    signed = {
        k: changes.pop(k) for k in ("role", "signed_at", "effective_from", "delegation_ref", "intact") if k in changes
    }
    signed = {"role": "mayor", "signed_at": "2026-06-01", **signed}
    given: dict[str, Any] = {
        "id": id,
        "perimeter": "own",
        "entity": "TOWN",
        "controls": ("kept-long-enough",),
        "scope": Scope(**{"hosts": ("web01",), **scope}),
        "justification": "The machine is replaced next year.",
        "signature": Signature(**{"effective_from": signed["signed_at"], **signed}),
        "expires": "2026-12-31",
        "proofs": (SEALED,),
        "source": f"decisions/{id}.yaml:1",
    }
    return {**given, **changes}


def make_acceptance(id: str = "ACC-1", **changes: Any) -> Acceptance:
    return Acceptance(**{"recommendation": "REC-1", **_decision(id, changes)})


def make_adaptation(id: str = "ADA-1", **changes: Any) -> Adaptation:
    """Of the target of 365 days, to 100, on the shared perimeter."""
    given: dict[str, Any] = {
        "perimeter": "common",
        "hosts": ("shared01",),
        "measure": "log-retention",
        "parameters": {"target_days": 100, "limit_days": 50},
        "informed": (Notice("OTHER", "2026-05-20"),),
        "proofs": (),
    }
    return Adaptation(**_decision(id, {**given, **changes}))


def make_exemption(id: str = "EXE-1", **changes: Any) -> Exemption:
    low = Risk(Level(niveau="faible"), Level(niveau="faible"))
    return Exemption(**_decision(id, {"role": "ssi-lead", "risk": low, **changes}))


def make_action(id: str = "ACT-1", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": id,
        "perimeter": "own",
        "controls": ("kept-long-enough",),
        "scope": Scope(hosts=("web01",)),
        "text": "Buy a disk.",
        "responsible": "mayor",
        "due": "2026-12-01",
        "source": f"decisions/{id}.yaml:1",
    }
    return Action(**{**given, **changes})


def make_finding(outcome: Outcome | None = Outcome.FAIL, host: str = "web01", seq: int = 0, **changes: Any) -> Finding:
    given: dict[str, Any] = {
        "seq": seq,
        "subject": Subject("host", host, "own"),
        "control": "kept-long-enough",
        "outcome": outcome,
        "severity": "high",
        "fingerprint": f"{seq:032x}",
    }
    return Finding(**{**given, **changes})


def output(stdout: str = "", exit_code: int = 0, **changes: Any) -> Output:
    return Output(
        **{"exit_code": exit_code, "stdout": stdout.encode(), "stderr": b"", "at": NOON, "host_at": NOON, **changes}
    )


def hello(system: str = "Linux", name: str = "web01") -> Output:
    return output(f"{system}\n{name}\n0\n{NOON:.0f}\n0123456789abcdef")


def told(commands: Iterable[Command], stdout: str = "400", name: str = "web01") -> dict[Command, Answer]:
    """Every command answered: what it is first, then the same text."""
    return {c: hello(name=name) if c == HELLO else output(stdout) for c in commands}


def ask_with(stdout: str = "400") -> Any:
    """A transport that answers everything."""

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        yield from told(commands, stdout, host.id).items()

    return ask


def make_check(control: Control | None = None, **changes: Any) -> Check:
    return Check(
        **{"seq": 0, "control": control or make_control(), "subject": Subject("host", "web01", "own"), **changes}
    )


def make_question(**changes: Any) -> Question:
    return Question(**{"probe": "sample", "arguments": {}, "commands": {"days": command()}, **changes})


def make_header(**changes: Any) -> Header:
    given: dict[str, Any] = {
        "number": 0,
        "id": "",
        "state": "open",
        "started_at": NOON,
        "finished_at": 0.0,
        "as_of": "2026-11-21",
        "version": "0",
        "estate": "town",
        "declared": True,
        "hosts_expected": 1,
        "checks_planned": 1,
    }
    return Header(**{**given, **changes})


def begin(store: Store, plan: Plan | None = None, **changes: Any) -> StoredRun:
    plan = plan or make_plan()
    header = make_header(hosts_expected=len(plan.hosts), checks_planned=plan.count(), **changes)
    return store.begin(header, Catalogue({c.id: c for c in plan.controls}, plan.measures, plan.estate.perimeters))


def make_pace(jobs: int = 4, **changes: Any) -> Pace:
    return Pace(
        **{
            "places": Places(jobs),
            "deadline_s": 5.0,
            "clock": lambda: NOON,
            "done": lambda host, earlier: None,
            "uninterrupted": nullcontext,
            **changes,
        }
    )


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return loaded


def policy_schemas(probes: Mapping[str, Any] | None = None) -> policies.Schemas:
    return policies.Schemas(policy_schema(probes or {"sample": make_probe(arguments=ARGUMENTS)}), schema("measures"))


ARGUMENTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "networks": {"type": "array", "items": {"type": "string"}, "description": "Networks."},
        "vlan": {"type": "integer", "description": "A VLAN."},
    },
}


def estate_schemas() -> estate.Schemas:
    names = ("inventory", "estate", "register", "recommendation", "attestation")
    return estate.Schemas(*map(schema, names))


def decision_schemas() -> dict[str, dict[str, Any]]:
    return {kind: schema(kind) for kind in decisions.KINDS}


# ---------------------------------------------------------------- files that people write

MEASURES_YAML = """\
measures:
  - id: log-retention
    title: {en: Logs are kept, fr: Les journaux sont conservés}
    quote: "une conservation centralisée"
    article: art. 5
    force: approximate
    kind: [host]
    regime: {shared: adaptation, exclusive: acceptance}
    parameters:
      target_days: {value: 365, unit: days, source: "the convention"}
"""

POLICY_YAML = """\
policy: sample
title: {en: Sample, fr: Exemple}
controls:
  - id: kept-long-enough
    measure: log-retention
    revision: 1
    title: {en: Logs are kept long enough, fr: Les journaux sont conservés assez longtemps}
    severity: high
    probe: sample
    expect:
      days: {at_least: $target_days}
    why: {en: It is asked., fr: C'est demandé.}
    fix: {en: Keep them., fr: Les conserver.}
    references: {anssi_hygiene: ["36"]}
"""

ESTATE_YAML = """\
entities:
  - {id: TOWN}
  - {id: OTHER}
perimeters:
  - {id: own, owner: TOWN, kind: exclusive}
zones:
  - {id: dmz, vlan: 60, addresses: [10.62.60.0/24]}
signatories:
  - {role: mayor, entity: TOWN, since: "2026-01-01"}
hosts:
  all: {perimeter: own, zone: dmz}
"""

SIGNED = "Signed by the mayor.\n"  # what the document of the records below holds

ACCEPTANCE_YAML = f"""\
kind: acceptance
id: ACC-1
perimeter: own
owner_entity: TOWN
recommendation: REC-1
controls: [kept-long-enough]
scope: {{hosts: [web01]}}
justification: The machine is replaced next year.
decision: {{role: mayor, signed_at: 2026-06-01}}
expires: 2027-06-01
evidence: {{document: documents/AR-1.txt, sha256: {hashlib.sha256(SIGNED.encode()).hexdigest()}}}
"""

RECOMMENDATION_YAML = """\
kind: recommendation
id: REC-1
perimeter: own
controls: [kept-long-enough]
text: Keep the logs.
issued_by: OTHER
communicated_at: 2026-05-01
"""

# Files by the names that `write` takes: one acceptance that holds from 2026-06-01 to 2027-06-01.
ACCEPTED = {
    "decisions__a": ACCEPTANCE_YAML,
    "decisions__documents__AR-1.txt": SIGNED,
    "recommendations__a": RECOMMENDATION_YAML,
}

# A site's own probe: `days` is what the environment of the test put in the file.
SITE_PROBE = """\
from auditor.kinds import Dialect, Probe
from auditor.model import Command, Output, Unknown

def _commands(args):
    return {{"days": Command({text!r}, timeout_s={timeout_s})}}

def _parse(answers, args):
    answer = answers["days"]
    if not isinstance(answer, Output):
        return {{"days": answer.unknown()}}
    if not answer.text.strip():
        return {{"days": Unknown("not_told")}}
    return {{"days": int(answer.text)}}

PROBE = Probe(
    title={{"en": "Days", "fr": "Jours"}},
    facts={{"type": "object", "properties": {{"days": {{"type": "integer", "description": "Days."}}}}}},
    dialects={{"linux": Dialect(_commands, _parse)}},
)
"""


def write(folder: Path, **files: str) -> Path:
    """Files by name; `__` stands for a slash, and `.yaml` is added where there is no dot."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ("" if "." in name else ".yaml"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def site(folder: Path, text: str = "echo 400", timeout_s: int = 20) -> list[str]:
    """A site's probe and one policy on it; the arguments that `auditor run` and `plan` need for them."""
    write(folder, policies__measures=MEASURES_YAML, policies__sample=POLICY_YAML)
    write(folder, **{"probes__sample.py": SITE_PROBE.format(text=text, timeout_s=timeout_s)})
    return [str(folder / "policies" / "sample.yaml"), "--probes", str(folder / "probes")]


def altered(answers: Mapping[str, Any], name: str, at: int, put: bytes, taken: int) -> dict[str, Answer]:
    """The answers of a recorded case, in one of which some bytes stand in the place of others."""
    told: dict[str, Answer] = {}
    for one, spec in answers.items():
        raw = str(spec.get("stdout", "")).encode()
        raw = raw[:at] + put + raw[at + taken :] if one == name else raw
        told[one] = Output(0, raw, b"", 1795000000.0, 1795000000.0)
    return told
