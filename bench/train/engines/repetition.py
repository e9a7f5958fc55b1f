"""Whether steps do the same, which a graph takes for granted: it repeats what one of them did.

Whatever a plug-in decides in Python (a scale, a layer that is left out, a weight that grows with the steps, what an
optimizer makes of its number of steps) is decided once in a graph. So two steps are looked at before one is captured.
What begins to change later than these is seen if a module holds it, from one epoch to the next; else it is not.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from bench.timing.hooks import WholePasses
from bench.train.isolation.random_state import drawn_from, random_state
from registry.losses.objective import nullspan

_PLAIN = (bool, int, float, complex, str, type(None), torch.dtype, torch.device, torch.memory_format, torch.layout)
_OF_MODULES = frozenset(vars(nn.Module()))
_OF_SCHEDULES = ("lr", "_step_count", "_opt_called")
"""What schedules change in an optimizer, and what torch's own note in it."""


class Repetition:
    """Compares the steps that it looks at.

    Args:
        model, objective, optimizer: of the steps.
        device: where they run.
        compiled: whether the model is, so that its operations cannot be looked at.

    Attributes:
        difference: what was found that a graph would not do as the steps did; None as long as nothing was.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: torch.device,
        compiled: bool,
    ) -> None:
        self._modules, self._optimizer = {"model": model, "objective": objective}, optimizer
        self._device, self._compiled = device, compiled
        self._before: list[str] | None = None
        self.difference: str | None = None

    @contextmanager
    def step(self) -> Iterator[WholePasses]:
        """Around an update, whose passes are entered by what this gives."""
        held, drawn = self._held(), random_state(self._device)
        operations = _Operations(self._modules, self._device)
        with ExitStack() as looking:
            if not self._compiled:
                looking.enter_context(operations)
            yield _UntilOptimizer(looking, operations)
        found = self._draws(drawn), self._changes(held), self._departs(operations.in_order())
        self.difference = next(filter(None, (self.difference, *found)), None)

    def of_modules(self) -> dict[str, str]:
        """Numbers, words and generators that modules hold beside tensors, by name."""
        return _texts(
            (".".join(filter(None, (kind, name))), _without(vars(module), _OF_MODULES))
            for kind, root in self._modules.items()
            for name, module in root.named_modules()
        )

    def _held(self) -> dict[str, str]:
        optimizer = self._optimizer
        own = _without(vars(optimizer), ("state", "param_groups", "defaults", *_OF_SCHEDULES))
        rows = {"param_groups": optimizer.param_groups, "state": optimizer.state.values()}
        parts = [
            (f"optimizer.{kind}[{i}]", _without(row, _OF_SCHEDULES))
            for kind, some in rows.items()
            for i, row in enumerate(some)
        ]
        return {**self.of_modules(), **_texts([("optimizer", own), *parts])}

    def _draws(self, before: Mapping[str, Any]) -> str | None:
        names = drawn_from(before, random_state(self._device))
        if self._device.type != "cuda":  # on which nothing is captured but by a test, whose dropout draws there
            names = [name for name in names if name != "torch"]
        names = [{"torch": "torch's generator of the CPU"}.get(name, name) for name in names]
        return f"it draws from {' and '.join(names)}, which a graph does once" if names else None

    def _changes(self, before: Mapping[str, str]) -> str | None:
        after = self._held()
        name = next((name for name in [*before, *after] if before.get(name) != after.get(name)), None)
        return None if name is None else f"its {name} changes from step to step, which a graph does not see"

    def _departs(self, operations: list[str]) -> str | None:
        before, self._before = self._before, operations
        if before is None or before == operations:
            return None
        pairs = zip([*before, "nothing"], [*operations, "nothing"], strict=False)
        one, other = next((one, other) for one, other in pairs if one != other)
        return f"its steps are not alike: {one}, then {other}"


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down each operation of torch with the shapes of its tensors and whatever else it is given."""

    supports_higher_order_operators = True

    def __init__(self, modules: Mapping[str, nn.Module], device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._names = {
            id(tensor): f"{kind}.{name}" for kind, root in modules.items() for name, tensor in root.named_parameters()
        }
        self._on_gpu = device.type == "cuda"
        self._forward: list[str] = []
        self._backward: list[str] = []
        self._now = self._forward

    @classmethod
    def ignore_compile_internals(cls) -> bool:
        """Let parts that a plug-in compiles run as they will."""
        return True

    def backwards(self) -> None:
        """The backward pass begins."""
        self._now = self._backward

    def in_order(self) -> list[str]:
        """All that was written down; autograd may take what does not depend on each other in any order."""
        return [*self._forward, *sorted(self._backward)]

    def __torch_dispatch__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._now.append(f"{func}({', '.join(map(self._described, (*args, *(kwargs or {}).items())))})")
        return func(*args, **(kwargs or {}))

    def _described(self, value: object) -> str:
        if isinstance(value, Tensor):
            if self._on_gpu and value.device.type == "cpu" and not value.dim():
                return repr(value.item())  # goes to kernels as a number
            kind = f"{str(value.dtype).removeprefix('torch.')}{[*value.shape]}"
            return " ".join(filter(None, (self._names.get(id(value)), kind)))
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self._described, value))}]"
        return repr(value) if isinstance(value, _PLAIN) else type(value).__name__


class _UntilOptimizer(WholePasses):
    """Ends looking on with the backward pass: what the optimizer does depends on the learning rate."""

    def __init__(self, looking: ExitStack, operations: _Operations) -> None:
        super().__init__(nullspan)
        self._looking, self._operations = looking, operations

    def backward(self) -> AbstractContextManager[object]:
        """Look on no longer when it is left."""
        self._operations.backwards()
        return self._looking


def _texts(owners: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    return {
        f"{owner}.{name}": text
        for owner, values in owners
        for name, value in values.items()
        if (text := _written(value)) is not None
    }


def _without(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _written(value: object) -> str | None:
    """Plain data and the states of generators as text; None of anything else."""
    try:
        if isinstance(value, (*_PLAIN, np.generic)):
            return repr(value)
        if isinstance(value, random.Random):
            return str(hash(value.getstate()))
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if isinstance(value, list | tuple | deque):
            parts = [_written(part) for part in value]
            return None if None in parts else repr(parts)
        return _written([*value.items()]) if isinstance(value, dict) else None
    except Exception:  # of a plug-in's own type, or endless
        return None
