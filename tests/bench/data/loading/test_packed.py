"""The packed form: eight bits of what has eight, holes, and the bytes it says it takes."""

from __future__ import annotations

import pytest
import torch

from bench.data.loading.packed import Form, Packed, pack, unpack
from registry.contract import Quartet


def test_packing_keeps_eight_bits_and_holes(quartet: Quartet) -> None:
    back = unpack(pack(quartet.map(torch.clone)))
    back.check()
    assert (back.bg - quartet.bg).abs().max() <= 0.5 / 255 + 1e-6
    assert (back.depth - quartet.depth).abs().max() <= 2**-11
    assert torch.equal(back.valid, quartet.valid)
    assert torch.equal(back.mask, quartet.mask)  # 0 and 1 stay what they are
    assert back.bg.is_contiguous(memory_format=torch.channels_last)


def test_every_level_is_the_one_quotient() -> None:
    levels = torch.arange(256.0).div(255).view(1, 1, 16, 16).expand(-1, 3, -1, -1)
    assert torch.equal(unpack(pack(Quartet(levels, levels))).bg, levels)


def test_packing_twice_changes_nothing_more(quartet: Quartet) -> None:
    once = unpack(pack(quartet))
    for (name, x), (_, y) in zip(once.tensors(), unpack(pack(once)).tensors(), strict=True):
        assert torch.equal(x, y), name


def test_packing_leaves_its_argument_alone(quartet: Quartet) -> None:
    before = quartet.map(torch.clone)
    pack(quartet)
    for (name, x), (_, y) in zip(quartet.tensors(), before.tensors(), strict=True):
        assert torch.equal(x, y), name


@pytest.mark.parametrize(("absent", "bytes_a_pixel"), [((), 10), (("depth", "valid"), 7), (("mask",), 9)])
def test_a_row_has_what_the_quartet_has(quartet: Quartet, absent: tuple[str, ...], bytes_a_pixel: int) -> None:
    some = Quartet(**{name: tensor for name, tensor in quartet.tensors() if name not in absent})
    packed = pack(some)
    assert packed.rows.shape == (4, packed.form.bytes) == (4, bytes_a_pixel * 64 * 64)
    assert packed.form == Form.of(some)
    assert [name for name, _ in unpack(packed).tensors()] == [name for name, _ in some.tensors()]


def test_rows_are_samples(quartet: Quartet) -> None:
    packed = pack(quartet)
    swapped = unpack(Packed(packed.rows[[2, 0]], packed.form)), unpack(packed, torch.tensor([2, 0]))
    for name, tensor in unpack(packed).tensors():
        assert all(torch.equal(getattr(each, name), tensor[[2, 0]]) for each in swapped), name
