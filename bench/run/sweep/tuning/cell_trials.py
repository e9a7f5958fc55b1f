"""`CellTrials`: the trials of a cell as far as they are done."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.core.record import TrialRecord
from bench.core.spec import RunSpec
from bench.run.sweep.grid.grid import Cell


@dataclass
class CellTrials:
    """A cell's trials as far as they are done.

    Attributes:
        place: of the cell in the grid.
        cell, spec: what it is, and the spec of its runs before tuning.
        untuned: the value that the spec has by itself.
        records: by value, the longest that there is.
        submitted: by value, the epochs that it is being trained for.
        chosen: whether its runs were given out.
    """

    place: int
    cell: Cell
    spec: RunSpec
    untuned: float
    records: dict[float, TrialRecord] = field(default_factory=dict)
    submitted: dict[float, int] = field(default_factory=dict)
    chosen: bool = False

    def is_done(self, value: float, epochs: int) -> bool:
        """Whether a value was tried for so many epochs, or failed before."""
        record = self.records.get(value)
        return record is not None and (record.epochs_done >= epochs or record.outcome != "finished")

    def is_finished(self, value: float, epochs: int) -> bool:
        """Whether a value was tried for so many epochs and none of them failed."""
        record = self.records[value]
        return record.outcome == "finished" and record.epochs_done >= epochs
