"""Disturbances, and where a run falls below a baseline."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from bench.core.errors import BenchError
from bench.metrics import metrics
from bench.report.pictures.robustness_plot import robustness_plot
from bench.report.terminal.results.robustness_table import verdict
from bench.run.robust.disturbances import DISTURBANCES, Disturbance
from bench.run.robust.robustness import Curve, Robustness, falls_below, robustness
from bench.run.trained import TrainedRun, trained_run
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles
from tests.bench.run.trained_model import make

CPU = torch.device("cpu")
IDS = torch.arange(4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("made")
    return trained_run(folder / "results", folder / "runs", make(folder, Rectangles()).id, CPU)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda each: each.name)
def test_every_disturbance_keeps_the_contract(disturbance: Disturbance, quartet: Quartet) -> None:
    smooth = replace(quartet, bg=quartet.depth.expand(-1, 3, -1, -1), bg_fg=quartet.depth.expand(-1, 3, -1, -1))
    before = smooth.map(torch.clone)
    distances = []
    for amount in disturbance.grades:
        changed = disturbance.change(smooth, amount, 0, IDS).check()
        again = disturbance.change(smooth.map(lambda tensor: tensor[2:]), amount, 0, IDS[2:])
        assert torch.allclose(changed.bg_fg[2:], again.bg_fg, atol=1e-6)
        assert torch.allclose(changed.bg[2:], again.bg, atol=1e-6)
        assert changed.mask is smooth.mask or torch.equal(changed.mask, smooth.mask)
        assert torch.equal(changed.depth, smooth.depth)
        moved = (changed.bg_fg - smooth.bg_fg).abs().mean() + (changed.bg - smooth.bg).abs().mean()
        distances.append(float(moved))
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(before.tensors(), smooth.tensors(), strict=True))
    if disturbance.name != "colour":  # grey pictures have no hue
        assert distances[0] > 0
        assert distances == sorted(distances)


def test_colour_turns_hues(quartet: Quartet) -> None:
    colour = next(each for each in DISTURBANCES if each.name == "colour")
    assert not torch.allclose(colour.change(quartet, 20, 0, IDS).bg_fg, quartet.bg_fg, atol=0.01)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda each: each.name)
def test_pictures_without_background_can_be_disturbed(disturbance: Disturbance, quartet: Quartet) -> None:
    changed = disturbance.change(replace(quartet, bg=None), disturbance.grades[-1], 0, IDS)
    assert changed.bg is None


def test_where_it_falls_below() -> None:
    dice, rmse = metrics.facts("mask_dice"), metrics.facts("depth_rmse")
    assert falls_below([0.9, 0.7, 0.4], [0.5, 0.5, 0.5], dice) == 2
    assert falls_below([0.9, 0.7, 0.4], [0.5, 0.5, 0.5], rmse) == 0
    assert falls_below([0.9, 0.9], [0.5, None], dice) is None


@pytest.mark.parametrize(
    ("baseline", "words"), [((0.5, 0.5), "never"), ((0.5, None), "never"), ((None, None), "–"), ((1.0, 0.9), "undis")]
)
def test_nothing_is_said_of_a_baseline_that_is_left_out(baseline: tuple[float | None, ...], words: str) -> None:
    run = (0.9, 0.8)
    below = falls_below(run, baseline, metrics.facts("mask_dice"))
    assert verdict(Curve("noise", "", "", (1.0,), run, baseline, below)).startswith(words)


def test_curves_of_a_run(run: TrainedRun, tmp_path: Path) -> None:
    done: list[int] = []
    found = robustness(run, Rectangles(), samples=8, progress=lambda what, at, total: done.append(at))
    assert (found.metric, found.baseline, found.samples) == ("mask_dice", "difference", 8)
    assert [curve.name for curve in found.curves] == [each.name for each in DISTURBANCES]
    assert all(len(curve.run) == len(curve.baseline) == 6 for curve in found.curves)
    assert len({curve.run[0] for curve in found.curves}) == 1
    assert found.curves[0].run[0] == pytest.approx(run.record.test["mask_dice"].value, abs=1e-6)
    assert done[-1] == 36
    assert not found.notes
    assert json.loads(json.dumps(found.to_json()))["curves"][0]["falls_below"] == found.curves[0].falls_below
    robustness_plot(found).save(tmp_path / "plot.png")
    assert Image.open(tmp_path / "plot.png").size[0] == 1200


@pytest.mark.parametrize("baseline", [(0.5, 0.5), (None, None)])
def test_a_picture_says_nothing_of_a_baseline_that_is_left_out(
    baseline: tuple[float | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = Curve("shift", "", "%", (1.0,), (0.9, 0.8), baseline, None)
    facts = metrics.facts("mask_dice")
    found = Robustness("a run", "0123456789ab", {}, 8, "mask_dice", facts, "difference", (curve,), ())
    written: list[str] = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda pen, place, text, **how: written.append(text))
    robustness_plot(found)
    assert all(text.isascii() for text in written), "the font has no other letters"
    held = baseline[0] is not None
    assert ("difference" in written) == held
    assert ("shift (below: never)" if held else "shift") in written


def test_depth_is_held_against_the_mean_map(run: TrainedRun) -> None:
    found = robustness(run, Rectangles(), "depth_rmse", 8, disturbances=DISTURBANCES[3:4])
    assert found.baseline == "mean_map"
    assert all(value is not None for value in found.curves[0].baseline)


def test_what_cannot_be_judged_is_said(run: TrainedRun) -> None:
    with pytest.raises(BenchError, match="no truth"):
        robustness(run, Rectangles(has_depth=False), "depth_rmse", 8)
    with pytest.raises(BenchError, match="judges depth"):
        robustness(replace(run, heads=("mask",)), Rectangles(), "depth_rmse", 8)
