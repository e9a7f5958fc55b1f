"""What the whole loop costs over a bare one: ``python -m bench.timing.overhead --model wnet``.

The same model, recipe, precision and batches are trained by `bench.loop.train` with everything on (timing,
logging, progress, augmentation, checkpoints) and by the barest loop on tensors that lie in memory, in turn
(A B B A) in one process. Validation is off the clock in both.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from bench.data.source import open_source
from bench.environment import environment, pick_device, pick_precision
from bench.optim import optimizers
from bench.protocol import find_protocol
from bench.runner import Runner
from bench.spec import RunSpec
from bench.watch import TensorBoard, Terminal, Watcher, Watchers
from registry.contract import Quartet
from registry.losses import parse
from registry.losses.objective import Objective
from registry.models import models


class _Stopwatch(Watcher):
    """Wall-clock seconds of a run's training and checkpoints, without validation and test."""

    def started(self, spec: RunSpec, folder: Path, resumed_at: int) -> None:
        self.seconds = 0.0
        self._phase, self._since = "", time.perf_counter()

    def phase(self, name: str) -> None:
        now = time.perf_counter()
        if self._phase in ("training", "checkpoint"):
            self.seconds += now - self._since
        self._phase, self._since = name, now


def whole_loop(spec: RunSpec, runner: Runner, stopwatch: _Stopwatch) -> float:
    """Seconds a step of one epoch of `bench.loop.train`, everything on."""
    record, _ = runner.run(spec, spec.recipe)
    return stopwatch.seconds / record.timings.steps


def bare_loop(spec: RunSpec, batches: list[Quartet], steps: int, device: torch.device) -> float:
    """Seconds a step of forward, loss, backward and optimizer, and nothing else."""
    torch.manual_seed(spec.seed)
    model = models.build(spec.model).to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    objective = Objective(parse(spec.recipe)).to(device)
    optimizer = optimizers.build(spec.protocol.optimizer)(model.parameters())
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bfloat16")
    began = time.perf_counter()
    for step in range(steps):
        quartet = batches[step % len(batches)]
        with autocast:
            prediction = model(quartet.bg, quartet.bg_fg)
        objective(prediction, quartet).total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / steps


def measure(model: str, loss: str, samples: int, rounds: int, device_name: str) -> list[float]:
    """Ratios whole / bare of images a second, one a round."""
    device = pick_device(device_name)
    source = open_source("synthetic").to(device)
    protocol = find_protocol("quick").override(train_samples=samples, val_samples=8, test_samples=8, epochs=1)
    stopwatch = _Stopwatch()
    ratios = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        Terminal(Console(file=io.StringIO(), force_terminal=True)) as terminal,
    ):
        watcher = Watchers([terminal, TensorBoard(), stopwatch])
        runner = Runner(source, device, Path(scratch) / "runs", Path(scratch) / "results", watcher)
        stage = protocol.stages[0]
        loader = runner.loader("train", samples, stage.size, stage.batch)
        batches = [batch.quartet for batch in loader.in_order()]
        spec = RunSpec(
            model=models.canonical(model),
            recipe=parse(loss).text,
            protocol=protocol,
            data=source.describe(),
            precision=pick_precision(device),
        )
        bare_loop(spec, batches, 2, device)
        for _ in range(rounds):
            first = whole_loop(spec, runner, stopwatch)
            bare = [bare_loop(spec, batches, len(loader), device) for _ in range(2)]
            whole = [first, whole_loop(spec, runner, stopwatch)]
            ratios.append(sum(bare) / sum(whole))
    return ratios


def main(
    model: Annotated[str, typer.Option(help="Model key.")] = "wnet",
    loss: Annotated[str, typer.Option(help="Recipe.")] = "bce_ssim",
    samples: Annotated[int, typer.Option(help="Training samples an epoch.")] = 1024,
    rounds: Annotated[int, typer.Option(help="Rounds of A B B A.")] = 3,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Print the ratio of images a second, whole loop over bare loop."""
    ratios = measure(model, loss, samples, rounds, device)
    low, high = min(ratios), max(ratios)
    typer.echo(
        f"{environment(pick_device(device)).label}; {model}, {loss}, {samples} samples, {rounds} rounds of A B B A"
    )
    typer.echo(f"images/s, whole loop / bare loop: median {statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    typer.run(main)
