"""Contours and dilations against scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bench.metrics.boundary import contour, dilate


def blobs(seed: int, height: int, width: int) -> torch.Tensor:
    noise = np.random.default_rng(seed).normal(size=(2, 1, height, width))
    return torch.tensor(ndimage.gaussian_filter(noise, (0, 0, 1.5, 1.5)) > 0.1)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 30), width=st.integers(1, 30))
def test_contour_is_what_erosion_takes_away(seed, height, width):
    on = blobs(seed, height, width)
    for mask, edge in zip(on[:, 0].numpy(), contour(on)[:, 0].numpy(), strict=True):
        np.testing.assert_array_equal(edge, mask & ~ndimage.binary_erosion(mask, border_value=1))


@pytest.mark.parametrize("radius", [0.0, 1.0, 1.5, 2.04, 2.999, 3.0, 5.43])
def test_dilation_is_a_euclidean_distance(radius):
    on = contour(blobs(5, 37, 50))
    for mask, grown in zip(on[:, 0].numpy(), dilate(on, radius)[:, 0].numpy(), strict=True):
        np.testing.assert_array_equal(grown, ndimage.distance_transform_edt(~mask) <= radius)


def test_dilation_leaves_its_input_alone_and_nothing_grows_from_nothing():
    on = blobs(6, 20, 20)
    before = on.clone()
    dilate(on, 3)
    assert torch.equal(on, before) and not dilate(torch.zeros_like(on), 3).any()


def test_dilation_wider_than_the_picture():
    on = torch.zeros(1, 1, 3, 4, dtype=torch.bool)
    on[..., 0, 0] = True
    assert dilate(on, 9).all()
