"""Depth up to scale and shift against numpy, and by its own properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics import metrics
from bench.metrics.view import FLOOR, View
from registry.contract import Prediction, Quartet
from registry.errors import BadParameter

KEYS = ("depth_abs_rel_aligned", "depth_delta1_aligned")


def view(predicted: torch.Tensor, true: torch.Tensor, valid: torch.Tensor) -> View:
    return View(
        Prediction(depth_logits=torch.logit(predicted.double())),
        Quartet(None, torch.zeros(len(true), 3, *true.shape[-2:]), depth=true, valid=valid),
    )


def scene(seed: int, images: int = 3, known: float = 0.6) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    true = 0.1 + 0.8 * torch.rand(images, 1, 20, 24, generator=draw)
    predicted = (0.3 + 0.4 * true + 0.1 * torch.rand(true.shape, generator=draw)).clamp(0.01, 0.99)
    return predicted, true, (torch.rand(true.shape, generator=draw) < known).float()


def expected(key: str, p: np.ndarray, t: np.ndarray, by: str) -> float:
    if by == "median":
        aligned = p * np.percentile(t, 50, method="lower") / np.percentile(p, 50, method="lower")
    else:
        (scale, shift), *_ = np.linalg.lstsq(np.stack([p, np.ones_like(p)], 1), t, rcond=None)
        aligned = scale * p + shift
    if key == "depth_abs_rel_aligned":
        return float(np.mean(np.abs(aligned - t) / np.maximum(t, FLOOR)))
    aligned, t = np.maximum(aligned, FLOOR), np.maximum(t, FLOOR)
    return float(np.mean(np.maximum(aligned / t, t / aligned) < 1.25))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("by", ["least_squares", "median"])
@pytest.mark.parametrize("key", KEYS)
def test_numpy_says_the_same(key, by, seed):
    predicted, true, valid = scene(seed)
    got = metrics.bind(f"{key}[by={by}]").per_image(view(predicted, true, valid))
    for image, value in enumerate(got.tolist()):
        at = valid[image] > 0
        p, t = (maps[image][at].double().numpy() for maps in (predicted, true))
        # A pixel on the very edge of 1.25 may fall on either side in float32.
        assert value == pytest.approx(expected(key, p, t, by), rel=1e-4, abs=1.5 / len(p) if "delta" in key else 1e-5)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("by", "shift"), [("least_squares", 0.2), ("median", 0.0)])
def test_what_alignment_undoes_is_perfect(key, by, shift):
    _, true, valid = scene(1)
    metric = metrics.bind(f"{key}[by={by}]")
    values = metric.per_image(view(0.5 * true + shift, true, valid))
    torch.testing.assert_close(values, torch.full((3,), metric.facts.perfect), atol=1e-4, rtol=0)


def test_least_squares_is_the_default_and_a_mistake_is_named():
    assert metrics.bind("depth_abs_rel_aligned[by=least_squares]").key == "depth_abs_rel_aligned"
    with pytest.raises(BadParameter, match="least_squares, median"):
        metrics.bind("depth_abs_rel_aligned[by=mean]")


@pytest.mark.parametrize("key", [*KEYS, "depth_abs_rel_aligned[by=median]"])
def test_a_handful_of_pixels_says_nothing(key):
    predicted, true, valid = scene(2)
    valid.zero_()
    valid[0, 0, 0, :9] = 1
    valid[1, 0, 0, :10] = 1
    assert metrics.bind(key).per_image(view(predicted, true, valid)).isnan().tolist() == [True, False, True]


def test_a_constant_prediction_is_aligned_to_the_mean():
    _, true, valid = scene(3)
    flat = view(torch.full_like(true, 0.37), true, valid)
    at = valid[0] > 0
    t = true[0][at].double()
    assert metrics.bind(KEYS[0]).per_image(flat)[0] == pytest.approx(((t.mean() - t).abs() / t).mean().item(), rel=1e-4)
