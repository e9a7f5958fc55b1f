"""`Scenario`: how a paired difference may vary over seeds and test images, with variances as real records show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.results.stats.grouping import Grouping
from bench.results.stats.student import Values

IMAGES, GROUPS = 256, 60
"""Of the test split of protocol ``quick``: images, and the backgrounds and the objects that they are drawn from."""

MARGIN = 0.0085
"""What counts as equal in all scenarios: a twentieth of what a Dice of .83 lacks."""


@dataclass(frozen=True)
class Before:
    """What percentile intervals of a bootstrap over seeds and backgrounds did in a scenario, measured before.

    Attributes:
        covered: share of 95 % intervals that held the truth at 1, 2, 3, 5 and 10 seeds.
        false: share of verdicts ``better`` or ``worse`` between equals, at the same.
    """

    covered: tuple[float, ...]
    false: tuple[float, ...]


@dataclass(frozen=True)
class Scenario:
    """Standard deviations of the parts of a difference, each normal.

    Attributes:
        seed: of a whole seed.
        background, object, image: of a test image, whatever the seed.
        seed_image, seed_background, seed_object: of single images, backgrounds and objects under single seeds.
        before: what the former rule did.
    """

    seed: float
    background: float
    object: float
    image: float
    seed_image: float
    seed_background: float
    seed_object: float
    before: Before

    def images(self, grouping: Grouping, random: np.random.Generator, draws: int) -> Values:
        """What test images add whatever the seed, (draws, 1, images)."""
        return _crossed(grouping, random, (draws, 1), self.background, self.object, self.image)

    def seeds(self, grouping: Grouping, random: np.random.Generator, draws: int, seeds: int) -> Values:
        """What seeds add, (draws, seeds, images)."""
        whole = self.seed * random.standard_normal((draws, seeds, 1))
        parts = self.seed_background, self.seed_object, self.seed_image
        return whole + _crossed(grouping, random, (draws, seeds), *parts)


SCENARIOS = {
    "same cell, `unet` or `wnet`, Dice": Scenario(
        0.017, 0, 0, 0, 0.078, 0.014, 0, Before((0.45, 0.77, 0.85, 0.89, 0.94), (0.55, 0.23, 0.15, 0.11, 0.06))
    ),
    "same cell, `resnet_unet`, Dice": Scenario(
        0.045, 0, 0, 0, 0.116, 0, 0.023, Before((0.24, 0.65, 0.76, 0.87, 0.91), (0.76, 0.35, 0.24, 0.13, 0.09))
    ),
    "`unet` - `wnet`, Dice, seeds independent": Scenario(
        0.017, 0.03, 0.03, 0.05, 0.076, 0.01, 0, Before((0.56, 0.82, 0.87, 0.90, 0.92), (0.45, 0.18, 0.13, 0.10, 0.09))
    ),
    "`resnet_unet` - `wnet`, Dice": Scenario(
        0.035,
        0.027,
        0.068,
        0.129,
        0.098,
        0,
        0.02,
        Before((0.46, 0.74, 0.84, 0.87, 0.88), (0.54, 0.26, 0.16, 0.13, 0.12)),
    ),
    "`dilated_shuffle` - `wnet`, Dice": Scenario(
        0.012,
        0.05,
        0.066,
        0.066,
        0.092,
        0,
        0.02,
        Before((0.76, 0.87, 0.86, 0.86, 0.87), (0.24, 0.14, 0.14, 0.14, 0.13)),
    ),
    "`unet` - `wnet`, depth δ1": Scenario(
        0.003, 0.012, 0, 0.019, 0.058, 0.037, 0, Before((0.91, 0.99, 0.99, 0.99, 0.99), (0.09, 0.02, 0.02, 0.01, 0.01))
    ),
    "objects alone": Scenario(
        0, 0, 0.066, 0.066, 0, 0, 0, Before((0.73, 0.74, 0.73, 0.71, 0.73), (0.27, 0.26, 0.28, 0.29, 0.27))
    ),
    "`unet` - `wnet`, Dice, seed effect shared": Scenario(
        0.005,
        0.035,
        0.028,
        0.047,
        0.076,
        0.015,
        0,
        Before((0.87, 0.92, 0.94, 0.93, 0.92), (0.13, 0.08, 0.06, 0.07, 0.08)),
    ),
    "`unet` - `wnet`, boundary F": Scenario(
        0, 0.0385, 0.03, 0.0745, 0.101, 0, 0, Before((0.92, 0.94, 0.95, 0.95, 0.93), (0.08, 0.06, 0.05, 0.05, 0.07))
    ),
    "`dilated_shuffle` - `wnet`, boundary F": Scenario(
        0, 0.023, 0.077, 0.108, 0.126, 0, 0.034, Before((0.85, 0.88, 0.89, 0.86, 0.85), (0.15, 0.12, 0.12, 0.14, 0.15))
    ),
    "`unet` - `wnet`, depth RMSE x 10": Scenario(
        0.004, 0.029, 0, 0.025, 0.061, 0.045, 0, Before((0.91, 0.97, 0.97, 0.98, 0.97), (0.09, 0.03, 0.03, 0.02, 0.03))
    ),
}
"""Differences between cells of the committed records, with variances fitted to them."""


def layout(backgrounds: int = GROUPS, objects: int = GROUPS, uneven: bool = False) -> Grouping:
    """Test images that draw their background and their object at random, as the synthetic test split does.

    Args:
        backgrounds, objects: how many to draw from.
        uneven: whether the g-th is drawn with a probability in proportion to 1 / g, instead of each alike.
    """
    random = np.random.default_rng(0)
    ids = []
    for count in (backgrounds, objects):
        weight = 1 / np.arange(1, count + 1) if uneven else np.ones(count)
        ids.append(random.choice(count, size=IMAGES, p=weight / weight.sum()))
    return Grouping(*ids)


def _crossed(
    grouping: Grouping,
    random: np.random.Generator,
    shape: tuple[int, int],
    background: float,
    thing: float,
    image: float,
) -> Values:
    """Effects of backgrounds, of objects and of single images, (*shape, images)."""
    total = image * random.standard_normal((*shape, len(grouping)))
    for deviation, ids in ((background, grouping.backgrounds), (thing, grouping.objects)):
        if deviation:
            total += (deviation * random.standard_normal((*shape, int(ids.max()) + 1)))[..., ids]
    return total
