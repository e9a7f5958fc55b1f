"""The blocks of a step as NVTX ranges, by the ledger's names, for Nsight Systems and its like.

For steps that are not timed by the ledger: a range costs time, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.record.timings import LOSS_BACKWARD
from bench.profile.training import StepRunner
from bench.timing.hooks import tensors_of
from bench.timing.work import blocks_of


class Ranges:
    """Marks blocks while a profiler looks on; forward ranges are those of the blocks' own modules.

    Args:
        model: hooks are on it within `attached`.
        blocks: its stages, each with its modules; none for a compiled model, whose passes are then a range each.
    """

    def __init__(self, model: nn.Module, blocks: Mapping[str, list[nn.Module]]) -> None:
        self._model, self._blocks = model, blocks
        self._open: int | None = None

    def __call__(self, name: str) -> AbstractContextManager[None]:
        """A block that is not the model's."""
        return _range(name)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Set the hooks."""
        handles = []
        for name, modules in self._blocks.items():
            for module in modules:
                handles.append(module.register_forward_pre_hook(self._entered(name)))
                handles.append(module.register_forward_hook(self._left(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def forward(self) -> AbstractContextManager[None]:
        """Around the forward pass."""
        return _range("forward")

    @contextmanager
    def backward(self) -> Iterator[None]:
        """Around the backward pass."""
        self._pass_to(LOSS_BACKWARD if self._blocks else "backward")
        yield
        self._pass_to(None)

    def _pass_to(self, name: str | None) -> None:
        # Not pushed and popped: on a GPU the backward pass has a thread of its own.
        if self._open is not None:
            torch.cuda.nvtx.range_end(self._open)
        self._open = None if name is None else torch.cuda.nvtx.range_start(name)

    def _entered(self, name: str) -> Callable[[nn.Module, Any], None]:
        def hook(_module: nn.Module, _inputs: Any) -> None:
            torch.cuda.nvtx.range_push(f"forward/{name}")  # type: ignore[no-untyped-call]

        return hook

    def _left(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def reached(_gradient: Tensor) -> None:
            self._pass_to(f"backward/{name}")

        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            torch.cuda.nvtx.range_pop()  # type: ignore[no-untyped-call]
            for tensor in tensors_of(output):
                if tensor.requires_grad:
                    tensor.register_hook(reached)  # type: ignore[no-untyped-call]

        return hook


@contextmanager
def _range(name: str) -> Iterator[None]:
    torch.cuda.nvtx.range_push(name)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        torch.cuda.nvtx.range_pop()  # type: ignore[no-untyped-call]


def annotate(runner: StepRunner, steps: int) -> None:
    """Train for some steps with NVTX ranges around the blocks, for a profiler that looks on; CUDA only."""
    ranges = Ranges(runner.model, blocks_of(runner.model) if runner.engine == "eager" else {})
    with ranges.attached():
        for _ in range(steps):
            runner.step(*next(runner.batches), ranges, ranges)
