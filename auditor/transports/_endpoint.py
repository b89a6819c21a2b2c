"""A host of the inventory and the user's ssh_config in; the ends of SSH to go to, bastions first, out."""

from __future__ import annotations

import getpass
import glob
import os
import re
import socket
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from auditor.framing.sh import shown
from auditor.kinds import Settings
from auditor.model import Failure, Host, Hurdle, Obstacle
from auditor.readers import known_hosts, ssh_config

HOPS = 8
PAUSES_S = (0.5, 1.5)  # before a connection that was cut is tried again
KNOWN_HOSTS = (
    "~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2",
)  # fmt: skip
_HOP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:@\s]+))(?::(?P<port>[0-9]{1,5}))?/?"
)


class Refused(Exception):
    """The conversation cannot go on, and why: a Failure without its date. `at` is the end that it broke at, if a bastion."""

    def __init__(
        self,
        cause: str,
        message: str,
        hurdle: Hurdle | None = None,
        key: tuple[str, bytes] | None = None,
        at: Endpoint | None = None,
    ) -> None:
        super().__init__(message)
        self.cause, self.message = cause, message
        self.hurdle, self.key, self.at = hurdle, key, at

    def failure(self, now: float, route: Route = ()) -> Failure:
        """What stands for the answers of a host at the end of this route."""
        end = self.at or (route[-1] if route else None)
        if self.hurdle is None or end is None:
            return Failure(self.cause, self.message, now)
        name = known_hosts.known_name(end.known_as, end.known_port)
        bastion = self.at is not None
        obstacle = Obstacle(self.hurdle, end.address, end.port, end.user, bastion, name, end.known_files, self.key)
        return Failure(self.cause, self.message, now, obstacle)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end to connect to and log in at. `known_as` is the name that its host key is known by."""

    address: str
    port: int
    user: str
    known_as: str
    known_files: tuple[str, ...]
    key_files: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    only_these: bool = False  # no other key of the agent
    must_have: bool = False  # the inventory names the key: there is no other
    agent: str = ""  # the path of its socket; "" for the usual one, "none" for none
    password: str = ""
    passphrase: str = ""
    timeout_s: float = 10.0
    family: str = "any"
    source: str = ""
    methods: frozenset[str] = frozenset({"publickey", "keyboard-interactive", "password"})
    algorithms: tuple[tuple[str, str], ...] = ()
    behind: str = ""  # the bastion through which it is reached
    aliased: bool = False  # `known_as` is a HostKeyAlias: it stands for any port

    @property
    def shown(self) -> str:
        return f"{shown(self.address)}:{self.port}"

    @property
    def known_port(self) -> int:
        """The port that its host key is known by."""
        return 22 if self.aliased else self.port


Route = tuple[Endpoint, ...]


class Routes:
    """The user's SSH configuration, read once, and known_hosts files, each set of them read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        home = str(Path.home())
        self._person = ssh_config.Person(getpass.getuser(), home, os.getuid(), socket.gethostname(), os.environ)
        self._config = ssh_config.read(settings.ssh_config, _files)
        self._lock = threading.Lock()
        self._known: dict[tuple[str, ...], known_hosts.KnownHosts] = {}
        self._said = lru_cache(maxsize=1024)(self._lookup)

    def of(self, host: Host) -> Route:
        """Raises Refused when ssh_config asks for what is not done here, or goes round in circles."""
        port = str(host.port) if host.port else ""
        said = self._said(host.address, host.user, port, host.proxy_jump, host.ssh_options)
        key_files = (host.key_file,) if host.key_file else ()
        last = self._endpoint(said, key_files, host.known_hosts, host.password, host.passphrase)
        # who names a bastion in the inventory has told its key, the passphrase of that and known_hosts there too
        heir = host if host.proxy_jump else None
        hops = self._hops(said.one("proxyjump"), (f"{host.address}:{last.port}",), heir)
        return (*hops, _behind(last, hops[-1])) if hops else (last,)

    def known(self, files: tuple[str, ...]) -> known_hosts.KnownHosts:
        with self._lock:
            if files not in self._known:
                self._known[files] = known_hosts.read([_text(path) for path in files])
            return self._known[files]

    def trusted(self, host: Host) -> set[str]:
        """The known_hosts files, there or not, that the keys on the way to this host are looked for in."""
        said = self._said(host.address, host.user, "", host.proxy_jump, host.ssh_options)
        files = {*self._known_files(said, host.known_hosts)}
        try:
            return files.union(*(end.known_files for end in self.of(host)))
        except Refused:  # the system's ssh may go where we do not
            return files

    def way_to(self, host: Host) -> tuple[str, str, bool]:
        """ConnectTimeout and ProxyJump as the files say them, "" where they do not; whether nothing stands in between.

        Whatever else they say: what we do not follow may be a way round, such as a ProxyCommand.
        """
        said = self._said(host.address, host.user, "", host.proxy_jump, host.ssh_options)
        jump = said.one("proxyjump")
        return said.one("connecttimeout"), jump, not said.objections and jump.lower() in ("", "none")

    def _lookup(
        self, name: str, user: str, port: str, jump: str, options: tuple[tuple[str, str], ...] = ()
    ) -> ssh_config.Said:
        given = {**dict(options), "user": user, "port": port, "proxyjump": jump}
        return ssh_config.lookup(self._config, name, self._person, {k: v for k, v in given.items() if v})

    def _known_files(self, said: ssh_config.Said, users_own: str) -> tuple[str, ...]:
        """What the inventory or ssh_config names, each kind in the place of its own defaults.

        The inventory speaks for the user's files alone: what everybody's revoke stays revoked.
        """
        users = (users_own,) if users_own else said.values.get("userknownhostsfile", KNOWN_HOSTS[:2])
        everybody = said.values.get("globalknownhostsfile", KNOWN_HOSTS[2:])
        if self._settings.known_hosts:
            users, everybody = (users_own,) if users_own else self._settings.known_hosts, ()
        return tuple(f for f in (*users, *everybody) if f.lower() != "none")

    def _hops(self, jump: str, seen: tuple[str, ...], heir: Host | None) -> Route:
        if not jump or jump.lower() == "none":
            return ()
        rest, _, last = jump.rpartition(",")
        found = _HOP.fullmatch(last.strip())
        if found is None:
            raise Refused("no_transport", f"'{shown(last)}' is no bastion: write user@host:port")
        name = found["six"] or found["host"]
        said = self._said(name, found["user"] or "", found["port"] or "", rest)
        key_files = (heir.key_file,) if heir and heir.key_file else ()
        hop = self._endpoint(
            said, key_files, heir.known_hosts if heir else "", passphrase=heir.passphrase if heir else ""
        )
        where = f"{name}:{hop.port}"
        if where in seen or len(seen) > HOPS:
            raise Refused("no_transport", f"ProxyJump goes round in a loop: {' > '.join((*seen, where))}")
        hops = self._hops(said.one("proxyjump"), (*seen, where), heir)
        return (*hops, _behind(hop, hops[-1]) if hops else hop)

    def _endpoint(
        self,
        said: ssh_config.Said,
        key_files: tuple[str, ...],
        known: str,
        password: str = "",
        passphrase: str = "",
    ) -> Endpoint:
        if said.objections:
            more = f" (and {len(said.objections) - 1} more)" if len(said.objections) > 1 else ""
            raise Refused(
                "no_transport",
                f"{shown(said.objections[0])}{more}: take the system's ssh for this host, `ansible_connection: openssh`",
            )
        files = said.values.get("identityfile", ())
        return Endpoint(
            address=said.one("hostname"),
            port=_number(said, "port", 22, 65535),
            user=said.one("user") or self._person.user,
            known_as=said.one("hostkeyalias") or said.one("hostname"),
            known_files=self._known_files(said, known),
            key_files=key_files or tuple(f for f in files if f.lower() != "none"),
            certificates=said.values.get("certificatefile", ()),
            only_these=bool(key_files) or said.on("identitiesonly", default=False) or "none" in files,
            must_have=bool(key_files),
            agent="" if said.one("identityagent") in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK") else said.one("identityagent"),
            password=password,
            passphrase=passphrase,
            timeout_s=float(_number(said, "connecttimeout", 0, 86400)) or self._settings.connect_timeout_s,
            family=said.one("addressfamily").lower() or "any",
            source=said.one("bindaddress"),
            methods=_methods(said),
            aliased="hostkeyalias" in said.values,
            algorithms=tuple((k, said.one(k)) for k in ssh_config.ALGORITHMS if k in said.values),
        )


