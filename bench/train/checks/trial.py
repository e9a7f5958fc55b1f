"""Trying a run out before it is trained: everything that can fail at its end fails here, at its beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from bench.core.code import own_code
from bench.core.errors import BenchError
from bench.core.machine import steady_arithmetic, untried_shapes
from bench.core.protocol import Stage
from bench.data.source import Source
from bench.timing.work import count_gmacs, parameter_count
from bench.train.assemble import Run, build_model, build_step
from bench.train.checks.compatibility import check_common, check_sizes, predicted_heads
from bench.train.failures import describe, out_of_memory
from bench.train.isolation.process_state import settings_kept
from bench.train.isolation.random_state import reseeded_by
from registry.contract import Model, Prediction, Quartet, check_loss, check_quartet, check_values
from registry.errors import ContractError, RegistryError
from registry.losses.objective import Objective
from registry.models import models
from registry.models.baselines import Fitted

_MORE_IMAGES = (1, 2, 3, 4, 8, 16)
"""Batches that are tried where a model refuses a smaller one."""


@dataclass(frozen=True)
class Size:
    """How large a model is.

    Attributes:
        parameters: of all its weights.
        gmacs: thousand million multiply-adds of a forward pass on a single image.
        gmacs_reason: why they could not be counted.
        notes: what the model says of its figures, see `registry.contract.Model`.
    """

    parameters: int
    gmacs: float | None
    gmacs_reason: str | None = None
    notes: tuple[str, ...] = ()


def size_of(run: Run, device: torch.device) -> Size:
    """Count a run's model as it is built, before anything has called it."""
    model = build_model(run.spec, device)
    notes = model.notes if isinstance(model, Model) else ()
    return Size(parameter_count(model), *count_gmacs(model, run.spec.protocol.size), notes)


def try_out(run: Run, source: Source, device: torch.device) -> None:
    """Make a training step and an evaluation on a batch of every size and shape that the protocol has.

    The model and all else that is made for it is thrown away. Short memory is left for the run to record.

    Raises:
        BenchError: the model or the recipe raised something, or answers with what is no prediction.
        RegistryError: a name that does not exist.
    """
    name, protocol = run.spec.model, run.spec.protocol
    steady_arithmetic(run.spec.precision)
    try:
        with settings_kept(name):
            model = build_model(run.spec, device)
        if own_code(name):
            _check_draws(name, lambda: models.build(name), device, "when it is built, so that all seeds are the same")
    except (BenchError, RegistryError):
        raise
    except (Exception, SystemExit) as error:
        raise BenchError(f"{name} cannot be built: {describe(error)}") from error
    if isinstance(model, Fitted):
        return
    check_sizes(run.spec, model)
    source = source.to(device)
    for stage in dict.fromkeys(Stage(size=s.size, batch=s.batch, epochs=1) for s in protocol.stages):
        try:
            _step(run, model, source, stage, device)
        except (BenchError, RegistryError):
            raise
        except (Exception, SystemExit) as error:
            if out_of_memory(error):
                continue
            enough = _smallest(run, source, stage, device)
            advice = "" if enough is None else f"; it works from {enough} images a step on: give --batch {enough}"
            raise BenchError(
                f"{name} does not train on {stage.batch} {'images' if stage.batch > 1 else 'image'} of "
                f"{stage.size} px: {describe(error)}{advice}"
            ) from error


def _step(run: Run, model: nn.Module, source: Source, stage: Stage, device: torch.device) -> None:
    """A step and an evaluation; raises whatever anything in them raises."""
    recipe, name = run.recipe, run.spec.model
    assert recipe is not None
    kind = type(source).__name__
    quartet = source.render("train", torch.arange(stage.batch), stage.size)
    check_values(check_quartet(quartet, stage.batch, stage.size, kind), kind)
    if run.spec.inputs == "image":
        quartet.bg = None

    @untried_shapes()
    def forward(images: int) -> Prediction:
        answer: Prediction = model(*(image[:images].clone() for image in quartet.inputs))
        return answer

    with torch.no_grad(), settings_kept(name):
        predicted = predicted_heads(name, model.eval() and forward(1), quartet.map(lambda tensor: tensor[:1]))
    check_common(name, predicted, recipe)
    heads = tuple(head for head in recipe.heads if head in predicted and getattr(quartet, head) is not None)
    if not heads:
        return  # `common_heads` says what the data lacks
    model.train()
    with torch.no_grad(), settings_kept(name):
        prediction = forward(stage.batch)
        predicted_heads(name, prediction, quartet)
        if own_code(name):
            _check_draws(name, lambda: forward(stage.batch), device, "when it is called, so that all steps draw alike")
    step = build_step(run.spec, recipe, model, heads, device, steps=10, engine="eager")
    check_terms(step.objective, prediction, quartet)
    with settings_kept(f"a step of {name} by {run.spec.protocol.optimizer}"):
        step.learn(quartet.map(torch.clone))


def check_terms(objective: Objective, prediction: Prediction, quartet: Quartet) -> None:
    """Call every term by itself and compare what it is given before and after.

    Raises:
        ContractError: a term alters in place what others read, or what holds for the whole process, or has no gradient.
    """
    logits = (prediction.mask_logits, prediction.depth_logits)
    copied = Prediction(*(None if each is None else each.detach().clone().requires_grad_() * 1.0 for each in logits))
    for term in objective.applied(copied, quartet.map(torch.clone)):
        name = f"loss term {term.key!r}"
        given = {
            "logits of its prediction": term.prediction.logits,
            "value of its prediction": term.prediction.value,
            "target": term.target.value,
            "target as it is stored": term.target.stored,
        }
        with settings_kept(name), unaltered(name, given):
            loss = check_loss(term.function(term.prediction, term.target), term.key)
        if not loss.requires_grad:
            raise ContractError(f"{name} has no gradient: it does not follow from the prediction")
        if own_code(term.key):
            again = partial(term.function, term.prediction, term.target)
            _check_draws(name, again, quartet.bg_fg.device, "when it is called, so that all steps draw alike")


@contextmanager
def unaltered(name: str, given: Mapping[str, Tensor]) -> Iterator[None]:
    """Around a call that is given tensors which others read, too.

    Args:
        name: of what is called, for the message.
        given: the tensors by what they are.

    Raises:
        ContractError: a tensor has other values afterwards.
    """
    before = {what: tensor.detach().clone() for what, tensor in given.items()}
    yield
    for what, tensor in given.items():
        if not torch.equal(tensor.nan_to_num(), before[what].nan_to_num()):
            raise ContractError(f"{name} alters the {what} in place: work on a copy")


def _check_draws(name: str, work: Callable[[], object], device: torch.device, consequence: str) -> None:
    """Refuse work that seeds a generator of the whole process.

    Raises:
        ContractError: it does.
    """
    generators = reseeded_by(work, device)
    if generators:
        raise ContractError(
            f"{name} seeds the generator of {' and '.join(generators)} {consequence}: leave seeds to the run, "
            "or draw from a generator of its own"
        )


def _smallest(run: Run, source: Source, stage: Stage, device: torch.device) -> int | None:
    """The smallest batch over the stage's that the model trains on."""
    for images in (count for count in _MORE_IMAGES if count > stage.batch):
        try:
            _step(run, build_model(run.spec, device), source, stage.model_copy(update={"batch": images}), device)
        except (Exception, SystemExit):
            continue
        return images
    return None
