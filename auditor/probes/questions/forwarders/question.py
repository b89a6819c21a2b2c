"""The question on the agents that send logs, put together. Pure."""

from __future__ import annotations

from dataclasses import replace

from auditor.framing.sh import GONE
from auditor.model import Command
from auditor.probes.questions.forwarders.agents import AGENTS
from auditor.probes.questions.forwarders.mask import MASK
from auditor.probes.questions.forwarders.running import DEAF, JOURNALD, QUEUES, STARTED
from auditor.readers.forwarders import flatten

_SYSLOG = r"""m rsyslog 0 /etc/rsyslog.conf
m syslog-ng 0 /etc/syslog-ng/syslog-ng.conf
"""
_READ = f"o=$({MASK}{_SYSLOG}{flatten.SHELL}{AGENTS}{QUEUES}{JOURNALD})\nnl='\n'\nprintf '%s\\n' \"$o\"\n{DEAF}"
CONFIG = Command(GONE + _READ + STARTED, timeout_s=20, cap_bytes=131072)
CONFIG_ROOT = replace(CONFIG, elevated=True)
