"""Images of any size: what is a multiple of the stride is not touched, padding is reflection, tiles leave no seams."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.run.predict.any_size import predict_any_size


def pointwise(stride: int, largest: int | None = None):
    def network(bg: torch.Tensor | None, bg_fg: torch.Tensor) -> dict[str, torch.Tensor]:
        assert bg is None or bg.shape == bg_fg.shape
        assert bg_fg.shape[-1] % stride == bg_fg.shape[-2] % stride == 0
        assert largest is None or max(bg_fg.shape) <= largest
        return {"mask": bg_fg.mean(0), "depth": bg_fg[0] if bg is None else bg[0]}

    return network


sides = st.integers(1, 90)


@settings(deadline=None, max_examples=60)
@given(sides, sides, st.sampled_from([1, 2, 8, 32]), st.one_of(st.none(), st.integers(8, 70)), st.booleans())
def test_what_looks_at_single_pixels_gives_the_same_in_any_padding_and_tiling(
    height, width, stride, tile, alone
) -> None:
    bg_fg, bg = torch.rand(2, 3, height, width).unbind(0)
    largest = None if tile is None else -(-tile // stride) * stride
    values = predict_any_size(pointwise(stride, largest), None if alone else bg, bg_fg, stride, tile)
    torch.testing.assert_close(values["mask"], bg_fg.mean(0))
    torch.testing.assert_close(values["depth"], bg_fg[0] if alone else bg[0])


@pytest.mark.parametrize(("length", "stride"), [(13, 16), (5, 32), (3, 32), (17, 16)])
def test_padding_is_reflection(length: int, stride: int) -> None:
    shown: list[torch.Tensor] = []

    def network(bg: torch.Tensor | None, bg_fg: torch.Tensor) -> dict[str, torch.Tensor]:
        shown.append(bg_fg)
        return {"mask": bg_fg[0]}

    image = torch.rand(3, stride, length)
    predict_any_size(network, None, image, stride)
    left = (shown[0].shape[-1] - length) // 2
    padded = torch.nn.functional.pad(image, (min(left, length - 1), 0), mode="reflect")
    torch.testing.assert_close(shown[0][..., left - min(left, length - 1) : left + length], padded)


def test_a_multiple_of_the_stride_reaches_the_network_as_it_is() -> None:
    image = torch.rand(3, 32, 64)
    predict_any_size(lambda bg, bg_fg: {"mask": bg_fg[0]} if bg_fg is image else {}, None, image, 32)["mask"]


def test_tiny_tiles_are_refused() -> None:
    with pytest.raises(BenchError, match="8 at least"):
        predict_any_size(pointwise(1), None, torch.rand(3, 20, 20), tile=4)
