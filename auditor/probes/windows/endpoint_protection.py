"""Which antivirus or EDR a Windows host has: services, Defender's own status and the Security Center in, products out. Pure.

Sources: Get-MpComputerStatus and the names of services in their makers' manuals; the bits of productState as those who
register with the Security Center are seen to set them. Not met on a real Windows yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.errors import Unreadable
from auditor.model import Answer, Command, Fact, Facts, Failure, Partial, Unknown
from auditor.readers import ps_json, windows_services
from auditor.readers.rsyslog import age_s
from auditor.readers.windows_services import Services

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it shows on Windows. `services`: those that protect, not the agents that only manage.

    `words`: one of them begins in the name under which it registers with the Security Center.
    """

    name: str
    services: tuple[str, ...]
    words: tuple[str, ...] = ()
    maker: str = ""


DEFENDER = Product("Microsoft Defender", ("WinDefend",))
PRODUCTS = (
    DEFENDER,
    Product("Microsoft Defender for Endpoint", ("Sense",)),
    Product("CrowdStrike Falcon", ("CSFalconService",), ("crowdstrike",)),
    Product("SentinelOne", ("SentinelAgent",), ("sentinel",)),
    Product("Cortex XDR", ("cyserver", "CyveraService"), ("cortex",)),
    Product("Bitdefender", ("EPSecurityService", "EPProtectedService", "VSSERV"), ("bitdefender",)),
    Product("Trend Micro", ("ds_agent", "ntrtscan", "TMBMServer"), ("trend micro",)),
    Product("ESET", ("ekrn",), ("eset",)),
    Product("Sophos", ("Sophos Endpoint Defense Service", "Sophos File Scanner Service", "SAVService"), ("sophos",)),
    Product("WithSecure", ("fshoster", "fsulhoster", "wsulavprohoster"), ("withsecure", "f-secure")),
    Product("Kaspersky", ("AVP", "AVP[0-9]*", "KAVFS"), ("kaspersky",)),
    Product("HarfangLab", ("hurukai",), ("harfang",)),
    Product("FortiEDR", ("FortiEDR Collector Service",), ("fortiedr",)),
    Product("Trellix", ("mfemms", "mfetp", "mfeesp", "xagt"), ("trellix", "mcafee")),
    Product("Elastic Defend", ("ElasticEndpoint",), ("elastic",)),
    Product("Symantec", ("SepMasterService",), ("symantec",)),
    Product("Carbon Black", ("CbDefense", "CarbonBlack", "Parity"), ("carbon black",)),
    Product("Cybereason", ("CybereasonActiveProbe",), ("cybereason",)),
    Product("Cylance", ("CylanceSvc",), ("cylance",)),
    Product("WatchGuard", ("PSUAService", "NanoServiceMain"), ("watchguard",)),
    Product("Malwarebytes", ("MBAMService", "MBEndpointAgent"), ("malwarebytes",)),
    Product("G DATA", ("AVKWCtl",), ("g data",)),
    Product("Avast", ("AvastSvc",), ("avast",)),
    Product("AVG", ("avgsvc",), ("avg",)),
    Product("TEHTRIS", (), ("tehtris",), "tehtris"),
    Product("Stormshield", (), ("stormshield",), "stormshield"),
)

# Older releases lack some of these properties.
DEFENDER_STATUS = Command(
    r"""$d = Get-MpComputerStatus -ErrorAction Stop
$t = [ordered]@{}
foreach ($n in @('AMRunningMode', 'AMServiceEnabled', 'AntivirusEnabled', 'RealTimeProtectionEnabled',
        'OnAccessProtectionEnabled', 'AntivirusSignatureAge', 'AntivirusSignatureLastUpdated')) {
    $p = $d.PSObject.Properties[$n]
    if ($null -ne $p) {
        $v = $p.Value
        if ($v -is [datetime]) { $v = $v.ToUniversalTime().ToString('s') + 'Z' }
        $t[$n] = $v
    }
}
ConvertTo-Json -InputObject $t -Depth 2 -Compress""",
    timeout_s=30,
    cap_bytes=8192,
)
CENTER = Command(
    r"""$i = @(Get-CimInstance -Namespace root/SecurityCenter2 -ClassName AntiVirusProduct -ErrorAction Stop | ForEach-Object {
    [ordered]@{ name = [string]$_.displayName; guid = [string]$_.instanceGuid; state = [long]$_.productState }
})
ConvertTo-Json -InputObject ([ordered]@{ products = $i }) -Depth 3 -Compress""",
    cap_bytes=16384,
)
DEFENDER_GUID = "{d68ddc3a-831f-4fae-9e44-da132c1acf46}"

