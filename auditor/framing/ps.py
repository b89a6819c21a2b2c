"""Commands to one PowerShell script; the byte stream that comes back to answers. Pure.

Windows PowerShell 3.0 to 5.1 runs it as one script block, from standard input (`bootstrap`); both ways it is plain ASCII,
so that no code page matters. The frames are those of sh.py, with the bytes of an answer, UTF-8, as base64:

    @NONCE ID o LENGTH        what the question said, a line feed, the nonce, 0 or 1 (an error ended it) and a full stop
    @NONCE ID e LENGTH        of an error: its FullyQualifiedErrorId, its HResult as 8 hexadecimal digits, its message

The error's id and number are the same in every language, its message is not. PowerShell cannot interrupt a question:
the host's deadline does, hence slow ones are asked last.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from html import unescape

from auditor.framing import sh
from auditor.model import Command, Failure

CONSTRAINED = 87  # exit codes of the bootstrap
TOO_OLD = 88
CONTROLLER = 89
NARROW = 90
_ENDED = {
    CONSTRAINED: (
        "no_privilege",
        "PowerShell runs in constrained language mode there, for our account: nothing can be asked",
    ),
    TOO_OLD: ("not_told", "PowerShell is older than 3.0 there"),
    NARROW: ("not_told", "PowerShell of 32 bits runs there, which is shown other files and another registry"),
    CONTROLLER: (
        "not_asked",
        "it is a domain controller: give it the role ad-dc and audit: true in estate.yaml to ask it",
    ),
}

_BOOTSTRAP = (
    "if ($PSVersionTable.PSVersion.Major -lt 3) { exit %d } "
    "if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { exit %d } "
    "if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) { exit %d } "
    "%s& ([ScriptBlock]::Create((@($input) -join [Environment]::NewLine))) %s"
)

# learn.microsoft.com, "Determine whether a computer is a domain controller": ProductType is WinNT, ServerNT or LanmanNT.
_NO_CONTROLLER = (
    "if ((Get-ItemProperty -LiteralPath 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\ProductOptions').ProductType -eq 'LanmanNT') "
    "{ exit %d } "
)
_PARAMETERS = "param([string]$N)\n"
_HEAD = r"""$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
function U([string]$b) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($b)) }
function W([int]$i, [string]$part, [string]$text, [int]$cap) {
    $bytes = [Text.Encoding]::UTF8.GetBytes($text)
    $t = [Convert]::ToBase64String($bytes, 0, [Math]::Min($bytes.Length, $cap))
    "@$N $i $part " + $t.Length + "`n" + $t + "`n"
}
# Q ID CAP TEXT ARGUMENTS: answers one question, in a scope of its own; its arguments are $A there.
function Q([int]$i, [int]$cap, [string]$text, [string[]]$A) {
    $lines = New-Object Text.StringBuilder
    $code = 0
    $said = ''
    try {
        & ([ScriptBlock]::Create($text)) | ForEach-Object {
            if ($lines.Length -lt $cap) { [void]$lines.Append([string]$_).Append("`n") }
        }
    } catch {
        $code = 1
        $e = $_.Exception
        while ($e.InnerException) { $e = $e.InnerException }
        $h = '{0:X8}' -f $e.HResult
        if ($_.FullyQualifiedErrorId -match '0x([0-9A-Fa-f]{8})') { $h = $Matches[1].ToUpper() }
        $said = $_.FullyQualifiedErrorId + ' ' + $h + ' ' + $e.Message
    }
    $answer = (W $i 'o' ($lines.ToString() + "`n" + $N + ' ' + $code + '.') $cap) + (W $i 'e' $said 2048)
    [Console]::Out.Write($answer)
    [Console]::Out.Flush()
}
"""

_LAST = "exit 0\n"

# Nobody reads standard output there; a console would change it on its way into a file.
_BY_HAND = r"""param([string]$Out = '')
if ($PSVersionTable.PSVersion.Major -lt 3) { throw 'PowerShell is older than 3.0 here: nothing was asked (%d)' }
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { throw 'constrained language mode: nothing was asked (%d)' }
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) { throw 'PowerShell of 32 bits is shown another registry: nothing was asked (%d)' }
if (-not $Out) {
    $folder = $PSScriptRoot
    if (-not $folder) { $folder = (Get-Location).ProviderPath }
    $Out = [IO.Path]::Combine($folder, '%s')
}
$Out = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Out)
$N = '%s'
$console = [Console]::Out
$file = New-Object IO.StreamWriter -ArgumentList @($Out, $false, (New-Object Text.ASCIIEncoding))
$file.AutoFlush = $true
[Console]::SetOut($file)
try {
"""
_WRITTEN = r"""} finally {
    [Console]::SetOut($console)
    $file.Close()
}
"answered into $Out"
"""

# What every script says first, as sh.HELLO does: the system, its name, 0 for an administrator's token, the clock, its identity.
_HELLO = r"""'Windows'
[Net.Dns]::GetHostName()
$p = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
if ($p.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { '0' } else { '1000' }
[string][int64][Math]::Floor(([DateTime]::UtcNow - (New-Object DateTime 1970, 1, 1)).TotalSeconds)
try { (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Cryptography').MachineGuid } catch { '' }"""

_PLAIN = re.compile(r"[ -~]*")  # what a literal of ASCII can hold
_CLIXML = re.compile(r'<S S="[Ee]rror">(.*?)</S>', re.DOTALL)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def bootstrap(nonce: str, controller: bool = False) -> str:
    """The text of `powershell -Command` that runs the script from standard input; on a domain controller only where one is meant."""
    return _BOOTSTRAP % (TOO_OLD, CONSTRAINED, NARROW, "" if controller else _NO_CONTROLLER % CONTROLLER, nonce)


@lru_cache(maxsize=64)
def script(commands: tuple[Command, ...], catalogue: tuple[Command, ...] = (), become: bool = True) -> str:
    """The one script for a host: quick questions first. Nothing is elevated on Windows: the account is what it is."""
    slow = sorted((i for i, c in enumerate(commands) if c.timeout_s > 20), key=lambda i: commands[i].timeout_s)
    quick = [i for i, c in enumerate(commands) if c.timeout_s <= 20]
    text = "".join([_PARAMETERS, _HEAD, *(_ask(i, commands[i]) for i in (*quick, *slow)), _LAST])
    if not text.isascii():
        raise ValueError("a question for Windows is not plain ASCII")
    return text


def by_hand(commands: tuple[Command, ...], nonce: str, file: str) -> str:
    """The same questions as a file of its own, which writes its answers to `file` beside it, or to -Out PATH."""
    questions = script(commands).removeprefix(_PARAMETERS).removesuffix(_LAST)
    return f"{_BY_HAND % (TOO_OLD, CONSTRAINED, NARROW, file, nonce)}{questions}{_WRITTEN}"


def _ask(i: int, command: Command) -> str:
    if command.kind == "read":
        raise ValueError("Windows is asked with PowerShell alone")
    text = _HELLO if command == sh.HELLO else command.text
    if "\n'@" in f"\n{text}":
        raise ValueError("a question for Windows may not end a here-string")
    words = ", ".join(map(_literal, command.arguments))
    return f"Q {i} {sh.limit(command)} @'\n{text}\n'@ @({words})\n"


def _literal(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return "'" + word.replace("'", "''") + "'"
    return f"(U '{base64.b64encode(word.encode()).decode()}')"


class Reader(sh.Reader):
    """As sh.Reader, whose frames come as base64 here."""

    def allowance(self) -> int:
        """How many bytes all answers may take."""
        return sum(encoded(sh.limit(c)) + encoded(sh.STDERR_CAP) + 128 for c in self._commands)

    def _frame(self, at: float) -> tuple[bytes, bytes, bytes] | None:
        frame = super()._frame(at)
        if frame is None:
            return None
        identity, part, body = frame
        try:
            return identity, part, base64.b64decode(body, validate=True)
        except binascii.Error:
            self.broken = Failure("framing", "an answer that is not base64", at)
            return None

    def _allowed(self, identity: bytes, part: bytes) -> int:
        return encoded(super()._allowed(identity, part))


def encoded(size: int) -> int:
    """The length in base64 of so many bytes."""
    return (size + 2) // 3 * 4


def ended(code: int, stderr: bytes, at: float) -> Failure:
    """Why what was not answered when PowerShell ended was not, by its exit code and what it said on standard error."""
    if code in _ENDED:
        return Failure(*_ENDED[code], at)
    words = error_words(stderr)
    return Failure("closed", f"PowerShell ended with code {code}" + (f": {words}" if words else ""), at)


def error_words(stderr: bytes) -> str:
    """What PowerShell said on standard error, in one line; of CLIXML, which it may send instead, its errors alone."""
    text = stderr[:65536].decode("utf-8", "backslashreplace")
    if text.lstrip().startswith("#< CLIXML"):
        text = " ".join(unescape(_ESCAPED.sub(_character, t)) for t in _CLIXML.findall(text))
    return sh.shown(text)[:300]


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
