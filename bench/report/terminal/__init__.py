"""Tables and lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.report.listeners.terminal import Terminal

__all__ = ["Terminal"]


def __getattr__(name: str) -> Any:
    """`Terminal` from `bench.report.listeners`; imported on use, as it needs torch."""
    if name == "Terminal":
        from bench.report.listeners.terminal import Terminal

        return Terminal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
