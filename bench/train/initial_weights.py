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
from bench.core.protocol import Normalization
from bench.train.checkpoints import checkpoint
from bench.train.normalization import MEAN, STD, normalization_of

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
        return "; ".join([f"{self.taken} of {total} tensors taken", *self.differences()])

    def differences(self) -> list[str]:
        """What does not fit, in parts of a sentence."""
        parts = []
        for words, names in (
            ("not among them", self.missing),
            ("of another shape", self.reshaped),
            ("not of this model", self.unused),
        ):
            if names:
                more = f" and {len(names) - 4} more" if len(names) > 4 else ""
                parts.append(f"{words}: {', '.join(names[:4])}{more}")
        return parts


@dataclass(frozen=True)
class InitialWeights:
    """Weights of a run.

    Attributes:
        path: of its checkpoint.
        run: id of the run.
        label: the run in a few words.
        code_change: that its model's code is another than it was trained by; empty if it is not.
    """

    path: Path
    run: str
    label: str
    code_change: str = ""

    @cached_property
    def _whole(self) -> Mapping[str, Tensor]:
        """All tensors of the checkpoint by name, on the CPU."""
        if not self.path.is_file():
            raise BenchError(f"--init {self.run}: its weights are not in {self.path.parent}")
        found = checkpoint.load_weights(self.path, torch.device("cpu"))
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """By name, on the CPU.

        Raises:
            BenchError: no checkpoint.
            BadData: a damaged one.
        """
        return {name: value for name, value in self._whole.items() if name not in _OWN}

    def doubt(self, model: nn.Module, normalization: Normalization) -> str:
        """Why the weights do not suit what a model sees: images normalised in another way; empty where they do.

        Args:
            model: that starts from them.
            normalization: as its protocol has it.
        """
        theirs, ours = normalization_of(self._whole), normalization if hasattr(model, MEAN) else "none"
        if theirs == ours:
            return ""
        return (
            f"{self.run} was trained with --normalize {theirs}, and this run has --normalize {ours}: its weights meet "
            f"images in another scale than they learnt from; --normalize {theirs} goes on as it was trained"
        )

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
            small = f" (biases and counts, {len(fitting)}, are worth nothing alone)" if fitting else ""
            why = "; ".join(loaded.differences())
            raise BenchError(f"--init {self.run}: no weight of it fits a layer of this model{small}; {why}")
        return loaded


def _fits(own: Mapping[str, Tensor], name: str, value: Tensor) -> bool:
    return name in own and own[name].shape == value.shape
