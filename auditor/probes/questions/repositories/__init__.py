"""The questions on backup tools and on the repositories that configurations name; lines of what was seen out. Pure."""

from auditor.probes.questions.repositories.question import REPOSITORIES, TOOLS

__all__ = ["REPOSITORIES", "TOOLS"]
