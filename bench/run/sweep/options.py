"""`SweepOptions`: everything that a user decides about a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.interruption import Interruption
from bench.core.protocol import Protocol
from bench.data.source import Source
from bench.run.sweep.grid.grid import Grid
from bench.run.sweep.task import DataChoice
from bench.run.sweep.tuning.score import Weights
from bench.run.sweep.tuning.trial_grid import TrialGrid


@dataclass
class SweepOptions:
    """What is swept, how, and where its results go.

    Attributes:
        grid: models and losses.
        protocol, seeds, data: under which budget, how often, on which data.
        source: the data, where it is open already.
        precision, memory_format, engine, inputs, init, device: as for `bench.run.experiment.Experiment`.
        results, runs: folders of records, and of checkpoints and pictures.
        metrics: keys of metrics beside those of every evaluation.
        baselines: also fit those that learn nothing, unless they have records.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where unfinished runs left a checkpoint.
        resume_anyway: go on from checkpoints of other code or arithmetic, too.
        strict: do not train what the audit finds broken.
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
        interruption: asked whether to stop.
    """

    grid: Grid
    protocol: Protocol
    seeds: Sequence[int]
    data: DataChoice
    source: Source | None = None
    precision: str = "auto"
    memory_format: str = "auto"
    engine: str = "auto"
    inputs: str = "pair"
    init: str = ""
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    metrics: Sequence[str] = ()
    baselines: bool = True
    again: bool = False
    fresh: bool = False
    resume_anyway: bool = False
    strict: bool = False
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
    interruption: Interruption = field(default_factory=Interruption)
