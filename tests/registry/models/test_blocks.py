"""Building blocks: upsampling, as it is run and as a compiler gets it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from registry.models._blocks import double, upsample


def doubled(x: Tensor, align_corners: bool) -> Tensor:
    return double(double(x.permute(0, 2, 3, 1), 1, align_corners), 2, align_corners).permute(0, 3, 1, 2)


@given(height=st.integers(1, 9), width=st.integers(1, 9), align_corners=st.booleans(), seed=st.integers(0, 99))
def test_doubling_is_bilinear_interpolation_and_so_is_its_gradient(
    height: int, width: int, align_corners: bool, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, height, width, dtype=torch.float64, generator=random, requires_grad=True)
    expected = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=align_corners)
    found = doubled(x, align_corners)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(expected.shape, dtype=torch.float64, generator=random)
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), x), torch.autograd.grad((expected * weights).sum(), x)
    )


@pytest.mark.parametrize(("size", "doubles"), [(None, True), ((8, 6), True), ((7, 6), False)])
def test_a_compiler_gets_sums_for_doubling_and_the_gather_for_other_sizes(
    size: tuple[int, int] | None, doubles: bool
) -> None:
    graphs: list[str] = []

    def note(graph: torch.fx.GraphModule, _: list[Tensor]) -> torch.fx.GraphModule:
        graphs.append(graph.code)
        return graph

    torch._dynamo.reset()
    x = torch.randn(1, 2, 4, 3).to(memory_format=torch.channels_last)
    compiled = torch.compile(upsample, backend=note)(x, torch.float32, size=size)
    torch.testing.assert_close(compiled, upsample(x, torch.float32, size=size))
    assert len(graphs) == 1
    assert ("interpolate" not in graphs[0]) == doubles
    if doubles:  # the layout of its input, or a convolution after it copies
        assert compiled.is_contiguous(memory_format=torch.channels_last)
