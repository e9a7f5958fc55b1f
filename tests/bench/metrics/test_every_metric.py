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


def test_awful_is_clearly_worse_than_perfect(metric, scene, perfect, awful):
    truth = scene()
    bad, best = per_image(metric, awful(truth), truth), per_image(metric, perfect(truth), truth)
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
    assert torch.equal(per_image(metric, again, after_truth), before)


def test_memory_format_does_not_matter(metric, scene, rough):
    truth = scene()
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
