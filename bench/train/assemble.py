"""From names to a run, and from a run to the model and the step it trains by: the only place where these are made.

Training, profiles, the reproductions and the measurement of the loop's overhead all come here, so that all of them
build the same model and step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.core.machine import steady_arithmetic
from bench.core.protocol import Protocol
from bench.core.record import Tuning
from bench.core.spec import Engine, Inputs, MemoryFormat, Precision, RunSpec
from bench.data.augment.pipeline import Augmentation, canonical_protocol
from bench.train.engines.engine import run_by
from bench.train.initial_weights import InitialWeights
from bench.train.isolation.process_state import settings_kept
from bench.train.isolation.random_state import seed_all
from bench.train.normalization import normalize_inputs
from bench.train.step import Step
from registry.losses import parse
from registry.losses.objective import Objective
from registry.losses.recipe import Recipe
from registry.models import models
from registry.optimizers import optimizers
from registry.schedules import schedules

NO_RECIPE = "none"
"""What a recipe is called in the record of a model that learns nothing by gradient."""


@dataclass(frozen=True)
class Run:
    """One run to be made: its spec, with the recipe that the spec's text was printed from.

    Attributes:
        spec: everything that decides the outcome.
        recipe: parsed; None for a model that learns nothing by gradient.
        recipe_name: the name under which the recipe was requested, or its text.
        init: the weights that training starts from, where the spec names some.
        tuning: how a value in the spec was chosen; None where it is the protocol's and the recipe's own.
    """

    spec: RunSpec
    recipe: Recipe | None
    recipe_name: str
    init: InitialWeights | None = None
    tuning: Tuning | None = None

    @classmethod
    def of(cls, spec: RunSpec) -> Run:
        """The run of a spec that was read somewhere."""
        return cls(spec, parse(spec.recipe) if spec.recipe else None, spec.recipe or NO_RECIPE)

    def altered(self, **changes: Any) -> Run:
        """The same recipe under a spec of which some fields are others."""
        return replace(self, spec=self.spec.model_copy(update=changes))

    @property
    def names(self) -> tuple[str, ...]:
        """Everything in it that may name a user's own code, for `bench.core.code.code_version`."""
        return names_of(self.spec)


def names_of(spec: RunSpec) -> tuple[str, ...]:
    """Everything in a spec that may name a user's own code."""
    protocol, kind = spec.protocol, str(spec.data.get("kind", ""))
    return spec.model, spec.recipe, protocol.optimizer, protocol.schedule, protocol.augmentation, kind


def make_run(
    model: str,
    recipe: Recipe | str | None,
    protocol: Protocol,
    data: Mapping[str, Any],
    *,
    recipe_name: str | None = None,
    precision: Precision = "float32",
    memory_format: MemoryFormat = "channels_last",
    engine: Engine = "eager",
    inputs: Inputs = "pair",
    init: InitialWeights | None = None,
    seed: int = 0,
) -> Run:
    """A run by what a person calls its parts.

    Args:
        model: a key of `registry.models`, or ``module:attribute``.
        recipe: parsed, a name, or its text; None for a model that learns nothing by gradient.
        protocol: the budget.
        data: a source's description of itself.
        recipe_name: what the recipe is called; else the given text.
        precision, memory_format, engine, inputs, seed: as in the spec; a model that learns nothing has the defaults.
        init: weights that training starts from; None for random weights.

    Raises:
        RegistryError: a name that does not exist, or a recipe that does not parse.
    """
    parsed = parse(recipe) if isinstance(recipe, str) else recipe
    spec = RunSpec(
        model=models.canonical(model),
        recipe="" if parsed is None else parsed.text,
        protocol=canonical_protocol(protocol),
        data=dict(data),
        precision="float32" if parsed is None else precision,
        memory_format="channels_last" if parsed is None else memory_format,
        engine="eager" if parsed is None else engine,
        inputs=inputs,
        init="" if parsed is None or init is None else init.checksum,
        seed=seed,
    )
    given = recipe if isinstance(recipe, str) else spec.recipe
    return Run(spec, parsed, recipe_name or given or NO_RECIPE, init if spec.init else None)


def inputs_named(name: str, has_background: bool = True) -> Inputs:
    """What models see, by name; of data without backgrounds ``image``, as there is nothing else to see.

    Raises:
        BenchError: an unknown name.
    """
    for inputs in get_args(Inputs):
        if inputs == name:
            found: Inputs = inputs
            return found if has_background else "image"
    raise BenchError(f"unknown inputs {name!r}; choose one of: {', '.join(get_args(Inputs))}")


def build_model(spec: RunSpec, device: torch.device) -> nn.Module:
    """The run's model with its first weights, on the device, in the run's memory format; all random states seeded."""
    seed_all(spec.seed)
    steady_arithmetic(spec.precision)
    with settings_kept(spec.model):
        model = models.build(spec.model)
    if spec.recipe:  # what learns nothing by gradient compares images as they are
        normalize_inputs(model, spec.protocol.normalize, spec.inputs)
    return place(model, spec.memory_format, device)


def place(model: nn.Module, memory_format: MemoryFormat, device: torch.device) -> nn.Module:
    """The model on ``device``, its weights and from now on its images in ``memory_format``.

    Loaders hand out images that lie channels last, and a convolution follows its images: contiguous weights alone
    would change nothing but cost a conversion of the weights every step.
    """
    if memory_format == "channels_last":
        return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    model.register_forward_pre_hook(_contiguous)
    return model.to(device, memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


def _contiguous(_: nn.Module, images: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(image.contiguous() if isinstance(image, Tensor) else image for image in images)


def autocast_of(spec: RunSpec, device: torch.device) -> torch.autocast:
    """The precision of the run's forward passes, as a context."""
    return torch.autocast(device.type, torch.bfloat16, enabled=spec.precision == "bfloat16")


def build_step(
    spec: RunSpec,
    recipe: Recipe,
    model: nn.Module,
    heads: tuple[str, ...],
    device: torch.device,
    *,
    steps: int | None = None,
    samples: int | None = None,
    engine: Engine | None = None,
    metric_depth: bool = False,
) -> Step:
    """The training step of a run: objective, optimizer, schedule, augmentation, precision and engine.

    Args:
        spec, recipe: of the run.
        model: as `build_model` gives it.
        heads: those that are trained, see `bench.train.checks.compatibility.common_heads`.
        device: where the model is.
        steps, samples, engine: other than the spec's, for those who see the beginning of a run only.
        metric_depth: whether depth is a distance, which enlarging a picture divides.

    Raises:
        BenchError: what the engine needs is not on this machine.
    """
    protocol = spec.protocol
    objective = Objective(recipe, heads).to(device)
    optimizer = optimizers.build(protocol.optimizer)([*model.parameters(), *objective.parameters()])
    schedule = schedules.build(protocol.schedule)(optimizer, protocol.steps if steps is None else steps)
    augmentation = Augmentation(protocol.augmentation, spec.seed, samples or protocol.train_samples, metric_depth)
    step = Step(model, objective, optimizer, schedule, autocast_of(spec, device), device, augmentation)
    run_by(engine or spec.engine, step)
    return step
