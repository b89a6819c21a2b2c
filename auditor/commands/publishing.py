"""Files that belong together in; all of them written, or none, and never over one that is there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from auditor.errors import InvalidInput


def publish(files: Mapping[Path, bytes]) -> None:
    """In the order given. Raises InvalidInput when one is there, or cannot be written; then none was."""
    _folders(files)
    done: list[Path] = []
    with ExitStack() as waiting:
        try:
            for target, data in files.items():
                temporary = _written(target, data)
                waiting.callback(temporary.unlink, missing_ok=True)
                os.link(temporary, target)  # fails where a file is, as a rename would not
                done.append(target)
        except FileExistsError:
            _undo(done)
            raise InvalidInput(f"{target} is there already, and is not written over") from None
        except OSError as error:
            _undo(done)
            raise InvalidInput(f"{target} cannot be written: {error.strerror}") from None
        except BaseException:
            _undo(done)
            raise


def _folders(files: Iterable[Path]) -> None:
    for target in files:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"{target} cannot be written: {error.strerror}") from None


def _written(target: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(name)


def _undo(done: list[Path]) -> None:
    for path in done:
        path.unlink(missing_ok=True)


def as_yaml(plain: Mapping[str, Any], head: str = "") -> bytes:
    """A record as people read it, keys in the order given; `head` stands above it."""
    text = yaml.safe_dump(dict(plain), allow_unicode=True, sort_keys=False, width=110)
    return (head + text).encode("utf-8")
