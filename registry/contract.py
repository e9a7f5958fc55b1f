"""The tensors that models, terms and metrics agree on: `Quartet` in, `Prediction` out.

Images and targets are in [0, 1] once; one sigmoid turns each head's logits into its value, and every depth
term and every metric sees that value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from torch import Tensor, nn

from registry.errors import ContractError


@dataclass
class Quartet:
    """A batch of scenes: two photographs in, two targets out.

    Attributes:
        bg: background, (B, 3, H, W) in [0, 1]; None where the data has none, for models that look at one image.
        bg_fg: the same background with an object on it, (B, 3, H, W) in [0, 1].
        mask: the object's (soft) alpha, (B, 1, H, W) in [0, 1]; None where the data has no masks at all.
        depth: depth of bg_fg, (B, 1, H, W) in [0, 1] in the data set's encoding; None where there is none at all.
        valid: 1 where depth is known, else 0, (B, 1, H, W), same dtype as depth; None exactly when depth is.
        mask_valid: 1 where the mask is known, else 0, (B, 1, H, W), same dtype as mask; None where it is everywhere.
    """

    bg: Tensor | None
    bg_fg: Tensor
    mask: Tensor | None = None
    depth: Tensor | None = None
    valid: Tensor | None = None
    mask_valid: Tensor | None = None

    def __len__(self) -> int:
        return self.bg_fg.shape[0]

    @property
    def inputs(self) -> tuple[Tensor, Tensor]:
        """What a model is given, ``model(*quartet.inputs)``: bg, zeros where there is none, and bg_fg."""
        return torch.zeros_like(self.bg_fg) if self.bg is None else self.bg, self.bg_fg

    def target(self, head: str) -> Target | None:
        """What the head ``mask`` or ``depth`` is to answer, and where that is known; None where the data has none."""
        value, valid = (self.mask, self.mask_valid) if head == "mask" else (self.depth, self.valid)
        return None if value is None else Target(value, valid)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """The images and targets that are there, by name."""
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None:
                yield f.name, value

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Quartet:
        """The quartet of these images and targets: the inverse of `tensors`."""
        return cls(tensors.get("bg"), **{name: tensor for name, tensor in tensors.items() if name != "bg"})

    def map(self, function: Callable[[Tensor], Tensor]) -> Quartet:
        """A quartet with ``function`` applied to every tensor that is there."""
        return Quartet.of({name: function(tensor) for name, tensor in self.tensors()})

    def check(self) -> Quartet:
        """Return self if shapes agree and everything lies in [0, 1]; for tests and the audit, as it synchronises.

        What is stored where a target is unknown may be anything, NaN too.

        Raises:
            ValueError: the first thing that is wrong, by name and figure.
        """
        size = self.bg_fg.shape[-2:]
        for name, tensor in self.tensors():
            channels = 3 if name.startswith("bg") else 1
            if tensor.shape != (len(self), channels, *size):
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}, not {(len(self), channels, *size)}")
        if (self.depth is None) != (self.valid is None):
            raise ValueError("depth and valid come together or not at all")
        if self.mask is None and self.mask_valid is not None:
            raise ValueError("mask_valid comes with a mask")
        for name, tensor in self.tensors():
            target = self.target(name) if name in ("mask", "depth") else None
            values = tensor if target is None else target.value
            low, high = float(values.min()), float(values.max())
            if not (0.0 <= low and high <= 1.0):
                raise ValueError(f"{name} lies in [{low:.4g}, {high:.4g}], outside [0, 1]")
        return self


class Target:
    """What one head is to answer, (B, 1, H, W), and where that is known.

    Attributes:
        stored: the target as the data has it; anything, NaN too, where it is not known.
        valid: 1 where the target is known, else 0, (B, 1, H, W); None where it is known everywhere.
    """

    def __init__(self, value: Tensor, valid: Tensor | None = None) -> None:
        self.stored = value
        self.valid = valid

    @cached_property
    def is_known(self) -> Tensor | None:
        """Where the target counts, (B, 1, H, W) of bool; None where it counts everywhere."""
        return None if self.valid is None else self.valid > 0.5

    @cached_property
    def value(self) -> Tensor:
        """The target, 0 where it is not known: a NaN stored there reaches neither a loss nor a gradient."""
        return self.stored if self.is_known is None else torch.where(self.is_known, self.stored, 0.0)

    @property
    def known(self) -> Tensor:
        """``valid``, or ones where it is None: what a term may multiply by without asking, (B, 1, H, W)."""
        return torch.ones_like(self.stored) if self.valid is None else self.valid


class Head:
    """One head of a prediction: its ``logits`` and, through the one sigmoid, its ``value``; both (B, 1, H, W), float32.

    float32 is an island: whatever precision the model ran in, terms and metrics compute in float32 (float64
    logits stay float64).
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits if logits.dtype == torch.float64 else logits.float()
        self._compared: dict[Hashable, tuple[Tensor, Tensor]] = {}

    @cached_property
    def value(self) -> Tensor:
        """``sigmoid(logits)``, computed once."""
        return torch.sigmoid(self.logits)

    def compared(self, true: Tensor, how: Hashable, compare: Callable[[], Tensor]) -> Tensor:
        """What ``compare`` gives for this head and a target; computed once for that very tensor, kept with the head.

        Where gradients are recorded it is made anew each time: a head must not keep a graph.
        """
        if torch.is_grad_enabled():
            return compare()
        before, result = self._compared.get(how, (None, None))
        if result is None or before is not true:
            result = compare()
            self._compared[how] = (true, result)
        return result