def _behind(end: Endpoint, hop: Endpoint) -> Endpoint:
    return replace(end, behind=hop.shown)


def _number(said: ssh_config.Said, key: str, default: int, most: int) -> int:
    text = said.one(key)
    if not text or text.lower() == "none":
        return default
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > most:
        raise Refused("no_transport", f"ssh_config: '{key} {shown(text)}' is no number that we can use")
    return int(text)


def _methods(said: ssh_config.Said) -> frozenset[str]:
    switches: Mapping[str, str] = {
        "publickey": "pubkeyauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "password": "passwordauthentication",
    }
    allowed = {m for m, key in switches.items() if said.one(key).lower() not in ("no", "false")}
    preferred = said.one("preferredauthentications")
    return frozenset(allowed & set(preferred.split(",")) if preferred else allowed)


# ---------------------------------------------------------------- files


def _files(pattern: str, named_in: str) -> list[tuple[str, str | None, str]]:
    """The files that an Include of `named_in` names: relative to ~/.ssh, or to /etc/ssh for the system's own."""
    base = "/etc/ssh" if named_in.startswith("/etc/ssh/") else str(Path.home() / ".ssh")
    found = sorted(glob.glob(os.path.join(base, os.path.expanduser(pattern)), include_hidden=True))
    return [(path, *_trusted(path)) for path in found if not os.path.isdir(path)]


def _trusted(path: str) -> tuple[str | None, str]:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:  # a \r alone ends no line
            found = os.fstat(file.fileno())
            if found.st_uid not in (os.getuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None, "can be written by others: chown it, chmod go-w"
            return file.read(), ""
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"


def _text(path: str) -> str:
    """A file of known keys; one that is there and is not read may hold revocations: raises Refused."""
    try:
        return Path(os.path.expanduser(path)).read_bytes().decode("utf-8-sig", "replace")  # a \r alone ends no line
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refused("host_key", f"{shown(path)} cannot be read: {why}") from None
