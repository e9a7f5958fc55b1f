"""What shows a run ends none, and comes after its record."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.core.record import Epoch
from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.pictures.predictions import prediction_picture
from bench.results import store
from bench.train.checkpoints import training_state
from bench.train.events import Listener, Listeners, OptionalListener
from registry.contract import Prediction, Quartet
from tests.bench.rectangles import Rectangles
from tests.bench.run.small_runs import small_run, small_runner


@pytest.mark.parametrize(("recipe", "columns"), [("mask: bce, depth: l1", 6), ("mask: bce", 5), ("depth: l1", 5)])
def test_a_head_that_nothing_trains_is_not_drawn(tmp_path: Path, recipe: str, columns: int) -> None:
    record, _ = small_runner(tmp_path, Rectangles(), PredictionPicture()).run(small_run(Rectangles(), recipe=recipe))
    with Image.open(tmp_path / "runs" / record.id / "predictions.png") as picture:
        assert picture.width == 132 * columns + 4  # bg, bg_fg, mask, depth, and what was predicted


class Full(Listener):
    """As if the disk were full; or anything else that drawing may raise."""

    def __init__(self, what: str) -> None:
        self.what = what

    def started(self, *_: object) -> None:
        self._raise("started")

    def window(self, *_: object) -> None:
        self._raise("window")

    def epoch(self, *_: object) -> None:
        self._raise("epoch")

    def finished(self, *_: object) -> None:
        self._raise("finished")

    def _raise(self, what: str) -> None:
        if what == self.what:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("what", ["started", "window", "epoch", "finished"])
def test_an_optional_listener_that_fails_is_a_warning(tmp_path: Path, what: str) -> None:
    notices: list[str] = []
    listener = Listeners([OptionalListener(Full(what), "picture", notices.append)])
    record, path = small_runner(tmp_path, Rectangles(), listener).run(small_run(Rectangles()))
    assert record.outcome == "finished"
    assert store.read(path) == record
    assert notices == ["warning: no picture of this run: [Errno 28] No space left on device"]


def test_the_record_is_written_before_anybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_state, "WITHIN", 0.0)  # a checkpoint after every step

    class Look(Listener):
        def epoch(self, epoch: Epoch) -> None:
            assert (tmp_path / "runs" / run.spec.id / "last.pt").exists()

        def finished(self, record, folder, preview) -> None:
            assert [kept for _, kept in store.read_all(tmp_path / "results")] == [record]
            assert not (folder / "last.pt").exists()
            quartet, prediction = preview(3)
            assert len(quartet) == len(prediction.mask.value) == 3
            self.looked = True

    look, run = Look(), small_run(Rectangles())
    small_runner(tmp_path, Rectangles(), look).run(run)
    assert look.looked


def test_a_kill_leaves_nothing_for_good(tmp_path: Path) -> None:
    run = small_run(Rectangles())
    folder = tmp_path / "runs" / run.spec.id
    folder.mkdir(parents=True)
    (folder / "last.part").write_bytes(b"half")
    small_runner(tmp_path, Rectangles()).run(run)
    assert {path.name for path in folder.iterdir()} == {"best.pt", "spec.json", "lock"}
    assert json.loads((folder / "spec.json").read_text())["model"] == run.spec.model


def test_events_of_before_stay_until_the_next_run_is_over(tmp_path: Path) -> None:
    run, source = small_run(Rectangles()), Rectangles()
    folder = tmp_path / "runs" / run.spec.id
    small_runner(tmp_path, source, TensorBoard()).run(run)
    before = {path.name for path in (folder / "tensorboard").iterdir()}

    class Look(Listener):
        def epoch(self, epoch) -> None:
            assert {path.name for path in (folder / "tensorboard.before").iterdir()} == before

    small_runner(tmp_path, source, Listeners([TensorBoard(), Look()])).run(run)
    assert not (folder / "tensorboard.before").exists()


def test_a_picture_needs_no_known_depth() -> None:
    images, flat = torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    picture = prediction_picture(Quartet(images, images, flat, flat, flat), Prediction(flat, flat))
    assert picture.width > picture.height


def test_what_a_kill_kept_from_being_drawn_is_drawn_at_the_next_start(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    class Dies(Listener):
        def finished(self, *_: object) -> None:
            raise Killed

    run, source = small_run(Rectangles()), Rectangles()
    folder = tmp_path / "runs" / run.spec.id
    with pytest.raises(Killed):
        small_runner(tmp_path, source, Listeners([Dies(), PredictionPicture()])).run(run)
    [(_, record)] = store.read_all(tmp_path / "results")
    assert not (folder / "predictions.png").exists()
    half = folder / ".predictions.png.abcdefgh.tmp"  # a kill in the middle of drawing, hours ago
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    small_runner(tmp_path, source, PredictionPicture()).show_again(run, record)
    late = (folder / "predictions.png").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"best.pt", "spec.json", "lock", "predictions.png"}
    small_runner(tmp_path / "whole", source, PredictionPicture()).run(run)
    assert late == (tmp_path / "whole" / "runs" / run.spec.id / "predictions.png").read_bytes()


def test_what_is_drawn_is_not_drawn_again(tmp_path: Path) -> None:
    class Counts(Listener):
        drawn = 0

        def finished(self, *_: object) -> None:
            self.drawn += 1

    run, source, counts = small_run(Rectangles()), Rectangles(), Counts()
    runner = small_runner(tmp_path, source, counts)
    record, _ = runner.run(run)
    runner.show_again(run, record)
    assert counts.drawn == 1


@pytest.mark.parametrize("model", ["constant", "mean_map"])
def test_pictures_of_baselines_are_made_up_for_too(tmp_path: Path, model: str) -> None:
    class Dies(PredictionPicture):
        dies = True

        def finished(self, *given) -> None:
            if self.dies:
                raise KeyboardInterrupt
            super().finished(*given)

    run, listener = small_run(Rectangles(), model, recipe=""), Dies()
    runner = small_runner(tmp_path, Rectangles(), listener)
    with pytest.raises(KeyboardInterrupt):
        runner.run(run)
    listener.dies = False
    runner.show_again(run, store.read_all(tmp_path / "results")[0][1])
    assert (tmp_path / "runs" / run.spec.id / "predictions.png").exists()
