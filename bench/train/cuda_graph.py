"""A whole update of the weights (forward, loss, backward, optimizer) captured in one CUDA graph, and replayed.

Method: PyTorch's notes on whole-network capture. The first steps run as they are, on a stream of their own, so that
cuDNN has chosen its algorithms and the optimizer has made its state; they are steps of the training like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from bench.timing.hooks import Passes, WholePasses
from bench.train.step import Step
from registry.contract import Quartet
from registry.losses.objective import Losses, Span, nullspan

BEFORE_CAPTURE = 3
GRAPH = "graph"
"""The block of a replay: what lies within cannot be told apart."""

Work = Callable[[], Losses]


class Recording(Protocol):
    """Captures some work on fixed tensors, to run it again and again."""

    def aside(self, work: Work) -> Losses:
        """Run the work as it is, where capturing may follow."""
        ...

    def capture(self, work: Work) -> Losses:
        """Record the work without running it; returns the tensors that every replay writes to."""
        ...

    def replay(self) -> None:
        """Run what was recorded."""
        ...


class CudaGraph:
    """A recording by `torch.cuda.CUDAGraph`."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._graph = torch.cuda.CUDAGraph()

    def aside(self, work: Work) -> Losses:
        """On a stream of its own, ordered with the current one."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            losses = work()
        torch.cuda.current_stream().wait_stream(self._stream)
        return losses

    def capture(self, work: Work) -> Losses:
        """Into one graph with a memory pool of its own."""
        # Threads that read ahead may go on pinning memory meanwhile.
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            return work()

    def replay(self) -> None:
        """All kernels by one launch."""
        self._graph.replay()


class Replayed:
    """In the place of a step's update: recorded once, replayed from then on.

    The losses of a replay are overwritten by the next one.

    Args:
        step: whose `eager_update` is recorded.
        recording: how.
    """

    def __init__(self, step: Step, recording: Recording) -> None:
        self._step, self._recording = step, recording
        self._before = BEFORE_CAPTURE
        self._recorded: tuple[Quartet, list[Tensor], Losses] | None = None
        for group in step.optimizer.param_groups:
            if "capturable" in group:  # its step count has to lie on the device
                group["capturable"] = True

    def __call__(self, quartet: Quartet, span: Span, passes: Passes) -> Losses:
        """Update the weights."""
        if self._before:
            self._before -= 1
            return self._recording.aside(lambda: self._step.eager_update(quartet, span, passes))
        if self._recorded is None:
            self._recorded = self._record(quartet)
        inputs, rates, losses = self._recorded
        with span(GRAPH):
            for (_, recorded), (_, given) in zip(inputs.tensors(), quartet.tensors(), strict=True):
                recorded.copy_(given)
            for rate, group in zip(rates, self._step.optimizer.param_groups, strict=True):
                rate.fill_(group["lr"])
            self._recording.replay()
        return losses

    def _record(self, quartet: Quartet) -> tuple[Quartet, list[Tensor], Losses]:
        """Record an update on tensors of its own; learning rates lie in tensors, as numbers would be recorded."""
        step, inputs = self._step, quartet.map(torch.clone)
        groups = step.optimizer.param_groups
        numbers = [group["lr"] for group in groups]
        rates = [torch.tensor(rate, dtype=torch.float32, device=step.device) for rate in numbers]
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        losses = self._recording.capture(lambda: step.eager_update(inputs, nullspan, WholePasses(nullspan)))
        for group, number in zip(groups, numbers, strict=True):
            group["lr"] = number
        return inputs, rates, losses
