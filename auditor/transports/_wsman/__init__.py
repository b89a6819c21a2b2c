"""One end of WinRM: pywinrm's requests to it, each bounded in time and size, to that end and to no other."""

from auditor.transports._wsman.door import Door, Method
from auditor.transports._wsman.refusals import Refusal
from auditor.transports._wsman.talk import NothingYet, Talk, pause

__all__ = ["Door", "Method", "NothingYet", "Refusal", "Talk", "pause"]
