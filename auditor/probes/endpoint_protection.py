"""Which antivirus or EDR a host has: processes, paths and the vendors' own status in, products and their state out. Pure.

A vendor's text that is not as expected makes its facts Unknown, never a verdict. Sources: the vendors' manuals; for
ClamAV, clamd(8), clamonacc(8) and the header of its databases as `sigtool --info` reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from auditor.kinds import Dialect, Dialects, Probe
from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.readers import processes
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.rsyslog import age_s
from auditor.readers.undated import reduced

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it shows on a host. `processes` are cut at 15 characters, as the kernel does; `*` ends a beginning.

    `certain` says that these are all the names its daemon may run under: then their absence tells that it does not run.
    """

    name: str
    paths: tuple[str, ...]
    processes: tuple[str, ...]
    certain: bool = True


PRODUCTS = (
    Product(
        "ClamAV",
        (
            "/usr/sbin/clamd",
            "/usr/local/sbin/clamd",
            "/usr/bin/freshclam",
            "/usr/local/bin/freshclam",
            "/usr/bin/clamscan",
        ),
        ("clamd",),
    ),
    Product("Microsoft Defender", ("/opt/microsoft/mdatp", "/usr/bin/mdatp"), ("wdavdaemon",)),
    Product("CrowdStrike Falcon", ("/opt/CrowdStrike/falconctl",), ("falcond", "falcon-sensor*")),
    Product("SentinelOne", ("/opt/sentinelone",), ("s1-agent", "sentinelone-age")),
    Product("Cortex XDR", ("/opt/traps",), ("pmd", "traps_pmd")),
    Product("Bitdefender", ("/opt/bitdefender-security-tools",), ("bdsecd", "bdagentd", "epagd", "epagng")),
    Product("Trend Micro", ("/opt/ds_agent",), ("ds_agent", "ds_am")),
    Product("ESET", ("/opt/eset/efs", "/opt/eset/eea", "/opt/eset/esets"), ("oaeventd", "esets_daemon"), certain=False),
    Product(
        "Sophos", ("/opt/sophos-spl", "/opt/sophos-av"), ("sophos_watchdog", "sophos_threat_d", "savd"), certain=False
    ),
    Product("WithSecure", ("/opt/f-secure", "/etc/opt/f-secure"), ("fsavd", "fsaccd"), certain=False),
    Product("Kaspersky", ("/opt/kaspersky/kesl",), ("kesl",), certain=False),
    Product("HarfangLab", ("/opt/hurukai", "/opt/hurukai-agent"), ("hurukai*",), certain=False),
    Product("FortiEDR", ("/opt/FortiEDRCollector",), ("FortiEDRCollect*",), certain=False),
    Product("Trellix", ("/opt/McAfee", "/opt/isec", "/opt/Trellix"), ("mfetpd", "isectpd"), certain=False),
    Product("Cisco Secure Endpoint", ("/opt/cisco/amp",), ("ampdaemon",), certain=False),
    Product("Elastic Defend", ("/opt/Elastic/Endpoint",), ("elastic-endpoin*",), certain=False),
    Product("Wazuh", ("/var/ossec/bin/wazuh-control",), ("wazuh-agentd",)),
)
OURS = processes.among("clamonacc", *(name for product in PRODUCTS for name in product.processes))

PATHS = Command(
    f"""for p in {" ".join(path for product in PRODUCTS for path in product.paths)}; do
  if [ -e "$p" ]; then echo "$p"
  else
    q=${{p%/*}}
    while [ -n "$q" ] && ! [ -e "$q" ]; do q=${{q%/*}}; done
    [ -x "${{q:-/}}" ] || echo "! $q"
  fi
done
echo end""",
    timeout_s=5,
    cap_bytes=8192,
)
PATHS_ROOT = replace(PATHS, elevated=True)

