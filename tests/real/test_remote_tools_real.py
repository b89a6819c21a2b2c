"""Tools of remote access on a real machine: real processes, listeners, crontabs and a real ssh client."""

from __future__ import annotations

import pytest

from auditor.model import Outcome
from auditor.probes import remote_tools
from tests.real import namespaces
from tests.real.namespaces import Told, in_each_shell

pytestmark = pytest.mark.root
_SH = 'mount --bind "$(command -v {})" "$(readlink -f /bin/sh)"\n'
SHELLS = {
    "dash": "",
    "bash": _SH.format("bash"),
    "busybox": _SH.format("busybox") + 'mount --bind "$(command -v busybox)" "$(readlink -f "$(command -v awk)")"\n',
}
PRIVATE = "mount -t tmpfs none /run; mkdir /run/w; mount -t tmpfs none /opt; mount -t tmpfs none /var/spool; ip link set lo up\n"


@pytest.fixture(autouse=True)
def _needs() -> None:
    namespaces.need("ssh", "busybox", "bash", "ip")


def ask(setup: str, shell: str | None = None) -> Told:
    return namespaces.ask(remote_tools.PROBE, "remote_tools", PRIVATE + setup, alone=True, shell=shell)


def named(program: str) -> str:
    return f"cp /bin/sleep /run/w/{program}; /run/w/{program} 100 </dev/null >/dev/null 2>&1 &\nsleep 0.3\n"


def of(told: Told, *declared: str) -> Outcome | None:
    kept = {"remote_tools": declared}
    return namespaces.judged(remote_tools.PROBE, "identity", "remote-tools-all-declared", told.facts, registers=kept)


def tools(told: Told) -> dict[str, bool]:
    return {t["tool"]: t["running"] for t in told.facts["tools"]}


@in_each_shell(SHELLS)
def test_a_process_and_a_port_of_vnc(shell: str) -> None:
    told = ask(named("x11vnc"), shell)
    assert tools(told) == {"VNC": True}
    assert of(told) is Outcome.FAIL and of(told, "VNC") is Outcome.PASS
    listen = "python3 -m http.server 5901 </dev/null >/dev/null 2>&1 &\nsleep 1\n"
    assert tools(ask(listen, shell)) == {"VNC": True}


def test_nothing_of_the_kind() -> None:
    told = ask("true")
    assert told.facts["tools"] == [] and of(told) is Outcome.PASS


def test_what_is_installed_and_does_not_run_is_a_warning() -> None:
    told = ask("mkdir -p /opt/teamviewer")
    assert tools(told) == {"TeamViewer": False} and of(told) is Outcome.WARN
    assert of(told, "AnyDesk", "TeamViewer") is Outcome.PASS


@in_each_shell(SHELLS)
def test_reverse_tunnels_that_run(shell: str) -> None:
    ssh = "ssh -o ProxyCommand='sleep 60' -o StrictHostKeyChecking=no {} relay.invalid >/dev/null 2>&1 </dev/null &\nsleep 0.5\n"
    told = ask(ssh.format("-NT -R 2222:localhost:22"), shell)
    assert tools(told) == {"reverse SSH tunnel": True} and of(told) is Outcome.FAIL
    assert "relay.invalid" not in told.raw
    assert tools(ask(ssh.format("-nNL 2222:localhost:22"), shell)) == {}


@in_each_shell(SHELLS)
def test_reverse_tunnels_that_are_written_down(shell: str) -> None:
    cron = "mkdir -p /var/spool/cron/crontabs; echo '@reboot {} CANARY' > /var/spool/cron/crontabs/bob\n"
    told = ask(cron.format("autossh -M0 -NR 2222:localhost:22"), shell)
    assert tools(told) == {"reverse SSH tunnel": False} and "CANARY" not in told.raw
    assert of(told) is Outcome.WARN
    assert tools(ask(cron.format("rsync -e ssh -aR /srv/2024"), shell)) == {}


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_reverse_tunnels_of_the_settings_of_ssh(shell: str) -> None:
    settings = "mount -t tmpfs none /root; mkdir /root/.ssh; printf 'Host relay\\n  {}\\n' > /root/.ssh/config\n"
    told = ask(settings.format("RemoteForward 2222 localhost:22") + SHELLS[shell])
    assert tools(told) == {"reverse SSH tunnel": False} and of(told) is Outcome.WARN
    agent = "RemoteForward /run/user/1000/gnupg/S.gpg-agent /run/user/1000/gnupg/S.gpg-agent.extra"
    assert tools(ask(settings.format(agent) + SHELLS[shell])) == {}


def test_a_program_under_another_name_shows_by_its_file() -> None:
    rename = "import ctypes,os; ctypes.CDLL(None).prctl(15, b'kworker', 0, 0, 0); open('/run/w/ready','w'); __import__('time').sleep(99)"
    start = (
        f'cp "$(readlink -f /usr/bin/python3)" /run/w/ngrok; /run/w/ngrok -c "{rename}" </dev/null >/dev/null 2>&1 &\n'
    )
    told = ask(start + "sleep 1; [ -e /run/w/ready ]\n")
    assert tools(told) == {"ngrok": True}


def test_root_sees_what_a_host_hides() -> None:
    told = ask("mount -o remount,hidepid=2 /proc\n" + named("anydesk"))
    assert tools(told) == {"AnyDesk": True}
