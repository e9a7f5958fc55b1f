"""Protocols: named, versioned budgets. A leaderboard compares within one protocol only."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bench.core.errors import BenchError
from registry.errors import UnknownName


class Stage(BaseModel):
    """A stretch of training at one resolution: image side in pixels, images a step, passes over the samples."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(gt=0)
    batch: int = Field(gt=0)
    epochs: int = Field(ge=0)


class Protocol(BaseModel):
    """A budget that every model gets alike.

    Attributes:
        name: its key, ``custom`` once anything was changed.
        version: raised whenever the numbers below change, so that old records are never ranked with new ones.
        base: of a custom protocol, the one it was made from.
        stages: progressive resolutions; the last one's size is what is evaluated at.
        train_samples, val_samples, test_samples: composites a pass.
        optimizer, schedule: keys of `bench.train.optim`, parameters in brackets.
        augmentation: a level of `bench.data.augment`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    summary: str = ""
    base: str | None = None
    stages: tuple[Stage, ...] = Field(min_length=1)
    train_samples: int = Field(gt=0)
    val_samples: int = Field(gt=0)
    test_samples: int = Field(gt=0)
    optimizer: str = "adam"
    schedule: str = "onecycle"
    augmentation: str = "flip"

    @property
    def size(self) -> int:
        """The side of the images that validation and test are made at, pixels."""
        return self.stages[-1].size

    @property
    def epochs(self) -> int:
        """Passes over the training samples, all stages together."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def epoch_steps(self) -> tuple[int, ...]:
        """Training steps of each epoch; samples that fill no batch are left out."""
        return tuple(self.train_samples // stage.batch for stage in self.stages for _ in range(stage.epochs))

    @property
    def steps(self) -> int:
        """Training steps, all epochs together."""
        return sum(self.epoch_steps)

    def steps_before(self, epoch: int) -> int:
        """Training steps of all epochs before this one (counted from 1)."""
        return sum(self.epoch_steps[: epoch - 1])

    def stage_of(self, epoch: int) -> Stage:
        """The stage that an epoch (counted from 1) belongs to."""
        for stage in self.stages:
            if epoch <= stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("an epoch beyond the last stage")

    @property
    def label(self) -> str:
        """What a leaderboard calls it; a custom protocol shows its base and a hash of its content."""
        if self.base is None:
            return f"{self.name} v{self.version}"
        content = self.model_dump_json(exclude={"name", "summary"})
        return f"custom {hashlib.sha256(content.encode()).hexdigest()[:6]} (from {self.base} v{self.version})"

    def override(self, **changes: Any) -> Protocol:
        """A custom protocol with some values changed; values that are None or as before change nothing.

        ``epochs``, ``batch`` and ``size`` apply to every stage.

        Raises:
            BenchError: a value that no protocol can have.
        """
        changes = {k: v for k, v in changes.items() if v is not None}
        in_stage = {k: changes.pop(k) for k in ("epochs", "batch", "size") if k in changes}
        if in_stage:
            changes["stages"] = [{**stage.model_dump(), **in_stage} for stage in self.stages]
        try:
            changed = Protocol.model_validate({**self.model_dump(), **changes})
        except ValueError as error:
            raise BenchError(f"not a protocol: {error}") from error
        if changed == self:
            return self
        return changed.model_copy(update={"name": "custom", "base": self.base or self.name})


PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol(
            name="quick",
            version=1,
            summary="64x64 on a CPU, about a minute a model; enough to tell models apart, not to rank close ones",
            stages=(Stage(size=64, batch=8, epochs=2),),
            train_samples=1024,
            val_samples=128,
            test_samples=256,
            optimizer="adam[lr=0.003]",
            schedule="onecycle",
        ),
        Protocol(
            name="standard",
            version=1,
            summary="64 -> 112 -> 192 progressive over 40,000 composites; for a GPU",
            stages=(
                Stage(size=64, batch=128, epochs=3),
                Stage(size=112, batch=64, epochs=2),
                Stage(size=192, batch=32, epochs=2),
            ),
            train_samples=40_000,
            val_samples=1_000,
            test_samples=2_000,
            optimizer="adam[lr=0.001]",
            schedule="cosine",
        ),
        Protocol(
            name="full",
            version=1,
            summary="64 -> 112 -> 192 progressive over 400,000 composites, as the published experiment; for a GPU",
            stages=(
                Stage(size=64, batch=128, epochs=3),
                Stage(size=112, batch=64, epochs=2),
                Stage(size=192, batch=32, epochs=2),
            ),
            train_samples=400_000,
            val_samples=2_000,
            test_samples=4_000,
            optimizer="adam[lr=0.001]",
            schedule="cosine",
        ),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        UnknownName: there is none; the message names the nearest.
    """
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS, "bench list protocols")
    return PROTOCOLS[name]
