"""Event files: everything by training step, and nothing twice after a run went on from a checkpoint."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bench.watch import Pace, TensorBoard, Watchers
from tests.bench.rectangles import Rectangles
from tests.bench.test_loop import StopAfter, run, spec


class Closed(TensorBoard):
    """Written out as soon as it is said, as if the process ended there."""

    def window(self, pace: Pace) -> None:
        super().window(pace)
        self._writer.flush()


def steps(folder: Path, tag: str) -> list[int]:
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [event.step for event in events.Scalars(tag)]


@pytest.mark.parametrize("stopped", [False, True])
def test_validation_and_training_lie_on_one_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    monkeypatch.setattr("bench.state.EVERY", 0.0)
    source = Rectangles()
    one = spec(source, epochs=3)  # of 48 samples by 8
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            run(one, source, tmp_path, Watchers([Closed(), StopAfter(2)]))
        assert max(steps(tmp_path, "train/total")) > 12
    run(one, source, tmp_path, Closed())
    for tag in ("validation/total", "validation/mask_dice", "train/learning_rate"):
        assert steps(tmp_path, tag) == [6, 12, 18]
    assert steps(tmp_path, "gradients/cosine") == [12]  # measured at step 9
    windows = steps(tmp_path, "train/total")
    assert windows == sorted(set(windows))
    assert windows[-1] == 18
