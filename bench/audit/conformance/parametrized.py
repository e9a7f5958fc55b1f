"""The checks of some plug-ins as parameters of a pytest function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.audit.conformance.check import Check, NotApplicable
from bench.audit.conformance.plugin import CHECKS, Plugin, find_kind, find_plugin


@dataclass(frozen=True)
class BoundCheck:
    """A check and the plug-in it is made on; calling it makes it.

    Attributes:
        plugin: under check.
        check: what is demanded of it.
    """

    plugin: Plugin
    check: Check[Any]

    def __call__(self) -> bool:
        """Make the check.

        Returns:
            Whether it says anything about this plug-in.

        Raises:
            Violation: the demand is not met; an `AssertionError`.
        """
        try:
            self.check(self.plugin)
        except NotApplicable:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.plugin.name}-{self.check.name}"


def bound_checks(key: str, kind: str | None = None, heads: Sequence[str] = ()) -> list[BoundCheck]:
    """Every check of a plug-in, bound to it; those that are mere warnings are left out.

    Args, Raises: as `bench.audit.conformance.plugin.check_plugin`.
    """
    chosen = find_kind(key) if kind is None else kind
    plugin = find_plugin(key, chosen, heads)
    return [BoundCheck(plugin, each) for each in CHECKS[chosen] if each.grade == "broken"]


def parametrize_with_checks(*keys: str, kind: str | None = None) -> Callable[[Any], Any]:
    """Decorate a pytest function of ``check``: it runs once for every check of every plug-in named.

    Args:
        keys: as for ``bench check``.
        kind: of all of them; None to recognise each.
    """
    import pytest

    return pytest.mark.parametrize("check", [each for key in keys for each in bound_checks(key, kind)], ids=str)
