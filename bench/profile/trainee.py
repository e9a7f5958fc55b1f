"""A run's training step on its own, to be repeated window by window: the same blocks as in `bench.loop`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from bench.data.augment import augment
from bench.data.loader import Batch, Loader
from bench.data.source import Source
from bench.environment import pick_device, pick_precision
from bench.errors import BenchError
from bench.loop import common_heads
from bench.optim import optimizers, schedules
from bench.protocol import Protocol
from bench.spec import RunSpec
from bench.timing.census import Census, bytes_of
from bench.timing.hooks import BlockPasses, NoPasses, Passes
from bench.timing.ledger import Ledger
from bench.timing.work import blocks_of
from registry.losses import parse
from registry.losses.objective import Objective, Span, nullspan
from registry.models import models
from registry.models.baselines import Fitted

BATCHES = 16
_WINDOW_SECONDS = {"cpu": 0.05, "cuda": 0.25}
"""A CPU needs no synchronisation, so that windows may be short and their comparison close."""
_STEPS = 10**6  # a schedule of which a profile sees the beginning only
_BUDGET = 2**31
_PLAIN = NoPasses()


class Trainee:
    """One model under one recipe, trained for as long as somebody asks for another window.

    Args:
        spec: what to train; the last stage of its protocol gives size and batch.
        source: where the batches come from.
        device: where to compute.

    Attributes:
        ledger: the windows so far.
        processor_seconds: processor time a step of each of them, of this process and all its threads.

    Raises:
        BenchError: a model that learns nothing by gradient, or does not fit the recipe or the data.
    """

    def __init__(self, spec: RunSpec, source: Source, device: torch.device) -> None:
        self.spec, self.device = spec, device
        stage = spec.protocol.stages[-1]
        self.batch, self.size = stage.batch, stage.size
        torch.manual_seed(spec.seed)
        torch.backends.cudnn.benchmark = True
        layout = torch.channels_last if spec.layout == "channels_last" else torch.contiguous_format
        self.model = models.build(spec.model).to(device, memory_format=layout)  # type: ignore[call-overload]
        if isinstance(self.model, Fitted):
            raise BenchError(f"{spec.model} learns nothing by gradient: there is no training step to profile")
        self.loader = Loader(source.to(device), "train", BATCHES * self.batch, self.size, self.batch, _BUDGET)
        try:
            heads = common_heads(spec, self.model, self.loader)
        except ValueError as error:
            raise BenchError(f"{spec.model}: {error}") from error
        self.objective = Objective(parse(spec.recipe), heads=heads).to(device)
        self.optimizer = optimizers.build(spec.protocol.optimizer)(
            [*self.model.parameters(), *self.objective.parameters()]
        )
        self._schedule = schedules.build(spec.protocol.schedule)(self.optimizer, _STEPS)
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bfloat16")
        self.ledger = Ledger(device, seconds=_WINDOW_SECONDS[device.type], min_steps=1)
        self.processor_seconds: list[float] = []
        self._passes = BlockPasses(self.model, blocks_of(self.model), self.ledger)
        self._batches = self._forever()
        self.model.train()

    def step(self, epoch: int, batch: Batch, span: Span = nullspan, passes: Passes = _PLAIN) -> None:
        """One training step on one batch.

        Args:
            epoch, batch: what augmentation draws from.
            span: entered around every block but those of the model.
            passes: entered around the model's forward and backward pass.
        """
        with span("h2d"):
            quartet = batch.quartet.map(lambda tensor: tensor.to(self.device, non_blocking=True))
        with span("augment"):
            quartet = augment(quartet, self.spec.seed, epoch, batch.ids, self.spec.protocol.augmentation)
        with passes.forward(), self._autocast:
            prediction = self.model(quartet.bg, quartet.bg_fg)
        losses = self.objective(prediction, quartet, span=span)
        with passes.backward():
            losses.total.backward()
        with span("optimizer"):
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self._schedule.step()

    def window(self, instrumented: bool) -> float:
        """Train for one window of the ledger; returns its seconds a step."""
        if instrumented:
            self._passes.attach()
        began = time.process_time()
        try:
            for epoch, batch in self.ledger.window(self._batches, self.batch, instrumented):
                if instrumented:
                    self.step(epoch, batch, self.ledger, self._passes)
                else:
                    self.step(epoch, batch)
            spent = time.process_time() - began
        finally:
            self._passes.detach()
        window = self.ledger.windows[-1]
        self.processor_seconds.append(spent / window.steps)
        return window.seconds / window.steps

    def forget(self) -> None:
        """Begin anew with the windows."""
        self.ledger.windows.clear()
        self.processor_seconds.clear()

    def census(self) -> Census:
        """Count what one step does, block by block; to be called when the optimizer has its state."""
        epoch, batch = next(self._batches)
        there = [*self.state(), *(tensor for _, tensor in batch.quartet.tensors())]
        census = Census(self.device, bytes_of(there))
        census.known(there)
        passes = BlockPasses(self.model, blocks_of(self.model), census)
        passes.attach()
        try:
            with census:
                self.step(epoch, batch, census, passes)
                census.mark()
        finally:
            passes.detach()
        return census

    def state(self) -> list[Tensor]:
        """All tensors that stay from step to step: weights, buffers, and what the optimizer remembers."""
        remembered = [x for row in self.optimizer.state.values() for x in row.values() if isinstance(x, Tensor)]
        return [
            *self.model.parameters(),
            *self.model.buffers(),
            *self.objective.parameters(),
            *self.objective.buffers(),
            *remembered,
        ]

    @property
    def label(self) -> str:
        """What is trained, in a few words."""
        return f"{self.spec.model}, {self.spec.recipe}"

    def _forever(self) -> Iterator[tuple[int, Batch]]:
        epoch = 0
        while True:
            epoch += 1
            for batch in self.loader.epoch(self.spec.seed, epoch):
                yield epoch, batch


def trainee(
    model: str, loss: str, protocol: Protocol, source: Source, precision: str = "auto", device: str = "auto"
) -> Trainee:
    """A trainee by names, as on the command line.

    Raises:
        RegistryError, BenchError: a name or a value that does not exist, or things that do not fit together.
    """
    where = pick_device(device)
    spec = RunSpec(
        model=models.canonical(model),
        recipe=parse(loss).text,
        protocol=protocol,
        data=source.describe(),
        precision=pick_precision(where, precision),
    )
    return Trainee(spec, source, where)
