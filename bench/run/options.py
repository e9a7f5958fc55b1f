"""`RunOptions`: what a user decides about a single experiment and about a sweep alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.core import files
from bench.core.interruption import Interruption
from bench.core.machine import environment, pick_device, pick_memory_format, pick_precision
from bench.core.protocol import Protocol
from bench.data.source import Source
from bench.data.sources import check_source
from bench.metrics import metrics as all_metrics
from bench.results.board import data_label
from bench.run.preconditions import check_budget, within
from bench.run.trained import initial_weights
from bench.train.assemble import inputs_named
from bench.train.engines.engine import engine_named


@dataclass(kw_only=True)
class RunOptions:
    """Under which budget runs are made, on which machine, and where their results go.

    Attributes:
        protocol, seeds: under which budget, how often.
        precision, memory_format, device: as on the command line; ``auto`` is what the device computes in natively.
        engine: what runs a step; ``auto`` follows from facts, see `bench.train.engines.engine`.
        inputs: ``pair``, or ``image`` for models that see the composite alone.
        init: names a run, as for `trained_run`, whose weights training starts from; empty for random weights.
        results, runs: folders of records, and of checkpoints and pictures.
        again: run even what this machine and this code have a finished record of.
        fresh: begin anew where unfinished runs left a checkpoint.
        resume_anyway: go on from checkpoints of other code or arithmetic, too.
        baselines: also fit those that learn nothing, unless they have records.
        metrics: keys of metrics beside those of every evaluation: a user's own, or another library's.
        strict: do not train what the audit finds broken.
        interruption: asked whether to stop.
    """

    protocol: Protocol
    seeds: Sequence[int]
    precision: str = "auto"
    memory_format: str = "auto"
    engine: str = "auto"
    inputs: str = "pair"
    init: str = ""
    device: str = "auto"
    results: Path = Path("results")
    runs: Path = Path("runs")
    again: bool = False
    fresh: bool = False
    resume_anyway: bool = False
    baselines: bool = True
    metrics: Sequence[str] = ()
    strict: bool = False
    interruption: Interruption = field(default_factory=Interruption)

    def _resolve(self, source: Source) -> None:
        """Decide on this machine and these data what is left open, and refuse what cannot be had."""
        check_source(source)
        self.protocol = within(self.protocol, source)
        self._device = pick_device(self.device)
        self._precision = pick_precision(self._device, self.precision)
        self._memory_format = pick_memory_format(self.memory_format)
        if self.engine != "auto":
            engine_named(self.engine, self._device)
        self._inputs = inputs_named(self.inputs, source.has_background)
        self._init = initial_weights(self.results, self.runs, self.init) if self.init else None
        self._metrics = {metric.key: metric.facts for metric in map(all_metrics.bind, self.metrics)}
        self._description = source.describe()
        files.check_folder(self.results, "--results")
        files.check_folder(self.runs, "--runs")
        check_budget(self.protocol)

    def _where(self) -> str:
        """Budget, data and machine in a line, with what was not left open."""
        data = data_label(self._description).replace("*", "")
        fixed = [name for name in (self.precision, self.memory_format) if name != "auto"]
        return "; ".join([f"{self.protocol.label} on {data}", environment(self._device).label, *fixed])