# The first bytes of a database say when it was built. `d` stands before what is in each directory.
CLAMAV = Command(
    r"""d=$(awk '$1 == "DatabaseDirectory" { print $2 }' /etc/clamav/*.conf /etc/clamd.conf /etc/clamd.d/*.conf /etc/freshclam.conf 2>/dev/null | sort -u)
for d in ${d:-/var/lib/clamav}; do
  echo "d $d"
  if [ -d "$d" ] && ! [ -x "$d" ]; then echo "! $d"; fi
  for f in "$d/daily.cvd" "$d/daily.cld"; do
    if [ -r "$f" ]; then echo "$(head -c 200 "$f" | tr -cd '[:print:]')"
    elif [ -e "$f" ]; then echo "! $f"; fi
  done
done
echo end""",
    timeout_s=5,
    cap_bytes=8192,
)
MDATP = Command(
    r"""command -v mdatp >/dev/null || { echo absent; exit 0; }
mdatp health --output json | sed -e 's/"\(orgId\|machineGuid\|edrMachineId\)" *: *"[^"]*"/"\1": ""/g'""",
    timeout_s=20,
)
STATUS = Command(
    r"""r() {
  n=$1
  shift
  if [ -x "$1" ]; then "$@" 2>&1 | head -c 8192 | tr -d '\r' | awk -v n="$n" '{ print n "|" $0 }'; fi
}
r falcon /opt/CrowdStrike/falconctl -g --version --rfm-state
r sentinelone /opt/sentinelone/bin/sentinelctl control status
r cortex /opt/traps/bin/cytool runtime query
r bitdefender /opt/bitdefender-security-tools/bin/bduitool get ps
r trend /opt/ds_agent/dsa_query -c GetComponentInfo -r au AM.mode
echo end""",
    elevated=True,
    timeout_s=40,
    cap_bytes=65536,
)


