"""`Choice`: the precision and the memory format that a model is trained in, and why these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, NamedTuple, get_args

import torch
from pydantic import BaseModel, ConfigDict

from bench.environment import native_precisions, pick_precision
from bench.errors import BenchError
from bench.spec import Layout, Precision, RunSpec

MARGIN = 0.05
"""What is preferred gives way only to what is faster by more than this share: two measurements may differ as much."""


class Candidate(NamedTuple):
    """A precision with a memory format.

    >>> str(Candidate("bfloat16", "contiguous")), Candidate("float32", "channels_last").label
    ('bfloat16 contiguous', 'float32')
    """

    precision: Precision
    layout: Layout

    @classmethod
    def of(cls, spec: RunSpec) -> Candidate:
        """What a spec is trained in."""
        return cls(spec.precision, spec.layout)

    @property
    def label(self) -> str:
        """For people: the memory format is named only where it is not the usual one."""
        return self.precision if self.layout == "channels_last" else f"{self.precision}, {self.layout}"

    def __str__(self) -> str:
        return f"{self.precision} {self.layout}"


class Choice(BaseModel):
    """What was chosen where nobody asked for one precision and one memory format by name.

    Attributes:
        precision, layout: as in the spec.
        origin: ``measured`` on this machine (then or in an earlier run), taken from the ``records`` of the same
            leaderboard row, or the device's ``default`` where a run is too short to be worth measuring for.
        rates: images/s of a training step by candidate, where they were measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    layout: Layout
    origin: Literal["measured", "records", "default"]
    rates: dict[str, float] = {}

    @property
    def candidate(self) -> Candidate:
        """The precision with the memory format."""
        return Candidate(self.precision, self.layout)

    @property
    def gain(self) -> float | None:
        """Its rate over the best of float32; None for float32 itself, or where that was not measured."""
        plain = [rate for name, rate in self.rates.items() if name.startswith("float32 ")]
        mine = self.rates.get(str(self.candidate))
        return mine / max(plain) if plain and mine is not None and self.precision != "float32" else None

    @property
    def words(self) -> str:
        """One line for people."""
        label = self.candidate.label
        if self.origin == "records":
            return f"precision: {label}, as in the records of this leaderboard row"
        if self.origin == "default":
            return f"precision: {label}, without measuring"
        if self.gain is not None:
            return f"precision: {label}, {self.gain:.2f} times float32's rate, measured here"
        rates = ", ".join(f"{name} {rate:.4g}" for name, rate in self.rates.items())
        return f"precision: {label}, measured here (images/s: {rates})"


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
