"""TensorBoard event files of a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.record import Epoch, Record
from bench.core.spec import RunSpec
from bench.train.events import Listener, Preview, WindowSummary

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Listener):
    """Losses, learning rate, images per second, validation metrics and task gradients, by training step."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Open the event file; events of an earlier process up to the resumed step are kept.

        The events of an earlier run are kept beside it until this run ends.

        TensorBoard's own ``purge_step`` is ignored by its current server.
        """
        from torch.utils.tensorboard import SummaryWriter  # takes seconds to import

        self._protocol = spec.protocol
        events, self._before = folder / "tensorboard", folder / "tensorboard.before"
        kept = [scalar for scalar in _scalars(events) if scalar[2] <= step]
        if events.exists() and not step and not self._before.exists():
            events.rename(self._before)
        shutil.rmtree(events, ignore_errors=True)
        self._writer = SummaryWriter(events)
        for tag, value, step, moment in kept:
            self._writer.add_scalar(tag, value, step, moment)

    def window(self, summary: WindowSummary) -> None:
        """Write losses and images per second."""
        self._add("train", {**summary.losses, "images_per_second": summary.images_per_second}, summary.step)

    def epoch(self, epoch: Epoch) -> None:
        """Write the validation's values, and flush the file."""
        at = self._protocol.steps_before(epoch.epoch + 1)
        self._add("validation", {**epoch.val_loss, **epoch.val_metrics}, at)
        self._add("gradients", epoch.gradients or {}, at)
        self._add("train", {"learning_rate": epoch.learning_rate}, at)
        if self._writer is not None:
            self._writer.flush()

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Close the event file, if one was opened."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()
            shutil.rmtree(self._before, ignore_errors=True)

    def _add(self, group: str, values: Mapping[str, float | None], at: int) -> None:
        for name, value in values.items():
            if self._writer is not None and value is not None:
                self._writer.add_scalar(f"{group}/{name}", value, at)


def _scalars(folder: Path) -> Iterator[tuple[str, float, int, float]]:
    """Tag, value, step and moment (seconds since 1970) of everything in a folder's event files, in order."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader  # as they were written

    for path in sorted(folder.glob("events.*")):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                yield value.tag, value.simple_value, event.step, event.wall_time
