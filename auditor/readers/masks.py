"""The bytes of a file of a tree in; the same lines without secrets out, before anything of them is kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from auditor.readers import (
    backup_masks,
    clamav,
    defender,
    server_masks,
    setting_masks,
    sshd_masks,
    start_masks,
    sudo_grammar,
    sudo_lines,
    vpn_masks,
)
from auditor.readers.files import PROGRAM
from auditor.readers.forwarders import flattening, mask

STARS = b"***"
# A command of a sudo rule with its arguments, which may carry passwords; a line may be continued.
_COMMAND = re.compile(
    rb"((?:^|[\s,=!:)])(?<!CWD=)(?<!CWD = )(?<!CHROOT=)(?<!CHROOT = )/(?:\\.|[^\s,:=\\#])+)((?:[ \t]|\\\n)+)((?:\\[^\n]|\\\n|[^,:\\\n])*)"
)
# `name=value` of PAM modules: which modules are judged, and their order, not their arguments.
_ARGUMENT = re.compile(rb"(?<=[A-Za-z0-9_])=[^\s\]]+")
_CONTROL = re.compile(rb"\[[^\[\]\n]*\]")


def nothing(text: bytes) -> bytes:
    return text


def passwd(text: bytes) -> bytes:
    """Password fields and comments (real names) go; every line stays."""
    return b"\n".join(_row(line) for line in text.split(b"\n"))


def _row(line: bytes) -> bytes:
    """A row of other columns, which the C library may still read as an account, stays as `odd`; comments it passes over."""
    fields = line.strip(b" \t\r\v\f").split(b":")
    if fields == [b""] or fields[0].startswith(b"#"):
        return b""
    if len(fields) not in (4, 7):
        return fields[0] if fields[0][:1] in (b"+", b"-") else b"odd"
    fields[1] = _password(fields[0], fields[1])
    if len(fields) == 7:
        fields[4] = b""
    return b":".join(fields)


def _password(name: bytes, text: bytes) -> bytes:
    """`x` where shadow has it, `*` where nothing meets it, `set` for one of its own."""
    if text in (b"", b"x", b"##" + name):
        return text and b"x"
    return b"*" if text.startswith((b"!", b"*")) else b"set"


def sudoers(text: bytes) -> bytes:
    """The arguments of commands: `...` stands for some, `...*` for some with a wildcard; a `=` ends a line that sudo
    refuses because of what is not shown.
    """
    rules: list[list[bytes]] = [[]]
    for line in text.split(b"\n"):
        rules[-1].append(line)
        if not sudo_lines.goes_on(line.decode("latin-1").removesuffix("\r")):
            rules.append([])
    return b"\n".join(_told(b"\n".join(rule)) for rule in rules if rule)


def _told(rule: bytes) -> bytes:
    shown = _rule(re.sub(rb"\\[ \t]*\r?\n", b"\\\\\n", rule))
    refused = shown != rule and not sudo_grammar.is_parsed(rule.decode("latin-1"))
    return shown + b" =" if refused and sudo_grammar.is_parsed(shown.decode("latin-1")) else shown


def _rule(line: bytes) -> bytes:
    if re.match(rb"[ \t]*([@#]include|Defaults)", line):
        return line
    head, equals, rest = sudo_lines.uncommented(line.decode("latin-1")).encode("latin-1").partition(b"=")
    return head + equals + _COMMAND.sub(_arguments, rest) if equals else line


def _arguments(found: re.Match[bytes]) -> bytes:
    said = found[3].replace(b"\\\n", b" ").strip()
    if not said:
        return found[0]
    shown = said if said == b'""' else b"...*" if b"*" in said else b"..."
    return found[1] + b" " + shown + b" \\\n" * found[0].count(b"\\\n")


def pam(text: bytes) -> bytes:
    """`[value=action]` says how a stack goes on and stays; what follows it are arguments."""
    return b"\n".join(_module(line) for line in text.split(b"\n"))


def _module(line: bytes) -> bytes:
    line = line.partition(b"#")[0]
    control = _CONTROL.search(line)
    if control and len(line[: control.start()].split()) == 1:
        return line[: control.end()] + _ARGUMENT.sub(b"=*", line[control.end() :])
    return _ARGUMENT.sub(b"=*", line)


def comments(text: bytes) -> bytes:
    """What is no setting may hold anything."""
    return b"\n".join(b"" if line.lstrip().startswith(b"#") else line for line in text.split(b"\n"))


# ---------------------------------------------------------------- devices: what is kept is listed, all else goes

_IOS = re.compile(
    rb"""[ ]*(?:(?:no[ ])?(?:aaa[ ]new-model|ip[ ]http[ ](?:secure-)?server|logging[ ]on|shutdown|switchport(?:[ ](?:
    access|mode|trunk|voice|nonegotiate)[ \w,/-]*)?|ntp[ ]authenticate|snmp-server)|version[ ][\w.()]+|hostname[ ]\S+|end|exit
    |(?:interface|vlan|line)[ ][\w ./:,-]+|transport[ ]input[ ][\w ]+|access-class[ ][\w .-]+|ipv6[ ]access-class[ ][\w .-]+
    |(?:no[ ])?login(?:[ ](?:local|authentication[ ]\S+))?|ip[ ]http[ ](?:access-class|authentication)[ ][\w .-]+
    |ip[ ](?:default-gateway|address)[ ][\w. ]+|logging[ ]trap[ ]\w+
    |logging[ ](?:host[ ])?(?:ipv6[ ])?[0-9a-fA-F:]*[.:][0-9a-fA-F.:]*(?:[ ]vrf[ ]\S+)?(?:[ ]transport[ ](?:udp|tcp|tls)\b)?
    |ntp[ ](?:server|peer)[ ](?:vrf[ ]\S+[ ])?(?:ip[ ])?[\w.:-]+(?:[ ]key[ ][0-9]+)?)""",
    re.VERBOSE,
)
_IOS_SECRETS = (
    (re.compile(rb"([ ]*snmp-server community )\S+(.*)"), rb"\1***\2"),
    (re.compile(rb"([ ]*username \S+).*"), rb"\1"),
    (re.compile(rb"([ ]*aaa authentication login \S+(?: (?:group \S+|local|local-case|enable|line|none))*).*"), rb"\1"),
    (re.compile(rb"([ ]*password) .*"), rb"\1 ***"),
)
_VIEW = re.compile(rb"([ ]*snmp-server community \*\*\*)(?: view \S+)?( [Rr][OoWw])?(?: ipv6 \S+)?( [\w.-]+)?.*")


_BANNER = re.compile(rb"banner [\w-]+ (\^?\S)(.*)")


def cisco_ios(text: bytes) -> bytes:
    """What stands in a banner is no setting."""
    lines, until = [], b""
    for line in (one.rstrip(b"\r ") for one in text.split(b"\n")):
        banner = None if until else _BANNER.match(line)
        lines.append(b"" if until or banner else _of_ios(line))
        if banner:
            until = b"" if banner[1] in banner[2] else banner[1]
        elif until and until in line:
            until = b""
    return b"\n".join(lines)


def _of_ios(line: bytes) -> bytes:
    for pattern, kept in _IOS_SECRETS:
        if pattern.match(line):
            return _VIEW.sub(rb"\1\2\3", pattern.sub(kept, line))
    found = _IOS.match(line)
    if found and found.end() == len(line):
        return line
    return found[0] + b" ***" if found and line[found.end() : found.end() + 1] == b" " else b""


_FORTIOS = re.compile(
    rb"\s*(?:config [\w .\"-]+|edit (?:\"[^\"]*\"|\S+)|next|end|unset [\w-]+|set (?:allowaccess|type|status|server|mode|enc-algorithm|"
    rb"trusthost\d+|ip6-trusthost\d+|two-factor|remote-auth|wildcard|accprofile|query-v1-status|query-v2c-status|trap-v1-status|"
    rb"trap-v2c-status|ntpsync|authentication|admin-telnet|admin-https-redirect|security-level|hostname|ip|interface|vlanid) .*|#config-version=\S*)"
)
_SET = re.compile(rb"(\s*set [\w-]+)\b.*")


def fortios(text: bytes) -> bytes:
    """A value in quotes may go over many lines: what stands inside is no setting."""
    lines, inside = [], False
    for line in (one.rstrip(b"\r") for one in text.split(b"\n")):
        quotes = len(re.findall(rb'(?<!\\)"', line)) % 2
        if inside:
            lines.append(b"")
        elif not quotes and _FORTIOS.fullmatch(line.rstrip()):
            lines.append(line)
        else:
            lines.append(_SET.sub(rb"\1 ***", line) if _SET.match(line) else b"")
        inside = inside != bool(quotes)
    return b"\n".join(lines)


MASKS: Mapping[str, Callable[[bytes], bytes]] = {
    "": nothing,
    "assigned": flattening.assigned,
    "audit_rules": setting_masks.audit_rules,
    "auditd": setting_masks.auditd,
    "backup_crontab": backup_masks.crontab,
    "backup_crontab_own": backup_masks.crontab_own,
    "backup_mounts": backup_masks.mounts,
    "backup_script": backup_masks.script,
    "backup_service": backup_masks.service,
    "backup_ssh_names": backup_masks.ssh_names,
    "backup_timer": backup_masks.timer,
    "backup_variables": backup_masks.variables,
    "autostart": server_masks.autostart,
    "autologin": vpn_masks.autologin,
    "blocks": flattening.blocks,
    "borgmatic": backup_masks.borgmatic,
    "cisco_ios": cisco_ios,
    "clamav": clamav.masked,
    "clocks": setting_masks.clocks,
    "comments": comments,
    "daemon": start_masks.daemon,
    "defender": defender.masked,
    "fortios": fortios,
    "logrotate": setting_masks.logrotate,
    "pam": pam,
    "passwd": passwd,
    "inetd": server_masks.inetd,
    "ipsec": vpn_masks.ipsec,
    "ocserv": vpn_masks.ocserv,
    "openvpn": vpn_masks.openvpn,
    "polkit": setting_masks.polkit,
    "presence": setting_masks.presence,
    PROGRAM: setting_masks.presence,  # of its text nothing; what stands in its place, whoever reads the tree tells
    "rc_local": server_masks.script,
    "river": flattening.river,
    "rsyslog": mask.rsyslog,
    "shadow": setting_masks.shadow,
    "sshd_started": sshd_masks.started,
    "sssd": setting_masks.sssd,
    "started": setting_masks.started,
    "sudoers": sudoers,
    "swanctl": vpn_masks.swanctl,
    "syslog": mask.syslog,
    "systemd": setting_masks.systemd,
    "toml": flattening.toml,
    "wazuh": mask.wazuh,
    "wireguard": vpn_masks.wireguard,
    "yaml": flattening.yaml,
}
