"""Whether steps do the same, which a graph takes for granted: it repeats what one of them did.

Whatever a plug-in decides in Python (a scale, a layer that is left out, a weight that grows with the steps, what an
optimizer makes of its number of steps) is decided once in a graph; and a tensor in whose place each step puts another
is read where it was. So two steps are looked at before one is captured. What begins to change later than these is seen
if a module holds it, from one epoch to the next; else it is not. Nor are numbers that an optimizer keeps out of sight
where a schedule moves its learning rate in every step, from which they may follow.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.timing.hooks import WholePasses, tensors_of
from bench.train.engines.operations import PLAIN, Operations, Storages, storage_of
from bench.train.isolation.random_state import drawn_from, random_state
from registry.losses.objective import nullspan

_OF_MODULES = frozenset(vars(nn.Module())) - {"training"}
_HOOKS = sorted(name for name in _OF_MODULES if name.endswith("_hooks"))
_KINDS = frozenset(PLAIN)
"""For a fast look at what most attributes are: an epoch waits for the comparison."""
_OF_SCHEDULES = ("lr", "_step_count", "_opt_called")
"""What schedules change in an optimizer, and what torch's own note in it."""
_PLACE = "'s place in memory"
"""What a tensor is read by: another one in its place is not seen."""
_NESTED = 8
"""Containers within each other that are looked into."""


