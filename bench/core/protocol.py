"""Protocols: named, versioned budgets. A leaderboard compares within one protocol only."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from bench.core.amount import amount
from bench.core.errors import BenchError
from registry.optimizers import optimizers
from registry.registry import Registry
from registry.schedules import schedules

Samples = Annotated[int, Field(gt=0, le=2**31)]
"""Composites a pass."""
Normalization = Literal["none", "data", "imagenet"]
NORMALIZED_BY = {"data": "the training split's mean and standard deviation", "imagenet": "ImageNet's"}
"""What a protocol's normalisation goes by, in words."""
LATER: dict[str, Any] = {"normalize": "none", "patience": 0}
"""Fields that protocols did not have from the beginning, with their defaults: only another value is written."""


class Stage(BaseModel):
    """A stretch of training at one resolution: image side in pixels, images a step, passes over the samples."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(gt=0, le=8192)
    batch: int = Field(gt=0, le=2**20)
    epochs: int = Field(ge=0, le=100_000)

    @property
    def label(self) -> str:
        """The stage in a few words."""
        return f"{self.size} px, {self.batch} images"


class Protocol(BaseModel):
    """A budget that every model gets alike.

    Attributes:
        name: its key, ``custom`` once anything was changed.
        version: raised whenever the numbers below change, so that old records are never ranked with new ones.
        summary: what it is for, in words; decides nothing.
        base: of a custom protocol, the name of the protocol it was made from; of a user's own, its own name.
        stages: progressive resolutions; validation and test have the size of the last stage.
        train_samples, val_samples, test_samples: composites a pass.
        optimizer, schedule: keys of `registry.optimizers` and `registry.schedules`, parameters in brackets.
        augmentation: a level of `bench.data.augment`.
        normalize: of the images that a network gets: ``none``, mean and standard deviation of the training split
            (``data``), or those of ImageNet (``imagenet``).
        patience: epochs of a stage without a better validation loss after which training ends; 0: it never does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    summary: str = ""
    base: str | None = None
    stages: tuple[Stage, ...] = Field(min_length=1)
    train_samples: Samples
    val_samples: Samples
    test_samples: Samples
    optimizer: str = "adam"
    schedule: str = "onecycle"
    augmentation: str = "flip"
    normalize: Normalization = "none"
    patience: int = Field(default=0, ge=0, le=100_000)

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = dump(self)
        return {name: value for name, value in values.items() if name not in LATER or value != LATER[name]}

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
        """Training steps of all epochs before ``epoch`` (counted from 1)."""
        return sum(self.epoch_steps[: epoch - 1])

    def stage_of(self, epoch: int) -> Stage:
        """The stage that an epoch (counted from 1) belongs to."""
        for stage in self.stages:
            if epoch <= stage.epochs:
                return stage
            epoch -= stage.epochs
        raise IndexError("an epoch beyond the last stage")

    @property
    def about(self) -> str:
        """What it is for; of a custom protocol, what its numbers are: the summary is that of the one it changes."""
        if self.name != "custom":
            return self.summary
        stages = [(stage.label, amount(stage.epochs, "epoch")) for stage in self.stages]
        sizes = " -> ".join(f"{label} a step, {epochs}" for label, epochs in stages)
        return (
            f"{sizes} over {self.train_samples:,} training samples, {self.val_samples:,} for validation, "
            f"{self.test_samples:,} test samples; {', '.join([self.optimizer, self.schedule, *self._unusual()])}"
        )

    def _unusual(self) -> list[str]:
        """What few protocols change, where this one does."""
        found = [f"augmentation {self.augmentation}"] if self.augmentation != "flip" else []
        if self.normalize != "none":
            found.append(f"inputs normalised by {NORMALIZED_BY[self.normalize]}")
        if self.patience:
            epochs = amount(self.patience, "epoch")
            found.append(f"training ends after {epochs} of a stage without a better validation loss")
        return found

    @property
    def label(self) -> str:
        """What a leaderboard calls it; a custom protocol, or a user's own, shows a hash of its content."""
        if self.base is None:
            return f"{self.name} v{self.version}"
        content = self.model_dump_json(exclude={"name", "summary"})
        digest = hashlib.sha256(content.encode()).hexdigest()[:6]
        if self.base == self.name:
            return f"{self.name} v{self.version} ({digest})"
        return f"custom {digest} (from {self.base} v{self.version})"

    def override(self, **changes: Any) -> Protocol:
        """A custom protocol with some values changed; values that are None or as before change nothing.

        ``epochs``, ``batch`` and ``size`` apply to every stage. Optimizer and schedule are spelt canonically.

        Raises:
            BenchError: a value that no protocol can have.
            RegistryError: no such optimizer or schedule, or not with these parameters.
        """
        changes = {k: v for k, v in changes.items() if v is not None}
        in_stage = {k: changes.pop(k) for k in ("epochs", "batch", "size") if k in changes}
        if in_stage:
            changes["stages"] = [{**stage.model_dump(), **in_stage} for stage in self.stages]
        changed = _validated({**self.model_dump(), **changes}, "not a protocol")
        if changed == self:
            return self
        return _recognised(changed.model_copy(update={"name": "custom", "base": self.base or self.name}))

    def canonical(self, augmentation: str | None = None) -> Protocol:
        """The same budget with canonical keys, and under its registered name if it is a registered protocol.

        Args:
            augmentation: its canonical form, which `bench.data.augment` knows; None leaves it as it is.

        Raises:
            RegistryError: no such optimizer or schedule, or not with these parameters.
        """
        keys = {"optimizer": optimizers.canonical(self.optimizer), "schedule": schedules.canonical(self.schedule)}
        return _recognised(self.model_copy(update={**keys, "augmentation": augmentation or self.augmentation}))

    def toml(self) -> str:
        """The protocol as a TOML file that `find_protocol` reads back."""
        values = self.model_dump(exclude={"stages", "base"})
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
        for stage in self.stages:
            lines += ["", "[[stages]]", *(f"{name} = {value}" for name, value in stage.model_dump().items())]
        return "\n".join(lines) + "\n"


