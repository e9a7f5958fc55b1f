"""`Quartet`: a batch of scenes, two photographs in and two targets out; and the `Target` of one head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from torch import Tensor


@dataclass
class Quartet:
    """A batch of scenes: two photographs in, two targets out.

    Attributes:
        bg: background, (B, 3, H, W) in [0, 1]; None for data without backgrounds, for models of a single image.
        bg_fg: the same background with an object on it, (B, 3, H, W) in [0, 1].
        mask: the object's (soft) alpha, (B, 1, H, W) in [0, 1]; None for data without masks.
        depth: depth of bg_fg, (B, 1, H, W) in [0, 1] in the data set's encoding; None for data without depth.
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
        """The arguments of a model, ``model(*quartet.inputs)``: bg (zeros for data without it) and bg_fg."""
        return torch.zeros_like(self.bg_fg) if self.bg is None else self.bg, self.bg_fg

    def target(self, head: str) -> Target | None:
        """The target of the head ``mask`` or ``depth``, and where it is known; None for data without it."""
        value, valid = (self.mask, self.mask_valid) if head == "mask" else (self.depth, self.valid)
        return None if value is None else Target(value, valid)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """The images and targets that are not None, by name."""
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None:
                yield f.name, value

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Quartet:
        """The quartet of these images and targets: the inverse of `tensors`."""
        return cls(tensors.get("bg"), **{name: tensor for name, tensor in tensors.items() if name != "bg"})

    def map(self, function: Callable[[Tensor], Tensor]) -> Quartet:
        """A quartet with ``function`` applied to every image and target that is not None."""
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
    """The target of a head, (B, 1, H, W), and where it is known.

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
        """``valid``, or ones where it is None: a factor that a term can always use, (B, 1, H, W)."""
        return torch.ones_like(self.stored) if self.valid is None else self.valid
