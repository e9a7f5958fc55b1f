"""Whether steps do the same, which a graph takes for granted: it repeats what one of them did.

Whatever a plug-in decides in Python (a scale, a layer that is left out, a weight that grows with the steps, what an
optimizer makes of its number of steps) is decided once in a graph. So two steps are looked at before one is captured.
What begins to change later than these is not seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
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
        held, drawn, operations = self._held(), random_state(self._device), list[str]()
        with ExitStack() as looking:
            if not self._compiled:
                looking.enter_context(_Operations(operations))
            yield _UntilBackward(looking)
        found = self._draws(drawn), self._changes(held), self._departs(operations)
        self.difference = next(filter(None, (self.difference, *found)), None)

    def _draws(self, before: Mapping[str, Any]) -> str | None:
        names = drawn_from(before, random_state(self._device))
        if self._device.type != "cuda":  # on which nothing is captured but by a test, whose dropout draws there
            names = [name for name in names if name != "torch"]
        names = [{"torch": "torch's generator of the CPU"}.get(name, name) for name in names]
        return f"it draws from {' and '.join(names)}, which a graph does once" if names else None

    def _changes(self, before: Mapping[str, str]) -> str | None:
        after = self._held()
        name = next((name for name in before.keys() | after if before.get(name) != after.get(name)), None)
        return None if name is None else f"its {name} changes from step to step, which a graph does not see"

    def _departs(self, operations: list[str]) -> str | None:
        before, self._before = self._before, operations
        if before is None or before == operations:
            return None
        pairs = zip([*before, "nothing"], [*operations, "nothing"], strict=False)
        one, other = next((one, other) for one, other in pairs if one != other)
        return f"its steps are not alike: {one}, then {other}"

    def _held(self) -> dict[str, str]:
        """Numbers, words and generators that modules and the optimizer's state hold beside tensors, by name."""
        owners = [
            (".".join(filter(None, (kind, name))), {k: v for k, v in vars(module).items() if k not in _OF_MODULES})
            for kind, root in self._modules.items()
            for name, module in root.named_modules()
        ]
        owners += [("optimizer", row) for row in self._optimizer.state.values()]
        return {
            f"{owner}.{name}": text
            for owner, values in owners
            for name, value in values.items()
            if (text := _written(value)) is not None
        }


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds to a list each operation of torch with the shapes of its tensors and whatever else it is given."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen = seen

    def __torch_dispatch__(
        self, func: Any, types: Iterable[Any], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._seen.append(f"{func}({', '.join(map(_described, (*args, *(kwargs or {}).items())))})")
        return func(*args, **(kwargs or {}))


class _UntilBackward(WholePasses):
    """Ends looking on with the forward pass and the losses: the backward pass follows from these."""

    def __init__(self, looking: ExitStack) -> None:
        super().__init__(nullspan)
        self._looking = looking

    def backward(self) -> AbstractContextManager[object]:
        """Look on no longer."""
        self._looking.close()
        return nullcontext()


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{[*value.shape]}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_described, value))}]"
    return repr(value) if isinstance(value, _PLAIN) else type(value).__name__


def _written(value: object) -> str | None:
    """Plain data and the states of generators as text; None of anything else."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, random.Random):
        return str(hash(value.getstate()))
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, list | tuple):
        parts = [_written(part) for part in value]
        return None if None in parts else repr(parts)
    if isinstance(value, dict):
        return _written([*value.items()])
    return None
