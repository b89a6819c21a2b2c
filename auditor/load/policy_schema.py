"""The probes in; the JSON Schema of a policy file, with each probe's arguments and facts in it, out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.kinds import DerivedProbe, Probe
from auditor.model import SEVERITIES
from auditor.operators import OPERATORS

Schema = dict[str, Any]
NAME = r"^\$[a-z]"  # a text that stands for a value: $target_days, $host.zone.vlan
ID = r"^[a-z][a-z0-9-]*$"

_TEXT: Schema = {
    "type": "object",
    "required": ["en", "fr"],
    "additionalProperties": False,
    "properties": {
        "en": {"type": "string", "minLength": 1, "description": "English."},
        "fr": {"type": "string", "minLength": 1, "description": "French."},
    },
}


# The keys of `references`, the same in measures and in controls.
FRAMEWORKS = {
    "anssi_hygiene": "ANSSI, Guide d'hygiène informatique, 42 measures; `.R` is the reinforced one.",
    "anssi_bp028": "ANSSI-BP-028 v2.0, configuration of a GNU/Linux system; its numbers are not those of v1.",
    "anssi_journ": "ANSSI, architecture of a logging system (journalisation).",
    "anssi_admin": "ANSSI, secure administration of information systems.",
    "anssi_ssh": "ANSSI, secure use of OpenSSH.",
    "anssi_tls": "ANSSI, security recommendations for TLS.",
    "anssi_interco": "ANSSI, interconnection of an information system to the Internet.",
    "anssi_ad": "ANSSI, control points of Active Directory.",
    "rgs": "Référentiel général de sécurité v2.0.",
    "cnil": "CNIL, Guide de la sécurité des données personnelles; or a deliberation, by its number.",
    "iso27001": "ISO/IEC 27001:2022, clauses.",
    "iso27002": "ISO/IEC 27002:2022, controls.",
    "nis2": "Directive (EU) 2022/2555: article 21(2), or another article.",
    "recyf": "ReCyF 2.5, measures.",
    "rgpd": "Regulation (EU) 2016/679 (GDPR), articles.",
    "cis8": "CIS Controls v8, safeguards.",
}


def policy_schema(probes: Mapping[str, Probe | DerivedProbe]) -> Schema:
    """Draft-07. A control's `args`, `expect`, `tolerate` and `concerns` follow from its `probe` (if/then)."""
    definitions: Schema = {"text": _TEXT}
    branches = []
    for name, probe in sorted(probes.items()):
        reference = _expect(probe.facts, f"expect.{name}", definitions)
        then = {"expect": reference, "tolerate": reference, "concerns": reference, "args": _arguments(probe.arguments)}
        # `required` keeps the branch from holding where there is no probe at all: that is an error of its own
        given = {"properties": {"probe": {"const": name}}, "required": ["probe"]}
        branches.append({"if": given, "then": {"properties": then}})
    definitions["control"] = {**_control(), "allOf": branches}
    definitions["control"]["properties"]["probe"]["enum"] = sorted(probes)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "auditor policy",
        "description": "A titled set of controls: what is asked of hosts, and what the answer must be.",
        "type": "object",
        "required": ["policy", "title", "controls"],
        "additionalProperties": False,
        "properties": {
            "policy": {"type": "string", "pattern": ID, "description": "The policy's id.", "examples": ["logging"]},
            "title": {"$ref": "#/definitions/text"},
            "controls": {
                "type": "array",
                "minItems": 1,
                "description": "The requirements, each made checkable.",
                "items": {"$ref": "#/definitions/control"},
            },
        },
        "definitions": definitions,
    }


