"""The question on the agents that send logs; what it answered, taken apart, out. Pure.

A configuration may hold passwords, so the host prints it with every value masked that is not asked for.
"""

from auditor.probes.questions.forwarders.answer import Config, read
from auditor.probes.questions.forwarders.question import CONFIG, CONFIG_ROOT

__all__ = ["CONFIG", "CONFIG_ROOT", "Config", "read"]
