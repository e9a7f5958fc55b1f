"""Torch's operations in a step: what they are given, and which memory they read and make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from bench.timing.hooks import tensors_of

PLAIN = (bool, int, float, complex, str, type(None), torch.dtype, torch.device, torch.memory_format, torch.layout)

Storages = dict[int, StorageWeakRef]
"""The memory of tensors by its address, which none other is given as long as it is noted here."""


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down each operation of torch with the shapes of its tensors and whatever else it is given.

    Args:
        modules: whose parameters are known by name.
        device: of the step.
        left: what the step before has made.

    Attributes:
        made, read: memory that the step made, and that it found and read.
        carried: that it read what the step before has made; None if it did not.
    """

    supports_higher_order_operators = True

    def __init__(self, modules: Mapping[str, nn.Module], device: torch.device, left: Storages) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = {address: storage for address, storage in left.items() if not storage.expired()}  # type: ignore[no-untyped-call]
        self.made: Storages = {}
        self.read: Storages = {}
        self.carried: str | None = None
        self._names = {
            id(tensor): f"{kind}.{name}" for kind, root in modules.items() for name, tensor in root.named_parameters()
        }
        self._on_gpu = device.type == "cuda"
        self._forward: list[str] = []
        self._backward: list[str] = []
        self._update: list[str] = []
        self._now = self._forward
        self._without_numbers: list[str] = []  # of the update

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        """Let parts that a plug-in compiles run as they will."""
        return True

    def backwards(self) -> None:
        """The backward pass begins."""
        self._now = self._backward

    def updates(self) -> None:
        """The backward pass is over, the optimizer begins."""
        self._now = self._update

    def in_order(self, numbers: bool) -> list[str]:
        """All that was written down; autograd may take what does not depend on each other in any order.

        Args:
            numbers: those of the optimizer too, which may follow from its learning rate.
        """
        return [*self._forward, *sorted(self._backward), *(self._update if numbers else self._without_numbers)]

    def __torch_dispatch__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = (*args, *(kwargs or {}).items())
        self._now.append(f"{func}({', '.join(map(self._described, given))})")
        if self._now is self._update:
            self._without_numbers.append(f"{func}({', '.join(self._described(value, False) for value in given)})")
        for address, storage in _storages((args, kwargs)):
            if address not in self.made and address not in self.read:
                self.read[address] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
            if self.carried is None and address in self._left:
                self.carried = f"it goes on from what the step before has made ({func}), which a graph does not see"
        found = func(*args, **(kwargs or {}))
        for address, storage in _storages(found):
            if address not in self.made and address not in self.read:
                self.made[address] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        return found

    def _described(self, value: object, numbers: bool = True) -> str:
        if isinstance(value, Tensor):
            if value.is_nested:
                return "nested"  # and without a shape
            if self._on_gpu and value.device.type == "cpu" and value.numel() == 1:
                return self._described(value.item(), numbers)  # goes to kernels as a number, or to Python
            kind = f"{str(value.dtype).removeprefix('torch.')}{[*value.shape]}"
            return " ".join(filter(None, (self._names.get(id(value)), kind)))
        if isinstance(value, list | tuple):
            return f"[{', '.join(self._described(part, numbers) for part in value)}]"
        if isinstance(value, float) and not numbers:
            return "a number"
        return repr(value) if isinstance(value, PLAIN) else type(value).__name__


def _storages(values: object) -> Iterator[tuple[int, torch.UntypedStorage]]:
    """The memory of all tensors in lists and the like, with its address."""
    for tensor in tensors_of(values):
        if (address := storage_of(tensor)) is not None:
            yield address, tensor.untyped_storage()


def storage_of(value: object) -> int | None:
    """The address of what holds a tensor's memory; None of anything else, as of what has none."""
    try:
        return value.untyped_storage()._cdata if isinstance(value, Tensor) else None
    except (NotImplementedError, RuntimeError):  # sparse, not made yet
        return None
