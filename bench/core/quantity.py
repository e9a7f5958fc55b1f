"""Quantities as people write them, with their unit: ``6ms``, ``30m``, ``2GB``, ``800 MiB``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.core.errors import BenchError

SECONDS: Mapping[str, float] = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
MILLISECONDS: Mapping[str, float] = {"ms": 1.0, "s": 1e3}
MEBIBYTES: Mapping[str, float] = {"MB": 1e6 / 2**20, "MiB": 1.0, "GB": 1e9 / 2**20, "GiB": 1024.0}
"""Units, each in the unit that the constant's name says; one without a name is that of a number alone."""

_QUANTITY = re.compile(r"\s*((?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]*)\s*")
_MOST = 1e9
"""In the constant's unit: about 30 years, 12 days, a pebibyte."""


def quantity(text: str, units: Mapping[str, float], option: str) -> float:
    """A number above 0, below 1e9, in the unit in which `units` is given.

    >>> quantity("0.5s", MILLISECONDS, "--max-latency")
    500.0

    Args:
        text: a number and a unit, letters large and small as the unit has them.
        units: those that are understood.
        option: whose value it is, for the message.

    Raises:
        BenchError: it is none, or has another unit, or none where one is needed, or is too great.
    """
    found = _QUANTITY.fullmatch(text)
    value = float(found[1]) * units[found[2]] if found and found[2] in units else 0.0
    if not value:
        alone = f"; {_own(units)} where it has none" if "" in units else ""
        raise BenchError(f"{option} takes a number above 0 with its unit ({', '.join(filter(None, units))}{alone}), "
                         f"such as 6{next(iter(units))}, not {text!r}")  # fmt: skip
    if value >= _MOST:
        raise BenchError(f"{option} takes less than {_MOST:.0f} {_own(units)}, not {text!r}")
    return value


def _own(units: Mapping[str, float]) -> str:
    """The unit in which they are given."""
    return next(name for name, size in units.items() if size == 1 and name)
