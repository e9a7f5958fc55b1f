"""Tensors that have the same rows: what rooms, figures and scenes are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor


@dataclass
class TensorTable:
    """A dataclass whose fields are tensors, or such tables again; their first axis counts the rows."""

    def rows(self, which: Tensor | slice) -> Self:
        """The rows of those numbers, (B,) int64, or of a slice."""
        return self._changed(lambda tensor: tensor[which])

    def to(self, device: torch.device | str) -> Self:
        """The table on another device."""
        return self._changed(lambda tensor: tensor.to(device))

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Self:
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return type(self)(
            **{
                name: change(value) if isinstance(value, Tensor) else value._changed(change)
                for name, value in values.items()
            }
        )
