"""`Components`: a mean difference and the variances it is made of, over seeds and over test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.results.stats.grouping import Grouping
from bench.results.stats.student import Values

SEED_EXPONENT = 2 / 3
"""How far the few degrees of freedom of the seeds reach when the images bring variance too, see `combine`.

Welch and Satterthwaite have 2, which covers 88 % in place of 95 % at two seeds; 1 covers 92 %, 1/2 97 %.
"""

FLOOR = 0.25
"""Least seed variance, as a share of what seeds visibly do to single images: two seeds may agree by luck."""


@dataclass(frozen=True)
class Components:
    """A mean over seeds and images with the parts of its variance; every array has the same leading shape (...).

    Attributes:
        mean: the mean itself.
        seeds: variance that the choice of seeds brings, of the mean.
        images: variance that the choice of test images brings, of the mean.
        interaction: the part of ``seeds`` that is luck of single images and groups under single seeds, of the mean.
        seed_freedom: degrees of freedom of ``seeds``; 0 for a single seed, or where no seed is random.
        image_freedom: degrees of freedom of ``images``.
    """

    mean: Values
    seeds: Values
    images: Values
    interaction: Values
    seed_freedom: Values
    image_freedom: float

    @classmethod
    def of(cls, contributions: Values, grouping: Grouping) -> Components:
        """Take a mean apart.

        With ``c`` the contributions, ``s`` the mean of each seed and ``r`` the mean of each image less the whole mean:
        the seed variance is ``var(s) / seeds``, which already holds what seeds do to single images; the image variance
        is that of ``r``, two-way clustered, less what seeds do to single images, for ``r`` holds that too.

        Args:
            contributions: (..., seeds, images), whose mean over images is a seed's figure.
            grouping: of the images.
        """
        seeds = contributions.shape[-2]
        by_seed = contributions.mean(-1)
        mean = by_seed.mean(-1)
        by_image = contributions.mean(-2) - mean[..., None]
        images = grouping.variance(by_image)
        if seeds == 1:
            nothing = np.zeros_like(mean)
            return cls(mean, nothing, images, nothing, nothing, grouping.freedom)
        left = contributions - by_seed[..., None] - by_image[..., None, :]
        interaction = grouping.variance(left).sum(-1) / (seeds - 1) / seeds
        variance = np.maximum(by_seed.var(-1, ddof=1) / seeds, FLOOR * interaction)
        pure = np.maximum(images - interaction, 0.0)
        return cls(mean, variance, pure, interaction, np.full_like(mean, seeds - 1), grouping.freedom)

    @property
    def variance(self) -> Values:
        """Of the mean."""
        return self.seeds + self.images

    @property
    def freedom(self) -> Values:
        """Degrees of freedom of `variance`."""
        return combine(self.seeds, self.seed_freedom, self.images, self.image_freedom)


def difference_of(a: Components, b: Components, images: Values) -> Components:
    """The difference of two means whose seeds have nothing to do with each other; the images are the same.

    Args:
        a, b: with at least one seed each.
        images: image variance of the difference, which is not the sum: what is hard for A is hard for B too.
    """
    freedom = joint_freedom(a.seeds, a.seed_freedom, b.seeds, b.seed_freedom)
    seeds, interaction = a.seeds + b.seeds, a.interaction + b.interaction
    return Components(a.mean - b.mean, seeds, images, interaction, freedom, a.image_freedom)


def joint_freedom(a: Values, a_freedom: Values, b: Values, b_freedom: Values) -> Values:
    """Degrees of freedom of a sum of the seed variances of two sides.

    Welch and Satterthwaite's, ``1 / (share_a**2 / a_freedom + share_b**2 / b_freedom)``, where both sides have as many
    seeds. Otherwise without the squares: with them intervals of two seeds against five covered 93 %.

    Args:
        a, b: variances, at least 0.
        a_freedom, b_freedom: theirs, above 0.
    """
    with np.errstate(invalid="ignore"):
        share = np.where(a + b > 0, a / (a + b), 0.5)
    exponent = np.where(a_freedom == b_freedom, 2.0, 1.0)
    return np.asarray(1 / (share**exponent / a_freedom + (1 - share) ** exponent / b_freedom), dtype=np.float64)


def combine(seeds: Values, seed_freedom: Values, images: Values, image_freedom: float) -> Values:
    """Degrees of freedom of a sum of two variances.

    ``1 / (share ** SEED_EXPONENT / seed_freedom + (1 - share) / image_freedom)``, with the seeds' share. Never
    below the smaller of the two, with which an interval covers whatever the shares are (Mickey and Brown, 1966). A
    part that is 0, or has no freedom because nothing in it can vary, does not count.

    Args:
        seeds, images: variances, at least 0, (...).
        seed_freedom: (...).
        image_freedom: of the images.
    """
    total = seeds + images
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, seeds / total, np.where(seed_freedom > 0, 1.0, 0.0))
        from_seeds = np.where(share > 0, share**SEED_EXPONENT / seed_freedom, 0.0)
        from_images = np.where(share < 1, (1 - share) / image_freedom if image_freedom else np.inf, 0.0)
        freedom = 1 / (from_seeds + from_images)
    least = np.where(
        share >= 1, seed_freedom, np.where(share <= 0, image_freedom, np.minimum(seed_freedom, image_freedom))
    )
    return np.asarray(np.maximum(freedom, least), dtype=np.float64)
