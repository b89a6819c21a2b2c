"""The text of ssh_config, with its Include lines, in; what it says of one host out, as OpenSSH's client reads it. Pure.

Source: ssh_config(5) and readconf.c of OpenSSH 9.2. Only the keywords in UNDERSTOOD have an effect. A keyword in HARMLESS
changes neither how we connect nor whom we trust. Any other one, in a part that concerns the host, is an Objection.
"""

from auditor.readers.ssh_config.host import Person, Said, lookup
from auditor.readers.ssh_config.keywords import ALGORITHMS, HARMLESS, UNDERSTOOD
from auditor.readers.ssh_config.patterns import matches
from auditor.readers.ssh_config.text import Config, Line, read

__all__ = ["ALGORITHMS", "HARMLESS", "UNDERSTOOD", "Config", "Line", "Person", "Said", "lookup", "matches", "read"]
