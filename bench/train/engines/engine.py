"""How a step is run: as it is, captured as a whole in a CUDA graph, or with the model compiled (and captured)."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from bench.core.errors import BenchError
from bench.core.protocol import Protocol
from bench.core.spec import Engine
from bench.timing.ledger import UNCAPTURED
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
_COMPILERS = {
    "cpu": ("CXX", ("clang++" if sys.platform == "darwin" else "g++",)),
    "cuda": ("CC", ("gcc", "clang")),
}
"""By device: the variable that names the compiler, and those looked for where it is not set: no others than Inductor
looks for, which builds C++ on a CPU, and Triton, which builds C."""
_COMPILED = 64
"""Shapes of batch for which the compiled code of a model is kept; after as many, torch's own being 8, it runs eagerly.
All variants of an architecture and all runs of a process count, as they share their code: a sweep, or the trials of
--memory-budget."""


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
        step.run = _compiled(step.model)
    if engine == "graphed" or (engine == "compiled" and step.device.type == "cuda"):
        step.update = Replayed(step)


def _compiled(model: nn.Module) -> Callable[..., Any]:
    """Compiled for each shape by itself: by torch's rule all but the first would share slower code for any size."""
    import torch._dynamo.config as limits

    limits.recompile_limit = max(limits.recompile_limit, _COMPILED)
    compiled: Callable[..., Any] = torch.compile(model, dynamic=False)
    return compiled


def refusal(step: Step) -> str | None:
    """Why a step that was to be captured is not; None where it is."""
    return step.update.refused if isinstance(step.update, Replayed) else None


def ever_replayed(step: Step) -> bool:
    """Whether an update of the step was a graph's."""
    return isinstance(step.update, Replayed) and step.update.ever


def begin_epoch(step: Step) -> None:
    """Let a step that is captured be captured anew where its modules are not what they were an epoch ago."""
    if isinstance(step.update, Replayed):
        step.update.begin_epoch()


def uncaptured(engine: Engine) -> str:
    """How an engine runs steps that cannot be captured."""
    return UNCAPTURED if engine == "compiled" else "eager"


def captured(step: Step) -> bool:
    """Whether a step's update lies in a graph."""
    return isinstance(step.update, Replayed) and step.update.captured


def blocks_need_room(step: Step, tell: Callable[[str], None]) -> Callable[[], str | None]:
    """For `Ledger.obstacle`: why a captured step's blocks cannot be timed now, which an eager step is run for.

    Such a step can use nothing of the graph's memory, so that a batch which just fits would run out of memory.

    Args:
        step: what is trained.
        tell: is told of the first time that there is too little.
    """
    told: list[str] = []

    def lack() -> str | None:
        """Why there is too little room; None where there is enough."""
        room = step.update.room() if isinstance(step.update, Replayed) else None
        why = None if room is None else room.lack()
        if why is not None and not told:
            told.append(why)
            tell(why)
        return why

    return lack


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
    language, named = "C" if variable == "CC" else "C++", os.environ.get(variable)
    # Inductor takes a program with words after it, as "ccache g++"; Triton does not.
    program = named if named is None or variable == "CC" else " ".join(named.split()[:1])
    if program is not None and shutil.which(program) is None:
        raise BenchError(
            f"--engine compiled needs a {language} compiler {where}, and {variable}={named!r} names no program: set it "
            f"to the compiler's path, unset it to take {' or '.join(names)}, or take --engine eager"
        )
    if program is None and not any(map(shutil.which, names)):
        raise BenchError(
            f"--engine compiled needs a {language} compiler {where}: install {names[0]}, name another in {variable}, "
            "or take --engine eager"
        )
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        raise BenchError(
            f"--engine compiled needs {header}, with which torch builds what starts its kernels: install Python's "
            "development files (python3-dev), or take --engine eager"
        )
