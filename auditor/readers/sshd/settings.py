"""Effective settings in; the ways to authenticate that they leave, out. Pure."""

from __future__ import annotations

from collections.abc import Mapping

METHODS = {
    "publickey": "pubkeyauthentication",
    "password": "passwordauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "gssapi-with-mic": "gssapiauthentication",
    "hostbased": "hostbasedauthentication",
}

Settings = Mapping[str, tuple[str, ...]]


def first(settings: Settings, word: str, default: str = "") -> str:
    return settings.get(word, (default,))[0]


def alternatives(settings: Settings) -> tuple[tuple[str, ...], ...]:
    """The ways to authenticate: any one of them, and in it every method; a way with a disabled method is none."""
    enabled = {m for m, word in METHODS.items() if first(settings, word) == "yes"}
    if first(settings, "usepam", "no") != "yes":
        enabled.discard("keyboard-interactive")  # on Linux nothing but PAM stands behind it
    lists = " ".join(settings.get("authenticationmethods", ("any",))).split() or ["any"]
    if "any" in lists:
        return tuple((m,) for m in METHODS if m in enabled)
    ways = (tuple(m.partition(":")[0] for m in one.split(",")) for one in lists)
    return tuple(way for way in ways if all(m in enabled or m not in METHODS for m in way))
