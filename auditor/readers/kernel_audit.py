"""What the kernel tells of its audit system in; whether it records, by which rules, and who takes the records out. Pure.

The audit system belongs to the kernel: in a container it is the host's, and nothing can be told there. Sources: auditctl(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Failure, Unknown
from auditor.readers import audit_rules, processes

# What anybody can see: whether there are tools, and whether these are the namespaces that the kernel started with. Their
# numbers are fixed (linux/proc_ns.h); files that container engines leave behind say less, images of machines hold them too.
PLACE = Command(
    r"""readlink /proc/self/ns/pid
readlink /proc/self/ns/user
if command -v auditctl >/dev/null; then echo auditctl; fi
uname -m
echo end""",
    cap_bytes=1024,
)

# The kernel names the process that takes its records; where none does, a journald may listen.
KERNEL = Command(
    r"""echo "uid $(id -u)"
command -v auditctl >/dev/null || { echo absent; exit; }
s=$(auditctl -s 2>&1)
echo "status $?"
printf '%s\n' "$s"
p=$(printf '%s\n' "$s" | sed -n 's/^\(.* \)*pid[ =]\([0-9][0-9]*\).*/\2/p')
w=keeper
case $p in ''|0)
  w=listener
  p=$(awk '$2 == 9 && $3 > 0 && $4 ~ /[13579bdf]$/ { print $3; exit }' /proc/net/netlink) ;;
esac
if [ -n "$p" ]; then echo "$w $(readlink "/proc/$p/exe")"; fi
echo rules
auditctl -l 2>&1
echo "end $?"
""",
    elevated=True,
    cap_bytes=262144,
)

# Programs that take the records in auditd's place, with no auditctl beside them.
OTHERS = ("auditbeat", "elastic-endpoint", "elastic-agent", "osqueryd", "go-audit")
OURS = processes.among(*OTHERS)
TWO_WORDED = ("x86_64", "aarch64")  # kernels that also run programs of 32 bits
FIRST_NAMESPACES = frozenset({"pid:[4026531836]", "user:[4026531837]"})
IN_A_CONTAINER = Unknown("not_told", "in a container: the audit trail is its host's")
NO_KERNEL_AUDIT = re.compile(r"support not in kernel|Protocol not supported|not supported by kernel", re.IGNORECASE)
_STATUS = re.compile(r"\b(enabled|pid|lost)[ =](\d{1,10})\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kernel:
    """`enabled`: 0, 1, or 2 where nothing may be changed any more. `kept_by`: a program; None: nobody."""

    enabled: int
    lost: int | Unknown
    kept_by: str | Unknown | None
    rules: audit_rules.Rules | Unknown


def place_of(answer: Answer) -> tuple[str, ...] | Unknown:
    """The lines of the answer to PLACE. Raises Unreadable when it stops before its end."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = tuple(answer.text.splitlines())
    if not lines or lines[-1] != "end":
        raise Unreadable("the place is not told")
    return lines[:-1]


def needed_on(place: tuple[str, ...] | Unknown) -> frozenset[str]:
    """The architectures whose system calls rules must name; both where the machine did not say what it is."""
    machine = place[-1] if isinstance(place, tuple) and place else TWO_WORDED[0]
    if machine in TWO_WORDED:
        return audit_rules.BOTH
    return frozenset({"b64" if "64" in machine or machine == "s390x" else "b32"})


def kernel_of(answer: Answer, place: tuple[str, ...] | Unknown, running: processes.Processes) -> Kernel | Unknown:
    """What the answer to KERNEL tells; where its tools are not there, whether another program takes the records."""
    if isinstance(place, tuple) and any(line.startswith(("pid:", "user:")) for line in set(place) - FIRST_NAMESPACES):
        return IN_A_CONTAINER
    if isinstance(place, tuple) and "auditctl" not in place:
        return _without_tools(running)
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if lines == ["uid 0", "absent"]:
        return _without_tools(running)
    if not lines or lines[0] != "uid 0":
        return Unknown("no_privilege", "the audit system was not asked as root")
    return _asked(lines[1:])


def _without_tools(running: processes.Processes) -> Kernel | Unknown:
    """Without auditctl nothing loads rules, unless another program does; the kernel itself cannot be asked."""
    other = running.runs(OTHERS)
    if other is False:
        return Kernel(0, 0, None, ())
    return other if isinstance(other, Unknown) else Unknown("not_told", "another program takes the audit records")


def _asked(lines: list[str]) -> Kernel | Unknown:
    if "rules" not in lines or not lines[0].startswith("status ") or not lines[-1].startswith("end "):
        raise Unreadable("the audit system's answer is not complete")
    cut = lines.index("rules")
    said = "\n".join(lines[1:cut])
    if NO_KERNEL_AUDIT.search(said):
        return Kernel(0, 0, None, ())
    if lines[0] != "status 0":
        return Unknown("no_privilege", f"not even root may ask: {said[:160]}")
    values = {name: int(value) for name, value in _STATUS.findall(said)}
    if not {"enabled", "pid"} <= values.keys():  # a user namespace: auditctl says nothing and ends well
        return Unknown("not_told", f"auditctl tells no status: {said[:120]}")
    listed = lines[cut + 1 : -1]
    refused = Unknown("no_privilege", f"the rules are not told: {' '.join(listed)[:120]}")
    rules = audit_rules.read(listed) if lines[-1] == "end 0" and listed else refused
    lost = values.get("lost", Unknown("not_told", "lost records"))
    return Kernel(values["enabled"], lost, _keeper(values["pid"], lines[1:cut]), rules)


def _keeper(pid: int, lines: Iterable[str]) -> str | Unknown | None:
    kind = "keeper " if pid else "listener "
    path = next((line[len(kind) :].strip() for line in lines if line.startswith(kind)), None)
    if path:
        return path.removesuffix(" (deleted)").rpartition("/")[2]
    return Unknown("not_told", f"which program is process {pid}") if pid or path is not None else None
