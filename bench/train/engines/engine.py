"""How a step is run: as it is, captured as a whole in a CUDA graph, or with the model compiled (and captured)."""

from __future__ import annotations

import os
import shutil
import sysconfig
from functools import cache
from pathlib import Path
from typing import get_args

import torch

from bench.core.errors import BenchError
from bench.core.protocol import Protocol
from bench.core.spec import Engine
from bench.timing.work import gmacs
from bench.train.engines.cuda_graph import BEFORE_CAPTURE, Replayed
from bench.train.step import Step
from registry.models import models

FIRST_STEPS: dict[Engine, int] = {"eager": 1, "compiled": BEFORE_CAPTURE + 1, "graphed": BEFORE_CAPTURE + 1}
"""Steps until an engine has compiled or captured what it runs."""
LAUNCH_BOUND_GMACS = 1000.0
"""Thousand million multiply-adds of a forward pass of a whole batch, up to which `engine_by_rule` captures: a step of
so many (three times that, forward and backward) keeps today's largest devices busy for about 30 ms, three times as long
as any registered model's step takes to launch, so that a graph has nothing left to save."""
_COMPILERS = {"cpu": ("CXX", ("g++", "clang++", "c++")), "cuda": ("CC", ("gcc", "clang", "cc"))}
"""By device: the variable that names the compiler, and those looked for: Triton builds C, Inductor on a CPU C++."""


def engine_named(name: str, device: torch.device) -> Engine:
    """The engine of that name.

    Raises:
        BenchError: an unknown engine, or it needs what this machine lacks.
    """
    for engine in get_args(Engine):
        if engine == name:
            found: Engine = engine
            _check(found, device)
            return found
    raise BenchError(f"unknown engine {name!r}; choose one of: {', '.join(get_args(Engine))}")


def engine_by_rule(name: str, device: torch.device, gmacs: float | None, batch: int) -> Engine:
    """The engine of that name; of ``auto`` what follows from facts, never from a race.

    Args:
        name: as on the command line.
        device: where the steps run.
        gmacs: of a forward pass of a single image pair; None for a model that looks at values, which no graph can hold.
        batch: images a step.

    Raises:
        BenchError: as `engine_named`.
    """
    if name != "auto":
        return engine_named(name, device)
    captures = device.type == "cuda" and gmacs is not None and gmacs * batch <= LAUNCH_BOUND_GMACS
    return "graphed" if captures else "eager"


@cache
def engine_for(name: str, device: torch.device, model: str, protocol: Protocol) -> Engine:
    """`engine_by_rule` for a registered model's stage with the least to do, as one such stage is enough.

    Raises:
        BenchError: as `engine_named`.
    """
    if name != "auto" or device.type != "cuda":
        return engine_by_rule(name, device, None, 1)
    net = models.build(model)
    loads = [(gmacs(net, stage.size), stage.batch) for stage in protocol.stages]
    least = min(loads, key=lambda load: (load[0] or 0.0) * load[1])
    return engine_by_rule(name, device, *least)


def run_by(engine: Engine, step: Step) -> None:
    """Let the engine run a step; what must be compiled or captured is so when it is first called for.

    Raises:
        BenchError: what the engine needs is not on this machine.
    """
    _check(engine, step.device)
    if engine == "compiled":
        step.run = torch.compile(step.model)
    if engine == "graphed" or (engine == "compiled" and step.device.type == "cuda"):
        step.update = Replayed(step)


def refusal(step: Step) -> str | None:
    """Why a step that was to be captured runs eagerly; None where it does not."""
    return step.update.refused if isinstance(step.update, Replayed) else None


def _check(engine: Engine, device: torch.device) -> None:
    if engine == "graphed" and device.type != "cuda":
        raise BenchError("--engine graphed captures a step in a CUDA graph and needs a GPU: take --engine eager")
    if engine == "compiled":
        _check_compiler(device)


def _check_compiler(device: torch.device) -> None:
    where = "on a GPU" if device.type == "cuda" else "on a CPU"
    variable, names = _COMPILERS[device.type]
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise BenchError("--engine compiled needs Triton on a GPU: pip install triton, or take --engine eager")
    if shutil.which(os.environ.get(variable, "")) is None and not any(map(shutil.which, names)):
        raise BenchError(
            f"--engine compiled needs a {'C' if variable == 'CC' else 'C++'} compiler {where}: install {names[0]}, "
            "or take --engine eager"
        )
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        raise BenchError(
            f"--engine compiled needs {header}, with which torch builds what starts its kernels: install Python's "
            "development files (python3-dev), or take --engine eager"
        )