class Repetition:
    """Compares the steps that it looks at.

    Args:
        model, objective, optimizer: of the steps.
        device: where they run.
        compiled: whether the model is, so that operations of its passes cannot be looked at.

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
        self._before: tuple[Operations, list[Any]] | None = None  # with the learning rates
        self._left: Storages = {}  # what the last step made
        self._read: Storages = {}  # what it found and read
        self.difference: str | None = None

    @contextmanager
    def step(self) -> Iterator[WholePasses]:
        """Around an update, whose passes are entered by what this gives."""
        held, drawn = self._held(), random_state(self._device)
        operations = Operations(self._modules, self._device, self._left)
        rates = [group.get("lr") for group in self._optimizer.param_groups]
        with operations:
            yield _Looking(operations, self._compiled)
        self._left, self._read = operations.made, operations.read
        found = self._draws(drawn), self._changes(held), operations.carried, self._departs(operations, rates)
        self.difference = next(filter(None, (self.difference, *found)), None)

    def texts(self) -> dict[str, str]:
        """Numbers, words and generators that modules hold, their hooks, and which parameters are trained, by name."""
        found: dict[str, str] = {}
        for owner, module in self._named():
            kind = {"class": type(module).__qualname__, "hooks": _hooks(module)}
            found |= self._texts(owner, {**kind, **_without(vars(module), _OF_MODULES)})
            trained = {name: value.requires_grad for name, value in module._parameters.items() if value is not None}
            found |= {f"{owner}.{name}.requires_grad": str(value) for name, value in trained.items()}
        return found

    def places(self) -> dict[str, str]:
        """Where the tensors of modules lie, by name: parameters, buffers, and others that the last step read."""
        found = self._own_places()
        for owner, module in self._named():
            for name, value in vars(module).items():
                if name in _OF_MODULES or type(value) in _KINDS:
                    continue
                tensors = [tensor for tensor in _tensors(value) if storage_of(tensor) in self._read]
                found |= _places(f"{owner}.{name}", {str(i): tensor for i, tensor in enumerate(tensors)})
        return found

    def _own_places(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for owner, module in self._named():
            found |= _places(owner, {**module._parameters, **module._buffers})
        return found

    def _named(self) -> Iterator[tuple[str, nn.Module]]:
        for kind, root in self._modules.items():
            for name, module in root.named_modules():
                yield ".".join(filter(None, (kind, name))), module

    def _held(self) -> dict[str, str]:
        optimizer = self._optimizer
        own = _without(vars(optimizer), ("state", "param_groups", "defaults", *_OF_SCHEDULES))
        found = self.texts() | self._own_places() | self._texts("optimizer", own)
        rows = {"param_groups": optimizer.param_groups, "state": optimizer.state.values()}
        for kind, some in rows.items():
            for i, row in enumerate(some):
                owner = f"optimizer.{kind}[{i}]"
                values = _without(row, _OF_SCHEDULES) if isinstance(row, dict) else {"value": row}
                found |= self._texts(owner, values) | _places(owner, values)
        return found

    def _texts(self, owner: str, values: Mapping[str, Any]) -> dict[str, str]:
        texts = {name: self._written(value) for name, value in values.items()}
        return {f"{owner}.{name}": text for name, text in texts.items() if text is not None}

    def _written(self, value: object, depth: int = _NESTED) -> str | None:
        """Plain data and the states of generators as text; None of anything else."""
        if type(value) in _KINDS:
            return repr(value)
        try:
            if isinstance(value, (*PLAIN, np.generic)):
                return repr(value)
            if isinstance(value, random.Random):
                return str(hash(value.getstate()))
            if isinstance(value, np.random.Generator):
                return repr(value.bit_generator.state)
            if isinstance(value, np.random.RandomState):
                return repr(value.get_state(legacy=False))
            if isinstance(value, torch.Generator):
                return None if value.device.type == "cuda" else _bytes(value.get_state())
            if isinstance(value, Tensor):  # beside a GPU it is numbers, which Python reads
                return _bytes(value) if self._device.type == "cuda" and value.device.type == "cpu" else None
            if isinstance(value, np.ndarray):
                return f"{value.shape} {hash(value.tobytes())}"
            if isinstance(value, dict):
                value = [*value.items()]
            if isinstance(value, list | tuple | deque) and depth:
                return f"[{', '.join(self._written(part, depth - 1) or type(part).__name__ for part in value)}]"
        except Exception:  # of a plug-in's own type
            return None
        return None

    def _draws(self, before: Mapping[str, Any]) -> str | None:
        names = drawn_from(before, random_state(self._device))
        if self._device.type != "cuda":  # on which nothing is captured but by a test, whose dropout draws there
            names = [name for name in names if name != "torch"]
        names = [{"torch": "torch's generator of the CPU"}.get(name, name) for name in names]
        return f"it draws from {' and '.join(names)}, which a graph does once" if names else None

    def _changes(self, before: Mapping[str, str]) -> str | None:
        after = self._held()
        names = [*before, *(name for name in after if not name.endswith(_PLACE))]  # where none was, none is replaced
        name = next((name for name in names if before.get(name) != after.get(name)), None)
        return None if name is None else f"its {name} changes from step to step, which a graph does not see"

    def _departs(self, operations: Operations, rates: list[Any]) -> str | None:
        before, self._before = self._before, (operations, rates)
        if before is None:
            return None
        alike = not any(isinstance(rate, Tensor) for rate in rates) and before[1] == rates
        earlier, now = ([*step.in_order(numbers=alike), "nothing"] for step in (before[0], operations))
        differing = ((one, other) for one, other in zip(earlier, now, strict=False) if one != other)
        return next((f"its steps are not alike: {one}, then {other}" for one, other in differing), None)


class _Looking(WholePasses):
    """Tells operations which part of the step has begun, and looks away where a compiled model runs."""

    def __init__(self, operations: Operations, compiled: bool) -> None:
        super().__init__(nullspan)
        self._operations, self._compiled = operations, compiled

    def forward(self) -> AbstractContextManager[object]:
        """Of the model alone."""
        return self._away()

    @contextmanager
    def backward(self) -> Iterator[None]:
        """Between the losses and the optimizer."""
        self._operations.backwards()
        with self._away():
            yield
        self._operations.updates()

    @contextmanager
    def _away(self) -> Iterator[None]:
        if not self._compiled:
            yield
            return
        self._operations.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            self._operations.__enter__()  # type: ignore[no-untyped-call]


def _places(owner: str, values: Mapping[str, Any]) -> dict[str, str]:
    tensors = {name: value for name, value in values.items() if storage_of(value) is not None}
    return {f"{owner}.{name}{_PLACE}": str(value.data_ptr()) for name, value in tensors.items()}


def _tensors(value: object) -> list[Tensor]:
    try:
        return [*tensors_of(value)]
    except RecursionError:
        return []


def _hooks(module: nn.Module) -> list[str]:
    held = vars(module)
    tables = filter(None, [held.get(name) for name in _HOOKS])
    return [getattr(hook, "__qualname__", type(hook).__name__) for table in tables for hook in table.values()]


def _without(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _bytes(value: Tensor) -> str:
    flat = value.detach().contiguous().reshape(-1).view(torch.uint8)
    return f"{[*value.shape]} {hash(flat.numpy().tobytes())}"
