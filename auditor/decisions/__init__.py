"""Which decisions are in force on a day, and what is wrong with the others, as reason codes (docs/decisions.md). Pure."""

from auditor.decisions.in_force import About, Held, InForce, in_force
from auditor.decisions.proof import signed_digest

__all__ = ["About", "Held", "InForce", "in_force", "signed_digest"]
