"""Trying a run out before it is trained: everything that can fail at its end fails here, at its beginning."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.protocol import Stage
from bench.data.source import Source
from bench.timing.work import count_gmacs, parameter_count
from bench.train.assemble import Run, build_model, build_step
from bench.train.checks.compatibility import check_sizes, predicted_heads
from bench.train.failures import describe, out_of_memory
from registry.contract import Model, Prediction, Quartet, check_loss
from registry.errors import ContractError, RegistryError
from registry.losses.objective import Objective
from registry.models.baselines import Fitted

_MORE_IMAGES = (1, 2, 3, 4, 8, 16)
"""Batches that are tried where a model refuses a smaller one."""


@dataclass(frozen=True)
class Size:
    """How large a model is.

    Attributes:
        parameters: of all its weights.
        gmacs: thousand million multiply-adds of a forward pass on one image.
        gmacs_reason: why there are none.
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
    """Make one training step and one evaluation on a batch of every size and shape that the protocol has.

    The model and all else that is made for it is thrown away. Short memory is left for the run to record.

    Raises:
        BenchError: the model or the recipe raised something, or answers with what is no prediction.
        RegistryError: a name that does not exist.
    """
    name, protocol = run.spec.model, run.spec.protocol
    try:
        model = build_model(run.spec, device)
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
    """One step and one evaluation; raises whatever anything in it raises."""
    recipe = run.recipe
    assert recipe is not None
    quartet = source.render("train", torch.arange(stage.batch), stage.size)
    if run.spec.inputs == "image":
        quartet.bg = None
    inputs = quartet.inputs
    with torch.no_grad():
        predicted = predicted_heads(
            run.spec.model, model.eval()(*(image[:1].clone() for image in inputs)), quartet.map(lambda x: x[:1])
        )
    heads = tuple(head for head in recipe.heads if head in predicted and getattr(quartet, head) is not None)
    if not heads:
        return  # `common_heads` says what is missing
    model.train()
    step = build_step(run.spec, recipe, model, heads, device, steps=10, engine="eager")
    step.learn(quartet.map(torch.clone))
    with torch.no_grad():
        prediction = model(*(image.clone() for image in inputs))
        predicted_heads(run.spec.model, prediction, quartet)
    check_terms(step.objective, prediction, quartet)


def check_terms(objective: Objective, prediction: Prediction, quartet: Quartet) -> None:
    """Call every term once on its own and see what it does to what it is given.

    Raises:
        ContractError: a term alters in place what others read, or has no gradient.
    """
    logits = (prediction.mask_logits, prediction.depth_logits)
    copied = Prediction(*(None if each is None else each.detach().clone().requires_grad_() * 1.0 for each in logits))
    for term in objective.applied(copied, quartet.map(torch.clone)):
        given = {
            "logits of its prediction": term.prediction.logits,
            "value of its prediction": term.prediction.value,
            "target": term.target.value,
            "target as it is stored": term.target.stored,
        }
        before = {name: tensor.detach().clone() for name, tensor in given.items()}
        loss = check_loss(term.function(term.prediction, term.target), term.key)
        for name, tensor in given.items():
            if not torch.equal(tensor.nan_to_num(), before[name].nan_to_num()):
                raise ContractError(f"loss term {term.key!r} alters the {name} in place: work on a copy")
        if not loss.requires_grad:
            raise ContractError(f"loss term {term.key!r} has no gradient: it does not follow from the prediction")


def _smallest(run: Run, source: Source, stage: Stage, device: torch.device) -> int | None:
    """The smallest batch over the stage's that the model trains on."""
    for images in (count for count in _MORE_IMAGES if count > stage.batch):
        try:
            _step(run, build_model(run.spec, device), source, stage.model_copy(update={"batch": images}), device)
        except (Exception, SystemExit):
            continue
        return images
    return None
