"""The operations of an augmentation, in three kinds; `bench.data.augment` is the index of all.

An operation draws a row of uniform numbers for each sample, as functions of (seed, epoch, id) alone: no batch, worker
or resumption changes them. One draw serves all images of a quartet where geometry moves, both photographs where colour
changes; targets keep their values, but for a metric depth, which enlarging divides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from registry.contract import Quartet


class Affine(NamedTuple):
    """Where each output place is taken from: x' = xx x + xy y + x0, y' = yx x + yy y + y0; (B,) each.

    Coordinates are in half picture heights from the middle, right and down.
    """

    xx: Tensor
    xy: Tensor
    x0: Tensor
    yx: Tensor
    yy: Tensor
    y0: Tensor

    def after(self, other: Affine) -> Affine:
        """The movement of a picture that ``other`` has moved already."""
        return Affine(
            other.xx * self.xx + other.xy * self.yx,
            other.xx * self.xy + other.xy * self.yy,
            other.xx * self.x0 + other.xy * self.y0 + other.x0,
            other.yx * self.xx + other.yy * self.yx,
            other.yx * self.xy + other.yy * self.yy,
            other.yx * self.x0 + other.yy * self.y0 + other.y0,
        )

    @property
    def zoom(self) -> Tensor:
        """How many times larger things become, (B,)."""
        return (self.xx * self.yy - self.xy * self.yx).abs().rsqrt()


@dataclass(frozen=True)
class Movement:
    """Moves all images alike; several are a single resampling.

    Attributes:
        columns: numbers drawn for a sample.
        place: from draws (B, columns) in [0, 1) and width over height to an `Affine`.
    """

    columns: int
    place: Callable[[Tensor, float], Affine]


@dataclass(frozen=True)
class Colour:
    """Changes both photographs alike.

    Attributes:
        columns: numbers drawn for a sample.
        change: from a photograph (B, 3, H, W) in [0, 1], draws (B, columns) in [0, 1), and what gives normal numbers
            (B, n) for its n, to another photograph; it is clamped to [0, 1] afterwards.
    """

    columns: int
    change: Callable[[Tensor, Tensor, Callable[[int], Tensor]], Tensor]


@dataclass(frozen=True)
class Level:
    """Does several things at once, in its own way.

    Attributes:
        columns: numbers drawn for a sample.
        change: from a quartet, draws (B, columns), and whether depth is metric, to another quartet.
        still: the same without change of colour.
    """

    columns: int
    change: Callable[[Quartet, Tensor, bool], Quartet]
    still: Callable[[Quartet, Tensor, bool], Quartet]


Operation = Movement | Colour | Level
