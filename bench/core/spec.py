"""`RunSpec`: everything that decides a run's outcome, frozen; its canonical JSON gives the run its id."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from bench.core.files import canonical_json
from bench.core.protocol import Protocol

Precision = Literal["float32", "bfloat16", "tf32"]
MemoryFormat = Literal["channels_last", "contiguous"]
Engine = Literal["eager", "compiled", "graphed"]
Inputs = Literal["pair", "image"]

LATER: dict[str, Any] = {"engine": "eager", "inputs": "pair", "init": ""}
"""Fields that specs did not have from the beginning, with their defaults: only another value enters the digest."""


class RunSpec(BaseModel):
    """A cell (model x recipe x protocol x data x precision and memory format) with a seed.

    Attributes:
        model: canonical key of `registry.models`.
        recipe: canonical text of a loss recipe.
        protocol: the whole budget, by value.
        data: the source's own description: parameters and content hash, no paths.
        precision: ``float32`` (as IEEE 754 has it, on a GPU too), ``bfloat16`` (autocast), or ``tf32`` (float32 whose
            convolutions and matrix products keep 10 bits of each factor; GPUs with tensor cores only).
        memory_format: of images and weights, ``channels_last`` or ``contiguous``; ``layout`` in records of format 1.
        engine: what runs a step: ``eager``, ``compiled`` or ``graphed``.
        inputs: ``pair``, background and composite, or ``image``, the composite alone.
        init: checksum of the weights that training starts from; empty for random ones.
        seed: of initialisation, order and augmentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    recipe: str
    protocol: Protocol
    data: dict[str, Any]
    precision: Precision = "float32"
    memory_format: MemoryFormat = "channels_last"
    engine: Engine = "eager"
    inputs: Inputs = "pair"
    init: str = ""
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _read_format_1(cls, given: Any) -> Any:
        """Accept the name that the memory format had in records of format 1."""
        if isinstance(given, dict) and "layout" in given and "memory_format" not in given:
            return {"memory_format" if name == "layout" else name: value for name, value in given.items()}
        return given

    @property
    def id(self) -> str:
        """Twelve hex digits that name this run's outcome."""
        return _digest(self._identity())

    @property
    def cell(self) -> str:
        """The same without the seed: what a leaderboard row is about."""
        return _digest({name: value for name, value in self._identity().items() if name != "seed"})

    @property
    def precision_label(self) -> str:
        """How it is computed, for people: the precision, and of the rest what is not the usual.

        >>> from bench.core.protocol import find_protocol
        >>> RunSpec(model="unet", recipe="", protocol=find_protocol("quick"), data={}, inputs="image").precision_label
        'float32, inputs=image'
        """
        unusual = {
            name: getattr(self, name)
            for name, usual in ({"memory_format": "channels_last"} | LATER).items()
            if getattr(self, name) != usual
        }
        plain = ("memory_format", "engine")  # whose values say what they are
        return ", ".join(
            [self.precision, *(value if name in plain else f"{name}={value}" for name, value in unusual.items())]
        )

    def _identity(self) -> dict[str, Any]:
        """What is hashed: with the field names of format 1, so that ids never change."""
        fields = self.model_dump(mode="json", exclude={"protocol": {"summary"}})
        fields["layout"] = fields.pop("memory_format")
        return {name: value for name, value in fields.items() if name not in LATER or value != LATER[name]}


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:12]
