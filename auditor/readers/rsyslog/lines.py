"""The bytes of a file of rsyslog's configuration in; the lines that its parser gets out, here and in awk on a host. Pure.

Before it parses anything rsyslog joins lines, those of comments too: one goes on where a backslash is the last that is no
blank of it, and loses its blanks at the end; the next loses those at its begin. So it does not matter whether a line is a
selector of old or RainerScript. After lines that went on it puts a line of its own, which only counts: a parameter list or
a condition that is still open there is a syntax error, and rsyslog reads nothing more. What is longer than its buffer is
cut there into lines.
Source: readConfFile in rsyslog's rainerscript.c, 5.9 to 8.2302; tests hold it against rsyslogd.
"""

from __future__ import annotations

from collections.abc import Iterator

COUNT = "PreprocFileLineNumber(1)"  # with the number of the line that comes, which nothing here needs
LONGEST = 10239
_BLANKS = " \t\n\v\f\r"

# part(x): one line as it stands in the file; line(x) gets what rsyslog parses. flush() is for the end of a file.
AWK = r"""
function part(x) {
  if (B) { line("PreprocFileLineNumber(1)"); B = 0 }
  if (G) sub(/^[ \t\n\v\f\r]+/, "", x)
  sub(/[ \t\n\v\f\r]+$/, "", x)
  if (x ~ /\\$/) { W = W substr(x, 1, length(x) - 1); G = 1; return }
  B = G; G = 0; x = W x; W = ""
  line(x)
}
function parts(x) {
  for (x = x "\n"; length(x) > 10239; x = substr(x, 10240)) part(substr(x, 1, 10239))
  part(x)
}
function flush(  x) { x = W; W = ""; if (G) line(x); G = B = 0 }
"""


def joined(text: str) -> str:
    """As many lines come out as went in, where none is cut: each stands where its first part does."""
    *ended, last = text.split("\n")
    told: list[str] = []
    going: list[str] = []  # the parts of the line that goes on
    counts = False
    for part in _parts([*(f"{line}\n" for line in ended), last]):
        if counts:
            told[-1] = COUNT
        bare = (part.lstrip(_BLANKS) if going else part).rstrip(_BLANKS)
        counts = bool(going) and not bare.endswith("\\")
        going.append(bare.removesuffix("\\"))
        if not bare.endswith("\\"):
            told += _whole(going)
            going = []
    return "\n".join([*told, *_whole(going), *([] if last else [""])])


def _whole(parts: list[str]) -> list[str]:
    return ["".join(parts), *[""] * (len(parts) - 1)] if parts else []


def _parts(lines: list[str]) -> Iterator[str]:
    for line in lines:
        for at in range(0, len(line), LONGEST):
            yield line[at : at + LONGEST]
