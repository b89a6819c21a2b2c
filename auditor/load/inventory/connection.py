"""A host's merged variables in; how to connect to it out. What would change that and is not understood is a problem."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor import credentials
from auditor.errors import Problem
from auditor.load import schema
from auditor.load.inventory import at_once, ssh_arguments
from auditor.load.inventory.tree import Var
from auditor.load.yaml import Tagged
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
    **dict.fromkeys(("password", "ssh_pass", "ssh_password", "winrm_password", "winrm_pass"), "auditor_password"),
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
# Of WinRM: files, words of a list, what is read or changes nothing here, and what is only taken as it is by default.
_WINRM_FILES = ("ca_trust_path", "cert_pem", "cert_key_pem")
_WINRM_WORDS = {
    "scheme": ("https", "http"),
    "transport": ("ntlm", "kerberos", "basic", "certificate"),
    "message_encryption": ("auto", "always"),
}
_WINRM_READ = (
    *_WINRM_FILES, "path", "service", "kerberos_hostname_override",
    "connection_timeout", "operation_timeout_sec", "read_timeout_sec", "keytab", "realm", "kinit_mode", "kinit_cmd", "kinit_args",
    "kinit_env_vars",
)  # fmt: skip
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")
_WINRM_REFUSED = {
    "server_cert_validation": (
        ("validate",),
        "certificates are always verified; remove it, and give the authority that signed the host's in ansible_winrm_ca_trust_path",
    ),
    "send_cbt": (_YES, "NTLM is always bound to its TLS channel; remove it"),
    "kerberos_delegation": (_NO, "our ticket is not given to hosts; remove it"),
    "proxy": (("",), "hosts are asked directly; remove it"),
}
_WINRM_TRANSPORTS = {
    "credssp": "CredSSP gives our password to the host that is asked; take ntlm or kerberos",
    "plaintext": "plaintext shows the password to whoever listens; take ntlm, or basic over HTTPS",
    "ssl": "'ssl' may mean two things; write basic or certificate",
    "negotiate": "one way to log in is tried, and it is named: write ntlm or kerberos",
}
# Variables of Ansible that say nothing about how we connect: of its own working here and on the host ...
_WORKING = (
    r".*_interpreter|shell_(type|executable|allow_world_readable_temp)|remote_tmp|system_tmpdirs|async_dir|group_priority|"
    r"become_(flags|pass|password)|sudo_pass|(ssh_)?pipelining|timeout|command_timeout|connect_timeout|"
    r"ssh_(retries|timeout|verbosity|use_tty|transfer_method|password_mechanism)|(ssh_)?(scp|sftp)_.*|"
    r"(ssh_)?control_path(_dir)?|persistent_(connect_timeout|command_timeout|buffer_read_timeout|log_messages)|"
    r"psrp_.*|httpapi_.*|netconf_.*|managed|module_compression|no_target_syslog|keep_remote_files|"
    r"check_mode|diff_mode|verbosity|version|forks|limit|run_tags|skip_tags|config_file|playbook_python|inventory_sources|"
    r"search_path|play_(name|hosts|hosts_all|batch|role_names)|role_name(s)?|dependent_role_names|parent_role_(names|paths)"
)
# ... and its facts, what it found there: https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_vars_facts.html
_FACTS = (
    r"facts.*|local|all_ipv[46]_addresses|apparmor|architecture|bios_(date|vendor|version)|"
    r"(board|chassis)_(asset_tag|name|serial|vendor|version)|cmdline|date_time|default_ipv[46]|device_links|devices|"
    r"distribution(_(file_(parsed|path|variety|search_string)|debug|major_version|minor_version|release|version))?|"
    r"dns|domain|env|fibre_channel_wwn|fips|firmware_version|form_factor|fqdn|hostname|hostnqn|interfaces|ip_addresses|"
    r"is_chroot|iscsi_iqn|kernel(_version)?|lastboot|lo|loadavg|locally_reachable_ips|lsb|lvm|machine(_id)?|"
    r"(memfree|memory|memtotal|pagefile|swapfree|swaptotal)_mb|memory|mounts|net_\w+|netbios_name|nodename|"
    r"os_(family|name|installation_type|product_type)|owner_(contact|name)|pkg_mgr|powershell_version|proc_cmdline|"
    r"processor(_(cores|count|nproc|threads_per_core|vcpus))?|product_(name|serial|uuid|version)|python(_version)?|"
    r"(effective|real)_(group|user)_id|reboot_pending|selinux(_python_present)?|service_mgr|ssh_host_key_\w+_public(_keytype)?|"
    r"system|system_(capabilities|capabilities_enforced|description|vendor)|systemd|uptime_seconds|"
    r"user_(dir|gecos|gid|id|shell|sid|uid)|userspace_(architecture|bits)|virtualization_(role|type|tech_guest|tech_host)|"
    r"win_rm_certificate_\w+|windows_domain(_\w+)?|"
    r"br[-_]\w+|(eth|en[opsx]|br|bond|docker|team|veth|virbr|wl|tap|tun|vlan|vmbr|wg)[\w.-]*[0-9][\w.-]*"  # interfaces
)
_HARMLESS = re.compile(f"{_WORKING}|{_FACTS}")


@dataclass(frozen=True, slots=True)
class _Given:
    variables: Mapping[str, Var]
    problems: list[Problem]

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(self.variables[key].problem(message))

    def value(self, key: str) -> Any:
        """Of a variable that we need: in clear, and no template."""
        var = self.variables.get(key)
        if var is None:
            return None
        if isinstance(var.value, Tagged):
            if var.value.tag == "!unsafe":
                return var.value.text
            self.wrong(key, f"{key} is encrypted with ansible-vault: write it in clear, it is no secret")
            return None
        if isinstance(var.value, str) and ("{{" in var.value or "{%" in var.value):
            message = f"{key} is a template ({{{{ }}}}): templates are not evaluated, write the value"
            self.wrong(key, f"{message}, or give the output of `ansible-inventory --list`")
            return None
        return var.value

    def text(self, *keys: str, default: str = "") -> str:
        """Of the first of these variables that says something."""
        for key in keys:
            value = self.value(key)
            if isinstance(value, bool | dict | list):
                self.wrong(key, f"{key} must be text")
            elif "\0" in str(value):
                self.wrong(key, f"{key} holds a NUL character: take it out")
            elif value not in (None, ""):
                return str(value)
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.value(key)
        words = {"yes": True, "true": True, "on": True, "1": True, "y": True, "t": True}
        words |= {"no": False, "false": False, "off": False, "0": False, "n": False, "f": False}
        if value is None or isinstance(value, bool):
            return default if value is None else value
        if str(value).lower() not in words:
            self.wrong(key, f"'{str(value)[:80]}' is neither true nor false")
            return False
        return words[str(value).lower()]

    def path(self, *keys: str) -> tuple[str, str]:
        """A path as written, and whole: beside the file that says it, where it is relative."""
        written = self.text(*keys)
        key = next((k for k in keys if k in self.variables), "")
        return written, whole(written, self.variables[key].file) if written else ""


def whole(written: str, file: str) -> str:
    """A path as it is written in a file: from the home (~), or from the inventory's folder."""
    path = Path(os.path.expanduser(written))
    folder = Path(file).parent
    for part in (folder, *folder.parents):
        if part.name in ("group_vars", "host_vars"):
            folder = part.parent
    return str(path if path.is_absolute() else folder / path)


