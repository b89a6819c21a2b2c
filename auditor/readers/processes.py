"""The processes of a host in; whether a daemon of a given name runs, and runs as one, out. Pure.

Anybody can call a program by a daemon's name. A process counts when its executable lies where only root installs and has
the daemon's name, or lies in the product's own folder, and when the system or its own account runs it.
Source: proc(5); systemd's UIDS-GIDS for the accounts that are no person's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from auditor.model import Answer, Command, Failure, Output, Unknown

# Lines `p UID EXECUTABLE NAME` by tabs. A process of another root or user namespace is another machine's; where that
# cannot be told, the process stays, without an executable. `status` escapes a line feed in a name, and the last line has
# no tab, so no name can stand for it. A path that holds a line feed shows as two lines of one process: then it has none.
PROCESSES = Command(
    r"""n=/proc/self/ns/user
[ -e "$n" ] || n=
e= s=
for d in /proc/[0-9]*; do
  if [ -e "$d/root" ]; then
    [ "$d/root" -ef / ] || continue
    [ -z "$n" ] || ! [ -e "$d/ns/user" ] || [ "$d/ns/user" -ef "$n" ] || continue
  fi
  e="$e $d/exe"
  s="$s $d/status"
done
{
  ls -ln ${e:-/exe}
  cat ${s:-/status}
} 2>/dev/null | awk '
  match($0, / \/proc\/[0-9]+\/exe -> /) {
    id = substr($0, RSTART + 7, RLENGTH - 15)
    if (id in exe) exe[id] = ""
    else exe[id] = substr($0, RSTART + RLENGTH)
    next
  }
  /^Name:\t/ { name = substr($0, 7); gsub(/\t/, "?", name); state = "" }
  /^State:\t/ { state = $2 }
  /^Pid:\t/ { pid = $2 }
  /^Uid:\t/ && state !~ /^[ZX]/ {
    if (pid == 1) whole = 1
    e = exe[pid]
    gsub(/\t/, "?", e)
    l = "p\t" $2 "\t" e "\t" name
    if (!(l in seen)) { seen[l] = 1; print l }
  }
  END { if (whole) print "whole" }'""",
    timeout_s=15,
    cap_bytes=262144,
)
PROCESSES_ROOT = replace(PROCESSES, elevated=True)

ROOTS_OWN = (
    "/usr/",
    "/opt/",
    "/var/ossec/",
    "/lib/",
    "/lib64/",
    "/bin/",
    "/sbin/",
    "/snap/",
    "/nix/store/",
    "/gnu/store/",
)
LAST_SYSTEM_UID = 999
DYNAMIC_UIDS = range(61184, 65520)  # DynamicUser= of systemd
NAME_LENGTH = 15  # what the kernel keeps of a name


@dataclass(frozen=True, slots=True)
class Process:
    """`exe` is empty where it could not be told."""

    uid: int
    exe: str
    name: str


@dataclass(frozen=True, slots=True)
class Processes:
    """What was seen, and why there may be more."""

    seen: frozenset[Process]
    missing: Unknown | None

    def runs(self, names: Iterable[str], homes: Sequence[str] = ()) -> bool | Unknown:
        """Whether one of these daemons runs; a name that ends with `*` is a beginning. `homes`: the product's folders."""
        found = self.found(names, homes)
        return found if found is not None else self.missing or False

    def found(self, names: Iterable[str], homes: Sequence[str] = ()) -> bool | Unknown | None:
        """True: one surely runs. Unknown: one of that name runs, and what it is cannot be told. None: none was seen."""
        return _found(self.seen, tuple(names), tuple(homes))


def read(rooted: Answer, plain: Answer) -> Processes:
    """The whole list, as root or not; else all that was seen, and why it is not the whole."""
    seen: frozenset[Process] = frozenset()
    missing: Unknown | None = None
    for answer in (rooted, plain):
        told = Processes(frozenset(), answer.unknown()) if isinstance(answer, Failure) else _read(answer.text)
        seen |= told.seen
        if told.missing is None:
            return Processes(seen, None)
        missing = missing or told.missing
    return Processes(seen, missing)


