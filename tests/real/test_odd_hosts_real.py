"""The whole shipped catalogue asked of this machine made odd: nothing crashes, and nothing passes that did not before.

What an odd host lacks can only make facts unknown or worse. So each oddity is held against the machine as it is: whatever
passes, or is said not to concern it, did so before, or stands in TRUE_THERE with the reason. A control that is added is held
against the same without a word here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import lacking
from sshd import private, started

from auditor import shelves
from auditor.commands import inputs
from auditor.errors import Unreadable
from auditor.evaluate import evaluate
from auditor.kinds import Probe, Settings
from auditor.model import Answer, Command, Facts, Failure, Host, Output, Partial, Unknown
from auditor.plan import Plan
from auditor.transports import ssh
from tests.real.namespaces import ROOT, need

pytestmark = [pytest.mark.root, pytest.mark.timeout(400), pytest.mark.xdist_group("odd hosts")]

# Everything is imported before the setup runs: it may take the interpreter away.
CHILD = """
import encodings.idna, os, pickle, subprocess, sys, time
from auditor.transports import local
from auditor.kinds import Settings
commands, catalogue, host, setup, environment, behind_s = pickle.load(sys.stdin.buffer)
subprocess.run(["sh", "-e", "-c", setup], check=True, stdout=sys.stderr, stdin=subprocess.DEVNULL)
os.environ.update(environment)
ask = local.TRANSPORT.open(Settings(clock=lambda: time.time() - behind_s, elevated=catalogue))
sys.stdout.buffer.write(pickle.dumps(dict(ask(host, commands, 250.0))))
"""

# What an oddity makes true that was not before: (oddity, control) -> why.
TRUE_THERE: Mapping[tuple[str, str], str] = {
    ("busybox only", "ssh-admin-two-factors"): "no sshd is left there",
    ("busybox only", "ssh-root-login-off"): "no sshd is left there",
    ("busybox only", "ssh-outside-two-factors"): "no sshd is left there",
}


@dataclass(frozen=True, slots=True)
class Odd:
    """What makes a host odd: shell lines as root in its own namespaces, its environment, how far our clock is behind."""

    setup: str = ":"
    environment: tuple[tuple[str, str], ...] = ()
    behind_s: float = 0.0


BASE = """
ip link set lo up
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/up /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work /etc
rm -f /etc/sudoers.d/*
"""
BUSYBOX_ONLY = """
mkdir /mnt/tools
cp "$(command -v busybox)" /mnt/tools/busybox
/mnt/tools/busybox --install -s /mnt/tools
mkdir /mnt/none
mount --bind /mnt/none /usr/sbin
mount --bind /mnt/tools /usr/bin
"""
NO_OS_RELEASE = "rm -f /etc/os-release /etc/debian_version /etc/lsb-release; mount --bind /dev/null /usr/lib/os-release"
NO_SYSTEMD = """
mkdir -p /mnt/none
mount --bind /mnt/none /run
for p in systemctl journalctl systemd-analyze loginctl timedatectl resolvectl; do
  f=$(command -v $p) || continue
  mount --bind /dev/null "$f"
done
rm -rf /etc/systemd /etc/machine-id
"""
ACCOUNTS = """
awk 'BEGIN { for (i = 1; i <= 10000; i++) printf "u%05d:x:%d:%d::/home/u%05d:/bin/sh\\n", i, 20000 + i, 20000 + i, i }' >> /etc/passwd
awk 'BEGIN { for (i = 1; i <= 10000; i++) printf "u%05d:x:%d:\\n", i, 20000 + i }' >> /etc/group
awk 'BEGIN { for (i = 1; i <= 10000; i++) printf "u%05d:!:19000:0:99999:7:::\\n", i }' >> /etc/shadow
echo 'last:x:0:0::/root:/bin/sh' >> /etc/passwd
echo 'last:!:19000:0:99999:7:::' >> /etc/shadow
"""
SELF_INCLUDING = """
useradd -M hidden
printf 'hidden ALL=(ALL) ALL\\n@include /etc/sudoers.d/self\\n@include /etc/sudoers\\n' > /etc/sudoers.d/self
chmod 440 /etc/sudoers.d/self
"""
FRENCH = "mkdir -p /mnt/locale; localedef -i fr_FR -f UTF-8 /mnt/locale/fr_FR.UTF-8; chmod 755 /mnt /mnt/locale"
IN_FRENCH = tuple((n, "fr_FR.UTF-8") for n in ("LANG", "LC_ALL", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME"))

ODDITIES = {
    "busybox only": Odd(BUSYBOX_ONLY),
    "no os-release": Odd(NO_OS_RELEASE),
    "no systemd": Odd(NO_SYSTEMD),
    "in French": Odd(FRENCH, (*IN_FRENCH, ("LANGUAGE", "fr"), ("LOCPATH", "/mnt/locale"))),
    "in the future": Odd(behind_s=400 * 86400.0),
    "10,000 accounts": Odd(ACCOUNTS),
    "self-including sudoers": Odd(SELF_INCLUDING),
    "no /proc": Odd("mount -t tmpfs tmpfs /proc"),
    "empty /etc": Odd("mkdir /mnt/empty; mount --bind /mnt/empty /etc"),
}

Told = Callable[[str], Mapping[Command, Answer]]

# ---------------------------------------------------------------- asking


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The demonstration estate, whose hosts have every role: each of them is this machine here."""
    return inputs.load((), (str(ROOT / "inventories" / "demo"),), None, None).plan


def linux(plan: Plan) -> list[int]:
    return [i for i, h in enumerate(plan.hosts) if h.platform == "linux" and h.connection != "none"]


def probes() -> dict[str, Probe]:
    return {n: p for n, p in shelves.probes().items() if isinstance(p, Probe) and "linux" in p.dialects}


def commands_of(plan: Plan) -> tuple[Command, ...]:
    """All that the shipped policies ask of any of these hosts, and every probe's own questions without arguments."""
    asked = dict.fromkeys(c for i in linux(plan) for c in plan.commands_of(i))
    asked.update(dict.fromkeys(c for p in probes().values() for c in p.dialects["linux"].commands({}).values()))
    return tuple(asked)


def answers(plan: Plan, odd: Odd) -> dict[Command, Answer]:
    need("busybox", "unshare", "sudo", "ip")
    asked = commands_of(plan)
    host = Host("here", "localhost", connection="local")
    given = (asked, inputs.elevated(shelves.probes()), host, BASE + odd.setup, odd.environment, odd.behind_s)
    ran = subprocess.run(
        ["unshare", "-m", "-n", "-p", "-f", "--mount-proc", sys.executable, "-c", CHILD],
        input=pickle.dumps(given), capture_output=True, timeout=380, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    told: dict[Command, Answer] = pickle.loads(ran.stdout)
    assert set(told) == set(asked), "each question has an answer"
    return told


@pytest.fixture(scope="module")
def told(plan: Plan) -> Told:
    """`told("no systemd")`: what that odd host answered, "" for the machine as it is; each is asked once."""
    return cache(lambda oddity: answers(plan, ODDITIES[oddity] if oddity else Odd()))


# ---------------------------------------------------------------- judging

Judged = dict[tuple[str, str], str]  # (control, host) -> outcome


def judged(plan: Plan, told: Mapping[Command, Answer]) -> Judged:
    found: Judged = {}
    for index in linux(plan):
        came_to = evaluate(plan.hosts[index], plan.checks_of(index), plan.questions_of(index), told, plan.probes)
        assert came_to.failure is None, came_to.failure
        for finding in came_to.findings:
            found[finding.control, plan.hosts[index].id] = finding.outcome.value if finding.outcome else "not concerned"
    assert found
    return found


def facts(told: Mapping[Command, Answer]) -> dict[str, Facts | Unknown]:
    """What each probe tells, asked without arguments. Raises what the auditor would die of."""
    found: dict[str, Facts | Unknown] = {}
    for name, probe in probes().items():
        dialect = probe.dialects["linux"]
        try:
            found[name] = dialect.parse({n: told[c] for n, c in dialect.commands({}).items()}, {})
        except Unreadable as why:
            found[name] = Unknown("unreadable", str(why))
    return found


def causes(value: Any) -> Iterator[str]:
    if isinstance(value, Unknown):
        yield value.cause
    elif isinstance(value, Partial):
        yield value.missing.cause
        yield from causes(list(value.items))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from causes(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from causes(one)


def better(before: Judged, after: Judged, oddity: str = "") -> dict[tuple[str, str], str]:
    """What passes, or does not concern the host, and did neither before."""
    return {
        key: f"{before[key]} -> {outcome}"
        for key, outcome in after.items()
        if outcome in ("pass", "not concerned") and before[key] not in (outcome, "pass")
        and (oddity, key[0]) not in TRUE_THERE
    }  # fmt: skip


@pytest.mark.parametrize("oddity", ODDITIES)
def test_no_oddity_makes_a_host_better(plan: Plan, told: Told, oddity: str) -> None:
    broken = [
        c.text[:80] for c, a in told(oddity).items() if isinstance(a, Failure) and a.cause in ("framing", "closed")
    ]
    assert not broken
    assert set(facts(told(oddity))) == set(probes())
    assert better(judged(plan, told("")), judged(plan, told(oddity)), oddity) == {}


def test_a_pass_that_was_none_is_found(plan: Plan, told: Told) -> None:
    before = judged(plan, told(""))
    key = next(iter(before))
    assert better({**before, key: "fail"}, {**before, key: "pass"}) == {key: "fail -> pass"}
    assert better({**before, key: "unknown"}, {**before, key: "not concerned"}) == {key: "unknown -> not concerned"}
    assert {"pass", "fail"} <= set(before.values()), "this machine passes something and fails something"


# ---------------------------------------------------------------- what an oddity must show


def test_another_language_tells_the_same(plan: Plan, told: Told) -> None:
    """The account's locale is a French one that works there, and no outcome differs."""
    if "lundi" not in french():
        lacking("this needs the package locales")
    assert judged(plan, told("in French")) == judged(plan, told(""))


def french() -> str:
    """What a Monday is called in the environment that those questions are asked in, before the script sets its own."""
    odd = ODDITIES["in French"]
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f"mount -t tmpfs tmpfs /mnt\n{odd.setup}\ndate -d 2026-11-23 +%A"],
        env={**os.environ, **dict(odd.environment)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout


def test_ten_thousand_accounts_are_all_looked_at_or_it_is_not_told(told: Told) -> None:
    """The last of them has uid 0."""
    shown = facts(told("10,000 accounts"))["admins"]
    assert not isinstance(shown, Unknown), shown
    assert "last" not in str(facts(told(""))["admins"])
    assert isinstance(shown["uid_zero"], Unknown) or "last" in shown["uid_zero"]


def test_whom_a_self_including_sudoers_names_is_seen_or_the_list_is_partial(told: Told) -> None:
    shown = facts(told("self-including sudoers"))["admins"]
    assert not isinstance(shown, Unknown), shown
    accounts = shown["accounts"]
    assert isinstance(accounts, Partial) or "hidden" in [a["account"] for a in accounts]


def test_a_clock_in_the_future_makes_ages_unknown(told: Told) -> None:
    ahead = [
        a.host_at - a.at for a in told("in the future").values() if isinstance(a, Output) and a.host_at is not None
    ]
    assert ahead
    assert min(ahead) > 300 * 86400
    assert "clock_skew" in set(causes(facts(told("in the future"))))


# ---------------------------------------------------------------- an ordinary user, over SSH

USER, KEYS = "ordinary", "/etc/ssh/keys-of-the-odd"


def test_an_ordinary_user_is_told_what_needs_root_by_nothing(
    plan: Plan, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Every elevated question says that it lacks the privilege, and what passes for this user passes for root as well."""
    need("sudo", "sshd")
    asked = commands_of(plan)
    setup = f"""useradd --create-home --shell /bin/sh --password '*' {USER}
cp {tmp_path}/authorized_keys {KEYS}
chmod 644 {KEYS}
rm -f /etc/sudoers.d/*"""
    with started(tmp_path, program("sshd"), inside=private(tmp_path, setup), user=USER, keys=KEYS) as server:
        settings = Settings(time.time, inputs.elevated(shelves.probes()), (server.known_hosts_file(),))
        ask = ssh.TRANSPORT.open(settings)
        host = Host("it", "127.0.0.1", port=server.port, user=USER, key_file=server.key_file)
        as_user, as_root = (dict(ask(replace(host, user=user), asked, 300.0)) for user in (USER, "root"))
    assert all(isinstance(a, Output) or a.cause in ("timeout", "truncated") for a in as_root.values())
    elevated = [c for c in asked if c.elevated]
    assert elevated
    assert {a.cause if isinstance(a, Failure) else "told" for c, a in as_user.items() if c.elevated} == {"no_privilege"}
    assert better(judged(plan, as_root), judged(plan, as_user)) == {}
    told = facts(as_user)
    seen_by_root = facts(as_root)
    for name, probe in probes().items():
        if any(c.elevated for c in probe.dialects["linux"].commands({}).values()):
            assert set(causes(told[name])) & {"no_privilege"} or told[name] == seen_by_root[name], name
