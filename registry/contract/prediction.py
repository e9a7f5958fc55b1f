"""`Prediction`: what a model returns, logits by head; one sigmoid turns each into the values that all compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_NEVER = 1e-6
"""A value this near 0 or 1 has no logit to speak of."""


class Head:
    """A head of a prediction: its ``logits`` and ``value = sigmoid(logits)``; both (B, 1, H, W), float32.

    Whatever precision the model ran in, terms and metrics compute in float32 (float64 logits stay float64).
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits if logits.dtype == torch.float64 else logits.float()
        self._compared: dict[Hashable, tuple[Tensor, Tensor]] = {}

    @cached_property
    def value(self) -> Tensor:
        """``sigmoid(logits)``, computed once."""
        return torch.sigmoid(self.logits)

    @classmethod
    def of(cls, value: Tensor) -> Head:
        """A head with those values, (B, 1, H, W), which may lie outside [0, 1]; its logits are the nearest."""
        head = cls(torch.logit(value.clamp(_NEVER, 1 - _NEVER)))
        head.value = value
        return head

    def compared(self, true: Tensor, how: Hashable, compare: Callable[[], Tensor]) -> Tensor:
        """What ``compare`` returns for this head and a target; computed once for that very tensor, and cached.

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
    """The output of a model: logits per head, (B, 1, H, W), or None for a head that the model does not have."""

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

    def with_depth(self, value: Tensor) -> Prediction:
        """The same with other depths, (B, 1, H, W), which may lie outside [0, 1]; for metrics alone."""
        head = Head.of(value)
        changed = Prediction(self.mask_logits, head.logits)
        changed.depth = head
        return changed

    def heads(self) -> Iterator[tuple[str, Head]]:
        """The heads that the model has, by name."""
        for name, head in (("mask", self.mask), ("depth", self.depth)):
            if head is not None:
                yield name, head

    def only(self, heads: Sequence[str]) -> Prediction:
        """Without the heads that are not named."""
        return Prediction(**{f"{head}_logits": getattr(self, f"{head}_logits") for head in heads})
