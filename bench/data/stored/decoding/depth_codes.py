"""Depths as the integers that packs keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

CODES = 65534.0
"""Levels of a packed 16-bit depth above the first; 0 stands for unknown."""


def encode_depth(values: npt.NDArray[np.float32], dtype: np.dtype[np.generic]) -> npt.NDArray[Any]:
    """Depths in [0, 1], -1 where unknown, as integers: of 8 bits where all are known, else of 16 with 0 for unknown."""
    if dtype == np.uint8:
        return np.rint(values * 255).astype(np.uint8)
    return np.where(values < 0, 0, np.rint(values * CODES) + 1).astype(np.uint16)


def decode_depth(
    codes: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The inverse of `encode_depth`: depths, 0 where unknown, and where they are known, 0 or 1."""
    if codes.dtype == np.uint8:
        return codes.astype(np.float32) / np.float32(255), np.ones(codes.shape, dtype=np.float32)
    is_known = codes > 0
    values = (codes.astype(np.float32) - 1) / np.float32(CODES)
    return np.where(is_known, values, np.float32(0)), is_known.astype(np.float32)
