"""How alike pictures are: a 64-bit perceptual hash.

Two hashes of the same photograph (another size, another JPEG quality, a little brighter) differ in a few bits; two
different photographs differ in 32 on average. What differs in at most `NEAR` bits counts as the same picture.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

Hashes = npt.NDArray[np.uint64]

NEAR = 6
"""Greatest distance, in bits, of two hashes of the same picture."""
_ROWS, _COLUMNS = 8, 9
_LUMA = (0.299, 0.587, 0.114)
_FLAT = 0.01


def difference_hash(images: Tensor) -> Hashes:
    """A 64-bit hash per picture, (B,) uint64: whether each of 8 x 8 places is darker than that on its right.

    Args:
        images: (B, 3, H, W) or (B, 1, H, W) in [0, 1], both sides at least 9 pixels.
    """
    cells = functional.interpolate(_grey(images), (_ROWS, _COLUMNS), mode="bilinear", antialias=True)[:, 0]
    bits = (cells[:, :, 1:] > cells[:, :, :-1]).flatten(1).cpu().numpy()
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def is_flat(images: Tensor) -> npt.NDArray[np.bool_]:
    """Which pictures (B, C, H, W) are nearly uniform, (B,): their hash is meaningless."""
    if not len(images):  # torch warns of deviations of nothing
        return np.zeros(0, dtype=np.bool_)
    return (_grey(images).flatten(1).std(1) < _FLAT).cpu().numpy()


def distances(first: Hashes, second: Hashes) -> npt.NDArray[np.uint8]:
    """Hamming distances of 64-bit hashes, (N,) and (M,) to (N, M)."""
    differing: npt.NDArray[np.uint8] = np.bitwise_count(first[:, None] ^ second[None, :])
    return differing


def _grey(images: Tensor) -> Tensor:
    """(B, 1, H, W) float32."""
    values = images.float()
    if values.shape[1] == 1:
        return values
    return (values * torch.tensor(_LUMA, device=values.device)[None, :, None, None]).sum(1, keepdim=True)