# Modes in which it leaves watching to another product, and the one in which it watches.
WATCHING = ("Normal",)
RESTING = ("Passive", "Passive Mode", "SxS Passive Mode", "EDR Block Mode", "Not running")
NEVER_DAYS = 65535.0  # what the age is, or more, when signatures never came


@dataclass(frozen=True, slots=True)
class _Registered:
    """An antivirus that registered with the Security Center, and whether it is on by its own account."""

    name: str
    defender: bool
    on: bool | Unknown


@dataclass(frozen=True, slots=True)
class _Status:
    """What Defender says of itself; each Unknown where it says nothing."""

    running: bool | Unknown
    real_time: bool | Unknown
    signatures_days: float | Unknown | None


def commands(args: Mapping[str, Any]) -> Mapping[str, Command]:
    return {
        "registered": windows_services.REGISTERED,
        "services": windows_services.STATES,
        "center": CENTER,
        "defender": DEFENDER_STATUS,
    }


def parse(answers: Mapping[str, Answer], args: Mapping[str, Any]) -> Facts:
    services = windows_services.read(answers["registered"], answers["services"])
    listed = _center(answers["center"])
    center = [] if isinstance(listed, Unknown) else listed
    products: list[Fact] = []
    for product in PRODUCTS:
        named = services.found(product.services, product.maker)
        own = [r for r in center if _is(r, product)]
        told = product is DEFENDER and _tells(defender(answers["defender"]))
        if named or own or told:
            products.append(_product(product, named, own, services, answers["defender"]))
    products += [_other(r) for r in center if not any(_is(r, p) for p in PRODUCTS)]
    missing = services.missing or (listed if isinstance(listed, Unknown) else None)
    return {"products": Partial(tuple(products), missing) if missing else products}


def _is(registered: _Registered, product: Product) -> bool:
    if registered.defender or product is DEFENDER:
        return registered.defender and product is DEFENDER
    return any(re.search(rf"\b{word}", registered.name, re.IGNORECASE) for word in product.words)


def _center(answer: Answer) -> list[_Registered] | Unknown:
    """Servers have no Security Center: nobody can have registered with it."""
    if ps_json.absent(answer):
        return []
    try:
        told = ps_json.read(answer)
        return told if isinstance(told, Unknown) else [_registered(row) for row in ps_json.rows(told, "products")]
    except Unreadable as why:
        return Unknown("unreadable", str(why))


def _registered(row: Mapping[str, Any]) -> _Registered:
    name, guid = ps_json.texts([row.get("name"), row.get("guid")])
    return _Registered(name[:80], guid.lower() == DEFENDER_GUID, switched_on(row.get("state")))


def switched_on(state: Any) -> bool | Unknown:
    """Bits 12 to 15 of productState: off, on, snoozed, expired."""
    told = ps_json.number(state, "productState")
    if isinstance(told, Unknown) or told < 0 or told != int(told):
        return Unknown("unreadable", "productState")
    switch = int(told) >> 12 & 0xF
    return switch == 1 if switch in (0, 1, 2, 3) else Unknown("not_told", f"productState {int(told)}")


def runs(name: str, services: Services) -> bool | Unknown:
    """Whether a product that registered under this name runs, as far as it is known how its services are called."""
    known = [p for p in PRODUCTS if p is not DEFENDER and _is(_Registered(name, False, True), p)]
    named = frozenset(n for p in known for n in services.found(p.services, p.maker))
    return services.runs(named) if named else Unknown("not_told", f"which service {name[:80]} runs as")


