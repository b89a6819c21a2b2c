"""Nouns to the plain values of the run document (schemas/run.schema.json), and back. Pure."""

from auditor.document.answers import command_from_plain, command_to_plain, facts_from_plain, facts_to_plain
from auditor.document.catalogue import (
    control_from_plain,
    control_to_plain,
    entity_from_plain,
    entity_to_plain,
    measure_from_plain,
    measure_to_plain,
    perimeter_from_plain,
    perimeter_to_plain,
)
from auditor.document.decisions import (
    action_from_plain,
    action_to_plain,
    idle_to_plain,
    to_do_from_plain,
    to_do_to_plain,
)
from auditor.document.findings import (
    coverage_from_plain,
    coverage_to_plain,
    finding_from_plain,
    finding_to_plain,
    kept_to_plain,
    reason_from_plain,
    reason_to_plain,
    subject_from_plain,
    subject_to_plain,
)
from auditor.document.plain import FORMAT, FORMAT_VERSION, Plain, stamp
from auditor.document.run import header_from_plain, header_to_plain, host_from_plain, host_to_plain

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "Plain",
    "action_from_plain",
    "action_to_plain",
    "command_from_plain",
    "command_to_plain",
    "control_from_plain",
    "control_to_plain",
    "coverage_from_plain",
    "coverage_to_plain",
    "entity_from_plain",
    "entity_to_plain",
    "facts_from_plain",
    "facts_to_plain",
    "finding_from_plain",
    "finding_to_plain",
    "header_from_plain",
    "header_to_plain",
    "host_from_plain",
    "host_to_plain",
    "idle_to_plain",
    "kept_to_plain",
    "measure_from_plain",
    "measure_to_plain",
    "perimeter_from_plain",
    "perimeter_to_plain",
    "reason_from_plain",
    "reason_to_plain",
    "stamp",
    "subject_from_plain",
    "subject_to_plain",
    "to_do_from_plain",
    "to_do_to_plain",
]
