"""The Pareto front: what nothing else beats in every way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.results.stats.student import Values

Flags = npt.NDArray[np.bool_]


def front(values: Values, eligible: Flags) -> Flags:
    """Which candidates are not dominated: no other is at least as good in every respect and better in some.

    Args:
        values: (..., candidates, objectives), the larger the better, no NaN among the eligible.
        eligible: (..., candidates), those that count.

    Returns:
        (..., candidates).
    """
    ours, theirs = values[..., :, None, :], values[..., None, :, :]
    dominated = (theirs >= ours).all(-1) & (theirs > ours).any(-1) & eligible[..., None, :]
    return np.asarray(eligible & ~dominated.any(-1))
