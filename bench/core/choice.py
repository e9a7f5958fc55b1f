"""`Candidate` and `Choice`: the precision and memory format that a model is trained in, and why these, as data."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from bench.core.spec import Layout, Precision, RunSpec


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
