"""paramiko, without what it imports for the `Match exec` of its own reader of ssh_config, which nothing here uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Where the module was not imported yet, it seems not to be installed; paramiko reckons with that."""
    absent = module not in sys.modules
    if absent:
        sys.modules[module] = None  # type: ignore[assignment]  # as the import system has it: not to be found
    try:
        yield
    finally:
        if absent:
            del sys.modules[module]


with _without("invoke"):  # it brings asyncio, ssl and a mocking library: more than a third of paramiko's time
    import paramiko

__all__ = ["paramiko"]
