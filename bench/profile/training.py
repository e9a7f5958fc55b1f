"""A run's training step on its own, to be repeated window by window: the very `Step` that `bench.train.loop` makes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from bench.core.errors import BenchError
from bench.core.machine import free_bytes
from bench.core.record.timings import BlockTime
from bench.core.spec import Engine
from bench.data.loading.batch import Batch
from bench.data.loading.loader import RESIDENT_SHARE, Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.timing import memory
from bench.timing.census import Census, bytes_of
from bench.timing.hooks import BlockPasses, Passes, WholePasses, tensors_of
from bench.timing.ledger import Ledger
from bench.timing.work import blocks_of
from bench.train.assemble import Run, build_model, build_step
from bench.train.checks.compatibility import common_heads
from bench.train.engines.cuda_graph import GRAPH
from bench.train.engines.engine import FIRST_STEPS, captured, refusal
from bench.train.evaluate import evaluate
from registry.contract import Quartet
from registry.losses.objective import Losses, Span, nullspan
from registry.models.baselines import Fitted

BATCHES = 16
_WINDOW_SECONDS = {"cpu": 0.05, "cuda": 0.25}
"""A CPU needs no synchronisation, so that windows may be short and their comparison close."""
_BUSY_STEPS = 2
_STEPS = 10**6  # a schedule of which a profile sees the beginning only


class StepRunner:
    """A model under a recipe, trained for as long as further windows are requested.

    Args:
        run: what to train; the last stage of its protocol gives size and batch.
        source: where the batches come from.
        device: where to compute.
        batches: how many distinct batches before they repeat; they lie in memory or are made as they are needed, as
            all the protocol's samples would.
        resident: let them lie in memory whatever a run would do.
        packed_files: where batches are kept that a run would stream from a file; without it they are made as needed.
        engine: how a step is run; of a compiled model only whole passes are timed, as its blocks are fused away, and
            of a captured step the graph.

    Attributes:
        batches: of the loader, endless, each with its epoch.
        ledger: the windows so far.
        copies_ms: how long the copies to the device took on their own stream, a batch each, in instrumented windows.

    Raises:
        BenchError: a model that learns nothing by gradient, or does not fit the recipe or the data.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        device: torch.device,
        batches: int = BATCHES,
        engine: Engine = "eager",
        packed_files: PackedFiles | None = None,
        resident: bool = False,
    ) -> None:
        self.run, self.spec, self.device, self.engine = run, run.spec, device, engine
        stage = run.spec.protocol.stages[-1]
        self.batch, self.size = stage.batch, stage.size
        memory.keep_freed(device)
        self.ledger = Ledger(device, seconds=_WINDOW_SECONDS[device.type], min_steps=1)
        self.copies_ms: list[float] = []
        self.model = self._build()
        if run.recipe is None or isinstance(self.model, Fitted):
            raise BenchError(f"{run.spec.model} learns nothing by gradient: it has no training step to profile")
        count = batches * self.batch
        part = 1 if resident else count / max(count, run.spec.protocol.train_samples)
        room = int(RESIDENT_SHARE * free_bytes(device) * part)
        self.loader = Loader(source.to(device), "train", count, self.size, self.batch, room, packed_files=packed_files)
        self._recipe = run.recipe
        try:
            self._heads = common_heads(run.spec.model, run.recipe, self.model, self.loader)
        except ValueError as error:
            raise BenchError(f"{run.spec.model}: {error}") from error
        self._begin()

    def restart(self) -> None:
        """Begin anew with fresh weights, and with tensors that lie elsewhere in memory; the batches stay."""
        self.release()  # the old model's memory is free before the new model allocates its own
        self.model = self._build()
        self._begin()

    def release(self) -> None:
        """Let go of the model and all that trains it; the runner is of use again after `restart`."""
        del self._step, self._passes, self.batches, self.objective, self.optimizer
        self.model = torch.nn.Identity()
        gc.collect()  # a captured step and its recording know each other

    @property
    def autocast(self) -> torch.autocast:
        """The precision of the forward pass."""
        return self._step.autocast

    @property
    def refused(self) -> str | None:
        """Why a step that was to be captured runs eagerly; None where it does not, or was not tried yet."""
        return refusal(self._step)

    @property
    def captured(self) -> bool:
        """Whether its step lies in a graph, which holds memory of its own."""
        return captured(self._step)

    def _build(self) -> torch.nn.Module:
        return build_model(self.spec, self.device)

    def _begin(self) -> None:
        self._step = build_step(
            self.spec,
            self._recipe,
            self.model,
            self._heads,
            self.device,
            steps=_STEPS,
            samples=self.loader.count,
            metric_depth=self.loader.source.has_metric_depth,
            engine=self.engine,
        )
        self.objective, self.optimizer = self._step.objective, self._step.optimizer
        self._passes = self._split(self.ledger)
        self.batches = self._forever()
        self.model.train()

    def step(
        self, epoch: int, batch: Batch, span: Span = nullspan, passes: Passes | None = None, eagerly: bool = False
    ) -> Losses:
        """A training step on a batch.

        Args:
            epoch, batch: what augmentation draws from.
            span: entered around every block but those of the model.
            passes: entered around the model's forward and backward pass.
            eagerly: as of `Step.learn`.
        """
        return self._step.learn(self._step.prepare(epoch, batch, span), span, passes, eagerly)

    def losses(self, steps: int) -> list[float]:
        """Train for some steps; the loss before each."""
        return [float(self.step(*next(self.batches)).total.detach()) for _ in range(steps)]

    def first_steps(self) -> float:
        """The first steps, in which an engine compiles or captures; returns their seconds."""
        began = time.perf_counter()
        self.losses(FIRST_STEPS[self.engine])
        return time.perf_counter() - began

    def validation(self) -> dict[str, BlockTime]:
        """Time a pass of validation over the batches, block by block; the blocks of a batch, metrics too."""
        ledger = Ledger(self.device, seconds=0.0, min_steps=1)
        evaluate(self.model, self.loader, self.objective, self._step.autocast, ledger, self._heads)
        self.model.train()
        return ledger.timings().blocks

    def window(self, instrumented: bool = False, batches: Iterator[tuple[int, Batch]] | None = None) -> float:
        """Train for a window of the ledger; returns its seconds a step.

        Args:
            instrumented: whether to time its blocks.
            batches: epoch and batch a step, endless; the loader's if none are given.
        """
        span, passes = (self.ledger, self._passes) if instrumented else (nullspan, None)
        with passes.attached() if passes else nullcontext():
            try:
                copies = []
                for epoch, batch in self.ledger.window(batches or self.batches, self.batch, instrumented):
                    self.step(epoch, batch, span, passes)
                    copies.append(batch.copy_ms)
            except (ValueError, torch.OutOfMemoryError) as error:
                raise BenchError(f"{self.label} at batch {self.batch}, {self.size} px: {error}") from error
        if instrumented:  # the window has synchronised
            self.copies_ms += [ms for copy in copies if (ms := copy()) is not None]
        window = self.ledger.windows[-1]
        return window.seconds / window.steps

    def keep_busy(self, query: Callable[[], None]) -> None:
        """Ask something of the device while it works: on CUDA during a few steps that no window counts."""
        if self.device.type == "cuda":
            for _ in range(_BUSY_STEPS):
                self.step(*next(self.batches))
        query()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def census(self) -> Census:
        """Count what a step does, block by block; to be called when the optimizer has its state."""
        epoch, batch = next(self.batches)
        present = [*self.state(), *(tensor for _, tensor in batch.quartet.tensors())]
        census = Census(self.device, bytes_of(present))
        census.known(present)
        passes, run, update = self._split(census), self._step.run, self._step.update
        # What is compiled or captured does not pass through a census.
        self._step.run, self._step.update = self.model, None if update is None else self._as_one
        with census, passes.attached():
            self.step(epoch, batch, census, passes)
            census.mark()
        self._step.run, self._step.update = run, update
        return census

    def _as_one(self, quartet: Quartet, span: Span, passes: Passes) -> Losses:
        with span(GRAPH):
            return self._step.eager_update(quartet, nullspan, WholePasses(nullspan))

    def state(self) -> list[Tensor]:
        """All tensors that stay from step to step: weights, buffers, and what the optimizer remembers."""
        return [
            *self.model.parameters(),
            *self.model.buffers(),
            *self.objective.parameters(),
            *self.objective.buffers(),
            *tensors_of(self.optimizer.state),
        ]

    @property
    def label(self) -> str:
        """What is trained, in a few words."""
        how = "" if self.engine == "eager" else f", {self.engine}"
        return f"{self.spec.model}, {self.spec.recipe}{how}"

    def _split(self, recorder: Ledger | Census) -> Passes:
        if self.engine == "eager":
            return BlockPasses(self.model, blocks_of(self.model), recorder)
        return WholePasses(recorder)

    def _forever(self) -> Iterator[tuple[int, Batch]]:
        epoch = 0
        while True:
            epoch += 1
            for batch in self.loader.epoch(self.spec.seed, epoch):
                yield epoch, batch
