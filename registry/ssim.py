"""Structural similarity, pixel by pixel: shared by the loss terms and the metrics.

Source: Wang, Bovik, Sheikh and Simoncelli 2004. Equals `pytorch_msssim.ssim` where its windows are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pytorch_msssim.ssim import gaussian_filter
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from registry.contract import Head

_K1, _K2 = 0.01, 0.03
_SIGMA = 1.5
"""Standard deviation of the Gaussian window, pixels."""


def gaussian(window: int, like: Tensor) -> Tensor:
    """A Gaussian of ``window`` taps that sums to 1, (window,), on the device and in the dtype of ``like``.

    Made on the device: a constant copied from the host would make a CUDA stream wait.
    """
    offset = torch.arange(window, device=like.device, dtype=like.dtype) - window // 2
    weight = torch.exp(-(offset**2) / (2 * _SIGMA**2))
    return weight / weight.sum()


def ssim_of(head: Head, true: Tensor, window: int = 11) -> Tensor:
    """`ssim_map` of a head and its target; computed once for all callers where no gradient is recorded.

    So an evaluation's term and metric share a map. Only windows without an unknown pixel mean anything in it.

    Args:
        head: the head, (B, 1, H, W).
        true: its target, (B, 1, H, W) in [0, 1]; anything, NaN too, where that is unknown.
        window: as in `ssim_map`.
    """
    return head.compared(true, ("ssim", window), lambda: ssim_map(head.value, true.to(head.value.dtype), window))


def ssim_map(
    x: Tensor,
    y: Tensor,
    window: int = 11,
    data_range: float | Tensor = 1.0,
    bounded: bool = True,
) -> Tensor:
    """SSIM of every window that lies wholly inside the map.

    Args:
        x: a map, (B, 1, H, W); float32 or float64, half precision is computed in float32.
        y: the other, same shape and dtype.
        window: side of the Gaussian window in pixels, odd.
        data_range: the distance between the smallest and the largest possible value.
        bounded: whether the values lie in [0, 1]. Far outside, as logits do, rounding can make a variance negative:
            it is then held at 0.

    Returns:
        SSIM in [-1, 1], (B, 1, H - window + 1, W - window + 1).

    Raises:
        ValueError: the maps are smaller than the window.
    """
    luminance, structure = ssim_parts(x, y, window, data_range, bounded)
    return luminance * structure


def ssim_parts(
    x: Tensor,
    y: Tensor,
    window: int = 11,
    data_range: float | Tensor = 1.0,
    bounded: bool = True,
) -> tuple[Tensor, Tensor]:
    """The two factors of `ssim_map`: luminance, and contrast times structure (what MS-SSIM takes of finer scales).

    Arguments, shapes and errors as `ssim_map`.
    """
    check_window(x, window)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    # In half precision variances would cancel to nonsense; autocast would filter in it.
    with torch.autocast(x.device.type, enabled=False):
        x, y = (maps.to(torch.promote_types(maps.dtype, torch.float32)) for maps in (x, y))
        mean_x, mean_y, xx, yy, xy = _blurred((x, y, x * x, y * y, x * y), gaussian(window, x))
        square_x, square_y, product = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
        luminance = (2 * product + c1) / (square_x + square_y + c1)
        variances = xx - square_x + yy - square_y
        structure = (2 * (xy - product) + c2) / ((variances if bounded else variances.clamp(min=0)) + c2)
        return luminance, structure


def check_window(maps: Tensor, window: int) -> None:
    """Refuse maps (B, 1, H, W) that no window of ``window`` pixels fits into.

    Raises:
        ValueError: a side is smaller than the window.
    """
    if min(maps.shape[-2:]) < window:
        size = tuple(maps.shape[-2:])
        raise ValueError(f"SSIM with a window of {window} needs maps of at least that size, not {size}")


def whole_windows(valid: Tensor, window: int) -> Tensor:
    """Where a window holds valid pixels only: bool (B, 1, H, W) to the size of the SSIM map; exact."""
    for axis in (-1, -2):
        reach = 1
        while reach < window:  # two windows that touch or overlap make a window of up to twice their size
            step = min(reach, window - reach)
            starts = valid.shape[axis] - step
            valid = valid.narrow(axis, 0, starts) & valid.narrow(axis, step, starts)
            reach += step
    return valid


def _blurred(maps: Sequence[Tensor], taps: Tensor) -> Sequence[Tensor]:
    """Maps (B, 1, H, W) under the separable window of ``taps``, where it lies wholly inside.

    On a CPU each alone, as shifted sums: about half the time of a depthwise convolution forward and backward, added in
    the same order, and maps of the truth cost nothing backward. On other devices in a single convolution, as launches
    count.
    """
    if taps.device.type == "cpu":
        weights = taps.tolist()
        return [_ShiftedSums.apply(each, weights) for each in maps]
    stack = torch.cat(list(maps), dim=1)
    blurred: Tensor = gaussian_filter(stack, taps.expand(len(maps), 1, 1, -1))
    return blurred.chunk(len(maps), dim=1)


class _ShiftedSums(torch.autograd.Function):
    """A separable filter over (..., H, W), a multiply-add of the whole map for each tap and direction.

    Along rows the maps are a single line of pixels: the sums that run over its line ends, in the last columns, are
    cut off. That keeps every pass contiguous.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, maps: Tensor, taps: list[float]) -> Tensor:
        ctx.taps = taps  # type: ignore[attr-defined]
        reach = len(taps) - 1
        height, width = (side - reach for side in maps.shape[-2:])
        maps = maps.contiguous()
        down = maps[..., :height, :] * taps[0]
        for shift, tap in enumerate(taps[1:], 1):
            down.add_(maps[..., shift : shift + height, :], alpha=tap)
        across = torch.empty_like(down)
        line, sums = down.view(-1), across.view(-1)[: down.numel() - reach]
        torch.mul(line[: len(sums)], taps[0], out=sums)
        for shift, tap in enumerate(taps[1:], 1):
            sums.add_(line[shift : shift + len(sums)], alpha=tap)
        return across[..., :width]

    @staticmethod
    @once_differentiable
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> tuple[Tensor, None]:
        taps: list[float] = ctx.taps  # type: ignore[attr-defined]
        reach = len(taps) - 1
        across = functional.pad(grads[0], (0, reach))
        down = across * taps[0]
        line, sums = down.view(-1), across.view(-1)[: across.numel() - reach]
        for shift, tap in enumerate(taps[1:], 1):
            line[shift : shift + len(sums)].add_(sums, alpha=tap)
        height, width = down.shape[-2:]
        maps = down.new_zeros(*down.shape[:-2], height + reach, width)
        for shift, tap in enumerate(taps):
            maps[..., shift : shift + height, :].add_(down, alpha=tap)
        return maps, None
