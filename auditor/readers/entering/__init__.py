"""What a host told in; who comes in through doors other than SSH, who becomes root there, and what each is asked, out. Pure."""

from auditor.readers.entering.elevations import before_it, by_su, elevations
from auditor.readers.entering.host import ELEVATIONS, SU, Host, host_of
from auditor.readers.entering.logins import of_admins, of_everybody
from auditor.readers.entering.vpns import to_a_desktop, undecided, vpns

__all__ = [
    "ELEVATIONS",
    "SU",
    "Host",
    "before_it",
    "by_su",
    "elevations",
    "host_of",
    "of_admins",
    "of_everybody",
    "to_a_desktop",
    "undecided",
    "vpns",
]
