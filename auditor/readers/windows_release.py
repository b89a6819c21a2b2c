"""Which release of Windows a host runs, from its registry, and until when its maker mends it. Pure.

Sources: learn.microsoft.com, the lifecycle of each product and "Windows 10/11 release information", as known in May 2026.
Extended updates that are bought (ESU) are not in it: nothing on a host says for sure that it has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from auditor.model import Answer, Unknown
from auditor.readers import windows_registry

VERSION = windows_registry.question(
    {
        "version": (
            r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
            ("CurrentBuild", "UBR", "EditionID", "InstallationType", "DisplayVersion"),
        )
    },
    cap_bytes=2048,
)

# BUILD KIND LAST-DAY. Kinds: server; annual (servers of the annual and semi-annual channels); home (Home, Pro), work (Enterprise, Education), ltsc, iot-ltsc.
ENDS = """
7601 server 2020-01-14
9200 server 2023-10-10
9600 server 2023-10-10
14393 server 2027-01-12
17763 server 2029-01-09
17763 annual 2020-11-10
18362 annual 2020-12-08
18363 annual 2021-05-11
19041 annual 2021-12-14
19042 annual 2022-05-10
20348 server 2031-10-14
25398 annual 2025-10-24
26100 server 2034-11-14
7601 home 2020-01-14
7601 work 2020-01-14
9600 home 2023-01-10
9600 work 2023-01-10
14393 home 2018-04-10
14393 work 2019-04-09
14393 ltsc 2026-10-13
17763 home 2020-11-10
17763 work 2021-05-11
17763 ltsc 2029-01-09
17763 iot-ltsc 2029-01-09
18363 home 2021-05-11
18363 work 2022-05-10
19041 home 2021-12-14
19041 work 2021-12-14
19042 home 2022-05-10
19042 work 2023-05-09
19043 home 2022-12-13
19043 work 2022-12-13
19044 home 2023-06-13
19044 work 2024-06-11
19044 ltsc 2027-01-12
19044 iot-ltsc 2032-01-13
19045 home 2025-10-14
19045 work 2025-10-14
22000 home 2023-10-10
22000 work 2024-10-08
22621 home 2024-10-08
22621 work 2025-10-14
22631 home 2025-11-11
22631 work 2026-11-10
26100 home 2026-10-13
26100 work 2027-10-12
26100 ltsc 2029-10-09
26100 iot-ltsc 2034-10-10
26200 home 2027-10-12
26200 work 2028-10-10
"""

# EditionID, without its N (no media player) or other ending.
_KINDS = {
    "core": "home",
    "professional": "home",
    "enterprise": "work",
    "education": "work",
    "iotenterprise": "work",
    "serverrdsh": "work",
    "enterprises": "ltsc",
    "iotenterprises": "iot-ltsc",
}
_HOME = ("core", "professional")  # these have many variants, all mended as long


@dataclass(frozen=True, slots=True)
class Release:
    """`kind` as in ENDS, Unknown for an edition that is not known; `workstation`: it is no server."""

    build: int
    revision: int | None
    edition: str
    kind: str | Unknown
    workstation: bool


def read(answer: Answer) -> Release | Unknown:
    key = windows_registry.read(answer).key("version")
    if isinstance(key, Unknown):
        return key
    build, revision = key.number("CurrentBuild"), key.number("UBR")
    if build is None or isinstance(build, Unknown) or build <= 0:
        return Unknown("unreadable", "CurrentBuild")
    installed, edition = key.text("InstallationType"), key.text("EditionID")
    if installed not in ("Client", "Server", "Server Core"):
        return Unknown("not_told", f"InstallationType {installed[:40]}")
    workstation = installed == "Client"
    kind = _kind(edition) if workstation else _kind_of_server(edition)
    return Release(build, revision if isinstance(revision, int) else None, edition, kind, workstation)


def _kind_of_server(edition: str) -> str | Unknown:
    """Azure Local shares builds with servers and is mended for another time; so do the channels, by what their editions end in."""
    name = edition.lower()
    if not name.startswith("server") or "azurestackhci" in name:
        return Unknown("not_told", f"the edition {edition[:40]} is not known")
    return "annual" if name.endswith("acor") else "server"


def _kind(edition: str) -> str | Unknown:
    name = edition.lower()
    known = _KINDS.get(name) or _KINDS.get(name.removesuffix("n"))
    if known:
        return known
    return "home" if name.startswith(_HOME) else Unknown("not_told", f"the edition {edition[:40]} is not known")


def ends(rows: Iterable[str]) -> dict[tuple[int, str], date]:
    """The last day by build and kind. A row that is none is left out; of two for one release, the later row stands."""
    found: dict[tuple[int, str], date] = {}
    for row in rows:
        words = row.split()
        if len(words) == 3 and words[0].isascii() and words[0].isdigit() and len(words[0]) < 7:
            try:
                found[int(words[0]), words[1]] = date.fromisoformat(words[2])
            except ValueError:
                continue
    return found


KNOWN = ends(ENDS.splitlines())
