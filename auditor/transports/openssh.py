"""SSH by the system's own `ssh`, in batch mode: Kerberos, FIDO keys, ProxyCommand, and outdated algorithms by opt-in."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence

from auditor.framing import sh
from auditor.kinds import SSH_CONFIG, Ask, Settings, Transport
from auditor.model import Answer, Command, Failure, Host, Hurdle, Obstacle
from auditor.transports import _process
from auditor.transports._endpoint import PAUSES_S, Refused, Routes

log = logging.getLogger("auditor.transports.openssh")

# Ours win over ssh_config: nothing asks, nothing is forwarded, no key is learnt, and host keys are always verified.
_ALWAYS = (
    "BatchMode=yes", "StrictHostKeyChecking=yes", "NoHostAuthenticationForLocalhost=no", "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no",
    "RemoteCommand=none", "RequestTTY=no", "ForkAfterAuthentication=no", "StdinNull=no", "SessionType=default",
    "LogLevel=ERROR", "AddKeysToAgent=no", "ControlMaster=no", "ControlPath=none",
)  # fmt: skip

# An outdated algorithm -> the options that allow it.
_LEGACY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"ssh-(rsa|dss)", ("HostKeyAlgorithms", "PubkeyAcceptedAlgorithms")),
    (r"(diffie-hellman|ecdh|curve25519)-[a-z0-9.@-]+", ("KexAlgorithms",)),
    (r"[a-z0-9-]+-cbc(@[a-z.]+)?|arcfour[0-9]*", ("Ciphers",)),
    (r"(hmac|umac)-[a-z0-9@.-]+", ("MACs",)),
)

# What ssh says when it ends with 255 -> the cause, and what it broke at; the first that is found counts.
_SAID: tuple[tuple[str, Hurdle | None, str], ...] = (
    ("host_key", "key_revoked", r"host key .{0,80}revoked"),
    ("host_key", "certificate", r"certificate invalid|host certificate"),
    ("host_key", "key_changed", r"host identification has changed"),
    ("host_key", "key_unknown", r"no [a-z0-9@.-]+ host key is known"),
    ("host_key", None, r"host key verification failed"),
    ("auth", "login", r"permission denied|too many authentication failures|no more authentication methods"),
    ("no_transport", None, (r"bad configuration option|bad owner or permissions|unsupported option|missing argument"
     r"|bad (?:key types|ssh2 (?:cipher|kex|mac)|configuration)|terminating, [0-9]+ bad|jumphost loop|keyword .{0,80} argument")),
    ("closed", "relay", r"open failed: (?!connect failed)"),
    ("unreachable", "port", r"open failed: connect failed: connection refused"),
    ("unreachable", "relay", r"stdio forwarding failed"),
    ("unreachable", "name", r"could not resolve|hostname contains invalid"),
    ("unreachable", "algorithms", r"unable to negotiate"),
    ("unreachable", "no_ssh", r"kex_exchange_identification|banner exchange"),
    ("unreachable", "port", r"connection refused"),
    ("unreachable", "silent", r"connection timed out|no route to host|network is unreachable"),
    ("unreachable", None, r"connect to host|connection (?:reset|closed)|proxycommand|unknown port"),
)  # fmt: skip


# What it says of a connection that ended before anybody logged in.
_CUT = re.compile(
    r"ssh: connect to host \S+ port [0-9]+: connection (refused|reset by peer)"
    r"|(kex_exchange_identification|banner exchange): .{0,60}(closed|reset)[^\n]*", re.IGNORECASE
)  # fmt: skip
SPEAKS_S = 2.0  # a host that answers has answered its first question by then; until it does, it may only be connecting


def open_(settings: Settings) -> Ask:
    clock = settings.clock
    routes = Routes(settings)

    def ask(host: Host, commands: tuple[Command, ...], deadline_s: float) -> Iterator[tuple[Command, Answer]]:
        end = clock() + deadline_s
        nonce = sh.nonce(secrets.token_hex(8), settings.timed is not None)
        reader = sh.Reader(commands, nonce, host.become, host.id, settings.timed)
        script = sh.script(commands, settings.elevated, host.become).encode()
        try:
            timeout, jump, direct = routes.way_to(host)
            argv = [*command_line(host, settings, timeout, jump), f"exec sh -s -- {nonce}"]
            for pause_s in (*(PAUSES_S if direct else ()), 0.0):
                process = _started(argv)
                try:
                    silent = settings.connecting(SPEAKS_S)
                    failure = yield from _process.converse(process, script, reader, end, clock, silent)
                    if failure.cause == "closed" and not reader.done:
                        failure = _ended(process, failure, reader)
                finally:
                    _process.end(process)
                if not pause_s or not _cut(process, failure) or clock() + pause_s >= end:
                    break
                with settings.connecting(0.0):
                    time.sleep(pause_s)
        except Refused as error:
            failure = Failure(error.cause, error.message, clock())
        yield from reader.finish(failure)

    return ask


def _cut(process: subprocess.Popen[bytes], failure: Failure) -> bool:
    """Whether the host refused or hung up before we logged in: then no account is touched by trying again."""
    return process.returncode == 255 and _CUT.fullmatch(failure.message.strip()) is not None


def command_line(host: Host, settings: Settings, timeout: str, jump: str) -> list[str]:
    """How `ssh` is called for a host, but for the remote command. Raises Refused for what it cannot be given."""
    if host.password or host.passphrase:
        raise Refused("no_transport", "the system's ssh is given no secret: load the key into ssh-agent, or use `ssh`")
    known = _known(host.known_hosts, settings)
    options = [*_ALWAYS, *known, f"ConnectTimeout={timeout or max(1, round(settings.connect_timeout_s))}"]
    options += _key(host.key_file)
    if jump and jump.lower() != "none":
        options.append(f"ProxyCommand={proxy_command(jump, settings, known, host.key_file if host.proxy_jump else '')}")
    elif jump:
        options.append("ProxyJump=none")
    options += [f"{key}={value}" for key, value in host.ssh_options if key != "connecttimeout"]
    if host.user:
        options.append(f"User={host.user}")
    if host.port:
        options.append(f"Port={host.port}")
    options += _legacy(host)
    return ["ssh", *_config(settings), "-T", *(w for o in options for w in ("-o", o)), "--", host.address]


def proxy_command(jump: str, settings: Settings, known: Sequence[str], key_file: str = "") -> str:
    """What `-J` stands for, but for the options: ssh hands none of ours to the bastions, and their keys are verified too.

    `known`: the options that name known_hosts. `key_file`: who names a bastion in the inventory has told its key there too.
    """
    rest, _, last = jump.rpartition(",")
    options = [*_ALWAYS, *known, *_key(key_file)]
    if rest:
        options.append("ProxyCommand=" + proxy_command(rest, settings, known, key_file))
    # each level expands its own % and hands the rest on
    words = [w.replace("%", "%%") for o in options for w in ("-o", o)]
    last = last.strip() if last.strip().startswith("ssh://") else f"ssh://{last.strip()}"
    return shlex.join(["ssh", *_config(settings), *words, "-W", "[%h]:%p", "--", last.replace("%", "%%")])


def _key(path: str) -> list[str]:
    return [f"IdentityFile={_quoted(path)}", "IdentitiesOnly=yes"] if path else []


def _known(users_own: str, settings: Settings) -> list[str]:
    """The inventory speaks for the user's files alone: what everybody's revoke stays revoked."""
    files = (users_own,) if users_own else settings.known_hosts
    users = ["UserKnownHostsFile=" + " ".join(_quoted(k) for k in files)] if files else []
    return [*users, "GlobalKnownHostsFile=none"] if settings.known_hosts else users


def _config(settings: Settings) -> list[str]:
    """ssh reads its usual files unless we are told of others."""
    if settings.ssh_config == SSH_CONFIG:
        return []
    return ["-F", settings.ssh_config[0] if settings.ssh_config else "none"]


def _quoted(path: str) -> str:
    return '"' + path.replace("%", "%%").replace('"', '\\"') + '"'


def _legacy(host: Host) -> list[str]:
    """The options for the outdated algorithms that this host may use; said in the log each time."""
    options: dict[str, list[str]] = {}
    for name in host.legacy:
        keys = next((keys for pattern, keys in _LEGACY if re.fullmatch(pattern, name)), ())
        if not keys:
            raise Refused("no_transport", f"'{sh.shown(name)}' is no algorithm that can be allowed")
        for key in keys:
            options.setdefault(key, []).append(name)
    if host.legacy:
        log.warning("host %s: outdated algorithms are allowed: %s", host.id, ", ".join(host.legacy))
    return [f"{key}=+{','.join(names)}" for key, names in options.items()]


def _started(argv: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except FileNotFoundError:
        raise Refused("no_transport", "there is no `ssh` on this machine: install openssh-client") from None
    except (OSError, ValueError) as error:
        raise Refused("no_transport", f"`ssh` cannot be run: {sh.shown(str(error))[:200]}") from None


def _ended(process: subprocess.Popen[bytes], failure: Failure, reader: sh.Reader) -> Failure:
    """Why ssh ended before all was answered: 255 is its own error, anything else the host's shell."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2.0)
    said = sh.shown(failure.message)
    if process.returncode != 255:
        if reader.begun or process.returncode is None:
            return Failure("closed", "the host closed the connection", failure.at)
        words = sh.unanswered(process.returncode, reader.said or said[:200])
        return Failure("closed", words, failure.at, Obstacle("shell"))
    found = ((c, h) for c, h, pattern in _SAID if re.search(pattern, said, re.IGNORECASE))
    cause, hurdle = next(found, ("closed", None))
    obstacle = Obstacle(hurdle) if hurdle else None
    return Failure(cause, said[-300:] or "ssh ended without a word", failure.at, obstacle)


TRANSPORT = Transport(script=sh.script, open=open_)
