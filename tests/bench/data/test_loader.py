"""The loader: every sample once, the same order for the same seed, 8-bit packing that loses nothing it should keep."""

import pytest
import torch

from bench.data.loader import Loader, pack, unpack
from registry.contract import Quartet
from tests.bench.rectangles import Rectangles


def loader(budget: int = 2**30, count: int = 21) -> Loader:
    return Loader(Rectangles(), "train", count, 16, 4, budget)


@pytest.mark.parametrize(("budget", "tier"), [(2**30, "resident"), (0, "live")])
def test_tiers(budget: int, tier: str) -> None:
    one = loader(budget)
    assert one.tier == tier
    assert len(one) == 5
    ids = torch.cat([batch.ids for batch in one.epoch(0, 1)])
    assert len(ids) == len(ids.unique()) == 20  # the incomplete batch is left out of training
    assert torch.cat([batch.ids for batch in one.in_order()]).tolist() == list(range(21))


def test_both_tiers_hand_out_the_same() -> None:
    for a, b in zip(loader().epoch(3, 2), loader(0).epoch(3, 2), strict=True):
        assert torch.equal(a.ids, b.ids)
        for (name, x), (_, y) in zip(a.quartet.tensors(), b.quartet.tensors(), strict=True):
            assert torch.equal(x, y), name


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int, batch: int = 4) -> list[int]:
        one = Loader(Rectangles(), "train", 20, 16, batch, 2**30)
        return torch.cat([b.ids for b in one.epoch(seed, epoch)]).tolist()

    assert order(0, 1) == order(0, 1) == order(0, 1, batch=5)
    assert len({tuple(order(0, 1)), tuple(order(0, 2)), tuple(order(1, 1))}) == 3


def test_packing_keeps_eight_bits_and_holes(quartet: Quartet) -> None:
    back = unpack(pack(quartet.map(torch.clone)))
    back.check()
    assert (back.bg - quartet.bg).abs().max() <= 0.5 / 255 + 1e-6
    assert (back.depth - quartet.depth).abs().max() <= 2**-11
    assert torch.equal(back.valid, quartet.valid)
    assert torch.equal(back.mask, quartet.mask)  # 0 and 1 stay what they are
    assert back.bg.is_contiguous(memory_format=torch.channels_last)


def test_packing_leaves_its_argument_alone(quartet: Quartet) -> None:
    before = quartet.map(torch.clone)
    pack(quartet)
    for (name, x), (_, y) in zip(quartet.tensors(), before.tensors(), strict=True):
        assert torch.equal(x, y), name


def test_progress_is_told_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    Loader(Rectangles(), "val", 100, 16, 4, 2**30, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (100, 100)
    assert len(seen) == 2
