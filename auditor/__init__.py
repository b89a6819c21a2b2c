"""auditor: checks a security baseline on the hosts of an estate, and says who answers for every gap."""

__version__ = "0.1.0"
