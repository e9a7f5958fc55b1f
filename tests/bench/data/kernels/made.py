"""Pictures, quartets and sources that kernels are tried on."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.data.source import Source
from bench.data.sources import open_source
from registry.contract import Quartet


def pictures(count: int, size: int, device: str) -> Tensor:
    """Smooth pictures with grain, (count, 3, size, size) in [0, 1]."""
    draw = torch.Generator().manual_seed(size)
    coarse = torch.rand(count, 3, 5, 5, generator=draw)
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic")
    return (smooth + 0.03 * torch.randn(smooth.shape, generator=draw)).clamp(0, 1).to(device)


def quartet_of(parts: tuple[str, ...], size: int, device: str) -> Quartet:
    """Three samples with those images beside ``bg_fg``."""
    images, other = pictures(3, size, device), pictures(3, size, device)
    planes = {name: other[:, number % 3 :][:, :1] for number, name in enumerate(parts)}
    planes = {name: plane.round() if "valid" in name else plane for name, plane in planes.items()}
    given = {"bg_fg": images.contiguous(memory_format=torch.channels_last), **planes}
    return Quartet.of({**given, "bg": other} if "bg" in parts else given)


def make(kind: str, files, device: str, **parameters) -> Source:
    kind, _, without_depth = kind.partition(" ")
    own = {"rooms": 20, "figures": 32}
    if kind == "composed":
        own = {"bg": files.bg, "fg": files.fg, "bg_depth": None if without_depth else files.depth, "resolution": 64}
    return open_source(kind, **own, **parameters).to(device)
