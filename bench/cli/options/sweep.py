"""Groups of options of ``bench sweep``: limits, tuning, settling, the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from bench.core.errors import BenchError
from bench.core.quantity import SECONDS, quantity

if TYPE_CHECKING:
    from bench.run.sweep.tuning.trial_grid import TrialGrid

_MOST_THREADS = 1024
"""Of a run; libraries that cannot start as many as they are told to end the process without a word."""
_MOST_SEEDS = 12
"""Of a cell, where they are run until settled and no number was given."""


@dataclass(frozen=True)
class LimitOptions:
    """How many runs at once, and when to stop."""

    panel: ClassVar[str] = "Limits"

    share: Annotated[
        int,
        typer.Option(min=1, max=256, help="Runs at once on the device, for quality alone: their timings are marked."),
    ] = 1
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_THREADS,
            help="Threads of a run on a CPU. Default: those of this process, divided by --share.",
        ),
    ] = None
    max_hours: Annotated[float | None, typer.Option(min=0, help="Stop after this many hours, with checkpoints.")] = None
    timeout: Annotated[
        str | None, typer.Option(help="Limit of a run: seconds, or 90s, 30m, 2h; then it counts as failed.")
    ] = None
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Repeat runs that failed before.")] = False

    @property
    def run_seconds(self) -> float | None:
        """The limit of a run."""
        return None if self.timeout is None else quantity(self.timeout, SECONDS, "--timeout")

    def run_threads(self) -> int:
        """Threads of a run on a CPU."""
        import torch

        return self.threads or max(1, torch.get_num_threads() // self.share)


@dataclass(frozen=True)
class TuningOptions:
    """Values to be tried for every cell."""

    panel: ClassVar[str] = "Tuning"

    tune: Annotated[
        list[str] | None,
        typer.Option(
            help="Try values for every cell on validation, then run at the best: optimizer.lr=3e-4..3e-2@5, or any "
            "number in optimizer, schedule or recipe: loss.depth.ssim.weight=0.5,1,2. One number a sweep.",
        ),
    ] = None
    weights: Annotated[
        str,
        typer.Option(help="Of the heads in a trial's score, the mean of their skills: mask=1,depth=2. Default: equal."),
    ] = ""
    prune: Annotated[bool, typer.Option("--prune", help="Stop trials out of the running (successive halving).")] = False

    def grid(self) -> TrialGrid | None:
        """The values; None where nothing is tuned.

        Raises:
            BenchError: they cannot be read, or options do not go together.
        """
        from bench.run.sweep.tuning.trial_grid import TrialGrid

        if not self.tune and (self.prune or self.weights):
            raise BenchError("--prune and --weights are of --tune")
        if len(self.tune or ()) > 1:
            raise BenchError(
                f"--tune was given {len(self.tune or ())} times, and a sweep tunes a single number, so that every cell "
                "has the same trials: tune one after the other, each at the value that the one before has found"
            )
        return TrialGrid.parse(self.tune[0]) if self.tune else None


@dataclass(frozen=True)
class SettlingOptions:
    """Further seeds where a comparison is open."""

    panel: ClassVar[str] = "Settling"

    until_settled: Annotated[
        bool,
        typer.Option(
            "--until-settled",
            help="Run further seeds, --seeds at most (default: 12), only where a comparison with the leader is open.",
        ),
    ] = False
    budget: Annotated[str | None, typer.Option(help="Stop settling after so long: 90m, 2h.")] = None
    settle_by: Annotated[
        str,
        typer.Option(
            help="Metric to settle by. Default: mask_dice, or depth_delta1 without a mask.", show_default=False
        ),
    ] = ""
    margin: Annotated[float, typer.Option(min=0, help="Difference up to which cells count as equal.")] = 0.0

    def seeds(self, given: int) -> int:
        """Seeds of a cell, at most.

        Raises:
            BenchError: options do not go together.
        """
        if not self.until_settled and (self.budget or self.settle_by or self.margin):
            raise BenchError("--budget, --settle-by and --margin are of --until-settled")
        return _MOST_SEEDS if self.until_settled and given == 1 else given

    @property
    def seconds(self) -> float | None:
        """The budget."""
        return None if self.budget is None else quantity(self.budget, SECONDS, "--budget")


@dataclass(frozen=True)
class ClusterOptions:
    """Where Ray runs, and what each run gets there."""

    panel: ClassVar[str] = "Cluster"

    address: Annotated[
        str,
        typer.Option(
            help="With --engine ray, which makes the runs on a Ray cluster: auto, HOST; none begins Ray here.",
            show_default=False,
        ),
    ] = ""
    gpus_per_run: Annotated[float, typer.Option(min=0, help="Of a run on Ray.")] = 0
    cpus_per_run: Annotated[float, typer.Option(min=0, help="Of a run on Ray.")] = 1
