"""A host's merged variables in; how to connect to it out. What would change that and is not understood is a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor import credentials
from auditor.errors import Problem
from auditor.load import schema
from auditor.load.inventory import at_once, ssh_arguments, winrm
from auditor.load.inventory.given import Given, whole
from auditor.load.inventory.tree import Var
from auditor.load.inventory.variables_aside import HARMLESS
from auditor.model import Host

_CONNECTIONS = {
    "ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "openssh": "openssh", "tree": "tree", "local": "local", "winrm": "winrm",
    # Known, and without a transport in this release: such hosts are counted, and not measured.
    "network_cli": "network_cli", "httpapi": "httpapi", "netconf": "netconf", "psrp": "psrp",
}  # fmt: skip
_DEVICES = ("network_cli", "httpapi", "netconf")
_PLATFORMS = ("linux", "windows", "cisco_ios", "fortios", "other")
_BUILTIN = re.compile(r"(ansible\.(builtin|netcommon|windows)\.)")

# Variables that we read, without `ansible_`; any other one changes how to connect in a way that we do not know.
_READ = frozenset(
    [
        "host",
        "port",
        "user",
        "connection",
        "ssh_private_key_file",
        "private_key_file",
        "become",
        "become_exe",
        "become_method",
        "become_user",
        "ssh_host",
        "ssh_port",
        "ssh_user",
        "ssh_common_args",
        "ssh_extra_args",
        "ssh_args",
        "host_key_checking",
        "ssh_host_key_checking",
        "network_os",
    ]
)
# Secrets; they are named instead, in the variable beside.
_SECRETS = {
    **dict.fromkeys(
        ("password", "ssh_pass", "ssh_password", *(f"winrm_{n}" for n in winrm.SECRETS)), "auditor_password"
    ),
    "ssh_private_key_passphrase": "auditor_key_passphrase",
}
_OURS = (
    "auditor_password",
    "auditor_key_passphrase",
    "auditor_platform",
    "auditor_legacy_algorithms",
    "auditor_tree",
    at_once.KEY,
)


def host(name: str, groups: tuple[str, ...], variables: Mapping[str, Var], problems: list[Problem]) -> Host:
    given = Given(variables, problems)
    _strange(given)
    platform = given.text("auditor_platform")
    if platform and platform not in _PLATFORMS:
        given.wrong(
            "auditor_platform", f"there is no platform '{platform[:80]}'{schema.did_you_mean(platform, _PLATFORMS)}"
        )
    connection = _connection(given, "winrm" if platform == "windows" else "ssh")
    _elevation(given, connection)
    arguments = _arguments(given)
    return Host(
        id=name,
        address=given.text("ansible_host", "ansible_ssh_host", default=name),
        connection=connection,
        port=_port(given, winrm.port(given) if connection == "winrm" else 0),
        user=given.text("ansible_user", "ansible_ssh_user"),
        key_file=given.path("ansible_ssh_private_key_file", "ansible_private_key_file")[1],
        become=given.flag("ansible_become", True),
        platform=platform or _platform(given, connection),
        groups=groups,
        password=_reference(given, "auditor_password"),
        passphrase=_reference(given, "auditor_key_passphrase"),
        proxy_jump=arguments.proxy_jump,
        known_hosts=arguments.known_hosts,
        ssh_options=tuple(sorted(arguments.options.items())),
        winrm=dict(winrm.variables(given, connection)),
        legacy=_legacy(given, connection),
        tree=_tree(given, connection),
    )


def _tree(given: Given, connection: str) -> str:
    """The folder, or a device's file, that stands for a host."""
    path = given.path("auditor_tree")[1]
    if "auditor_tree" in given.variables and connection != "tree":
        given.wrong("auditor_tree", "only ansible_connection: tree reads files in the place of a host")
    elif connection == "tree" and not path and "ansible_connection" in given.variables:
        given.wrong("ansible_connection", "the connection 'tree' needs auditor_tree: the path of the files")
    return path if connection == "tree" else ""


def _legacy(given: Given, connection: str) -> tuple[str, ...]:
    """Outdated algorithms that this host alone may use, `ssh-rsa,diffie-hellman-group14-sha1`: only the system's ssh has them."""
    names = tuple(n.strip() for n in given.text("auditor_legacy_algorithms").split(",") if n.strip())
    if names and connection != "openssh":
        given.wrong("auditor_legacy_algorithms", "only ansible_connection: openssh can use outdated algorithms")
    return names


