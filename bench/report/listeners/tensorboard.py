"""TensorBoard event files of a run."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from bench.core.record import Epoch, Record
from bench.core.spec import RunSpec
from bench.report.pictures.png import png
from bench.report.pictures.predictions import prediction_picture
from bench.train.events import Listener, Preview, WindowSummary
from registry.contract import Prediction, Quartet

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from torch.utils.tensorboard import FileWriter, SummaryWriter


_PICTURED = 4
"""Validation samples that are drawn after every epoch."""
_LATER = 0.25
"""Seconds after which they are: Python runs one thread at a time, and the next epoch must first be under way."""


class TensorBoard(Listener):
    """Losses, learning rate, rate, validation metrics, task gradients and pictures of validation, by training step."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None
        self._drawing: Future[None] | None = None

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Open the event file; events of an earlier process up to the resumed step are kept.

        The events of an earlier run are kept beside it until this run ends.

        TensorBoard's own ``purge_step`` is ignored by its current server.
        """
        from torch.utils.tensorboard import SummaryWriter  # takes seconds to import

        self._protocol = spec.protocol
        events, self._before = folder / "tensorboard", folder / "tensorboard.before"
        kept = [event for event in _events(events) if event.step <= step]
        if events.exists() and not step and not self._before.exists():
            events.rename(self._before)
        shutil.rmtree(events, ignore_errors=True)
        _silence_threads()
        self._pen, self._at_once = ThreadPoolExecutor(1, thread_name_prefix="tensorboard"), threading.Event()
        self._writer = SummaryWriter(events)
        for event in kept:
            _file(self._writer).add_event(event, event.step, event.wall_time)

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

    def predictions(self, epoch: int, preview: Preview) -> None:
        """Draw the same validation samples as after every other epoch; on a GPU beside the training of the next one."""
        if self._writer is not None:
            self._drawn()
            at = self._protocol.steps_before(epoch + 1)
            shown = self._writer, *preview(_PICTURED), at
            if _has_time_beside_training():
                self._drawing = self._pen.submit(self._draw_later, *shown)
            else:
                _draw(*shown)

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Close the event file, if one was opened."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            try:
                self._drawn()
            finally:
                self._pen.shutdown()
                writer.close()
                shutil.rmtree(self._before, ignore_errors=True)

    def _drawn(self) -> None:
        """Wait for the last picture; raises what its thread met."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            self._at_once.set()
            drawing.result()
            self._at_once.clear()

    def _draw_later(self, writer: SummaryWriter, quartet: Quartet, prediction: Prediction, at: int) -> None:
        self._at_once.wait(_LATER)
        _draw(writer, quartet, prediction, at)

    def _add(self, group: str, values: Mapping[str, float | None], at: int) -> None:
        for name, value in values.items():
            if self._writer is not None and value is not None:
                self._writer.add_scalar(f"{group}/{name}", value, at)


def _has_time_beside_training() -> bool:
    """Whether training leaves the processor alone, which is so on a GPU.

    On a CPU a thread that uses torch has OpenMP threads of its own, more than there are cores: libgomp then lets all of
    them sleep at every barrier, and a step of `unet` on two cores takes a sixth longer.
    """
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _draw(writer: SummaryWriter, quartet: Quartet, prediction: Prediction, at: int) -> None:
    sheet = np.asarray(prediction_picture(quartet, prediction))
    _file(writer).add_summary(_picture("validation/predictions", sheet), at)
    writer.flush()


def _file(writer: SummaryWriter) -> FileWriter:
    file = writer.file_writer
    assert file is not None, "a writer has its file from the beginning"
    return file


def _picture(tag: str, pixels: npt.NDArray[np.uint8]) -> Summary:
    """A picture (H, W, 3) as TensorBoard stores it; its own encoder takes seven times as long, between two epochs."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width, colours = pixels.shape
    image = Summary.Image(height=height, width=width, colorspace=colours, encoded_image_string=png(pixels))
    return Summary(value=[Summary.Value(tag=tag, image=image)])


def _silence_threads() -> None:
    """Keep TensorBoard's writing threads from printing a traceback: the next call raises what they met."""
    previous = threading.excepthook

    def hook(raised: threading.ExceptHookArgs) -> None:
        if not type(raised.thread).__module__.startswith("tensorboard."):
            previous(raised)

    if getattr(previous, "__module__", "") != __name__:
        threading.excepthook = hook


def _events(folder: Path) -> Iterator[Event]:
    """Everything in a folder's event files that has values, in order."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader  # as they were written

    for path in sorted(folder.glob("events.*")):
        yield from (event for event in LegacyEventFileLoader(str(path)).Load() if event.summary.value)
