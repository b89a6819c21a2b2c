"""clamd.conf and freshclam.conf in; the options that say what is watched, and how they are read, out. Pure.

Sources: clamd.conf(5), freshclam.conf(5): of an option that may be given once the first counts, a comment fills its line, and
at a line that they do not know both programs end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN = _names("""
AlertBrokenExecutables AlertBrokenMedia AlertEncrypted AlertEncryptedArchive AlertEncryptedDoc AlertExceedsMax
AlertOLE2Macros AlertPartitionIntersection AlertPhishingCloak AlertPhishingSSLMismatch AlgorithmicDetection
AllowAllMatchScan AllowSupplementaryGroups ArchiveBlockEncrypted ArchiveBlockMax ArchiveLimitMemoryUsage
ArchiveMaxCompressionRatio ArchiveMaxFiles ArchiveMaxRecursion ArchiveMaxScanSize Bytecode BytecodeMode
BytecodeSecurity BytecodeTimeout BytecodeUnsigned CacheSize Checks ClamukoScanOnAccess CommandReadTimeout
CompressLocalDatabase ConcurrentDatabaseReload ConnectTimeout CrossFilesystems DNSDatabaseInfo DatabaseCustomURL
DatabaseDirectory DatabaseMirror DatabaseOwner Debug DetectBrokenExecutables DetectPUA DetectionStatsCountry
DetectionStatsHostID DevACDepth DevACOnly DevLiblog DevPerformance DisableCache DisableCertCheck Example
ExcludeDatabase ExcludePUA ExcludePath ExitOnOOM ExtendedDetectionInfo ExtraDatabase FailIfCvdOlderThan FixStaleSocket
FollowDirectorySymlinks FollowFileSymlinks ForceToDisk Foreground GenerateMetadataJson HTTPProxyPassword HTTPProxyPort
HTTPProxyServer HTTPProxyUsername HTTPUserAgent HeuristicAlerts HeuristicScanPrecedence IdleTimeout IncludePUA
LeaveTemporaryFiles LocalIPAddress LocalSocket LocalSocketGroup LocalSocketMode LogClean LogFacility LogFile
LogFileMaxSize LogFileUnlock LogRotate LogSyslog LogTime LogVerbose MailFollowURLs MailMaxRecursion MaxAttempts
MaxConnectionQueueLength MaxDirectoryRecursion MaxEmbeddedPE MaxFileSize MaxFiles MaxHTMLNoTags MaxHTMLNormalize
MaxIconsPE MaxPartitions MaxQueue MaxRecHWP3 MaxRecursion MaxScanSize MaxScanTime MaxScriptNormalize MaxThreads
MaxZipTypeRcg NotifyClamd OLE2BlockMacros OfficialDatabaseOnly OnAccessCurlTimeout OnAccessDenyOnError
OnAccessDisableDDD OnAccessExcludePath OnAccessExcludeRootUID OnAccessExcludeUID OnAccessExcludeUname
OnAccessExtraScanning OnAccessIncludePath OnAccessMaxFileSize OnAccessMaxThreads OnAccessMountPath OnAccessPrevention
OnAccessRetryAttempts OnErrorExecute OnOutdatedExecute OnUpdateExecute PCREMatchLimit PCREMaxFileSize
PCRERecMatchLimit PartitionIntersection PhishingAlwaysBlockCloak PhishingAlwaysBlockSSLMismatch PhishingScanURLs
PhishingSignatures PidFile PreludeAnalyzerName PreludeEnable PrivateMirror ReadTimeout ReceiveTimeout SafeBrowsing
ScanArchive ScanELF ScanHTML ScanHWP3 ScanImage ScanImageFuzzyHash ScanMail ScanOLE2 ScanOnAccess ScanOneNote ScanPDF
ScanPE ScanPartialMessages ScanSWF ScanXMLDOCS ScriptedUpdates SelfCheck SendBufTimeout StatsEnabled StatsHostID
StatsPEDisabled StatsTimeout StreamMaxLength StreamMaxPort StreamMinPort StructuredCCOnly StructuredDataDetection
StructuredMinCreditCardCount StructuredMinSSNCount StructuredSSNFormatNormal StructuredSSNFormatStripped
SubmitDetectionStats TCPAddr TCPSocket TemporaryDirectory TestDatabases UpdateLogFile User VirusEvent
""")
KEPT = _names("""
Example Checks DatabaseMirror PrivateMirror DatabaseCustomURL ExcludeDatabase ExcludePath OnAccessPrevention OnAccessIncludePath
OnAccessMountPath OnAccessExcludePath OnAccessExcludeRootUID OnAccessExcludeUID OnAccessExcludeUname
""")
_NO_VALUE = ("DatabaseMirror", "PrivateMirror", "DatabaseCustomURL")  # that there is one is all that is asked
_LINE = re.compile(r"[ \t]*([^\s#]\S*)(?:[ \t]+(\S.*))?")
YES, NO = ("yes", "true", "1"), ("no", "false", "0")


def masked(text: bytes) -> bytes:
    """Of every option its name, of those that are judged what is said; `odd` is what no release takes for one."""
    return b"\n".join(_masked(line) for line in text.split(b"\n"))


def _masked(line: bytes) -> bytes:
    if not line.strip(b" \t") or line.startswith(b"#"):
        return b""
    found = _LINE.fullmatch(line.decode("utf-8", "backslashreplace"))
    name, value = (found[1], (found[2] or "").rstrip(" \t")) if found else ("", "")
    if name == "Example":
        return b"Example"
    if name not in KNOWN or not value or "\r" in value:
        return b"odd"
    return f"{name} {'set' if name in _NO_VALUE else value}".encode() if name in KEPT else b""


@dataclass(frozen=True, slots=True)
class Settings:
    """`said`: each option's values in their order, with their places; `odd`: the place of a line that ends the program."""

    said: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    odd: str = ""

    def all(self, *names: str) -> tuple[tuple[str, str], ...]:
        return tuple(one for name in names for one in self.said.get(name, ()))

    def first(self, name: str) -> str:
        return self.said[name][0][0] if name in self.said else ""

    def places(self, *names: str) -> tuple[str, ...]:
        return tuple(place for _, place in self.all(*names))


def read(path: str, text: str) -> Settings:
    """Of a file as `masked` leaves it."""
    said: dict[str, tuple[tuple[str, str], ...]] = {}
    odd = ""
    for number, line in enumerate(text.split("\n"), 1):
        name, _, value = line.partition(" ")
        if name == "odd":
            odd = odd or f"{path}:{number}"
        elif name:
            said[name] = (*said.get(name, ()), (value.strip('"'), f"{path}:{number}"))
    return Settings(said, odd)


def exclusions(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is not looked at, with its place; what lies in /proc and /sys is no file, and its own account must not be watched."""
    for name in ("OnAccessExcludePath", "ExcludePath"):
        yield from ((v, p) for v, p in settings.all(name) if not re.fullmatch(r"\^?/(proc|sys)/?\$?", v))
    if settings.first("OnAccessExcludeRootUID").lower() in YES:
        yield "whatever root does", settings.places("OnAccessExcludeRootUID")[0]
    uids = settings.all("OnAccessExcludeUID")
    if not any(value == "0" for value, _ in uids):
        yield from ((f"whatever uid {value} does", place) for value, place in uids)
    for value, place in settings.all("OnAccessExcludeUname"):
        if value not in ("clamav", "clamscan", "clamupdate", "vscan"):
            yield f"whatever {value} does", place
