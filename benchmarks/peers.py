"""What forty questions a host cost by auditor, pytest-testinfra and ansible-core: time and processor. See README.md."""

from __future__ import annotations

import argparse
import compileall
import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from fleet import ROOT, addresses, measured, write_estate
from sshd import Sshd, started

from auditor import shelves
from auditor.store import Store

FORTY = ROOT / "benchmarks" / "forty"
BAR = 0.5  # our client CPU per host, to that of the cheapest peer
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Question:
    """`wanted` is what this machine answers when nobody connects to it; each client judges its own answer by it."""

    id: str
    kind: str  # mode, setting, package, shell, command
    name: str
    wanted: str


# The same forty in the words of each client; one question is one command on the host, but for what a client needs to
# know first (testinfra asks which system it is), and each client judges every answer itself (expect, assert, failed_when).
#
#          auditor (a Command of a probe)   testinfra                        ansible
# mode     stat -Lc %a FILE                 host.file(FILE).mode             stat, no checksum, MIME type or attributes
# setting  cat FILE                         host.file(FILE).content_string   slurp
# package  dpkg-query -W NAME               host.package(NAME).is_installed  command: dpkg-query (package_facts lists all)
# shell    getent passwd NAME               host.user(NAME).shell            getent
# command  TEXT                             host.run(TEXT)                   command: TEXT
#
# No question is about services: the hosts of the fleet are one sshd, which has no service manager.
ASKED = {
    "mode": ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/hosts", "/etc/ssh", "/etc/ssh/sshd_config",
             "/etc/fstab", "/tmp", "/root"),
    "setting": ("kernel/ostype", "kernel/osrelease", "kernel/pid_max", "kernel/randomize_va_space", "kernel/panic",
                "kernel/threads-max", "fs/file-max", "fs/suid_dumpable", "vm/swappiness", "vm/overcommit_memory"),
    "package": ("openssh-server", "openssh-client", "base-files", "coreutils", "dpkg", "libc6", "telnetd", "rsh-server"),
    "shell": ("root", "daemon", "bin", "sys", "nobody", "www-data"),
    "command": ("uname -s", "uname -m", "id -un", "getconf LONG_BIT", "dpkg --print-architecture", "grep -c . /etc/passwd"),
}  # fmt: skip


def here(kind: str, name: str) -> str:
    """What this machine answers, found without any of the clients."""
    if kind == "mode":
        return f"{Path(name).stat().st_mode & 0o7777:o}"
    if kind == "setting":
        return Path(name).read_text("utf-8").strip()
    if kind == "shell":
        return pwd.getpwnam(name).pw_shell
    command = ["dpkg-query", "-f", "${Status}", "-W", name] if kind == "package" else name.split()
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    if kind == "package":
        return "installed" if told == "install ok installed" else "absent"
    return told


def questions() -> list[Question]:
    found = []
    for kind, names in ASKED.items():
        for number, name in enumerate(names):
            whole = f"/proc/sys/{name}" if kind == "setting" else name
            found.append(Question(f"{kind}{number}", kind, whole, here(kind, whole)))
    return found


# ---------------------------------------------------------------- what each client needs on disk


@dataclass(frozen=True, slots=True)
class Fleet:
    """One folder a client, and a home with what OpenSSH and paramiko need to reach the hosts."""

    server: Sshd
    size: int
    folder: Path
    asked: tuple[Question, ...]
    jobs: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def of(self, client: str) -> Path:
        return self.folder / client


def prepared(base: Path, server: Sshd, size: int, jobs: int) -> Fleet:
    fleet = Fleet(server, size, base, tuple(questions()), jobs)
    (fleet.home / ".ssh").mkdir(parents=True)
    (fleet.home / ".ssh" / "known_hosts").write_text(server.known_hosts(addresses(size)))
    (fleet.home / "ssh_config").write_text(ssh_config(fleet))
    for client in CLIENTS:
        fleet.of(client).mkdir(mode=0o755)
    of_auditor(fleet)
    for client in ("testinfra-paramiko", "testinfra-ssh"):
        (fleet.of(client) / "questions.json").write_text(as_json(fleet.asked))
        shutil.copy(FORTY / "suite_forty.py", fleet.of(client) / "test_forty.py")
    of_ansible(fleet)
    return fleet


def as_json(asked: Sequence[Question]) -> str:
    return json.dumps([asdict(q) for q in asked])


