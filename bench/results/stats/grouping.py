"""`Grouping`: which background and which object each test image shows, and the variance that this choice brings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.results.stats.student import Values

Ids = npt.NDArray[np.int64]

FEW = 10
"""Below so many backgrounds or objects the variance over them is itself hardly known."""


@dataclass(frozen=True)
class Grouping:
    """The groups of the test images, of two kinds that cross.

    Attributes:
        backgrounds: an id for each image, (images,).
        objects: an id for each image, (images,).
    """

    backgrounds: Ids
    objects: Ids

    def __post_init__(self) -> None:
        if self.backgrounds.shape != self.objects.shape or self.backgrounds.ndim != 1:
            raise ValueError(f"ids of shapes {self.backgrounds.shape} and {self.objects.shape}: every image needs both")

    def __len__(self) -> int:
        return len(self.backgrounds)

    def take(self, images: npt.NDArray[np.bool_]) -> Grouping:
        """The grouping of some of the images, (images,)."""
        return self if images.all() else Grouping(self.backgrounds[images], self.objects[images])

    @property
    def counts(self) -> dict[str, int]:
        """Distinct groups by kind, ``backgrounds`` and ``objects``."""
        return {name: kind.count for name, kind in self._kinds.items()}

    @property
    def freedom(self) -> float:
        """Degrees of freedom of `variance`, of the kind that has fewer; 0 where no kind has two groups."""
        return min((kind.correction[1] for kind in self._kinds.values() if kind.count > 1), default=0.0)

    @property
    def shown(self) -> dict[str, int]:
        """As `counts`; without objects where they are grouped as the backgrounds are, as those without names are."""
        counts = self.counts
        alike = set(counts.values()) == {self._pairs.count}
        return {name: count for name, count in counts.items() if name == "backgrounds" or not alike}

    @property
    def few(self) -> list[str]:
        """The kinds of groups that are few, in words: ``4 backgrounds``; ``60 objects, worth 5`` if unequal."""
        found = []
        for name in self.shown:
            kind = self._kinds[name]
            worth = kind.correction[1] + 1 if kind.count > 1 else 1.0
            if kind.count < FEW:
                found.append(f"{kind.count} {name if kind.count > 1 else name[:-1]}")
            elif worth < FEW:
                found.append(f"{kind.count} {name}, worth {worth:.0f}")
        return found

    @property
    def single(self) -> list[str]:
        """Kinds with a single group, whose variance cannot be estimated: ``background``, ``object``."""
        return [name[:-1] for name, count in self.counts.items() if count == 1]

    def variance(self, residuals: Values) -> Values:
        """Variance of a mean over images, from how residuals go together within backgrounds and within objects.

        Two-way clustering: ``V = factor * sum over groups of (sum of residuals)**2 / images**2`` with the factor of
        `correction`, and ``max(V(backgrounds) + V(objects) - V(pairs of both), V(backgrounds), V(objects))``. A kind
        with a single group says nothing and is left out; 0 where no kind has two groups.

        Args:
            residuals: (..., images), of mean 0 over images.

        Returns:
            Variances, (...).

        Source: Cameron, Gelbach and Miller, Robust inference with multiway clustering, 2011.
        """
        kinds = [kind.variance(residuals) for kind in self._kinds.values() if kind.count > 1]
        if not kinds:
            return np.zeros(residuals.shape[:-1])
        if len(kinds) == 1:
            return kinds[0]
        both = kinds[0] + kinds[1] - self._pairs.variance(residuals)
        return np.asarray(np.maximum(both, np.maximum(*kinds)), dtype=np.float64)

    def sums(self, residuals: Values) -> tuple[Values, Values]:
        """Sums of residuals over each background, (..., backgrounds), and over each object, (..., objects)."""
        backgrounds, objects = (kind.sums(residuals) for kind in self._kinds.values())
        return backgrounds, objects

    @cached_property
    def _kinds(self) -> dict[str, _Clusters]:
        return {"backgrounds": _Clusters(self.backgrounds), "objects": _Clusters(self.objects)}

    @cached_property
    def _pairs(self) -> _Clusters:
        """Of a background with an object."""
        pairs = np.stack([self.backgrounds, self.objects])
        return _Clusters(np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1))


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Images in groups of one kind; what follows from the groups alone is computed once."""

    ids: Ids

    @cached_property
    def count(self) -> int:
        """Groups."""
        return len(np.unique(self.ids))

    @cached_property
    def correction(self) -> tuple[float, float]:
        """See `correction`."""
        return correction(self.ids)

    @cached_property
    def _order(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Images sorted by group, so that sums cost a single pass, and where each group begins."""
        order = np.argsort(self.ids, kind="stable")
        return order, np.flatnonzero(np.diff(self.ids[order], prepend=self.ids[order[0]] - 1))

    def sums(self, residuals: Values) -> Values:
        """Over each group, (..., groups)."""
        order, starts = self._order
        return np.asarray(np.add.reduceat(residuals[..., order], starts, axis=-1), dtype=np.float64)

    def variance(self, residuals: Values) -> Values:
        """Clustered variance of the mean, (...)."""
        squares = (self.sums(residuals) ** 2).sum(-1) / residuals.shape[-1] ** 2
        return np.asarray(self.correction[0] * squares, dtype=np.float64)


def correction(ids: Ids) -> tuple[float, float]:
    """What few and uneven groups make of a clustered variance: the factor that undoes its bias, and its freedom.

    Residuals are differences from a mean to which large groups contribute most, so that large groups vary too little
    about it. For effects u of the groups, which have the shares w of the images, the sum of squares is ``u' M u`` with
    ``M = (I - 1 w')' diag(w**2) (I - 1 w')``; the factor is ``sum(w**2) / trace(M)`` and the degrees of freedom are
    ``trace(M)**2 / trace(M M)``. For k groups of equal size these are ``k / (k - 1)`` and ``k - 1``.

    Args:
        ids: a group for each image, (images,), of two groups or more.

    Source: Satterthwaite, 1946; Bell and McCaffrey, Bias reduction in standard errors for linear regression with
    multi-stage samples, 2002.
    """
    share = np.unique(ids, return_counts=True)[1] / len(ids)
    second, third, fourth, fifth = (float((share**power).sum()) for power in (2, 3, 4, 5))
    trace = second * (1 + second) - 2 * third
    # M = diag(w**2) + [q w] A [q w]' with q = w**2; its square has the trace of a matrix of two rows.
    products = np.array([[0, -1], [-1, second]]) @ np.array([[fourth, third], [third, second]])
    square = fourth - 4 * fifth + 2 * second * fourth + float(np.trace(products @ products))
    return second / trace, trace**2 / square
