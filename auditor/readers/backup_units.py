"""The settings of a unit that starts a backup, in; whether one may keep it from starting, or from making one, out. Pure.

What is not known to leave a backup whole counts as if it did not. Sources: systemd.service(5), systemd.exec(5), systemd.unit(5),
systemd.timer(5), systemd.resource-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from auditor.readers import schedules
from auditor.readers.backup_options import LEAST_TIMEOUT_S


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# With these a program of that name, or the files that it is given, may be others.
_ELSEWHERE = (
    "RootDirectory", "RootImage", "BindPaths", "BindReadOnlyPaths", "ExecSearchPath", "TemporaryFileSystem", "InaccessiblePaths",
    "NoExecPaths", "MountImages", "DynamicUser", "PrivateUsers", "NetworkNamespacePath", "RestrictNetworkInterfaces",
)  # fmt: skip
_ENDS = ("TimeoutStartSec", "TimeoutSec", "RuntimeMaxSec")  # what may end it before it is made
_MOST = ("MemoryMax", "MemoryLimit", "LimitAS", "LimitDATA", "LimitFSIZE")  # so little that nothing is made
_REACHED = frozenset(f"{name}.target" for name in ("network", "network-online", "local-fs", "remote-fs", "time-sync", "sysinit", "basic", "nss-lookup"))  # fmt: skip
# What neither keeps it from starting nor takes anything from it.
_IDLE = _names(
    """
    Description Documentation After Before Wants OnFailure OnFailureJobMode OnSuccess WantedBy RequiredBy UpheldBy Also Alias
    DefaultInstance DefaultDependencies SourcePath CollectMode RequiresMountsFor WantsMountsFor Upholds IgnoreOnIsolate
    Persistent WakeSystem RemainAfterElapse FixedRandomDelay OnClockChange OnTimezoneChange RandomizedDelaySec AccuracySec Unit
    OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec
    ExecStart ExecStartPre ExecStartPost ExecStop ExecStopPost ExecReload ExecCondition Environment EnvironmentFile UnsetEnvironment
    Type User WorkingDirectory RemainAfterExit ProtectHome TimeoutStartSec TimeoutSec TimeoutStopSec RuntimeMaxSec TimeoutAbortSec
    Restart RestartSec RestartForceExitStatus RestartPreventExitStatus SuccessExitStatus GuessMainPID NotifyAccess PIDFile
    Nice IOSchedulingClass IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CPUWeight
    StartupCPUWeight CPUShares IOWeight IODeviceWeight BlockIOWeight IOAccounting CPUAccounting MemoryAccounting TasksAccounting
    IPAccounting IOReadBandwidthMax IOWriteBandwidthMax CPUQuota CPUAffinity MemoryHigh MemoryMax MemoryLimit MemorySwapMax OOMPolicy
    OOMScoreAdjust ManagedOOMPreference Delegate LimitNOFILE LimitNPROC LimitCORE LimitMEMLOCK LimitNICE LimitRTPRIO LimitAS LimitDATA
    LimitFSIZE TasksMax Slice
    KillMode KillSignal SendSIGKILL SendSIGHUP FinalKillSignal RestartKillSignal WatchdogSec WatchdogSignal FileDescriptorStoreMax
    SyslogIdentifier SyslogFacility SyslogLevel SyslogLevelPrefix LogLevelMax LogExtraFields LogRateLimitIntervalSec LogRateLimitBurst
    LogNamespace UMask IgnoreSIGPIPE UtmpIdentifier UtmpMode Personality TimerSlackNSec KeyringMode SecureBits CoredumpFilter
    CacheDirectory CacheDirectoryMode StateDirectory StateDirectoryMode RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve
    LogsDirectory LogsDirectoryMode ConfigurationDirectory ConfigurationDirectoryMode
    LoadCredential LoadCredentialEncrypted SetCredential SetCredentialEncrypted ImportCredential
    PrivateTmp PrivateDevices PrivateMounts PrivateIPC MountFlags ProtectSystem ProtectClock ProtectHostname ProtectProc ProcSubset
    ProtectControlGroups ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ReadWritePaths ReadOnlyPaths ExecPaths
    DevicePolicy DeviceAllow NoNewPrivileges LockPersonality MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime RestrictSUIDSGID
    RemoveIPC AmbientCapabilities SystemCallArchitectures SystemCallErrorNumber RestrictFileSystems RestrictAddressFamilies
    IPAddressAllow PrivateNetwork IPAddressDeny
    """
)
_FEW_CALLS = re.compile(
    r"(?:@system-service\b.*|~(?:\s*@(?:privileged|resources|clock|cpu-emulation|debug|module|mount|obsolete|raw-io|reboot|swap|keyring|setuid|pkey))*\s*)?"
)
_READS_ALL = re.compile(r"(?!~).*CAP_DAC_(?:READ_SEARCH|OVERRIDE).*|~(?!.*CAP_DAC_).*")
_TO_LOGS = re.compile(r"(?:null|inherit|journal\S*|kmsg\S*|syslog\S*|(?:append|file|truncate):/var/log/[^/]+)?")
# Others' code, or another program of a name that it starts.
_LOADS = re.compile(r"(?:^|[\s\"'])(?:LD_\w+|BASH_ENV|ENV|PYTHON\w+|PATH)=(?!/(?:usr/|usr/local/)?s?bin\b)")


def holds_back(key: str, value: str) -> bool:
    """Whether a setting may keep it from starting, from starting again, or from reading all; also one that nobody here knows."""
    judge = _JUDGED.get(key)
    return judge(value) if judge else bool(value) and key not in _IDLE and not key.startswith("X-")


def _yes(value: str) -> bool:
    return value.lower() in ("yes", "true", "on", "1", "y", "t")


def _set(value: str) -> bool:
    return value.lower() not in ("", "no", "false", "off", "0", "n", "f")


def _soon(value: str) -> bool:
    seconds = schedules.span(value)
    return value not in ("", "infinity") and (seconds is None or 0 < seconds < LEAST_TIMEOUT_S)


def _often(value: str) -> bool:
    """Of the time in which it may start only so often, whether it is longer than that between two backups may be."""
    seconds = schedules.span(value)
    return value not in ("", "0") and (seconds is None or seconds > LEAST_TIMEOUT_S)


def _waits_for_others(value: str) -> bool:
    return bool(set(value.split()) - _REACHED)


# By setting, whether a value holds it back. A service that stays active is not started anew, another account may read less.
_JUDGED: Mapping[str, Callable[[str], bool]] = {
    **dict.fromkeys(_ENDS, _soon),
    **dict.fromkeys(_MOST, lambda value: bool(re.fullmatch(r"\d{1,7}|\d{1,4}K|\d{1,2}M", value))),
    **dict.fromkeys((*_ELSEWHERE, "PrivateNetwork", "IPAddressDeny"), _set),
    **dict.fromkeys(("Requires", "Requisite", "BindsTo"), _waits_for_others),
    **dict.fromkeys(("User", "Group"), lambda value: value not in ("", "root", "0")),
    **dict.fromkeys(("StandardOutput", "StandardError"), lambda value: not _TO_LOGS.fullmatch(value)),
    "Conflicts": lambda value: bool(set(value.split()) - {"shutdown.target"}),
    "Type": lambda value: (
        value not in ("", "simple", "exec", "oneshot", "idle")
    ),  # the others must say that they have started
    "WorkingDirectory": lambda value: value not in ("", "/", "/root", "~") and not value.startswith("-"),
    "RemainAfterExit": _yes,
    "ProtectHome": lambda value: _yes(value) or value.lower() == "tmpfs",
    "RestrictAddressFamilies": lambda value: value == "none",
    "Environment": lambda value: bool(_LOADS.search(value)),
    "StartLimitIntervalSec": _often,
    "StartLimitInterval": _often,
    "StartLimitBurst": lambda value: not value.strip("0"),
    "SystemCallFilter": lambda value: not _FEW_CALLS.fullmatch(value),
    "CapabilityBoundingSet": lambda value: not _READS_ALL.fullmatch(value),
}