def ssh_config(fleet: Fleet) -> str:
    """For both testinfras: one connection a host in ssh too, and paramiko told of no known_hosts, as it reads none."""
    return (
        f"Host *\n  User {fleet.server.user}\n  Port {fleet.server.port}\n  IdentityFile {fleet.server.key_file}\n"
        "  IdentitiesOnly yes\n  KexAlgorithms curve25519-sha256\n  LogLevel ERROR\n  StrictHostKeyChecking no\n"
        f"  UserKnownHostsFile {fleet.home}/.ssh/known_hosts\n  ControlPath {fleet.folder}/c-%C\n"
    )


def of_auditor(fleet: Fleet) -> None:
    """An estate, a probe with the forty Commands, a policy with a control for each."""
    folder = fleet.of("auditor")
    for name in ("estate", "probes", "policy"):
        (folder / name).mkdir(mode=0o755)
    write_estate(folder / "estate", fleet.server, addresses(fleet.size))
    probe = folder / "probes" / "forty.py"
    shutil.copy(FORTY / "probe_forty.py", probe)
    probe.chmod(0o644)
    (folder / "probes" / "questions.json").write_text(as_json(fleet.asked))
    text = {"en": "As wanted", "fr": "Comme voulu"}
    measures = {"measures": [{"id": "forty", "title": text}]}
    (folder / "policy" / "measures.yaml").write_text(json.dumps(measures))
    controls = [
        {"id": q.id, "measure": "forty", "revision": 1, "title": text, "severity": "low", "probe": "forty",
         "expect": {q.id: {"equals": q.wanted}}, "why": text, "fix": text}
        for q in fleet.asked
    ]  # fmt: skip
    policy = {"policy": "forty", "title": text, "controls": controls}
    (folder / "policy" / "forty.yaml").write_text(json.dumps(policy))


def of_ansible(fleet: Fleet) -> None:
    """An inventory and a playbook of forty tasks, each of which fails when the answer is not the wanted one."""
    folder = fleet.of("ansible")
    hosts = "\n".join(addresses(fleet.size))
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    (folder / "hosts").write_text(
        f"{hosts}\n[all:vars]\nansible_user={fleet.server.user}\nansible_port={fleet.server.port}\n"
        f"ansible_ssh_private_key_file={fleet.server.key_file}\nansible_python_interpreter={python}\n"
    )
    play = {"hosts": "all", "gather_facts": False, "tasks": [task(q) for q in fleet.asked]}
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    shutil.copy(FORTY / "callback_forty.py", folder / "callback_forty.py")
    (folder / "ansible.cfg").write_text("")  # in the place of this machine's


def task(question: Question) -> dict[str, object]:
    name = question.name
    module: tuple[str, object]
    if question.kind == "mode":
        little = dict.fromkeys(("get_checksum", "get_mime", "get_attributes"), False)
        module, told = ("stat", {"path": name, "follow": True, **little}), "(r.stat.mode | int | string)"
    elif question.kind == "setting":
        module, told = ("slurp", {"path": name}), "(r.content | b64decode | trim)"
    elif question.kind == "shell":
        module, told = ("getent", {"database": "passwd", "key": name}), f"r.ansible_facts.getent_passwd['{name}'][-1]"
    elif question.kind == "package":
        module = ("command", {"argv": ["dpkg-query", "-f", "${Status}", "-W", name]})
        told = "('installed' if r.stdout == 'install ok installed' else 'absent')"
    else:
        module, told = ("command", name), "r.stdout"
    failed = f"{told} != wanted"
    return {
        "name": question.id,
        f"ansible.builtin.{module[0]}": module[1],
        "register": "r",
        "vars": {"wanted": question.wanted},
        "failed_when": failed,
        "changed_when": False,
    }


# ---------------------------------------------------------------- the clients

Answers = Mapping[str, Mapping[str, str]]  # address -> question -> answer


@dataclass(frozen=True, slots=True)
class Client:
    """`command` is what is run; `answers` what it told, read when it has ended; `module` what must be installed."""

    module: str
    command: Callable[[Fleet], list[str]]
    answers: Callable[[Fleet], Answers]


def auditor_command(fleet: Fleet) -> list[str]:
    folder = fleet.of("auditor")
    for old in folder.glob("runs.db*"):
        old.unlink()
    words = [sys.executable, "-m", "auditor", "run", str(folder / "policy"), "-i", str(folder / "estate")]
    words += ["--probes", str(folder / "probes"), "--jobs", str(fleet.jobs), "--store", str(folder / "runs.db")]
    return [*words, "-f", f"junit={folder}/audit.xml"]


