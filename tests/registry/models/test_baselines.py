"""The baselines, held to plain numpy that compares every threshold and keeps every image."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from registry.contract import Quartet
from registry.models import models
from registry.models.baselines import BackgroundDifference, Constant, MeanMap


def scenes(seed: int, batch: int = 3, size: int = 12, levels: int = 256) -> Quartet:
    """8-bit images with a brighter square, half its difference hidden in noise; holes in the depth."""
    draw = torch.Generator().manual_seed(seed)
    bg = torch.randint(0, levels, (batch, 3, size, size), generator=draw) / (levels - 1)
    mask = torch.zeros(batch, 1, size, size)
    for i in range(batch):
        mask[i, :, i : i + 4, 2 : 5 + i] = 1
    noise = torch.randint(-20, 21, bg.shape, generator=draw) / 255
    bg_fg = (bg + noise + 0.25 * mask * torch.rand(batch, 1, 1, 1, generator=draw)).clamp(0, 1)
    depth = torch.rand(batch, 1, size, size, generator=draw)
    valid = (torch.rand(batch, 1, size, size, generator=draw) > 0.3).float()
    return Quartet(bg, bg_fg, mask, depth, valid)


def without(quartet: Quartet, *names: str) -> Quartet:
    return Quartet(**{name: None if name in names else value for name, value in quartet.tensors()})


def numpy_dice(difference: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    found = difference > threshold
    size = found.sum() + truth.sum()
    return 2 * (found & truth).sum() / size if size else 1.0


def best_by_numpy(batches: list[Quartet]) -> tuple[float, np.ndarray]:
    thresholds = (np.arange(256, dtype=np.float32) - np.float32(0.5)) / np.float32(255)
    scores = np.zeros(256)
    for batch in batches:
        for bg, bg_fg, mask in zip(batch.bg.numpy(), batch.bg_fg.numpy(), batch.mask.numpy(), strict=True):
            difference = np.abs(bg_fg - bg).max(axis=0)
            scores += [numpy_dice(difference, mask[0] > 0.5, t) for t in thresholds]
    return float(thresholds[scores.argmax()]), scores


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), levels=st.sampled_from([2, 16, 256]), empty=st.booleans())
def test_difference_finds_the_best_of_all_thresholds(seed: int, levels: int, empty: bool) -> None:
    batches = [scenes(seed, batch=3, levels=levels), scenes(seed + 1, batch=2, levels=levels)]
    if empty:
        batches[0].mask.zero_()
    model = BackgroundDifference()
    model.fit(iter(batches))
    threshold, scores = best_by_numpy(batches)
    ours = scores[round(float(model.threshold) * 255 + 0.5)]
    assert ours == pytest.approx(scores.max(), rel=1e-12)
    assert float(model.threshold) == pytest.approx(threshold) or (scores > scores.max() - 1e-9).sum() > 1


def test_difference_answers_by_its_threshold() -> None:
    batch = scenes(0)
    model = BackgroundDifference()
    model.fit([batch])
    prediction = model(batch.bg, batch.bg_fg)
    assert prediction.depth is None and prediction.mask_logits.shape == batch.mask.shape
    difference = np.abs(batch.bg_fg.numpy() - batch.bg.numpy()).max(axis=1, keepdims=True)
    assert np.array_equal(prediction.mask_logits.numpy() > 0, difference > float(model.threshold))
    np.testing.assert_allclose(prediction.mask_logits, 50 * (difference - float(model.threshold)), atol=1e-4)


def test_difference_calls_nothing_foreground_in_empty_scenes() -> None:
    batch = scenes(1)
    batch.mask.zero_()
    model = BackgroundDifference()
    model.fit([batch])
    assert not (model(batch.bg, batch.bg_fg).mask.value > 0.5).any()


def test_difference_separates_what_can_be_separated() -> None:
    bg = torch.full((1, 3, 4, 4), 0.5)
    mask = torch.eye(4).reshape(1, 1, 4, 4)
    bg_fg = bg + 0.3 * mask * torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1) + 10 / 255 * (1 - mask)
    model = BackgroundDifference()
    model.fit([Quartet(bg, bg_fg, mask)])
    assert 10 / 255 < float(model.threshold) < 0.3
    assert torch.equal((model(bg, bg_fg).mask.value > 0.5).float(), mask)


def test_constant_is_the_prior_and_the_mean_valid_depth() -> None:
    batches = [scenes(2, batch=3, size=12), scenes(3, batch=1, size=20)]
    model = Constant()
    model.fit(iter(batches))
    mask = np.concatenate([b.mask.numpy().ravel() for b in batches])
    depth = np.concatenate([b.depth.numpy()[b.valid.numpy() > 0] for b in batches])
    prediction = model(*torch.rand(2, 2, 3, 6, 9))
    for head, expected in ((prediction.mask, mask.mean()), (prediction.depth, depth.mean())):
        assert head.value.shape == (2, 1, 6, 9)
        np.testing.assert_allclose(head.value, expected, rtol=1e-5)


def test_mean_map_is_the_mean_of_every_pixel() -> None:
    batches = [scenes(seed, batch=2) for seed in range(3)]
    for batch in batches:
        batch.valid[..., 0, 0] = 0
    model = MeanMap()
    model.fit(iter(batches))
    prediction = model(batches[0].bg, batches[0].bg_fg)
    mask, depth, valid = (np.concatenate([getattr(b, n).numpy() for b in batches]) for n in ("mask", "depth", "valid"))
    expected = np.full((12, 12), depth[valid > 0].mean())
    known = valid.sum(axis=(0, 1)) > 0
    expected[known] = ((depth * valid).sum(axis=(0, 1))[known]) / valid.sum(axis=(0, 1))[known]
    np.testing.assert_allclose(prediction.depth.value[1, 0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(prediction.mask.value[0, 0], mask.mean(axis=(0, 1)), rtol=1e-4, atol=1e-5)


def test_mean_map_resizes_bilinearly_and_takes_batches_of_other_sizes() -> None:
    flat = Quartet(*torch.rand(2, 1, 3, 8, 8), mask=torch.full((1, 1, 8, 8), 0.25))
    large = Quartet(*torch.rand(2, 1, 3, 16, 16), mask=torch.full((1, 1, 16, 16), 0.75))
    model = MeanMap()
    model.fit([flat, large])
    np.testing.assert_allclose(model(*torch.rand(2, 1, 3, 5, 11)).mask.value, 0.5, rtol=1e-5)
    ramp = torch.linspace(0.1, 0.9, 4).expand(1, 1, 4, 4)
    model.fit([Quartet(*torch.rand(2, 1, 3, 4, 4), mask=ramp)])
    expected = torch.nn.functional.interpolate(ramp, size=(8, 8), mode="bilinear")
    torch.testing.assert_close(model(*torch.rand(2, 1, 3, 8, 8)).mask.value, expected)


@pytest.mark.parametrize("name", ["constant", "mean_map"])
def test_a_target_that_is_missing_leaves_its_head_out(name: str) -> None:
    model = models.build(name)
    model.fit([without(scenes(0), "depth", "valid"), without(scenes(1), "depth", "valid")])
    assert [head for head, _ in model(*torch.rand(2, 1, 3, 8, 8)).heads()] == ["mask"]
    model.fit([without(scenes(0), "mask")])
    assert [head for head, _ in model(*torch.rand(2, 1, 3, 8, 8)).heads()] == ["depth"]
    unknown = without(scenes(0), "mask")
    unknown.valid.zero_()
    with pytest.raises(ValueError, match="neither"):
        model.fit([unknown])


def test_difference_needs_masks() -> None:
    with pytest.raises(ValueError, match="needs masks"):
        BackgroundDifference().fit([without(scenes(0), "mask")])


@pytest.mark.parametrize("name", ["difference", "constant", "mean_map"])
def test_unfitted_says_so_and_a_saved_state_is_a_fitted_one(name: str) -> None:
    pair: list[Tensor] = list(torch.rand(2, 1, 3, 12, 12))
    model = models.build(name)
    with pytest.raises(RuntimeError, match="not fitted"):
        model(*pair)
    assert not model.state_dict()
    passes = 0

    def once() -> Iterator[Quartet]:
        nonlocal passes
        passes += 1
        yield from (scenes(seed) for seed in range(3))

    model.fit(once())
    assert passes == 1
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    again = models.build(name)
    again.load_state_dict(torch.load(file, weights_only=True))
    for (_, ours), (_, theirs) in zip(model(*pair).heads(), again(*pair).heads(), strict=True):
        assert torch.equal(ours.logits, theirs.logits)
    again.load_state_dict({})
    with pytest.raises(RuntimeError, match="not fitted"):
        again(*pair)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_unknown_of_a_target_does_not_count(seed: int) -> None:
    """Fitted to targets with holes that hold NaN, as to the same scenes cut to where all is known."""
    scene = scenes(seed)
    known = torch.zeros_like(scene.mask)
    known[..., :7, 1:9] = 1
    holes = dataclasses.replace(
        scene,
        mask=torch.where(known > 0, scene.mask, torch.nan),
        mask_valid=known,
        depth=torch.where(known > 0, scene.depth, torch.nan),
        valid=known,
    )
    cut = scene.map(lambda tensor: tensor[..., :7, 1:9])
    cut.valid = torch.ones_like(cut.valid)
    for kind in (BackgroundDifference, Constant, MeanMap):
        whole, part = kind(), kind()
        whole.fit([holes])
        part.fit([cut])
        for name in kind.found:
            fitted, expected = getattr(whole, name), getattr(part, name)
            if kind is MeanMap:
                fitted = fitted[..., :7, 1:9]
            assert fitted.isfinite().all()
            torch.testing.assert_close(fitted, expected)
