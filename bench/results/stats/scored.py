"""`Scored`: a metric of a cell, image by image, and what each image contributes to the cell's figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.results.stats.student import Values


@dataclass(frozen=True)
class Scored:
    """A metric of a cell, image by image.

    A seed's figure is ``(sum(w * v**power) / sum(w)) ** (1 / power)`` over its images, as `bench.metrics.Metric` has
    it; the cell's figure is the mean over its seeds.

    Attributes:
        values: (seeds, images), NaN where an image has nothing to say.
        weights: (seeds, images), at least 0, or None for equal weights.
        power: exponent of the mean.
    """

    values: Values
    weights: Values | None = None
    power: int = 1

    @property
    def defined(self) -> npt.NDArray[np.bool_]:
        """Where a seed has a value of some weight for an image, (seeds, images)."""
        valued = ~np.isnan(self.values)
        return valued if self.weights is None else valued & (self.weights > 0)

    def only(self, images: npt.NDArray[np.bool_]) -> Scored:
        """The same on some of the images, (images,)."""
        weights = None if self.weights is None else self.weights[:, images]
        return Scored(self.values[:, images], weights, self.power)

    def contributions(self, counted: npt.NDArray[np.bool_]) -> Values:
        """What each image contributes, (seeds, images): numbers whose plain mean over images is the seed's figure.

        For a plain mean over all images these are the values themselves. Otherwise they are the figure plus the first
        derivative of the figure by the image's share, so that their spread over images gives the figure's variance
        (the delta method). An image that does not count contributes the figure itself.

        Args:
            counted: (seeds, images); only where `defined`.
        """
        weights = np.where(counted, 1.0 if self.weights is None else self.weights, 0.0)
        powers = np.where(counted, self.values, 0.0) ** self.power
        share = weights / weights.sum(1, keepdims=True)
        mean = (share * powers).sum(1, keepdims=True)
        figure = mean ** (1 / self.power)
        with np.errstate(divide="ignore"):
            slope = np.where(mean > 0, mean ** (1 / self.power - 1), 0.0) / self.power if self.power != 1 else 1.0
        return np.asarray(figure + slope * self.values.shape[1] * share * (powers - mean), dtype=np.float64)
