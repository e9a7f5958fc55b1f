"""How a step is run: as it is, with the model compiled, or captured whole in one CUDA graph."""

from __future__ import annotations

import os
import shutil
from typing import get_args

import torch

from bench.core.errors import BenchError
from bench.core.spec import Engine
from bench.train.cuda_graph import BEFORE_CAPTURE, CudaGraph, Replayed
from bench.train.step import Step

FIRST_STEPS: dict[Engine, int] = {"eager": 1, "compiled": 1, "graphed": BEFORE_CAPTURE + 1}
"""Steps until an engine has compiled or captured what it runs."""
_COMPILERS = ("g++", "clang++", "c++")


def engine_named(name: str, device: torch.device) -> Engine:
    """The engine of that name.

    Raises:
        BenchError: there is none, or it needs what is not on this machine.
    """
    for engine in get_args(Engine):
        if engine == name:
            found: Engine = engine
            _check(found, device)
            return found
    raise BenchError(f"unknown engine {name!r}; choose one of: {', '.join(get_args(Engine))}")


def run_by(engine: Engine, step: Step) -> None:
    """Let the engine run a step; what must be compiled or captured is so when it is first called for.

    Raises:
        BenchError: what the engine needs is not on this machine.
    """
    _check(engine, step.device)
    if engine == "compiled":
        step.run = torch.compile(step.model)
    elif engine == "graphed":
        step.update = Replayed(step, CudaGraph())


def _check(engine: Engine, device: torch.device) -> None:
    if engine == "graphed" and device.type != "cuda":
        raise BenchError("--engine graphed captures a step in a CUDA graph and needs a GPU: take --engine eager")
    if engine == "compiled":
        _check_compiler(device)


def _check_compiler(device: torch.device) -> None:
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise BenchError("--engine compiled needs Triton on a GPU: pip install triton, or take --engine eager")
    elif shutil.which(os.environ.get("CXX", "")) is None and not any(map(shutil.which, _COMPILERS)):
        raise BenchError("--engine compiled needs a C++ compiler on a CPU: install g++, or take --engine eager")
