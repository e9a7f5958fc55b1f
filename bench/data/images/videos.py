"""Frames of a video: numbered pictures of which each looks like the next."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from bench.data.images.similarity import Hashes

SIMILAR = 8
"""Bits of 64 in which frames of a video differ from the next, at most (median); photographs differ in 32."""


def usual_distance(before: Hashes, after: Hashes) -> float | None:
    """Median distance, in bits, of pictures (N,) from those that follow them; None where there are too few to say."""
    bits: Sequence[int] = np.bitwise_count(before ^ after).tolist()
    return float(statistics.median(bits)) if len(bits) >= 2 else None
