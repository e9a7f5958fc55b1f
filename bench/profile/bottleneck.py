"""What limits a training step: three short runs, a sentence, and what would help by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict

from bench.core.machine import pick_precision
from bench.core.progress import Progress, no_progress
from bench.data.loading.batch import Batch
from bench.profile.training import StepRunner
from bench.profile.windows.interval import Interval, median_interval, ratio_interval
from bench.profile.windows.rounds import rounds, warm_up

INPUT_SHARE = 0.05
LAUNCH_SHARE = 0.3
_WORTH_IT = 1.05
_FEW = 4  # images; batch norm refuses half of fewer on the smallest maps

Kind = Literal["input", "launch", "compute"]
Numbered = tuple[int, Batch]


class Bottleneck(BaseModel):
    """Milliseconds a step under three conditions, and what follows from them.

    Attributes:
        real_ms: with batches from the loader.
        resident_ms: with a batch that lies in memory, over and over.
        loading_ms: loading alone.
        other_ms: as resident, with ``other_batch`` images: half as many, or twice as many as a few.
        input_share: of the real step, spent waiting for data; real against resident, measured in turn.
        launch_share: of the resident step, spent on what does not grow with the batch: starting operations, the
            optimizer, Python.
        kind: which of them binds.
        advice: what would help.
        gain: the rate that the advice is predicted to give over the rate now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    real_ms: float
    resident_ms: float
    loading_ms: float
    other_batch: int
    other_ms: float
    input_share: Interval
    launch_share: Interval
    kind: Kind
    advice: str
    gain: float

    def sentence(self) -> str:
        """The verdict in words."""
        share = {
            "input": f"input-bound: {_percent(self.input_share)} of the step waits for data",
            "launch": f"launch-bound: {_percent(self.launch_share)} of the step does not grow with the batch",
            "compute": f"compute-bound: data {_percent(self.input_share)}, fixed costs {_percent(self.launch_share)}",
        }[self.kind]
        return (
            f"{share}; {self.real_ms:.1f} ms a step, {self.resident_ms:.1f} ms on data in memory, "
            f"{self.loading_ms:.1f} ms to load. {self.advice} (predicted: {self.gain:.2f} times the rate)"
        )


def bottleneck(runner: StepRunner, seconds: float, progress: Progress = no_progress) -> Bottleneck:
    """Measure real loading against resident data, then two sizes of batch against each other, in turn A B B A.

    Args:
        runner: what to train.
        seconds: how long each of the two comparisons may take; as long again, at most, for warming up.
        progress: called for every run.
    """
    epoch, batch = next(runner.batches)
    whole = repeat((epoch, batch))
    count = runner.batch // 2 if runner.batch >= _FEW else 2 * runner.batch
    other = repeat((epoch, _sized(batch, count)))
    progress("real loading and resident data, in turn", 0, 4)
    warm_up(runner.window, seconds)
    data = rounds(runner.window, _over(runner, whole), seconds)
    progress("two sizes of batch, in turn", 1, 4)
    size = rounds(_over(runner, whole), _over(runner, other), seconds)
    wait = ratio_interval([b for _, b in data], [a for a, _ in data])
    growth = ratio_interval([b for _, b in size], [a for a, _ in size])
    progress("loading only", 2, 4)
    loading = [_loading(runner) for _ in range(3)]
    input_share = Interval(value=1 - wait.value, low=1 - wait.high, high=1 - wait.low)
    fixed = [fixed_share(ratio, count / runner.batch) for ratio in (growth.value, growth.low, growth.high)]
    launch_share = Interval(value=fixed[0], low=min(fixed), high=max(fixed))
    faster = _in_bfloat16(runner, seconds, progress) if runner.spec.precision == "float32" else None
    kind, advice, gain = judge(input_share.value, launch_share.value, runner.loader.tier, runner.size, faster)
    return Bottleneck(
        real_ms=_typical([a for a, _ in data]),
        resident_ms=_typical([b for _, b in data]),
        loading_ms=_typical(loading),
        other_batch=count,
        other_ms=_typical([b for _, b in size]),
        input_share=input_share,
        launch_share=launch_share,
        kind=kind,
        advice=advice,
        gain=gain,
    )


def judge(
    input_share: float, launch_share: float, tier: str, size: int, faster: float | None
) -> tuple[Kind, str, float]:
    """What binds, what would help, and the predicted ratio of rates.

    Args:
        input_share, launch_share: of the step, as in `Bottleneck`.
        tier: where the loader has its batches from.
        size: side of the images, pixels.
        faster: the rate in bfloat16 over the rate now, where it was tried.
    """
    # A quarter of the pixels: what is not fixed shrinks to a quarter, loading too.
    fixed = min(max(launch_share, 0.0), 1.0)
    smaller = f"--size {size // 2} would help, where the task allows it", 1 / (fixed + (1 - fixed) / 4)
    if input_share > INPUT_SHARE:
        if tier != "live":
            return "input", *smaller
        cure = "Fewer --train-samples or a smaller --size would let all of them lie in memory"
        return "input", cure, 1 / (1 - input_share)
    if launch_share > LAUNCH_SHARE:
        return "launch", "A batch twice as large would help", 2 / (2 - fixed)
    if faster is not None and faster > _WORTH_IT:
        return "compute", "--precision bfloat16 would help", faster
    return "compute", *smaller


def _in_bfloat16(runner: StepRunner, seconds: float, progress: Progress) -> float | None:
    """The rate in bfloat16 over the rate now, measured in turn; None where the device does not compute in it."""
    if pick_precision(runner.device) != "bfloat16":
        return None
    progress("bfloat16 instead of float32, in turn", 3, 4)
    other = StepRunner(runner.run.altered(precision="bfloat16"), runner.loader.source, runner.device, batches=2)
    batch = repeat(next(other.batches))  # of the other's few, all of which the first has too
    warm_up(other.window, seconds / 4)
    pairs = rounds(_over(runner, batch), _over(other, batch), seconds / 2, least=2)
    return ratio_interval([a for a, _ in pairs], [b for _, b in pairs]).value


def fixed_share(growth: float, images: float) -> float:
    """The share of a step that does not grow with the batch, of a time that is a constant and so much an image.

    Args:
        growth: time of another batch over the time of this one.
        images: its images over the images of this one.
    """
    return (growth - images) / (1 - images)


def _sized(batch: Batch, count: int) -> Batch:
    at = torch.arange(count) % len(batch.quartet)
    quartet = batch.quartet.map(lambda tensor: tensor[at.to(tensor.device)])
    return Batch(batch.ids[at], batch.device_ids[at.to(batch.device_ids.device)], quartet)


def _over(runner: StepRunner, batches: Iterator[Numbered]) -> Callable[[], float]:
    return lambda: runner.window(batches=batches)


def _loading(runner: StepRunner) -> float:
    for _ in runner.ledger.window(runner.batches, runner.batch, instrumented=False):
        pass
    window = runner.ledger.windows[-1]
    return window.seconds / window.steps


def _typical(seconds: list[float]) -> float:
    return 1e3 * median_interval([[x] for x in seconds]).value


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
