"""From the text of an augmentation to what it does to a batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.protocol import Protocol
from bench.data.augment import augmentations
from bench.data.augment.movements import resample
from bench.data.augment.operation import Colour, Level, Movement, Operation
from bench.data.counter_random import normal, uniform
from registry.contract import Quartet

_PLUS = re.compile(r"\+(?![^\[]*\])")
_NOTHING = "none"


@dataclass(frozen=True)
class Pipeline:
    """Operations in order: first the movements, as a single resampling, then the changes of colour.

    Attributes:
        text: in canonical form.
        names: of each operation, numbered if it is repeated, so that repeated operations draw different numbers.
        operations: the same.
    """

    text: str
    names: tuple[str, ...]
    operations: tuple[Operation, ...]

    @property
    def columns(self) -> int:
        """Numbers drawn for a sample."""
        return sum(operation.columns for operation in self.operations)

    def streams(self, epoch: int) -> list[str]:
        """The name under which each operation draws; a single operation draws under the epoch's own."""
        if len(self.names) == 1:
            return [f"augment/{epoch}"]
        return [f"augment/{epoch}/{name}" for name in self.names]

    def draws(self, seed: int, epoch: int, ids: Tensor) -> Tensor:
        """All that is drawn for some samples, (B, columns) in [0, 1)."""
        drawn = [
            uniform(seed, stream, ids, operation.columns)
            for stream, operation in zip(self.streams(epoch), self.operations, strict=True)
        ]
        return torch.cat(drawn, dim=1) if drawn else torch.empty(len(ids), 0, device=ids.device)

    def apply(
        self, quartet: Quartet, u: Tensor, seed: int, epoch: int, ids: Tensor, metric: bool, colours: bool = True
    ) -> Quartet:
        """An augmented copy of a batch (or the batch itself without operations), in [0, 1].

        Args:
            quartet: the batch.
            u: what `draws` gave for its samples.
            seed, epoch, ids: what noise depends on; ids (B,) int64 on the batch's device.
            metric: whether depth is a distance.
            colours: whether colours change, too.
        """
        split = torch.split(u, [operation.columns for operation in self.operations], dim=1)
        done, affine = quartet, None
        aspect = quartet.bg_fg.shape[-1] / quartet.bg_fg.shape[-2]
        metric = metric and quartet.depth is not None
        for operation, drawn in zip(self.operations, split, strict=True):
            if isinstance(operation, Level):
                done = (operation.change if colours else operation.still)(done, drawn, metric)
            elif isinstance(operation, Movement):
                moved = operation.place(drawn, aspect)
                affine = moved if affine is None else moved.after(affine)
        if affine is not None:
            done = resample(done, affine, metric)
        for stream, operation, drawn in zip(self.streams(epoch), self.operations, split, strict=True):
            if colours and isinstance(operation, Colour):
                done = _recolour(done, operation, drawn, partial(normal, seed, stream, ids))
        return done


@lru_cache(maxsize=256)
def parse_augmentation(text: str) -> Pipeline:
    """The pipeline that a text names: keys of `augmentations`, with parameters in brackets, joined by plus signs.

    Raises:
        UnknownName: no such operation; the message names the nearest.
        BadParameter: a parameter it does not take, or outside its range.
        BenchError: nothing between two plus signs.
    """
    keys = [part.strip() for part in _PLUS.split(text)]
    if not all(keys):
        raise BenchError(f"cannot read the augmentation {text!r}: names joined by plus signs, such as flip + rotate")
    canonical = [key for key in map(augmentations.canonical, keys) if key != _NOTHING]
    names: list[str] = []
    for key in canonical:
        name = key.partition("[")[0]
        before = sum(other.partition("/")[0] == name for other in names)
        names.append(f"{name}/{before}" if before else name)
    return Pipeline(
        " + ".join(canonical) or _NOTHING, tuple(names), tuple(augmentations.build(key) for key in canonical)
    )


def canonical_protocol(protocol: Protocol) -> Protocol:
    """The protocol with its augmentation in canonical form too, so that a budget has a single label and id.

    Raises:
        UnknownName, BadParameter, BenchError: see `parse_augmentation`.
    """
    return protocol.canonical(parse_augmentation(protocol.augmentation).text)


def augment(quartet: Quartet, seed: int, epoch: int, ids: Tensor, text: str, metric: bool = False) -> Quartet:
    """An augmented copy of a batch (or the batch itself where ``text`` is ``none``), still in [0, 1].

    Args:
        quartet: the batch.
        seed, epoch: what the draws depend on,
        ids: and the samples' ids in their part, (B,) int64.
        text: see `parse_augmentation`.
        metric: whether depth is a distance, which enlarging divides.

    Raises:
        UnknownName, BadParameter, BenchError: see `parse_augmentation`.
    """
    pipeline, ids = parse_augmentation(text), ids.to(quartet.bg_fg.device)
    return pipeline.apply(quartet, pipeline.draws(seed, epoch, ids), seed, epoch, ids, metric)


def geometric(quartet: Quartet, seed: int, epoch: int, ids: Tensor, text: str) -> Quartet:
    """As `augment`, without what changes colours: where everything of a picture goes."""
    pipeline, ids = parse_augmentation(text), ids.to(quartet.bg_fg.device)
    return pipeline.apply(quartet, pipeline.draws(seed, epoch, ids), seed, epoch, ids, metric=False, colours=False)


class Augmentation:
    """`augment` for a run of epochs: what it draws is drawn once an epoch, for all samples, and not step by step.

    The two dozen small operations of a draw take longer than flipping a small batch does.

    Args:
        text: see `parse_augmentation`.
        seed: what the draws depend on, besides epoch and ids.
        count: samples in all; greater ids are an error, on a GPU a fatal error.
        metric: whether depth is a distance, which enlarging divides.
    """

    def __init__(self, text: str, seed: int, count: int, metric: bool = False) -> None:
        self._pipeline, self._seed, self._count, self._metric = parse_augmentation(text), seed, count, metric
        self._epoch: int | None = None

    def __call__(self, quartet: Quartet, epoch: int, ids: Tensor) -> Quartet:
        """An augmented copy of a batch, as `augment` makes it.

        Args:
            quartet: the batch.
            epoch, ids: what is drawn depends on; the ids (B,) int64 lie on the batch's device.
        """
        if not self._pipeline.operations:
            return quartet
        if epoch != self._epoch:
            self._table = self._pipeline.draws(self._seed, epoch, torch.arange(self._count, device=ids.device))
            self._epoch = epoch
        drawn = self._table.index_select(0, ids)
        return self._pipeline.apply(quartet, drawn, self._seed, epoch, ids, self._metric)


def _recolour(quartet: Quartet, operation: Colour, u: Tensor, draw: Callable[[int], Tensor]) -> Quartet:
    changed = {
        name: operation.change(image, u, draw).clamp(0, 1) if name in ("bg", "bg_fg") else image
        for name, image in quartet.tensors()
    }
    return Quartet.of({**dict(quartet.tensors()), **changed})
