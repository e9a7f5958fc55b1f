"""`Choice`: the precision and the memory format that a model is trained in, and why these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import get_args

import torch

from bench.core.choice import Candidate
from bench.core.errors import BenchError
from bench.core.machine import native_precisions, pick_precision
from bench.core.spec import Layout

MARGIN = 0.05
"""What is preferred gives way only to what is faster by more than this share: two measurements may differ as much."""


def candidates(device: torch.device, precision: str = "auto", layout: str = "auto") -> list[Candidate]:
    """What may be chosen on a device, the preferred first: float32 before bfloat16, channels_last before contiguous.

    Args:
        device: decides which precisions ``auto`` stands for: those it computes in natively.
        precision, layout: a name, or ``auto`` for all.

    Raises:
        BenchError: an unknown name.
    """
    layouts: tuple[Layout, ...] = get_args(Layout)
    if layout != "auto" and layout not in layouts:
        raise BenchError(f"unknown memory format {layout!r}; choose auto, {' or '.join(layouts)}")
    precisions = native_precisions(device) if precision == "auto" else (pick_precision(device, precision),)
    return [Candidate(*pair) for pair in product(precisions, layouts) if layout in ("auto", pair[1])]


def fastest(rates: Mapping[Candidate, float]) -> Candidate:
    """The preferred one of those that come within `MARGIN` of the highest rate.

    Args:
        rates: images/s by candidate, the preferred first, at least one.
    """
    highest = max(rates.values())
    return next(candidate for candidate, rate in rates.items() if rate * (1 + MARGIN) >= highest)


def default(device: torch.device, among: Sequence[Candidate]) -> Candidate:
    """What is taken without measuring: the device's own precision, in the preferred memory format."""
    native = pick_precision(device)
    return next((candidate for candidate in among if candidate.precision == native), among[0])
