"""What the whole loop costs over a bare loop: ``python -m bench.devtools.overhead --model wnet``.

The same model, recipe, precision and batches are trained by `bench.train.loop.train` with everything on (timing,
logging, progress, augmentation, checkpoints) and by the barest loop on tensors that lie in memory, window by window
in turn in the same process, as a machine's pace changes within seconds. Validation is off the clock, and so is most of
what a process does once (kernels for shapes it has not met). Windows end after half a second with the bare steps
counted, so that the whole loop has more of them here than by itself. So short a run writes its best weights and no
checkpoint to go on from.
"""

from __future__ import annotations

import io
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from bench.core.machine import environment, pick_device, pick_precision
from bench.core.protocol import Protocol, find_protocol
from bench.core.record import Epoch, Phase
from bench.core.spec import Engine, RunSpec
from bench.data.sources import open_source
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.listeners.terminal import Terminal
from bench.report.terminal.console import plain_console
from bench.run.runner import Runner
from bench.train.assemble import Run, build_model, build_step, make_run
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, CudaGraph, refill
from bench.train.events import Listener, Listeners, WindowSummary
from registry.contract import Quartet

WARM_UP = 5
"""Steps of a model that is then thrown away."""


class _Bare:
    """Forward, loss, backward and optimizer on tensors in memory, and nothing else; in a graph if requested."""

    def __init__(self, run: Run, batches: list[Quartet], device: torch.device) -> None:
        spec, recipe = run.spec, run.recipe
        assert recipe is not None
        self._model = build_model(spec, device).train()
        step = build_step(spec, recipe, self._model, recipe.heads, device, engine="eager")
        self._objective, self._optimizer, self._autocast = step.objective, step.optimizer, step.autocast
        self._batches, self._device = itertools.cycle(batches), device
        self._step = self._eagerly
        if spec.engine == "graphed":
            self._capture(batches[0])

    def __call__(self, steps: int) -> float:
        """So many steps; returns their seconds."""
        began = time.perf_counter()
        for quartet in itertools.islice(self._batches, steps):
            self._step(quartet)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter() - began

    def _eagerly(self, quartet: Quartet) -> Tensor:
        with self._autocast:
            prediction = self._model(*quartet.inputs)
        total: Tensor = self._objective(prediction, quartet).total
        total.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return total.detach()

    def _capture(self, first: Quartet) -> None:
        inputs, graph = first.map(torch.clone), CudaGraph()
        for group in self._optimizer.param_groups:
            group["capturable"] = True
        for _ in range(BEFORE_CAPTURE):
            graph.aside(lambda: self._eagerly(inputs))
        result = graph.capture(lambda: self._eagerly(inputs))

        def replay(quartet: Quartet) -> Tensor:
            refill(inputs, quartet)
            graph.replay()
            return result

        self._step = replay


_BEGINNING = 2
"""Epochs that hold what a stage of a training does once: its capture, and the first of few windows of timed blocks."""


@dataclass(frozen=True)
class LoopRatio:
    """Images a second of the whole loop over those of a bare loop.

    Attributes:
        run: of a run as short as it was.
        later: of its epochs after the second, as of nearly all of a longer one; None without any.
    """

    run: float
    later: float | None


class _InTurn(Listener):
    """After every window of the whole loop as many bare steps, and the wall-clock seconds of each.

    The whole loop's are those of training and checkpoints, without validation and test.
    """

    def __init__(self, bare: Callable[[], _Bare]) -> None:
        self._begin = bare

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        self.whole = self.bare = 0.0
        self._at_first: tuple[float, float] | None = None
        self._at_last = (0.0, 0.0)
        self._steps = 0
        self._other = self._begin()
        self._phase, self._since = "", time.perf_counter()

    def phase(self, name: Phase) -> None:
        self._lap()
        self._phase = name

    def window(self, summary: WindowSummary) -> None:
        self._lap()
        self.bare += self._other(summary.step - self._steps)
        self._steps = summary.step
        self._since = time.perf_counter()

    def epoch(self, epoch: Epoch) -> None:
        self._lap()
        self._at_last = (self.bare, self.whole)
        if epoch.epoch == _BEGINNING:
            self._at_first = self._at_last

    def ratio(self) -> LoopRatio:
        """Of the run that is over."""
        first, last = self._at_first, self._at_last
        later = None if first is None or first == last else (last[0] - first[0]) / (last[1] - first[1])
        return LoopRatio(self.bare / self.whole, later)

    def _lap(self) -> None:
        now = time.perf_counter()
        if self._phase in ("training", "checkpoint"):
            self.whole += now - self._since
        self._since = now


def measure(
    model: str, loss: str, rounds: int, device_name: str, protocol: Protocol, engine: Engine = "eager"
) -> list[LoopRatio]:
    """Ratios whole / bare of images a second, one per run, both in the same engine.

    Args:
        model, loss: what is trained.
        rounds: how many runs.
        device_name: where, as on the command line.
        protocol: of a single stage.
        engine: how steps are run.
    """
    device = pick_device(device_name)
    source = open_source("synthetic").to(device)
    ratios = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Terminal(plain_console(io.StringIO(), terminal=True)) as terminal,
    ):
        described, precision = source.describe(), pick_precision(device)
        run = make_run(model, loss, protocol, described, precision=precision, engine=engine)
        stage = protocol.stages[0]
        in_turn = _InTurn(lambda: _Bare(run, batches, device))
        listener = Listeners([terminal, TensorBoard(), in_turn])  # the last: what the others do is the whole loop's
        runner = Runner(source, device, Path(scratch) / "runs", Path(scratch) / "results", listener)
        loader = runner.loader("train", protocol.train_samples, stage.size, stage.batch)
        batches = [batch.quartet for batch in itertools.islice(loader.in_order(), len(loader))]
        _Bare(run, batches, device)(WARM_UP)
        for _ in range(rounds):
            runner.run(run)
            ratios.append(in_turn.ratio())
    return ratios


def short_protocol(samples: int, batch: int | None = None, epochs: int | None = None) -> Protocol:
    """Protocol quick with so many training samples, and next to nothing to validate and test on."""
    changes = {"batch": batch, "epochs": epochs}
    return find_protocol("quick").override(train_samples=samples, val_samples=8, test_samples=8, **changes)


def main(
    model: Annotated[str, typer.Option(help="Model key.")] = "wnet",
    loss: Annotated[str, typer.Option(help="Recipe.")] = "bce_ssim",
    samples: Annotated[int, typer.Option(help="Training samples an epoch.")] = 1024,
    rounds: Annotated[int, typer.Option(help="Runs of protocol quick, two epochs each.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Print the ratio of images a second, whole loop over bare loop."""
    ratios = measure(model, loss, rounds, device, short_protocol(samples))
    runs = [ratio.run for ratio in ratios]
    low, high = min(runs), max(runs)
    typer.echo(f"{environment(pick_device(device)).label}; {model}, {loss}, {samples} samples, {rounds} runs")
    typer.echo(f"images/s, whole loop / bare loop: median {statistics.median(runs):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    typer.run(main)