@dataclass(frozen=True, slots=True)
class _State:
    """What a product says of itself. `signatures`: their age in seconds; None where it has none."""

    real_time: bool | Unknown
    signatures: float | Unknown | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Names that were seen, and why there may be others."""

    names: frozenset[str]
    missing: Unknown | None


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "processes": PROCESSES,
        "processes_root": PROCESSES_ROOT,
        "paths": PATHS,
        "paths_root": PATHS_ROOT,
        "clamav": CLAMAV,
        "mdatp": MDATP,
        "status": STATUS,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    seen = processes.read(answers["processes_root"], answers["processes"])
    paths = _seen_paths(answers["paths_root"], answers["paths"])
    products = [_product(p, seen, answers) for p in PRODUCTS if _there(p, seen, paths)]
    missing = seen.missing or paths.missing
    return {"products": Partial(tuple(products), missing) if missing else products}


def _seen_paths(rooted: Answer, plain: Answer) -> _Seen:
    """The whole list, as root or not; else all that was seen, and why it is not the whole."""
    names: frozenset[str] = frozenset()
    missing: Unknown | None = None
    for answer in (rooted, plain):
        seen = _Seen(frozenset(), answer.unknown()) if isinstance(answer, Failure) else _paths(answer)
        names |= seen.names
        if seen.missing is None:
            return _Seen(names, None)
        missing = missing or seen.missing
    return _Seen(names, missing)


def _paths(answer: Output) -> _Seen:
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        return _Seen(frozenset(), Unknown("unreadable", "the paths of products are not told"))
    denied = [line[2:] for line in lines if line.startswith("! ")]
    names = frozenset(line for line in lines if line.startswith("/"))
    return _Seen(names, Unknown("no_privilege", " ".join(dict.fromkeys(denied))[:200]) if denied else None)


def _there(product: Product, seen: Processes, paths: _Seen) -> bool:
    return bool(paths.names & set(product.paths)) or seen.found(product.processes, product.paths) is not None


def _runs(product: Product, seen: Processes) -> bool | Unknown:
    running = seen.runs(product.processes, product.paths)
    if running is False and not product.certain:
        return Unknown("not_told", f"under which name {product.name} runs")
    return running


def _product(product: Product, seen: Processes, answers: Mapping[str, Answer]) -> dict[str, Fact]:
    running = _runs(product, seen)
    judge = _JUDGES.get(product.name, _untold)
    state = judge(answers, seen)
    real_time = False if running is False else state.real_time
    return {
        "product": product.name,
        "running": running,
        "real_time": real_time,
        "signatures_age_days": round(state.signatures / DAY, 1)
        if isinstance(state.signatures, float)
        else state.signatures,
    }


# ---------------------------------------------------------------- what each vendor tells


NO_SIGNATURES = Unknown("not_told", "how fresh it is, its console tells")


def _untold(answers: Mapping[str, Answer], seen: Processes) -> _State:
    untold = Unknown("not_told", "this product's own status is not read")
    return _State(untold, untold)


def _clamav(answers: Mapping[str, Answer], seen: Processes) -> _State:
    """clamd scans what it is given; only clamonacc watches what is opened."""
    return _State(seen.runs(["clamonacc"]), _clamav_age(answers["clamav"]))


def _clamav_age(answer: Answer) -> float | Unknown | None:
    """Of the freshest database in a directory; of the stalest directory, since clamd may be set to any of them."""
    if isinstance(answer, Failure):
        return answer.unknown()
    lines = answer.text.splitlines()
    if not lines or lines[-1] != "end":
        return Unknown("unreadable", "the ClamAV databases")
    starts = [i for i, line in enumerate(lines) if line.startswith("d ")] + [len(lines) - 1]
    ages = [_age_in(answer, lines[a + 1 : b]) for a, b in pairwise(starts)]
    unknown = next((a for a in ages if isinstance(a, Unknown)), None)
    if unknown or all(a is None for a in ages):
        return unknown
    empty = [lines[i][2:] for i, age in zip(starts, ages, strict=False) if age is None]
    if empty:
        return Unknown("not_told", f"no database in {empty[0][:100]}, which is set beside another")
    return max(a for a in ages if isinstance(a, float))


def _age_in(answer: Output, lines: list[str]) -> float | Unknown | None:
    """None: the directory holds no database."""
    ages: list[float] = []
    for line in lines:
        if line.startswith("! "):
            return Unknown("no_privilege", line[2:])
        age = age_s(answer, _built(line)) if line.startswith("ClamAV-VDB:") else Unknown("unreadable", line[:40])
        if isinstance(age, Unknown):
            return age
        ages.append(age)
    return min(ages, default=None)


def _built(header: str) -> float | Unknown:
    """`ClamAV-VDB:21 Nov 2026 08-27 -0500:27500:...`"""
    try:
        return datetime.strptime(header.split(":")[1].strip(), "%d %b %Y %H-%M %z").timestamp()
    except (ValueError, OverflowError):
        return Unknown("unreadable", header[:40])


def _mdatp(answers: Mapping[str, Answer], seen: Processes) -> _State:
    """`healthy` may be true with real-time protection off, and is not asked."""
    answer = answers["mdatp"]
    if isinstance(answer, Failure):
        return _State(answer.unknown(), answer.unknown())
    try:
        told = json.loads(answer.text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        unread = Unknown("unreadable", answer.text[:80])
        return _State(unread, unread)
    return _State(_mdatp_real_time(told), _mdatp_age(told, answer))


def _value(told: Mapping[str, Any], name: str) -> Any:
    """Values are objects {value, isManaged, ...} or, in some releases, bare."""
    value = told.get(name)
    return value.get("value") if isinstance(value, dict) else value


def _mdatp_real_time(told: Mapping[str, Any]) -> bool | Unknown:
    enabled, passive = _value(told, "realTimeProtectionEnabled"), _value(told, "passiveModeEnabled")
    if not isinstance(enabled, bool):
        return Unknown("unreadable", "realTimeProtectionEnabled")
    if not enabled or passive is True or _value(told, "realTimeProtectionAvailable") is False:
        return False
    if _value(told, "licensed") is False:
        return False
    return True if passive is False else Unknown("unreadable", "passiveModeEnabled")


def _mdatp_age(told: Mapping[str, Any], answer: Output) -> float | Unknown:
    minutes, updated = _value(told, "definitionsUpdatedMinutesAgo"), str(_value(told, "definitionsUpdated"))
    ages: list[float] = []
    if isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 <= minutes < 1e7:
        ages.append(minutes * 60.0)
    if updated.isascii() and updated.isdigit() and 1 < len(updated) < 15:
        age = age_s(answer, int(updated) / 1000)
        if isinstance(age, Unknown):
            return age
        ages.append(age)
    return max(ages) if ages else Unknown("unreadable", "definitionsUpdated")


def _lines(answers: Mapping[str, Answer], vendor: str) -> str | Unknown:
    """What a vendor's own command printed."""
    answer = answers["status"]
    if isinstance(answer, Failure):
        return answer.unknown()
    if not answer.text.rstrip().endswith("end"):
        return Unknown("unreadable", "the products' status")
    return "\n".join(line.partition("|")[2] for line in answer.text.splitlines() if line.startswith(vendor + "|"))


def _matched(text: str | Unknown, yes: str, no: str) -> bool | Unknown:
    """True or false where the text says so and does not say the contrary; Unknown otherwise."""
    if isinstance(text, Unknown):
        return text
    says, denies = re.search(yes, text, re.MULTILINE), re.search(no, text, re.MULTILINE)
    if says and not denies:
        return True
    return False if denies and not says else Unknown("unreadable", text[:80])


