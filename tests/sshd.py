"""Starts a real sshd on loopback for tests and benchmarks; one server is as many hosts as loopback has addresses."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIG = """\
{listen}
HostKey {folder}/host_key
AuthorizedKeysFile {keys}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UseDNS no
AllowUsers *@127.*
MaxStartups 1000:30:2000
LogLevel ERROR
SetEnv HOME={folder}/home
ForceCommand {as_host}
"""

# Each address is a host of its own name: root may have one in a namespace of its own, others all share this machine's.
AS_HOST = (
    "set -- $SSH_CONNECTION; "
    'if [ "$(id -u)" = 0 ] && unshare -u true 2>/dev/null; then '
    """exec unshare -u sh -c 'echo "n-$1" >/proc/sys/kernel/hostname; exec sh -c "$2"' sh "$3" "$SSH_ORIGINAL_COMMAND"; """
    'fi; exec sh -c "$SSH_ORIGINAL_COMMAND"'
)

LOOPBACK = tuple(f"127.0.0.{n}" for n in range(1, 10))
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Sshd:
    """A server that answers: where, as whom, with which key, and what it shows."""

    port: int
    user: str
    key_file: str
    host_key: str  # "ssh-ed25519 AAAA..."
    folder: Path
    pid: int

    def known_hosts(self, addresses: Iterable[str] = ("127.0.0.1",)) -> str:
        """The text of a known_hosts file in which each of these addresses shows this server's key."""
        return "".join(f"[{a}]:{self.port} {self.host_key}\n" for a in addresses)

    def known_hosts_file(self, addresses: Iterable[str] = ("127.0.0.1",)) -> str:
        path = self.folder / "known_hosts"
        path.write_text(self.known_hosts(addresses))
        return str(path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_key(path: Path, ssh_keygen: str = "ssh-keygen", *options: str) -> str:
    """Makes a key pair at `path` (ed25519, no passphrase unless `options` say so) and gives its public half."""
    given = options or ("-t", "ed25519", "-N", "")
    subprocess.run([ssh_keygen, "-q", "-C", "test", "-f", str(path), *given], check=True, stdin=subprocess.DEVNULL)
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def prepare(
    folder: Path, ssh_keygen: str, listen: Iterable[str], keys: str, more: Callable[[Path], str] = lambda folder: ""
) -> tuple[int, str]:
    """Keys and configuration in `folder`; gives the port and the host's public key."""
    host_key = new_key(folder / "host_key", ssh_keygen)
    (folder / "authorized_keys").write_text(new_key(folder / "client_key", ssh_keygen) + "\n")
    (folder / "home").mkdir()
    port = free_port()
    addresses = "\n".join(f"ListenAddress {a}:{port}" for a in listen)
    keys = keys or f"{folder}/authorized_keys"
    text = CONFIG.format(listen=addresses, folder=folder, keys=keys, as_host=AS_HOST)
    (folder / "sshd_config").write_text(text + more(folder))
    if os.geteuid() == 0:  # sshd's own empty folder, made by its unit or script elsewhere
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return port, host_key


def answering(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the port answers. Raises RuntimeError with the server's own words when it does not."""
    for _ in range(200):
        if process.poll() is None:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", port)) == 0:
                    return
        else:
            break
        time.sleep(0.05)
    raise RuntimeError(f"sshd did not start: {log.read_text()[-2000:]}")


@contextmanager
def started(
    folder: Path,
    sshd: str,
    ssh_keygen: str = "ssh-keygen",
    *,
    inside: str = "",
    user: str = "",
    keys: str = "",
    listen: Iterable[str] = LOOPBACK,
    more: Callable[[Path], str] = lambda folder: "",
) -> Iterator[Sshd]:
    """Runs sshd in the foreground; with `inside`, in a private mount namespace after these shell lines (needs root).

    `user` logs in with the keys of the file `keys`: by default the caller, with a key made here. `more` writes further
    lines of its configuration, once its keys are there.
    """
    port, host_key = prepare(folder, ssh_keygen, listen, keys, more)
    command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
    if inside:
        command = ["unshare", "-m", "/bin/bash", "-c", f'set -e\n{inside}\nexec "$@"', "sshd", *command]
    log = folder / "log"
    with log.open("wb") as kept:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=kept, stderr=kept, start_new_session=True, env=ENVIRONMENT
        )
    try:
        answering(port, process, log)
        yield Sshd(port, user or getpass.getuser(), str(folder / "client_key"), host_key, folder, process.pid)
    finally:
        _end(process)


OVERLAID = ("/etc", "/usr/local", "/usr/bin", "/home")


def private(folder: Path, lines: str) -> str:
    """Shell lines for `inside`: these ones, where what they change in OVERLAID is seen in that mount namespace only."""
    layers = "\n".join(
        f"mkdir -p {folder}/layer/up{i} {folder}/layer/work{i}\n"
        f"mount -t overlay overlay -o lowerdir={d},upperdir={folder}/layer/up{i},workdir={folder}/layer/work{i} {d}"
        for i, d in enumerate(OVERLAID)
    )
    return f"mkdir {folder}/layer\nmount -t tmpfs tmpfs {folder}/layer\n{layers}\n{lines}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the listener and the sessions of its process group that are left."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        pass
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
