"""Families of figures, as data: people, animals, lamps, vases, chairs ... each put together of a few solids.

A figure stands on y = 0 and has height 1; solids are ellipsoids, (tapered) cylinders and blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

ROUND, BLOCKS = 6, 2
"""Solids of each kind that a figure can have; parts 0 to 5 are round, 6 and 7 are blocks."""
PARTS = ROUND + BLOCKS
COLOURS = 4


@dataclass(frozen=True)
class Solid:
    """One solid of a family: centre and half extents in figure heights, ``lean`` sideways in degrees.

    ``taper`` is a cylinder's radius at its top over that at its bottom; ``ball`` and ``block`` have none.
    """

    shape: str
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: int
    lean: float = 0.0
    taper: float = 1.0


@dataclass(frozen=True)
class Family:
    """A kind of figure: its solids and its range of heights in metres."""

    height: tuple[float, float]
    solids: tuple[Solid, ...]


FAMILIES: dict[str, Family] = {
    "person": Family(
        (1.45, 1.9),
        (
            Solid("ball", (0, 0.92, 0), (0.055, 0.08, 0.06), 0),
            Solid("tube", (0, 0.66, 0), (0.12, 0.18, 0.075), 1, taper=1.15),
            Solid("tube", (-0.06, 0.25, 0), (0.055, 0.25, 0.06), 2, lean=2, taper=1.3),
            Solid("tube", (0.06, 0.25, 0), (0.055, 0.25, 0.06), 2, lean=-2, taper=1.3),
            Solid("ball", (-0.165, 0.64, 0.01), (0.035, 0.2, 0.04), 1, lean=-9),
            Solid("ball", (0.165, 0.64, 0.01), (0.035, 0.2, 0.04), 1, lean=9),
        ),
    ),
    "robed": Family(
        (1.3, 1.8),
        (
            Solid("ball", (0, 0.91, 0), (0.06, 0.09, 0.065), 0),
            Solid("tube", (0, 0.41, 0), (0.19, 0.41, 0.17), 1, taper=0.42),
            Solid("ball", (-0.13, 0.62, 0.03), (0.04, 0.17, 0.05), 2, lean=-20),
            Solid("ball", (0.13, 0.62, 0.03), (0.04, 0.17, 0.05), 2, lean=20),
            Solid("ball", (0, 0.96, 0.02), (0.07, 0.05, 0.07), 3),
        ),
    ),
    "dog": Family(
        (0.5, 0.95),
        (
            Solid("ball", (0, 0.55, 0), (0.5, 0.19, 0.19), 1, lean=4),
            Solid("ball", (0.5, 0.82, 0), (0.2, 0.18, 0.15), 0),
            Solid("tube", (-0.33, 0.23, -0.09), (0.07, 0.25, 0.07), 1),
            Solid("tube", (0.33, 0.23, -0.09), (0.07, 0.25, 0.07), 1),
            Solid("tube", (-0.33, 0.23, 0.09), (0.07, 0.25, 0.07), 2),
            Solid("tube", (0.33, 0.23, 0.09), (0.07, 0.25, 0.07), 2),
        ),
    ),
    "bird": Family(
        (0.7, 1.3),
        (
            Solid("ball", (0, 0.5, 0), (0.22, 0.36, 0.22), 1, lean=-12),
            Solid("ball", (0.1, 0.87, 0), (0.13, 0.13, 0.13), 0),
            Solid("ball", (0.25, 0.85, 0), (0.12, 0.03, 0.04), 3),
            Solid("tube", (-0.07, 0.09, 0), (0.03, 0.1, 0.03), 3),
            Solid("tube", (0.09, 0.09, 0), (0.03, 0.1, 0.03), 3),
        ),
    ),
    "lamp": Family(
        (1.1, 1.75),
        (
            Solid("tube", (0, 0.02, 0), (0.15, 0.02, 0.15), 1),
            Solid("tube", (0, 0.38, 0), (0.025, 0.38, 0.025), 1),
            Solid("tube", (0, 0.85, 0), (0.19, 0.15, 0.19), 0, taper=0.6),
        ),
    ),
    "vase": Family(
        (0.5, 1.1),
        (
            Solid("ball", (0, 0.38, 0), (0.3, 0.36, 0.3), 1),
            Solid("tube", (0, 0.06, 0), (0.17, 0.06, 0.17), 2, taper=1.1),
            Solid("tube", (0, 0.8, 0), (0.12, 0.2, 0.12), 1, taper=1.4),
            Solid("tube", (0, 0.42, 0), (0.3, 0.06, 0.3), 3),
        ),
    ),
    "plant": Family(
        (0.8, 1.7),
        (
            Solid("tube", (0, 0.14, 0), (0.14, 0.14, 0.14), 3, taper=1.35),
            Solid("tube", (0, 0.4, 0), (0.025, 0.2, 0.025), 2),
            Solid("ball", (0, 0.8, 0), (0.2, 0.2, 0.2), 1),
            Solid("ball", (-0.16, 0.64, 0.05), (0.2, 0.13, 0.16), 1, lean=25),
            Solid("ball", (0.16, 0.66, -0.05), (0.2, 0.13, 0.16), 1, lean=-25),
        ),
    ),
    "fir": Family(
        (1.0, 1.9),
        (
            Solid("tube", (0, 0.09, 0), (0.06, 0.09, 0.06), 3),
            Solid("tube", (0, 0.3, 0), (0.3, 0.15, 0.3), 1, taper=0.45),
            Solid("tube", (0, 0.55, 0), (0.23, 0.15, 0.23), 1, taper=0.4),
            Solid("tube", (0, 0.84, 0), (0.17, 0.16, 0.17), 1, taper=0.05),
        ),
    ),
    "ball": Family((0.5, 0.85), (Solid("ball", (0, 0.5, 0), (0.5, 0.5, 0.5), 1),)),
    "snowman": Family(
        (0.9, 1.6),
        (
            Solid("ball", (0, 0.24, 0), (0.24, 0.24, 0.24), 1),
            Solid("ball", (0, 0.58, 0), (0.18, 0.18, 0.18), 2),
            Solid("ball", (0, 0.83, 0), (0.12, 0.12, 0.12), 0),
            Solid("tube", (0, 0.95, 0), (0.09, 0.06, 0.09), 3),
        ),
    ),
    "chair": Family(
        (0.85, 1.1),
        (
            Solid("block", (0, 0.46, 0), (0.25, 0.045, 0.25), 1),
            Solid("block", (0, 0.75, -0.22), (0.25, 0.25, 0.035), 1),
            Solid("tube", (-0.2, 0.22, -0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (0.2, 0.22, -0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (-0.2, 0.22, 0.2), (0.035, 0.22, 0.035), 2),
            Solid("tube", (0.2, 0.22, 0.2), (0.035, 0.22, 0.035), 2),
        ),
    ),
    "armchair": Family(
        (0.8, 1.05),
        (
            Solid("block", (0, 0.25, 0.03), (0.42, 0.25, 0.36), 1),
            Solid("block", (0, 0.65, -0.3), (0.42, 0.35, 0.12), 1),
            Solid("tube", (-0.42, 0.35, 0), (0.1, 0.33, 0.38), 2),
            Solid("tube", (0.42, 0.35, 0), (0.1, 0.33, 0.38), 2),
        ),
    ),
    "table": Family(
        (0.65, 0.9),
        (
            Solid("block", (0, 0.96, 0), (0.6, 0.04, 0.4), 1),
            Solid("tube", (-0.5, 0.46, -0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (0.5, 0.46, -0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (-0.5, 0.46, 0.3), (0.05, 0.46, 0.05), 2),
            Solid("tube", (0.5, 0.46, 0.3), (0.05, 0.46, 0.05), 2),
        ),
    ),
    "robot": Family(
        (0.9, 1.7),
        (
            Solid("block", (0, 0.57, 0), (0.17, 0.22, 0.12), 1),
            Solid("block", (0, 0.89, 0), (0.11, 0.1, 0.1), 0),
            Solid("tube", (-0.09, 0.18, 0), (0.05, 0.18, 0.06), 2),
            Solid("tube", (0.09, 0.18, 0), (0.05, 0.18, 0.06), 2),
            Solid("tube", (-0.22, 0.56, 0), (0.045, 0.2, 0.045), 2, lean=-6),
            Solid("tube", (0.22, 0.56, 0), (0.045, 0.2, 0.045), 2, lean=6),
        ),
    ),
    "suitcase": Family(
        (0.6, 0.95),
        (
            Solid("block", (0, 0.38, 0), (0.3, 0.36, 0.13), 1),
            Solid("block", (0, 0.95, 0), (0.14, 0.04, 0.03), 3),
            Solid("tube", (-0.11, 0.82, 0), (0.018, 0.13, 0.018), 3),
            Solid("tube", (0.11, 0.82, 0), (0.018, 0.13, 0.018), 3),
        ),
    ),
    "cone": Family(
        (0.6, 1.0),
        (
            Solid("block", (0, 0.03, 0), (0.34, 0.03, 0.34), 1),
            Solid("tube", (0, 0.53, 0), (0.25, 0.47, 0.25), 1, taper=0.15),
            Solid("tube", (0, 0.55, 0), (0.205, 0.1, 0.205), 3, taper=0.8),
        ),
    ),
}