def _product(
    product: Product, named: frozenset[str], own: list[_Registered], services: Services, told: Answer
) -> dict[str, Fact]:
    untold = Unknown("not_told", "this product's own status is not read")
    running = services.runs(named) if named else Unknown("not_told", "under which service name it runs")
    real_time = own[0].on if len(own) == 1 else untold
    age: float | Unknown | None = Unknown("not_told", "how fresh it is, its console tells")
    if product is DEFENDER:
        status = defender(told)
        running = status.running if isinstance(running, Unknown) else running
        real_time = real_time if ps_json.gap(told) and len(own) == 1 else status.real_time
        age = status.signatures_days
    return _element(product.name, running, real_time, age)


def _other(registered: _Registered) -> dict[str, Fact]:
    """A product that is not in the table: its own word that it is on does not say that it runs."""
    untold = Unknown("not_told", f"which service {registered.name} runs as")
    return _element(registered.name, untold, registered.on, Unknown("not_told", "its console tells"))


def _element(
    name: str, running: bool | Unknown, real_time: bool | Unknown, age: float | Unknown | None
) -> dict[str, Fact]:
    return {
        "product": name,
        "running": running,
        "real_time": False if running is False else real_time,
        "signatures_age_days": round(age, 1) if isinstance(age, float) else age,
    }


# ---------------------------------------------------------------- Defender's own status


def defender(answer: Answer) -> _Status:
    try:
        told = ps_json.read(answer)
        if isinstance(told, Unknown):
            return _Status(told, told, told)
        status = ps_json.table(told)
    except Unreadable as why:
        unread = Unknown("unreadable", str(why))
        return _Status(unread, unread, unread)
    running = ps_json.truth(status.get("AMServiceEnabled"), "AMServiceEnabled")
    return _Status(running, _real_time(status), _age_days(status, answer))


def _tells(status: _Status) -> bool:
    return not all(isinstance(v, Unknown) for v in (status.running, status.real_time, status.signatures_days))


def _real_time(status: Mapping[str, Any]) -> bool | Unknown:
    """True only when nothing it says of itself is against it. Older releases tell no mode, and rest with all switched off."""
    mode = status.get("AMRunningMode", WATCHING[0])
    if mode in RESTING:
        return False
    switches = [
        ps_json.truth(status.get(name), name)
        for name in ("RealTimeProtectionEnabled", "AntivirusEnabled", "AMServiceEnabled")
    ]
    if "OnAccessProtectionEnabled" in status:
        switches.append(ps_json.truth(status["OnAccessProtectionEnabled"], "OnAccessProtectionEnabled"))
    if False in switches:
        return False
    unread = next((s for s in switches if isinstance(s, Unknown)), None)
    return unread or (True if mode in WATCHING else Unknown("unreadable", f"AMRunningMode {str(mode)[:40]}"))


def _age_days(status: Mapping[str, Any], answer: Answer) -> float | Unknown | None:
    """By its date, and by the age in days that it tells beside it: the older of the two. None: signatures never came.

    Days without a date prove nothing: they are 0 where nothing ever came, too.
    """
    at = ps_json.moment(status.get("AntivirusSignatureLastUpdated"), "AntivirusSignatureLastUpdated")
    days = ps_json.number(status.get("AntivirusSignatureAge"), "AntivirusSignatureAge")
    if not isinstance(days, Unknown) and days >= NEVER_DAYS:
        return None
    if isinstance(at, Unknown) or isinstance(answer, Failure):
        return at if isinstance(at, Unknown) else Unknown("unreadable", "AntivirusSignatureLastUpdated")
    if at is None:
        return days if isinstance(days, Unknown) else Unknown("not_told", "when the signatures came")
    age = age_s(answer, at)
    if isinstance(age, Unknown):
        return age
    return max(age / DAY, days) if not isinstance(days, Unknown) else age / DAY
