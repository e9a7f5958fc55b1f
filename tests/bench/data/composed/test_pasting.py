"""Pasting against plain numpy: where texels land, and what depth comes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bench.data.composed.decoded import LARGEST, Cutouts
from bench.data.composed.pasting import composite_depth, paste
from bench.data.images.files import Cutout

SIZE = 48
DEPTHS = st.sampled_from([-1.0, 0.1, 0.25, 0.5, 0.9])


def cutouts(height: int, width: int, seed: int) -> Cutouts:
    """A smooth opaque object, premultiplied as files are read."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 4, generator=draw)
    colour = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0]
    pixels = torch.cat([colour.clamp(0, 1), torch.ones(1, height, width)])
    return Cutouts.of([Cutout(pixels, (0.5, 1.0))], SIZE, torch.device("cpu"))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(20, 60), st.integers(20, 60)),
    longer=st.floats(0.25, LARGEST),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    flipped=st.booleans(),
    seed=st.integers(0, 99),
)
def test_texels_land_where_scipy_puts_them(shape, longer, place, flipped, seed) -> None:
    table = cutouts(*shape, seed)
    box = table.shape[:1] * longer
    corner = torch.tensor([place]) * (1 - box)
    pasted = paste(table, torch.tensor([0]), torch.tensor([longer]), corner, box, torch.tensor([flipped]), SIZE)[
        0
    ].numpy()
    level = min(int(2 * math.log2(LARGEST / longer)), table.levels - 1)
    canvas, extent = table.canvases[level].float().numpy(), table.extent[level].numpy()
    centre = (np.arange(SIZE) + 0.5) / SIZE
    across = (centre - corner[0, 0].item()) / box[0, 0].item()
    down = (centre - corner[0, 1].item()) / box[0, 1].item()
    across = 1 - across if flipped else across
    rows, columns = np.meshgrid(down * extent[1] + 0.5, across * extent[0] + 0.5, indexing="ij")
    expected = [ndimage.map_coordinates(plane, [rows, columns], order=1, mode="constant") for plane in canvas]
    np.testing.assert_allclose(pasted, expected, atol=2e-3)
    inside = ((across > 0.1) & (across < 0.9))[None, :] & ((down > 0.1) & (down < 0.9))[:, None]
    assert pasted[3][inside].min(initial=1) > 0.99


def reference_depth(depths: np.ndarray, foot: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One sample by its definition, element by element."""
    side = len(depths)
    offsets = np.linspace(-0.02, 0.02, 5).astype(np.float32)
    x = np.clip(((foot[0] + offsets) * side).astype(int), 0, side - 1)
    y = np.clip(((foot[1] + offsets) * side - 0.5).astype(int), 0, side - 1)
    around = [depths[j, i] for j in y for i in x if depths[j, i] >= 0]
    stands = sorted(around)[(len(around) - 1) // 2] if around else None
    depth, valid = np.zeros_like(depths), np.zeros_like(depths)
    for j, i in np.ndindex(depths.shape):
        background = depths[j, i] if depths[j, i] >= 0 else None
        if alpha[j, i] > 0.5:
            known = stands is not None
            value = min(value for value in (stands, background) if value is not None) if known else 0.0
        else:
            known, value = background is not None, background or 0.0
        depth[j, i], valid[j, i] = (value if known else 0.0), known
    return depth, valid


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(DEPTHS, min_size=64, max_size=64),
    alphas=st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0]), min_size=64, max_size=64),
    foot=st.tuples(st.sampled_from([0.05, 0.3, 0.62, 0.97]), st.sampled_from([0.1, 0.55, 0.93])),
)
def test_depth_is_that_of_the_place_it_stands_on(values, alphas, foot) -> None:
    depths = np.array(values, dtype=np.float32).reshape(8, 8)
    alpha = np.array(alphas, dtype=np.float32).reshape(8, 8)
    found = composite_depth(torch.from_numpy(depths)[None], torch.tensor([foot]), torch.from_numpy(alpha)[None])
    expected = reference_depth(depths, np.array(foot, dtype=np.float32), alpha)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours[0].numpy(), theirs)


def test_nothing_known_at_the_foot_leaves_the_object_unknown() -> None:
    depths = torch.full((1, 8, 8), 0.5)
    depths[0, 4:] = -1
    alpha = torch.zeros(1, 8, 8)
    alpha[0, 2:6, 2:6] = 1
    depth, valid = composite_depth(depths, torch.tensor([[0.5, 0.7]]), alpha)
    assert valid[0, 2:6, 2:6].sum() == 0
    assert depth[0, 0, 0] == pytest.approx(0.5)