protocols: Registry[Protocol] = Registry(
    "protocol",
    where="bench list protocols",
    group="maskdepth_bench.protocols",
    index="bench.core.protocol:protocols",
    values=Protocol,
)

_PROGRESSIVE = (
    Stage(size=64, batch=128, epochs=3),
    Stage(size=112, batch=64, epochs=2),
    Stage(size=192, batch=32, epochs=2),
)
for _protocol in (
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
        stages=_PROGRESSIVE,
        train_samples=40_000,
        val_samples=1_000,
        test_samples=2_000,
        optimizer="adam",
        schedule="cosine",
    ),
    Protocol(
        name="full",
        version=1,
        summary="64 -> 112 -> 192 progressive over 400,000 composites, as the published experiment; for a GPU",
        stages=_PROGRESSIVE,
        train_samples=400_000,
        val_samples=2_000,
        test_samples=4_000,
        optimizer="adam",
        schedule="cosine",
    ),
):
    protocols.add(
        _protocol.name,
        _protocol,
        about=f"{_protocol.summary} ({_protocol.optimizer}, {_protocol.schedule}, "
        f"{_protocol.train_samples:,} samples x {_protocol.epochs} epochs)",
    )


def find_protocol(name: str) -> Protocol:
    """The protocol of that name, of a user's ``package.module:attribute``, or in a TOML file.

    A file with the name of a registered protocol and other numbers is a custom protocol made from it.

    Raises:
        UnknownName: no protocol of that name; the message names the nearest.
        BenchError: the file cannot be read, or is no protocol.
    """
    if not name.endswith(".toml"):
        found = protocols.build(name)
        return _own(found.canonical()) if ":" in name else found
    try:
        content = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BenchError(f"cannot read the protocol {name}: {error}") from error
    return _own(_validated({"version": 1, "name": Path(name).stem, **content, "base": None}, f"{name} is no protocol"))


def _recognised(protocol: Protocol) -> Protocol:
    """The registered protocol that a custom one was made from, if nothing differs; else the protocol itself."""
    if protocol.name != "custom" or protocol.base not in protocols.names():
        return protocol
    registered = protocols.build(protocol.base)
    names = {"name": registered.name, "summary": registered.summary, "base": None}
    return registered if protocol.model_copy(update=names) == registered else protocol


def _own(protocol: Protocol) -> Protocol:
    """A user's protocol: its base, which registered protocols lack, is its own name."""
    if protocol.name not in protocols.names():
        return protocol.model_copy(update={"base": protocol.name})
    registered = protocols.build(protocol.name)
    same = {"summary": registered.summary, "version": registered.version}
    if protocol.model_copy(update=same) == registered:
        return registered
    return protocol.model_copy(update={"name": "custom", "base": registered.name, "version": registered.version})


def _validated(values: dict[str, Any], what: str) -> Protocol:
    """A protocol from its values, its optimizer and schedule in canonical form."""
    try:
        protocol = Protocol.model_validate(values)
    except ValidationError as error:
        reasons = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}, not {e['input']!r:.40}" for e in error.errors()]
        raise BenchError(f"{what}: {'; '.join(reasons)}") from error
    return protocol.canonical()
