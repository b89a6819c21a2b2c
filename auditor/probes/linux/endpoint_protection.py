"""Which antivirus or EDR a host has: processes, paths and the vendors' own status in, products and their state out. Pure.

A vendor's text that is not as expected makes its facts Unknown, never a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.model import Answer, Command, Fact, Facts, Failure, Output, Partial, Unknown
from auditor.readers import processes
from auditor.readers.processes import PROCESSES, PROCESSES_ROOT, Processes
from auditor.readers.products.clamav import CLAMAV, clamav
from auditor.readers.products.defender import MDATP, mdatp
from auditor.readers.products.nouns import PRODUCTS, Product, State
from auditor.readers.products.status import STATUS, bitdefender, cortex, falcon, sentinelone, trend, untold, wazuh

DAY = 86400.0
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
    judge = _JUDGES.get(product.name, untold)
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


_JUDGES: Mapping[str, Callable[[Mapping[str, Answer], Processes], State]] = {
    "ClamAV": clamav,
    "Microsoft Defender": mdatp,
    "CrowdStrike Falcon": falcon,
    "SentinelOne": sentinelone,
    "Cortex XDR": cortex,
    "Bitdefender": bitdefender,
    "Trend Micro": trend,
    "Wazuh": wazuh,
}
