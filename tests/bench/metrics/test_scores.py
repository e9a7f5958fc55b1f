"""The accumulator: a single pass, no waiting, nothing lost."""

import math

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.metrics import metrics
from bench.metrics.scores import Scores
from bench.metrics.view import View
from registry import ssim
from registry.contract import Prediction, Quartet
from registry.errors import UnknownName
from registry.losses import parse
from registry.losses.objective import Objective
from registry.losses.terms import structure

ALL = [name for name in metrics.names() if name != "mask_false_alarm"]
"""All that have something to say of images with an object."""

WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2", "unique_dim", "item"}


class NoWaiting(TorchDispatchMode):
    """Refuses what makes the host wait for the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in WAITS:
            raise AssertionError(f"{func} makes the host wait")
        if "index" in func.overloadpacket.__name__ and any(
            isinstance(a, torch.Tensor) and a.dtype == torch.bool for a in args[1] or ()
        ):
            raise AssertionError(f"{func} with a mask makes the host wait")
        return func(*args, **(kwargs or {}))


def halves(prediction: Prediction, truth: Quartet):
    for part in (slice(0, 3), slice(3, None)):
        cut = Prediction(prediction.mask_logits[part], prediction.depth_logits[part])
        yield cut, truth.map(lambda tensor, part=part: tensor[part])


def test_two_updates_are_one(scene, rough):
    truth = scene(images=5)
    prediction = rough(truth)
    whole, parts = Scores(ALL), Scores(ALL)
    whole.update(prediction, truth)
    for cut, some in halves(prediction, truth):
        parts.update(cut, some)
    columns = parts.result()
    assert set(columns) == {*ALL, "valid_pixels"}
    for name, expected in whole.result().items():
        assert columns[name].shape == (5,) and columns[name].dtype == np.float32
        np.testing.assert_allclose(columns[name], expected, rtol=1e-5, err_msg=name)


def test_columns_are_the_functions_values(scene, rough):
    truth = scene()
    scores = Scores(["mask_bf", "depth_silog"])
    scores.update(rough(truth), truth)
    columns = scores.result()
    assert list(columns) == ["mask_bf", "depth_silog"]
    for name, column in columns.items():
        np.testing.assert_array_equal(column, metrics.bind(name).per_image(View(rough(truth), truth)).numpy())


def test_update_never_waits_for_the_device(scene, rough):
    truth = scene()
    prediction = rough(truth)
    scores = Scores(ALL)
    with NoWaiting():
        scores.update(prediction, truth)
        with pytest.raises(AssertionError, match="wait"):
            scores._batches[0].sum().item()
        with pytest.raises(AssertionError, match="wait"):
            truth.depth[truth.valid > 0]


def test_result_reads_back_once(scene, rough, monkeypatch):
    truth, scores, reads = scene(), Scores(ALL), []
    for _ in range(3):
        scores.update(rough(truth), truth)
    to_host = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: reads.append(self.shape) or to_host(self))
    scores.result()
    assert reads == [(len(ALL) + 1, 12)]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_update_never_waits_for_a_gpu(scene, rough):
    truth = scene()
    host = Scores(ALL)
    host.update(rough(truth), truth)
    guess = Prediction(*(t.cuda() for t in (rough(truth).mask_logits, rough(truth).depth_logits)))
    on_cuda, device = truth.map(torch.Tensor.cuda), Scores(ALL)
    device.update(guess, on_cuda)
    torch.cuda.set_sync_debug_mode("error")
    try:
        device.update(guess, on_cuda)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for name, column in device.result().items():
        np.testing.assert_allclose(column[:4], host.result()[name], rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    ("missing", "judged"),
    [
        ({"mask_logits"}, {"depth"}),
        ({"depth_logits"}, {"mask"}),
        ({"depth", "valid"}, {"mask"}),
        ({"mask"}, {"depth"}),
        ({"mask_logits", "depth_logits"}, set()),
    ],
)
def test_what_is_not_there_is_nan_and_fails_nothing(missing, judged, scene, rough):
    truth = scene()
    prediction = rough(truth)
    for logits in missing & {"mask_logits", "depth_logits"}:
        setattr(prediction, logits, None)
    truth = Quartet(**{name: tensor for name, tensor in truth.tensors() if name not in missing})
    scores = Scores(ALL)
    scores.update(prediction, truth)
    for name, summary in scores.summary().items():
        if metrics.facts(name).head == "joint":
            expected = judged == {"mask", "depth"}
        elif "true_mask" in metrics.facts(name).needs:
            expected = judged == {"depth"} and "mask" not in missing
        else:
            expected = metrics.facts(name).head in judged
        assert (summary.images, summary.value is not None) == ((4, True) if expected else (0, False)), name


def test_summary_is_the_mean_over_images_that_have_something_to_say(scene, rough):
    truth = scene()
    truth.valid[1] = 0
    scores = Scores(ALL)
    scores.update(rough(truth), truth)
    columns, summary = scores.result(), scores.summary()
    assert summary["mask_iou"].images == 4 and summary["depth_mae"].images == 3
    assert summary["depth_mae"].value == pytest.approx(np.nanmean(columns["depth_mae"]))


def test_pooled_rmse_is_one_root_over_all_valid_pixels(scene, rough):
    truth = scene()
    truth.valid[0, :, 10:] = 0
    prediction = rough(truth)
    scores = Scores(["depth_rmse", "depth_rmse_pooled"])
    for cut, some in halves(prediction, truth):
        scores.update(cut, some)
    error = (torch.sigmoid(prediction.depth_logits) - truth.depth)[truth.valid > 0]
    summary = scores.summary()
    assert summary["depth_rmse_pooled"].value == pytest.approx(error.square().mean().sqrt().item(), rel=1e-5)
    assert summary["depth_rmse"].value != pytest.approx(summary["depth_rmse_pooled"].value, rel=1e-3)


@pytest.mark.parametrize(("logits", "hurt"), [("mask_logits", "mask"), ("depth_logits", "depth")])
def test_a_nan_prediction_is_infinitely_bad_not_left_out(logits, hurt, scene, rough):
    truth = scene()
    prediction = rough(truth)
    getattr(prediction, logits)[2, 0, 5, 5] = math.nan
    scores = Scores(ALL)
    scores.update(prediction, truth)
    for name, column in scores.result().items():
        if name in ALL:
            worst = -math.inf if metrics.facts(name).higher_is_better else math.inf
            assert np.isfinite(column[[0, 1, 3]]).all(), name
            assert (column[2] == worst) == (hurt in metrics.facts(name).needs), name
            assert (scores.summary()[name].value == worst) == (hurt in metrics.facts(name).needs), name


def test_half_precision_and_autocast_change_nothing(scene, rough):
    truth = scene()
    half = Prediction(*(t.bfloat16() for t in (rough(truth).mask_logits, rough(truth).depth_logits)))
    same = Prediction(half.mask_logits.float(), half.depth_logits.float())
    plain, cast = Scores(ALL), Scores(ALL)
    plain.update(same, truth)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast.update(half, truth)
    for name, column in plain.result().items():
        np.testing.assert_array_equal(cast.result()[name], column, err_msg=name)


def test_keeps_no_graph(scene, rough):
    truth = scene()
    prediction = rough(truth)
    prediction.depth_logits.requires_grad_()
    scores = Scores(["depth_rmse"])
    scores.update(prediction, truth)
    assert not scores._batches[0].requires_grad


def test_no_image_and_no_metric(scene, rough):
    assert {name: column.shape for name, column in Scores(["mask_iou"]).result().items()} == {"mask_iou": (0,)}
    assert Scores(["mask_iou"]).summary()["mask_iou"].value is None
    with pytest.raises(UnknownName, match="mask_iou"):
        Scores(["mask_iuo"])


def test_a_recipes_ssim_and_the_metric_are_one_map(scene, rough, monkeypatch):
    assert structure.ssim_of is ssim.ssim_of  # imported before it is patched: a lazy import would keep the patch
    truth, alone, shared, made = scene(), Scores(["depth_ssim"]), Scores(["depth_ssim"]), []
    logits = rough(truth).depth_logits
    alone.update(Prediction(depth_logits=logits), truth)
    real = ssim.ssim_map
    monkeypatch.setattr(ssim, "ssim_map", lambda *args: made.append(args) or real(*args))
    prediction = Prediction(depth_logits=logits)
    with torch.no_grad():
        loss = Objective(parse("depth: ssim"), heads=("depth",))(prediction, truth).total
    shared.update(prediction, truth)
    assert len(made) == 1
    np.testing.assert_array_equal(shared.result()["depth_ssim"], alone.result()["depth_ssim"])
    assert 1 - loss.item() == pytest.approx(shared.result()["depth_ssim"].mean(), abs=1e-6)
