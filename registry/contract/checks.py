"""Checks of what models, loss terms and data sources return, where it enters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from registry.contract.prediction import Prediction
from registry.contract.quartet import Quartet
from registry.errors import ContractError

_SLACK = 1e-3
"""By which resampling may leave [0, 1]."""


def check_prediction(prediction: object, images: Tensor, model: str) -> Prediction:
    """Return what a model returned, if it is a `Prediction` for those images; never waits for the device.

    Args:
        prediction: what the model returned.
        images: the photographs it was called with, (B, 3, H, W).
        model: its name, for the message.

    Raises:
        ContractError: it is no `Prediction`, has no head, or has logits of another shape or kind.
    """
    if not isinstance(prediction, Prediction):
        raise ContractError(
            f"{model} returned {_describe(prediction)}: return "
            "registry.contract.Prediction(mask_logits, depth_logits), with None for a head that the model does not have"
        )
    expected = (images.shape[0], 1, *images.shape[-2:])
    heads = {"mask_logits": prediction.mask_logits, "depth_logits": prediction.depth_logits}
    if all(logits is None for logits in heads.values()):
        raise ContractError(
            f"{model} returned a Prediction without mask_logits and depth_logits: at least one of them is needed"
        )
    for name, logits in heads.items():
        fits = isinstance(logits, Tensor) and logits.is_floating_point() and tuple(logits.shape) == expected
        if logits is not None and not fits:
            raise ContractError(f"{model} returned {_describe(logits)} as {name}, not a float tensor of {expected}")
    return prediction


def check_loss(value: object, term: str) -> Tensor:
    """Return what a term returned, if it is a scalar, with a graph or without; never waits for the device.

    Raises:
        ContractError: it is anything but a floating-point tensor of shape ().
    """
    if not isinstance(value, Tensor) or value.shape != () or not value.is_floating_point():
        raise ContractError(
            f"loss term {term!r} returned {_describe(value)}: a term returns a scalar, a float tensor of shape (), "
            "such as the mean over images of a mean over pixels"
        )
    return value


def check_quartet(quartet: object, count: int, size: int, source: str) -> Quartet:
    """Return what a data source rendered, if it is a `Quartet` of so many samples; never waits for the device.

    Raises:
        ContractError: it is no `Quartet`, or an image or target in it has another shape or type.
    """
    if not isinstance(quartet, Quartet):
        raise ContractError(f"data source {source} rendered {_describe(quartet)}: return a registry.contract.Quartet")
    for name, tensor in quartet.tensors():
        expected = (count, 3 if name.startswith("bg") else 1, size, size)
        if not isinstance(tensor, Tensor) or tuple(tensor.shape) != expected or tensor.dtype != torch.float32:
            raise ContractError(
                f"data source {source} rendered {_describe(tensor)} as {name}, not a tensor of shape {expected} and "
                "type float32"
            )
    return quartet


def check_values(quartet: Quartet, source: str) -> None:
    """See that images and targets are in [0, 1] wherever they are numbers at all; waits for the device.

    Raises:
        ContractError: they are in another range, such as 0 to 255.
    """
    for name, tensor in quartet.tensors():
        least, most = (
            float(value) for value in tensor.nan_to_num(nan=0.0, posinf=math.inf, neginf=-math.inf).aminmax()
        )
        if least < -_SLACK or most > 1 + _SLACK:
            raise ContractError(
                f"data source {source} rendered {name} from {least:.4g} to {most:.4g}: images and targets are in [0, 1]"
            )


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and type {str(value.dtype).removeprefix('torch.')}"
    return "None" if value is None else f"an object of type {type(value).__name__}"
