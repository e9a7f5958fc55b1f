"""Building blocks that several published systems really have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_unit(
    channels_in: int, channels_out: int, *, bias: bool = True, eps: float = 1e-5, dropout: float = 0.0
) -> nn.Sequential:
    """3x3 convolution, batch norm, element-wise dropout (none at 0), ReLU: (B, i, H, W) to (B, o, H, W)."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias),
        nn.BatchNorm2d(channels_out, eps=eps),
    ]
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


def double_conv(
    channels_in: int, channels_out: int, *, middle: int | None = None, bias: bool = True, dropout: float = 0.0
) -> nn.Sequential:
    """Two `conv_unit` in a row, ``middle`` channels between them (default: as many as come out)."""
    middle = channels_out if middle is None else middle
    first = conv_unit(channels_in, middle, bias=bias, dropout=dropout)
    return nn.Sequential(*first, *conv_unit(middle, channels_out, bias=bias, dropout=dropout))


def upsample(
    x: Tensor, dtype: torch.dtype, *, align_corners: bool = False, size: Sequence[int] | None = None
) -> Tensor:
    """Bilinear, to twice the size or to ``size``, in the type of the skip that it is to meet.

    Autocast computes it in float32 on CUDA, and joining that to a skip in bfloat16 would make the largest tensors of a
    decoder float32. A convolution that follows rounds to bfloat16 anyway: what is concatenated keeps its value to the
    bit; what is added is rounded once more (2**-9 of it at most).
    """
    doubles = size is None or [*size] == [2 * side for side in x.shape[-2:]]
    if doubles and torch.compiler.is_compiling():
        rows_first = x.permute(0, 2, 3, 1).float()  # as it lies in memory, channels last: so is then what comes of it
        return double(double(rows_first, 1, align_corners), 2, align_corners).to(dtype).permute(0, 3, 1, 2)
    factor = 2 if size is None else None
    x = functional.interpolate(x, size=size, scale_factor=factor, mode="bilinear", align_corners=align_corners)
    return x.to(dtype)


def double(x: Tensor, axis: int, align_corners: bool) -> Tensor:
    """Linear interpolation to twice the length along an axis of (B, H, W, C), from shifted copies.

    For a compiler: of the gather that it makes of `functional.interpolate` the gradient is a scatter by atomic
    additions, which takes a quarter of a U-Net's step on a GPU; of these sums it is a sum, always in the same order.
    """
    count = x.shape[axis]
    before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, count - 1)], dim=axis)
    after = torch.cat([x.narrow(axis, 1, count - 1), x.narrow(axis, count - 1, 1)], dim=axis)
    towards_before: Tensor | float = 0.25
    towards_after: Tensor | float = 0.25
    if align_corners:  # output i lies at i (count - 1) / (2 count - 1)
        at = torch.arange(count, device=x.device, dtype=x.dtype).view(-1, *[1] * (3 - axis))
        towards_before, towards_after = at / (2 * count - 1), (count - 1 - at) / (2 * count - 1)
    even, odd = x + towards_before * (before - x), x + towards_after * (after - x)
    return torch.stack([even, odd], dim=axis + 1).flatten(axis, axis + 1)


class Halve(nn.Module):
    """2x2 max pooling that keeps sides of 1 pixel: (B, C, H, W) to (B, C, max(H//2, 1), max(W//2, 1))."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool once."""
        height, width = x.shape[-2:]
        return functional.max_pool2d(x, (min(2, height), min(2, width)))


class UpConcat(nn.Module):
    """Bilinear doubling (corners aligned), padding to the skip's size, ``[skip, up]``, double convolution.

    Both inputs have as many channels as the skip: (B, s, h, w) and (B, s, H, W) to (B, o, H, W).
    """

    def __init__(self, skip: int, channels_out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.convs = double_conv(2 * skip, channels_out, middle=skip, dropout=dropout)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """The lower level ``x`` and the encoder's ``skip`` of this level."""
        x = upsample(x, skip.dtype, align_corners=True)
        missing = [skip.shape[-1] - x.shape[-1], skip.shape[-2] - x.shape[-2]]
        if any(missing):
            # Negative amounts crop: a side of 1 pixel was not halved on the way down.
            x = functional.pad(x, [amount for m in missing for amount in (m // 2, m - m // 2)])
        return self.convs(torch.cat([skip, x], dim=1))  # type: ignore[no-any-return]


class Branch(nn.Module):
    """Encoder, decoder and 1x1 head of a U-Net that starts from a stem's features (systems 000 and 003).

    Args:
        widths: channels of the stem and of each level below it; the last two are equal, as the deepest level
            is concatenated with the skip above it.
        dropout: element-wise dropout before each ReLU.
    """

    def __init__(self, widths: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(Halve(), double_conv(above, below, dropout=dropout)) for above, below in pairwise(widths)
        )
        skips = list(widths[-2::-1])
        outs = [*skips[1:], widths[0]]
        self.up = nn.ModuleList(UpConcat(skip, out, dropout) for skip, out in zip(skips, outs, strict=True))
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, stem: Tensor) -> Tensor:
        """Stem features (B, widths[0], H, W) to logits (B, 1, H, W)."""
        features = [stem]
        for down in self.down:
            features.append(down(features[-1]))
        x = features.pop()
        for up, skip in zip(self.up, reversed(features), strict=True):
            x = up(x, skip)
        return self.head(x)  # type: ignore[no-any-return]

    def stages(self, prefix: str) -> dict[str, list[nn.Module]]:
        """The branch as three blocks: encoder, decoder, head."""
        return {f"{prefix}_encoder": [*self.down], f"{prefix}_decoder": [*self.up], f"{prefix}_head": [self.head]}

    def levels(self) -> dict[str, list[nn.Module]]:
        """The branch as a block per level."""
        downs = {f"down{i}": [level] for i, level in enumerate(self.down, 1)}
        ups = {f"up{i}": [level] for i, level in enumerate(self.up, 1)}
        return {**downs, **ups, "head": [self.head]}