def host(name: str, groups: tuple[str, ...], variables: Mapping[str, Var], problems: list[Problem]) -> Host:
    given = _Given(variables, problems)
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
        port=_port(given, _winrm_port(given) if connection == "winrm" else 0),
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
        winrm=dict(_winrm(given, connection)),
        legacy=_legacy(given, connection),
        tree=_tree(given, connection),
    )


def _tree(given: _Given, connection: str) -> str:
    """The folder, or a device's file, that stands for a host."""
    path = given.path("auditor_tree")[1]
    if "auditor_tree" in given.variables and connection != "tree":
        given.wrong("auditor_tree", "only ansible_connection: tree reads files in the place of a host")
    elif connection == "tree" and not path and "ansible_connection" in given.variables:
        given.wrong("ansible_connection", "the connection 'tree' needs auditor_tree: the path of the files")
    return path if connection == "tree" else ""


def _legacy(given: _Given, connection: str) -> tuple[str, ...]:
    """Outdated algorithms that this host alone may use, `ssh-rsa,diffie-hellman-group14-sha1`: only the system's ssh has them."""
    names = tuple(n.strip() for n in given.text("auditor_legacy_algorithms").split(",") if n.strip())
    if names and connection != "openssh":
        given.wrong("auditor_legacy_algorithms", "only ansible_connection: openssh can use outdated algorithms")
    return names


