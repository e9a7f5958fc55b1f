"""How long runs take, and how large models are: from this machine's records, and from the runs of the sweep itself."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

from bench.core.protocol import Protocol
from bench.core.record import Record
from bench.core.spec import RunSpec
from bench.timing.work import parameter_count
from registry.errors import RegistryError
from registry.models import models

WEIGHT_BYTES = 4
CHECKPOINT_WEIGHTS = 4
"""Weights that a checkpoint holds for each of the model: its own, two moments of the optimizer, those of the best."""


@dataclass
class Estimate:
    """Seconds by what is known of like runs; fed with records, in any order.

    Attributes:
        fingerprint: of this machine; what others took says nothing.
        share: runs at once on the device: each takes longer, so that only records of as many count.
        parameters: of models, by key, as far as they are known.
    """

    fingerprint: str
    share: int = 1
    parameters: dict[str, int] = field(default_factory=dict)
    _whole: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _paces: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list), repr=False)

    def learn(self, records: Iterable[Record]) -> None:
        """Take the times of records that finished on this machine, whole and without a stop."""
        for record in records:
            spec = record.spec
            if record.parameters:
                self.parameters[spec.model] = record.parameters
            shared = record.load.shared if record.load else 1
            if record.outcome != "finished" or record.resumed or record.fingerprint != self.fingerprint:
                continue
            if shared == self.share:
                self._whole[spec.model, spec.protocol.label, spec.precision].append(record.seconds)
                self._paces[spec.model].append(record.seconds / _pixels(spec.protocol))

    def seconds(self, spec: RunSpec) -> float | None:
        """How long a run will take: as like ones did; else by the pace of its model in other budgets; else unknown."""
        whole = self._whole.get((spec.model, spec.protocol.label, spec.precision))
        if whole:
            return statistics.median(whole)
        paces = self._paces.get(spec.model)
        return statistics.median(paces) * _pixels(spec.protocol) if paces else None

    def total(self, specs: Iterable[RunSpec]) -> tuple[float | None, int]:
        """Seconds of all, one after the other; a run of which nothing is known counts as the mean of the others.

        Returns:
            The sum, None where nothing is known of any; and how many runs are unknown.
        """
        cache: dict[tuple[str, int, str], float | None] = {}
        values = []
        for spec in specs:
            key = spec.model, id(spec.protocol), spec.precision  # the runs of a sweep share their protocol
            if key not in cache:
                cache[key] = self.seconds(spec)
            values.append(cache[key])
        known = [value for value in values if value is not None]
        unknown = len(values) - len(known)
        if not known:
            return (0.0 if not values else None), unknown
        return sum(known) + unknown * statistics.fmean(known), unknown

    def weights(self, model: str) -> int | None:
        """Parameters of a model: as recorded, as published, or as counted without making them; None if none tells."""
        if model not in self.parameters:
            counted = _published(model) or _counted(model)
            if counted is None:
                return None
            self.parameters[model] = counted
        return self.parameters[model]


def _pixels(protocol: Protocol) -> float:
    """What a run's time is about proportional to: pixels that training and evaluation pass through the model."""
    trained = sum(stage.epochs * stage.size**2 for stage in protocol.stages) * protocol.train_samples
    seen = protocol.epochs * protocol.val_samples + protocol.test_samples
    return trained + seen * protocol.size**2 / 3  # an evaluation is a forward pass alone, a third of a step


def _published(model: str) -> int | None:
    facts = models.get(model.partition("[")[0]).facts.get("parameters")
    return facts.get(model) if isinstance(facts, dict) else None


def _counted(model: str) -> int | None:
    try:
        with torch.device("meta"):
            return parameter_count(models.build(model))
    except (RegistryError, Exception, SystemExit):  # the run will say what is wrong with it
        return None