@dataclass
class Prediction:
    """A model's answer: logits per head, (B, 1, H, W), or None for a head that the model does not have."""

    mask_logits: Tensor | None = None
    depth_logits: Tensor | None = None

    @cached_property
    def mask(self) -> Head | None:
        """The mask head, activated once for all terms and metrics."""
        return None if self.mask_logits is None else Head(self.mask_logits)

    @cached_property
    def depth(self) -> Head | None:
        """The depth head, activated once for all terms and metrics."""
        return None if self.depth_logits is None else Head(self.depth_logits)

    def heads(self) -> Iterator[tuple[str, Head]]:
        """The heads that are there, by name."""
        for name, head in (("mask", self.mask), ("depth", self.depth)):
            if head is not None:
                yield name, head

    def only(self, heads: Sequence[str]) -> Prediction:
        """Without the heads that are not named."""
        return Prediction(**{f"{head}_logits": getattr(self, f"{head}_logits") for head in heads})


class Model(nn.Module, ABC):
    """Base of every registered model: images in, `Prediction` out.

    A subclass sets ``stride`` and gives ``predict`` and ``blocks``; `forward` checks the size first.

    Attributes:
        stride: height and width of the images must be multiples of it.
        notes: what a reader of its figures should know: weights that were left out, weights that came from elsewhere.
    """

    stride: int = 1
    notes: tuple[str, ...] = ()

    @abstractmethod
    def predict(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """Both images (B, 3, H, W) in [0, 1] to a `Prediction` of the same height and width."""

    @abstractmethod
    def blocks(self) -> dict[str, list[nn.Module]]:
        """The 4 to 12 top-level stages by name in forward order, each with its modules in the order they run.

        Together they hold every parameter, each once.
        """

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        """`predict`, after a check of the size.

        Raises:
            ValueError: a side is no multiple of ``stride``.
        """
        height, width = bg.shape[-2:]
        if height % self.stride or width % self.stride:
            name = type(self).__name__
            raise ValueError(f"{name} takes sizes that are multiples of {self.stride}, not {height}x{width}")
        return self.predict(bg, bg_fg)


def check_prediction(prediction: object, images: Tensor, model: str) -> Prediction:
    """What a model made of some images, if it is what every model has to give; never waits for the device.

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
            "registry.contract.Prediction(mask_logits, depth_logits), one of them None for a model of one task"
        )
    expected = (images.shape[0], 1, *images.shape[-2:])
    heads = {"mask_logits": prediction.mask_logits, "depth_logits": prediction.depth_logits}
    if all(logits is None for logits in heads.values()):
        raise ContractError(f"{model} returned a Prediction without mask_logits and depth_logits: give it one at least")
    for name, logits in heads.items():
        fits = isinstance(logits, Tensor) and logits.is_floating_point() and tuple(logits.shape) == expected
        if logits is not None and not fits:
            raise ContractError(f"{model} returned {_describe(logits)} as {name}, not a float tensor of {expected}")
    return prediction


def check_loss(value: object, term: str) -> Tensor:
    """What a term returned, if it is one number with a graph or without; never waits for the device.

    Raises:
        ContractError: it is anything but a floating-point tensor of shape ().
    """
    if not isinstance(value, Tensor) or value.shape != () or not value.is_floating_point():
        raise ContractError(
            f"loss term {term!r} returned {_describe(value)}: a term returns one number, a float tensor of shape (), "
            "such as the mean over images of a mean over pixels"
        )
    return value


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and type {str(value.dtype).removeprefix('torch.')}"
    return "None" if value is None else f"an object of type {type(value).__name__}"
