"""A folder of templates in; what renders its pages out: escaped, inert, with the style that the page's policy names. Pure."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditor.model import Entity
from auditor.sentences import clean

LOGOS = 4  # that a page shows at most
_LOGO = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")
LONGEST = 2000  # characters of any one text


@cache
def environment(package: str) -> Environment:
    """Of the folder `templates` of a package; a name that a template is not given is an error."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def style_digest(package: str, name: str) -> str:
    """The SHA-256 of a style sheet that pages include, as a content security policy writes it."""
    text = environment(package).get_template(name).render()
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Picture(str):
    """A data URL of letters, digits and + / = alone: it is escaped like any text, and never cut."""

    __slots__ = ()


def _inert(value: Any) -> Any:
    """What stands in the page for a value: nothing that reorders, hides or fills it; French punctuation stays with its word."""
    if isinstance(value, Markup | Picture):
        return value
    text = clean(str(value), LONGEST)
    for mark in ":;?!»":
        text = text.replace(f" {mark}", f"\u00a0{mark}")
    return text.replace("« ", "«\u00a0")


def logos(entities: Iterable[Entity]) -> Iterator[tuple[str, Picture]]:
    """Name and picture of those that have one; what is no picture of a form that holds no program is left out."""
    for one in [one for one in entities if _LOGO.fullmatch(one.logo)][:LOGOS]:
        yield one.name or one.id, Picture(one.logo)
