"""rsyslog's configuration and the time stamps of the records it writes in; where it sends, and ages, out. Pure."""

from auditor.readers.rsyslog.reading import targets
from auditor.readers.rsyslog.stamps import FIRST_STAMP, SKEW_LIMIT_S, Stamped, age_s, stamped

__all__ = ["FIRST_STAMP", "SKEW_LIMIT_S", "Stamped", "age_s", "stamped", "targets"]
