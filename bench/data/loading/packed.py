"""The 8-bit form in which samples are kept: a row of bytes a sample, 10 a pixel with depth, in memory or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from bench.data.kernels.available import fused
from registry.contract import Quartet

_STORED = {
    "bg": torch.uint8,
    "bg_fg": torch.uint8,
    "mask": torch.uint8,
    "depth": torch.float16,
    "valid": torch.uint8,
    "mask_valid": torch.uint8,
}
_AS_THEY_ARE = ("depth", "valid", "mask_valid")


@dataclass(frozen=True)
class Form:
    """What a row of bytes holds: images and targets in order, each channels last.

    Attributes:
        channels: of each image by name, in order.
        height, width: in pixels; their product is even, as half floats lie at even places.
    """

    channels: tuple[tuple[str, int], ...]
    height: int
    width: int

    @classmethod
    def of(cls, quartet: Quartet) -> Form:
        """The form of quartets like ``quartet``."""
        height, width = quartet.bg_fg.shape[-2:]
        return cls(tuple((name, tensor.shape[1]) for name, tensor in quartet.tensors()), height, width)

    @property
    def bytes(self) -> int:
        """Length of a row."""
        return sum(prod(self._shape(count)) * _STORED[name].itemsize for name, count in self.channels)

    def views(self, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Where in ``rows`` (B, bytes) each image lies, (B, H, W, C) in its own type; shares their memory."""
        begin = 0
        for name, count in self.channels:
            shape, kind = self._shape(count), _STORED[name]
            end = begin + prod(shape) * kind.itemsize
            part = rows[:, begin:end]
            yield name, (part if kind == torch.uint8 else part.view(kind)).view(-1, *shape)
            begin = end

    def _shape(self, count: int) -> tuple[int, int, int]:
        return self.height, self.width, count


@dataclass(frozen=True)
class Packed:
    """Samples as ``rows`` (B, bytes) uint8 of the same form."""

    rows: Tensor
    form: Form


def pack(quartet: Quartet) -> Packed:
    """Images and masks as 8-bit integers, depth as half floats."""
    form = Form.of(quartet)
    rows = torch.empty(len(quartet), form.bytes, dtype=torch.uint8, device=quartet.bg_fg.device)
    places = dict(form.views(rows))
    for name, tensor in quartet.tensors():
        with fused(tensor, "interleave") as by_kernel:
            if by_kernel:
                from bench.data.kernels.interleave import interleave

                interleave(tensor, places[name], levels=name not in _AS_THEY_ARE)
                continue
        values = tensor if name in _AS_THEY_ARE else (tensor * 255.0).round_()
        places[name].copy_(values.permute(0, 2, 3, 1))
    return Packed(rows, form)


def unpack(packed: Packed, rows: Tensor | None = None) -> Quartet:
    """The inverse of `pack`, to the precision of 8 bits: float32 in [0, 1], channels-last in memory.

    Args:
        packed: samples.
        rows: which of them, (B,) int64 on their device; all, if None.
    """
    places = dict(packed.form.views(packed.rows))
    with fused(packed.rows, "unpacking") as by_kernel:
        if by_kernel:
            from bench.data.kernels.unpacking import unpack_images

            images = unpack_images([*places.values()], [name not in _AS_THEY_ARE for name in places], rows)
            return Quartet.of({name: image.permute(0, 3, 1, 2) for name, image in zip(places, images, strict=True)})
    if rows is not None:
        places = dict(packed.form.views(packed.rows.index_select(0, rows)))
    tensors = {}
    for name, stored in places.items():
        values = stored.permute(0, 3, 1, 2).float()
        tensors[name] = values if name in _AS_THEY_ARE else values.div_(255.0)
    return Quartet.of(tensors)