def _strange(given: Given) -> None:
    """Variables that change how to connect and that we do not follow, and secrets that are written instead of named."""
    for key in given.variables:
        short = key.removeprefix("ansible_")
        if key.startswith("auditor_") and key not in _OURS:
            given.wrong(key, f"there is no variable {key}{schema.did_you_mean(key, _OURS)}")
        elif not key.startswith("ansible_") or short in _READ:
            continue
        elif short in _SECRETS:
            if _SECRETS[short] not in given.variables:
                given.wrong(
                    key,
                    f"{key}: secrets are not read from an inventory; name one instead, {_SECRETS[short]}: env:NAME (or file:PATH)",
                )
        elif not short.startswith("winrm_") and not HARMLESS.fullmatch(short):
            hint = schema.did_you_mean(key, [f"ansible_{r}" for r in sorted(_READ)], False)
            given.wrong(key, f"{key} changes how to connect and is not read by this release: remove it{hint}")


def _connection(given: Given, default: str) -> str:
    written = given.text("ansible_connection", default=default)
    connection = _BUILTIN.sub("", written)
    if connection not in _CONNECTIONS:
        hint = schema.did_you_mean(connection, _CONNECTIONS)
        given.wrong("ansible_connection", f"the connection '{connection[:80]}' is not read{hint}")
    return _CONNECTIONS.get(connection, "ssh")


def _platform(given: Given, connection: str) -> str:
    if connection in ("winrm", "psrp"):
        return "windows"
    if connection in _DEVICES:
        return "cisco_ios" if re.search(r"(^|\.)ios(xe)?$", given.text("ansible_network_os")) else "other"
    return "linux"


def _elevation(given: Given, connection: str) -> None:
    if connection in ("ssh", "openssh", "local"):
        if given.text("ansible_become_user", default="root") != "root":
            given.wrong("ansible_become_user", "only root is read: the elevated questions need it")
        if given.text("ansible_become_method", default="sudo") not in ("sudo", "ansible.builtin.sudo"):
            given.wrong("ansible_become_method", "only sudo is read")
        if given.text("ansible_become_exe", default="sudo").rpartition("/")[2] != "sudo":
            given.wrong("ansible_become_exe", "only sudo is read")
    for key in ("ansible_host_key_checking", "ansible_ssh_host_key_checking"):
        if not given.flag(key, True):
            given.wrong(key, f"{key}: host keys are always checked; remove it, and give the keys in known_hosts")


def _arguments(given: Given) -> ssh_arguments.Arguments:
    """Of the three variables that hold ssh's arguments; the first that gives an option wins."""
    jump = known_hosts = ""
    options: dict[str, str] = {}
    for key in ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"):
        try:
            one = ssh_arguments.parsed(given.text(key))
        except ssh_arguments.NotFollowed as error:
            given.wrong(key, f"{key}: {error}")
            continue
        jump = jump or one.proxy_jump
        options = {**one.options, **options}
        known_hosts = known_hosts or (whole(one.known_hosts, given.variables[key].file) if one.known_hosts else "")
    return ssh_arguments.Arguments(jump, known_hosts, options)


def _port(given: Given, default: int) -> int:
    for key in ("ansible_port", "ansible_ssh_port"):
        value = given.value(key)
        if value is None:
            continue
        if re.fullmatch("[0-9]{1,5}", str(value)) and 0 < int(value) < 65536:
            return int(value)
        given.wrong(key, f"'{str(value)[:80]}' is no port (1 to 65535)")
    return default


def _reference(given: Given, key: str) -> str:
    """Where a secret is to be found; what is written is never shown, as it may be the secret itself."""
    if key not in given.variables:
        return ""
    value = given.variables[key].value
    plain = isinstance(value, str) and "{{" not in value
    wrong = credentials.problem(value) if plain else f"write {credentials.FORMS}"
    if not wrong:
        return str(value)
    words = wrong.removeprefix("is no reference to a secret: ")
    given.wrong(key, f"{key} names a secret and never holds one: {words}")
    return ""
