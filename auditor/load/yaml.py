"""A YAML file in; its value with the place of every key and value out. Built from libyaml's events, never executed.

YAML 1.2 scalars: only true/false, null/~, decimal integers without a leading zero and decimal floats are more than text
(`no`, `0644`, `22:30` and `2027-01-31` are text). Duplicate keys, merge keys, unknown tags, several documents and files
beyond the limits are refused. `ansible=True` reads as Ansible does: YAML 1.1 scalars (`no` is false, `0644` is 420), merge keys;
such a file may hold passwords, and an alias or a tag may be one that lacks its quotes: neither is shown.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from auditor.errors import InvalidInput, Problem

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 1_000_000  # aliases count as what they stand for

KeyPath = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, from 1

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?[eE][-+]?[0-9]+")
_BEGINS_NUMBER = frozenset("-+.0123456789")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}
_STR_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A scalar with one of the tags that the caller allows (`!vault`, `!unsafe`)."""

    tag: str
    text: str


@dataclass(slots=True)
class Document:
    """`marks` gives the place of a value, `key_marks` that of its key; `raw` the text of numbers as written.

    `digest` is the SHA-256 of the bytes that were read.
    """

    file: str
    digest: str = ""
    value: Any = None
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    key_marks: dict[KeyPath, Mark] = field(default_factory=dict)
    raw: dict[KeyPath, str] = field(default_factory=dict)

    def problem(self, path: KeyPath, message: str, key: bool = False) -> Problem:
        """A problem at the place of `path`, or of the nearest ancestor that has one."""
        if key and path in self.key_marks:
            return Problem(self.file, *self.key_marks[path], message)
        while path and path not in self.marks:
            path = path[:-1]
        return Problem(self.file, *self.marks.get(path, (1, 1)), message)


def load(path: Path, tags: frozenset[str] = frozenset(), ansible: bool = False) -> Document:
    """Raises InvalidInput when the file cannot be read or is not the YAML that we take."""
    return parse(read(path), str(path), tags, ansible)


