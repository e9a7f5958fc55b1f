"""A whole update of the weights (forward, loss, backward, optimizer) captured in a CUDA graph, and replayed.

Method: PyTorch's notes on whole-network capture. The first steps run as they are, on a stream of their own, so that
cuDNN has chosen its algorithms and the optimizer has made its state; they are steps of the training like any other.
A batch of another shape, as the next stage of a protocol brings, is captured anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from bench.timing.hooks import Passes, WholePasses
from bench.train.engines.repetition import Repetition
from bench.train.engines.room import Room, room_beside
from bench.train.engines.waits import asked_of_device, waits_of_step
from bench.train.step import Step
from registry.contract import Quartet
from registry.losses.objective import Losses, Span, nullspan

BEFORE_CAPTURE = 3
GRAPH = "graph"
"""The block of a replay: its parts cannot be timed."""

Work = Callable[[], Tensor]


class Recording(Protocol):
    """Captures some work on fixed tensors, to run it again and again."""

    def aside(self, work: Work) -> Tensor:
        """Run the work as it is, where capturing may follow."""
        ...

    def rehearse(self, work: Work) -> tuple[Tensor, str | None]:
        """As `aside`; and what the work did that no graph can hold, None where nothing was found."""
        ...

    def capture(self, work: Work) -> Tensor:
        """Record the work without running it; returns the tensor that every replay writes to.

        Raises:
            RuntimeError: the work does what no graph can hold.
        """
        ...

    def replay(self) -> None:
        """Run what was recorded."""
        ...

    def room(self) -> Room:
        """For the same work beside what was recorded."""
        ...


class CudaGraph:
    """A recording by `torch.cuda.CUDAGraph`."""

    def __init__(self) -> None:
        # Of another priority than the loaders' streams: torch hands out 32 of each kind, in turn.
        self._stream = torch.cuda.Stream(priority=-1)  # type: ignore[no-untyped-call]
        self._graph = torch.cuda.CUDAGraph()
        self._pool = torch.cuda.graph_pool_handle()
        self._device = torch.cuda.current_device()

    def aside(self, work: Work) -> Tensor:
        """On a stream of its own, ordered with the current one."""
        current = torch.cuda.current_stream()
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            result = work()
        current.wait_stream(self._stream)
        result.record_stream(current)
        return result

    def rehearse(self, work: Work) -> tuple[Tensor, str | None]:
        """Under watch for synchronisations: what is known to break a capture off is not tried."""
        mode = torch.cuda.get_sync_debug_mode()
        with waits_of_step() as waits, asked_of_device(waits):
            torch.cuda.set_sync_debug_mode("warn")
            try:
                result = self.aside(work)
            finally:
                torch.cuda.set_sync_debug_mode(mode)
        return result, "it waits for the device" if waits else None

    def capture(self, work: Work) -> Tensor:
        """Into a graph with a memory pool of its own; what a capture that breaks off leaves behind is put right."""
        before = torch.cuda.current_stream()
        try:
            # Threads that read ahead may go on pinning memory meanwhile.
            with torch.cuda.graph(self._graph, self._pool, self._stream, capture_error_mode="thread_local"):
                return work()
        except RuntimeError:
            torch.cuda.set_stream(before)
            end_capture(self._device, self._pool)
            raise

    def replay(self) -> None:
        """All kernels by a single launch."""
        self._graph.replay()

    def room(self) -> Room:
        """As much again as the graph holds."""
        return room_beside(self._pool, self._device)


def end_capture(device: int, pool: tuple[int, int]) -> None:
    """Bring torch's allocator and its generator back from a capture whose end raised an error.

    torch up to 2.11 then leaves both as if it captured still: until the process ends the allocator would keep the pool,
    and all that another stream has used, and whatever draws random numbers would fail. Where torch has ended the
    capture itself, this does nothing.

    Args:
        device: its index.
        pool: that the capture took its memory from.
    """
    with suppress(AttributeError, RuntimeError):  # private, and refused where no capture is under way
        torch._C._cuda_endAllocateToPool(device, pool)
        torch._C._cuda_releasePool(device, pool)
    with suppress(AttributeError, RuntimeError):
        generator = torch.cuda.default_generators[device]
        generator.graphsafe_set_state(generator.clone_state())


def refill(recorded: Quartet, given: Quartet) -> None:
    """Copy a batch to where a graph reads it; a single launch, as batches and what was cloned of one lie alike."""
    places, values = ([tensor for _, tensor in quartet.tensors()] for quartet in (recorded, given))
    torch._foreach_copy_(places, values)


@dataclass
class _Captured:
    """What belongs to a shape of batch: the tensors a replay reads, and those it writes."""

    inputs: Quartet
    rates: list[Tensor]
    written: list[float]
    fixed: list[dict[str, Any]]
    texts: tuple[dict[str, str] | None, dict[str, str]]
    places: dict[str, str]
    values: Tensor


class Replayed:
    """In the place of a step's update: recorded once a shape of batch, replayed from then on.

    Where capturing fails (the model or a term waits for the device, or looks at values), or would repeat what differs
    from step to step, the step goes on eagerly, and `refused` says why.

    Args:
        step: whose `eager_update` is recorded.
        record: makes a recording for each shape.

    Attributes:
        refused: why the update could not be captured; None as long as it could.
        ever: whether an update was replayed.
    """

    def __init__(self, step: Step, record: Callable[[], Recording] = CudaGraph) -> None:
        self._step, self._record = step, record
        self._shapes: tuple[torch.Size, ...] = ()
        self._before = BEFORE_CAPTURE
        self._recording: Recording | None = None
        self._repetition = self._compared()
        self._captured: _Captured | None = None
        self._names: tuple[list[str], list[str]] = ([], [])
        self._at_begin: dict[str, str] | None = None
        self.refused: str | None = None
        self.ever = False

    def begin_epoch(self) -> None:
        """Record anew what Python decides once an epoch, as far as modules or the optimizer's groups hold it."""
        if self.refused is not None:
            return
        self._at_begin, captured = self._repetition.texts(), self._captured
        if captured is None:
            return
        # What each forward pass writes down anew is after validation as it was when the epoch of the capture began.
        alike = self._at_begin in captured.texts and self._repetition.places() == captured.places
        if not alike or self._fixed() != captured.fixed:
            self._recording = None

    def __call__(self, quartet: Quartet, span: Span, passes: Passes) -> Losses:
        """Update the weights."""
        if self.refused is not None:
            return self._step.eager_update(quartet, span, passes)
        shapes = tuple(tensor.shape for _, tensor in quartet.tensors())
        if self._recording is None or shapes != self._shapes:
            self._recording = self._begin(shapes)
        recording = self._recording
        with span(GRAPH):
            if self._before:
                self._before -= 1
                return self._unpacked(self._rehearsed(recording, quartet))
            if self._captured is None:
                try:
                    self._captured = self._capture(recording, quartet)
                except Exception as error:  # an optimizer's own too, of a rate that is a tensor
                    self._give_up((str(error).splitlines() or [type(error).__name__])[0])
                    return self._step.eager_update(quartet, nullspan, WholePasses(nullspan))
            if self._captured.fixed != (now := self._fixed()):
                self._give_up(f"its optimizer's {_changed(self._captured.fixed, now)} changes in training")
                return self._step.eager_update(quartet, nullspan, WholePasses(nullspan))
            self._fill(self._captured, quartet)
            recording.replay()
            self.ever = True
            # A copy, as the next replay writes to the same place.
            return self._unpacked(self._captured.values.clone())

    @property
    def captured(self) -> bool:
        """Whether an update was recorded, so that the next one of its shape replays it."""
        return self._captured is not None

    def room(self) -> Room | None:
        """For an eager update beside the recorded one; None where none was recorded."""
        return None if self._recording is None or self._captured is None else self._recording.room()

    def _begin(self, shapes: tuple[torch.Size, ...]) -> Recording:
        """Let go of what was recorded for another shape, its memory too, and make ready to record."""
        self._captured = self._recording = None
        self._shapes, self._before, self._repetition = shapes, BEFORE_CAPTURE, self._compared()
        optimizer = self._step.optimizer
        for group in optimizer.param_groups:
            if "capturable" not in group:
                continue
            group["capturable"] = True  # its step count has to lie on the device
            for state in (optimizer.state.get(parameter, {}) for parameter in group["params"]):
                if isinstance(state.get("step"), Tensor):  # as of a checkpoint that an eager run wrote
                    state["step"] = state["step"].to(self._step.device)
        return self._record()

    def _rehearsed(self, recording: Recording, quartet: Quartet) -> Tensor:
        """One of the steps before the capture: the last two must do the same, and the last not wait."""
        if self._before > 1:
            return recording.aside(lambda: self._packed(quartet))
        with self._repetition.step() as passes:
            if self._before:
                return recording.aside(lambda: self._packed(quartet, passes))
            values, waits = recording.rehearse(lambda: self._packed(quartet, passes))
        self.refused = waits or self._repetition.difference
        return values

    def _compared(self) -> Repetition:
        step = self._step
        return Repetition(step.model, step.objective, step.optimizer, step.device, compiled=step.run is not step.model)

    def _fill(self, captured: _Captured, quartet: Quartet) -> None:
        refill(captured.inputs, quartet)
        for i, group in enumerate(self._step.optimizer.param_groups):
            rate = group["lr"]
            if isinstance(rate, Tensor):  # as an optimizer of one's own may have it, and schedules alter in place
                captured.rates[i].copy_(rate.reshape(()))
            elif rate != captured.written[i]:
                captured.rates[i].fill_(rate)
                captured.written[i] = rate

    def _capture(self, recording: Recording, quartet: Quartet) -> _Captured:
        """Record an update on tensors of its own; learning rates lie in tensors, as numbers would be recorded."""
        step, inputs, fixed = self._step, quartet.map(torch.clone), self._fixed()
        texts, places = (self._at_begin, self._repetition.texts()), self._repetition.places()
        groups = step.optimizer.param_groups
        numbers = [group["lr"] for group in groups]
        rates = [torch.tensor(float(rate), dtype=torch.float32, device=step.device) for rate in numbers]
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        try:
            values = recording.capture(lambda: self._packed(inputs))
        finally:
            for group, number in zip(groups, numbers, strict=True):
                group["lr"] = number
        return _Captured(inputs, rates, numbers, fixed, texts, places, values)

    def _fixed(self) -> list[dict[str, Any]]:
        """What a graph keeps of the optimizer's settings, by group: momentum and the like."""
        groups = self._step.optimizer.param_groups
        return [{name: value for name, value in group.items() if name not in ("params", "lr")} for group in groups]

    def _give_up(self, why: str) -> None:
        self.refused = why
        self._recording = self._captured = None  # and the memory of its pool
        self._step.optimizer.zero_grad(set_to_none=True)  # what a half-recorded pass left was never computed

    def _packed(self, quartet: Quartet, passes: Passes | None = None) -> Tensor:
        """An eager update; its losses in a single tensor, without the graph that led to them."""
        losses = self._step.eager_update(quartet, nullspan, passes or WholePasses(nullspan))
        self._names = [*losses.terms], [*losses.heads]
        values = [losses.total.detach(), *losses.terms.values(), *losses.heads.values()]
        return torch.stack([value.float() for value in values])

    def _unpacked(self, values: Tensor) -> Losses:
        total, *rest = values.unbind()
        terms, heads = self._names
        return Losses(total, dict(zip(terms, rest, strict=False)), dict(zip(heads, rest[len(terms) :], strict=True)))


def _changed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> str:
    pairs = zip(before, after, strict=False)
    names = (name for old, new in pairs for name in {**old, **new} if old.get(name) != new.get(name))
    return next(names, "param_groups" if len(before) != len(after) else "settings")