def _strange(given: _Given) -> None:
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
        elif not short.startswith("winrm_") and not _HARMLESS.fullmatch(short):
            hint = schema.did_you_mean(key, [f"ansible_{r}" for r in sorted(_READ)], False)
            given.wrong(key, f"{key} changes how to connect and is not read by this release: remove it{hint}")


def _connection(given: _Given, default: str) -> str:
    written = given.text("ansible_connection", default=default)
    connection = _BUILTIN.sub("", written)
    if connection not in _CONNECTIONS:
        hint = schema.did_you_mean(connection, _CONNECTIONS)
        given.wrong("ansible_connection", f"the connection '{connection[:80]}' is not read{hint}")
    return _CONNECTIONS.get(connection, "ssh")


def _platform(given: _Given, connection: str) -> str:
    if connection in ("winrm", "psrp"):
        return "windows"
    if connection in _DEVICES:
        return "cisco_ios" if re.search(r"(^|\.)ios(xe)?$", given.text("ansible_network_os")) else "other"
    return "linux"


def _elevation(given: _Given, connection: str) -> None:
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


def _arguments(given: _Given) -> ssh_arguments.Arguments:
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


def _port(given: _Given, default: int) -> int:
    for key in ("ansible_port", "ansible_ssh_port"):
        value = given.value(key)
        if value is None:
            continue
        if re.fullmatch("[0-9]{1,5}", str(value)) and 0 < int(value) < 65536:
            return int(value)
        given.wrong(key, f"'{str(value)[:80]}' is no port (1 to 65535)")
    return default


def _reference(given: _Given, key: str) -> str:
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


def _winrm(given: _Given, connection: str) -> Iterator[tuple[str, str]]:
    """The `ansible_winrm_*` variables by short name, paths whole; those of another connection say nothing."""
    for key in given.variables:
        short = key.removeprefix("ansible_winrm_")
        if short == key or f"winrm_{short}" in _SECRETS:
            continue
        value = given.value(key)
        if isinstance(value, dict | list):
            given.wrong(key, f"{key} must be text")
            continue
        if value is None:
            continue
        said = str(value).lower() if isinstance(value, bool) else str(value)
        wrong = _winrm_problem(short, said) if connection == "winrm" else ""
        if wrong:
            given.wrong(key, f"{key}: {wrong}")
        yield short, whole(said, given.variables[key].file) if short in _WINRM_FILES and said else said


def _winrm_problem(short: str, said: str) -> str:
    """What is wrong with a variable of WinRM, "" for nothing."""
    if short in _WINRM_REFUSED:
        allowed, why = _WINRM_REFUSED[short]
        return "" if said.lower() in allowed else why
    if short in _WINRM_WORDS:
        return "" if said in _WINRM_WORDS[short] else _winrm_word(short, said)
    if short in _WINRM_READ:
        return ""
    known = [*_WINRM_REFUSED, *_WINRM_WORDS, *_WINRM_READ]
    return f"is not read by this release: remove it{schema.did_you_mean(short, known)}"


def _winrm_word(short: str, said: str) -> str:
    if short == "transport" and said in _WINRM_TRANSPORTS:
        return _WINRM_TRANSPORTS[said]
    return f"'{said[:80]}' is none of {', '.join(_WINRM_WORDS[short])}{schema.did_you_mean(said, _WINRM_WORDS[short])}"


def _winrm_port(given: _Given) -> int:
    return 5985 if given.text("ansible_winrm_scheme") == "http" else 5986
