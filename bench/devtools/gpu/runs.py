"""Whole runs: the loop over a bare loop, an epoch of the published size, protocols standard and full by phase."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from bench.core.machine import pick_precision
from bench.core.protocol import Protocol, find_protocol
from bench.core.record import Epoch
from bench.core.spec import Engine
from bench.data.source import Source
from bench.devtools.gpu.rendering import composed
from bench.devtools.gpu.steps import RECIPE, run_of, source
from bench.devtools.gpu.worker import Setting
from bench.devtools.overhead import measure, short_protocol
from bench.profile.training import StepRunner
from bench.run.runner import Runner
from bench.train.assemble import make_run
from bench.train.events import Listener, WindowSummary

_WARM_UP = 8
_LOOP_EPOCHS = 7, 6
"""Of 32,768 images, of the smaller and the larger model: 10 to 20 seconds of the whole loop each."""
_SHARE: dict[Engine, int] = {"compiled": 1, "graphed": 8, "eager": 32}
"""How many times longer an epoch takes than the part of it that is timed, by engine: the fastest does all of it."""


class Phases(Listener):
    """Seconds by phase of a run, and its pace by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.rates: dict[str, list[float]] = {}
        self._phase, self._since = "begin", time.perf_counter()

    def preparing(self, what: str, done: int, total: int) -> None:
        """Samples are rendered, or the like."""
        self.phase(what.partition(" ")[0] if what else "preparing")

    def phase(self, name: str) -> None:
        """Time passes to another phase."""
        now = time.perf_counter()
        self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = name, now

    def window(self, summary: WindowSummary) -> None:
        """A window is over."""
        self.rates.setdefault(str(summary.epoch), []).append(summary.images_per_second)

    def epoch(self, epoch: Epoch) -> None:
        """Its rates belong to a size of image."""
        rates = self.rates.pop(str(epoch.epoch), [])
        self.rates.setdefault(f"{epoch.size} px", []).extend(rates)


def engines(setting: Setting) -> Sequence[Engine]:
    """Engines that train: a CPU has no graphs."""
    return ("graphed", "eager") if setting.cuda else ("eager",)


def loop(setting: Setting) -> None:
    """Images a second of the whole loop over the barest loop in the same engine, by `bench.devtools.overhead`.

    A run is as long as its few windows of eager steps are in a real run a small part of.
    """
    engine = engines(setting)[0]
    for model, epochs in zip(setting.scale.models[1:], _LOOP_EPOCHS, strict=False):
        protocol = short_protocol(*((4 * setting.scale.short_samples, 128, epochs) if setting.cuda else (64, 8, 1)))
        (ratio,) = measure(model, RECIPE, 1, str(setting.device), protocol, engine)
        setting.journal.line("loop", model=model, engine=engine, over_bare=ratio.run, later_epochs=ratio.later)


def epoch(setting: Setting) -> None:
    """An epoch of the largest model over as many composites as were published, rendered at once, then trained on.

    Every batch size in every engine; torch.compile takes a minute for each, unless the machine has done it before.
    """
    scale, data = setting.scale, composed(setting)
    chosen: Sequence[Engine] = ("compiled", *engines(setting)) if setting.cuda else engines(setting)
    for batch in reversed(scale.epoch_batches):
        model, batches = scale.models[-1], scale.epoch_samples // batch
        run = run_of(setting, model, batch, scale.size, data, None)
        setting.synchronise()
        began = time.perf_counter()
        runner = StepRunner(run, data, setting.device, batches, engine="eager", resident=True)
        setting.synchronise()
        rendering = time.perf_counter() - began
        setting.journal.line("epoch", model=model, samples=scale.epoch_samples, rendering_seconds=rendering)
        for engine in chosen:
            _epoch(setting, runner, engine, batches)
        runner.release()


def _epoch(setting: Setting, runner: StepRunner, engine: Engine, batches: int) -> None:
    runner.engine = engine
    runner.restart()
    began = time.perf_counter()
    runner.losses(_WARM_UP)
    first = time.perf_counter() - began
    steps = -(-batches // _SHARE[engine])
    setting.synchronise()
    began = time.perf_counter()
    for batch in itertools.islice(runner.loader.epoch(0, 1), steps):
        runner.step(1, batch)
    setting.synchronise()
    spent = time.perf_counter() - began
    setting.journal.line(
        "epoch",
        model=runner.spec.model,
        engine=engine,
        refused=runner.refused,
        batch=runner.batch,
        steps=steps,
        first_seconds=first,
        seconds=spent,
        epoch_seconds=spent * batches / steps,
        images_a_second=steps * runner.batch / spent,
    )


def standard(setting: Setting) -> None:
    """Protocol standard with fewer samples: all of its stages, an epoch each, by phase.

    The first run of a process pays for cuDNN's trials on every shape: the first engine runs again after the others.
    """
    protocol = find_protocol("standard").override(
        train_samples=setting.scale.short_samples, val_samples=512, test_samples=512, epochs=1
    )
    order = engines(setting)
    for turn, engine in enumerate((*order, order[0])):
        _run(setting, "standard", _shrunk(setting, protocol), source(setting), engine, turn)


def full(setting: Setting) -> None:
    """A part of protocol full's samples by phase; and by stage what a packed file of its samples costs to make."""
    protocol = find_protocol("full").override(
        train_samples=4 * setting.scale.short_samples, val_samples=1000, test_samples=1000, epochs=1
    )
    _run(setting, "full", _shrunk(setting, protocol), composed(setting), engines(setting)[0])


def _shrunk(setting: Setting, protocol: Protocol) -> Protocol:
    """As it is on a GPU; for trying the script out of a single stage, and of a few samples."""
    if setting.cuda:
        return protocol
    return protocol.override(size=setting.scale.size, batch=8, val_samples=8, test_samples=8)


def _run(setting: Setting, part: str, protocol: Protocol, data: Source, engine: Engine, turn: int = 0) -> None:
    model = setting.scale.models[1]
    folder: Path = setting.scratch / part / f"{engine}{turn}"
    phases = Phases()
    described, precision = data.describe(), pick_precision(setting.device)
    run = make_run(model, RECIPE, protocol, described, precision=precision, engine=engine)
    began = time.perf_counter()
    runs = Runner(data, setting.device, folder / "runs", folder / "results", phases)
    record, _ = runs.run(run)
    phases.phase("end")
    timings = record.timings
    setting.journal.line(
        part,
        model=model,
        engine=engine,
        turn=turn,
        seconds=time.perf_counter() - began,
        outcome=record.outcome,
        reason=record.reason,
        phases=phases.seconds,
        images_a_second={size: statistics.median(rates) for size, rates in phases.rates.items() if rates},
        loading=record.loading,
        peak_mib=record.peak_mib,
        closure=timings.closure,
        perturbation=timings.perturbation,
        blocks={name: time.median_ms for name, time in timings.blocks.items()},
        scores={name: score.value for name, score in record.test.items()},
        evaluation=record.evaluation.images_per_second if record.evaluation else None,
    )
