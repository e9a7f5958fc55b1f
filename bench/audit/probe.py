"""The samples that the audit studies: few, small, in 8 bits as training sees them, with an object where possible."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from bench.data.loading.packed import pack, unpack
from bench.data.source import Source, join
from bench.data.split import Part
from registry.contract import Quartet, Target

RENDERED, IMAGES, SIDE, LARGEST = 16, 4, 32, 96
"""Samples that are rendered, those of them that are studied, and their side in pixels: enough to show every fault."""


LOOKED_THROUGH, SAMPLED, SAMPLED_FILES, SAMPLED_SIDE = 2048, 32, 512, 48
"""Of so many samples of a part, at most so many with distinct backgrounds and objects are compared."""


class Sampled(NamedTuple):
    """Samples of a part, and of each, (B,), its background and object group and its number."""

    quartet: Quartet
    groups: tuple[Tensor, Tensor]
    ids: Tensor


def render(source: Source, side: int, images: int = RENDERED) -> Quartet:
    """The first training samples as the source renders them, on the CPU, ``side`` pixels wide."""
    with torch.no_grad():
        return source.render("train", torch.arange(images), side).map(lambda tensor: tensor.cpu())


def sample(source: Source, part: Part, count: int) -> Sampled:
    """Of the first ``count`` samples of a part a sample for each background and each object, at most so many.

    They are rendered before any camera moves, so that copies between the parts are copies pixel by pixel.
    """
    groups = source.groups(part, torch.arange(count))
    numbers = range(count - 1, -1, -1)
    first = [{int(found[number]): number for number in numbers} for found in groups]
    # Copies are sought among files; what is rendered has none, and costs more.
    most = SAMPLED_FILES if "content" in source.describe() else SAMPLED
    ids = torch.tensor(sorted({number for found in first for number in sorted(found.values())[:most]})[: 2 * most])
    with torch.no_grad():
        quartets = [source.scenes(part, some, SAMPLED_SIDE) for some in torch.split(ids, SAMPLED)]
    quartet = join([quartet.map(lambda tensor: tensor.float().cpu()) for quartet in quartets])
    return Sampled(quartet, (groups[0].cpu()[ids], groups[1].cpu()[ids]), ids)


def select(quartet: Quartet) -> Quartet:
    """The first `IMAGES` samples as training sees them, those whose mask is not empty first."""
    order = torch.arange(len(quartet))
    if quartet.mask is not None:
        order = (quartet.mask.flatten(1).amax(1) > 0.5).int().argsort(descending=True, stable=True)
    return in_8_bits(quartet.map(lambda tensor: tensor[order[:IMAGES]]))


def in_8_bits(quartet: Quartet) -> Quartet:
    """As the loader keeps them, rounded to 8 bits."""
    return unpack(pack(quartet))


def filled(target: Target) -> Tensor:
    """A target with the mean of what is known nearby where it is not; the image's mean where nothing near is."""
    known = (target.known > 0.5).to(target.value.dtype)
    value, filled = target.value, known
    side = min(value.shape[-2:])
    for reach in (1, 2, 4, 8, 16):
        if 2 * reach + 1 > side:
            break
        total, count = (
            functional.avg_pool2d(maps, 2 * reach + 1, 1, reach, count_include_pad=False)
            for maps in (target.value * known, known)
        )
        fills = (filled == 0) & (count > 0)
        value, filled = torch.where(fills, total / count.clamp(min=1e-9), value), torch.where(fills, 1.0, filled)
    mean = (target.value * known).sum((1, 2, 3), keepdim=True) / known.sum((1, 2, 3), keepdim=True).clamp(min=1)
    return torch.where(filled > 0, value, mean)
