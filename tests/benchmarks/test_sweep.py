"""A sweep's own cost: 1,000 finished cells are recognised in under 5 s, 10,000 runs are planned in under 2 s."""

from pathlib import Path

import pytest

from bench.core.protocol import find_protocol
from bench.results import store
from bench.run.run_record import begin_record
from bench.run.sweep.grid.grid import Grid
from bench.run.sweep.sweep import Sweep
from bench.run.sweep.task import DataChoice
from bench.train.assemble import Run

WIDTHS = "|".join(str(width) for width in range(1, 51))
LOSSES = [f"mask: {weight}*bce" for weight in range(1, 21)]


def sweep(folder: Path, seeds: int) -> Sweep:
    return Sweep(
        Grid([f"unet[width={WIDTHS}]"], LOSSES), DataChoice(), protocol=find_protocol("quick"), seeds=range(seeds),
        device="cpu", results=folder / "results", runs=folder / "runs", baselines=False,
    )  # fmt: skip


def test_plan_of_10000_runs(benchmark, tmp_path: Path) -> None:
    plan = benchmark.pedantic(lambda: sweep(tmp_path, 10).plan, rounds=2)
    assert len(plan.left) == 10_000
    assert benchmark.stats.stats.min < 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand records of finished runs, one a cell."""
    folder = tmp_path_factory.mktemp("finished")
    for number, task in enumerate(sweep(folder, 1).plan.left):
        made = Run(task.spec, None, task.recipe_name)
        if number == 0:
            first = begin_record(made, sweep(folder, 1)._device)
        changes = {"id": task.spec.id, "cell": task.spec.cell, "spec": task.spec, "outcome": "finished"}
        store.write(folder / "results", first.model_copy(update=changes), {})
    return folder


def test_1000_finished_cells_are_recognised(benchmark, finished: Path) -> None:
    plan = benchmark.pedantic(lambda: sweep(finished, 1).plan, rounds=1)
    assert (plan.done, len(plan.left)) == (1000, 0)
    assert benchmark.stats.stats.min < 5
