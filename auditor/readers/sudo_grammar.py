r"""A line of sudoers as it is written, with what its backslashes add to it, in; whether sudo can parse it out. Pure.

Source: the lexer and the grammar of sudo 1.9.13, and sudoers(5). Each part of a line becomes a letter, by the state that
the parts before it left, and the letters have to spell a line: users, hosts, a `=`, commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WORD = r'(?:[^#>!=:,() \t\r\n\\"]|\\[^\t\n])+'
_ID = r"#-?[0-9]+"
_PATH = r"/(?:\\[,:= \t#]|[^,:=\\ \t\r\n#])+"
_REST = r"#(?!-?[0-9]|-\r?$)[^\r]*"  # a comment
_PATTERN = r"\^(?:[^#\r\n\\]|\\[^\r\n])+\$"
_STRING = r'"(?:[^"\r\n\\]|\\[^\r\n]|\\[ \t]*\r?\n)+"'
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_V6 = r"(?:(?:[0-9A-Fa-f]{1,4})?:){2,7}(?:[0-9A-Fa-f]{1,4})?"
_GAP = r"(?:[ \t]|\\[ \t]*\r?\n)*"
_TAGS = r"(?:NO)?(?:EXEC|FOLLOW|INTERCEPT|LOG_INPUT|LOG_OUTPUT|MAIL|PASSWD|SETENV)[ \t]*:"
_OPTIONS = (
    (r"CWD|CHROOT", rf"(?:[/~]{_WORD}|[/~*])"),
    (r"NOTBEFORE|NOTAFTER", r"[0-9]{10}(?:[0-9]{2}){0,2}(?:Z|[+-][0-9]{4})?"),
    (r"TIMEOUT", r"(?:[0-9]+[wdhmsWDHMS])*[0-9]*"),
    (r"ROLE|TYPE|APPARMOR_PROFILE", _WORD),
)
_LENGTHS = ((224, 56), (256, 64), (384, 96), (512, 128))  # of a digest in hexadecimal
_DIGEST = "|".join(rf"sha{bits}{_GAP}:{_GAP}(?:[0-9A-Fa-f]{{{n}}}|[A-Za-z0-9+/]{{{-(-n * 2 // 3)}}}=*)(?![A-Za-z0-9+/=])" for bits, n in _LENGTHS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """`letter` "": nothing of the grammar; "?": refused. `then`: the state that follows, the same where it is empty."""

    pattern: re.Pattern[str]
    letter: str
    then: str = ""


def _part(pattern: str, letter: str, then: str = "") -> _Part:
    return _Part(re.compile(pattern), letter, then)


_REFUSED = _part("", "?")
_EVERYWHERE = (_part(r"[ \t]+", ""), _part(r"\\[ \t]*\r?\n", ""))
_END = _part(r"\r(?=\n|\Z)", "")
_COMMENT = _part(_REST, "")
_NAMES = (
    *(_part(re.escape(mark), mark) for mark in "(),=:"),
    _part(r"%:?(?:" + _WORD + "|" + _ID + ")", "g"),
    _part(r"\+" + _WORD, "n"),
    _part(r'"%(?!:?")' + _STRING[1:], "g"),
    _part(r'"\+(?!")' + _STRING[1:], "n"),
    _part(rf"{_V4}(?:/(?:{_V4}|3[0-2]|[12]?[0-9]))?", "i"),
    _part(rf"{_V6}(?:/(?:{_V6}|12[0-8]|1[01][0-9]|[1-9]?[0-9]))?", "i"),
    _part(r'[+%]|%:|"(?:\+|%:?)"', "?"),
    _part(r"ALL", "*"),
    _part("|".join(names for names, _ in _OPTIONS), "?"),
    _part(r"[A-Z][A-Z0-9_]*", "a"),
)
_LAST = (_part(_STRING, "w"), _part(f"{_ID}|{_WORD}", "w"))
_STATES: Mapping[str, Sequence[_Part]] = {
    "rule": (
        *_EVERYWHERE,
        _END,
        _COMMENT,
        _part(_TAGS, "t"),
        *(_part(rf"(?:{names}){_GAP}={_GAP}{value}(?=[ \t\\])", "o") for names, value in _OPTIONS),
        _part(_DIGEST, "d"),
        *_NAMES,
        _part(rf"{_PATTERN}|sudoedit|{_PATH}(?<!/)", "c", "arguments"),
        _part(f"{_PATH}(?<=/)|list", "c"),
        *_LAST,
    ),
    "arguments": (
        *_EVERYWHERE,
        _part(r"\\[*?\[\]!^:\\,= \t#]", ""),
        _part(r"(?=[#:,=])", "", "rule"),
        _part(r"(?!=(?:[ \t]|\\|$))[^#\\:, \t\r\n]+", ""),
    ),
    "among": (
        _part(r"[ \t]*,[ \t]*", ","),
        _part(r"[ \t]+", "", "settings"),
        _EVERYWHERE[1],
        *_NAMES,
        _part(rf"\^(?:[^#\s\\]|\\\S)+\$|sudoedit|list|{_PATH}", "c"),
        *_LAST,
    ),
    "settings": (*_EVERYWHERE, _END, _COMMENT, _part(r"[a-z_]+", "v", "value")),
    "value": (
        *_EVERYWHERE,
        _END,
        _COMMENT,
        _part(",", ",", "settings"),
        _part(r"[+-]?=", "="),
        _part(_STRING, "w"),
        _part(r'(?:[^#!=, \t\r\n\\"]|\\[^\r\n])(?:[^#=, \t\r\n\\"]|\\[^\r\n])*', "w"),
    ),
}
_NOT = re.compile("!+")
_GAPS = re.compile(_GAP)


def _listed(element: str) -> str:
    return f"{element}(?:,{element})*"


_USERS, _HOSTS, _GROUPS, _COMMANDS = (_listed(f"!?[{kinds}]") for kinds in ("a*ngw", "a*nwi", "a*w", "a*c"))
_ITEM = rf"(?:\((?:{_USERS}(?::{_GROUPS})?|:(?:{_GROUPS})?)?\))?o*t*(?:!?[a*c]|d(?:,d)*!?[*c])"
_ALLOWED = f"{_HOSTS}={_listed(_ITEM)}"
_SETTINGS = _listed("(?:!?v|v=w)")
_OF = {"@": _HOSTS, ":": _USERS, ">": _USERS, "!": _COMMANDS}
_ALIASES = {
    "User": _USERS,
    "Runas": _USERS,
    "Host": _HOSTS,
    "Cmnd": _listed("(?:!?[a*c]|d(?:,d)*!?[*c])"),
    "Cmd": _COMMANDS,
}
_RULE = re.compile(f"{_USERS}{_ALLOWED}(?::{_ALLOWED})*")
_DEFAULTS = re.compile(rf"Defaults(?:([:@>!])[ \t]*(?=!*\"?(?:{_ID}|{_WORD})))?")
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias[ \t]+")
_BLANK = re.compile(rf"(?:{_REST})?\r?")


def is_parsed(line: str) -> bool:
    gap = _GAPS.match(line)
    line = line[gap.end() :] if gap else line
    if "\0" in line or _BLANK.fullmatch(line):
        return "\0" not in line
    defaults, alias = _DEFAULTS.match(line), _ALIAS.match(line)
    if defaults:
        among = _OF[defaults[1]] if defaults[1] else ""
        return bool(re.fullmatch(among + _SETTINGS, _letters(line[defaults.end() :], "among")))
    if alias:
        one = f"a={_ALIASES[alias[1]]}"
        return bool(re.fullmatch(f"{one}(?::{one})*", _letters(line[alias.end() :], "rule")))
    return bool(_RULE.fullmatch(_letters(line, "rule")))


def _letters(text: str, state: str) -> str:
    """One for each part that counts; `?` for what is none, and for what follows it."""
    found, place = "", 0
    while place < len(text):
        no = _NOT.match(text, place) if state != "arguments" else None
        if no:
            found, place = found + "!" * (len(no[0]) % 2), no.end()
            continue
        part, end = _longest(text, place, state)
        found, place, state = found + part.letter, end, part.then or state
        if part.letter == "?":
            break
    return found


def _longest(text: str, place: int, state: str) -> tuple[_Part, int]:
    """The part that takes the most of the text, the first of several; one of no text only where none takes any."""
    ends = [(match.end(), part) for part in _STATES[state] if (match := part.pattern.match(text, place))]
    if not ends:
        return _REFUSED, len(text)
    end = max(end for end, _ in ends)
    return next(part for at, part in ends if at == end), end
