"""What metrics share of a batch: what it offers, counted once, and said where it is missing."""

from __future__ import annotations

import itertools

import pytest
import torch

from bench.metrics import metrics
from bench.metrics.metric import Metric
from bench.metrics.scores import default_metrics, scores_of, values_of, weights_of
from bench.metrics.view import View, count, numbers, total
from registry.contract import Prediction, Quartet
from registry.errors import RegistryError

NAMES = ("mask", "depth", "true_mask")


def part_of(truth: Quartet, prediction: Prediction, heads: tuple[str, ...], targets: tuple[str, ...]) -> View:
    kept = {"mask": truth.mask, "depth": truth.depth, "valid": truth.valid}
    given = {name: kept[name] for name in kept if name in targets or (name == "valid" and "depth" in targets)}
    return View(prediction.only(heads), Quartet(truth.bg, truth.bg_fg, **given))


SUBSETS = [subset for size in range(3) for subset in itertools.combinations(("mask", "depth"), size)]


@pytest.mark.parametrize("heads", SUBSETS)
@pytest.mark.parametrize("targets", SUBSETS)
def test_a_batch_offers_what_both_sides_have(heads: tuple[str, ...], targets: tuple[str, ...], scene, rough) -> None:
    truth = scene()
    view = part_of(truth, rough(truth), heads, targets)
    expected = {name for name in ("mask", "depth") if name in heads and name in targets}
    assert view.offers == expected | ({"true_mask"} if "mask" in targets else set())


@pytest.mark.parametrize(
    ("attribute", "heads", "targets", "missing"),
    [
        ("mask", (), ("mask",), "predicted mask"),
        ("true_mask", ("mask",), (), "true mask"),
        ("depth", (), ("depth",), "predicted depth"),
        ("true_depth", ("depth",), ("mask",), "true depth"),
        ("valid", ("depth",), (), "true depth"),
        ("pixels_on", (), ("mask",), "predicted mask"),
        ("error", ("depth",), (), "true depth"),
        ("true_contour", (), (), "true mask"),
        ("mask_pixels", (), (), "true mask"),
    ],
)
def test_what_is_not_there_is_named(attribute: str, heads: tuple, targets: tuple, missing: str, scene, rough) -> None:
    truth = scene()
    view = part_of(truth, rough(truth), heads, targets)
    with pytest.raises(LookupError, match=f"this batch has no {missing}"):
        getattr(view, attribute)


@pytest.mark.parametrize("name", metrics.names())
@pytest.mark.parametrize(("heads", "targets"), [((), ("mask", "depth")), (("mask", "depth"), ())])
def test_a_metric_without_its_head_or_target_is_nan(name: str, heads: tuple, targets: tuple, scene, rough) -> None:
    truth = scene()
    values = values_of(metrics.bind(name), part_of(truth, rough(truth), heads, targets))
    assert values.shape == (4,) and values.isnan().all()


def test_shared_maps_are_made_once(scene, rough) -> None:
    truth = scene()
    view = View(rough(truth), truth)
    for name in ("mask", "true_mask", "on", "contour", "true_contour", "error", "squared_error", "log_ratio", "valid"):
        assert getattr(view, name) is getattr(view, name)


def test_counts_are_those_of_python(scene, rough) -> None:
    truth = scene(seed=2)
    view = View(rough(truth), truth)
    for found, on in ((view.pixels_on[0], view.on), (view.pixels_on[1], view.true_on), (view.valid_pixels, view.valid)):
        assert found.tolist() == [sum(map(sum, image[0].tolist())) for image in on]
    assert view.pixels_on[2].tolist() == (view.on & view.true_on).flatten(1).sum(1).tolist()
    assert view.mask_pixels.tolist() == [64.0 * 64] * 4


def test_a_mask_is_on_above_a_half_and_not_at_it() -> None:
    mask = torch.tensor([[[[0.0, 0.5, 0.50001, 1.0]]]])
    view = View(
        Prediction(mask_logits=torch.tensor([[[[-1.0, 0.0, 1e-6, 1.0]]]])), Quartet(None, mask.expand(1, 3, 1, 4), mask)
    )
    assert view.true_on.flatten().tolist() == [False, False, True, True]
    assert view.on.flatten().tolist() == [False, False, True, True]


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 1, 5, 7)])
def test_sums_over_images(shape: tuple[int, ...]) -> None:
    on = torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.5
    assert numbers(on).dtype == torch.float32 and torch.equal(numbers(on), on.float())
    assert torch.equal(count(on), on.flatten(1).sum(1).float()) and torch.equal(total(numbers(on)), count(on))


def test_broken_predictions_are_named_by_head_and_image(scene, rough) -> None:
    truth = scene()
    prediction = rough(truth)
    prediction.mask_logits[1, 0, 3, 3] = torch.nan
    prediction.depth_logits[2, 0, 0, 0] = torch.nan
    prediction.depth_logits[3, 0, 0, 0] = torch.inf  # of which the sigmoid is 1
    broken = View(prediction, truth).broken
    assert broken["mask"].tolist() == [False, True, False, False]
    assert broken["depth"].tolist() == [False, False, True, False]


def test_weights_of_a_batch_without_them_are_nan(scene, rough) -> None:
    truth = scene()
    whole = View(rough(truth), truth)
    assert torch.equal(weights_of("valid_pixels", whole), whole.valid_pixels)
    assert weights_of("valid_pixels", part_of(truth, rough(truth), ("mask",), ("mask",))).isnan().all()


def test_figures_of_a_batch_are_means_where_there_is_something_to_judge(scene, rough) -> None:
    truth = scene()
    prediction = rough(truth)
    found = scores_of(default_metrics(), View(prediction, truth))
    assert set(found) == set(metrics.default()) - {"mask_false_alarm"}, "no image is without an object"
    view = View(prediction, truth)
    assert found["mask_dice"] == pytest.approx(metrics.bind("mask_dice").per_image(view).mean().item(), rel=1e-6)
    pooled = (view.squared_error.sum() / view.valid.sum()).sqrt().item()
    assert found["depth_rmse_pooled"] == pytest.approx(pooled, rel=1e-5)
    assert scores_of(default_metrics(), part_of(truth, prediction, (), ())) == {}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (torch.zeros(()), r"returned shape \(\)"),
        (torch.zeros(4, 1), r"returned shape \(4, 1\)"),
        (torch.zeros(3), r"returned shape \(3,\)"),
        (0.5, "returned a float"),
        (None, "returned a NoneType"),
    ],
)
def test_what_is_no_value_per_image_is_refused(returned: object, message: str, scene, rough) -> None:
    truth = scene()
    wrong = Metric("mine:wrong", metrics.facts("mask_dice"), lambda view: returned)  # type: ignore[arg-type,return-value]
    with pytest.raises(RegistryError, match=message):
        values_of(wrong, View(rough(truth), truth))
