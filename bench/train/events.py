"""Events of a run. The loop knows no terminal, no pictures and no pages: these are listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.interruption import Interruption
from bench.core.record import Epoch, Phase, Record
from bench.core.spec import RunSpec
from bench.timing.ledger import Ledger
from bench.timing.memory import PeakMeter
from bench.train.failures import Position
from registry.contract import Prediction, Quartet

Preview = Callable[[int], tuple[Quartet, Prediction]]
"""So many of the first samples of a part, and what the trained heads of the model predict for them."""


@dataclass(frozen=True)
class WindowSummary:
    """Where training stands after a window: epoch and step (from 1), total steps, mean loss by term, images/s."""

    epoch: int
    step: int
    steps: int
    losses: dict[str, float]
    images_per_second: float


class Listener:
    """Told of what happens; does nothing. Override what you want to know."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """Something is done ahead of training: samples rendered, recipes audited."""

    def notice(self, words: str) -> None:
        """Something that a person should know, such as why a checkpoint is not gone on from."""

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Training begins, or goes on after ``resumed_at`` whole epochs and ``step`` steps, all epochs together."""

    def phase(self, name: Phase) -> None:
        """The run passes to another phase."""

    def window(self, summary: WindowSummary) -> None:
        """A window of training steps is over."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch was trained and validated."""

    def predictions(self, epoch: int, preview: Preview) -> None:
        """After every epoch: what the model predicts for the first validation samples, the same each time."""

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """The run is over, however it ended, and its record is written.

        Args:
            record: as it lies in the folder of records.
            folder: where the run's other files lie.
            preview: what the model predicts; None where the run did not come to its test.
        """


class Listeners(Listener):
    """Several listeners, called in order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def preparing(self, what: str, done: int, total: int) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.preparing(what, done, total)

    def notice(self, words: str) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.notice(words)

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.started(spec, folder, resumed_at, step)

    def phase(self, name: Phase) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.phase(name)

    def window(self, summary: WindowSummary) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.window(summary)

    def epoch(self, epoch: Epoch) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.epoch(epoch)

    def predictions(self, epoch: int, preview: Preview) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.predictions(epoch, preview)

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.finished(record, folder, preview)


class OptionalListener(Listener):
    """A listener whose failures end no run: the first is a notice, and the listener is not called again in that run.

    Args:
        listener: draws, or writes event files.
        what: it makes, in words.
        notice: called with what failed, and why.
    """

    def __init__(self, listener: Listener, what: str, notice: Callable[[str], None]) -> None:
        self._listener, self._what, self._notice = listener, what, notice
        self._failed = False

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Pass it on."""
        self._failed = False
        self._try(lambda: self._listener.started(spec, folder, resumed_at, step))

    def window(self, summary: WindowSummary) -> None:
        """Pass it on."""
        self._try(lambda: self._listener.window(summary))

    def epoch(self, epoch: Epoch) -> None:
        """Pass it on."""
        self._try(lambda: self._listener.epoch(epoch))

    def predictions(self, epoch: int, preview: Preview) -> None:
        """Pass it on."""
        self._try(lambda: self._listener.predictions(epoch, preview))

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Pass it on."""
        self._try(lambda: self._listener.finished(record, folder, preview))

    def _try(self, event: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            event()
        except Exception as error:
            self._failed = True
            self._notice(f"warning: no {self._what} of this run: {error}")


@dataclass
class Observers:
    """Who and what looks on while a run is trained; none of them changes its outcome.

    Attributes:
        training, evaluation: get the timings of training, and of validation and test.
        listener: called at every event.
        position: kept up to date, for whoever has to say where the run ended.
        memory: measures the peak of what the training itself holds.
        interruption: checked after every step.
        refused: why the steps run eagerly though the run's engine is another; None where they do not.
    """

    training: Ledger
    evaluation: Ledger
    memory: PeakMeter
    listener: Listener = field(default_factory=Listener)
    position: Position = field(default_factory=Position)
    interruption: Interruption = field(default_factory=Interruption)
    refused: str | None = None
