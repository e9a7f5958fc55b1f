"""The levels that protocols use: none, flip, and standard, which mirrors, enlarges and exposes anew in few passes."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from bench.data.augment import augmentations
from bench.data.augment.movements import rescale_depth, sample
from bench.data.augment.operation import Level
from bench.data.kernels.available import fused
from registry.contract import Quartet
from registry.ranges import between


@augmentations.register()
def none() -> Level:
    """Nothing is changed."""
    return Level(0, lambda quartet, u, metric: quartet, lambda quartet, u, metric: quartet)


@augmentations.register(ranges={"p": between(0, 1)})
def flip(p: float = 0.5) -> Level:
    """Left for right, exactly, with probability ``p``."""

    def change(quartet: Quartet, u: Tensor, metric: bool) -> Quartet:
        """The changed quartet, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        return _flip(quartet, u[:, 0] < p)

    return Level(1, change, change)


@augmentations.register(
    ranges={
        "flip": between(0, 1),
        "zoom": between(0, 4),
        "brightness": between(0, 1),
        "contrast": between(0, 1),
        "gain": between(0, 1),
    }
)
def standard(
    flip: float = 0.5, zoom: float = 0.2, brightness: float = 0.08, contrast: float = 0.2, gain: float = 0.1
) -> Level:
    """Mirrored, enlarged by up to ``zoom`` (which divides metric depth), and of another exposure."""

    def move(quartet: Quartet, u: Tensor, metric: bool) -> Quartet:
        """The mirrored and enlarged quartet, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        mirrored, enlargement = u[:, 0] < flip, 1 + u[:, 1] * zoom
        if not zoom:
            return _flip(quartet, mirrored)
        moved = _enlarge(quartet, mirrored, enlargement, u[:, 2:4])
        return rescale_depth(moved, enlargement) if metric else moved

    def change(quartet: Quartet, u: Tensor, metric: bool) -> Quartet:
        """The changed quartet, by uniform numbers ``u`` (B, columns) in [0, 1]."""
        moved, draws = move(quartet, u, metric), u[:, 4:9] * 2 - 1
        exposed = {
            name: _expose(image, draws, brightness, contrast, gain)
            for name, image in moved.tensors()
            if name in ("bg", "bg_fg")
        }
        return replace(moved, **exposed)

    return Level(9, change, move)


def _flip(quartet: Quartet, flipped: Tensor) -> Quartet:
    """Mirror some of the samples, exactly."""
    if flipped.device.type == "cpu":
        chosen = flipped.nonzero()[:, 0].tolist()
        return quartet.map(lambda image: _flip_those(image, chosen))
    with fused(flipped, "mirroring") as by_kernel:
        if by_kernel:
            from bench.data.kernels.mirroring import mirror

            names, images = zip(*quartet.tensors(), strict=True)
            return Quartet.of(dict(zip(names, mirror(images, flipped), strict=True)))
    # Picking them out would make the host wait for the device; mirroring all is cheaper.
    return quartet.map(lambda image: torch.where(flipped[:, None, None, None], image.flip(-1), image))


def _flip_those(images: Tensor, chosen: list[int]) -> Tensor:
    done = images.clone()
    for i in chosen:
        done[i] = images[i].flip(-1)
    return done


def _enlarge(quartet: Quartet, flipped: Tensor, zoom: Tensor, place: Tensor) -> Quartet:
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
    return sample(quartet, grid, "border")


def _expose(image: Tensor, draws: Tensor, brightness: float, contrast: float, gain: float) -> Tensor:
    """Another exposure, by draws (B, 5) in [-1, 1): brightness, contrast, three channels."""
    lighter, stretch, channels = (draws[:, at, None, None] for at in (slice(0, 1), slice(1, 2), slice(2, 5)))
    stretched: Tensor = (image - 0.5) * (1 + stretch * contrast) + (0.5 + lighter * brightness)
    return stretched.mul_(1 + channels * gain).clamp_(0, 1)
