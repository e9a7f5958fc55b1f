"""Photographs that are frames of a few videos: no split of them has test scenes that are new."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from bench.core.errors import BadData
from bench.data.images.file_names import sequences
from bench.data.images.similarity import difference_hash
from bench.data.images.videos import SIMILAR, usual_distance


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
    places = [i for i in range(len(stems) - 1) if numbered[i] == numbered[i + 1]]
    if len(places) < max(2, len(stems) // 2):
        return
    usual = usual_distance(hashes[places], hashes[[place + 1 for place in places]])
    if usual is not None and usual <= SIMILAR:
        reason = (
            f"{len(stems)} frames of {len(set(numbered))} videos (neighbours differ in {usual:g} of 64 bits of a "
            "perceptual hash): a split whose test scenes are new needs three videos"
        )
        raise BadData([("photographs", reason)], "add videos, or take each for a scene: --scenes file, which leaks")
