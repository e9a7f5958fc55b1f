"""Each published fault is found, with the figure that its authors logged or that follows from their formulas."""

import pytest

from bench.audit.audit import audit
from bench.core.finding import Finding
from bench.core.protocol import Protocol, find_protocol
from tests.bench.audit import faulty
from tests.bench.audit.scenes import Scenes

QUICK = find_protocol("quick")


def findings(recipe: str, source: Scenes, protocol: Protocol = QUICK, **more) -> dict[str, Finding]:
    return {verdict.check: verdict for verdict in audit(recipe, source, protocol, **more)}


def test_000_targets_divided_twice() -> None:
    found = findings("bce@published", Scenes(mask=0.0461, depth=(0.5091, 0.2817)))["term_targets"]
    assert found.grade == "broken"
    assert "255 twice" in found.finding
    assert "dice ceiling 0.0078" in found.finding
    # The logged loss is the mean of both heads'.
    floor = (found.numbers["mask_bce_floor"] + found.numbers["depth_bce_floor"]) / 2
    assert floor == pytest.approx(0.0076, abs=1e-4)


def test_000_in_the_data_itself() -> None:
    found = findings("bce", Scenes(mask=0.0461, depth=(0.5091, 0.2817), std=255))
    assert found["targets"].grade == "broken"
    assert found["targets"].numbers["mask_dice_ceiling"] == pytest.approx(0.0078, abs=1e-4)
    assert found["term_targets"].grade == "ok"


def test_001_two_sigmoids() -> None:
    found = findings("bce_sigmoid@published", Scenes(mask=0.0547))
    assert found["activation"].grade == "broken"
    assert "0.672" in found["activation"].finding
    assert found["floor"].numbers["mask_optimum"] == pytest.approx(2 * 0.672, abs=2e-3)


def test_001_inputs_augmented_alone() -> None:
    found = findings("bce", Scenes(), augmentation=faulty.inputs_alone)["augmentation"]
    assert found.grade == "broken"
    assert "mask does not follow bg" in found.finding


def test_002_terms_of_logits() -> None:
    found = findings("dicebce_ssim_l1@published", Scenes(mask=0.0614, depth=(0.4998, 0.2730)))
    activation = found["activation"]
    assert activation.grade == "broken"
    assert "depth.l1[raw=true]" in activation.finding
    assert "dssim" in activation.finding
    scores = [activation.numbers[f"depth_{name}"] for name in ("MAE", "RMSE", "Dice")]
    assert scores == pytest.approx([0.2020, 0.2417, 0.5846], abs=1e-3)
    assert found["floor"].numbers["depth_optimum"] == pytest.approx(1.074, abs=2e-3)
    assert found["optimum"].grade == "broken"
    assert found["optimum"].numbers["depth_rmse_at_optimum"] == pytest.approx(0.2417, abs=2e-3)
    assert "compares logits" in found["optimum"].finding


def test_002_a_frozen_learning_rate() -> None:
    protocol = QUICK.override(optimizer="sgd[lr=0.01]", schedule="step[every=1,gamma=0.01]", epochs=3)
    found = findings("bce", Scenes(), protocol)["schedule"]
    assert found.grade == "warn"
    assert found.numbers["end"] == pytest.approx(1e-6)
    assert found.numbers["small"] == pytest.approx(2 / 3, abs=0.01)


def test_003_no_lower_bound() -> None:
    found = findings("bce_iou_ssim@published", Scenes(mask=0.051, depth=(0.3045, 0.113)))
    bounded = found["bounded"]
    assert bounded.grade == "broken"
    assert bounded.numbers["mask_truth_5"] == pytest.approx(-1.9, abs=0.05)
    assert bounded.numbers["mask_truth_50"] == pytest.approx(-18.9, abs=0.1)
    assert "all off" in bounded.finding  # a black mask is a way down from the start
    assert "standardised" in found["term_targets"].finding
    assert found["term_targets"].grade == "broken"


def test_003_a_scheduler_that_holds_another_optimizer() -> None:
    schedule = "tests.bench.audit.faulty:of_another_optimizer"
    found = findings("bce", Scenes(), QUICK.override(schedule=schedule))["schedule"]
    assert found.grade == "broken"
    assert "does not move the rate" in found.finding


def test_004_ssim_of_range_255() -> None:
    found = findings("bce_ssim@published", Scenes(mask=0.0521, depth=(0.2981, 0.1156)))["saturated"]
    assert found.grade == "broken"
    assert found.numbers["depth.ssim[range=255]"] == pytest.approx(0.0035, abs=3e-4)


def test_004_inverted_rmse() -> None:
    metrics = faulty.mine("rmse", faulty.inverted_rmse)
    found = findings("bce_rmse", Scenes(), metrics=metrics)["metric_direction"]
    assert found.grade == "broken"
    assert "inverted" in found.advice
    assert found.numbers["rmse_mild"] == pytest.approx(11.7, abs=0.05)
    assert found.numbers["rmse_bad"] == pytest.approx(7.17, abs=0.02)


def test_004_colours_drawn_twice() -> None:
    found = findings("bce", Scenes(), augmentation=faulty.each_its_own_colours)["augmentation"]
    assert found.grade == "broken"
    assert "photometric" in found.advice


def test_004_heads_swapped_and_overlap_of_depth() -> None:
    found = findings("rmse_bce_dice@published", Scenes())["optimum"]
    assert found.grade == "broken"
    assert "depth.dice" in found.finding
    assert "overlap=min" in found.advice


@pytest.mark.parametrize(("depth", "ceiling"), [((0.4998, 0.273), 0.649), ((0.298, 0.116), 0.343)])
def test_dice_of_depth_has_a_ceiling(depth: tuple[float, float], ceiling: float) -> None:
    metrics = faulty.mine("depth_dice", faulty.depth_dice, higher=True, perfect=1.0)
    found = findings("bce", Scenes(depth=depth), metrics=metrics)["metric_perfect"]
    assert found.grade == "broken"
    assert found.numbers["depth_dice"] == pytest.approx(ceiling, abs=3e-3)


@pytest.mark.parametrize(("depth", "floor"), [((0.5, 0.27), 0.525), ((0.298, 0.116), 0.575)])
def test_cross_entropy_of_depth_has_a_floor_which_is_harmless(depth: tuple[float, float], floor: float) -> None:
    found = findings("depth_bce", Scenes(depth=depth))
    assert found["floor"].grade == "ok"
    assert found["floor"].numbers["depth_optimum"] == pytest.approx(floor, abs=3e-3)
    assert found["optimum"].grade == "ok"


def test_all_parts_share_backgrounds() -> None:
    found = findings("bce", Scenes(leaks=True))["split"]
    assert found.grade == "broken"
    assert found.numbers["test_backgrounds"] == 1
