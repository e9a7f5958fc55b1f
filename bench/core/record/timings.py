"""`Timings`: how long the blocks of a step took, as data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

LOSS_BACKWARD = "loss backward"
"""From the start of the backward pass to the first gradient that reaches an output of the model."""

HOST_BOUND = "host-bound: blocks are launch times, as the device waits for the host"
"""Said of blocks on CUDA whose device was through as soon as the host had launched them."""


class BlockTime(BaseModel):
    """Milliseconds of a block per step: median, first and third quartile, 95th percentile; share of the step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    median_ms: float
    q1_ms: float
    q3_ms: float
    p95_ms: float
    share: float


class Timings(BaseModel):
    """What a ledger measured.

    Attributes:
        steps, seconds: in all windows; everything else is of those with the last tag (the last stage of training).
        images_per_second: median over plain windows, the first (warm-up) left out unless it is the only window.
        step_ms: the same as milliseconds a step.
        blocks: by name; shares of the instrumented step, whose rest is ``unattributed``.
        closure: share of the step that lies in named blocks.
        perturbation: instrumented over plain step time, from neighbouring windows; None without both kinds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    seconds: float
    images_per_second: float | None
    step_ms: float | None
    blocks: dict[str, BlockTime]
    closure: float | None
    perturbation: float | None
