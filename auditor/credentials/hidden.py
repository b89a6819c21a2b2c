"""A secret's text in; out, what nothing shows of it, and texts for a log without any secret that was fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from urllib.parse import quote

_SALT = os.urandom(32)
_SHORTEST = 4  # characters of a secret that is sought in other texts
_FETCHED: set[str] = set()  # so that no log shows one
_OF_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")


class Secret:
    """A secret's text. Nothing shows it but `reveal`: not repr, not a format, not a pickle, not a comparison."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    @property
    def mark(self) -> str:
        """The same for equal secrets, however they are named, in this process; tells nothing of the secret."""
        return hashlib.sha256(_SALT + self._text.encode()).hexdigest()

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


def fetched(text: str) -> Secret:
    """The secret of this text, which no log shows from now on."""
    _FETCHED.add(text)
    return Secret(text)


def redacted(text: str) -> str:
    """A text for a log: without any secret that was fetched, as it is, quoted or encoded, nor what stands before @ in a URL."""
    for known in sorted((s for s in tuple(_FETCHED) if len(s) >= _SHORTEST), key=len, reverse=True):
        for form in _written(known):
            text = text.replace(form, "[secret]")
    return _OF_URL.sub("[secret]", text)


def _written(known: str) -> tuple[str, ...]:
    raw = known.encode("utf-8", "surrogateescape")
    return (
        known,
        json.dumps(known)[1:-1],
        json.dumps(known, ensure_ascii=False)[1:-1],
        repr(known)[1:-1],
        quote(known),
        quote(known, safe=""),
        base64.b64encode(raw).decode("ascii"),
        raw.hex(),
    )
