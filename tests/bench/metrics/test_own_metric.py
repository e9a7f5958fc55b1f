"""A user's own metric: ten lines in a file of the user's, found by name."""

import numpy as np
import pytest
import torch

from bench.metrics import Metric, metrics
from bench.metrics.scores import Scores
from bench.metrics.view import View
from registry.errors import BadParameter, RegistryError

OWN = "tests.bench.metrics.own_metrics"


def test_a_function_of_a_view(scene, rough):
    truth = scene()
    prediction = rough(truth)
    metric = metrics.bind(f"{OWN}:precision_at_half")
    found = (prediction.mask.value > 0.5, truth.mask > 0.5)
    expected = torch.stack([(p & t).sum() / p.sum() for p, t in zip(*found, strict=True)])
    torch.testing.assert_close(metric.per_image(View(prediction, truth)), expected)
    facts = metric.facts
    assert (facts.head, facts.perfect, facts.column) == ("mask", 1.0, "precision at half")
    assert facts.summary == "Share of the found pixels that belong to the object." and facts.compared


def test_a_function_of_prediction_and_target_with_a_parameter(scene, rough):
    truth = scene()
    prediction = rough(truth)
    half, whole = (metrics.bind(f"{OWN}:largest_error{brackets}") for brackets in ("[share=0.5]", "[share=1.0]"))
    error = ((prediction.depth.value - truth.depth) * truth.valid).abs().flatten(1).amax(1)
    torch.testing.assert_close(half.per_image(View(prediction, truth)), error / 2)
    torch.testing.assert_close(whole.per_image(View(prediction, truth)), error)
    assert (half.key, whole.key) == (f"{OWN}:largest_error[share=0.5]", f"{OWN}:largest_error")
    assert half.facts.column == "largest error[share=0.5]" and not half.facts.higher_is_better


def test_it_is_scored_beside_ours_and_division_by_zero_says_nothing(scene, rough):
    truth = scene()
    prediction = rough(truth)
    prediction.mask_logits[1] = -20
    scores = Scores(["mask_dice", f"{OWN}:precision_at_half"])
    scores.update(prediction, truth)
    column = scores.result()[f"{OWN}:precision_at_half"]
    assert np.isnan(column).tolist() == [False, True, False, False]
    assert scores.summary()[f"{OWN}:precision_at_half"].images == 3


def test_infinity_is_no_score(scene, rough):
    facts = metrics.facts("mask_dice")
    view = View(rough(scene()), scene())
    from bench.metrics.scores import column_of

    endless = Metric("endless", facts, lambda view: torch.full((len(view),), torch.inf))
    assert column_of(endless, view).isnan().all()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("says_nothing", "@metrics.register"),
        ("joint_of_two", "takes a view"),
        ("largest_error[share=2.0]", "at most 1"),
        ("largest_error[part=0.5]", "share"),
        ("nowhere", "nowhere"),
    ],
)
def test_what_is_wrong_is_said(name, why):
    with pytest.raises(RegistryError, match=why):
        metrics.bind(f"{OWN}:{name}")


def test_a_shape_that_is_not_one_value_per_image_is_said(scene, rough):
    with pytest.raises(RegistryError, match=r"shape \(\).*a value per image, \(4,\)"):
        Scores([f"{OWN}:scalar"]).update(rough(scene()), scene())


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"head": "mask"}, "higher_is_better"),
        ({"higher_is_better": True}, "head"),
        ({"head": "nose", "higher_is_better": True}, "head"),
        ({"head": "mask", "higher_is_better": True, "colour": "red"}, "colour"),
    ],
)
def test_facts_are_checked_where_they_are_stated(facts, why):
    with pytest.raises(BadParameter, match=why):
        metrics.register(**facts)


def test_its_code_is_part_of_its_facts():
    assert len(metrics.facts(f"{OWN}:precision_at_half").code) == 12
    assert metrics.facts("mask_dice").code == ""
