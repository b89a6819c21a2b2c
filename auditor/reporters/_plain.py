"""Plain values in; JSON that any reader takes out, whatever a host said. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from auditor.document import Plain


def elements(name: str, items: Iterable[Plain]) -> Iterator[str]:
    """The list `name` of an object, an element a line, so that a long run can be read and compared line by line."""
    yield f'"{name}": ['
    before = "\n"
    for item in items:
        yield before + dumped(item)
        before = ",\n"
    yield "]" if before == "\n" else "\n]"


def dumped(plain: Any) -> str:
    """Keys sorted; no NaN; what is not printable stands as an escape, a lone surrogate as the text `\\udcff`."""
    try:
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(plain), ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else _UNPRINTABLE.sub(_escaped, text)


_UNPRINTABLE: re.Pattern[str] = re.compile(r"[^\x20-\x7e\xa1-\xac\xae-\u036f]")


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        return f"\\\\u{code:04x}"
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(char)[1:-1]


_FINITE: dict[type, Callable[[Any], Any]] = {
    dict: lambda plain: {k: _finite(v) for k, v in plain.items()},
    list: lambda plain: [_finite(v) for v in plain],
    float: lambda plain: plain if math.isfinite(plain) else str(plain),
}


def _finite(plain: Any) -> Any:
    """The same with numbers that JSON does not know as texts."""
    convert = _FINITE.get(type(plain))
    return convert(plain) if convert else plain
