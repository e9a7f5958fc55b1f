"""Terms where targets have holes, against formulas on lists of the known pixels alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from registry.contract import Head, Target
from registry.losses import terms
from tests.registry.losses.pixel_by_pixel import (
    REFERENCES,
    gradient_differences,
    means_of,
    sigmoid,
    window_similarities,
)

SIZES = [(1, 1), (1, 9), (13, 1), (7, 11), (16, 16)]
BINARY = ("focal", "lovasz")


def scene(seed: int, height: int, width: int, share: float, batch: int = 3, binary: bool = False) -> list[np.ndarray]:
    """Logits, targets and what is known of them, (B, 1, H, W); the last image is wholly unknown."""
    draw = np.random.default_rng(seed)
    shape = (batch, 1, height, width)
    known = draw.random(shape) < share
    known[-1] = False
    targets = (draw.random(shape) < 0.4).astype(float) if binary else draw.random(shape)
    return [3 * draw.standard_normal(shape), targets, known]


def value(key: str, logits: np.ndarray, targets: np.ndarray, known: np.ndarray) -> float:
    """Where nothing is known a NaN is stored: it must reach nothing."""
    stored = np.where(known, targets, np.nan)
    tensors = (torch.from_numpy(part) for part in (stored, known.astype(float)))
    return terms.bind(key)(Head(torch.from_numpy(logits)), Target(*tensors)).item()


@pytest.mark.parametrize("key", REFERENCES)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("share", [0.05, 0.6, 1.0])
def test_terms_see_the_known_pixels_alone(key: str, size: tuple[int, int], share: float) -> None:
    parts = scene(hash((size, share)) % 1000, *size, share, binary=key.startswith(BINARY))
    assert value(key, *parts) == pytest.approx(means_of(key, *parts), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("key", REFERENCES)
def test_a_batch_without_a_known_pixel_is_0(key: str) -> None:
    logits, targets, known = scene(0, 4, 4, 0.5)
    assert value(key, logits, targets, np.zeros_like(known)) == 0


@pytest.mark.parametrize("key", ["dice", "iou", "rmse"])
def test_pooled_over_the_batch_all_known_pixels_are_one_image(key: str) -> None:
    logits, targets, known = scene(1, 7, 5, 0.5)
    together = REFERENCES[key](logits[known], targets[known])
    assert value(f"{key}[pool=batch]", logits, targets, known) == pytest.approx(together, rel=1e-9)


@pytest.mark.parametrize("size", [(2, 2), (5, 9), (17, 16)], ids=str)
@pytest.mark.parametrize("scales", [1, 2, 4, 12])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_gradient_counts_pairs_of_known_neighbours(size: tuple[int, int], scales: int, share: float) -> None:
    logits, targets, known = scene(2, *size, share)
    known[0, 0, 0, 0] = known[1, 0, 0, 0] = True  # images with a known pixel and perhaps no pair
    error = sigmoid(logits) - targets
    expected = np.mean([gradient_differences(error[i, 0], known[i, 0], scales) for i in range(2)])
    assert value(f"gradient[scales={scales}]", logits, targets, known) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("share", [0.7, 0.9, 1.0])
@pytest.mark.parametrize("size", [(3, 3), (6, 11)], ids=str)
def test_edge_compares_places_whose_neighbours_are_known(size: tuple[int, int], share: float) -> None:
    logits, targets, known = scene(3, *size, share)
    sobel = np.outer([1, 2, 1], [-1, 0, 1]) / 4
    means = []
    for p, t, k in zip(sigmoid(logits)[:, 0], targets[:, 0], known[:, 0], strict=True):
        apart = []
        for i, j in np.ndindex(size[0] - 2, size[1] - 2):
            at = slice(i, i + 3), slice(j, j + 3)
            if k[at].all():
                a, b = (np.sqrt((m[at] * sobel).sum() ** 2 + (m[at] * sobel.T).sum() ** 2 + 1e-6) for m in (p, t))
                apart.append(abs(a - b))
        means += [np.mean(apart)] if apart else []
    assert value("edge", logits, targets, known) == pytest.approx(np.mean(means) if means else 0, rel=1e-9)


@pytest.mark.parametrize(("window", "size"), [(3, (3, 3)), (3, (8, 13)), (5, (9, 6)), (11, (13, 12))], ids=str)
@pytest.mark.parametrize("share", [0.93, 1.0])
def test_structure_counts_whole_windows(window: int, size: tuple[int, int], share: float) -> None:
    logits, targets, known = scene(4, *size, share)
    images = [
        window_similarities(p, t, k, window)
        for p, t, k in zip(sigmoid(logits)[:, 0], targets[:, 0], known[:, 0], strict=True)
    ]
    ssim = [np.mean([1 - s for s in windows]) for windows in images if windows]
    dssim = [np.mean([np.clip(1 - s, 0, 1) / 2 for s in windows]) for windows in images if windows]
    for key, expected in (("ssim", ssim), ("dssim", dssim)):
        found = value(f"{key}[window={window}]", logits, targets, known)
        assert found == pytest.approx(np.mean(expected) if expected else 0, rel=1e-7)


@pytest.mark.parametrize(("key", "extent"), [("ssim[range=255,window=5]", 255), ("ssim[range=0.1,window=5]", 0.1)])
def test_the_range_of_ssim_scales_its_constants(key: str, extent: float) -> None:
    logits, targets, known = scene(5, 8, 8, 1.0, batch=2)
    windows = window_similarities(sigmoid(logits)[0, 0], targets[0, 0], known[0, 0], 5, extent)
    assert value(key, logits, targets, known) == pytest.approx(1 - np.mean(windows), rel=1e-7)


@pytest.mark.parametrize(
    ("high", "low", "extent"), [(129.0, 0.0, 255), (128.0, 0.0, 1), (1.0, -0.6, 2), (200.0, -1.0, 256)]
)
def test_a_guessed_range_is_that_of_system_003(high: float, low: float, extent: float) -> None:
    _, *maps = scene(6, 8, 8, 1.0, batch=2)
    logits, target = torch.from_numpy(scene(7, 8, 8, 1.0, batch=2)[1]), Target(torch.from_numpy(maps[0]))
    logits[0, 0, 0, 0], logits[1, 0, 7, 7] = high, low
    guessed = terms.bind("ssim[guess=true,raw=true,window=3]")(Head(logits), target)
    stated = terms.bind(f"ssim[range={extent},raw=true,window=3]")(Head(logits), target)
    torch.testing.assert_close(guessed, stated)
