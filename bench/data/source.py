"""Where quartets come from: the interface of every source; `bench.data.sources` is their index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any, Literal, Self

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.data.camera.condition import Camera, find_camera
from bench.data.counter_random import uniform
from bench.data.depth_units import metres
from bench.data.split import FRACTIONS, Part
from registry.contract import Quartet

_CHUNK_PIXELS = {"cpu": 2**18, "cuda": 2**26}
"""At once: enough for the work to outweigh its launch, few enough to fit in memory."""
_BYTES_A_PIXEL, _SHARE_OF_FREE, _FEWEST_PIXELS = 128, 0.15, 2**20
_MOST_SAMPLES = 2**16
"""Of a GPU: what rendering needs at most, how much of the free memory it may take, and what it takes anyway."""

OwnPack = Literal["none", "growing", "whole"]


class Source(ABC):
    """Quartets by number: sample ``id`` of a part is a pure function of the source's parameters, part and id.

    Attributes:
        kind: its key in `bench.data.sources`.
        encoding: what a depth of 1.0 means; numbers of different encodings are never compared. Of distances
            ``metric, 1.0 = 10 m``, then perhaps a comma and further words.
        has_depth: whether quartets have depth.
        has_mask, has_background: whether they have a mask, and a photograph without the object.
        seed: what samples and split depend on.
        camera: name of the camera condition.
        empty_share: of the samples, in which no object is, for sources that place objects.
        device: where quartets are made.
        notes: what it decided by itself, in sentences.
        warnings: what is likely wrong with its files, in sentences.
        mask_warnings: and with its masks.
        group_warnings: and with its groups.
        names_objects: whether objects have groups of their own; else those of the backgrounds stand for both.
    """

    kind: str
    encoding: str
    has_depth: bool
    has_mask: bool = True
    has_background: bool = True
    seed: int
    camera: str
    empty_share: float = 0.0
    device: torch.device
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    mask_warnings: tuple[str, ...] = ()
    group_warnings: tuple[str, ...] = ()
    names_objects: bool = True

    def facts(self) -> dict[str, Any]:
        """What was found out about the data and does not decide the samples, as JSON, without paths; for a record."""
        found = {"notes": list(self.notes), "warnings": [*self.warnings, *self.mask_warnings, *self.group_warnings]}
        return {name: sentences for name, sentences in found.items() if sentences}

    def count(self, part: Part) -> int | None:
        """How many different samples a part has, greater ids beginning anew; None for an endless part."""
        return None

    def own_pack(self, size: int) -> OwnPack:
        """Whether it keeps what it made at a size by itself: ``none``, or a ``growing`` or ``whole`` pack."""
        return "none"

    def render(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """Samples ``ids`` (B,), at least 1, of a part at ``size`` x ``size``, float32 on the source's device.

        A sample does not depend on the others in the batch.

        Raises:
            BenchError: no such part, or a size that is no positive multiple of 8.
        """
        if size <= 0 or size % 8:
            raise BenchError(f"a source renders sizes that are multiples of 8, not {size}")
        ids, stream, camera = ids.to(self.device), self.stream(part), self._condition()
        step = self.chunk(size)
        chunks = [
            camera.shoot(self.scenes(part, some, size), self.seed, stream, some)
            for some in (ids[start : start + step] for start in range(0, len(ids), step))
        ]
        return join(chunks)

    def chunk(self, size: int) -> int:
        """How many samples of that size are rendered at once."""
        return max(1, min(_MOST_SAMPLES, pixels_at_once(self.device) // size**2))

    def stream(self, part: Part) -> str:
        """The name under which a part's samples draw their numbers.

        Raises:
            BenchError: no such part.
        """
        if part not in FRACTIONS:
            raise BenchError(f"unknown part {part!r}; choose one of: {', '.join(FRACTIONS)}")
        return f"{self.kind}/{part}"

    def empty(self, part: Part, ids: Tensor) -> Tensor | None:
        """Which samples have no object, (B,) bool on the device of ``ids``; None if all have an object."""
        if not self.empty_share:
            return None
        return uniform(self.seed, f"{self.stream(part)}/empty", ids, 1)[:, 0] < self.empty_share

    def shown(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """What each sample shows, by what it is (``picture``, ``background``, ``object``): a name for each of ``ids``.

        Equal names mean the same, in whatever source they occur: digests of files, numbers of rooms. A name is empty,
        and nothing is returned, where that is not known.
        """
        return {}

    def file_names(self, part: Part, ids: Tensor) -> dict[str, list[str]]:
        """The files of the ``background`` and of the ``object`` of each of ``ids``, for messages; empty without."""
        return {}

    def camera_draws(self, part: Part, ids: Tensor) -> dict[str, Tensor]:
        """What the camera drew for each sample, see `Camera.draws`; nothing for a still camera."""
        return self._condition().draws(self.seed, self.stream(part), ids.to(self.device))

    def _condition(self) -> Camera:
        return find_camera(self.camera)

    @property
    def has_metric_depth(self) -> bool:
        """Whether a depth is a distance, which enlarging a picture divides."""
        return self.has_depth and metres(self.encoding) is not None

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything that decides the samples, as JSON, without paths; equal descriptions give equal samples."""

    @abstractmethod
    def groups(self, part: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Background group and object group of each sample, (B,) int64 each; numbers hold across parts."""

    @abstractmethod
    def scenes(self, part: Part, ids: Tensor, size: int) -> Quartet:
        """As `render`, with a perfect and still camera; for a batch that fits in memory."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Self:
        """The same source, making its quartets on another device."""


@lru_cache(maxsize=16)
def pixels_at_once(device: torch.device) -> int:
    """Pixels that a device renders at once; of a GPU as many as fit in a part of what is free when first asked."""
    pixels = _CHUNK_PIXELS.get(device.type, _CHUNK_PIXELS["cpu"])
    if device.type != "cuda":
        return pixels
    free, _ = torch.cuda.mem_get_info(device)
    return max(_FEWEST_PIXELS, min(pixels, int(free * _SHARE_OF_FREE) // _BYTES_A_PIXEL))


def join(chunks: list[Quartet]) -> Quartet:
    """One batch of several, in order."""
    if len(chunks) == 1:
        return chunks[0]
    parts = [dict(chunk.tensors()) for chunk in chunks]
    return Quartet.of({name: torch.cat([part[name] for part in parts]) for name in parts[0]})
