"""System 001's frame: an encoder over ``bg_fg`` alone, and a decoder shared by both heads or for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from torch import Tensor, nn

from registry.contract import Model, Prediction
from registry.ranges import between

DEPTH_CHANNELS = between(1, 64)
"""Channels that the depth head may have."""


class Trunk(nn.Module):
    """Bottleneck and decoder: the encoder's features, highest resolution first, to (B, width, H, W).

    Args:
        centre: from the deepest feature to the start of the decoder.
        up: a module per feature, deepest first, each called with ``(below, skip)``.
    """

    def __init__(self, centre: nn.Module, up: Iterable[nn.Module]) -> None:
        super().__init__()
        self.centre = centre
        self.up = nn.ModuleList(up)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Run the decoder over all features."""
        x = self.centre(features[-1])
        for up, skip in zip(self.up, reversed(features), strict=True):
            x = up(x, skip)
        return x  # type: ignore[no-any-return]


class TrunkNet(Model):
    """U-Net of system 001: it never sees ``bg``.

    Published, bottleneck and decoder were run twice with the same weights on the same input, once for each
    head: the shared form runs them once, which gives bit-identical outputs for half the compute. The twin form
    has a trunk for each head, which is what the published parameter counts (of a table that counted the
    shared weights twice) describe.

    Args:
        down: encoder levels, each from the output of the level before.
        trunk: builds a `Trunk` over the levels' outputs.
        width: channels that leave a trunk.
        twin: a trunk per head.
        depth_channels: channels of the depth head (published: 3, a colour map); `Prediction` has a single depth
            channel, the mean of their logits.
    """

    stride = 16

    def __init__(
        self, down: Iterable[nn.Module], trunk: Callable[[], Trunk], width: int, twin: bool, depth_channels: int
    ) -> None:
        super().__init__()
        self.down = nn.ModuleList(down)
        self.trunks = nn.ModuleDict({name: trunk() for name in (("mask", "depth") if twin else ("shared",))})
        self.mask_head = nn.Conv2d(width, 1, 1)
        self.depth_head = nn.Conv2d(width, depth_channels, 1)

    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """``bg_fg`` (B, 3, H, W) in [0, 1] to mask and depth logits (B, 1, H, W)."""
        features: list[Tensor] = []
        x = bg_fg
        for down in self.down:
            x = down(x)
            features.append(x)
        decoded = [trunk(features) for trunk in self.trunks.values()]
        return Prediction(self.mask_head(decoded[0]), self.depth_head(decoded[-1]).mean(dim=1, keepdim=True))

    def blocks(self) -> dict[str, list[nn.Module]]:
        """Encoder levels, bottleneck and decoder of each trunk, heads."""
        blocks: dict[str, list[nn.Module]] = {f"down{i}": [level] for i, level in enumerate(self.down, 1)}
        for name, trunk in self.trunks.items():
            assert isinstance(trunk, Trunk)
            blocks[f"{name}_bottleneck"] = [trunk.centre]
            blocks[f"{name}_decoder"] = [*trunk.up]
        return {**blocks, "heads": [self.mask_head, self.depth_head]}
