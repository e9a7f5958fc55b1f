"""Calling a model on the side: whatever a call leaves behind is put back, so that measuring changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from bench.train.isolation.random_state import kept_random_state

_TABLES = ("_parameters", "_buffers", "_modules")
_CONTAINERS = (list, dict, set)


@contextmanager
def untouched(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Within, the model may be called in any mode; afterwards it is as before, and so are the random states.

    Put back are the values of buffers (statistics of batch norm, vectors of spectral norm), attributes of every module
    (a counter, features it keeps, tensors computed by `nn.utils.weight_norm`), and the mode. Gradients are the
    caller's, and inputs too: a model may alter them in place, so give it copies.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    modules = [(module, _attributes(module)) for module in model.modules()]
    try:
        with kept_random_state(device):
            yield
    finally:
        for module, attributes in modules:
            vars(module).clear()
            vars(module).update(attributes)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


def _attributes(module: nn.Module) -> dict[str, Any]:
    """A module's attributes; the containers among them copied, as they are altered in place."""
    return {
        name: copy.copy(value) if name in _TABLES or isinstance(value, _CONTAINERS) else value
        for name, value in vars(module).items()
    }
