"""Whether an eager step has room beside a graph: by torch's own snapshot of its memory."""

import pytest
import torch

from bench.train.engines.room import Room, room_beside

MIB = 2**20


def segment(pool: tuple[int, int], total: int, active: int, device: int = 0) -> dict[str, object]:
    return {
        "device": device,
        "segment_pool_id": pool,
        "total_size": total * MIB,
        "active_size": active * MIB,
    }


@pytest.mark.parametrize(("driver", "kept", "enough"), [(700, 0, False), (800, 0, True), (10, 795, True)])
def test_a_graphs_memory_is_no_eager_steps(
    monkeypatch: pytest.MonkeyPatch, driver: int, kept: int, enough: bool
) -> None:
    """What an eager step before it left in the allocator's own pool is free for the next."""
    segments = [
        segment((0, 3), total=780, active=0),
        segment((0, 3), total=20, active=1),
        segment((0, 4), total=900, active=0),  # another graph's
        segment((0, 0), total=100 + kept, active=100),
        segment((0, 0), total=5000, active=0, device=1),
    ]
    monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda: segments)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (driver * MIB, 81920 * MIB))
    room = room_beside((0, 3), 0)
    assert room == Room(800 * MIB, (driver + kept) * MIB)
    assert (room.lack() is None) == enough
    if not enough:
        assert room.lack() == "a step outside the CUDA graph takes 800 MiB beside it, and 700 MiB are free"
