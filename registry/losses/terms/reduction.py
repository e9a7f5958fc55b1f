"""From pixels to a scalar: valid pixels of each image first, then the mean over the images that have any.

Everything here stays on the device: no host ever asks whether an image was empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from registry.contract import Head

Pool = Literal["image", "batch"]
"""Over what a term sums before its formula is applied: each image (as it should be), or the whole batch."""


class ImageMean(NamedTuple):
    """A mean over images and what it was made of: ``values`` (B,), and which of them counted, (B,) bool or None."""

    mean: Tensor
    values: Tensor
    counts: Tensor | None


@dataclass
class Reductions:
    """What a term did with its images.

    Attributes:
        pooled: it looked at the whole batch at once: its value is not a mean over images.
        means: the means over images that it took.
    """

    pooled: bool = False
    means: list[ImageMean] = field(default_factory=list)


_observer: ContextVar[Reductions | None] = ContextVar("reductions", default=None)


@contextmanager
def observed() -> Iterator[Reductions]:
    """Note what the terms that run in this context do with their images; costs nothing elsewhere."""
    reductions = Reductions()
    token = _observer.set(reductions)
    try:
        yield reductions
    finally:
        _observer.reset(token)


def pools() -> None:
    """Say that the term that runs now depends on its batch as a whole."""
    reductions = _observer.get()
    if reductions is not None:
        reductions.pooled = True


def output(prediction: Head, raw: bool) -> Tensor:
    """What a term compares, (B, 1, H, W): the activated value in [0, 1], or the raw logits as some originals did."""
    return prediction.logits if raw else prediction.value


def rows(maps: Tensor, pool: Pool = "image") -> Tensor:
    """Maps (B, 1, H, W) as a row of pixels per image, (B, N); pooled over the batch, as a single row, (1, B*N)."""
    if pool == "image":
        return maps.flatten(1)
    pools()
    return maps.reshape(1, -1)


def keep(values: Tensor, valid: Tensor | None, fill: float = 0.0) -> Tensor:
    """``values`` where valid, ``fill`` elsewhere: what is filled has neither influence nor gradient."""
    return values if valid is None else torch.where(valid, values, fill)


def row_means(values: Tensor, valid: Tensor | None) -> Tensor:
    """Mean of each row's valid pixels, (B, N) to (B,); 0 for a row that has none."""
    if valid is None:
        return values.mean(1)
    return keep(values, valid).sum(1) / valid.sum(1).clamp(min=1)


def mean_over_images(values: Tensor, valid: Tensor | None) -> Tensor:
    """Mean of ``values`` (B,) over the rows that have a valid pixel in ``valid`` (B, N); 0 if none has.

    The 0 stays connected to the graph: its gradient is a finite zero.
    """
    counts = None if valid is None else valid.any(1)
    mean = values.mean() if counts is None else keep(values, counts).sum() / counts.sum().clamp(min=1)
    reductions = _observer.get()
    if reductions is not None:
        reductions.means.append(ImageMean(mean, values, counts))
    return mean


def pixel_mean(maps: Tensor, valid: Tensor | None) -> Tensor:
    """Mean over valid pixels per image, then over images: (B, 1, H, W) to a scalar."""
    at = None if valid is None else rows(valid)
    return mean_over_images(row_means(rows(maps), at), at)
