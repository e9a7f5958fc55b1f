"""From a source to batches: `resident` where everything fits on the device, else `live`, rendered as it is needed.

Both hand out the same numbers: what a source renders passes through the same 8-bit packing either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.draws import uniform
from bench.data.source import Source
from bench.data.split import Part
from registry.contract import Quartet

Progress = Callable[[int, int], None]

_STORED = {"bg": torch.uint8, "bg_fg": torch.uint8, "mask": torch.uint8, "depth": torch.float16, "valid": torch.uint8}
_BYTES_A_PIXEL = 3 + 3 + 1 + 2 + 1
_RENDERED_AT_ONCE = 64


def pack(quartet: Quartet) -> dict[str, Tensor]:
    """Images and masks as 8-bit integers, depth as half floats, channels last: 10 bytes a pixel."""
    packed = {}
    for name, tensor in quartet.tensors():
        kind = _STORED[name]
        values = tensor if kind == torch.float16 else (tensor * 255.0 if name != "valid" else tensor).round_()
        packed[name] = values.to(kind).permute(0, 2, 3, 1).contiguous()
    return packed


def unpack(packed: dict[str, Tensor]) -> Quartet:
    """The inverse of `pack`, to the precision of 8 bits: float32 in [0, 1], channels-last in memory."""
    tensors = {}
    for name, stored in packed.items():
        values = stored.permute(0, 3, 1, 2).float()
        tensors[name] = values.div_(255.0) if name not in ("depth", "valid") else values
    return Quartet(**tensors)


@dataclass(frozen=True)
class Batch:
    """Some samples: their ids (B,) on the CPU and, as ``at``, on the device, and their quartet on the device."""

    ids: Tensor
    at: Tensor
    quartet: Quartet


class Loader:
    """Batches of one part of a source at one resolution.

    Args:
        source: renders samples; on the device that batches shall be on.
        part: which split.
        count: samples in all, ids 0 to count - 1.
        size: side of the images, pixels.
        batch: images a batch; training drops an incomplete last one, evaluation keeps it.
        budget: bytes that may be kept resident on the device.
        progress: told (done, total) while samples are rendered ahead.
    """

    def __init__(
        self,
        source: Source,
        part: Part,
        count: int,
        size: int,
        batch: int,
        budget: int,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self.source, self.part, self.count, self.size, self.batch = source, part, count, size, batch
        self.tier = "resident" if count * size * size * _BYTES_A_PIXEL <= budget else "live"
        self._store = self._render_all(progress) if self.tier == "resident" else None

    def epoch(self, seed: int, epoch: int) -> Iterator[Batch]:
        """All full batches in an order that depends on (seed, epoch) alone."""
        ids = torch.arange(self.count)
        order = uniform(seed, f"order/{epoch}", ids, 1)[:, 0].argsort(stable=True)
        full = self.count - self.count % self.batch
        return self._batches(_chunks(ids[order[:full]], self.batch))

    def in_order(self) -> Iterator[Batch]:
        """All samples once, by id."""
        return self._batches(_chunks(torch.arange(self.count), self.batch))

    def __len__(self) -> int:
        """Batches in an epoch of training."""
        return self.count // self.batch

    def _batches(self, chunks: list[Tensor]) -> Iterator[Batch]:
        device = self.source.device
        if self._store is not None:
            for ids in chunks:
                at = ids.to(device, non_blocking=True)
                yield Batch(ids, at, unpack({name: stored[at] for name, stored in self._store.items()}))
        elif device.type == "cuda":
            for ids in chunks:
                at = ids.to(device, non_blocking=True)
                yield Batch(ids, at, self._render(at))
        else:
            with ThreadPoolExecutor(1) as ahead:
                pending = ahead.submit(self._render, chunks[0]) if chunks else None
                for ids, following in zip(chunks, [*chunks[1:], None], strict=True):
                    quartet = pending.result() if pending else self._render(ids)
                    pending = ahead.submit(self._render, following) if following is not None else None
                    yield Batch(ids, ids, quartet)

    def _render(self, ids: Tensor) -> Quartet:
        with torch.no_grad():
            return unpack(pack(self.source.render(self.part, ids, self.size)))

    def _render_all(self, progress: Progress) -> dict[str, Tensor]:
        store: dict[str, Tensor] = {}
        with torch.no_grad():
            for ids in _chunks(torch.arange(self.count), _RENDERED_AT_ONCE):
                for name, part in pack(self.source.render(self.part, ids, self.size)).items():
                    if name not in store:
                        store[name] = part.new_empty((self.count, *part.shape[1:]))
                    store[name][ids[0] : ids[-1] + 1] = part
                progress(int(ids[-1]) + 1, self.count)
        return store


def _chunks(ids: Tensor, size: int) -> list[Tensor]:
    return [ids[i : i + size] for i in range(0, len(ids), size)]
