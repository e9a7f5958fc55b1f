"""Normalisation of what a network sees: buffers of the model, so that whoever loads its weights has it, too.

A protocol asks for it (`Protocol.normalize`); images stay in [0, 1] everywhere else: in the data, its augmentation,
the targets, and for baselines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.protocol import Normalization
from bench.core.spec import Inputs
from registry.contract import Quartet

MEAN, STD = "input_mean", "input_std"
"""Buffers of a model whose inputs are normalised, (2, 3) each: of bg and of bg_fg."""
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SAMPLES = 8192
"""Most training samples that mean and standard deviation are taken from: they are then within 1e-3."""
_LEAST_STD = 1e-3


def normalize_inputs(model: nn.Module, normalization: Normalization, inputs: Inputs) -> nn.Module:
    """The model, whose forward pass normalises both images first; of ``data``, by what `set_statistics` is given.

    A model that normalises its inputs itself, as pretrained encoders do, is left as it is.

    Args:
        model: of a run.
        normalization: as the protocol has it.
        inputs: of the run; a background that is withheld stays zero.
    """
    if normalization == "none" or normalizes_itself(model):
        return model
    mean, std = torch.zeros(2, 3), torch.ones(2, 3)
    if normalization == "imagenet":
        first = 1 if inputs == "image" else 0
        mean[first:], std[first:] = (torch.tensor(values) for values in IMAGENET)
    model.register_buffer(MEAN, mean)
    model.register_buffer(STD, std)
    model.register_forward_pre_hook(_normalize)
    return model


def normalizes_itself(model: nn.Module) -> bool:
    """Whether the model brings photographs to the form that its pretrained weights were trained on."""
    own = getattr(model, "normalise", None)
    return isinstance(own, nn.Module) and not isinstance(own, nn.Identity)


def wants_statistics(model: nn.Module, normalization: Normalization) -> bool:
    """Whether the model has to be given the training split's mean and standard deviation."""
    return normalization == "data" and hasattr(model, MEAN)


def normalization_of(weights: Mapping[str, Tensor]) -> Normalization:
    """How the inputs of the model that had these weights were normalised; ``none`` where it does so itself."""
    if MEAN not in weights:
        return "none"
    return "imagenet" if torch.allclose(weights[MEAN][1].cpu(), torch.tensor(IMAGENET[0])) else "data"


def set_statistics(model: nn.Module, mean: Tensor, std: Tensor) -> None:
    """Give the model what its inputs are normalised by, (2, 3) each."""
    with torch.no_grad():
        model.get_buffer(MEAN).copy_(mean)
        model.get_buffer(STD).copy_(std)


def statistics(quartets: Iterable[Quartet]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel of bg and bg_fg over the first samples, (2, 3) float64 each.

    A background that is withheld has mean 0 and deviation 1.
    """
    sums, squares, pixels, images = torch.zeros(2, 3).double(), torch.zeros(2, 3).double(), 0, 0
    withheld = False
    for quartet in quartets:
        withheld = quartet.bg is None
        for row, image in enumerate(quartet.inputs):
            values = image.double()
            sums[row] += values.sum((0, 2, 3)).cpu()
            squares[row] += values.square().sum((0, 2, 3)).cpu()
        images += len(quartet)
        pixels += quartet.bg_fg[:, 0].numel()
        if images >= _SAMPLES:
            break
    mean = sums / pixels
    std = (squares / pixels - mean.square()).clamp(min=0).sqrt().clamp(min=_LEAST_STD)
    if withheld:
        mean[0], std[0] = 0.0, 1.0
    return mean, std


def facts(model: nn.Module, normalization: Normalization) -> dict[str, Any] | None:
    """What a record says of it; None where nothing is normalised."""
    if normalization == "none":
        return None
    if not hasattr(model, MEAN):
        return {"by": "the model itself"}
    rows = {name: [[round(v, 5) for v in row] for row in model.get_buffer(name).tolist()] for name in (MEAN, STD)}
    return {"by": normalization, "mean": rows[MEAN], "std": rows[STD]}


def _normalize(model: nn.Module, images: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    mean, std = model.get_buffer(MEAN), model.get_buffer(STD)
    normal = [
        (image - mean[row][:, None, None]) / std[row][:, None, None] for row, image in enumerate(images[: len(mean)])
    ]
    return (*normal, *images[len(mean) :])
