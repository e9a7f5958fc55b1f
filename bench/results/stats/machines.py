"""Machines as a further random level: each machine's mean over its seeds is a value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.results.stats.scored import Scored
from bench.results.stats.student import Values


def machine_means(parts: Sequence[Scored]) -> Scored:
    """One row a machine in place of its seeds, so that luck with the machine counts as luck.

    A machine's bits send a training elsewhere as another seed does, and all its seeds alike. With several seeds of a
    machine as values of their own that luck would be counted once for each of them. Machines of few seeds count as
    much as those of many: their means vary more, and the spread of the means holds that.

    Args:
        parts: of each machine, the seeds that ran on it; on the same images.

    Returns:
        (machines, images).
    """
    values = np.stack([_mean(part.values) for part in parts])
    weights = [part.weights for part in parts]
    known = [weight.mean(axis=0) for weight in weights if weight is not None]
    return Scored(values, np.stack(known) if len(known) == len(parts) else None, parts[0].power)


def _mean(values: Values) -> Values:
    """Over the seeds that have something to say of an image; NaN where none has."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
