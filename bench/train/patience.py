"""Early stopping: when training ends before its budget is spent, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.amount import amount
from bench.core.protocol import Protocol
from bench.core.record import Epoch
from bench.train.checkpoints.training_state import selection


def out_of_patience(protocol: Protocol, history: Sequence[Epoch]) -> bool:
    """Whether the last epochs of a stage, as many as the protocol's patience, brought no better validation loss."""
    if not protocol.patience or not history:
        return False
    losses = [selection(epoch.val_loss) for epoch in history]
    best = min(range(len(losses)), key=losses.__getitem__)
    of_stage = sum(epoch.size == history[-1].size for epoch in history)
    return min(len(losses) - 1 - best, of_stage) >= protocol.patience


def stopped_early(protocol: Protocol, epoch: int) -> str:
    """That training ended after an epoch, and the stages that it did not come to."""
    spent = amount(protocol.patience, "epoch")
    words = f"stopped early after epoch {epoch} of {protocol.epochs}: {spent} without a better validation loss"
    begins = [sum(stage.epochs for stage in protocol.stages[:number]) for number in range(len(protocol.stages))]
    later = [f"{stage.size} px" for stage, before in zip(protocol.stages, begins, strict=True) if before >= epoch]
    if not later:
        return words
    return f"{words}; it was never trained at {' and '.join(later)}, and is tested at {protocol.size} px"
