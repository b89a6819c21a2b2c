"""A run as an entity may see it. Pure."""

from auditor.view.filtered import entities, sees, view

__all__ = ["entities", "sees", "view"]
