"""`RunSpec`: everything that decides a run's outcome, frozen; its canonical JSON gives the run its id."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bench.core.files import canonical_json
from bench.core.protocol import Protocol

Precision = Literal["float32", "bfloat16", "tf32"]
Engine = Literal["eager", "compiled", "graphed"]
Layout = Literal["channels_last", "contiguous"]


class RunSpec(BaseModel):
    """A cell (model x recipe x protocol x data x precision and memory format) with a seed.

    Attributes:
        model: canonical key of `registry.models`.
        recipe: canonical text of a loss recipe.
        protocol: the whole budget, by value.
        data: the source's own description: parameters and content hash, no paths.
        precision: ``float32`` (as IEEE 754 has it, on a GPU too), ``bfloat16`` (autocast), or ``tf32`` (float32 whose
            convolutions and matrix products keep 10 bits of each factor; GPUs with tensor cores only).
        layout: memory format of images and weights, ``channels_last`` or ``contiguous``.
        seed: of initialisation, order and augmentation.
        engine: what runs a step: ``eager``, ``compiled`` or ``graphed``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    recipe: str
    protocol: Protocol
    data: dict[str, Any]
    precision: Precision = "float32"
    layout: Layout = "channels_last"
    seed: int = 0
    engine: Engine = "eager"

    @property
    def id(self) -> str:
        """Twelve hex digits that name this run's outcome."""
        return _digest(self._identity())

    @property
    def cell(self) -> str:
        """The same without the seed: what a leaderboard row is about."""
        return _digest({name: value for name, value in self._identity().items() if name != "seed"})

    def _identity(self) -> dict[str, Any]:
        fields = self.model_dump(mode="json", exclude={"protocol": {"summary"}})
        return {name: value for name, value in fields.items() if name != "engine" or value != "eager"}


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:12]
