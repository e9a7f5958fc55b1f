"""Values that follow from the definitions without any computation."""

import math

import pytest
import torch

from bench.metrics import metrics
from bench.metrics.view import View
from registry.contract import Prediction, Quartet

ON, OFF = 20.0, -20.0
FLOOR = 1 / 255


def value(name: str, view: View) -> float:
    return metrics.bind(name).per_image(view).item()


def masks(predicted: torch.Tensor, true: torch.Tensor) -> View:
    picture = torch.zeros(1, 3, *true.shape)
    return View(
        Prediction(mask_logits=torch.where(predicted, ON, OFF)[None, None]),
        Quartet(picture, picture, true.float()[None, None]),
    )


def depths(predicted: torch.Tensor, true: torch.Tensor, valid: torch.Tensor | None = None) -> View:
    picture = torch.zeros(1, 3, *true.shape)
    known = torch.ones_like(true) if valid is None else valid
    prediction = Prediction(depth_logits=torch.logit(predicted.double())[None, None])
    return View(prediction, Quartet(picture, picture, depth=true[None, None], valid=known[None, None]))


def square(top: int, left: int, side: int = 10) -> torch.Tensor:
    picture = torch.zeros(40, 40, dtype=torch.bool)
    picture[top : top + side, left : left + side] = True
    return picture


EMPTY, FULL = torch.zeros(40, 40, dtype=torch.bool), torch.ones(40, 40, dtype=torch.bool)


@pytest.mark.parametrize("name", ["mask_iou", "mask_dice", "mask_dice_soft", "mask_bf"])
class TestOverlap:
    @pytest.mark.parametrize("same", [EMPTY, FULL, square(3, 7), square(0, 0)])
    def test_the_same_mask_is_1_empty_and_full_included(self, name, same):
        assert value(name, masks(same, same)) == pytest.approx(1, abs=1e-6)

    @pytest.mark.parametrize(
        ("predicted", "true"), [(EMPTY, square(9, 9)), (square(9, 9), EMPTY), (FULL, EMPTY), (EMPTY, FULL)]
    )
    def test_missing_or_invented_object_is_0(self, name, predicted, true):
        assert value(name, masks(predicted, true)) == pytest.approx(0, abs=0.011)

    def test_disjoint_masks_are_0(self, name):
        assert value(name, masks(square(2, 2), square(25, 25))) == pytest.approx(0, abs=0.006)


def test_half_overlap():
    view = masks(square(5, 5), square(5, 10))
    assert value("mask_iou", view) == pytest.approx(1 / 3)
    assert value("mask_dice", view) == pytest.approx(1 / 2)
    assert value("mask_mae", view) == pytest.approx(100 / 1600)


def test_boundary_forgives_one_pixel_but_not_two():
    assert value("mask_bf", masks(square(5, 5), square(6, 5))) == 1
    assert value("mask_bf", masks(square(5, 5), square(7, 5))) < 1


def test_boundary_sees_what_dice_hardly_does():
    true = square(2, 2, 36)
    bitten = true & ~square(2, 10, 8)
    assert value("mask_dice", masks(bitten, true)) > 0.97
    assert value("mask_bf", masks(bitten, true)) < 0.93


def test_overconfidence_does_not_beat_the_truth_on_a_soft_mask():
    soft = torch.full((40, 40), 0.7)
    picture = torch.zeros(1, 3, 40, 40)
    truth = Quartet(picture, picture, soft[None, None])
    exact, sure = (View(Prediction(torch.full((1, 1, 40, 40), z)), truth) for z in (math.log(7 / 3), ON))
    assert value("mask_dice_soft", exact) == pytest.approx(1) and value("mask_dice_soft", sure) < 0.96


RAMP = torch.linspace(0.1, 0.7, 40).expand(40, 40).contiguous()


def test_constant_mean_has_the_spread_of_the_depth():
    view = depths(torch.full_like(RAMP, RAMP.mean().item()), RAMP)
    assert value("depth_rmse", view) == pytest.approx(RAMP.std(correction=0).item(), rel=1e-5)
    assert value("depth_mae", view) == pytest.approx((RAMP - RAMP.mean()).abs().mean().item(), rel=1e-5)
    assert value("depth_checkerboard", view) == 0


def test_everything_off_by_a_fifth_is_all_within_a_quarter():
    view = depths(1.2 * RAMP, RAMP)
    assert value("depth_delta1", view) == 1
    assert value("depth_abs_rel", view) == pytest.approx(0.2, rel=1e-5)
    assert value("depth_silog", view) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("factor", "shares"), [(1.3, [0, 1, 1]), (1.7, [0, 0, 1]), (0.5, [0, 0, 0])])
def test_deltas_count_their_powers_in_both_directions(factor, shares):
    view = depths(factor * RAMP / 2, RAMP / 2)
    assert [value(f"depth_delta{k}", view) for k in (1, 2, 3)] == shares


def test_silog_of_two_factors():
    factor = torch.ones_like(RAMP)
    factor[:20] = math.e**0.5
    assert value("depth_silog", depths(factor * RAMP / 2, RAMP / 2)) == pytest.approx(25, rel=1e-4)


def test_true_depth_of_zero_counts_as_the_floor():
    nothing = torch.zeros(40, 40)
    half = torch.full((40, 40), 0.5)
    assert value("depth_abs_rel", depths(half, nothing)) == pytest.approx(0.5 / FLOOR, rel=1e-5)
    assert value("depth_delta1", depths(nothing + FLOOR / 3, nothing)) == 1
    assert value("depth_delta3", depths(half, nothing)) == 0


def test_ssim_needs_one_wholly_valid_window():
    valid = torch.zeros(40, 40)
    valid[5:16, 20:31] = 1
    assert value("depth_ssim", depths(RAMP, RAMP, valid)) == pytest.approx(1)
    valid[10, 25] = 0
    assert math.isnan(value("depth_ssim", depths(RAMP, RAMP, valid)))
    assert math.isnan(value("depth_ssim", depths(RAMP[:10], RAMP[:10])))


def test_regions_hold_their_own_errors():
    predicted, inside = RAMP.clone(), square(10, 10)
    predicted[inside] += 0.2
    for name, expected in {"depth_rmse_fg": 0.2, "depth_rmse_bg": 0.0}.items():
        view = depths(predicted, RAMP)
        view._quartet.mask = inside.float()[None, None]
        assert value(name, view) == pytest.approx(expected, abs=1e-6)
    band = depths(RAMP + 0.1 * (square(9, 9, 12) & ~square(12, 12, 6)), RAMP)
    band._quartet.mask = inside.float()[None, None]
    assert value("depth_rmse_band", band) == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize(
    ("mask", "nan"),
    [(EMPTY, {"depth_rmse_fg", "depth_rmse_band"}), (FULL, {"depth_rmse_bg", "depth_rmse_band"})],
)
def test_a_region_that_is_not_there_is_nan(mask, nan):
    view = depths(RAMP / 2, RAMP)
    view._quartet.mask = mask.float()[None, None]
    names = ["depth_rmse_fg", "depth_rmse_bg", "depth_rmse_band"]
    assert {name for name in names if math.isnan(value(name, view))} == nan
