"""Augmentation of quartets: one geometric draw for all four images, one photometric draw for both photographs.

Draws depend on seed, epoch and sample id alone, so that batch size, workers and resuming change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bench.core.errors import BenchError
from bench.data.counter_random import uniform
from registry.contract import Quartet


@dataclass(frozen=True)
class Level:
    """How much is changed.

    Attributes:
        flip: probability of mirroring left for right.
        zoom: greatest enlargement beyond 1; what then falls out of the picture is drawn, too.
        brightness: greatest amount added to both photographs.
        contrast: greatest relative change of their distance from middle grey.
        gain: greatest relative change of each channel.
    """

    flip: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gain: float = 0.0


LEVELS: dict[str, Level] = {
    "none": Level(),
    "flip": Level(flip=0.5),
    "standard": Level(flip=0.5, zoom=0.2, brightness=0.08, contrast=0.2, gain=0.1),
}

_PICKED = ("depth", "valid", "mask_valid")
"""Taken from the nearest element: a mean over the rim of a hole or of an object would be a depth that is nowhere."""


def augment(quartet: Quartet, seed: int, epoch: int, ids: Tensor, level: str) -> Quartet:
    """An augmented copy of a batch (or the batch itself at level ``none``), still in [0, 1].

    Args:
        quartet: the batch.
        seed, epoch: what the draws depend on,
        ids: and the samples' ids in their part, (B,) int64.
        level: a key of `LEVELS`.

    Raises:
        BenchError: no such level.
    """
    return _changed(quartet, _draws(seed, epoch, ids.to(quartet.bg_fg.device)), find_level(level))


def find_level(name: str) -> Level:
    """A level by name.

    Raises:
        BenchError: no such level.
    """
    if name not in LEVELS:
        raise BenchError(f"unknown augmentation {name!r}; there are: {', '.join(LEVELS)}")
    return LEVELS[name]


class Augmentation:
    """`augment` for a run of epochs: what it draws is drawn once an epoch, for all samples, and not step by step.

    The two dozen small operations of a draw take longer than flipping a small batch does.

    Args:
        level: a key of `LEVELS`.
        seed: what the draws depend on, besides epoch and ids.
        count: samples in all; greater ids are an error, on a GPU a fatal one.
    """

    def __init__(self, level: str, seed: int, count: int) -> None:
        self._level, self._seed, self._count = find_level(level), seed, count
        self._epoch: int | None = None

    def __call__(self, quartet: Quartet, epoch: int, ids: Tensor) -> Quartet:
        """An augmented copy of a batch (or the batch itself at level ``none``), as `augment` makes it.

        Args:
            quartet: the batch.
            epoch, ids: what is drawn depends on; the ids (B,) int64 lie on the batch's device.
        """
        if self._level == Level():
            return quartet
        if epoch != self._epoch:
            self._table = _draws(self._seed, epoch, torch.arange(self._count, device=ids.device))
            self._epoch = epoch
        return _changed(quartet, self._table.index_select(0, ids), self._level)


def _draws(seed: int, epoch: int, ids: Tensor) -> Tensor:
    """All that is drawn for some samples, (B, 9) in [0, 1)."""
    return uniform(seed, f"augment/{epoch}", ids, 9)


def _changed(quartet: Quartet, u: Tensor, chosen: Level) -> Quartet:
    if chosen == Level():
        return quartet
    flipped = u[:, 0] < chosen.flip
    moved = _zoom(quartet, flipped, 1 + u[:, 1] * chosen.zoom, u[:, 2:4]) if chosen.zoom else _flip(quartet, flipped)
    if chosen.brightness or chosen.contrast or chosen.gain:
        bg, moved.bg_fg = (_expose(image, u[:, 4:9] * 2 - 1, chosen) for image in moved.inputs)
        moved.bg = None if moved.bg is None else bg
    return moved


def _flip(quartet: Quartet, flipped: Tensor) -> Quartet:
    """Mirror some of the samples, exactly."""
    if flipped.device.type == "cpu":
        chosen = flipped.nonzero()[:, 0].tolist()
        return quartet.map(lambda image: _flip_those(image, chosen))
    # Picking them out would make the host wait for the device; mirroring all is cheaper there.
    return quartet.map(lambda image: torch.where(flipped[:, None, None, None], image.flip(-1), image))


def _flip_those(images: Tensor, chosen: list[int]) -> Tensor:
    done = images.clone()
    for i in chosen:
        done[i] = images[i].flip(-1)
    return done


def _zoom(quartet: Quartet, flipped: Tensor, zoom: Tensor, place: Tensor) -> Quartet:
    """Enlarge a window of 1 / ``zoom`` of the picture at ``place`` (B, 2) in [0, 1] of its freedom, and mirror some."""
    height, width = quartet.bg_fg.shape[-2:]
    freedom = 1 - 1 / zoom
    across = torch.where(flipped, -1.0, 1.0)
    grid = torch.empty(len(zoom), height, width, 2, device=zoom.device)
    for axis, (length, direction) in enumerate(((width, across), (height, torch.ones_like(across)))):
        centre = (torch.arange(length, device=zoom.device) + 0.5) * (2 / length) - 1
        middle = freedom * (2 * place[:, axis] - 1)
        places = (direction / zoom)[:, None] * centre + middle[:, None]
        grid[..., axis] = places[:, None, :] if axis == 0 else places[:, :, None]
    moved = {
        name: functional.grid_sample(
            image,
            grid.to(image.dtype),
            mode="nearest" if name in _PICKED else "bilinear",
            padding_mode="border",
            align_corners=False,
        ).clamp_(0, 1)
        for name, image in quartet.tensors()
    }
    return Quartet.of(moved)


def _expose(image: Tensor, draws: Tensor, level: Level) -> Tensor:
    """Another exposure, by draws (B, 5) in [-1, 1): brightness, contrast, three channels."""
    brightness, contrast, gain = (draws[:, at, None, None] for at in (slice(0, 1), slice(1, 2), slice(2, 5)))
    stretched: Tensor = (image - 0.5) * (1 + contrast * level.contrast) + (0.5 + brightness * level.brightness)
    return stretched.mul_(1 + gain * level.gain).clamp_(0, 1)
