"""What rounds of windows say of a step: its milliseconds, its blocks', and what timing the blocks costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from bench.profile.windows.interval import TIMES, Interval, grouped_interval, ratio_interval
from bench.profile.windows.restarts import Round
from bench.timing.ledger import STEP
from bench.timing.summary import block_rows
from bench.timing.window import Window


def medians(restarts: Sequence[Sequence[Round]]) -> dict[str, Interval]:
    """Milliseconds of the whole step, uninstrumented, and of every block, by the rounds of each restart."""
    step = [[1e3 * w.seconds / w.steps for round in rounds for w in round.plain] for rounds in restarts]
    blocks = [block_rows([w for round in rounds for w in round.marked]) for rounds in restarts]
    return {STEP: grouped_interval(step, TIMES)} | {
        name: grouped_interval([rows[name] for rows in blocks], TIMES) for name in blocks[0]
    }


def perturbation(rounds: Sequence[Round], device: torch.device) -> Interval:
    """Instrumented over plain, a pair a round.

    On a CPU it is the processor time of all threads that is compared: a neighbour's load comes and goes, and adds none
    to it. While a thread takes a mark the others spin, as they do between any two operations.
    """
    return wall_perturbation(rounds) if device.type == "cuda" else _ratio(rounds, lambda w: w.processor_seconds)


def wall_perturbation(rounds: Sequence[Round]) -> Interval:
    """The same by the wall clock, on any device."""
    return _ratio(rounds, lambda w: w.seconds)


def _ratio(rounds: Sequence[Round], seconds: Callable[[Window], float]) -> Interval:
    def cost(windows: Sequence[Window]) -> float:
        return sum(seconds(w) / w.steps for w in windows)

    return ratio_interval([cost(round.marked) for round in rounds], [cost(round.plain) for round in rounds])
