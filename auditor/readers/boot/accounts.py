"""The files of systemd-sysusers in; the files of accounts that these have written, where they make somebody mighty, out. Pure.

Source: sysusers.d(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.readers.boot.change import Change, numbered, words

FILES = "/etc/sysusers.d/*.conf /usr/local/lib/sysusers.d/*.conf /usr/lib/sysusers.d/*.conf"


def changes(path: str, text: str) -> Iterator[Change]:
    for number, line in numbered(text):
        kind, name, what = [*words(line), "", "", ""][:3]
        root = kind[:1] == "u" and name != "root" and re.fullmatch(r"0*(?::.*)?|0[xob0].*|.*[%\\/].*", what)
        if what and (root or (kind[:1] == "m" and not path.startswith("/usr/lib/"))):
            yield from (Change(f"/etc/{file}", f"{path}:{number} adds to it") for file in ("passwd", "group", "shadow"))
