"""What ends a run early, as data: where it was, what went wrong, and the end of the traceback without any paths."""

from __future__ import annotations

import traceback
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.core.record import Failure, Outcome, Phase
from registry.contract import Model
from registry.errors import Portable, RegistryError
from registry.losses.objective import Span

TRACEBACK_LINES = 8


@dataclass
class Position:
    """Where a run is; kept up to date by the loop, read when it ends.

    Attributes:
        phase, epoch, step, block: as in `Failure`.
        samples: ids of the batch, (B,) int64.
        model: that is trained or evaluated, if it is built.
    """

    phase: Phase = "preparation"
    epoch: int | None = None
    step: int | None = None
    samples: Tensor | None = None
    block: str | None = None
    model: nn.Module | None = None

    def enter(self, phase: Phase, epoch: int | None = None) -> None:
        """The run passes to another phase."""
        self.phase, self.epoch, self.step, self.samples, self.block = phase, epoch, None, None, None

    def batch(self, step: int, samples: Tensor) -> None:
        """The run passes to another batch; steps count from 1."""
        self.step, self.samples, self.block = step, samples, None

    def watch(self, span: Span) -> Span:
        """The same span of blocks, which keeps `block` up to date."""

        def block(name: str) -> AbstractContextManager[object]:
            """A span that is also kept as the block that goes on."""
            self.block = name
            return span(name)

        return block


class Diverged(Portable):
    """The loss was NaN or infinite; the message names the place, ``ids`` the samples.

    Args:
        epoch: that it was in.
        step: of training; None in the validation after it.
        ids: the samples of that batch, or those samples of the validation whose loss it is.
        term: the loss term that was the first; None where none was, but their sum.
    """

    def __init__(self, epoch: int, step: int | None, ids: Tensor, term: str | None = None) -> None:
        self.epoch, self.step, self.ids, self.term = epoch, step, ids, term
        where = "in validation" if step is None else f"at step {step}"
        first = f", {term} first" if term else ""
        super().__init__(f"the loss became NaN or infinite {where} of epoch {epoch}{first}")


def outcome_of(error: BaseException) -> tuple[Outcome, str]:
    """The outcome of a run that raised this error, and the reason as a single line.

    >>> outcome_of(ValueError("no such layer"))
    ('failed', 'ValueError: no such layer')
    """
    if isinstance(error, Diverged):
        return "diverged", f"{error}; samples {error.ids.tolist()}"
    if out_of_memory(error):
        return "oom", (str(error).splitlines() or ["out of memory"])[0]
    return "failed", describe(error)


def failure_of(error: BaseException, position: Position, peak_mib: float) -> Failure:
    """The details of a run that raised this error at this position."""
    diverged = isinstance(error, Diverged)
    ids = error.ids if isinstance(error, Diverged) else position.samples
    return Failure(
        phase=("validation" if error.step is None else "training") if isinstance(error, Diverged) else position.phase,
        epoch=error.epoch if isinstance(error, Diverged) else position.epoch,
        step=error.step if isinstance(error, Diverged) else position.step,
        samples=[] if ids is None else ids.tolist(),
        term=error.term if isinstance(error, Diverged) else None,
        exception=None if diverged else type(error).__name__,
        traceback=[] if diverged else traceback_lines(error.__cause__ or error),
        peak_mib=peak_mib,
        block=None if diverged else _block(error, position),
    )


def _block(error: BaseException, position: Position) -> str | None:
    """The block of the step in which an error was raised; of a model's forward pass the part of the model, if known.

    In a backward pass, autograd calls no part of a model that could be named.
    """
    if position.block != "forward" or not isinstance(position.model, Model):
        return position.block
    names = {module: name for name, modules in position.model.blocks().items() for module in modules}
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and module in names:
            return f"forward/{names[module]}"
    return position.block


def describe(error: BaseException) -> str:
    """An error as a single line: its kind, its message, and the last place in it outside of libraries."""
    message = " ".join(str(error).split()) or "no reason given"
    place = next((frame for frame in reversed(_frames(error)) if "site-packages" not in frame.filename), None)
    where = f" ({Path(place.filename).name}, line {place.lineno})" if place else ""
    return f"{type(error).__name__}: {message}{where}"


def traceback_lines(error: BaseException) -> list[str]:
    """The innermost calls, outermost of them first: file name, line, function, and the line itself."""
    return [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in _frames(error)[-TRACEBACK_LINES:]
    ]


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory was short; torch has many ways of saying so."""
    if isinstance(error, RegistryError) and error.__cause__ is not None:
        error = error.__cause__  # of a model that could not be built
    words = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))