def read(path: Path) -> bytes:
    """The file's bytes, no more than MAX_BYTES of them. Raises InvalidInput."""
    try:
        with path.open("rb") as stream:  # a pipe or a device tells no size: no more than the limit is ever read
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInput([Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from None
    if len(data) > MAX_BYTES:
        raise InvalidInput([Problem(str(path), 0, 0, f"larger than {MAX_BYTES // 2**20} MiB: split it")])
    return data


def parse(data: bytes, file: str, tags: frozenset[str] = frozenset(), ansible: bool = False) -> Document:
    """The same for bytes that are already read."""
    builder = _Builder(Document(file, hashlib.sha256(data).hexdigest()), tags, ansible)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput([Problem(file, *_after(data[: error.start].decode("utf-8")), "not UTF-8 text")]) from None
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise InvalidInput([*builder.problems, Problem(file, *place, f"not YAML: {error.problem}")]) from None
    except yaml.reader.ReaderError as error:
        place = _after(text.partition(chr(error.character))[0])
        raise InvalidInput([*builder.problems, Problem(file, *place, f"not YAML: {error.reason}")]) from None
    except yaml.YAMLError as error:
        raise InvalidInput([*builder.problems, Problem(file, 0, 0, f"not YAML: {error}")]) from None
    if builder.problems:
        raise InvalidInput(builder.problems)
    return builder.document


def _after(text: str) -> Mark:
    """The place that comes after a text."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    value: Any  # list or dict
    path: KeyPath
    anchor: str | None
    nodes_before: int
    maps: bool
    key: str | None = None  # the key that waits for its value
    place: KeyPath = ()  # and its path
    merges: bool = False  # it holds a merge key (<<)


class _Builder:
    def __init__(self, document: Document, tags: frozenset[str], ansible: bool) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._tags = tags
        self._ansible = ansible
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._start(event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "a second document: one file holds one document")

    def _end(self, event: Any) -> None:
        closed = self._open.pop()
        if closed.merges:
            self._merge(closed, event)
        if closed.anchor:
            self._anchors[closed.anchor] = (closed.value, self._nodes - closed.nodes_before)

    def _stop(self, event: Any, message: str) -> None:
        raise InvalidInput([*self.problems, self._problem(event, message)])

    def _problem(self, event: Any, message: str) -> Problem:
        return Problem(self.document.file, event.start_mark.line + 1, event.start_mark.column + 1, message)

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._stop(event, f"more than {MAX_NODES} values (aliases count as what they stand for)")

    def _start(self, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        self._check_tag(event)
        if self._waits_for_key():
            self._stop(event, "a key must be text")
        self._anchors.pop(event.anchor, None)  # inside, the name stands for this collection, which is not whole yet
        before = self._nodes
        maps = type(event) is yaml.MappingStartEvent
        value: Any = {} if maps else []
        path = self._place(event, value)
        self._count(event, 1)
        self._open.append(_Open(value, path, event.anchor, before, maps))

    def _scalar(self, event: Any) -> None:
        if self._waits_for_key():
            self._take_key(event)
            return
        value = self._resolved(event)
        path = self._place(event, value)
        if type(value) in (int, float):
            self.document.raw[path] = event.value
        self._count(event, 1)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _alias(self, event: Any) -> None:
        if self._waits_for_key():
            self._stop(event, "a key must be text, not an alias")
        if event.anchor not in self._anchors:
            if self._ansible:
                self._stop(
                    event, "an alias stands for nothing that ends before it: a value that begins with * is quoted"
                )
            self._stop(event, f"the alias *{event.anchor} stands for nothing that ends before it")
        value, nodes = self._anchors[event.anchor]
        self._count(event, nodes)
        self._place(event, value)

    def _waits_for_key(self) -> bool:
        return bool(self._open) and self._open[-1].maps and self._open[-1].key is None

    def _take_key(self, event: Any) -> None:
        top = self._open[-1]
        key, path = event.value, (*top.path, event.value)
        if key == "<<" and event.implicit[0]:
            if not self._ansible:
                self.problems.append(self._problem(event, "merge keys (<<) are not read: write the keys out"))
            top.merges = True
        if key in top.value:
            first = self.document.key_marks[path][0]
            self.problems.append(self._problem(event, f"the key '{key}' is given twice (first in line {first})"))
        else:
            mark = event.start_mark
            self.document.key_marks[path] = (mark.line + 1, mark.column + 1)
        self._check_tag(event)
        top.key, top.place = key, path

    def _merge(self, closed: _Open, event: Any) -> None:
        """What stands under `<<` is added where the mapping does not say otherwise."""
        given = closed.value.pop("<<", None)
        for one in given if isinstance(given, list) else [given]:
            if not isinstance(one, dict):
                self.problems.append(self._problem(event, "a merge key (<<) takes a mapping, or a list of them"))
                return
            self._count(event, len(one))
            for key, value in one.items():
                closed.value.setdefault(key, value)

    def _place(self, event: Any, value: Any) -> KeyPath:
        path: KeyPath = ()
        if not self._open:
            self.document.value = value
        else:
            top = self._open[-1]
            if top.maps:
                assert top.key is not None
                path = top.place
                top.value.setdefault(top.key, value)
                top.key = None
            else:
                path = (*top.path, len(top.value))
                top.value.append(value)
        mark = event.start_mark
        self.document.marks.setdefault(path, (mark.line + 1, mark.column + 1))
        return path

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag not in (_STR_TAG, "!", *self._tags):
            if self._ansible:
                known = ", ".join(sorted(self._tags))
                words = f"a tag is not read here: there are {known}; a value that begins with ! is quoted"
            else:
                words = f"the tag {event.tag} is not read here"
            self.problems.append(self._problem(event, words))

    def _resolved(self, event: Any) -> Any:
        text = event.value
        if event.tag:
            self._check_tag(event)
            return Tagged(event.tag, text) if event.tag in self._tags else text
        if event.style:
            return text
        if self._ansible:
            return _as_yaml_1_1(text)
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _BEGINS_NUMBER:
            return text
        if len(text) <= 64 and _INTEGER.fullmatch(text):
            return int(text)
        if len(text) <= 64 and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        return text


_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


def _as_yaml_1_1(text: str) -> Any:
    """A plain scalar as PyYAML, and so Ansible, takes it; a date stays the text that it shows as."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # its stubs lack it
    if tag == _STR_TAG or len(text) > 64:
        return text
    try:
        value = _CONSTRUCTOR.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, OverflowError, yaml.YAMLError):
        return text
    finally:
        _CONSTRUCTOR.constructed_objects.clear()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else text