def among(*names: str, mark: bytes = b"p") -> Callable[[Answer], Answer]:
    """Leaves out of an answer, before `read`, the processes that neither have one of these names nor run a program of one.

    A name that ends with `*` is a beginning. What is left is in one order: hosts that run the same of these answer the same.
    `mark`: what the line of a process begins with; its names are the last words of it, by tabs.
    """
    cut = [name.removesuffix("*")[:NAME_LENGTH].encode() for name in names]
    whole = frozenset(c for c, name in zip(cut, names, strict=True) if not name.endswith("*"))
    whole |= frozenset(name.encode() for name in names)
    beginnings = tuple(c for c, name in zip(cut, names, strict=True) if name.endswith("*"))

    @lru_cache(maxsize=32)
    def left(told: bytes) -> bytes:
        found, others = _listed(told, mark)
        begun = [one for one in (*found.names, *found.programs) if one.startswith(beginnings)] if beginnings else []
        if not begun and whole.isdisjoint(found.names) and whole.isdisjoint(found.programs):
            return b"\n".join(others)
        called = whole.union(begun)
        rows = zip(found.lines, found.names, found.programs, strict=True)
        return b"\n".join([*sorted(line for line, *names in rows if not called.isdisjoint(names)), *others])

    def reduce(answer: Answer) -> Answer:
        if isinstance(answer, Failure):
            return answer
        return Output(answer.exit_code, left(answer.stdout), answer.stderr, answer.at, answer.host_at)

    return reduce


@dataclass(frozen=True, slots=True)
class _Listed:
    """The lines of processes, and as many names, and names of programs."""

    lines: tuple[bytes, ...]
    names: tuple[bytes, ...]
    programs: tuple[bytes, ...]


@lru_cache(maxsize=4)
def _listed(told: bytes, mark: bytes) -> tuple[_Listed, tuple[bytes, ...]]:
    """And the other lines. For all that is asked of one host: what other hosts told is large, and seldom the same."""
    begins = (mark + b"\t", mark + b" ")
    every = told.split(b"\n")
    lines = tuple(line for line in every if line.startswith(begins))
    parts = [line[len(mark) + 1 :].rpartition(b"\t") for line in lines]
    programs = tuple(before.removesuffix(b" (deleted)").rpartition(b"/")[2] for before, _, _ in parts)
    others = tuple(line for line in every if not line.startswith(begins))
    return _Listed(lines, tuple(name for _, _, name in parts), programs), others


@lru_cache(maxsize=1024)
def _found(seen: frozenset[Process], names: tuple[str, ...], homes: tuple[str, ...]) -> bool | Unknown | None:
    judged = [_daemon(p, name, homes) for name in names for p in _named(seen, name)]
    if True in judged:
        return True
    return min((j for j in judged if isinstance(j, Unknown)), key=lambda u: (u.cause, u.detail), default=None)


@lru_cache(maxsize=64)
def _by_name(seen: frozenset[Process]) -> Mapping[str, tuple[Process, ...]]:
    """Made once a host: every product of the catalogue looks for its names."""
    found: dict[str, list[Process]] = {}
    for process in seen:
        found.setdefault(process.name, []).append(process)
    return {name: tuple(processes) for name, processes in found.items()}


def _named(seen: frozenset[Process], name: str) -> Iterable[Process]:
    by_name = _by_name(seen)
    if name.endswith("*"):
        return [p for other, processes in by_name.items() if _called(other, name) for p in processes]
    return by_name.get(name, ())


@lru_cache(maxsize=64)
def _read(text: str) -> Processes:
    """Two probes ask for the same answer."""
    lines = text.split("\n")
    whole = "whole" in lines
    seen = frozenset(p for line in lines for p in _process(line.split("\t")))
    return Processes(seen, None if whole else Unknown("no_privilege", "the host hides its processes"))


def _process(words: list[str]) -> list[Process]:
    if len(words) != 4 or words[0] != "p" or not (words[1].isascii() and words[1].isdigit() and len(words[1]) < 11):
        return []
    return [Process(int(words[1]), words[2], words[3])]


def _called(seen: str, name: str) -> bool:
    return seen.startswith(name[:-1]) if name.endswith("*") else seen == name


def _daemon(process: Process, name: str, homes: Sequence[str]) -> bool | Unknown:
    """False: it only has the name."""
    if not process.exe:
        return Unknown("no_privilege", f"which program runs as {name}")
    path = process.exe.removesuffix(" (deleted)")  # an upgrade leaves the old one running
    installed = path.startswith(ROOTS_OWN) and _called(path.rpartition("/")[2][:NAME_LENGTH], name)
    if installed or any(path.startswith(home + "/") for home in homes):
        system = process.uid <= LAST_SYSTEM_UID or process.uid in DYNAMIC_UIDS
        return True if system else Unknown("not_told", f"{name} runs as account {process.uid}")
    return Unknown("not_told", f"root runs {path[:100]} as {name}") if process.uid == 0 else False


__all__ = ["PROCESSES", "PROCESSES_ROOT", "Process", "Processes", "among", "read"]
