"""What an engine other than eager costs at first, and how far the losses of its first steps are off eager losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from bench.core.spec import Precision
from bench.profile.training import StepRunner
from bench.train.engines.engine import FIRST_STEPS

_ROUNDING: dict[Precision, float] = {"float32": 2**-23, "tf32": 2**-11, "bfloat16": 2**-8}


def compile_seconds(runner: StepRunner, ready: float, step: float) -> float | None:
    """What `StepRunner.first_steps` took beyond as many settled steps of ``step`` seconds; None for an eager engine."""
    return None if runner.engine == "eager" else max(0.0, ready - FIRST_STEPS[runner.engine] * step)


def departure_from_eager(runner: StepRunner) -> tuple[float, float]:
    """How far the losses of the first steps are from an eager runner's, and those of two eager runners from each other.

    A GPU's own noise of 1e-7 in a gradient moves a loss by 1e-4 within some steps, so that no fixed tolerance tells an
    error from rounding: a third runner, whose weights begin a rounding apart, gives the scale. The runner begins anew
    before and afterwards.

    Returns:
        The greatest relative differences, both.
    """
    steps = max(FIRST_STEPS.values()) + 4
    runner.restart()
    engine_losses = runner.losses(steps)
    runner.restart()
    batches = runner.loader.count // runner.batch  # as many, so that they come in the same order
    eager = StepRunner(runner.run, runner.loader.source, runner.device, batches=batches)
    losses = eager.losses(steps)
    eager.restart()
    round_weights(eager.model, runner.spec.precision)
    return greatest_departure(engine_losses, losses), greatest_departure(eager.losses(steps), losses)


def greatest_departure(losses: Sequence[float], reference: Sequence[float]) -> float:
    """The greatest relative difference of a loss from that of the same step of another runner."""
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(losses, reference, strict=True))


@torch.no_grad()
def round_weights(model: nn.Module, precision: Precision) -> None:
    """Move every weight by about a rounding error of the precision, as another order of the same sums would."""
    draw = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        noise = torch.randn(weight.shape, generator=draw).to(weight.device)
        weight.mul_(1 + _ROUNDING[precision] * noise)