def auditor_answers(fleet: Fleet) -> Answers:
    """From the evidence in the store, read by the probe itself."""
    folder = fleet.of("auditor")
    probe = shelves.site_probes(folder / "probes")[0]["forty"].dialects["linux"]
    store = Store(str(folder / "runs.db"), create=False)
    asked = probe.commands({})
    found = {}
    for index, address in enumerate(addresses(fleet.size)):
        answers = store.answers_of(1, index)
        if all(c in answers for c in asked.values()):
            found[address] = probe.parse({name: answers[c] for name, c in asked.items()}, {})
    return found


def testinfra_command(fleet: Fleet, backend: str) -> list[str]:
    folder = fleet.of(f"testinfra-{backend}")
    hosts = ",".join(f"{backend}://{a}" for a in addresses(fleet.size))
    words = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable, "-m", "pytest", "-q", "-p", "testinfra.plugin"]
    words += [
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "-c",
        os.devnull,
        f"--ssh-config={fleet.home}/ssh_config",
    ]
    return [*words, f"--hosts={hosts}", str(folder / "test_forty.py")]


def ansible_command(fleet: Fleet) -> list[str]:
    folder = fleet.of("ansible")
    options = f"-F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={fleet.home}/.ssh/known_hosts"
    options += " -o KexAlgorithms=curve25519-sha256 -o IdentitiesOnly=yes -o LogLevel=ERROR"
    said = {
        "ANSIBLE_CONFIG": folder / "ansible.cfg",
        "ANSIBLE_CALLBACK_PLUGINS": folder,
        "ANSIBLE_STDOUT_CALLBACK": "callback_forty",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_ARGS": options,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": fleet.folder / "cp",
        "FORTY_ANSWERS": folder / "answers.json",
    }
    words = ["env", *(f"{name}={value}" for name, value in said.items()), sys.executable, "-m", "ansible", "playbook"]
    return [*words, "-i", str(folder / "hosts"), "-f", str(fleet.jobs), str(folder / "play.yml")]


def written(client: str) -> Callable[[Fleet], Answers]:
    """The answers that a client left in its folder; none when it left none. They are read once."""

    def read(fleet: Fleet) -> Answers:
        file = fleet.of(client) / "answers.json"
        if not file.exists():
            return {}
        found: Answers = json.loads(file.read_text("utf-8"))
        file.unlink()
        return found

    return read


CLIENTS = {
    "auditor": Client("auditor", auditor_command, auditor_answers),
    "testinfra-paramiko": Client(
        "testinfra", lambda f: testinfra_command(f, "paramiko"), written("testinfra-paramiko")
    ),
    "testinfra-ssh": Client("testinfra", lambda f: testinfra_command(f, "ssh"), written("testinfra-ssh")),
    "ansible": Client("ansible", ansible_command, written("ansible")),
}


# ---------------------------------------------------------------- one run of a client


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU is that of the client's whole process tree, connections that it leaves behind included, servers not."""

    wall_s: float
    cpu_s: float
    code: int
    wrong: int  # answers that are missing, or not the wanted ones


def asked(name: str, fleet: Fleet, log: Path) -> tuple[Measured, Answers]:
    client = CLIENTS[name]
    wall, usage, code = measured(client.command(fleet), fleet.home, Path(os.devnull), log)
    cpu = usage.ru_utime + usage.ru_stime + left_behind_s()
    answers = client.answers(fleet)
    wanted = {q.id: q.wanted for q in fleet.asked}
    wrong = sum(answers.get(a, {}).get(i) != w for a in addresses(fleet.size) for i, w in wanted.items())
    return Measured(wall, cpu, code, wrong), answers


def left_behind_s() -> float:
    """Ends the connections that ssh keeps open for its next command; what they used. They are our children by then."""
    used = 0.0
    for pid, name in children():
        if name == "ssh":
            os.kill(pid, signal.SIGTERM)
            _, _, usage = os.wait4(pid, 0)
            used += usage.ru_utime + usage.ru_stime
    return used


def children() -> Iterator[tuple[int, str]]:
    me = str(os.getpid())
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = stat.read_text("utf-8", "replace").rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if after.split()[1] == me:
            yield int(stat.parent.name), before.partition("(")[2]


