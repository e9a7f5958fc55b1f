"""`profile`: train for a few seconds, time it block by block, and say how far the figures can be trusted."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import torch
from pydantic import BaseModel, ConfigDict

from bench.core.environment import Environment
from bench.core.machine import environment
from bench.core.progress import Progress, no_progress
from bench.core.record.timings import BlockTime
from bench.core.spec import Engine, RunSpec
from bench.profile.block import Block, block_of
from bench.profile.bottleneck import Bottleneck
from bench.profile.disturbance.observation import Discards, discards
from bench.profile.engines import compile_seconds, departure_from_eager
from bench.profile.machine.ceiling import Ceiling, measure_ceiling
from bench.profile.memory_budget import Fit
from bench.profile.training import StepRunner
from bench.profile.windows import summary
from bench.profile.windows.interval import Interval
from bench.profile.windows.repeatability import Agreement, agreement
from bench.profile.windows.restarts import RESTARTS, Restart, measure_restart, some_rounds, undisturbed
from bench.profile.windows.rounds import WarmUp
from bench.profile.windows.trust import caveats, undecided
from bench.timing.census import Count
from bench.timing.ledger import STEP, TimelineEntry
from bench.timing.summary import block_times, host_bound
from bench.timing.work import parameter_count
from bench.train.isolation.process_state import settings_kept

_MIB = 2**20


class Profile(BaseModel):
    """Where the time of a training step goes.

    Attributes:
        spec, environment, fingerprint: what was profiled, and where.
        engine: how the model was run.
        compile_seconds: what the first steps took beyond as many later ones: compiling, or capturing; None if eager.
            What torch's cache on disk has from an earlier process is not compiled again.
        departure: how far the losses of the first steps were off an eager engine's, relative; None if eager.
        rounding_spread: how far those of an eager engine lie apart when weights are rounded otherwise; None if eager.
        batch, size: images a step and their side, pixels.
        parameters: trainable and frozen, shared ones once.
        ceiling: what this machine does at best, measured in the same run.
        warm_up: how the beginning went.
        restarts: how often it began anew, with other places in memory; `interval.grouped_interval`.
        steps, rounds: how much was measured after warming up.
        discarded: rounds disturbed by other processes, or by heat; left out where their restart has others.
        step_ms: milliseconds of an uninstrumented step.
        images_per_second: the same as a rate.
        host_bound: whether the device waits for the host, so that the times of blocks are those of their launches.
        closure: share of the instrumented windows' time that lies in named blocks.
        perturbation: instrumented over plain step time; on a CPU, of processor time.
        wall_perturbation: the same by the wall clock, to which other work on the machine adds.
        agreement: of two profiles of it, made in turn; where requested.
        blocks: in the order they run; the last is ``unattributed``.
        validation: the blocks of a batch of validation, which is no part of the step; ``metrics`` is among them.
        h2d_raw_ms: what copying a batch takes on its own stream, median; the block ``h2d`` is what of it the step waits
            for. None where nothing is copied.
        peak_mib: the step's peak memory, weights and all: by torch's allocator on CUDA, of tensors on a CPU.
        caveats: why not to trust it; empty for a profile that can be trusted.
        bottleneck, fit: what holds the step up, and the batch that fits a memory budget; where requested.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: RunSpec
    environment: Environment
    fingerprint: str
    engine: Engine
    compile_seconds: float | None
    departure: float | None
    rounding_spread: float | None
    batch: int
    size: int
    parameters: int
    ceiling: Ceiling
    warm_up: WarmUp
    restarts: int
    steps: int
    rounds: int
    discarded: Discards
    step_ms: Interval
    images_per_second: float
    host_bound: bool
    closure: float
    perturbation: Interval
    wall_perturbation: Interval
    agreement: Agreement | None
    blocks: tuple[Block, ...]
    validation: dict[str, BlockTime]
    h2d_raw_ms: float | None
    peak_mib: float
    caveats: tuple[str, ...]
    bottleneck: Bottleneck | None = None
    fit: Fit | None = None


