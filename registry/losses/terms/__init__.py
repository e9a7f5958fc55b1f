"""The registry of loss terms; importing it imports none of them.

A term is registered with two facts: ``source``, and ``heads``, those whose perfect prediction is its optimum.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from registry.contract import Head, Target

    Term = Callable[[Head, Target], Tensor]
    """A term with its parameters bound: prediction and target (B, 1, H, W) to a scalar."""


class Terms(Registry["Tensor"]):
    """Names to terms. Terms are bound rather than built: `bind` fixes the parameters that a key carries."""

    def bind(self, key: str) -> Term:
        """The term that a key names, its parameters fixed.

        Raises:
            UnknownName, BadParameter: as `resolve`.
        """
        entry, params = self.resolve(key)
        return functools.partial(entry.build, **params)


terms = Terms(
    "loss term",
    where="bench list losses",
    group="maskdepth_bench.terms",
    index="registry.losses.terms:terms",
    inputs=("prediction", "target"),
)

terms.lazy("registry.losses.terms.region", "dice", "iou", "lovasz", "tversky")
terms.lazy("registry.losses.terms.pixel", "bce", "focal", "l1", "l2", "rmse")
terms.lazy("registry.losses.terms.structure", "dssim", "ms_ssim", "ssim")
terms.lazy("registry.losses.terms.depth", "berhu", "silog", "ssi")
terms.lazy("registry.losses.terms.edge", "edge", "gradient")
terms.alias("depth_edge", "edge")
