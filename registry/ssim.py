"""Structural similarity, pixel by pixel: shared by the loss terms and the metrics.

Source: Wang, Bovik, Sheikh and Simoncelli 2004. Equals `pytorch_msssim.ssim` where its windows are averaged.
"""

from __future__ import annotations

import torch
from pytorch_msssim.ssim import gaussian_filter
from torch import Tensor

_K1, _K2 = 0.01, 0.03


def gaussian(window: int, sigma: float, like: Tensor) -> Tensor:
    """A Gaussian of ``window`` taps that sums to 1, (window,), on the device and in the dtype of ``like``.

    Made on the device: a constant copied from the host would make a CUDA stream wait.
    """
    offset = torch.arange(window, device=like.device, dtype=like.dtype) - window // 2
    weight = torch.exp(-(offset**2) / (2 * sigma**2))
    return weight / weight.sum()


def ssim_map(x: Tensor, y: Tensor, window: int = 11, sigma: float = 1.5, data_range: float | Tensor = 1.0) -> Tensor:
    """SSIM of every window that lies wholly inside the map.

    Args:
        x: one map, (B, 1, H, W), float32 or float64.
        y: the other, same shape and dtype.
        window: side of the Gaussian window in pixels, odd.
        sigma: its standard deviation in pixels.
        data_range: the distance between the smallest and the largest value there can be.

    Returns:
        SSIM in [-1, 1], (B, 1, H - window + 1, W - window + 1).

    Raises:
        ValueError: the maps are smaller than the window.
    """
    luminance, structure = ssim_parts(x, y, window, sigma, data_range)
    return luminance * structure


def ssim_parts(
    x: Tensor, y: Tensor, window: int = 11, sigma: float = 1.5, data_range: float | Tensor = 1.0
) -> tuple[Tensor, Tensor]:
    """The two factors of `ssim_map`: luminance, and contrast times structure (what MS-SSIM takes of finer scales).

    Arguments, shapes and errors as `ssim_map`.
    """
    if min(x.shape[-2:]) < window:
        raise ValueError(f"SSIM with a window of {window} needs maps of at least that size, not {tuple(x.shape[-2:])}")
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    # Autocast would run the filter in half precision, where variances cancel to nonsense.
    with torch.autocast(x.device.type, enabled=False):
        stack = torch.cat([x, y, x * x, y * y, x * y], dim=1)
        if stack.device.type == "cpu":
            # The depthwise filter vectorises over channels there: 2 to 6 times as fast as channels first.
            stack = stack.contiguous(memory_format=torch.channels_last)
        taps = gaussian(window, sigma, stack).expand(stack.shape[1], 1, 1, window)
        mean_x, mean_y, xx, yy, xy = gaussian_filter(stack, taps).split(1, dim=1)
        square_x, square_y, product = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
        luminance = (2 * product + c1) / (square_x + square_y + c1)
        structure = (2 * (xy - product) + c2) / (xx - square_x + yy - square_y + c2)
        return luminance, structure
