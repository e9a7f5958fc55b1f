"""`TuningPlanner`: trials of every cell first, then its runs at the value that scored best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from bench.core.errors import BenchError
from bench.core.record import Record, TrialRecord, TriedValue, Tuning
from bench.core.spec import RunSpec
from bench.run.sweep.agenda import Order
from bench.run.sweep.grid.grid import Cell
from bench.run.sweep.task import Task, Trial
from bench.run.sweep.tuning.cell_trials import CellTrials
from bench.run.sweep.tuning.score import Weights, score
from bench.run.sweep.tuning.trial_grid import TrialGrid

TUNING_SEED = 1_000_000_000
"""Of every trial: no run of a grid has it, and all cells have the same."""

_BASELINES, _TRIALS, _RUNS = -2, 0, 1
"""Where they come in the order of tasks."""


def rungs(epochs: int, trials: int) -> list[int]:
    """Epochs at which trials are compared and the worse half stops: at a half, a quarter ..., as often as it halves.

    >>> rungs(8, 5), rungs(2, 5), rungs(1, 5)
    ([2, 4, 8], [1, 2], [1])
    """
    halvings = range(int(math.log2(trials)), -1, -1)
    return sorted({max(1, epochs // 2**halving) for halving in halvings})


class TuningPlanner:
    """Makes trials for each of some cells, the same number for all, and runs at what they find.

    Args:
        grid: values to be tried.
        cells: with the spec of their runs, whatever its seed.
        seeds: of the runs.
        baselines: specs of the baselines that learn nothing, whose trials are the zero of skill.
        weights: of the heads in a trial's score.
        prune: stop trials that are out of the running.
        found: gives the record of a trial that is done already.
        pruned: told of a trial that will not be gone on with.

    Raises:
        BenchError, RegistryError: a cell has no such number, or it cannot have one of the values.
    """

    def __init__(
        self,
        grid: TrialGrid,
        cells: Sequence[tuple[Cell, RunSpec]],
        seeds: Sequence[int],
        baselines: Sequence[RunSpec],
        weights: Weights,
        prune: bool = False,
        found: Callable[[Task], TrialRecord | None] = lambda task: None,
        pruned: Callable[[Task], None] = lambda task: None,
    ) -> None:
        self._grid, self._seeds, self._weights = grid, seeds, weights
        self._found, self._pruned = found, pruned
        self._prune = prune
        self._baseline_specs = baselines
        self._baselines: dict[str, TrialRecord | None] = {}
        self._cells: list[CellTrials] = []
        for place, (cell, spec) in enumerate(cells):
            untuned = float(grid.parameter.get(spec))
            for value in grid.values:
                grid.parameter.set(spec, value)
            self._cells.append(CellTrials(place, cell, spec, untuned))
        epochs = cells[0][1].protocol.epochs
        self._rungs = rungs(epochs, len(grid.values)) if prune else [epochs]
        self.failed: list[Cell] = []
        """Cells without a single score: they have no runs."""

    @property
    def trials(self) -> int:
        """Of every cell; that of the protocol's own value, where it is outside of the grid, is for reference."""
        return len(self._grid.values)

    def begin(self) -> Iterator[tuple[Order, Task]]:
        """What can be made now; what is done already is taken into account."""
        for place, spec in enumerate(self._baseline_specs):
            task = Task(spec=spec, recipe_name="none", trial=Trial(parameter="", value=0, epochs=spec.protocol.epochs))
            record = self._found(task)
            self._baselines[spec.id] = record
            if record is None:
                yield (_BASELINES, place), task
        for cell in self._cells:
            yield from self._advance(cell)

    @property
    def trial_count(self) -> int:
        """Trials of all cells and baselines, done or not."""
        return len(self._baseline_specs) + sum(len(self._values(cell)) for cell in self._cells)

    def specs_to_come(self) -> Iterator[RunSpec]:
        """Stand-ins, with the untuned value, for runs whose value is not chosen yet."""
        for cell in self._cells:
            if not cell.chosen:
                yield from (cell.spec.model_copy(update={"seed": seed}) for seed in self._seeds)

    def ended(self, task: Task, record: Record | TrialRecord) -> Iterator[tuple[Order, Task]]:
        """A task has ended: go on with its cell."""
        if task.trial is None or not isinstance(record, TrialRecord):
            return
        if not task.trial.parameter:
            self._baselines[task.spec.id] = record
            for cell in self._cells:
                yield from self._advance(cell)
            return
        for cell in self._cells:
            if task.trial.value in cell.submitted and self._task(cell, task.trial.value, 1).spec.id == task.spec.id:
                cell.records[task.trial.value] = record
                del cell.submitted[task.trial.value]
                yield from self._advance(cell)

    def _advance(self, cell: CellTrials) -> Iterator[tuple[Order, Task]]:
        """What a cell needs next: trials, longer trials of the better half, or its runs."""
        if cell.chosen:
            return
        alive = self._values(cell)
        for number, epochs in enumerate(self._rungs):
            last = number == len(self._rungs) - 1
            waiting = False
            for value in alive:
                own = self._rungs[-1] if value not in self._grid.values else epochs
                if not cell.is_done(value, own) and value not in cell.submitted:
                    task = self._task(cell, value, own)
                    record = self._found(task)
                    if record is None:
                        cell.submitted[value] = own
                        yield (_TRIALS, self._place(cell, value), cell.place), task
                    else:
                        cell.records[value] = record
                waiting |= not cell.is_done(value, own)
            if waiting or any(record is None for record in self._baselines.values()):
                return
            if not last:
                alive = self._better_half(cell, alive)
        yield from self._choose(cell)

    def _place(self, cell: CellTrials, value: float) -> int:
        return self._values(cell).index(value)

    def _values(self, cell: CellTrials) -> list[float]:
        """The values of the grid, and the cell's own for reference."""
        own = (
            []
            if any(math.isclose(cell.untuned, value, rel_tol=1e-6) for value in self._grid.values)
            else [cell.untuned]
        )
        return sorted([*self._grid.values, *own])

    def _better_half(self, cell: CellTrials, alive: Sequence[float]) -> list[float]:
        """Those that go on; the others' checkpoints are not needed any more."""
        inside = [value for value in alive if value in self._grid.values]
        ranked = sorted(inside, key=lambda value: (-self._score(cell, value), value))
        kept = {*ranked[: math.ceil(len(ranked) / 2)], *(value for value in alive if value not in self._grid.values)}
        for value in ranked:
            if value not in kept:
                self._pruned(self._task(cell, value, 1))
        return [value for value in alive if value in kept]

    def _score(self, cell: CellTrials, value: float) -> float:
        found = score(cell.records[value], self._baseline_records, self._weights)
        return -math.inf if found is None else found

    @property
    def _baseline_records(self) -> list[TrialRecord]:
        return [record for record in self._baselines.values() if record is not None and record.outcome == "finished"]

    def _choose(self, cell: CellTrials) -> Iterator[tuple[Order, Task]]:
        """The runs of a cell at its best value."""
        cell.chosen = True
        epochs = self._rungs[-1]
        scores = {value: self._score(cell, value) for value in self._values(cell)}
        finished = [
            value for value in self._grid.values if cell.is_finished(value, epochs) and scores[value] > -math.inf
        ]
        if not finished:
            self.failed.append(cell.cell)
            return
        best = max(finished, key=lambda value: scores[value])
        values = self._grid.values
        tuning = Tuning(
            parameter=self._grid.parameter.path,
            value=best,
            edge="lowest" if best == values[0] else "highest" if best == values[-1] else None,
            trials=self.trials,
            pruned=self._prune,
            weights=dict(self._weights.heads),
            tried=[
                TriedValue(
                    value=value,
                    score=None if scores[value] == -math.inf else scores[value],
                    outcome=cell.records[value].outcome,
                    epochs=cell.records[value].epochs_done,
                    reference=value not in values,
                )
                for value in self._values(cell)
            ],
            untuned=next(value for value in self._values(cell) if math.isclose(value, cell.untuned, rel_tol=1e-6)),
            protocol=cell.spec.protocol,
            recipe=cell.spec.recipe,
        )
        spec = self._grid.parameter.set(cell.spec, best)
        first = spec.model_copy(update={"seed": self._seeds[0]})
        for turn, seed in enumerate(self._seeds):
            seeded = spec.model_copy(update={"seed": seed})
            yield (
                (_RUNS + turn, cell.place),
                Task(spec=seeded, recipe_name=cell.cell.recipe_name, tuning=tuning, audited=first if turn else None),
            )

    def _task(self, cell: CellTrials, value: float, epochs: int) -> Task:
        seeded = cell.spec.model_copy(update={"seed": TUNING_SEED})
        return Task(
            spec=self._grid.parameter.set(seeded, value),
            recipe_name=cell.cell.recipe_name,
            trial=Trial(
                parameter=self._grid.parameter.path,
                value=value,
                epochs=epochs,
                reference=value not in self._grid.values,
            ),
        )


def check_tuned(seeds: Sequence[int]) -> None:
    """Whether the seeds of runs are others than those of trials.

    Raises:
        BenchError: they are not.
    """
    if TUNING_SEED in seeds:
        raise BenchError(f"seed {TUNING_SEED} is that of trials: choose other seeds")
