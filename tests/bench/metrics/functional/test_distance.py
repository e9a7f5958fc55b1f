"""Distances of contours against scipy and MONAI, and what empty masks get."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bench.metrics import boundary, metrics
from bench.metrics.boundary import contour, distance_to
from bench.metrics.view import View
from registry.contract import Prediction, Quartet
from registry.errors import BadParameter

SIDE = 40
DIAGONAL = math.hypot(SIDE, SIDE)
EMPTY, FULL = torch.zeros(SIDE, SIDE, dtype=torch.bool), torch.ones(SIDE, SIDE, dtype=torch.bool)


def square(top: int, left: int, side: int = 10) -> torch.Tensor:
    picture = EMPTY.clone()
    picture[top : top + side, left : left + side] = True
    return picture


def blobs(seed: int, height: int, width: int, images: int = 2) -> torch.Tensor:
    """Smooth shapes that keep off the picture's rim, where other libraries see a contour and we do not."""
    noise = np.random.default_rng(seed).normal(size=(images, 1, height, width))
    on = torch.tensor(ndimage.gaussian_filter(noise, (0, 0, 3, 3)) > 0.02)
    on[..., [0, -1], :] = on[..., :, [0, -1]] = False
    return on


def values(key: str, predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """A metric of masks (B, 1, H, W) or (H, W) of bool."""
    predicted, true = (mask if mask.dim() == 4 else mask[None, None] for mask in (predicted, true))
    quartet = Quartet(None, torch.zeros(len(true), 3, *true.shape[-2:]), true.float())
    return metrics.bind(key).per_image(View(Prediction(torch.where(predicted, 20.0, -20.0)), quartet))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 30), width=st.integers(1, 30), share=st.floats(0.001, 0.5))
def test_distances_are_exact(seed, height, width, share):
    sites = torch.rand(3, 1, height, width, generator=torch.Generator().manual_seed(seed)) < share
    for site, found in zip(sites[:, 0].numpy(), distance_to(sites)[:, 0].numpy(), strict=True):
        expected = ndimage.distance_transform_edt(~site) if site.any() else np.full(site.shape, np.inf)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_large_batches_are_done_in_parts(monkeypatch):
    sites = blobs(3, 24, 30, images=7)
    whole = distance_to(sites)
    monkeypatch.setattr(boundary, "_AT_ONCE", 24 * 30 * 30 * 2)
    assert torch.equal(distance_to(sites), whole)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), tolerance=st.sampled_from([0.0, 1.0, 1.5, 3.0]))
def test_scipy_says_the_same(seed, tolerance):
    predicted, true = blobs(seed, 36, 44), blobs(seed + 1, 36, 44)
    edges, true_edges = (contour(mask)[:, 0].numpy() for mask in (predicted, true))
    ways = [
        (ndimage.distance_transform_edt(~t)[p], ndimage.distance_transform_edt(~p)[t])
        for p, t in zip(edges, true_edges, strict=True)
    ]
    both = [np.concatenate(way) for way in ways]
    for key, expected in {
        "mask_hd95": [max(np.percentile(d, 95) for d in way) for way in ways],
        "mask_assd": [d.mean() for d in both],
        f"mask_nsd[tolerance={tolerance}]": [(d <= tolerance).mean() for d in both],
    }.items():
        np.testing.assert_allclose(values(key, predicted, true).numpy(), expected, rtol=1e-5, atol=1e-6, err_msg=key)


def test_monai_says_the_same():
    monai = pytest.importorskip("monai.metrics", reason="MONAI is a reference that need not be installed")
    for seed in range(10):
        predicted, true = (blobs(seed + offset, 36, 44, images=3) for offset in (0, 100))
        pair = [mask.float() for mask in (predicted, true)]
        everything = {"include_background": True}
        for key, expected in {
            "mask_hd95": monai.compute_hausdorff_distance(*pair, percentile=95, **everything),
            "mask_assd": monai.compute_average_surface_distance(*pair, symmetric=True, **everything),
            "mask_nsd[tolerance=2]": monai.compute_surface_dice(*pair, class_thresholds=[2.0], **everything),
        }.items():
            torch.testing.assert_close(values(key, predicted, true), expected.float().flatten(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("key", "same", "other"), [("mask_hd95", 0, DIAGONAL), ("mask_assd", 0, DIAGONAL), ("mask_nsd", 1, 0)]
)
def test_masks_without_a_contour(key, same, other):
    for mask in (EMPTY, FULL):
        assert values(key, mask, mask) == same
        assert values(key, mask, ~mask) == pytest.approx(other)
        assert values(key, mask, square(9, 9)) == values(key, square(9, 9), mask) == pytest.approx(other)


def test_known_distances():
    moved = square(12, 10), square(12, 13)
    assert values("mask_hd95", *moved) == 3
    assert 0 < values("mask_assd", *moved) < 3
    assert values("mask_nsd[tolerance=3]", *moved) == 1 > values("mask_nsd[tolerance=2]", *moved)
    assert values("mask_nsd", *moved) == values("mask_nsd[tolerance=1]", *moved)


def test_a_far_speck_moves_the_mean_and_hardly_the_percentile():
    true, speck = square(2, 2), square(2, 2)
    speck[35, 35] = True
    assert values("mask_hd95", speck, true) == 0
    assert values("mask_assd", speck, true) > 0.2


def test_a_tolerance_has_a_range():
    with pytest.raises(BadParameter, match="at least 0"):
        metrics.bind("mask_nsd[tolerance=-1]")