def adopt() -> None:
    """What clients leave running becomes a child of this process instead of init, so that its CPU can be counted."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit(f"prctl: {os.strerror(ctypes.get_errno())}")


# ---------------------------------------------------------------- rounds and ratios


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def rounds(fleet: Fleet, names: Sequence[str], number: int, log: Path) -> Iterator[tuple[str, Measured, Answers]]:
    """Interleaved: every client in turn, and who goes first changes with the round."""
    for done in range(number):
        first = done % len(names)
        for name in (*names[first:], *names[:first]):
            got, answers = asked(name, fleet, log)
            print(
                f"{name + f' #{done + 1}':24}{got.wall_s:9.2f} s {got.cpu_s / fleet.size * 1000:9.1f} ms/host"
                f" {got.wrong:6} wrong or missing, exit code {got.code}",
                flush=True,
            )
            yield name, got, answers


def ratios(
    results: Sequence[tuple[str, Measured, Answers]], names: Sequence[str]
) -> Iterator[tuple[str, float, float]]:
    """How many times auditor's wall time and CPU each client took: the median of each round's own ratio."""

    def of(name: str) -> list[Measured]:
        return [m for n, m, _ in results if n == name]

    for name in names:
        pairs = list(zip(of(name), of("auditor"), strict=True))
        yield (
            name,
            statistics.median(a.wall_s / b.wall_s for a, b in pairs),
            statistics.median(a.cpu_s / b.cpu_s for a, b in pairs),
        )


def differing(results: Sequence[tuple[str, Measured, Answers]], address: str, asked: Sequence[Question]) -> list[str]:
    """The questions to which one host did not give all clients, in all rounds, the same answer."""
    told = [answers.get(address, {}) for _, _, answers in results]
    return [q.id for q in asked if len({str(one.get(q.id)) for one in told}) != 1]


def cheap_enough(peers: Sequence[float]) -> bool:
    """Prints the bar, where there is a peer; whether it is kept."""
    if not peers:
        return True
    value = 1 / min(peers)
    print(
        f"{'pass' if value <= BAR else 'FAIL'}  client CPU per host, to the cheapest peer's: {value:.2f}x (bar {BAR:g}x)"
    )
    return value <= BAR


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--jobs", type=int, default=16, help="hosts asked at the same time (testinfra asks one at a time)"
    )
    parser.add_argument("--quick", action="store_true", help="2 hosts, one round: does it run, not how fast")
    options = parser.parse_args()
    if options.quick:
        options.hosts, options.rounds = 2, 1
    return options


def main() -> int:
    options = arguments()
    sshd, dpkg = (shutil.which(n, path=f"{os.environ['PATH']}:/usr/sbin") for n in ("sshd", "dpkg-query"))
    if not sshd or not dpkg:
        raise SystemExit("needs sshd (tests/servers.sh installs it) and a Debian system, whose packages are asked")
    compileall.compile_dir(str(ROOT / "auditor"), quiet=1)  # as an installation does
    adopt()
    names = [n for n, client in CLIENTS.items() if installed(client.module)]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "sshd").mkdir()
        with started(base / "sshd", sshd, listen=["0.0.0.0"]) as server:
            fleet = prepared(base, server, options.hosts, options.jobs)
            print(f"{len(fleet.asked)} questions to each of {fleet.size} hosts, {fleet.jobs} at a time")
            results = list(rounds(fleet, names, options.rounds, base / "log"))
        failed = any(m.wrong or m.code for _, m, _ in results)
        if failed:
            print((base / "log").read_text("utf-8", "replace")[-3000:], file=sys.stderr)
    print()
    found = list(ratios(results, names))
    for name, wall, cpu in found:
        print(f"{name:20} wall {wall:6.1f}x  client CPU per host {cpu:6.1f}x of auditor's")
    for name in (n for n in CLIENTS if n not in names):
        print(f"{name:20} not installed")
    differ = differing(results, addresses(1)[0], fleet.asked)
    print(f"{'FAIL' if failed else 'pass'}  every answer of every host is the wanted one, and judged so")
    print(f"{'FAIL' if differ else 'pass'}  all clients tell the same of one host" + "".join(f" {d}" for d in differ))
    dear = not options.quick and not cheap_enough([cpu for name, _, cpu in found if name != "auditor"])
    return 1 if failed or differ or dear else 0


if __name__ == "__main__":
    sys.exit(main())
