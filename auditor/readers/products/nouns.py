"""The antivirus and EDR products that are known, and what one says of itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model import Unknown


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


@dataclass(frozen=True, slots=True)
class State:
    """What a product says of itself. `signatures`: their age in seconds; None where it has none."""

    real_time: bool | Unknown
    signatures: float | Unknown | None
