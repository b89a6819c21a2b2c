"""paramiko, without what it imports for the `Match exec` of its own reader of ssh_config, which nothing here uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Where the module was not imported yet, it seems not to be installed; paramiko reckons with that."""
    modules: dict[str, Any] = sys.modules
    absent = module not in modules
    if absent:
        modules[module] = None  # as the import system has it: not to be found
    try:
        yield
    finally:
        if absent:
            del modules[module]


with _without("invoke"):  # it brings asyncio, ssl and a mocking library: more than a third of paramiko's time
    import paramiko

__all__ = ["paramiko"]
