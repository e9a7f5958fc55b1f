"""`TrialRunner`: trains as a run does and tests on validation; may stop after some epochs, to be gone on with."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.core.errors import Interrupted
from bench.core.interruption import Interruption
from bench.core.record import Epoch, Record, Score, TrialRecord
from bench.data.loading.loader import Loader
from bench.data.split import Part
from bench.profile.disturbance.monitor import ClockSampler
from bench.results.store import trials
from bench.run import folder as run_folder
from bench.run.run_record import begin_record, complete_record
from bench.run.runner import Runner
from bench.run.sweep.task import Trial
from bench.timing import memory
from bench.timing.ledger import Ledger
from bench.train.assemble import Run
from bench.train.events import Listener, Listeners, Observers


class EpochsDone(Interrupted):
    """A trial has been trained for as long as it was asked to, and has written its checkpoint."""


class StopAfter(Interruption):
    """Stops a training after so many epochs, as a signal would, and passes signals on.

    Args:
        outer: gets the signals.
        epochs: to be trained.
    """

    def __init__(self, outer: Interruption, epochs: int) -> None:
        super().__init__()
        self._outer, self._epochs = outer, epochs
        self._reached = False

    def epoch(self, number: int) -> None:
        """An epoch is over, counted from 1."""
        self._reached = number >= self._epochs

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within, signals wait, as with the outer one."""
        with self._outer.deferred():
            yield

    @property
    def requested(self) -> bool:
        """Whether it is time to stop."""
        return self._reached or self._outer.requested

    def leave(self, message: str) -> None:
        """End the training, or the program.

        Raises:
            EpochsDone: the epochs are done.
            Interrupted: a signal came.
        """
        if self._outer.requested:
            self._outer.leave(message)
        raise EpochsDone(message)


class _Epochs(Listener):
    """Counts epochs and keeps the last."""

    def __init__(self, stop: StopAfter) -> None:
        self._stop = stop
        self.last: Epoch | None = None

    def epoch(self, epoch: Epoch) -> None:
        self.last = epoch
        self._stop.epoch(epoch.epoch)


class TrialRunner(Runner):
    """Makes trials: the test split is never read, validation stands in for it."""

    def loader(self, part: Part, count: int, size: int, batch: int, seen_from: int | None = None) -> Loader:
        """The loader for some samples; of the validation split where those of the test are asked for."""
        if part == "test":
            part, count = "val", self._validation
        return super().loader(part, count, size, batch, seen_from)

    def trial(
        self, run: Run, trial: Trial, unless: Callable[[], Path | None] = lambda: None
    ) -> tuple[TrialRecord, Path]:
        """Train for as many epochs as the trial asks for; the record is written however it ends.

        Args:
            run: what to train.
            trial: which value that is, and for how many epochs.
            unless: asked when nobody else can make this trial any more; the file it finds is taken instead.

        Raises:
            Busy: another process makes this trial.
            BenchError: its results cannot be written.
            Interrupted: somebody asked to stop; the checkpoint stays for the next try.
        """
        self._validation = run.spec.protocol.val_samples
        folder = self._folder(run)
        with run_folder.locked(folder):
            found = unless()
            if found is not None:
                return trials.read(found), found
            began = time.perf_counter()
            draft = begin_record(run, self.device)
            run_folder.prepare(folder, draft)
            stop = StopAfter(self.interruption, trial.epochs)
            epochs = _Epochs(stop)
            outer, self.listener = self.listener, Listeners([self.listener, epochs])
            observers = Observers(
                training=Ledger(self.device, gauge=ClockSampler(self.device, alongside=True)),
                evaluation=Ledger(self.device),
                memory=memory.PeakMeter(self.device),
                listener=self.listener,
                interruption=stop,
            )
            trained = raised = None
            try:
                trained, raised = self._train(run, folder, observers)
            except EpochsDone:
                pass
            finally:
                self.listener = outer
            over = trained is not None or raised is not None
            record = complete_record(draft, trained, raised, observers, time.perf_counter() - began, ())
            path = trials.write(self.results, _trial_record(record, trial, None if over else epochs.last))
            if over:
                shutil.rmtree(folder, ignore_errors=True)  # nobody predicts with its weights
            return trials.read(path), path


def _trial_record(record: Record, trial: Trial, unfinished: Epoch | None) -> TrialRecord:
    """A trial's record from that of its training.

    Args:
        record: of the training.
        trial: what was tried.
        unfinished: the last epoch of a training that may go on; None for one that is over.
    """
    validation = record.test
    if unfinished is not None:
        metrics = unfinished.val_metrics.items()
        validation = {name: Score(value=value, images=record.spec.protocol.val_samples) for name, value in metrics}
    return TrialRecord(
        id=record.id,
        spec=record.spec,
        recipe_name=record.recipe_name,
        parameter=trial.parameter,
        value=trial.value,
        epochs_done=unfinished.epoch if unfinished else record.spec.protocol.epochs,
        outcome=record.outcome,
        reason=record.reason,
        failure=record.failure,
        validation=validation,
        epochs=[unfinished] if unfinished else record.epochs,
        started=record.started,
        finished=record.finished,
        seconds=record.seconds,
        code=record.code,
        arithmetic=record.arithmetic,
        environment=record.environment,
    )


def discard_trial(runs: Path, run_id: str) -> None:
    """Throw away what a trial has left that nobody will go on with."""
    shutil.rmtree(runs / run_id, ignore_errors=True)
