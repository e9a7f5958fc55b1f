"""The loop learns, resumes bit-identically, stops at NaN, and says what does not fit together."""

import gc
from pathlib import Path

import numpy as np
import pytest

from bench.core.errors import BenchError
from bench.core.record import Epoch
from bench.train.checkpoints import training_state
from bench.train.events import Listener, WindowSummary
from bench.train.failures import Diverged
from tests.bench.rectangles import Rectangles
from tests.bench.train.runs import StopAfter, run, same, spec


def test_it_learns(tmp_path: Path) -> None:
    source = Rectangles()
    trained = run(spec(source, epochs=8, optimizer="adam[lr=0.02]"), source, tmp_path)
    losses = [epoch.train_loss["total"] for epoch in trained.history]
    assert losses[-1] < 0.6 * losses[0]
    assert trained.test.columns["mask_dice"].mean() > 0.8
    assert trained.best_epoch == min(trained.history, key=lambda e: e.val_loss["total"]).epoch
    assert trained.test.ids.tolist() == list(range(12))


@pytest.mark.parametrize("model", ["unet[width=4]", "twin_unet[width=4]"])  # the second draws dropout
@pytest.mark.parametrize("schedule", ["onecycle", "plateau[patience=0]", "step[every=1]"])
def test_an_interrupted_run_ends_bit_identical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, schedule: str
) -> None:
    monkeypatch.setattr(training_state, "EVERY", 0.0)
    source = Rectangles()
    run_spec = spec(source, model, epochs=3, schedule=schedule)
    whole = run(run_spec, source, tmp_path / "whole")
    for epochs in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(run_spec, source, tmp_path / "cut", StopAfter(epochs))
    resumed = run(run_spec, source, tmp_path / "cut")
    assert resumed.resumed == 2
    assert resumed.history == whole.history
    assert same(resumed, whole)
    assert {k: v.tobytes() for k, v in resumed.test.columns.items()} == {
        k: v.tobytes() for k, v in whole.test.columns.items()
    }


def test_same_seed_same_run_and_other_seed_another(tmp_path: Path) -> None:
    source = Rectangles()
    first = run(spec(source), source, tmp_path / "a")
    assert same(first, run(spec(source), source, tmp_path / "b"))
    other = spec(source).model_copy(update={"seed": 1})
    assert not same(first, run(other, source, tmp_path / "c"))


def test_loading_tier_does_not_change_the_outcome(tmp_path: Path) -> None:
    source = Rectangles()
    resident = run(spec(source), source, tmp_path / "resident")
    live = run(spec(source), source, tmp_path / "live", budget=0)
    assert same(resident, live)


def test_progressive_stages(tmp_path: Path) -> None:
    source = Rectangles()
    run_spec = spec(source)
    stages = [{"size": 16, "batch": 16, "epochs": 1}, {"size": 32, "batch": 8, "epochs": 1}]
    protocol = run_spec.protocol.override(stages=stages)
    steps_told: list[tuple[int, int]] = []

    class Keep(Listener):
        def window(self, summary: WindowSummary) -> None:
            steps_told.append((summary.step, summary.steps))

    trained = run(run_spec.model_copy(update={"protocol": protocol}), source, tmp_path, Keep())
    assert [epoch.size for epoch in trained.history] == [16, 32]
    assert trained.best_epoch == 2
    assert steps_told == sorted(set(steps_told))  # windows end with each epoch at least
    assert {(3, 9), (9, 9)} <= set(steps_told)  # three batches of 16, then six of 8
    assert {steps for _, steps in steps_told} == {9}


def test_nan_stops_the_run_and_names_the_batch(tmp_path: Path) -> None:
    source = Rectangles(broken=("train", 17))
    with pytest.raises(Diverged, match="of epoch 1") as caught:
        run(spec(source), source, tmp_path)
    assert 17 in caught.value.ids.tolist()
    assert caught.value.term == "depth.l1"


def test_a_broken_validation_sample_is_named_alone(tmp_path: Path) -> None:
    source = Rectangles(broken=("val", 3))
    with pytest.raises(Diverged, match="in validation of epoch 1") as caught:
        run(spec(source), source, tmp_path)
    assert caught.value.ids.tolist() == [3]


def test_single_task_model_trains_its_part(tmp_path: Path) -> None:
    source = Rectangles()
    trained = run(spec(source, "masknet"), source, tmp_path)
    assert set(trained.history[0].train_loss) == {"total", "mask", "mask.bce", "mask.dice"}


def test_baselines_are_fitted_not_trained(tmp_path: Path) -> None:
    source = Rectangles()
    trained = run(spec(source, "difference", recipe=""), source, tmp_path)
    assert trained.history == []
    assert trained.test.columns["mask_dice"].mean() > 0.99  # nothing else differs in these scenes


def test_recipe_without_its_truth_is_refused(tmp_path: Path) -> None:
    source = Rectangles(has_depth=False)
    with pytest.raises(BenchError, match="--bg-depth"):
        run(spec(source), source, tmp_path)
    assert run(spec(source, recipe="mask: bce"), source, tmp_path).history


def test_recipe_for_a_head_the_model_lacks_is_refused(tmp_path: Path) -> None:
    source = Rectangles()
    with pytest.raises(BenchError, match="nothing to train"):
        run(spec(source, "masknet", recipe="depth: l1"), source, tmp_path)


def test_a_size_the_model_does_not_take_is_refused_before_training(tmp_path: Path) -> None:
    source = Rectangles()
    with pytest.raises(BenchError, match=r"multiples of 16, not 40 .* --size 32"):
        run(spec(source, size=40), source, tmp_path)


def test_uneven_last_batches_count_by_image(tmp_path: Path) -> None:
    source = Rectangles()
    rows: list[Epoch] = []

    class Keep(Listener):
        def epoch(self, epoch: Epoch) -> None:
            rows.append(epoch)

    run_spec = spec(source, epochs=1, val_samples=11)
    run(run_spec, source, tmp_path / "a", Keep())
    run(spec(source, epochs=1, val_samples=8), source, tmp_path / "b", Keep())
    run(spec(source, epochs=1, val_samples=11, batch=8), source, tmp_path / "c", Keep())
    assert rows[0].val_loss == rows[2].val_loss
    assert rows[0].val_loss != rows[1].val_loss


def test_a_head_that_nothing_trains_has_no_score(tmp_path: Path) -> None:
    source = Rectangles()
    trained = run(spec(source, recipe="mask: bce"), source, tmp_path)
    assert not np.isnan(trained.test.columns["mask_dice"]).any()
    assert np.isnan(trained.test.columns["depth_rmse"]).all()


def test_samples_are_asked_for_once_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting them aside looks for all garbage, which takes as long as dozens of steps on a GPU."""
    collected: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(1))
    source, counts = Rectangles(), []
    for epochs in (1, 5):
        collected.clear()
        run(spec(source, epochs=epochs), source, tmp_path / str(epochs))
        counts.append(len(collected))
    assert counts[0] == counts[1] > 0
