"""Student's t: quantiles and tail probabilities, for arrays and for degrees of freedom that are no whole numbers."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit  # scipy.stats answers the same and takes half a second to import

Values: TypeAlias = npt.NDArray[np.float64]


def half_width(error: npt.ArrayLike, freedom: npt.ArrayLike, level: float = 0.95) -> Values:
    """Half of the width of a two-sided interval, ``t * error``; broadcasts.

    Args:
        error: standard error, at least 0.
        freedom: degrees of freedom, above 0; infinite for a normal quantile.
        level: of the interval, in (0, 1).
    """
    return np.asarray(stdtrit(freedom, (1 + level) / 2) * np.asarray(error), dtype=np.float64)


def two_sided_p(effect: npt.ArrayLike, error: npt.ArrayLike, freedom: npt.ArrayLike) -> Values:
    """The probability of an effect at least so far from 0 if the true effect is 0; broadcasts.

    An effect of exactly 0 has p = 1, any other effect without error p = 0.
    """
    size, width = np.abs(np.asarray(effect, dtype=np.float64)), np.asarray(error, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size == 0, 0.0, size / width)
    return np.asarray(2 * stdtr(freedom, -ratio), dtype=np.float64)
