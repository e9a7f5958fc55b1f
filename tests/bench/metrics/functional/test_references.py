"""Every metric against an implementation that shares no line with it."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import structural_similarity
from torchmetrics.functional.classification import binary_f1_score, binary_jaccard_index
from torchmetrics.functional.image import structural_similarity_index_measure

from bench.metrics import metrics
from bench.metrics.view import View
from registry.contract import Prediction, Quartet

FLOOR = 1 / 255


class Arrays:
    """One image of a batch as float64 numpy arrays, (H, W)."""

    def __init__(self, prediction: Prediction, truth: Quartet, image: int) -> None:
        logits = (prediction.mask_logits, prediction.depth_logits)
        self.p_mask, self.p = (1 / (1 + np.exp(-t[image, 0].double().numpy())) for t in logits)
        self.t_mask, self.t = (t[image, 0].double().numpy() for t in (truth.mask, truth.depth))
        self.on, self.t_on = self.p_mask > 0.5, self.t_mask > 0.5
        self.valid = truth.valid[image, 0].numpy() > 0.5

    def rmse(self, where: np.ndarray) -> float:
        chosen = where & self.valid
        return float(np.sqrt(np.mean((self.p - self.t)[chosen] ** 2))) if chosen.any() else np.nan

    def ratio(self) -> np.ndarray:
        return np.maximum(self.p, FLOOR)[self.valid] / np.maximum(self.t, FLOOR)[self.valid]

    def delta(self, power: int) -> float:
        ratio = self.ratio()
        return float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25**power))


def iou(a: Arrays) -> float:
    return float(binary_jaccard_index(torch.tensor(a.on), torch.tensor(a.t_on)))


def boundary_f(a: Arrays) -> float:
    tolerance = max(1, 0.0075 * np.hypot(*a.on.shape))
    edge, t_edge = (m & ~ndimage.binary_erosion(m, border_value=1) for m in (a.on, a.t_on))
    precision = np.mean(ndimage.distance_transform_edt(~t_edge)[edge] <= tolerance)
    recall = np.mean(ndimage.distance_transform_edt(~edge)[t_edge] <= tolerance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def band(a: Arrays) -> float:
    edge = a.t_on & ~ndimage.binary_erosion(a.t_on, border_value=1)
    return a.rmse(ndimage.binary_dilation(edge, np.ones((3, 3))))


def ssim(a: Arrays) -> float:
    _, full = structural_similarity(
        a.p, a.t, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
    )
    whole = ndimage.minimum_filter(a.valid, size=11)[5:-5, 5:-5]
    return float(full[5:-5, 5:-5][whole].mean())


def silog(a: Arrays) -> float:
    d = np.log(a.ratio())
    return float(100 * np.sqrt(np.mean(d**2) - np.mean(d) ** 2))


def checkerboard(a: Arrays) -> float:
    return max(0.0, locked(a.p, a.valid) - locked(a.t, a.valid))


def locked(depth: np.ndarray, valid: np.ndarray) -> float:
    """The docstring's ``L``, pixel by pixel."""
    found = []
    for period in (2, 4, 8, 16):
        on_lines, off_lines, weighted, pairs = [], [], 0.0, 0
        for d, v in ((depth, valid), (depth.T, valid.T)):
            phases: dict[tuple[int, int], list[float]] = {}
            for y, x in zip(*np.nonzero(v[:, 1:] & v[:, :-1]), strict=True):
                g = d[y, x + 1] - d[y, x]
                size = np.hypot(g, 1e-3)
                (on_lines if (x + 1) % period == 0 else off_lines).append(np.log(size))
                phases.setdefault((y % period, (x + 1) % period), []).append(g / size)
            signs = [s for phase in phases.values() for s in phase]
            weighted += sum(len(phase) * (np.mean(phase) - np.mean(signs)) ** 2 for phase in phases.values())
            pairs += len(signs)
        found.append(max(0.0, np.mean(on_lines) - np.mean(off_lines)) + weighted / pairs)
    return max(found)