def _falcon(answers: Mapping[str, Answer], seen: Processes) -> _State:
    """In reduced functionality mode the sensor sees nothing."""
    text = _lines(answers, "falcon")
    return _State(_matched(text, r"\brfm-state\s*=\s*false\b", r"\brfm-state\s*=\s*true\b"), NO_SIGNATURES)


def _sentinelone(answers: Mapping[str, Answer], seen: Processes) -> _State:
    text = _lines(answers, "sentinelone")
    return _State(_matched(text, r"^Agent state:?\s+Enabled\s*$", r"^Agent state:?\s+Disabled\b"), NO_SIGNATURES)


def _cortex(answers: Mapping[str, Answer], seen: Processes) -> _State:
    text = _lines(answers, "cortex")
    return _State(_matched(text, r"^[ \t]*pmd\b.*\bRunning\b", r"^[ \t]*pmd\b.*\bStopped\b"), NO_SIGNATURES)


def _bitdefender(answers: Mapping[str, Answer], seen: Processes) -> _State:
    text = _lines(answers, "bitdefender")
    on = _matched(text, r"^[ \t]*Antimalware status:\s*On\s*$", r"^[ \t]*Antimalware status:\s*Off\s*$")
    return _State(on, text if isinstance(text, Unknown) else _bitdefender_age(text, answers["status"]))


_UPDATED = re.compile(
    r"Last security content update:\s*(\d{4}-\d\d-\d\d) at (\d\d:\d\d:\d\d) GMT(?:([-+])(\d{1,2})(?::?(\d\d))?)?\s*$",
    re.MULTILINE | re.ASCII,
)


def _bitdefender_age(text: str, answer: Answer) -> float | Unknown:
    found = _UPDATED.search(text)
    if not found or isinstance(answer, Failure):
        return Unknown("unreadable", "the date of the last security content update")
    minutes = int(found[4] or 0) * 60 + int(found[5] or 0)
    try:
        zone = timezone(timedelta(minutes=-minutes if found[3] == "-" else minutes)) if minutes else UTC
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return Unknown("unreadable", found[0][:80])
    return age_s(answer, at)


def _trend(answers: Mapping[str, Answer], seen: Processes) -> _State:
    text = _lines(answers, "trend")
    mode = _matched(text, r"^Component\.AM\.mode:\s*on\s*$", r"^Component\.AM\.mode:\s*off\s*$")
    return _State(mode, NO_SIGNATURES)


def _wazuh(answers: Mapping[str, Answer], seen: Processes) -> _State:
    """It watches logs and files for signs of intrusion; it is no antivirus and has no signatures."""
    return _State(False, None)


_JUDGES: Mapping[str, Callable[[Mapping[str, Answer], Processes], _State]] = {
    "ClamAV": _clamav,
    "Microsoft Defender": _mdatp,
    "CrowdStrike Falcon": _falcon,
    "SentinelOne": _sentinelone,
    "Cortex XDR": _cortex,
    "Bitdefender": _bitdefender,
    "Trend Micro": _trend,
    "Wazuh": _wazuh,
}


def _on_windows() -> Dialect:
    from auditor.probes.windows import endpoint_protection as windows

    return Dialect(windows.commands, windows.parse)


PROBE = Probe(
    title={"en": "Antivirus or EDR", "fr": "Antivirus ou EDR"},
    privilege={
        "en": "Root runs the vendors' own status commands; the rest needs no privilege. On Windows, an administrator.",
        "fr": "root lance les commandes d'état des éditeurs ; le reste ne demande aucun privilège. Sous Windows, un administrateur.",
    },
    facts={
        "type": "object",
        "properties": {
            "products": {
                "type": "array",
                "description": "Each antivirus or EDR product that is on the host.",
                "items": {
                    "type": "object",
                    "x-name": "product",
                    "properties": {
                        "product": {"type": "string", "description": "The product."},
                        "running": {"type": "boolean", "description": "Whether its daemon runs."},
                        "real_time": {
                            "type": "boolean",
                            "description": "Whether it watches in real time, by its own account or its daemon's.",
                        },
                        "signatures_age_days": {
                            "type": "number",
                            "description": "Age of its signatures; null when it has none.",
                        },
                    },
                },
            }
        },
    },
    dialects=Dialects(
        linux=Dialect(commands, reduced(parse, processes=OURS, processes_root=OURS)),
        windows=_on_windows,
    ),
)
