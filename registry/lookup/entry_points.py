"""`EntryPoints`: what other installed distributions offer in one entry-point group."""

from __future__ import annotations

from functools import cached_property
from importlib import metadata

from registry.errors import DuplicateName


class EntryPoints:
    """The entry points of a group by name, read from the installed distributions when they are first needed.

    Args:
        group: its name, such as ``maskdepth_bench.models``; None for a registry that takes no entry points.
    """

    def __init__(self, group: str | None) -> None:
        self._group = group

    def names(self) -> list[str]:
        """All names that are offered."""
        return list(self._points)

    def module(self, name: str) -> str | None:
        """The module that provides a name; None if no distribution offers it."""
        points = self._points.get(name)
        return points[0].module if points else None

    def summary(self, name: str) -> str:
        """Which distributions offer a name; empty if none does."""
        return " and ".join(f"of the distribution {_distribution(point)}" for point in self._points.get(name, ()))

    def path(self, name: str, purpose: str) -> str | None:
        """The ``module:attribute`` behind a name; None if no distribution offers it.

        Raises:
            DuplicateName: several distributions offer it; ``purpose`` stands in the message.
        """
        points = self._points.get(name, [])
        if len(points) > 1:
            raise DuplicateName(f"the {purpose} is offered {self.summary(name)}: remove all but one of them")
        return points[0].value.partition("[")[0].strip() if points else None

    @cached_property
    def _points(self) -> dict[str, list[metadata.EntryPoint]]:
        found: dict[str, list[metadata.EntryPoint]] = {}
        for point in metadata.entry_points(group=self._group) if self._group else ():
            found.setdefault(point.name, []).append(point)
        return found


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
