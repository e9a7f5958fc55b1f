"""A tuned sweep of real runs: trials see no test split, boards are not mixed, one training serves two divisions."""

from pathlib import Path

from bench.report.html.explore.tuning_plot import tuning_plots
from bench.report.markdown.leaderboard import leaderboard
from bench.results import store
from bench.results.board import groups_of
from bench.results.store import trials
from bench.run.runner import Runner
from bench.run.sweep.tuning.trial_grid import TrialGrid
from bench.run.sweep.tuning.trial_runner import TrialRunner
from tests.bench.run.sweep.made_up import run_here, small_sweep

RATES = TrialGrid.parse("optimizer.lr=1e-3,3e-3")


def test_a_tuned_sweep(tmp_path: Path) -> None:
    changes = {"epochs": 2}
    run_here(small_sweep(tmp_path, seeds=[0], baselines=True, changes=changes))
    tuned = small_sweep(tmp_path, seeds=[0], baselines=True, changes=changes, tune=RATES, prune=True)
    assert (tuned.plan.trials, tuned.plan.trials_done, tuned.plan.to_come) == (5, 0, 1)
    run_here(tuned)
    files = (tmp_path / "results" / trials.FOLDER).glob("*.json")
    kept = [trials.read(path) for path in files if path.name != store.SCHEMA]
    nets = [trial for trial in kept if trial.parameter]
    assert {(trial.value, trial.epochs_done) for trial in nets} >= {(0.001, 1), (0.003, 1)}
    assert sorted(trial.epochs_done for trial in nets) == [1, 1, 2]
    assert all(trial.outcome == "finished" and trial.validation for trial in kept)
    groups = {group.members[0][1].division: group for group in groups_of(store.read_all(tmp_path / "results"))}
    assert {*groups} == {"untuned", "tuned (2 trials, pruned)"}
    assert groups["untuned"].protocol == groups["tuned (2 trials, pruned)"].protocol
    for group in groups.values():
        assert len(group.board) == 4  # a net and the baselines, on either board
    tuning = groups["tuned (2 trials, pruned)"].board[0].any.tuning
    assert tuning.edge in ("lowest", "highest")
    ids = {record.id for _, record in store.read_all(tmp_path / "results") if record.tuning or record.spec.recipe}
    assert len(ids) == (1 if tuning.value == 0.003 else 2)
    page = leaderboard(store.read_all(tmp_path / "results"), "results", tmp_path / "results")
    assert "### Tuning" in page and "(edge)" in page and "tuned (2 trials, pruned)" in page
    ((path, figure),) = tuning_plots(groups["tuned (2 trials, pruned)"])
    assert path == "optimizer.lr" and figure.count("<circle") == 2
    again = small_sweep(tmp_path, seeds=[0], baselines=True, changes=changes, tune=RATES, prune=True)
    assert (again.plan.trials_done, again.plan.to_come, again.plan.left) == (5, 0, [])
    assert again.plan.done == 4


def test_a_run_at_the_protocols_own_value_is_not_trained_again(tmp_path: Path) -> None:
    same = TrialGrid.parse("optimizer.lr=3e-3,3.001e-3")
    run_here(small_sweep(tmp_path, seeds=[0, 1]))
    before = [record for _, record in store.read_all(tmp_path / "results")]
    run_here(small_sweep(tmp_path, seeds=[0, 1], tune=same))
    tuned = [record for _, record in store.read_all(tmp_path / "results") if record.tuning]
    assert len(tuned) == 2
    for record in tuned:
        if record.tuning.value == 0.003:
            twin = next(each for each in before if each.id == record.id)
            assert (record.test, record.images, record.seconds) == (twin.test, twin.images, twin.seconds)
            assert record.facts["same_run"].endswith(".json")


def test_trials_never_ask_for_the_test_split(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(Runner, "loader", lambda self, part, *given: asked.append((part, given)))
    runner = object.__new__(TrialRunner)
    runner._validation = 8
    for part in ("train", "val", "test"):
        runner.loader(part, 16, 32, 4)
    assert [part for part, _ in asked] == ["train", "val", "val"]
    assert asked[-1][1][0] == 8
