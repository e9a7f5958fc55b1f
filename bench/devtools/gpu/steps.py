"""A training step on its own: how long it takes by engine and batch, how it begins, and whether engines agree."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat

import torch

from bench.core.machine import pick_precision
from bench.core.protocol import find_protocol
from bench.core.spec import Engine, Precision
from bench.data.source import Source
from bench.data.sources import open_source
from bench.devtools.gpu.worker import Setting
from bench.profile.engines import departure_from_eager, greatest_departure
from bench.profile.training import StepRunner
from bench.timing.work import gmacs, parameter_count
from bench.train.assemble import Run, make_run
from bench.train.engines.engine import FIRST_STEPS

RECIPE = "bce_ssim"
_WARM_UP = 6
_ENQUEUED = 12
_NUMERIC_STEPS = 12


def source(setting: Setting) -> Source:
    """A synthetic source with a still camera: what it shows changes no step's time."""
    return open_source("synthetic", camera="still").to(setting.device)


def run_of(setting: Setting, model: str, batch: int, size: int, data: Source, precision: Precision | None) -> Run:
    """A model under the recipe and the protocol of all steps here; in the device's native precision by default."""
    protocol = find_protocol("standard").override(batch=batch, size=size)
    return make_run(model, RECIPE, protocol, data.describe(), precision=precision or pick_precision(setting.device))


@contextmanager
def runner(
    setting: Setting,
    model: str,
    batch: int,
    size: int | None = None,
    engine: Engine = "eager",
    precision: Precision | None = None,
    data: Source | None = None,
) -> Iterator[StepRunner]:
    """A step on two batches that lie in memory; what it held is let go afterwards."""
    data = data or source(setting)
    run = run_of(setting, model, batch, size or setting.scale.size, data, precision)
    made = StepRunner(run, data, setting.device, batches=2, engine=engine, resident=True)
    try:
        yield made
    finally:
        made.release()
        del made
        gc.collect()
        if setting.cuda:
            torch.cuda.empty_cache()


def steps(setting: Setting) -> None:
    """By batch and model: what the host takes to enqueue a step, a synchronised step, and a replayed step."""
    for batch in setting.scale.batches:
        for model in setting.scale.models:
            facts: dict[str, object] = {"model": model, "batch": batch, "size": setting.scale.size}
            with runner(setting, model, batch) as step:
                facts |= {"precision": step.spec.precision, "gmacs": gmacs(step.model, step.size)}
                facts["parameters"] = parameter_count(step.model)
                facts["eager_ms"], facts["host_bound"] = pace(setting, step)
                facts["enqueue_ms"] = enqueue(setting, step)
            if setting.cuda:
                with runner(setting, model, batch, engine="graphed") as step:
                    step.losses(FIRST_STEPS["graphed"])
                    facts["graphed_ms"], facts["graphed_host_bound"] = pace(setting, step)
                    facts["graphed_enqueue_ms"] = enqueue(setting, step)
                    facts["refused"] = step.refused
            setting.journal.line("steps", **facts)


def pace(setting: Setting, step: StepRunner) -> tuple[float, bool]:
    """Milliseconds of a synchronised step, over windows; and whether the host is the slower side."""
    for _ in range(_WARM_UP):
        step.step(*next(step.batches))
    step.ledger.seconds, step.ledger.windows = setting.scale.seconds / 4, []
    times = [step.window() for _ in range(4)]
    return 1e3 * statistics.median(times), step.ledger.windows[-1].host_bound


def enqueue(setting: Setting, step: StepRunner) -> float:
    """Milliseconds until the host has launched a step, on a device that has nothing to do."""
    batch = repeat(next(step.batches))
    spent = []
    for _ in range(_ENQUEUED):
        setting.synchronise()
        began = time.perf_counter()
        step.step(*next(batch))
        spent.append(time.perf_counter() - began)
    setting.synchronise()
    return 1e3 * statistics.median(spent)


def departures(setting: Setting) -> None:
    """Losses of some steps: of a second eager runner, of one with otherwise rounded weights, and of a graph."""
    for precision in ("float32", "bfloat16") if setting.cuda else ("float32",):
        with runner(setting, setting.scale.models[1], 8, precision=precision) as step:
            first = step.losses(_NUMERIC_STEPS)
            step.restart()
            again = greatest_departure(step.losses(_NUMERIC_STEPS), first)
        facts: dict[str, object] = {"eager_from_eager": again}
        if setting.cuda:
            with runner(setting, setting.scale.models[1], 8, engine="graphed", precision=precision) as step:
                facts["graphed_from_eager"], facts["rounding_spread"] = departure_from_eager(step)
        setting.journal.line("departure", model=setting.scale.models[1], precision=precision, **facts)


def compiled(setting: Setting) -> None:
    """torch.compile beside eager and a graph: first seconds, a step, its launch, and its losses."""
    for batch in setting.scale.epoch_batches:  # a minute each; an epoch of them finds the compiler's work done
        model = setting.scale.models[-1]
        with runner(setting, model, batch, engine="compiled") as step:
            first = step.first_steps()
            ms, host_bound = pace(setting, step)
            launch = enqueue(setting, step)
            setting.journal.line(
                "compiled",
                model=model,
                batch=batch,
                first_seconds=first,
                compiled_ms=ms,
                host_bound=host_bound,
                enqueue_ms=launch,
            )
    with runner(setting, setting.scale.models[1], 8, engine="compiled", precision="float32") as step:
        departure, spread = departure_from_eager(step)
        setting.journal.line("compiled", precision="float32", compiled_from_eager=departure, rounding_spread=spread)
