"""`Block`: what a named part of a training step takes, does and holds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bench.core.record.timings import BlockTime
from bench.profile.machine.ceiling import Ceiling
from bench.profile.windows.interval import Interval
from bench.timing.census import Count

_MIB = 2**20


class Block(BaseModel):
    """One block of the step.

    Attributes:
        name: of it.
        time: milliseconds a step, and the share of the step.
        median_ms: the median with its 95 % interval.
        gmacs: thousand million multiply-adds a step.
        moved_mib: what its operations read and write, each by itself, MiB a step.
        kept_mib: what it allocated and left for others, MiB; negative where it freed more.
        peak_mib: held at its worst moment, weights and all, MiB.
        operations: how many operations it consists of.
        gflops, gigabytes: GFLOP/s and GB/s achieved; None where it does nothing of that kind.
        of_ceiling: the time that this machine's ceiling would allow over the time taken; whichever ceiling binds,
            arithmetic or memory. Over 1 for what stays in the caches, which a copy through memory knows nothing of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    time: BlockTime
    median_ms: Interval
    gmacs: float
    moved_mib: float
    kept_mib: float
    peak_mib: float
    operations: int
    gflops: float | None
    gigabytes: float | None
    of_ceiling: float | None


def block_of(name: str, time: BlockTime, median: Interval, count: Count, ceiling: Ceiling) -> Block:
    """A block from what was measured and counted of it.

    Args:
        name: of the block, as the ledger has it.
        time: median milliseconds a step, and the share of the step.
        median: the median with its interval.
        count: operations, multiply-adds and bytes of a step.
        ceiling: what the machine does at best.
    """
    seconds = max(time.median_ms, 1e-9) / 1e3
    allowed = max(2 * count.macs / 1e9 / ceiling.gflops, count.moved / 1e9 / ceiling.gigabytes)
    return Block(
        name=name,
        time=time,
        median_ms=median,
        gmacs=count.macs / 1e9,
        moved_mib=count.moved / _MIB,
        kept_mib=count.kept / _MIB,
        peak_mib=count.peak / _MIB,
        operations=count.operations,
        gflops=2 * count.macs / 1e9 / seconds if count.macs else None,
        gigabytes=count.moved / 1e9 / seconds if count.moved else None,
        of_ceiling=allowed / seconds if allowed else None,
    )
