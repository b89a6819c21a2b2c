"""The texts of /etc/pam.d in; which proofs a service asks for, over every path through its `auth` stack, out. Pure.

The dispatch follows Linux-PAM's pam.conf(5) and `_pam_dispatch_aux`: `include` is textual, `substack` ends on its own,
a jump counts modules of its own level, and a stack that nothing said yes to refuses.
"""

from auditor.readers.pam.modules import ASKING, CONDITIONS, HARMLESS, NO_TOKEN, OPTIONAL_TOKEN, TOKEN, TOLD_ELSEWHERE
from auditor.readers.pam.proofs import weakest
from auditor.readers.pam.results import Who
from auditor.readers.pam.stacks import Entry, stack
from auditor.readers.pam.texts import STACKS, asked_as, read, service_text, untold
from auditor.readers.pam.walk import Path, paths

__all__ = [
    "ASKING",
    "CONDITIONS",
    "HARMLESS",
    "NO_TOKEN",
    "OPTIONAL_TOKEN",
    "STACKS",
    "TOKEN",
    "TOLD_ELSEWHERE",
    "Entry",
    "Path",
    "Who",
    "asked_as",
    "paths",
    "read",
    "service_text",
    "stack",
    "untold",
    "weakest",
]
