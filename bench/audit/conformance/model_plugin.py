"""`ModelPlugin`: a model under check, with the images that the checks show it and the logits that it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from bench.audit.conformance.check import Violation, require
from registry.contract import Prediction, Quartet
from registry.models.baselines import Fitted

_UNDECLARED = 32
"""The stride that is assumed of a model that declares none: what most encoders need."""
SEED = 0
"""Under which the model is built."""


@dataclass
class ModelPlugin:
    """A model under check.

    Attributes:
        name: what messages call it.
        build: makes a fresh model; random weights come from torch's global generator.
    """

    name: str
    build: Callable[[], nn.Module]

    @cached_property
    def model(self) -> nn.Module:
        """A model built under a fixed seed and, if it learns from statistics alone, fitted."""
        return self.seeded(SEED)

    @property
    def stride(self) -> int:
        """Sizes are taken to be multiples of this: as declared, else `_UNDECLARED`."""
        return int(getattr(self.model, "stride", _UNDECLARED))

    def seeded(self, seed: int) -> nn.Module:
        """A fresh model, built under a seed.

        Raises:
            Violation: what is built is no module.
        """
        torch.manual_seed(seed)
        model = self.build()
        require(isinstance(model, nn.Module), f"builds a {type(model).__name__}, which is no torch.nn.Module")
        if isinstance(model, Fitted):
            mask, depth = torch.rand(2, 1, 8, 8).round(), torch.rand(2, 1, 8, 8)
            model.fit([Quartet(*images(2, 8, 8), mask, depth, torch.ones_like(depth))])
        return model


def images(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Two batches of noise in [0, 1], (B, 3, H, W) each, the same each time."""
    bg, bg_fg = torch.rand(2, batch, 3, height, width, generator=torch.Generator().manual_seed(1))
    return bg, bg_fg


def logits(model: nn.Module, pair: tuple[Tensor, Tensor]) -> Tensor:
    """All heads' logits for a pair of image batches, (B, heads, H, W), float32.

    Raises:
        Violation: the model returns no `Prediction`, an empty `Prediction`, or logits of another shape.
    """
    prediction = model(*pair)
    if not isinstance(prediction, Prediction):
        kind = type(prediction).__name__
        raise Violation(f"returns a {kind}; return registry.contract.Prediction(mask_logits, depth_logits)")
    heads = dict(prediction.heads())
    require(heads, "returns a Prediction without any logits")
    expected = (len(pair[0]), 1, *pair[0].shape[-2:])
    for name, head in heads.items():
        shape = tuple(head.logits.shape)
        require(shape == expected, f"{name}_logits have shape {shape}, not {expected}")
    return torch.cat([head.logits for head in heads.values()], dim=1)


def training_pair(plugin: ModelPlugin) -> tuple[Tensor, Tensor]:
    """Two images of three strides by two, as `images`."""
    return images(2, 3 * plugin.stride, 2 * plugin.stride)
