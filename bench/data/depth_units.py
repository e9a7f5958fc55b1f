"""The numbers in depth files, and what they mean: units, what becomes [0, 1], and whether a unit can be right.

A depth of 1.0 is `full` of the unit; what lies beyond, and what a unit marks as unknown, is unknown. Zero stays zero,
so that ratios of metric depths survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.core.errors import BenchError

Numbers = npt.NDArray[np.float32]

UNKNOWN = -1.0
"""Stands where a depth is not known."""
_METRIC = re.compile(r"metric, 1\.0 = (\d+(?:\.\d+)?(?:e[+-]?\d+)?) m(?:,|$)")
_INVERSE = re.compile(r"(per image from least to greatest, of: )?inverse\b")
_NOTHING = 65535
"""What many cameras write where 16 bits know no distance, or none that they can hold."""


@dataclass(frozen=True)
class DepthUnit:
    """How the numbers of a depth file are to be read.

    Attributes:
        name: as it is declared.
        encoding: what a depth of 1.0 means; numbers of different encodings are never compared.
        full: the number that becomes 1.0; greater numbers are unknown.
        least: the smallest number that is known.
        holes: whether 0 means that depth is unknown.
        per_metre: numbers to a metre; None for relative depth.
        plausible: least and greatest median, then 95th percentile, in metres, of scenes that people record so.
        sparse: whether it is usual that most pixels are unknown.
    """

    name: str
    encoding: str
    full: float
    least: float = 0.0
    holes: bool = True
    per_metre: float | None = None
    plausible: tuple[float, float, float, float] = (0.0, np.inf, 0.0, np.inf)
    sparse: bool = False

    def read(self, numbers: npt.NDArray[Any]) -> Numbers:
        """Numbers of a file, (H, W) of any type, as depths in [0, 1], -1 where unknown."""
        values = numbers.astype(np.float32)
        unknown = ~np.isfinite(values) | (values > self.full) | (values < self.least)
        if self.holes:
            unknown |= values <= 0
        if self.per_metre is not None and np.issubdtype(numbers.dtype, np.integer):
            unknown |= numbers == _NOTHING
        return np.where(unknown, np.float32(UNKNOWN), np.where(unknown, np.float32(0), values) / np.float32(self.full))

    def over(self, least: float, greatest: float) -> DepthUnit:
        """The same with 1.0 at ``greatest`` and nothing known below ``least``, in metres or a relative unit's numbers.

        Raises:
            BenchError: the range is none.
        """
        if not 0 <= least < greatest < np.inf:
            raise BenchError(
                f"a depth range from {least:g} to {greatest:g}: from 0 or more to something greater is meant"
            )
        scale = self.per_metre or 1.0
        encoding = (
            f"metric, 1.0 = {greatest:g} m" if self.per_metre else f"{self.encoding.split(',')[0]}, 1.0 = {greatest:g}"
        )
        made = replace(self, encoding=encoding, full=greatest * scale, least=least * scale)
        if self.per_metre is None:
            return made
        low, middle, near, far = self.plausible  # whoever says how far depth reaches means no room
        return replace(made, plausible=(low, max(middle, greatest / 2), near, max(far, greatest)))


def _metric(
    name: str, per_metre: float, metres: float, plausible: tuple[float, float, float, float], sparse: bool
) -> DepthUnit:
    return DepthUnit(name, f"metric, 1.0 = {metres:g} m", per_metre * metres, 0.0, True, per_metre, plausible, sparse)


_INDOORS, _STREET = (0.6, 6.0, 2.0, 12.0), (2.0, 45.0, 5.0, 100.0)
DEPTH_UNITS: dict[str, DepthUnit] = {
    unit.name: unit
    for unit in (
        _metric("mm", 1000.0, 10.0, _INDOORS, sparse=False),
        _metric("kitti", 256.0, 80.0, _STREET, sparse=True),
        _metric("tum", 5000.0, 10.0, _INDOORS, sparse=False),
        _metric("m", 1.0, 10.0, _INDOORS, sparse=False),
        DepthUnit("8bit", "8-bit map, 1.0 = 255, greater is farther", 255.0, holes=False),
        DepthUnit("16bit", "16-bit map, 1.0 = 65535, greater is farther", 65535.0, holes=False),
        DepthUnit("unit", "relative, 1.0 = 1, greater is farther", 1.0, holes=False),
        DepthUnit("inverse", "inverse, 1.0 = nearest", 0.0, holes=False),
        DepthUnit("colormap", "colour map, 1.0 = its last entry", 255.0, holes=False),
    )
}
"""Units by name; the full number of an inverse depth is that of the files' type, see `for_type`."""
_LARGEST = {"u1": 255.0, "u2": 65535.0}


def depth_unit(name: str) -> DepthUnit:
    """The unit of that name.

    Raises:
        BenchError: no such unit.
    """
    if name not in DEPTH_UNITS:
        raise BenchError(f"unknown depth unit {name!r}; choose one of: auto, {', '.join(DEPTH_UNITS)}")
    return DEPTH_UNITS[name]


def scaled(per_metre: float, least: float = 0.0, greatest: float = 10.0) -> DepthUnit:
    """A custom unit: so many numbers to a metre, known from ``least`` to ``greatest`` metres.

    Raises:
        BenchError: not a positive number.
    """
    if not 0 < per_metre < np.inf:
        raise BenchError(f"{per_metre:g} units per metre: a number above 0 is meant")
    return _metric(f"{per_metre:g}/m", per_metre, 10.0, (0.0, np.inf, 0.0, np.inf), False).over(least, greatest)


