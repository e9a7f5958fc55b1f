"""`profile`: train for a few seconds, time it block by block, and say how far the figures can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import BaseModel, ConfigDict

from bench.environment import Environment, environment
from bench.profile.bottleneck import Bottleneck
from bench.profile.budget import Fit
from bench.profile.engine import Engine
from bench.profile.interval import Interval, median_interval, ratio_interval
from bench.profile.rounds import WarmUp, rounds, warm_up
from bench.profile.trainee import Trainee
from bench.spec import RunSpec
from bench.timing.ceiling import Ceiling, measure_ceiling
from bench.timing.census import Count
from bench.timing.ledger import Interval as Stretch
from bench.timing.summary import BlockTime, block_rows, block_times
from bench.timing.window import Window
from bench.timing.work import parameter_count

TRUSTED_CLOSURE = 0.98
TRUSTED_PERTURBATION = 1.01
_TOLD_APART = 0.05  # an interval that reaches further says nothing about 1 %
_MIB = 2**20


class Block(BaseModel):
    """One block of the step.

    Attributes:
        time: milliseconds a step, and the share of the step.
        median_ms: the median with its 95 % interval.
        gmacs: thousand million multiply-adds a step.
        moved_mib: what its operations read and write, each by itself, MiB a step.
        kept_mib: what it allocated and left for others, MiB; negative where it freed more.
        peak_mib: held at its worst moment, weights and all, MiB.
        operations: how many operations it consists of.
        gflops, gigabytes: GFLOP/s and GB/s achieved; None where there is nothing of that kind.
        of_ceiling: the time that this machine's ceiling would allow over the time taken, at most about 1; whichever
            ceiling binds, arithmetic or memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    time: BlockTime
    median_ms: Interval
    gmacs: float
    moved_mib: float
    kept_mib: float
    peak_mib: float
    operations: int
    gflops: float | None
    gigabytes: float | None
    of_ceiling: float | None


