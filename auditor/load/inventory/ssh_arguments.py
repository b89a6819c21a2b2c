"""The text of ansible_ssh_common_args in; the jump hosts, known_hosts file and other options that it names, out. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


class NotFollowed(Exception):
    """An argument that changes how to connect, or whom to trust, and that we do not follow."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """`proxy_jump` is "none" where no bastion is wanted, whatever ssh_config says; `options` are in FOLLOWED."""

    proxy_jump: str = ""
    known_hosts: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


# They win over ssh_config, and mean what they mean there.
_FOLLOWED = frozenset(
    [
        "addressfamily",
        "connecttimeout",
        "identitiesonly",
        "kbdinteractiveauthentication",
        "passwordauthentication",
        "preferredauthentications",
        "pubkeyauthentication",
    ]
)
# They change neither where a connection goes nor whom it trusts.
_NO_MATTER = frozenset(
    [
        "controlmaster",
        "controlpath",
        "controlpersist",
        "serveraliveinterval",
        "serveralivecountmax",
        "connectionattempts",
        "compression",
        "batchmode",
        "loglevel",
        "tcpkeepalive",
        "forwardagent",
        "forwardx11",
        "addkeystoagent",
        "gssapiauthentication",
    ]
)
_FLAGS = re.compile(r"-[CqTtnaxX46v]+")  # 4 and 6 are followed
_HOP = re.compile(r"(?:ssh://)?(?:[\w.+-]+@)?(?:[\w.-]+|\[[0-9a-fA-F:.%]+\])(?::[0-9]{1,5})?")
_VALUES = {
    "addressfamily": "any|inet|inet6",
    "connecttimeout": "[1-9][0-9]{0,4}|none",
    "preferredauthentications": "[a-z,-]+",
}  # of what is followed; the others are yes or no
_YES = ("yes", "true", "ask")


def parsed(text: str) -> Arguments:
    """Raises NotFollowed, whose text says what to do."""
    if not text:  # as of nearly every host
        return Arguments()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise NotFollowed(f"cannot be split into words: {error}") from None
    jump = known_hosts = ""
    followed: dict[str, str] = {}
    for option, value in _options(iter(words)):
        if option == "proxyjump":
            jump = jump or _jump(value)  # as OpenSSH: the first that is given
        elif option == "userknownhostsfile":
            known_hosts = known_hosts or _known_hosts(value)
        elif option == "stricthostkeychecking":
            if value.lower() not in _YES:
                raise NotFollowed(
                    f"StrictHostKeyChecking={value}: host keys are always checked; remove it, and give the keys in known_hosts"
                )
        elif option == "proxycommand":
            raise NotFollowed("ProxyCommand is not run: write -o ProxyJump=USER@BASTION instead")
        elif option in _FOLLOWED:
            followed.setdefault(option, _value(option, value))
        elif option not in _NO_MATTER:
            raise NotFollowed(f"'{option}' changes how to connect and is not read by this release: remove it")
    return Arguments(jump, known_hosts, followed)


def _options(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Options as (lower-case name, value); flags without effect are passed over."""
    for word in words:
        if word.startswith("-o"):
            name, value = _split(word[2:] or next(words, ""))
            yield name.lower(), value
        elif word.startswith("-J"):
            yield "proxyjump", word[2:] or next(words, "")
        elif not _FLAGS.fullmatch(word):
            yield word, ""
        elif "4" in word or "6" in word:
            yield "addressfamily", "inet" if "4" in word else "inet6"


def _split(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)", text, re.DOTALL)
    return (match[1], match[2].strip().strip('"')) if match else (text.strip(), "")


def _jump(value: str) -> str:
    if value.lower() == "none":
        return "none"
    if not value or not all(_HOP.fullmatch(hop) for hop in value.split(",")):
        raise NotFollowed(f"ProxyJump={value}: write USER@HOST:PORT, several with commas")
    return value


def _value(option: str, value: str) -> str:
    if not re.fullmatch(_VALUES.get(option, "yes|no"), value, re.IGNORECASE):
        raise NotFollowed(f"'{option}' cannot be '{value}'")
    return value


def _known_hosts(value: str) -> str:
    if value in ("", "none", "/dev/null"):
        raise NotFollowed(
            f"UserKnownHostsFile={value}: without known keys no host can be told from another; name a file that holds them"
        )
    if len(value.split()) > 1:
        raise NotFollowed("UserKnownHostsFile names several files: name one")
    return value
