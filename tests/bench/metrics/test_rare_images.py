"""Every metric on images of any size that are empty, full, a pixel wide, or of which little is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics import metrics
from bench.metrics.view import FLOOR, View
from registry.contract import Prediction, Quartet

Array = np.ndarray
NAMES = metrics.names()


class Lists:
    """The known pixels of an image: predicted and true mask, predicted and true depth, which of these are of both."""

    def __init__(self, quartet: Quartet, prediction: Prediction, image: int) -> None:
        mask, depth = (getattr(prediction, head).value[image].double().numpy() for head in ("mask", "depth"))
        known = quartet.mask_valid[image].numpy() > 0.5
        valid = quartet.valid[image].numpy() > 0.5
        true = np.where(known, quartet.mask[image].double().numpy(), 0)
        self.m, self.t = mask[known], true[known]
        self.on, self.true_on = self.m > 0.5, self.t > 0.5
        self.p, self.d = depth[valid], quartet.depth[image].double().numpy()[valid]
        self.inside, self.outside = (true > 0.5)[valid], (known & ~(true > 0.5))[valid]
        self.ratio = np.log(np.maximum(self.p, FLOOR)) - np.log(np.maximum(self.d, FLOOR))

    def rmse(self, where: Array | slice = slice(None)) -> float:
        errors = (self.p - self.d)[where]
        return float(np.sqrt(np.mean(errors**2))) if len(errors) else np.nan

    def delta(self, power: int) -> float:
        return float(np.mean(np.abs(self.ratio) < power * np.log(1.25))) if len(self.ratio) else np.nan


def share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


REFERENCES: dict[str, Callable[[Lists], float]] = {
    "mask_iou": lambda x: share((x.on & x.true_on).sum(), (x.on | x.true_on).sum()),
    "mask_dice": lambda x: share(2 * (x.on & x.true_on).sum(), x.on.sum() + x.true_on.sum()),
    "mask_dice_soft": lambda x: (2 * (x.m * x.t).sum() + 1) / ((x.m**2).sum() + (x.t**2).sum() + 1),
    "mask_mae": lambda x: mean(np.abs(x.m - x.t)),
    "mask_area_error": lambda x: abs(mean(x.on) - mean(x.true_on)),
    "mask_false_alarm": lambda x: np.nan if x.true_on.any() else float(x.on.any()),
    "depth_rmse": Lists.rmse,
    "depth_mae": lambda x: mean(np.abs(x.p - x.d)),
    "depth_abs_rel": lambda x: mean(np.abs(x.p - x.d) / np.maximum(x.d, FLOOR)),
    "depth_delta1": lambda x: x.delta(1),
    "depth_delta2": lambda x: x.delta(2),
    "depth_delta3": lambda x: x.delta(3),
    "depth_silog": lambda x: 100 * float(np.std(x.ratio)) if len(x.ratio) > 1 else np.nan,
    "depth_rmse_fg": lambda x: x.rmse(x.inside),
    "depth_rmse_bg": lambda x: x.rmse(x.outside),
}
"""Of metrics that see an image as a list of pixels."""
FILLS = st.sampled_from(["empty", "full", "pixel", "some"])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Quartet, Prediction]:
    """Three images of any small size; masks and what is known of them and of depth empty, full, a pixel or some."""
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))

    def plane() -> Array:
        planes = np.empty((3, 1, *size))
        for image, fill in enumerate(draw(st.tuples(FILLS, FILLS, FILLS))):
            planes[image] = random.random(size) < {"empty": -1, "full": 2, "some": 0.5, "pixel": -1}[fill]
            if fill == "pixel":
                planes[image, 0, random.integers(size[0]), random.integers(size[1])] = 1
        return planes

    images = torch.zeros(3, 3, *size)
    mask, guess, known, valid = plane(), plane(), plane(), plane()
    soft = mask * (0.6 + 0.4 * random.random(mask.shape)) + (1 - mask) * 0.4 * random.random(mask.shape)
    depth, wrong = random.random((2, 3, 1, *size))
    hidden = np.where(known > 0, soft, np.nan), np.where(valid > 0, depth, np.nan)
    planes = (torch.from_numpy(part).float() for part in (*hidden, valid, known))
    quartet = Quartet(images, images, *planes)
    logits = (
        torch.from_numpy(part).float() for part in ((2 * guess - 1) * (0.1 + 3 * random.random(guess.shape)), wrong)
    )
    return quartet, Prediction(*logits)


@pytest.mark.parametrize("name", REFERENCES)
@settings(max_examples=15)
@given(scene=scenes())
def test_values_are_those_of_the_known_pixels(name: str, scene: tuple[Quartet, Prediction]) -> None:
    quartet, prediction = scene
    found = metrics.bind(name).per_image(View(prediction, quartet)).double().numpy()
    nothing = (quartet.mask_valid.numpy() > 0.5).reshape(3, -1).sum(1) == 0
    if name.startswith("mask"):  # what is not known at all is left out by whoever gathers the scores
        found = np.where(nothing, np.nan, found)
    expected = [REFERENCES[name](Lists(quartet, prediction, image)) for image in range(3)]
    expected = np.where(nothing & name.startswith("mask"), np.nan, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "depth_checkerboard"])
@pytest.mark.parametrize("turn", ["mirrored", "upside down", "transposed"])
@settings(max_examples=4)
@given(scene=scenes())
def test_a_turned_image_scores_the_same(name: str, turn: str, scene: tuple[Quartet, Prediction]) -> None:
    turned = {
        "mirrored": lambda maps: maps.flip(-1),
        "upside down": lambda maps: maps.flip(-2),
        "transposed": lambda maps: maps.transpose(-1, -2).contiguous(),
    }[turn]
    quartet, prediction = scene
    other = Prediction(turned(prediction.mask_logits), turned(prediction.depth_logits))
    score = metrics.bind(name).per_image
    found, expected = score(View(other, quartet.map(turned))), score(View(prediction, quartet))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(scene=scenes())
def test_values_keep_to_their_bounds_or_are_nan(name: str, scene: tuple[Quartet, Prediction]) -> None:
    quartet, prediction = scene
    values = metrics.bind(name).per_image(View(prediction, quartet))
    low, high = metrics.facts(name).bounds
    said = values[~values.isnan()]
    assert said.isfinite().all()
    assert low is None or (said >= low - 1e-5).all()
    assert high is None or (said <= high + 1e-5).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(scene=scenes())
def test_the_truth_is_perfect_or_there_is_nothing_to_judge(name: str, scene: tuple[Quartet, Prediction]) -> None:
    quartet, _ = scene
    maps = (quartet.target(head).value.double() for head in ("mask", "depth"))
    exact = Prediction(*(torch.logit(values, eps=1e-12) for values in maps))
    values = metrics.bind(name).per_image(View(exact, quartet))
    said = values[~values.isnan()]
    torch.testing.assert_close(said, torch.full_like(said, metrics.facts(name).perfect), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_views_of_memory_and_gradients_change_nothing(name: str, scene, rough) -> None:
    truth = scene()
    prediction = rough(truth)
    score = metrics.bind(name).per_image
    expected = score(View(prediction, truth))
    every_second = Prediction(
        *(torch.stack([z, -z], -1)[..., 0] for z in (prediction.mask_logits, prediction.depth_logits))
    )
    assert not every_second.mask_logits.is_contiguous()
    torch.testing.assert_close(score(View(every_second, truth)), expected, equal_nan=True)
    leaf = Prediction(prediction.mask_logits.requires_grad_(), prediction.depth_logits)
    torch.testing.assert_close(score(View(leaf, truth)).detach(), expected, equal_nan=True)


ORDERED = ["mask_dice", "mask_iou", "mask_bf", "mask_mae", "depth_rmse", "depth_mae", "depth_delta1", "depth_abs_rel"]


@pytest.mark.parametrize("name", [*ORDERED, "mask_assd", "mask_nsd", "depth_ssim"])
def test_the_further_from_the_truth_the_worse(name: str, scene) -> None:
    """The mask moves away pixel by pixel; the depth is multiplied by ever more."""
    truth = scene(seed=5, images=2, size=48)
    facts = metrics.facts(name)
    scores = []
    for step in (0, 1, 2, 4, 7):
        mask = torch.logit(truth.mask.roll(step, dims=-1), eps=1e-4)
        depth = torch.logit(truth.depth * (1 - 0.05 * step))
        scores.append(metrics.bind(name).per_image(View(Prediction(mask, depth), truth)).mean().item())
    assert all(not facts.better(later, earlier) for earlier, later in pairwise(scores))
    assert facts.better(scores[0], scores[-1])
