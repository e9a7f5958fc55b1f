"""Every term against an implementation that is not ours, and against figures known beforehand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import pytorch_msssim
import segmentation_models_pytorch.losses as smp
import torch
import torch.nn.functional as F
import torchmetrics.functional as tm
from pytorch_msssim.ssim import _fspecial_gauss_1d, _ssim
from scipy import ndimage
from skimage.metrics import structural_similarity

from registry.contract import Head, Target
from registry.losses import terms

Array = np.ndarray
NAMES = terms.names()


def _scene(seed: int, size: int = 32, binary: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits, target = (torch.randn(1, 1, size, size, generator=generator, dtype=torch.float64) for _ in range(2))
    return logits, (target > 1).double() if binary else target.sigmoid()


def _value(key: str, logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor | None = None) -> float:
    return terms.bind(key)(Head(logits), Target(target, valid)).item()


def _ssim_map(x: Array, y: Array, window: int, mode: str) -> Array:
    """SSIM by two-dimensional correlation, the border as scipy names it; ``crop`` keeps inner windows only."""
    offset = np.arange(window) - window // 2
    taps = np.exp(-(offset**2) / (2 * 1.5**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2

    def blur(z: Array) -> Array:
        return ndimage.correlate(z, kernel, mode="constant" if mode == "crop" else mode)

    mx, my = blur(x), blur(y)
    sxx, syy, sxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    full = (2 * mx * my + 1e-4) * (2 * sxy + 9e-4) / ((mx**2 + my**2 + 1e-4) * (sxx + syy + 9e-4))
    border = window // 2 if mode == "crop" else 0
    return full[border : full.shape[0] - border, border : full.shape[1] - border]


def _dssim(window: int, mode: str, raw: bool = False) -> Callable[[torch.Tensor, torch.Tensor], float]:
    def reference(z: torch.Tensor, t: torch.Tensor) -> float:
        predicted = z if raw else z.sigmoid()
        return float((np.clip(1 - _ssim_map(predicted[0, 0].numpy(), t[0, 0].numpy(), window, mode), 0, 1) / 2).mean())

    return reference


def _skimage_ssim(z: torch.Tensor, t: torch.Tensor) -> float:
    _, full = structural_similarity(
        z.sigmoid()[0, 0].numpy(),
        t[0, 0].numpy(),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )
    return float(1 - full[5:-5, 5:-5].mean())


def _silog(z: torch.Tensor, t: torch.Tensor) -> float:
    d = np.log(z.sigmoid().numpy() + 1e-3) - np.log(t.numpy() + 1e-3)
    return float((d**2).mean() - 0.5 * d.mean() ** 2)


def _berhu(z: torch.Tensor, t: torch.Tensor) -> float:
    errors = np.abs(z.sigmoid().numpy() - t.numpy()).ravel()
    c = 0.2 * errors.max()
    return float(np.mean([e if e <= c else (e * e + c * c) / (2 * c) for e in errors]))


def _ssi(z: torch.Tensor, t: torch.Tensor) -> float:
    def aligned(x: Array) -> Array:
        middle = np.sort(x)[(len(x) - 1) // 2]
        return (x - middle) / np.abs(x - middle).mean()

    return float(np.abs(aligned(z.sigmoid().numpy().ravel()) - aligned(t.numpy().ravel())).mean() / 2)


def _gradient(z: torch.Tensor, t: torch.Tensor) -> float:
    error, total = (z.sigmoid() - t).numpy()[0, 0], 0.0
    for step in (1, 2, 4, 8):
        coarse = error[::step, ::step]
        total += np.abs(np.diff(coarse, axis=0)).mean() + np.abs(np.diff(coarse, axis=1)).mean()
    return total


def _edges(x: Array) -> Array:
    return np.sqrt((ndimage.sobel(x, 0) / 4) ** 2 + (ndimage.sobel(x, 1) / 4) ** 2 + 1e-6)[1:-1, 1:-1]


def _edge(z: torch.Tensor, t: torch.Tensor) -> float:
    return float(np.abs(_edges(z.sigmoid()[0, 0].numpy()) - _edges(t[0, 0].numpy())).mean())


# smp adds its smooth to the intersection, where a Dice of 2 I + s takes half of it.
REFERENCES: dict[str, Callable[[torch.Tensor, torch.Tensor], float | torch.Tensor]] = {
    "bce": lambda z, t: F.binary_cross_entropy(z.sigmoid(), t),
    "focal": lambda z, t: smp.FocalLoss("binary")(z, t),
    "focal[balance=0.25,gamma=3]": lambda z, t: 2 * smp.FocalLoss("binary", alpha=0.25, gamma=3)(z, t),
    "l1": lambda z, t: tm.mean_absolute_error(z.sigmoid(), t),
    "l1[raw=true]": lambda z, t: F.l1_loss(z, t),
    "l2": lambda z, t: tm.mean_squared_error(z.sigmoid(), t),
    "rmse": lambda z, t: (tm.mean_squared_error(z.sigmoid(), t) + 1e-6).sqrt(),
    "dice": lambda z, t: smp.DiceLoss("binary", smooth=0.5)(z, t),
    "dice[smooth=1e-6]": lambda z, t: smp.DiceLoss("binary", smooth=0.0)(z, t),
    "iou": lambda z, t: smp.JaccardLoss("binary", smooth=1.0)(z, t),
    "iou[overlap=min]": lambda z, t: 1 - (torch.min(z.sigmoid(), t).sum() + 1) / (torch.max(z.sigmoid(), t).sum() + 1),
    "dice[overlap=min]": lambda z, t: (z.sigmoid() - t).abs().sum() / (z.sigmoid().sum() + t.sum() + 1),
    "tversky": lambda z, t: smp.TverskyLoss("binary", alpha=0.3, beta=0.7, smooth=1.0)(z, t),
    "lovasz": lambda z, t: smp.LovaszLoss("binary", per_image=True)(z.float(), t.float()),
    "ssim": _skimage_ssim,
    "ssim[window=7]": lambda z, t: 1 - pytorch_msssim.ssim(z.sigmoid(), t, data_range=1.0, win_size=7),
    "ssim[raw=true,range=255]": lambda z, t: 1 - pytorch_msssim.ssim(z, t, data_range=255),
    "ssim[guess=true,raw=true]": lambda z, t: 1 - pytorch_msssim.ssim(z, t, data_range=2.0),
    "ssim[guess=true]": lambda z, t: 1 - pytorch_msssim.ssim(z.sigmoid(), t, data_range=1.0),
    "dssim": _dssim(3, "crop"),
    "dssim[padding=zeros,window=5]": _dssim(5, "constant"),
    "dssim[padding=reflect,raw=true]": _dssim(3, "mirror", raw=True),
    "silog": _silog,
    "berhu": _berhu,
    "ssi": _ssi,
    "gradient": _gradient,
    "edge": _edge,
    "ms_ssim": lambda z, t: 1 - pytorch_msssim.ms_ssim(z.sigmoid(), t, data_range=1.0),
}


def test_every_term_has_a_reference() -> None:
    assert {key.partition("[")[0] for key in REFERENCES} == set(NAMES)


@pytest.mark.parametrize("key", REFERENCES)
@pytest.mark.parametrize("seed", [0, 1])
def test_against_reference(key: str, seed: int) -> None:
    name = key.partition("[")[0]
    logits, target = _scene(seed, 180 if name == "ms_ssim" else 32, binary="mask" in terms.get(name).facts["heads"])
    assert _value(key, logits, target) == pytest.approx(float(REFERENCES[key](logits, target)), abs=1e-6)


@pytest.mark.parametrize("size", [181, 180])
def test_ms_ssim_on_five_scales_in_float32(size: int) -> None:
    logits, target = (x.float() for x in _scene(3, size))
    expected = 1 - pytorch_msssim.ms_ssim(logits.sigmoid(), target, data_range=1.0).item()
    assert _value("ms_ssim", logits, target) == pytest.approx(expected, abs=1e-6)


def test_ms_ssim_on_a_small_map_takes_fewer_scales() -> None:
    """64 pixels leave three scales, their weights scaled to the sum of all five, 1.0001."""
    _, target = _scene(4, 64)
    logits = torch.logit(0.8 * target + 0.1)
    x, y, factors = logits.sigmoid(), target, []
    for scale in range(3):
        whole, structure = _ssim(x, y, data_range=1.0, win=_fspecial_gauss_1d(11, 1.5).unsqueeze(0))
        factors.append(float(whole if scale == 2 else structure))
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    weights = np.array([0.0448, 0.2856, 0.3001])
    expected = 1 - np.prod(np.array(factors) ** (1.0001 * weights / weights.sum()))
    assert _value("ms_ssim", logits, target) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_ssim_equals_pytorch_msssim_in_float32(seed: int) -> None:
    logits, target = (x.float() for x in _scene(seed, 64))
    expected = 1 - pytorch_msssim.ssim(logits.sigmoid(), target, data_range=1.0).item()
    assert _value("ssim", logits, target) == pytest.approx(expected, abs=1e-6)


def test_only_wholly_valid_windows_count() -> None:
    logits, target = _scene(5)
    valid = torch.ones_like(target)
    valid[0, 0, 12, 20] = 0
    full = _ssim_map(logits.sigmoid()[0, 0].numpy(), target[0, 0].numpy(), 11, "crop")
    rows, columns = np.mgrid[5:27, 5:27]
    whole = (abs(rows - 12) > 5) | (abs(columns - 20) > 5)
    assert _value("ssim", logits, target, valid) == pytest.approx(1 - full[whole].mean(), abs=1e-9)


def test_only_edges_between_valid_pixels_count() -> None:
    logits, target = _scene(6)
    valid = torch.ones_like(target)
    valid[0, 0, 12, 20] = 0
    full = abs(_edges(logits.sigmoid()[0, 0].numpy()) - _edges(target[0, 0].numpy()))
    rows, columns = np.mgrid[1:31, 1:31]
    whole = (abs(rows - 12) > 1) | (abs(columns - 20) > 1)
    assert _value("edge", logits, target, valid) == pytest.approx(full[whole].mean(), abs=1e-9)


def test_no_gradient_flows_through_the_threshold_of_berhu() -> None:
    logits, target = _scene(7)
    predicted = logits.sigmoid()
    head = Head(logits)
    head.value = predicted.requires_grad_()
    terms.bind("berhu")(head, Target(target)).backward()
    error = (predicted - target).detach()
    c = 0.2 * error.abs().max()
    expected = torch.where(error.abs() <= c, error.sign(), error / c) / error.numel()
    torch.testing.assert_close(predicted.grad, expected)


def test_batch_pooled_dice_takes_the_batch_as_one_image() -> None:
    logits, target = (torch.cat(pair) for pair in zip(_scene(0, binary=True), _scene(1, binary=True), strict=True))
    expected = smp.DiceLoss("binary", smooth=0.5)(logits, target).item()
    assert _value("dice[pool=batch]", logits, target) == pytest.approx(expected, abs=1e-9)
    assert _value("dice", logits, target) != pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("key", ["dice[overlap=min]", "iou[overlap=min]", "tversky"])
def test_overlap_of_soft_targets(key: str) -> None:
    theirs = {
        "dice[overlap=min]": smp.DiceLoss("binary", smooth=0.5),
        "iou[overlap=min]": smp.JaccardLoss("binary", smooth=1.0),
        "tversky": smp.TverskyLoss("binary", alpha=0.3, beta=0.7, smooth=1.0),
    }
    logits, target = _scene(2)
    assert _value(key, logits, target) == pytest.approx(theirs[key](logits, target).item(), abs=1e-6)


def test_known_values() -> None:
    _, target = _scene(0)
    zero = torch.zeros_like(target)
    assert _value("bce", zero, target) == pytest.approx(np.log(2))
    assert _value("rmse", torch.logit(target), target) == pytest.approx(1e-3)
    assert _value("dice", zero - 50, zero) == pytest.approx(0)
    assert _value("l1", zero, zero + 0.25) == pytest.approx(0.25)
    assert _value("ssi", torch.logit(0.3 * target + 0.2), target) == pytest.approx(0, abs=1e-9)
    assert _value("silog[focus=1,eps=1e-6]", torch.logit(0.3 * target), target) == pytest.approx(0, abs=1e-9)
    step = torch.zeros_like(target)
    step[..., 16:] = 1  # two of the 30 inner columns see the edge
    assert _value("edge", zero - 50, step) == pytest.approx(2 / 30, abs=1e-3)


def _masks(share: float) -> torch.Tensor:
    mask = torch.zeros(1, 1, 100, 100, dtype=torch.float64)
    mask[..., : round(100 * share), :] = 1
    return mask


def test_published_figures() -> None:
    """The floors and ceilings that the published faults impose on a prediction, as worked out from their data."""
    mask = _masks(0.055 + 5e-3)
    covered = mask.mean().item()
    # 001, row 3: even a perfect mask cannot go below .67 once the sigmoid is applied twice
    twice = _value("bce[twice=true]", 200 * mask - 100, mask)
    assert twice == pytest.approx(covered * np.log1p(np.exp(-1)) + (1 - covered) * np.log(2))
    assert twice == pytest.approx(0.672, abs=3e-3)
    # 003: standardised masks leave cross entropy without a lower bound, and an all-black mask is downhill
    standardised = (mask - covered) / mask.std(correction=0)
    assert [_value("bce", torch.full_like(mask, z), standardised) for z in (0.0, -5.0, -20.0)] == pytest.approx(
        [0.693, 0.0067, 0.0], abs=1e-3
    )
    assert _value("bce", 100 * mask - 50, standardised) < 10 * _value("bce", 10 * mask - 5, standardised) < -10
    # 004: range 255 silences SSIM even on two unrelated noise images
    generator = torch.Generator().manual_seed(0)
    noise, other = (torch.rand(4, 1, 64, 64, generator=generator, dtype=torch.float64) for _ in range(2))
    assert _value("ssim[range=255]", torch.logit(noise), other) == pytest.approx(0.0035, abs=5e-4)
    assert _value("ssim", torch.logit(noise), other) > 0.9
    # 000: targets divided by 255 twice cap the Dice of a perfect mask at .0078
    assert 1 - _value("dice[smooth=1e-6]", 200 * mask - 100, mask / 255) == pytest.approx(0.0078, abs=1e-4)
