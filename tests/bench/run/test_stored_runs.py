"""What lies in runs/ is told by run, state, size and age; pruning touches neither running nor unknown folders."""

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.run import folder as run_folder
from bench.run.stored_runs import remove, stored_runs, to_prune


def make(runs: Path, model: str, *names: str, days: float = 0.0, recipe: str = "mask: bce") -> Path:
    spec = RunSpec(model=model, recipe=recipe, protocol=find_protocol("quick"), data={})
    folder = runs / spec.id
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(spec.model_dump_json())
    for name in names:
        (folder / name).write_bytes(b"x" * 1000)
    moment = time.time() - 86400 * days
    for path in folder.iterdir():
        os.utime(path, (moment, moment))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    make(tmp_path, "unet", "best.pt", "trained_on.txt", "predictions.png", days=1)
    make(tmp_path, "wnet", "last.pt", days=10)
    (tmp_path / "packed").mkdir()
    (tmp_path / "notes").mkdir()
    return tmp_path


def states(runs: Path) -> dict[str, str]:
    return {run.spec.model if run.spec else run.path.name: run.state for run in stored_runs(runs)}


def test_every_folder_has_a_state(runs: Path) -> None:
    expected = {"unet": "finished", "wnet": "unfinished", "packed": "packed samples", "notes": "unknown"}
    assert states(runs) == expected
    unet = next(run for run in stored_runs(runs) if run.spec and run.spec.model == "unet")
    assert unet.bytes > 2000
    with run_folder.locked(unet.path):
        assert states(runs)["unet"] == "running"


def test_what_may_go(runs: Path) -> None:
    stored = stored_runs(runs)
    names = lambda chosen: {run.spec.model for run in chosen if run.spec}  # noqa: E731
    assert to_prune(stored) == []
    assert names(to_prune(stored, unfinished=True)) == {"wnet"}
    assert names(to_prune(stored, older_than_days=5)) == {"wnet"}
    assert names(to_prune(stored, older_than_days=0.5)) == {"unet", "wnet"}
    assert to_prune(stored, unfinished=True, older_than_days=30) == []
    assert all(run.state != "unknown" for run in to_prune(stored, older_than_days=0))


def test_all_but_the_best_weights(runs: Path) -> None:
    unet = next(run for run in stored_runs(runs) if run.spec and run.spec.model == "unet")
    assert remove(unet, but_best=True) >= 1000
    assert {path.name for path in unet.path.iterdir()} == {"best.pt", "trained_on.txt", "spec.json", "lock"}
    remove(unet)
    assert not unet.path.exists()


def test_the_command(runs: Path) -> None:
    shown = CliRunner().invoke(app, ["runs", "--runs", str(runs)], catch_exceptions=False)
    assert "unfinished" in shown.output
    assert "10.0 days" in shown.output
    assert CliRunner().invoke(app, ["runs", "--runs", str(runs), "--prune"]).exit_code != 0
    done = CliRunner().invoke(app, ["runs", "--runs", str(runs), "--prune", "--unfinished"], catch_exceptions=False)
    assert "1 of 4 folders pruned, " in done.output and "MiB freed" in done.output
    assert "wnet" not in states(runs)


def test_a_baseline_that_left_no_weights_is_finished(tmp_path: Path) -> None:
    make(tmp_path, "constant", recipe="")
    make(tmp_path, "mean_map", run_folder.DRAFT, recipe="")
    assert states(tmp_path) == {"constant": "finished", "mean_map": "unfinished"}


@pytest.mark.parametrize("kind", ["file", "nothing"])
def test_a_folder_of_runs_that_is_none_is_named(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "runs"
    if kind == "file":
        place.write_text("x")
    with pytest.raises(BenchError, match=f"no folder {place}; bench run makes it, or name another with --runs"):
        stored_runs(place)
