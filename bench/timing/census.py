"""Counts what a step does: multiply-adds, bytes through every operation, memory held; nothing is timed.

A census is a recorder of marks like the ledger, so that the same hooks give the same blocks. It sees every
operation, forward and backward, and is far too slow to be on while anything is timed.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import conv_flop_count, flop_registry

from bench.timing.marks import MarkedBlock


@dataclass(frozen=True)
class Count:
    """The counts of a block in a step.

    Attributes:
        macs: multiply-adds of convolutions and matrix products.
        moved: bytes of all tensors that went into and came out of its operations.
        kept: bytes allocated within and still held at its end; negative where it freed more.
        peak: bytes held at its worst moment, weights and all.
        operations: calls of operations that compute something.
    """

    macs: float = 0.0
    moved: int = 0
    kept: int = 0
    peak: int = 0
    operations: int = 0


class _Mark(NamedTuple):
    position: int
    macs: float
    moved: int
    held: int
    operations: int


class Census(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts a step while the context is entered; only tensors on ``device``.

    Args:
        device: where the step runs. On CUDA, memory is what torch's allocator says, workspaces included; on a CPU
            it is the tensors that operations made.
        held: bytes allocated before (weights, the optimizer's moments, the batch) on a CPU.
    """

    def __init__(self, device: torch.device, held: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: dict[str, Count] = {}
        self._device = device
        self._macs, self._moved, self._operations = 0.0, 0, 0
        self._held = self._peak = held
        self._alive: dict[int, weakref.ref[Any]] = {}
        self._peaks: list[int] = []  # the greatest since the mark before, by position

    def __call__(self, name: str) -> AbstractContextManager[None]:
        """A block, as of a ledger."""
        return MarkedBlock(self, name)

    def mark(self) -> _Mark:
        """All counts so far."""
        if self._device.type == "cuda":
            self._held = torch.cuda.memory_allocated(self._device)
            self._peak = torch.cuda.max_memory_allocated(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
        self._peaks.append(self._peak)
        self._peak = self._held
        return _Mark(len(self._peaks) - 1, self._macs, self._moved, self._held, self._operations)

    def add(self, name: str, begin: _Mark, end: _Mark) -> None:
        """Count a block by its two marks; parts of the same block add up."""
        before = self.counts.get(name, Count())
        self.counts[name] = replace(
            before,
            macs=before.macs + end.macs - begin.macs,
            moved=before.moved + end.moved - begin.moved,
            kept=before.kept + end.held - begin.held,
            peak=max(before.peak, *self._peaks[begin.position + 1 : end.position + 1]),
            operations=before.operations + end.operations - begin.operations,
        )

    @property
    def peak(self) -> int:
        """Bytes held at the worst moment between the first mark and the last."""
        return max(self._peaks[1:], default=0)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and count it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor) and x.device.type == self._device.type]
        made = [x for x in tree_leaves(out) if isinstance(x, Tensor) and x.device.type == self._device.type]
        for tensor in made:
            self._allocated(tensor)
        written = _written(func, args, kwargs) or made
        if written and not _is_view(func, given, made):
            self._moved += sum(t.numel() * t.element_size() for t in (*given, *written))
            self._operations += 1
            self._macs += _flops(func, args, kwargs, out) / 2
        return out

    def _allocated(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key in self._alive or self._device.type == "cuda":
            return

        def freed(_: Any) -> None:
            del self._alive[key]
            self._held -= size

        self._alive[key] = weakref.ref(storage, freed)
        self._held += size
        self._peak = max(self._peak, self._held)

    def known(self, tensors: list[Tensor]) -> None:
        """Leave out of the count what these tensors hold already."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            self._alive.setdefault(id(storage), weakref.ref(storage))


def _written(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The arguments that an operation works on in place."""
    if not func._schema.is_mutable:
        return []
    places = [value for a, value in zip(func._schema.arguments, args, strict=False) if a.is_write]
    places += [kwargs[a.name] for a in func._schema.arguments if a.is_write and a.name in kwargs]
    return [x for x in tree_leaves(places) if isinstance(x, Tensor)]


def _is_view(func: Any, given: list[Tensor], made: list[Tensor]) -> bool:
    if func._schema.is_mutable:
        return False
    storages = {t.untyped_storage().data_ptr() for t in given if t.numel()}
    return bool(storages) and all(t.untyped_storage().data_ptr() in storages for t in made)


def _flops(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> float:
    packet = func._overloadpacket
    if packet is torch.ops.aten.convolution_backward:
        # torch's own formula over-counts grouped convolutions: each gradient costs what the forward pass cost.
        gradient, images, weight, transposed, wanted = args[0], args[1], args[2], args[7], args[10]
        forward = conv_flop_count(list(images.shape), list(weight.shape), list(gradient.shape), transposed)
        return float(forward * sum(wanted[:2]))
    formula: Callable[..., int] | None = flop_registry.get(packet)
    return 0.0 if formula is None else float(formula(*args, **kwargs, out_val=out))


def bytes_of(tensors: list[Tensor]) -> int:
    """What tensors hold, each storage once."""
    sizes = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return math.floor(sum(sizes.values()))
