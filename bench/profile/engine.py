"""How a model is run: as it is, or compiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch import nn

from bench.errors import BenchError

Engine = Literal["eager", "compiled"]
_COMPILERS = ("g++", "clang++", "c++")


def engine_named(name: str) -> Engine:
    """The engine of that name.

    Raises:
        BenchError: there is none.
    """
    for engine in get_args(Engine):
        if engine == name:
            found: Engine = engine
            return found
    raise BenchError(f"unknown engine {name!r}; choose one of: {', '.join(get_args(Engine))}")


def run_by(engine: Engine, model: nn.Module, device: torch.device) -> Callable[..., Any]:
    """What to call in place of the model; a compiled one compiles when it is first called.

    Raises:
        BenchError: what compiling needs is not on this machine.
    """
    if engine == "eager":
        return model
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise BenchError("--engine compiled needs Triton on a GPU: pip install triton, or take --engine eager")
    elif shutil.which(os.environ.get("CXX", "")) is None and not any(map(shutil.which, _COMPILERS)):
        raise BenchError("--engine compiled needs a C++ compiler on a CPU: install g++, or take --engine eager")
    compiled: Callable[..., Any] = torch.compile(model)
    return compiled