def surface_distances(a: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """From each pixel of either contour to the other contour."""
    edge, t_edge = (m & ~ndimage.binary_erosion(m, border_value=1) for m in (a.on, a.t_on))
    return ndimage.distance_transform_edt(~t_edge)[edge], ndimage.distance_transform_edt(~edge)[t_edge]


def aligned(a: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Predicted depth after numpy's least squares, and the true depth, where known."""
    p, t = a.p[a.valid], a.t[a.valid]
    (scale, shift), *_ = np.linalg.lstsq(np.stack([p, np.ones_like(p)], 1), t, rcond=None)
    return scale * p + shift, t


def aligned_delta(a: Arrays) -> float:
    p, t = (np.maximum(depth, FLOOR) for depth in aligned(a))
    return float(np.mean(np.maximum(p / t, t / p) < 1.25))


REFERENCES = {
    "mask_area_error": lambda a: abs(a.on.mean() - a.t_on.mean()),
    "mask_false_alarm": lambda a: np.nan if a.t_on.any() else float(a.on.any()),
    "mask_hd95": lambda a: max(np.percentile(d, 95) for d in surface_distances(a)),
    "mask_assd": lambda a: np.concatenate(surface_distances(a)).mean(),
    "mask_nsd": lambda a: (np.concatenate(surface_distances(a)) <= 1).mean(),
    "depth_abs_rel_aligned": lambda a: np.mean(np.abs(np.subtract(*aligned(a))) / np.maximum(aligned(a)[1], FLOOR)),
    "depth_delta1_aligned": aligned_delta,
    "mask_iou": iou,
    "mask_dice": lambda a: float(binary_f1_score(torch.tensor(a.on), torch.tensor(a.t_on))),
    "mask_dice_soft": lambda a: (2 * (a.p_mask * a.t_mask).sum() + 1) / ((a.p_mask**2).sum() + (a.t_mask**2).sum() + 1),
    "mask_mae": lambda a: np.abs(a.p_mask - a.t_mask).mean(),
    "mask_bf": boundary_f,
    "depth_rmse": lambda a: a.rmse(a.valid),
    "depth_rmse_pooled": lambda a: a.rmse(a.valid),
    "depth_mae": lambda a: np.abs(a.p - a.t)[a.valid].mean(),
    "depth_abs_rel": lambda a: (np.abs(a.p - a.t) / np.maximum(a.t, FLOOR))[a.valid].mean(),
    "depth_delta1": lambda a: a.delta(1),
    "depth_delta2": lambda a: a.delta(2),
    "depth_delta3": lambda a: a.delta(3),
    "depth_silog": silog,
    "depth_ssim": ssim,
    "depth_rmse_fg": lambda a: a.rmse(a.t_on),
    "depth_rmse_bg": lambda a: a.rmse(~a.t_on),
    "depth_rmse_band": band,
    "depth_checkerboard": checkerboard,
    "joint_success": lambda a: float(iou(a) > 0.5 and a.delta(1) > 0.8),
}


# 176 px: the boundary's tolerance is then 1.87 px, no longer 1. The checkerboard's reference is too slow for it.
CASES = [(name, size) for name in metrics.names() for size in (48, 176) if (name, size) != ("depth_checkerboard", 176)]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_agrees_with_its_reference(name, size, scene, rough, awful):
    truth = scene(seed=3, images=2, size=size)
    for prediction in (rough(truth), awful(truth)):
        expected = [REFERENCES[name](Arrays(prediction, truth, image)) for image in range(2)]
        got = metrics.bind(name).per_image(View(prediction, truth))
        np.testing.assert_allclose(got.numpy(), expected, rtol=2e-4, atol=2e-5)


def test_ssim_agrees_with_torchmetrics_where_all_is_known(scene, rough):
    truth = scene()
    truth.valid.fill_(1)
    prediction = rough(truth)
    _, full = structural_similarity_index_measure(
        prediction.depth.value, truth.depth, sigma=1.5, data_range=1.0, reduction="none", return_full_image=True
    )
    # torchmetrics pads by reflection and averages the rim in; wholly valid windows lie 5 px inside it.
    expected = full[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    torch.testing.assert_close(
        metrics.bind("depth_ssim").per_image(View(prediction, truth)), expected, atol=1e-5, rtol=0
    )


def test_joint_success_sees_both_outcomes(scene, rough, awful):
    truth = scene()
    mixed = Prediction(rough(truth).mask_logits, torch.logit(truth.depth))
    success = metrics.bind("joint_success").per_image
    assert success(View(mixed, truth)).tolist() == [1.0] * 4
    assert success(View(Prediction(mixed.mask_logits, awful(truth).depth_logits), truth)).tolist() == [0.0] * 4
    half_off = Prediction(torch.logit(truth.mask.roll(8, dims=-1), eps=1e-6), torch.logit(truth.depth))
    assert (metrics.bind("mask_iou").per_image(View(half_off, truth)) > 0.3).all()
    assert success(View(half_off, truth)).tolist() == [0.0] * 4
