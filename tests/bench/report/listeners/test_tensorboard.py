"""Event files: everything by training step, and nothing twice after a run went on from a checkpoint."""

import errno
import io
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.core.record import Epoch
from bench.report.listeners import tensorboard
from bench.report.listeners.tensorboard import TensorBoard, _events
from bench.train.checkpoints import training_state
from bench.train.checkpoints.training_state import TrainingState
from bench.train.events import Listeners, OptionalListener, Preview, WindowSummary
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner
from tests.bench.train.runs import StopAfter, run, same, spec


class Flushed(TensorBoard):
    """No event is lost when the run is interrupted."""

    def window(self, summary: WindowSummary) -> None:
        super().window(summary)
        self._writer.flush()

    def predictions(self, epoch: int, preview: Preview) -> None:
        super().predictions(epoch, preview)
        self._drawn()


def written(folder: Path) -> list[tuple[str, int, float]]:
    """Tag, step and moment of everything, as it lies in the files, since readers differ in what they leave out."""
    events = _events(folder / "tensorboard")
    return [(value.tag, event.step, event.wall_time) for event in events for value in event.summary.value]


def steps(folder: Path, tag: str) -> list[int]:
    return [step for name, step, _ in written(folder) if name == tag]


@pytest.mark.parametrize("stopped", [False, True])
def test_validation_and_training_lie_on_one_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    run_spec = spec(source, epochs=3)  # of 48 samples by 8
    before = []
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            run(run_spec, source, tmp_path, Listeners([Flushed(), StopAfter(2)]))
        assert max(steps(tmp_path, "train/total")) > 12
        before = [event for event in written(tmp_path) if event[1] <= 12]
        assert before
    run(run_spec, source, tmp_path, Flushed())
    for tag in ("validation/total", "validation/mask_dice", "train/learning_rate"):
        assert steps(tmp_path, tag) == [6, 12, 18]
    assert steps(tmp_path, "validation/predictions") == [6, 12, 18], "a picture after every epoch, kept when it goes on"
    assert steps(tmp_path, "gradients/cosine") == [12]  # measured at step 9
    windows = steps(tmp_path, "train/total")
    assert windows == sorted(set(windows))
    assert windows[-1] == 18
    assert written(tmp_path)[: len(before)] == before


def test_a_run_that_begins_anew_forgets_the_earlier_one(tmp_path: Path) -> None:
    source = Rectangles()
    with pytest.raises(KeyboardInterrupt):
        run(spec(source), source, tmp_path, Listeners([Flushed(), StopAfter(0)]))
    run(spec(source), source, tmp_path, Flushed())
    windows = steps(tmp_path, "train/total")
    assert windows == sorted(set(windows))


def test_an_epoch_is_told_of_before_it_is_done_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    keep = TrainingState.keep

    def kept_and_stopped(state: TrainingState, row: Epoch, final: bool) -> None:
        keep(state, row, final)
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(TrainingState, "keep", kept_and_stopped)
        with pytest.raises(KeyboardInterrupt):
            run(spec(source), source, tmp_path, TensorBoard())
    assert run(spec(source), source, tmp_path, Flushed()).resumed == 1
    assert steps(tmp_path, "validation/total") == [6, 12]


def test_pictures_are_of_the_same_samples_after_every_epoch(tmp_path: Path) -> None:
    source = Rectangles()
    shown: list[tuple[int, torch.Tensor, torch.Tensor]] = []

    class Seen(TensorBoard):
        def predictions(self, epoch: int, preview: Preview) -> None:
            quartet, prediction = preview(3)
            shown.append((epoch, quartet.bg_fg, prediction.mask_logits))
            super().predictions(epoch, preview)

    drawn = run(spec(source, epochs=2), source, tmp_path / "a", Seen())
    assert [epoch for epoch, _, _ in shown] == [1, 2]
    assert torch.equal(shown[0][1], shown[1][1])
    assert (shown[0][1] - source.render("val", torch.arange(3), 32).bg_fg).abs().max() < 0.01
    assert not torch.equal(shown[0][2], shown[1][2]), "the model has learnt in between"
    assert same(drawn, run(spec(source, epochs=2), source, tmp_path / "b")), "who looks on changes nothing"
    pictures = [
        Image.open(io.BytesIO(value.image.encoded_image_string))
        for event in _events(tmp_path / "a/tensorboard")
        for value in event.summary.value
        if value.WhichOneof("value") == "image"
    ]
    assert len(pictures) == 2
    assert all(picture.width > 4 * 128 for picture in pictures)


def test_a_picture_is_drawn_beside_the_next_epoch_and_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "_LATER", 60.0)  # nobody waits for that long
    monkeypatch.setattr(tensorboard, "_has_time_beside_training", lambda: True)
    source = Rectangles()
    record, _ = small_runner(tmp_path, source, TensorBoard()).run(small_run(source, epochs=2))
    assert record.outcome == "finished"
    folder = tmp_path / "runs" / record.id
    assert steps(folder, "validation/predictions") == [2, 4]


def test_on_a_cpu_no_thread_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have OpenMP threads of its own, and all of them would sleep at every barrier."""
    drew: list[str] = []
    draw = tensorboard._draw

    def noted(*shown: object) -> None:
        drew.append(threading.current_thread().name)
        draw(*shown)

    monkeypatch.setattr(tensorboard, "_draw", noted)
    source = Rectangles()
    small_runner(tmp_path, source, TensorBoard()).run(small_run(source, epochs=2))
    assert drew == [threading.current_thread().name] * 2


@pytest.mark.parametrize("beside", [False, True])
def test_a_picture_that_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such colour")

    notices: list[str] = []
    monkeypatch.setattr(tensorboard, "prediction_picture", broken)
    monkeypatch.setattr(tensorboard, "_has_time_beside_training", lambda: beside)
    source = Rectangles()
    told = OptionalListener(TensorBoard(), "TensorBoard events", notices.append)
    record, _ = small_runner(tmp_path, source, told).run(small_run(source, epochs=2))
    assert record.outcome == "finished"
    assert ["no such colour" in words for words in notices] == [True]


def test_a_thread_that_meets_a_full_disk_prints_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(self: RecordWriter, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    notices: list[str] = []
    source = Rectangles()
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    monkeypatch.setattr(RecordWriter, "write", full)
    run(spec(source), source, tmp_path, OptionalListener(TensorBoard(), "TensorBoard events", notices.append))
    [words] = notices
    assert "warning: no TensorBoard events of this run: [Errno 28] No space left on device" in words
    assert "Traceback" not in capfd.readouterr().err
