"""The settings of a service in a tree in; the same lines, with none but those that are asked for, out. Pure.

Every line keeps its number: what goes leaves an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from auditor.readers import backup_units
from auditor.readers.forwarders.flattening import place

_SECTION = re.compile(rb"[ \t]*\[[^\]]*\]")
_SOURCES = (b"server", b"servers", b"pool", b"peer", b"sensor")
_INCLUDES = (b"include", b"includefile", b"confdir", b"sourcedir")
_SYSTEMD = (b"Storage", b"NTP", b"FallbackNTP", b"TrustedCertificateFile")
_URL = re.compile(rb"([ \t]*URL[ \t]*=[ \t]*)(.*?)[ \t\r]*\Z")
_AUDITD = b"write_logs log_format log_file max_log_file num_logs max_log_file_action active path remote_server".split()
_SSSD = (
    b"domains enabled id_provider auth_provider access_provider cache_credentials cached_auth_timeout proxy_lib_name"
    b" offline_credentials_expiration simple_allow_users simple_allow_groups simple_deny_users simple_deny_groups"
).split()
_SCRIPTS = (b"prerotate", b"postrotate", b"firstaction", b"lastaction", b"preremove")


def _lines(text: bytes, kept: Callable[[bytes], bytes]) -> bytes:
    return b"\n".join(kept(line) for line in text.split(b"\n"))


def systemd(text: bytes) -> bytes:
    """Of an address, neither credentials nor path; a value may go on behind a backslash, and a line may end in CR alone."""
    lines = []
    goes_on = kept = False
    for line in text.split(b"\n"):
        told = []
        for part in line.split(b"\r"):
            comment = part.lstrip().startswith((b"#", b";"))
            if not comment:
                kept = kept if goes_on else _counts(part)
                goes_on = part.endswith(b"\\")
            url = _URL.match(part)
            told.append(b"#" * goes_on if comment else _address(url) if url else part if kept else b"")
        lines.append(b"\r".join(told))
    return b"\n".join(lines)


def _counts(line: bytes) -> bool:
    key, equals, _ = line.partition(b"=")
    return bool(_SECTION.match(line)) or (bool(equals) and key.strip() in _SYSTEMD)


def _address(url: re.Match[bytes]) -> bytes:
    return url[1] + (place(url[2].decode("latin-1")).encode("latin-1") if url[2] else b"")


def clocks(text: bytes) -> bytes:
    """chrony.conf, ntp.conf, ntpd.conf: the directives that name a source, and what they include."""
    return _lines(text, _clock)


def _clock(line: bytes) -> bytes:
    words = line.split()
    directive = words[0].lower() if words else b""
    if directive in _SOURCES:
        named = next((w for w in words[1:] if not w.startswith(b"-")), b"")
        return directive + b" " + named
    if directive == b"refclock":
        return b" ".join(words[:3])
    return b" ".join([directive, *words[1:]]) if directive in _INCLUDES else b""


def audit_rules(text: bytes) -> bytes:
    """Of a comment its mark stays: what augenrules joins to it is one too."""
    return _lines(text, lambda line: b"#" if line.lstrip().startswith(b"#") else line)


def auditd(text: bytes) -> bytes:
    return _lines(text, lambda line: line if line.partition(b"=")[0].strip().lower() in _AUDITD else b"")


def sssd(text: bytes) -> bytes:
    """A line that is no assignment, which sssd refuses, stays as `odd`."""
    return _lines(text.removeprefix(b"\xef\xbb\xbf"), _sssd)


def _sssd(line: bytes) -> bytes:
    bare = line.strip()
    if not bare or bare.startswith((b"#", b";")):
        return b""
    section = _SECTION.match(line)
    if section:
        return section[0].strip()
    key, equals, value = bare.partition(b"=")
    key = b"".join(key.split()).lower()
    return (key + b"=" + value.strip() if key in _SSSD else b"") if equals else b"odd"


def started(text: bytes) -> bytes:
    """What starts a unit, without the arguments of programs that are not known to have no secrets; on what it depends."""
    return _lines(text, _start)


_STARTS = re.compile(rb"[ \t]*(?:Exec(?:Start|Condition)|Condition\w+|Assert\w+)[ \t]*=")
_OPEN = re.compile(
    rb"[ \t]*(?:ExecStart=[-@:+!]*(?:/\S*/)?(?:clamonacc|clamd|freshclam|wdavdaemon)\b.*|ExecStart[ \t]*=[ \t]*)"
)


def _start(line: bytes) -> bytes:
    found = _STARTS.match(line)
    if not found and _gives_another(line):
        return b"odd"
    return line if found and _OPEN.fullmatch(line) else found[0] + b"..." if found else b""


# What daemons that look for viruses are set to by their packages.
_THEIRS = (
    "Type",
    "User",
    "Group",
    "Requires",
    "RemainAfterExit",
    "Sockets",
    "PartOf",
    "Environment",
    "TimeoutStartSec",
)


def _gives_another(line: bytes) -> bool:
    """Whether a setting may give a daemon other files, or keep it from them."""
    key, equals, value = line.decode("utf-8", "backslashreplace").partition("=")
    key, value = key.strip(), value.strip()
    comment = key.startswith(("#", ";"))
    loads = key == "Environment" and backup_units.holds_back(key, value)
    return bool(equals) and not comment and (loads or (key not in _THEIRS and backup_units.holds_back(key, value)))


_YES = re.compile(rb"\.YES|[\"']yes[\"']")
_YES_OF_OLD = re.compile(rb"[ \t]*Result(?:Any|Inactive|Active)[ \t]*=[ \t]*yes")


def polkit(text: bytes) -> bytes:
    """Only that a line says yes: as one of a script, outside its comments, or as one of a file of settings."""
    lines, inside = [], False
    for line in text.split(b"\n"):
        bare = re.sub(rb"/\*[^*]*\*/", b" ", line)
        if inside:
            _, ends, bare = bare.partition(b"*/")
            inside = not ends
        bare = re.sub(rb"(^|[^:\"])//.*", rb"\1", bare)
        bare, begins, _ = bare.partition(b"/*")
        inside = inside or bool(begins)
        said = (b"rules" if _YES.search(bare) else b"", b"pkla" if _YES_OF_OLD.match(line) else b"")
        lines.append(b" ".join(word for word in said if word))
    return b"\n".join(lines)


def shadow(text: bytes) -> bytes:
    """Of a password whether there is one: `x`, `*` for one that nothing meets, or nothing at all."""
    return _lines(text, _shadow)


def _shadow(line: bytes) -> bytes:
    fields = line.split(b":")
    if len(fields) != 9:
        return b"" if not line.strip() else b"odd"
    fields[1] = b"" if not fields[1] else b"*" if fields[1].startswith((b"!", b"*")) else b"x"
    return b":".join(fields)


def logrotate(text: bytes) -> bytes:
    """Without comments and scripts."""
    lines, script = [], False
    for line in text.split(b"\n"):
        bare = line.strip()
        ends = script and bare == b"endscript"
        begins = not script and bare in _SCRIPTS
        lines.append(b"" if bare.startswith(b"#") or (script and not ends) else line)
        script = (script or begins) and not ends
    return b"\n".join(lines)


def presence(_text: bytes) -> bytes:
    """That it is there is all that is asked."""
    return b""
