"""Photographs that are frames of a few videos: no split of them has test scenes that are new."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from bench.core.errors import BadData
from bench.data.images.file_names import sequences
from bench.data.images.similarity import difference_hash

_SIMILAR = 8
"""Bits of 64 in which frames of a video differ from the next, at most (median); photographs differ in 32."""


def refuse_videos(photographs: Tensor, stems: Sequence[str]) -> None:
    """Refuse frames of fewer than three videos, which cannot be split so that test scenes are new.

    Args:
        photographs: (N, 3, S, S) uint8.
        stems: their names without suffix, in alphabetical order.

    Raises:
        BadData: numbered neighbours look alike.
    """
    numbered = sequences(list(stems))
    hashes = difference_hash(photographs.float() / 255)
    distances = [
        int(np.bitwise_count(hashes[i] ^ hashes[i + 1]))
        for i in range(len(stems) - 1)
        if numbered[i] == numbered[i + 1]
    ]
    if len(distances) < max(2, len(stems) // 2):
        return
    usual = statistics.median(distances)
    if usual <= _SIMILAR:
        reason = (
            f"{len(stems)} frames of {len(set(numbered))} videos (neighbours differ in {usual:g} of 64 bits of a "
            "perceptual hash): a split whose test scenes are new needs three videos"
        )
        raise BadData([("photographs", reason)], "add videos, or take each for a scene: --scenes file, which leaks")
