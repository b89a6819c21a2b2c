"""What a host tells of its sudo, doas and polkit rules in; whom they name and what they let them do out. Pure."""

from auditor.readers.sudoers.answer import nameless, rules
from auditor.readers.sudoers.lists import subjects
from auditor.readers.sudoers.nouns import Default, Item, Rule, Rules
from auditor.readers.sudoers.question import SUDOERS

__all__ = ["SUDOERS", "Default", "Item", "Rule", "Rules", "nameless", "rules", "subjects"]
