"""The memory that an eager step would take beside a captured one, and what is free for it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_OWN_POOL = (0, 0)
"""The allocator's own, from which all is taken that no graph holds."""
_MIB = 2**20


@dataclass(frozen=True)
class Room:
    """Bytes that an eager step takes, and those that are free for it."""

    wanted: int
    free: int

    def lack(self) -> str | None:
        """In words why there is too little room; None where there is enough."""
        if self.wanted <= self.free:
            return None
        return (
            f"a step outside the CUDA graph takes {self.wanted / _MIB:.0f} MiB beside it, "
            f"and {self.free / _MIB:.0f} MiB are free"
        )


def room_beside(pool: tuple[int, int], device: int) -> Room:
    """What an eager step would find beside a graph: it can use nothing of the graph's pool, and takes as much again.

    Args:
        pool: of the graph.
        device: its index.
    """
    wanted, free = 0, torch.cuda.mem_get_info(device)[0]
    for segment in torch.cuda.memory_snapshot():  # type: ignore[no-untyped-call]
        if segment["device"] != device:
            continue
        if tuple(segment["segment_pool_id"]) == pool:
            wanted += segment["total_size"]
        elif tuple(segment["segment_pool_id"]) == _OWN_POOL:  # an eager step before has left its memory there
            free += segment["total_size"] - segment["active_size"]
    return Room(wanted, free)