class Profile(BaseModel):
    """Where the time of a training step goes.

    Attributes:
        spec, environment, fingerprint: what was profiled, and where.
        engine: how the model was run.
        first_step_seconds: the very first step's, in which a compiled model is compiled.
        batch, size: images a step and their side, pixels.
        parameters: trainable and frozen, shared ones once.
        ceiling: what this machine does at best, measured in the same run.
        warm_up: how the beginning went.
        steps, rounds: how much was measured after that.
        step_ms: milliseconds of an uninstrumented step.
        images_per_second: the same as a rate.
        closure: share of the instrumented windows' time that lies in named blocks.
        perturbation: instrumented over plain step time; on a CPU, of processor time.
        blocks: in the order they run; the last is ``unattributed``.
        peak_mib: the step's peak memory, weights and all: by torch's allocator on CUDA, of tensors on a CPU.
        doubts: why not to trust it; empty for a profile that can be trusted.
        bottleneck, fit: what holds the step up, and the batch that fits a memory budget; where they were asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: RunSpec
    environment: Environment
    fingerprint: str
    engine: Engine
    first_step_seconds: float
    batch: int
    size: int
    parameters: int
    ceiling: Ceiling
    warm_up: WarmUp
    steps: int
    rounds: int
    step_ms: Interval
    images_per_second: float
    closure: float
    perturbation: Interval
    blocks: tuple[Block, ...]
    peak_mib: float
    doubts: tuple[str, ...]
    bottleneck: Bottleneck | None = None
    fit: Fit | None = None


def profile(trainee: Trainee, seconds: float) -> tuple[Profile, list[Stretch]]:
    """Profile a training step.

    Args:
        trainee: what to train.
        seconds: how long to measure; as long again, at most, is spent on warming up.

    Returns:
        The profile, and the time line of one more instrumented window.
    """
    first = trainee.window()
    warm = warm_up(lambda: trainee.window(), seconds)
    trainee.window(instrumented=True)  # the first marks make what later ones use again
    trainee.ledger.windows.clear()
    pairs = rounds(lambda: trainee.window(), lambda: trainee.window(instrumented=True), seconds)
    windows = [*trainee.ledger.windows]
    plain, marked = _by_round(windows)
    times, closure = block_times([w for row in marked for w in row])
    assert closure is not None, "there are five rounds at least"
    trainee.window(instrumented=True)
    stretches = trainee.ledger.intervals()
    census = trainee.census()
    dtype = torch.bfloat16 if trainee.spec.precision == "bfloat16" else torch.float32
    ceiling = measure_ceiling(trainee.device, dtype)
    medians = _medians(marked)
    step = median_interval([[1e3 * w.seconds / w.steps for w in row] for row in plain])
    perturbation = _perturbation(windows, trainee.device)
    where = environment(trainee.device)
    found = Profile(
        spec=trainee.spec,
        environment=where,
        fingerprint=where.fingerprint,
        engine=trainee.engine,
        first_step_seconds=first,
        batch=trainee.batch,
        size=trainee.size,
        parameters=parameter_count(trainee.model),
        ceiling=ceiling,
        warm_up=warm,
        steps=sum(w.steps for w in windows),
        rounds=len(pairs),
        step_ms=step,
        images_per_second=1e3 * trainee.batch / step.value,
        closure=closure,
        perturbation=perturbation,
        blocks=tuple(
            _block(name, times[name], medians[name], census.counts.get(name, Count()), ceiling) for name in times
        ),
        peak_mib=census.peak / _MIB,
        doubts=tuple(doubts(closure, perturbation, warm)),
    )
    return found, stretches


def _perturbation(windows: Sequence[Window], device: torch.device) -> Interval:
    """Instrumented over plain, a pair a round of plain, instrumented, instrumented, plain.

    On a CPU it is the processor time that is compared: a neighbour's load comes and goes, and adds none to it.
    """
    costs = [(w.seconds if device.type == "cuda" else w.processor_seconds) / w.steps for w in windows]
    groups = [costs[i : i + 4] for i in range(0, len(costs), 4)]
    return ratio_interval([b + c for _, b, c, _ in groups], [a + d for a, _, _, d in groups])


def _by_round(windows: Sequence[Window]) -> tuple[list[list[Window]], list[list[Window]]]:
    groups = [windows[i : i + 4] for i in range(0, len(windows), 4)]
    plain = [[w for w in group if w.blocks is None] for group in groups]
    return plain, [[w for w in group if w.blocks is not None] for group in groups]


def _medians(marked: Sequence[Sequence[Window]]) -> dict[str, Interval]:
    by_round = [block_rows(row) for row in marked]
    return {name: median_interval([rows[name] for rows in by_round]) for name in by_round[0]}


def _block(name: str, time: BlockTime, median: Interval, count: Count, ceiling: Ceiling) -> Block:
    seconds = max(time.median_ms, 1e-9) / 1e3
    allowed = max(2 * count.macs / 1e9 / ceiling.gflops, count.moved / 1e9 / ceiling.gigabytes)
    return Block(
        name=name,
        time=time,
        median_ms=median,
        gmacs=count.macs / 1e9,
        moved_mib=count.moved / _MIB,
        kept_mib=count.kept / _MIB,
        peak_mib=count.peak / _MIB,
        operations=count.operations,
        gflops=2 * count.macs / 1e9 / seconds if count.macs else None,
        gigabytes=count.moved / 1e9 / seconds if count.moved else None,
        of_ceiling=allowed / seconds if allowed else None,
    )


def doubts(closure: float, perturbation: Interval, warm: WarmUp) -> list[str]:
    """Why not to trust a profile with that closure, perturbation and beginning; none if it can be."""
    found = []
    if closure < TRUSTED_CLOSURE:
        found.append(f"only {closure:.1%} of the step lies in named blocks (98 % is wanted)")
    if perturbation.low > TRUSTED_PERTURBATION:
        found.append(f"measuring slows the step down by {perturbation.value - 1:.1%} (1 % is allowed)")
    elif perturbation.value > TRUSTED_PERTURBATION:
        found.append(
            f"measuring seems to slow the step down by {perturbation.value - 1:.1%}, "
            f"between {perturbation.low - 1:+.1%} and {perturbation.high - 1:+.1%} (1 % is allowed): "
            "measure longer, on an idle machine"
        )
    elif max(perturbation.high - 1, 1 - perturbation.low) > _TOLD_APART:
        found.append(
            f"the machine is too unsteady to tell what measuring costs ({perturbation.low - 1:+.1%} to "
            f"{perturbation.high - 1:+.1%} of the step): measure longer, on an idle machine"
        )
    if not warm.stationary:
        found.append(f"after {warm.seconds:.0f} s of warm-up the step time still varied by more than 2 %")
    return found
