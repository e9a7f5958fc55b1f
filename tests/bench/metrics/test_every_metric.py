"""What holds for every registered metric."""

import dataclasses
from contextlib import suppress

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.audit.conformance import NotApplicable
from bench.audit.conformance.metric import CHECKS, MetricPlugin
from bench.metrics import Metric, metrics
from bench.metrics.scores import values_of
from bench.metrics.view import View
from registry.contract import Prediction, Quartet

few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=metrics.names())
def metric(request) -> Metric:
    return metrics.bind(request.param)


def per_image(metric: Metric, prediction: Prediction, truth: Quartet) -> torch.Tensor:
    return metric.per_image(View(prediction, truth))


def pick(prediction: Prediction, truth: Quartet, images: list[int]) -> tuple[Prediction, Quartet]:
    some = Prediction(prediction.mask_logits[images], prediction.depth_logits[images])
    return some, truth.map(lambda tensor: tensor[images])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_conforms(metric, check):
    with suppress(NotApplicable):
        check(MetricPlugin(metric))


def judged(metric: Metric, truth: Quartet) -> Quartet:
    """The truth as the metric has something to say of it: false alarms are of images without an object."""
    return dataclasses.replace(truth, mask=truth.mask * 0) if metric.key == "mask_false_alarm" else truth


def test_awful_is_clearly_worse_than_perfect(metric, scene, perfect, awful):
    worse, truth = awful(scene()), judged(metric, scene())
    if metric.key == "mask_area_error":
        worse.mask_logits.fill_(-20.0)  # a mask that is moved has the right area
    bad, best = per_image(metric, worse, truth), per_image(metric, perfect(truth), truth)
    assert all(metric.facts.better(b, w) for b, w in zip(best.tolist(), bad.tolist(), strict=True)), (best, bad)
    gap = (best - bad).abs()
    assert (gap > 0.05).all(), gap


@few
@given(seed=st.integers(0, 10**6), images=st.integers(1, 5))
def test_batch_size_does_not_matter(metric, scene, rough, seed, images):
    truth = scene(seed, images, 48)
    prediction = rough(truth, seed)
    alone = [per_image(metric, *pick(prediction, truth, [image])) for image in range(images)]
    torch.testing.assert_close(per_image(metric, prediction, truth), torch.cat(alone), equal_nan=True)


@few
@given(order=st.permutations(range(4)), seed=st.integers(0, 10**6))
def test_order_does_not_matter(metric, scene, rough, order, seed):
    truth = scene(seed, 4, 48)
    prediction = rough(truth, seed)
    permuted = per_image(metric, *pick(prediction, truth, order))
    torch.testing.assert_close(permuted, per_image(metric, prediction, truth)[order], equal_nan=True)


@few
@given(seed=st.integers(0, 10**6))
def test_unknown_depth_has_no_influence(metric, scene, rough, seed):
    truth = scene(seed)
    prediction = rough(truth)
    before = per_image(metric, prediction, truth)
    unknown = truth.valid == 0
    other = torch.rand(truth.depth.shape, generator=torch.Generator().manual_seed(seed))
    prediction.depth_logits[unknown] = 9 * other[unknown]
    after_truth = dataclasses.replace(truth, depth=torch.where(unknown, torch.nan, truth.depth))
    again = Prediction(prediction.mask_logits, prediction.depth_logits)
    torch.testing.assert_close(per_image(metric, again, after_truth), before, rtol=0, atol=0, equal_nan=True)


@few
@given(seed=st.integers(0, 10**6))
def test_unknown_mask_has_no_influence(metric, scene, rough, seed):
    truth, draw = judged(metric, scene(seed)), torch.Generator().manual_seed(seed)
    unknown = torch.rand(4, 1, 64, 64, generator=draw) < 0.3
    prediction = rough(truth)
    marked = dataclasses.replace(truth, mask_valid=(~unknown).float())
    before = per_image(metric, prediction, marked)
    prediction.mask_logits[unknown] *= -3
    again = Prediction(prediction.mask_logits, prediction.depth_logits)
    after_truth = dataclasses.replace(marked, mask=torch.where(unknown, torch.nan, truth.mask))
    torch.testing.assert_close(per_image(metric, again, after_truth), before, rtol=0, atol=0, equal_nan=True)


def test_perfect_where_the_mask_is_known_is_perfect(metric, scene, perfect):
    truth = judged(metric, scene())
    prediction = perfect(truth)
    unknown = torch.zeros_like(truth.mask, dtype=torch.bool)
    unknown[..., 8:20, 10:30] = True
    prediction.mask_logits[unknown] = 9.0
    marked = dataclasses.replace(truth, mask_valid=(~unknown).float())
    values = per_image(metric, prediction, marked)
    torch.testing.assert_close(values, torch.full((4,), metric.facts.perfect), atol=1e-4, rtol=0)


def test_no_known_mask_is_nan_for_that_image_alone(metric, scene, rough):
    truth = judged(metric, scene())
    marked = dataclasses.replace(truth, mask_valid=torch.ones_like(truth.mask))
    marked.mask_valid[1] = 0
    values = values_of(metric, View(rough(truth), marked))
    assert values.isnan().tolist() == [False, bool({"mask", "true_mask"} & set(metric.facts.needs)), False, False]


def test_memory_format_does_not_matter(metric, scene, rough):
    truth = judged(metric, scene())
    prediction = rough(truth)
    last = truth.map(lambda tensor: tensor.contiguous(memory_format=torch.channels_last))
    logits = (prediction.mask_logits, prediction.depth_logits)
    again = Prediction(*(t.transpose(-2, -1).contiguous().transpose(-2, -1) for t in logits))
    torch.testing.assert_close(per_image(metric, again, last), per_image(metric, prediction, truth))


def test_facts_agree_with_each_other(metric):
    facts = metric.facts
    low, high = facts.bounds
    assert facts.perfect == (high if facts.higher_is_better else low)
    assert metric.key.startswith(facts.head)
    assert facts.summary and facts.column and facts.unit in {"", "range", "px", "%"}
    assert metrics.get(metric.key).function.__doc__, "a metric's formula is its docstring"
