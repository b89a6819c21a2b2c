"""What starts sshd, in; of each line only what it does to the settings of sshd's files out. Pure.

Sources: sshd(8), systemd.service(5), systemd.exec(5).
"""

from __future__ import annotations

import re

OTHERWISE = "otherwise"  # it gives sshd other settings, or has other files stand in the places of its own
ANOTHER = "another"  # it starts another program, or goes by a file that nobody looks at
KEYS = "keys"  # it says which keys are taken, whatever the files say
STARTS = "starts"  # it starts sshd

_UNIT = re.compile(rb"\A(?:[ \t]*(?:[#;].*)?\r?\n)*[ \t]*\[")
_OF_UNIT = re.compile(rb"[ \t]*(?:ExecStart|Environment|DefaultEnvironment)[ \t]*=")
_OF_FILE = re.compile(rb"[ \t]*(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=")
_FILES = re.compile(
    rb"(?i)[ \t]*(?:export[ \t]+)?(?:cfgfile|sshd_config|sshd_binary|sshd_confdir|command)[ \t]*=[ \t]*[^\s]"
)
_STARTS = re.compile(rb"[ \t]*Exec(?:Start|StartPre|StartPost|Reload)[ \t]*=.*\bsshd\b")
_HARMLESS = re.compile(
    rb"-o[ \t]?(?:Ciphers|MACs|KexAlgorithms|GSSAPIKexAlgorithms|HostKeyAlgorithms|CASignatureAlgorithms|RequiredRSASize|RSAMinSize)="
    rb"[\w@.,+*^-]*(?=[\s\"']|\Z)",
    re.IGNORECASE,
)
_KEYS = re.compile(rb"-o[ \t]?PubkeyAccepted(?:KeyTypes|Algorithms)=[\w@.,+*^-]*(?=[\s\"']|\Z)", re.IGNORECASE)
_OPTIONS = re.compile(rb"(?<![\w/.-])-[46dDeGiMqQrRtTV]*[ofC]")
# What an escape, a specifier or a part of a word stands for, nobody knows here.
_HIDDEN = re.compile(rb"\\(?!\r?\Z)|%[^%]|-\S*\$|\$\{\w+\}[^\s]")
# In a file of variables: what stands in quotes may go over lines, and quotes and escapes are taken away twice.
_WOVEN = re.compile(rb"\\|[$`]|[^\s=\"'][\"']+[^\s\"']")
# Another program, variables of a file that nobody looks at, another root, other files in the places of its own.
_ELSEWHERE = re.compile(
    rb"[ \t]*(?:ExecStart[ \t]*=(?![ \t]*(?:[-@:+!]*(?:/usr)?(?:/local)?/s?bin/sshd(?:[ \t\r]|\Z)|\r?\Z))"
    rb"|EnvironmentFile[ \t]*=[ \t]*(?!-?(?:/etc/default/ssh|/etc/sysconfig/(?:sshd?|sshd-permitrootlogin)"
    rb"|/etc/crypto-policies/back-ends/opensshserver\.config)?[ \t]*\r?\Z)"
    rb"|(?:Root(?:Directory|Image)|Bind(?:ReadOnly)?Paths|(?:Mount|Extension)Images|ExtensionDirectories|PassEnvironment)"
    rb"[ \t]*=[ \t]*[^ \t\r])"
)


def started(text: bytes) -> bytes:
    """Of a unit, or of a file of variables that are given to it; every line keeps its number."""
    unit = bool(_UNIT.match(text))
    heads = _OF_UNIT if unit else _OF_FILE
    lines, told, goes_on = [], False, False
    for line in text.split(b"\n"):
        if unit and goes_on and line.lstrip()[:1] in (b"#", b";"):  # systemd passes over it, and goes on
            lines.append(b"")
            continue
        told = bool(heads.match(line)) or (told and goes_on)
        goes_on = line.rstrip(b"\r").endswith(b"\\")
        lines.append(" ".join(_said(line, told, unit)).encode())
    return b"\n".join(lines)


def _said(line: bytes, told: bool, unit: bool) -> list[str]:
    left = _KEYS.sub(b"", _HARMLESS.sub(b"", line))
    hidden = told and unit and _HIDDEN.search(line)
    otherwise = told and (_OPTIONS.search(left) or hidden or (not unit and (_FILES.match(line) or _woven(line))))
    said = {
        ANOTHER: bool(_ELSEWHERE.match(line)),
        OTHERWISE: bool(otherwise),
        KEYS: told and bool(_KEYS.search(line)),
        STARTS: bool(_STARTS.match(line)),
    }
    return [word for word, true in said.items() if true]


def _woven(line: bytes) -> bool:
    """Whether the value of a variable is more than one line shows."""
    open_ended = any(line.count(quote) % 2 for quote in (b'"', b"'"))
    return open_ended or bool(_WOVEN.search(line))