@settings_kept("the profiled model, or its recipe,")
def profile(
    runner: StepRunner, seconds: float, restarts: int = RESTARTS, twice: bool = False, progress: Progress = no_progress
) -> tuple[Profile, list[TimelineEntry]]:
    """Profile a training step.

    Args:
        runner: what to train.
        seconds: how long to measure; as long again, at most, is spent on warming up, and as long again where the
            perturbation is not yet clearly below or above 1 %.
        restarts: how often to begin anew.
        twice: make two such profiles in turn, see whether they agree, and return a profile of all their restarts.
        progress: called for every restart.

    Returns:
        The profile, and the time line of a further instrumented window.
    """
    count = restarts * (1 + twice)
    progress("first steps" if runner.engine == "eager" else f"first steps, {runner.engine}", 0, count + 1)
    ready = runner.first_steps()  # first: a second time, caches would hide the compiling
    departure, spread = (None, None) if runner.engine == "eager" else departure_from_eager(runner)
    measured_restarts: list[Restart] = []
    while len(measured_restarts) < count:
        progress(f"restart {len(measured_restarts) + 1} of {count}", len(measured_restarts), count + 1)
        if measured_restarts:
            runner.restart()
        measured_restarts.append(measure_restart(runner, seconds / restarts))
    taken = [restart.rounds for restart in measured_restarts]
    rounds, forced = undisturbed(taken)
    halves = [[row for i, row in enumerate(rounds) if (i % 4 in (1, 2)) == other] for other in (False, True)]
    paired = [round for row in rounds for round in row]
    perturbation = summary.perturbation(paired, runner.device)
    if undecided(perturbation):
        progress("more rounds: the perturbation is not yet clear", count, count + 1)
        more = some_rounds(runner, seconds, 1)  # so many at once: to stop when it looks well would be no measurement
        taken.append(tuple(more))
        paired += [round for round in more if round.observation.disturbed is None]
        perturbation = summary.perturbation(paired, runner.device)
    discarded = discards(round.observation for row in taken for round in row)
    times, closure = block_times([w for row in rounds for round in row for w in round.marked])
    assert closure is not None, "every restart has a round"
    progress("counting operations and memory, the machine's ceiling", count, count + 1)
    runner.window(instrumented=True)
    intervals = runner.ledger.intervals()
    census = runner.census()
    dtype = torch.bfloat16 if runner.spec.precision == "bfloat16" else torch.float32
    ceiling = measure_ceiling(runner.device, dtype)
    medians = summary.medians(rounds)
    step = medians.pop(STEP)
    warm = _together([restart.warm_up for restart in measured_restarts])
    where = environment(runner.device)
    counts = census.counts
    if runner.engine == "compiled":  # what its fused operations read and write differs from eager operations
        counts = {name: replace(count, moved=0) for name, count in counts.items()}
    found = Profile(
        spec=runner.spec,
        environment=where,
        fingerprint=where.fingerprint,
        engine=runner.engine,
        compile_seconds=compile_seconds(runner, ready, step.value / 1e3),
        departure=departure,
        rounding_spread=spread,
        batch=runner.batch,
        size=runner.size,
        parameters=parameter_count(runner.model),
        ceiling=ceiling,
        warm_up=warm,
        restarts=len(measured_restarts),
        steps=sum(w.steps for round in paired for w in round.windows),
        rounds=len(paired),
        discarded=discarded,
        step_ms=step,
        images_per_second=1e3 * runner.batch / step.value,
        host_bound=host_bound([w for round in paired for w in round.plain], runner.device),
        closure=closure,
        perturbation=perturbation,
        wall_perturbation=summary.wall_perturbation(paired),
        agreement=agreement(*map(summary.medians, halves)) if twice else None,
        blocks=tuple(block_of(name, times[name], medians[name], counts.get(name, Count()), ceiling) for name in times),
        validation=runner.validation(),
        h2d_raw_ms=statistics.median(runner.copies_ms) if runner.copies_ms else None,
        peak_mib=census.peak / _MIB,
        caveats=tuple(caveats(closure, perturbation, warm, discarded if forced else None, departure, spread or 0.0)),
    )
    return found, intervals


def _together(warm: Sequence[WarmUp]) -> WarmUp:
    """All warm-ups together; stationary where at least half of them were."""
    return WarmUp(
        windows=sum(w.windows for w in warm),
        seconds=sum(w.seconds for w in warm),
        stationary=2 * sum(w.stationary for w in warm) >= len(warm),
    )
