"""Augmentations by name, joined by plus signs: ``flip + rotate[degrees=5] + jpeg``. Importing this imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.registry import Registry

if TYPE_CHECKING:
    from bench.data.augment.operation import Operation

augmentations: Registry[Operation] = Registry(
    "augmentation",
    "bench list augmentations",
    group="maskdepth_bench.augmentations",
    index="bench.data.augment:augmentations",
    makes="bench.data.augment.operation:Operation",
)
augmentations.lazy("bench.data.augment.standard", "none", "flip", "standard")
augmentations.lazy("bench.data.augment.movements", "crop", "scale", "rotate")
augmentations.lazy("bench.data.augment.colours", "brightness", "contrast", "saturation", "hue", "grey")
augmentations.lazy("bench.data.augment.colours", "blur", "noise", "jpeg", "dropout")
