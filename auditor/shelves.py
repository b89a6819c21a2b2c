"""A folder is a shelf: its names are listed without importing anything, and one kind is imported on use."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from auditor.errors import InvalidInput, Problem
from auditor.kinds import DerivedProbe, Dialect, Probe, Reporter, Transport

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shelf:
    """The modules of one folder of the package; each holds one constant of the kind."""

    folder: str
    constant: str
    kinds: tuple[type, ...]

    def names(self) -> list[str]:
        return sorted(p.stem for p in (PACKAGE / self.folder).glob("*.py") if not p.stem.startswith("_"))

    def __getitem__(self, name: str) -> Any:
        module = importlib.import_module(f"auditor.{self.folder}.{name}")
        kind = getattr(module, self.constant)
        if not isinstance(kind, self.kinds):
            raise TypeError(f"auditor.{self.folder}.{name}.{self.constant} is no {self.kinds[0].__name__}")
        return kind

    def items(self) -> Iterator[tuple[str, Any]]:
        return ((name, self[name]) for name in self.names())


PROBES = Shelf("probes", "PROBE", (Probe, DerivedProbe))
TRANSPORTS = Shelf("transports", "TRANSPORT", (Transport,))
REPORTERS = Shelf("reporters", "REPORTER", (Reporter,))


@cache
def probes() -> Mapping[str, Probe | DerivedProbe]:
    """The shipped probes, by name."""
    return dict(PROBES.items())


def site_probes(folder: Path) -> tuple[dict[str, Probe | DerivedProbe], dict[str, str]]:
    """A site's own probes, and the digests of their files. They are code: others must not be able to write them."""
    problems: list[Problem] = []
    found: dict[str, Probe | DerivedProbe] = {}
    digests: dict[str, str] = {}
    if not folder.is_dir():
        raise InvalidInput([Problem(str(folder), 0, 0, "is no folder of probes")])
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InvalidInput([Problem(str(folder), 0, 0, "others may write in it, and it holds code: chmod go-w")])
    for file in sorted(folder.glob("*.py")):
        try:
            text = _text(file)
            found[file.stem] = _site_probe(file, text)
            digests[str(file)] = hashlib.sha256(text).hexdigest()
        except InvalidInput as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidInput(problems)
    return found, digests


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(str(file), 0, 0, f"cannot be read: {error.strerror}")]) from None


class _OfThisText(SourceFileLoader):
    """Runs the text whose digest the run keeps: never the byte code of an older one, and it leaves none behind."""

    def __init__(self, name: str, file: Path, text: bytes) -> None:
        super().__init__(name, str(file))
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self._text, self.path)
        return code


def _site_probe(file: Path, text: bytes) -> Probe | DerivedProbe:
    if file.stem in PROBES.names():
        raise InvalidInput([Problem(str(file), 0, 0, f"'{file.stem}' is the name of a shipped probe: take another")])
    if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InvalidInput([Problem(str(file), 0, 0, "others may write it, and it is code: chmod go-w")])
    name = f"site_probe_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file, loader=_OfThisText(name, file, text))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        probe = getattr(module, "PROBE", None)
        made = [*probe.dialects.values(), *probe.trees.values()] if isinstance(probe, Probe) else []
    except SyntaxError as error:
        raise InvalidInput([Problem(str(file), error.lineno or 0, error.offset or 0, str(error.msg))]) from None
    except (Exception, SystemExit) as error:  # a site's own code: whatever it raises is about its file
        raise InvalidInput(
            [Problem(str(file), 0, 0, f"cannot be imported: {type(error).__name__}: {error}")]
        ) from error
    if not isinstance(probe, Probe | DerivedProbe) or not all(isinstance(dialect, Dialect) for dialect in made):
        raise InvalidInput([Problem(str(file), 0, 0, "holds no PROBE = Probe(...)")])
    return probe


def packaged(name: str) -> Path:
    """A folder or file that travels with the package: inside it once installed, beside it in a source tree."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
