"""`Variant`: a training step by the names that a person gives; `runners`: what measures some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bench.core.machine import pick_memory_format, pick_precision
from bench.core.protocol import Protocol
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.profile.training import StepRunner
from bench.profile.windows.interleaved import opponent
from bench.train.assemble import make_run
from bench.train.engines.engine import engine_named
from registry.losses.recipe import Recipe


@dataclass(frozen=True)
class Variant:
    """A model under a recipe, and how its step is run.

    Attributes:
        model: key, or ``module:function``.
        recipe: what it is trained with.
        engine, precision, memory_format: by name; ``auto`` in the last two follows the rule for the device.
    """

    model: str
    recipe: Recipe
    engine: str = "eager"
    precision: str = "auto"
    memory_format: str = "auto"

    def against(
        self, named: str | None, engine: str | None, precision: str | None, memory_format: str | None
    ) -> Variant | None:
        """What it is to be compared with: what is given in place of its own; None where nothing is given.

        Args:
            named: ``MODEL`` or ``MODEL:LOSS``.
            engine, precision, memory_format: as of a variant.

        Raises:
            RegistryError: nothing has that name.
        """
        if not any((named, engine, precision, memory_format)):
            return None
        model, recipe = opponent(named or self.model, self.recipe)
        return Variant(
            model,
            recipe,
            engine or self.engine,
            precision or self.precision,
            memory_format or self.memory_format,
        )


def runners(
    variants: Sequence[Variant],
    source: Source,
    protocol: Protocol,
    device: torch.device,
    packed_files: PackedFiles | None = None,
) -> list[StepRunner]:
    """What trains each of them, on the same data; all names are read before the first model is built.

    Args:
        variants: to be measured in one process.
        source, protocol: data, and optimizer, schedule and augmentation; its last stage gives size and batch.
        device: where to compute.
        packed_files: see `StepRunner`.

    Raises:
        RegistryError, BenchError: unknown names, or a model that does not fit the recipe or the data.
    """
    described = source.describe()
    runs = [
        make_run(
            variant.model,
            variant.recipe,
            protocol,
            described,
            precision=pick_precision(device, variant.precision),
            memory_format=pick_memory_format(variant.memory_format),
        )
        for variant in variants
    ]
    engines = [engine_named(variant.engine, device) for variant in variants]
    return [
        StepRunner(run, source, device, engine=engine, packed_files=packed_files)
        for run, engine in zip(runs, engines, strict=True)
    ]
