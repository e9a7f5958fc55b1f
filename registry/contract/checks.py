"""Checks of what models and loss terms return, where it enters; none of them waits for the device."""

from __future__ import annotations

from torch import Tensor

from registry.contract.prediction import Prediction
from registry.errors import ContractError


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


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and type {str(value.dtype).removeprefix('torch.')}"
    return "None" if value is None else f"an object of type {type(value).__name__}"
