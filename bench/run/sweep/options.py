"""`SweepOptions`: everything that a user decides about a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.data.source import Source
from bench.run.options import RunOptions
from bench.run.sweep.grid.grid import Grid
from bench.run.sweep.task import DataChoice
from bench.run.sweep.tuning.score import Weights
from bench.run.sweep.tuning.trial_grid import TrialGrid


@dataclass
class SweepOptions(RunOptions):
    """What is swept, how, and where its results go.

    Attributes:
        grid: models and losses.
        data: names the source, with its options.
        source: the data, where it is open already.
        share: runs made at once on the device; with more than one their timings are marked.
        threads: that a run computes with on a CPU; None for as many as in this process.
        timeout: seconds for a run.
        max_seconds: for the whole sweep.
        retry_failed: try those again that have failed before.
        tune: values of a number to be tried for every cell before its runs.
        weights: of the heads in a trial's score.
        prune: stop trials that are out of the running.
        until_settled: hold later seeds back, and run them only where a comparison with the leader is open.
        settle_by: metric that cells are then compared by; the first that ranks a head, if none is named.
        margin: difference in it up to which two cells then count as equal.
        listeners: ``module:function`` that gives what draws and writes event files, by name; called with ``trackers``.
        trackers: names of experiment trackers that runs are reported to, for ``listeners``.
    """

    grid: Grid
    data: DataChoice
    source: Source | None = None
    share: int = 1
    threads: int | None = None
    timeout: float | None = None
    max_seconds: float | None = None
    retry_failed: bool = False
    tune: TrialGrid | None = None
    weights: Weights = field(default_factory=Weights.parse)
    prune: bool = False
    until_settled: bool = False
    settle_by: str = ""
    margin: float = 0.0
    listeners: str = ""
    trackers: Sequence[str] = ()
