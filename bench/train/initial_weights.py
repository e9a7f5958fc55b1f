"""Weights that training starts from, of a run that is over: `--init RUN`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.errors import BenchError
from bench.train.checkpoints import checkpoint
from bench.train.normalization import MEAN, STD

_OWN = frozenset({MEAN, STD})
"""Buffers that follow from a run's own data and protocol, and are no weights."""


@dataclass(frozen=True)
class Loaded:
    """What became of the weights.

    Attributes:
        taken: how many tensors the model took.
        missing: tensors of the model that the weights lack; they stay random.
        unused: tensors among the weights that the model lacks.
        reshaped: tensors that have another shape in the model; they stay random.
    """

    taken: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    reshaped: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The same as JSON, for a record."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    def sentence(self) -> str:
        """The same in a sentence; long lists are cut."""
        total = self.taken + len(self.missing) + len(self.reshaped)
        parts = [f"{self.taken} of {total} tensors taken"]
        for words, names in (
            ("not among them", self.missing),
            ("of another shape", self.reshaped),
            ("not of this model", self.unused),
        ):
            if names:
                more = f" and {len(names) - 4} more" if len(names) > 4 else ""
                parts.append(f"{words}: {', '.join(names[:4])}{more}")
        return "; ".join(parts)


@dataclass(frozen=True)
class InitialWeights:
    """Weights of a run.

    Attributes:
        path: of its checkpoint.
        run: id of the run.
        label: the run in a few words.
    """

    path: Path
    run: str
    label: str

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """By name, on the CPU.

        Raises:
            BenchError: no checkpoint.
            BadData: a damaged one.
        """
        if not self.path.is_file():
            raise BenchError(f"--init {self.run}: its weights are not in {self.path.parent}")
        found: Mapping[str, Any] = checkpoint.load(self.path, torch.device("cpu"))["model"]
        return {name: value for name, value in found.items() if isinstance(value, Tensor) and name not in _OWN}

    @cached_property
    def checksum(self) -> str:
        """Twelve hex digits of names, shapes and values: what a cell's identity holds."""
        digest = hashlib.sha256()
        for name, value in sorted(self.weights.items()):
            digest.update(f"{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
            digest.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:12]

    def give(self, model: nn.Module) -> Loaded:
        """Let a model have the weights that fit it; the others stay as they are.

        Raises:
            BenchError: none fits.
        """
        loaded, own = self.compare(model), model.state_dict()
        model.load_state_dict({name: v for name, v in self.weights.items() if _fits(own, name, v)}, strict=False)
        return loaded

    def compare(self, model: nn.Module) -> Loaded:
        """Which of the weights fit a model.

        Raises:
            BenchError: none does.
        """
        own = model.state_dict()
        fitting = [value for name, value in self.weights.items() if _fits(own, name, value)]
        loaded = Loaded(
            taken=len(fitting),
            missing=tuple(name for name in own if name not in self.weights and name not in _OWN),
            unused=tuple(name for name in self.weights if name not in own),
            reshaped=tuple(name for name, v in self.weights.items() if name in own and own[name].shape != v.shape),
        )
        if not any(value.ndim > 1 for value in fitting):  # a bias has the shape of many others
            raise BenchError(f"--init {self.run}: no weight of it fits this model ({loaded.sentence()})")
        return loaded


def _fits(own: Mapping[str, Tensor], name: str, value: Tensor) -> bool:
    return name in own and own[name].shape == value.shape
