"""One figure per metric, and its skill."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics import metrics
from bench.metrics.summary import Summary, skill, summarise
from registry.errors import UnknownName

FACTS = {name: metrics.facts(name) for name in metrics.names()}
IOU, RMSE = metrics.facts("mask_iou"), metrics.facts("depth_rmse")


def test_mean_leaves_out_nan_and_says_how_many_counted():
    assert summarise({"mask_iou": np.array([0.5, np.nan, 1.0])}, FACTS) == {"mask_iou": Summary(0.75, 2)}
    assert summarise({"mask_iou": np.array([np.nan])}, FACTS) == {"mask_iou": Summary(None, 0)}


def test_pooled_mean_is_weighted_and_rooted():
    columns = {"depth_rmse_pooled": np.array([1.0, 7.0, np.nan]), "valid_pixels": np.array([3.0, 1.0, 0.0])}
    assert summarise(columns, FACTS) == {"depth_rmse_pooled": Summary(pytest.approx(math.sqrt(52 / 4)), 2)}


@pytest.mark.parametrize(
    ("score", "baselines", "of", "expected"),
    [
        (0.9, [0.2, 0.6, 0.5], IOU, 0.75),
        (0.1, [0.2, 0.4], RMSE, 0.5),
        (0.6, [0.6], IOU, 0.0),
        (1.0, [0.3], IOU, 1.0),
        (0.0, [0.5], IOU, -1.0),
        (0.9, [None, math.nan, math.inf, 0.5], IOU, 0.8),
        (0.9, [1.0, 0.5], IOU, None),
        (0.9, [0.9999999, 0.5], IOU, None),
        (0.1, [2e-8], RMSE, None),
        (0.9, [], IOU, None),
        (0.9, [None, math.nan], IOU, None),
        (None, [0.5], IOU, None),
        (math.nan, [0.5], IOU, None),
        (-math.inf, [0.5], IOU, -math.inf),
        (math.inf, [0.5], RMSE, -math.inf),
    ],
)
def test_skill(score, baselines, of, expected):
    found = skill(score, baselines, of)
    assert found == (None if expected is None else pytest.approx(expected))


@given(st.sampled_from(metrics.names()), st.floats(0, 0.9), st.floats(0, 0.9))
def test_better_scores_have_more_skill(name, score, other):
    m = metrics.facts(name)
    baseline = 0.5 if m.higher_is_better else 1.0
    if m.better(score, other) and abs(score - other) > 1e-6:
        assert skill(score, [baseline], m) > skill(other, [baseline], m)


def test_unknown_metric_names_its_neighbours():
    with pytest.raises(UnknownName, match=r"depth_rmse.*bench list metrics"):
        metrics.facts("depth_rsme")


def test_listing_and_summing_up_import_no_torch():
    code = (
        "import sys, numpy as np; from bench.metrics import metrics; from bench.metrics.summary import summarise;"
        "facts = {name: metrics.facts(name) for name in metrics.names()};"
        "print(len(facts), summarise({'mask_iou': np.ones(2)}, facts)['mask_iou'].value);"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.split() == [str(len(metrics.names())), "1.0"], done
