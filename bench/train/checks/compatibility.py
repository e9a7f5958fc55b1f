"""Whether a model, a recipe and data fit together; checked before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.machine import untried_shapes
from bench.core.spec import RunSpec
from bench.data.loading.loader import Loader
from bench.train.isolation.process_state import settings_kept
from bench.train.isolation.untouched import untouched
from registry.contract import Quartet, check_prediction
from registry.losses.objective import Objective
from registry.losses.recipe import Recipe


def check_sizes(spec: RunSpec, model: nn.Module) -> None:
    """The model takes every resolution of the protocol.

    Raises:
        BenchError: it does not; the message names the multiple that it takes.
    """
    stride = getattr(model, "stride", 1)
    wrong = [str(stage.size) for stage in spec.protocol.stages if stage.size % stride]
    if wrong:
        raise BenchError(
            f"{spec.model} takes sizes that are multiples of {stride}, not {', '.join(wrong)} as in protocol "
            f"{spec.protocol.name}: run it with --size {stride * max(1, round(spec.protocol.size / stride))}"
        )


def common_heads(name: str, recipe: Recipe, model: nn.Module, loader: Loader) -> tuple[str, ...]:
    """The heads that the model has and the recipe speaks of, tried on a batch; the model is left as it was.

    Args:
        name: the model's key, for messages.
        recipe, model: which shall go together.
        loader: of validation or training samples.

    Raises:
        ContractError: the model's answer is no `Prediction` of the right shape, or a term returns no single number.
        BenchError: the data has no truth for a head, the recipe does not work at this size, or no head is left.
    """
    truth = next(iter(loader.in_order())).quartet.map(lambda tensor: tensor[:2])
    with settings_kept(name), untouched(model, truth.bg_fg.device), torch.no_grad(), untried_shapes():
        prediction = model.eval()(*(image.clone() for image in truth.inputs))
    predicted = predicted_heads(name, prediction, truth)
    for head in recipe.heads:
        if head in predicted and getattr(truth, head) is None:
            raise BenchError(
                f"the recipe has {head} terms but the data has no {head}: give the data its {head} "
                f"(--bg-depth for photographs), or take a recipe without it, such as --loss 'mask: bce'"
            )
    heads = tuple(head for head in recipe.heads if head in predicted)
    check_common(name, predicted, recipe)
    try:
        with torch.no_grad():
            Objective(recipe, heads).to(truth.bg_fg.device)(prediction, truth)
    except (ValueError, RuntimeError) as error:
        raise BenchError(f"the recipe {recipe.text!r} does not work at {loader.size} px: {error}") from error
    return heads


def check_common(name: str, predicted: Sequence[str], recipe: Recipe) -> None:
    """Whether a model predicts anything that the recipe speaks of.

    Args:
        name: the model's key, for the message.
        predicted: its heads.
        recipe: it would be trained by.

    Raises:
        BenchError: it does not.
    """
    if not set(predicted) & set(recipe.heads):
        raise BenchError(f"nothing to train: {name} predicts {' and '.join(predicted)}, the recipe is {recipe.text!r}")


def predicted_heads(name: str, prediction: object, truth: Quartet) -> list[str]:
    """The heads of a prediction, whose shapes must be those of the targets: broadcasting would hide a mistake.

    Raises:
        ContractError: it is no `Prediction`, or has other shapes; ``name`` is the model's key, for the message.
    """
    return [head for head, _ in check_prediction(prediction, truth.bg_fg, name).heads()]
