"""Terms that compare local structure: SSIM as a whole, pixel by pixel (DSSIM), and over scales (MS-SSIM).

Invalid pixels of the prediction are given the target's value before anything is filtered, and only windows that are
wholly valid count. With sensor holes everywhere few windows may be left; an image without any is left out.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from registry.contract import Head, Target
from registry.losses.terms import terms
from registry.losses.terms.reduction import mean_over_images, output, pixel_mean, pools, row_means, rows
from registry.ranges import between, odd
from registry.ssim import check_window, ssim_map, ssim_of, ssim_parts, whole_windows

Padding = Literal["valid", "zeros", "reflect"]
"""What is done at the border: only windows wholly inside, or the maps are extended by zeros or by reflection."""

WINDOW = odd(3, 63)
"""Sides of a window, in pixels: an even side has no middle, and compares places half a pixel apart."""

_MODES = {"zeros": "constant", "reflect": "reflect"}
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@terms.register(
    ranges={"window": WINDOW, "range": between(0.1, 65535)},
    heads=("mask", "depth"),
    source="Wang et al. 2004; pytorch_msssim.ssim; systems 003 and 004",
)
def ssim(
    prediction: Head, target: Target, window: int = 11, range: float = 1.0, raw: bool = False, guess: bool = False
) -> Tensor:
    """``1 - mean SSIM`` over Gaussian windows of sigma 1.5 that lie wholly inside the map, in [0, 2].

    Args:
        prediction: the head, (B, 1, H, W), H and W at least ``window``.
        target: values in [0, 1], (B, 1, H, W).
        window: side of the window in pixels, odd.
        range: the data range L; 255 on values in [0, 1] all but silences the term, the fault of system 004.
        raw: compare the logits, the fault of systems 000, 002 and 003.
        guess: guess L from the largest and smallest prediction of the batch, as system 003 did, in place of ``range``.

    Raises:
        ValueError: the maps are smaller than the window.
    """
    if range == 1 and not (raw or guess or torch.is_grad_enabled()):
        similarity, valid = ssim_of(prediction, target.stored, window), target.is_known
    else:
        predicted, true, valid = _pair(prediction, target, raw)
        extent = _guessed_range(predicted) if guess else range
        similarity = ssim_map(predicted, true, window, data_range=extent, bounded=not raw)
    return pixel_mean(1 - similarity, _whole(valid, window))


@terms.register(
    ranges={"window": WINDOW},
    heads=("mask", "depth"),
    source="systems 000 (torchgeometry) and 002 (kornia); Godard et al. 2017",
)
def dssim(prediction: Head, target: Target, window: int = 3, padding: Padding = "valid", raw: bool = False) -> Tensor:
    """``mean(clamp(1 - SSIM, 0, 1) / 2)``, clamped pixel by pixel, in [0, 0.5]; no gradient where SSIM is below 0.

    Args:
        prediction: the head, (B, 1, H, W), H and W at least ``window``.
        target: values in [0, 1], (B, 1, H, W).
        window: side of the Gaussian window of sigma 1.5 in pixels, odd.
        padding: ``valid`` windows only, or maps extended by ``zeros`` (system 000) or by ``reflect`` (system 002).
        raw: compare the logits, the fault of systems 000 and 002.

    Raises:
        ValueError: the maps are smaller than the window.
    """
    predicted, true, valid = _pair(prediction, target, raw)
    check_window(predicted, window)
    x, y = (_padded(maps, window, padding) for maps in (predicted, true))
    similarity = ssim_map(x, y, window, bounded=not raw)
    return pixel_mean((1 - similarity).clamp(0, 1) / 2, _whole(valid, window, padding))


@terms.register(ranges={"window": WINDOW}, heads=("mask", "depth"), source="Wang et al. 2003; pytorch_msssim.ms_ssim")
def ms_ssim(prediction: Head, target: Target, window: int = 11) -> Tensor:
    """``1 - MS-SSIM``, in [0, 1]: contrast and structure at up to five scales, luminance at the coarsest.

    A scale is used while its shorter side exceeds ``window - 1`` (with window 11 five scales need 161 pixels,
    64 pixels give three); the weights of the scales used, in each image those with a wholly valid window, are
    scaled to the sum of all five. Where all are used it equals pytorch_msssim, but for factors under 1e-6, held at
    1e-6: a power of 0 has no finite gradient.

    Args:
        prediction: the head, (B, 1, H, W), H and W at least ``window``.
        target: values in [0, 1], (B, 1, H, W).
        window: side of the Gaussian window of sigma 1.5 in pixels, odd.

    Raises:
        ValueError: the maps are smaller than the window.
    """
    predicted, true, valid = _pair(prediction, target, raw=False)
    side = min(predicted.shape[-2:])
    scales = max(1, sum(side > (window - 1) * 2**scale for scale, _ in enumerate(_SCALE_WEIGHTS)))
    weights, logs = [], []
    for scale, weight in enumerate(_SCALE_WEIGHTS[:scales]):
        luminance, structure = ssim_parts(predicted, true, window)
        factor = structure if scale < scales - 1 else luminance * structure
        whole = _whole(valid, window)
        at = None if whole is None else rows(whole)
        mean = row_means(rows(factor), at)
        weights.append(torch.full_like(mean, weight) if at is None else weight * at.any(1))
        logs.append(mean.clamp(min=1e-6).log())
        if scale < scales - 1:
            predicted, true, valid = _halved(predicted, true, valid)
    weight_of, log_of = torch.stack(weights), torch.stack(logs)
    total = weight_of.sum(0)
    index = (sum(_SCALE_WEIGHTS) * (weight_of * log_of).sum(0) / total.clamp(min=1e-6)).exp()
    return mean_over_images(1 - index, None if valid is None else total.unsqueeze(1) > 0)


def _whole(valid: Tensor | None, window: int, padding: Padding = "valid") -> Tensor | None:
    """`whole_windows`, where pixels that padding adds count as valid; None stays None."""
    if valid is None:
        return None
    return whole_windows(valid if padding == "valid" else functional.pad(valid, [window // 2] * 4, value=True), window)


def _pair(prediction: Head, target: Target, raw: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    predicted = output(prediction, raw)
    true, valid = target.value.to(predicted.dtype), target.is_known
    return (predicted if valid is None else torch.where(valid, predicted, true)), true, valid


def _padded(maps: Tensor, window: int, padding: Padding) -> Tensor:
    return maps if padding == "valid" else functional.pad(maps, [window // 2] * 4, mode=_MODES[padding])


def _halved(predicted: Tensor, true: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Both maps at half the size, as pytorch_msssim pools them; a pixel is valid if all under it are."""
    border = [side % 2 for side in predicted.shape[-2:]]
    if valid is not None:
        down, across = border
        valid = whole_windows(functional.pad(valid, [across, across, down, down], value=True), 2)[..., ::2, ::2]
    return functional.avg_pool2d(predicted, 2, padding=border), functional.avg_pool2d(true, 2, padding=border), valid


def _guessed_range(predicted: Tensor) -> Tensor:
    """L as system 003 has it: 255 if the largest prediction is over 128, else 1; plus 1 if the smallest is < -0.5."""
    pools()
    values = predicted.detach()
    return torch.where(values.max() > 128, 255.0, 1.0) + torch.where(values.min() < -0.5, 1.0, 0.0)
