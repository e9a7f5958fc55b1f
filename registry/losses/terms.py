"""The registry of loss terms; importing it imports none of them.

A term is registered with two facts: ``source``, and ``heads``, those whose perfect prediction is its optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from registry.contract import Head, Target

    Term = Callable[[Head, Target], Tensor]
    """A term with its parameters bound: prediction and target (B, 1, H, W) to a scalar."""

terms: Registry[Tensor] = Registry(
    "loss term",
    where="bench list losses",
    group="maskdepth_bench.terms",
    index="registry.losses.terms:terms",
    arguments=("prediction", "target"),
)

terms.lazy("registry.losses.region", "dice", "iou", "lovasz", "tversky")
terms.lazy("registry.losses.pixel", "bce", "focal", "l1", "l2", "rmse")
terms.lazy("registry.losses.structure", "dssim", "ms_ssim", "ssim")
terms.lazy("registry.losses.depth", "berhu", "silog", "ssi")
terms.lazy("registry.losses.edge", "edge", "gradient")
terms.alias("depth_edge", "edge")
