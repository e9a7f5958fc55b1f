"""A small registry, and a module of a user's that it can import."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from registry.registry import Registry


@pytest.fixture
def registry() -> Registry[Any]:
    """Two things of this module, one announced in a module of its own, one family."""
    things: Registry[Any] = Registry("thing", where="bench list things", group="tests.things")

    @things.register(source="here", weight=3)
    def plain(width: int = 2, rate: float = 0.5, big: bool = False, mode: str = "soft") -> tuple[Any, ...]:
        """One thing.

        And more about it.
        """
        return width, rate, big, mode

    @things.register()
    def bare(size) -> Any:  # type: ignore[no-untyped-def]
        return size

    return things


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """An importable module without a file."""
    module = types.ModuleType("a_users_module")
    monkeypatch.setitem(sys.modules, "a_users_module", module)
    return module
