"""Augmentation of quartets: operations by name, joined by plus signs, such as ``flip + rotate[degrees=5] + jpeg``."""

from __future__ import annotations

from bench.data.augment.pipeline import Augmentation, Pipeline, augment, geometric, parse
from bench.data.augmentations import augmentations

__all__ = ["Augmentation", "Pipeline", "augment", "augmentations", "geometric", "parse"]
