"""Predictions for images of any size: padded to the network's stride by reflection, in tiles where they are large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress

Values = dict[str, Tensor]
"""A value in [0, 1] for every pixel by head, (H, W) float32."""

Network = Callable[[Tensor | None, Tensor], Values]
"""From bg (3, H, W), or None, and bg_fg (3, H, W), sides multiples of its stride, to values of that size."""

_OVERLAP = 4
"""Tiles overlap by this fraction of their side (1 / n)."""


def predict_any_size(
    network: Network,
    bg: Tensor | None,
    bg_fg: Tensor,
    stride: int = 1,
    tile: int | None = None,
    progress: Progress = no_progress,
) -> Values:
    """A network's values for a pair of images of any size.

    Padding stands on both sides of the image, equal but for an odd pixel, and is cropped away; an image whose sides are
    multiples of the stride is given to the network as it is. Tiles overlap by a quarter, and fade into each other.

    Args:
        network: see `Network`.
        bg: (3, H, W) or None.
        bg_fg: (3, H, W).
        stride: of the network.
        tile: largest side given to the network at once, rounded up to a multiple of the stride; None for any.
        progress: called after every tile, where there are several.

    Returns:
        Values (H, W) by head.

    Raises:
        BenchError: a tile of less than 8 pixels.
    """
    if tile is not None and tile < 8:
        raise BenchError(f"a tile of {tile} pixels: 8 at least")
    height, width = bg_fg.shape[-2:]
    side = None if tile is None else -(-tile // stride) * stride
    if side is None or max(height, width) <= side:
        return _padded(network, bg, bg_fg, stride)
    sums: Values = {}
    weights = torch.zeros(height, width, device=bg_fg.device)
    tiles = list(product(_spans(height, side), _spans(width, side)))
    for done, (rows, columns) in enumerate(tiles, 1):
        part = _padded(network, None if bg is None else bg[:, rows, columns], bg_fg[:, rows, columns], stride)
        weight = _fade(rows, height, weights)[:, None] * _fade(columns, width, weights)
        weights[rows, columns] += weight
        for head, values in part.items():
            total = sums.setdefault(head, torch.zeros(height, width, device=values.device))
            total[rows, columns] += values * weight.to(values.device)
        progress("tiles", done, len(tiles))
    return {head: total / weights.to(total.device) for head, total in sums.items()}


def _padded(network: Network, bg: Tensor | None, bg_fg: Tensor, stride: int) -> Values:
    height, width = bg_fg.shape[-2:]
    rows, columns = _reflected(height, stride), _reflected(width, stride)
    if len(rows) == height and len(columns) == width:
        return network(bg, bg_fg)
    top, left = (len(rows) - height) // 2, (len(columns) - width) // 2
    padded = (None if image is None else image[:, rows][:, :, columns] for image in (bg, bg_fg))
    values = network(*padded)  # type: ignore[arg-type]
    return {head: value[top : top + height, left : left + width] for head, value in values.items()}


def _reflected(length: int, stride: int) -> Tensor:
    """Which line stands at each place of a padded side; the image may be smaller than its padding."""
    total = -(-length // stride) * stride
    places = torch.arange(total) - (total - length) // 2
    if length == 1:
        return torch.zeros_like(places)
    period = 2 * (length - 1)
    back = places % period
    return torch.where(back < length, back, period - back)


def _spans(length: int, side: int) -> Iterator[slice]:
    """Spans of a tile's side that cover a length, evenly spaced, overlapping by a quarter at least."""
    if length <= side:
        yield slice(0, length)
        return
    count = -(-(length - side) // (side - side // _OVERLAP)) + 1
    for number in range(count):
        start = round(number * (length - side) / (count - 1))
        yield slice(start, start + side)


def _fade(span: slice, length: int, like: Tensor) -> Tensor:
    """How much each line of a tile counts: rising from its inner rims over the overlap, (lines,)."""
    lines = span.stop - span.start
    at = torch.arange(lines, device=like.device, dtype=like.dtype) + 0.5
    reach = max(1.0, lines / _OVERLAP)
    rising = torch.full_like(at, reach) if span.start == 0 else at
    falling = torch.full_like(at, reach) if span.stop == length else lines - at
    fade: Tensor = torch.minimum(rising, falling).clamp(max=reach) / reach
    return fade
