"""The PAM files of a tree in; what readers/pam reads of them out. Pure."""

from __future__ import annotations

import re

from auditor.model import Answer, Command, Unknown
from auditor.readers import files
from auditor.readers.files import Files

PAM = Command("/etc/pam.d/* /usr/lib/pam.d/* /usr/etc/pam.d/*", kind="read", mask="pam", cap_bytes=524288)


def read(answer: Answer) -> Files:
    found = files.read(answer)
    if not found.gap and not found.texts:
        return Files({}, missing=Unknown("not_observable", "/etc/pam.d"))
    return Files({path: _auth(text) for path, text in found.texts.items()}, found.denied, found.missing, found.odd)


def _auth(text: str) -> str:
    """Its `auth` lines and inclusions, each on one line."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (line.partition("#")[0] for line in joined.split("\n"))
    return "".join(line + "\n" for line in lines if re.match(r"\s*(-?auth|@include)\s", line, re.IGNORECASE))