def _control() -> Schema:
    def words(description: str, item: Schema | None = None) -> Schema:
        return {"type": "array", "description": description, "items": item or {"type": "string"}}

    return {
        "type": "object",
        "required": ["id", "measure", "revision", "title", "severity", "probe", "expect", "why", "fix"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "type": "string",
                "pattern": ID,
                "description": "Says the good state; never reused.",
                "examples": ["ssh-root-login-off"],
            },
            "measure": {"type": "string", "description": "The measure of measures.yaml that this checks."},
            "revision": {"type": "integer", "minimum": 1, "description": "Raised when the control asks for more."},
            "title": {"$ref": "#/definitions/text"},
            "severity": {"enum": list(SEVERITIES), "description": "How much a failure matters."},
            "applies_to": {
                "type": "object",
                "additionalProperties": False,
                "description": "Which hosts are asked; left out: all that the probe can ask.",
                "properties": {
                    "platforms": words("Platform families.", {"enum": ["linux", "windows", "cisco_ios", "fortios"]}),
                    "roles": words("Hosts that have one of these roles."),
                },
            },
            "probe": {"description": "The question asked (auditor list probes).", "enum": []},
            "args": {"type": "object", "description": "Literals and names of the estate ($host, $hosts, $zones)."},
            "expect": {"type": "object", "description": "What the facts must be for a pass."},
            "tolerate": {"type": "object", "description": "What they must be for a warning rather than a failure."},
            "concerns": {"type": "object", "description": "What they must be for the control to concern the host."},
            "why": {"$ref": "#/definitions/text"},
            "fix": {"$ref": "#/definitions/text"},
            "references": {
                "type": "object",
                "description": "Where other texts ask the same: name of the text to its items; a site may name its own.",
                "properties": {name: words(text) for name, text in FRAMEWORKS.items()},
                "additionalProperties": words("Items, as text."),
            },
        },
    }


def _arguments(schema: Mapping[str, Any]) -> Schema:
    properties = {name: _or_name(dict(one)) for name, one in schema.get("properties", {}).items()}
    return {**schema, "type": "object", "properties": properties, "additionalProperties": False}


def _or_name(schema: Schema) -> Schema:
    """The schema, or a `$name` in its place: said without anyOf, so that messages stay plain."""
    kinds = schema.get("type", "string")
    kinds = list(kinds) if isinstance(kinds, list) else [kinds]
    if "const" in schema or "string" in kinds:
        return schema
    return {**schema, "type": [*kinds, "string"], "pattern": NAME}


def _expect(facts: Mapping[str, Any], name: str, definitions: Schema) -> Schema:
    """Defines the expect of an object of facts: each dotted path to its operators, and the groups above paths."""
    reference = {"$ref": f"#/definitions/{name}"}
    properties: Schema = {}
    for path, schema in _paths(facts, ""):
        properties[path] = _operators(schema, f"{name}.{path}", definitions)
    group = {"type": "array", "minItems": 1, "items": reference}
    properties["any_of"] = {**group, "description": "At least one of these holds."}
    properties["all_of"] = {**group, "description": "All of these hold."}
    definitions[name] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "description": "Each fact by its path; what it must be.",
        "properties": properties,
    }
    return reference


def _paths(facts: Mapping[str, Any], prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, schema in facts.get("properties", {}).items():
        if "object" in _kinds(schema):
            found.extend(_paths(schema, f"{prefix}{name}."))
        else:
            found.append((prefix + name, schema))
    return found


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return list(kinds) if isinstance(kinds, list) else [kinds]


def _operators(schema: Mapping[str, Any], name: str, definitions: Schema) -> Schema:
    kinds = _kinds(schema)
    properties: Schema = {}
    for op, operator in OPERATORS.items():
        if set(kinds) & set(operator.on) or (op in ("absent", "present") and kinds):
            properties[op] = {**_taken(op, operator.takes, kinds), "description": f"{operator.sentence}."}
    if "array" in kinds:
        items = schema.get("items", {})
        deep = "object" in _kinds(items)
        inner = _expect(items, name, definitions) if deep else _operators(items, name, definitions)
        properties.update(dict.fromkeys(("every", "any", "none"), inner))
        bound = _or_name({"type": "integer", "minimum": 0})
        properties["count"] = {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "description": "How many elements there are.",
            "properties": dict.fromkeys(("at_least", "at_most", "equals"), bound),
        }
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "description": schema.get("description", ""),
        "properties": properties,
    }


def _taken(name: str, takes: Mapping[str, Any], kinds: list[str]) -> Schema:
    """What the operator takes on facts of these types: true or false for a boolean, a number for a number."""
    if name in ("equals", "not_equals"):
        own = [k for k in kinds if k not in ("null", "array")]
        return _or_name({"type": own if len(own) != 1 else own[0]})
    return _or_name(dict(takes))
