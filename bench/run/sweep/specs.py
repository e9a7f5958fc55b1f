"""`CellSpecs`: the specs of a sweep's runs, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from bench.core.protocol import Protocol
from bench.core.spec import Inputs, MemoryFormat, Precision, RunSpec
from bench.run.sweep.agenda import Order
from bench.run.sweep.grid.grid import Cell
from bench.run.sweep.task import Task
from bench.train.assemble import make_run
from bench.train.engines.engine import engine_for
from bench.train.initial_weights import InitialWeights


@dataclass(frozen=True)
class CellSpecs:
    """What all runs of a sweep have in common.

    Attributes:
        protocol, description: budget, and what describes the data.
        device: to compute on.
        precision, memory_format, inputs, init: as `bench.train.assemble.make_run` takes them.
        engine: of the steps; ``auto`` follows from the model.
    """

    protocol: Protocol
    description: Mapping[str, Any]
    device: torch.device
    precision: Precision
    memory_format: MemoryFormat
    engine: str
    inputs: Inputs
    init: InitialWeights | None

    def of(self, cell: Cell) -> RunSpec:
        """The spec of a cell's runs, with seed 0."""
        return make_run(
            cell.model,
            cell.recipe,
            self.protocol,
            self.description,
            recipe_name=cell.recipe_name,
            precision=self.precision,
            memory_format=self.memory_format,
            inputs=self.inputs,
            engine=engine_for(self.engine, self.device, cell.model, self.protocol),
            init=self.init,
        ).spec

    def baseline(self, key: str) -> RunSpec:
        """The spec of a baseline that learns nothing."""
        return make_run(key, None, self.protocol, self.description, inputs=self.inputs).spec

    def tasks(self, cells: Sequence[Cell], seeds: Sequence[int]) -> Iterator[tuple[Order, Task]]:
        """The runs of these cells, the first seeds of all cells before second ones."""
        specs = [self.of(cell) for cell in cells]
        for turn, seed in enumerate(seeds):
            for place, (cell, spec) in enumerate(zip(cells, specs, strict=True)):
                seeded = spec.model_copy(update={"seed": seed})
                first = spec.model_copy(update={"seed": seeds[0]}) if turn else None
                yield (turn, place), Task(spec=seeded, recipe_name=cell.recipe_name, audited=first)