def metres(encoding: str) -> float | None:
    """The metres that a depth of 1.0 is in an encoding; None where depth is no distance, or its range is not said.

    Everybody who reads an encoding asks here: ``metric, 1.0 = 10 m``, after which a comma and further words may stand.
    """
    found = _METRIC.match(encoding)
    return (float(found[1]) or None) if found else None


def encoding_fault(encoding: str) -> str | None:
    """What is wrong with an encoding that speaks of metric depth where `metres` finds no range; None for all others."""
    if not encoding.startswith("metric") or metres(encoding) is not None:
        return None
    return (
        f"its depth encoding is {encoding!r}, in which the metres of a depth of 1.0 cannot be read: "
        "write it as 'metric, 1.0 = 10 m'"
    )


def greater_is_nearer(encoding: str) -> bool:
    """Whether an encoding gives what is nearer the greater number: inverse depth, stretched image by image or not."""
    return _INVERSE.match(encoding) is not None


_FAR = 1e6
"""Floats from here on stand for an infinite depth, as renderers write it."""


@dataclass(frozen=True)
class DepthFacts:
    """What the numbers of some depth files are like.

    Attributes:
        kind: their type: ``u1``, ``u2``, ``f4`` (numpy's names; every float counts as f4) or ``rgb``.
        known: share of the pixels that are finite, above 0 and none that stands for unknown.
        percentiles: 5th, 50th, 95th and 99th of these, and the greatest.
    """

    kind: str
    known: float
    percentiles: tuple[float, float, float, float, float]

    @classmethod
    def of(cls, maps: Sequence[npt.NDArray[Any]], kind: str) -> DepthFacts:
        """The facts of some maps together."""
        values = np.concatenate([_with_holes(numbers) for numbers in maps])
        known = values[np.isfinite(values) & (values > 0)]
        if known.size == 0:
            return cls(kind, 0.0, (0.0,) * 5)
        return cls(
            kind, known.size / values.size, (*np.percentile(known, (5, 50, 95, 99)).tolist(), float(known.max()))
        )

    def metres(self, unit: DepthUnit) -> tuple[float, float, float]:
        """5th percentile, median and 95th percentile in metres of a metric unit."""
        assert unit.per_metre is not None
        low, median, high = (self.percentiles[i] / unit.per_metre for i in (0, 1, 2))
        return low, median, high


def _with_holes(numbers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The numbers of a map, (N,), 0 where they stand for an unknown depth whatever their unit."""
    values = numbers.astype(np.float64).ravel()
    if numbers.dtype.kind == "f":
        return np.where(np.abs(values) >= _FAR, 0, values)
    if numbers.dtype.itemsize == 1:
        return values
    return np.where((values == _NOTHING) | (values == np.iinfo(numbers.dtype).max), 0, values)


def guess(facts: DepthFacts) -> DepthUnit:
    """The unit in which numbers of that kind are most likely written."""
    if facts.kind == "rgb":
        return DEPTH_UNITS["colormap"]
    if facts.kind == "u1":
        return DEPTH_UNITS["8bit"]
    if facts.kind == "f4" and facts.percentiles[4] <= 1.0:
        return DEPTH_UNITS["unit"]
    return _most_plausible(facts) or DEPTH_UNITS["m" if facts.kind == "f4" else "mm"]


def doubt(facts: DepthFacts, unit: DepthUnit, guessed: bool) -> str | None:
    """Why a unit seems wrong for these numbers, with the likely unit; None if it seems right.

    Args:
        facts: of the files.
        unit: as which they are read.
        guessed: whether it was not declared; sparse depth is then a reason to doubt it.
    """
    if facts.known == 0:
        return "no depth is known anywhere"
    if unit.per_metre is not None and not _is_plausible(facts, unit):
        low, median, high = facts.metres(unit)
        likely = _most_plausible(facts)
        hint = (
            f"; {likely.name} is likely (median {facts.metres(likely)[1]:.2f} m)" if likely and likely != unit else ""
        )
        return f"as {unit.name} depths would lie between {low:.2f} and {high:.2f} m, median {median:.2f} m{hint}"
    if guessed and unit.per_metre is not None and facts.known < 0.5:
        return f"only {facts.known:.0%} of the depth is known, and its unit {unit.name} was guessed; declare it"
    return None


def for_type(unit: DepthUnit, facts: DepthFacts) -> DepthUnit:
    """The unit with what the files' type decides: the full number of an inverse depth.

    Raises:
        BenchError: inverse depth in floats, whose greatest number is unknown.
    """
    if unit.full > 0:
        return unit
    if facts.kind not in _LARGEST:
        raise BenchError("inverse depth in floats needs its range: --depth-range MIN MAX, in the files' numbers")
    return replace(unit, full=_LARGEST[facts.kind])


def _is_plausible(facts: DepthFacts, unit: DepthUnit) -> bool:
    least, greatest, near, far = unit.plausible
    _, median, high = facts.metres(unit)
    return least <= median <= greatest and near <= high <= far


def _most_plausible(facts: DepthFacts) -> DepthUnit | None:
    """Of the metric units for that type that can be right, the unit that fits the known share best."""
    names = ("m", "mm") if facts.kind == "f4" else ("mm", "tum", "kitti")
    fitting = [unit for unit in (DEPTH_UNITS[name] for name in names) if _is_plausible(facts, unit)]
    return min(fitting, key=lambda unit: unit.sparse != (facts.known < 0.35), default=None)
