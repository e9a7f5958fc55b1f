"""Event files: everything by training step, and nothing twice after a run went on from a checkpoint."""

from pathlib import Path

import pytest

from bench.core.record import Epoch
from bench.report.listeners.tensorboard import TensorBoard, _scalars
from bench.train.checkpoints.training_state import TrainingState
from bench.train.events import Listeners, WindowSummary
from tests.bench.rectangles import Rectangles
from tests.bench.train.test_loop import StopAfter, run, spec


class Flushed(TensorBoard):
    """Nothing that was said is lost when the run is stopped."""

    def window(self, summary: WindowSummary) -> None:
        super().window(summary)
        self._writer.flush()


def steps(folder: Path, tag: str) -> list[int]:
    """As they lie in the files, since readers differ in what they leave out."""
    return [step for name, _, step, _ in _scalars(folder / "tensorboard") if name == tag]


@pytest.mark.parametrize("stopped", [False, True])
def test_validation_and_training_lie_on_one_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    monkeypatch.setattr("bench.train.checkpoints.training_state.EVERY", 0.0)
    source = Rectangles()
    run_spec = spec(source, epochs=3)  # of 48 samples by 8
    before = []
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            run(run_spec, source, tmp_path, Listeners([Flushed(), StopAfter(2)]))
        assert max(steps(tmp_path, "train/total")) > 12
        before = [event for event in _scalars(tmp_path / "tensorboard") if event[2] <= 12]
        assert before
    run(run_spec, source, tmp_path, Flushed())
    for tag in ("validation/total", "validation/mask_dice", "train/learning_rate"):
        assert steps(tmp_path, tag) == [6, 12, 18]
    assert steps(tmp_path, "gradients/cosine") == [12]  # measured at step 9
    windows = steps(tmp_path, "train/total")
    assert windows == sorted(set(windows))
    assert windows[-1] == 18
    assert [*_scalars(tmp_path / "tensorboard")][: len(before)] == before


def test_a_run_that_begins_anew_forgets_the_earlier_one(tmp_path: Path) -> None:
    source = Rectangles()
    with pytest.raises(KeyboardInterrupt):
        run(spec(source), source, tmp_path, Listeners([Flushed(), StopAfter(0)]))
    run(spec(source), source, tmp_path, Flushed())
    windows = steps(tmp_path, "train/total")
    assert windows == sorted(set(windows))


def test_an_epoch_is_told_of_before_it_is_done_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.train.checkpoints.training_state.EVERY", 0.0)
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
