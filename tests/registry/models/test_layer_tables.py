"""The published layer tables, row by row, counts by part, and costs: written from the descriptions, not the code."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from registry.contract import Model
from registry.models import models

Row = tuple[str, tuple[int, int, int], int]


def rows(key: str, size: int) -> list[Row]:
    """Convolutions and batch norms in the order they run: kind, output shape, parameters. No arithmetic is done."""
    with torch.device("meta"):
        model = models.build(key)
        image = torch.zeros(1, 3, size, size)
    found: list[Row] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.register_forward_hook(
                lambda module, _, out: found.append(
                    (type(module).__name__, tuple(out.shape[1:]), sum(p.numel() for p in module.parameters()))
                )
            )
    model(image, image)
    return found


def conv(i: int, o: int, size: int, kernel: int = 3, bias: bool = True) -> Row:
    return "Conv2d", (o, size, size), kernel**2 * i * o + o * bias


def norm(channels: int, size: int) -> Row:
    return "BatchNorm2d", (channels, size, size), 2 * channels


def cbr(i: int, o: int, size: int) -> list[Row]:
    return [conv(i, o, size), norm(o, size)]


def test_masknet_rows() -> None:
    expected = [*cbr(3, 32, 224), *cbr(3, 32, 224), *cbr(64, 64, 224), *cbr(64, 64, 224), conv(64, 1, 224, kernel=1)]
    assert rows("masknet", 224) == expected


@pytest.mark.parametrize("key", ["depthmasknet", "depthmasknet[as_published=true]"])
def test_depthmasknet_rows(key: str) -> None:
    def enc(i: int, o: int, size: int) -> list[Row]:
        return [*cbr(i, o, size), *cbr(o, o, size), conv(i, o, size, 1, bias=False), norm(o, size)]

    def dec(i: int, o: int, size: int) -> list[Row]:
        return [conv(i, o, size // 2, 1), *cbr(o, o, size), *cbr(o, o, size)]

    stem = [*cbr(3, 16, 224), *cbr(16, 16, 224)]
    expected = [
        *stem, *stem, *enc(16, 16, 112), *enc(16, 16, 112), *enc(32, 64, 56), *enc(64, 128, 28), *enc(128, 256, 14),
        *dec(256, 128, 28), *dec(128, 64, 56), *dec(64, 32, 112), *dec(32, 16, 224), conv(16, 1, 224, 1),
        *enc(256, 512, 7), *dec(512, 256, 14), *dec(256, 128, 28), *dec(128, 64, 56), *dec(64, 32, 112),
        *dec(32, 16, 224), conv(16, 1, 224, 1),
    ]  # fmt: skip
    assert len(expected) == 91
    assert rows(key, 224) == expected


def branch(downs: list[tuple[int, int]], ups: list[tuple[int, int, int]], size: int) -> list[Row]:
    """A branch of systems 000 and 003: (in, out) per level down, (in, middle, out) per level up."""
    found: list[Row] = []
    for i, o in downs:
        size //= 2
        found += [*cbr(i, o, size), *cbr(o, o, size)]
    for i, middle, o in ups:
        size *= 2
        found += [*cbr(i, middle, size), *cbr(middle, o, size)]
    return [*found, conv(ups[-1][2], 1, size, 1)]


MASK_000 = branch(
    [(32, 64), (64, 128), (128, 256), (256, 256)],
    [(512, 256, 128), (256, 128, 64), (128, 64, 32), (64, 32, 32)],
    64,
)
DEPTH_000 = branch(
    [(32, 32), (32, 64), (64, 128), (128, 256), (256, 256)],
    [(512, 256, 128), (256, 128, 64), (128, 64, 32), (64, 32, 32), (64, 32, 32)],
    64,
)
STEM_000 = [*cbr(6, 32, 64), *cbr(32, 32, 64)]


@pytest.mark.parametrize(
    ("key", "branches"), [("unet_mask", [MASK_000]), ("unet_depth", [DEPTH_000]), ("wnet", [MASK_000, DEPTH_000])]
)
def test_pytnet_rows(key: str, branches: list[list[Row]]) -> None:
    assert rows(key, 64) == [*STEM_000, *(row for rows_of_branch in branches for row in rows_of_branch)]


def test_twin_unet_rows() -> None:
    single = branch(
        [(16, 32), (32, 64), (64, 128), (128, 128)],
        [(256, 128, 64), (128, 64, 32), (64, 32, 16), (32, 16, 16)],
        192,
    )
    expected = [*cbr(6, 16, 192), *cbr(16, 16, 192), *single, *single]
    assert len(expected) == 70
    assert rows("twin_unet", 192) == expected


def test_dilated_shuffle_rows() -> None:
    def level(i: int, o: int, size: int) -> list[Row]:
        plain = [conv(i, o, size, bias=False), norm(o, size)]
        return [*plain, *plain, conv(2 * o, o, size, 1, bias=False)]

    shuffles = [conv(c, 2 * c, size, 1, bias=False) for c, size in ((512, 12), (256, 24), (128, 48), (64, 96))]
    decoder = [*shuffles, conv(32, 1, 192, bias=False)]
    stem = [conv(3, 32, 192, bias=False), norm(32, 192)]
    expected = [
        *stem, *stem, conv(64, 32, 192, 1, bias=False),
        *level(32, 64, 192), *level(64, 128, 96), *level(128, 256, 48), *level(256, 512, 24), *decoder, *decoder,
    ]  # fmt: skip
    assert rows("dilated_shuffle", 192) == expected


def test_dilated_branch_norms_after_its_relu() -> None:
    with torch.device("meta"):
        model = models.build("dilated_shuffle")
    for level in model.down:
        conv, relu, norm = level[0].dilated
        assert (conv.dilation, conv.padding) == ((2, 2), (2, 2))
        assert isinstance(relu, nn.ReLU) and isinstance(norm, nn.BatchNorm2d)


def part(model: Model, *names: str) -> int:
    blocks = model.blocks()
    return sum(p.numel() for name in names for module in blocks[name] for p in module.parameters())


def test_counts_by_part() -> None:
    with torch.device("meta"):
        wnet, twin, shuffle = (models.build(key) for key in ("wnet", "twin_unet", "dilated_shuffle"))
    assert part(wnet, "stem") == 11_136
    assert part(wnet, "mask_encoder", "mask_decoder", "mask_head") == 4_310_337
    assert part(wnet, "depth_encoder", "depth_decoder", "depth_head") == 4_356_801
    assert part(twin, "stem") == 3_264
    assert part(twin, "mask_encoder", "mask_decoder", "mask_head") == 1_079_201
    assert part(shuffle, "stems") == 1_856
    assert part(shuffle, "fuse") == 2_048
    assert [part(shuffle, f"down{i}") for i in range(1, 5)] == [45_312, 180_736, 721_920, 2_885_632]
    assert part(shuffle, "mask_decoder") == 2 * (512**2 + 256**2 + 128**2 + 64**2)
    assert part(shuffle, "mask_head", "depth_head") == 2 * 288


@pytest.mark.parametrize(
    ("key", "gmacs"),
    [
        ("unet_mask", {64: "0.63", 192: "5.67"}),
        ("unet_depth", {64: "0.32", 192: "2.91"}),
        ("wnet", {64: "0.91", 192: "8.18", 224: "11.13"}),
        # Published, every trunk ran twice: what the twin form does.
        ("ugent_unet[depth_channels=3,twin=true]", {64: "1.30", 192: "11.7"}),
        ("ugent_unet_wide[depth_channels=3,twin=true]", {64: "5.18", 192: "46.7"}),
        ("carvana_unet[depth_channels=3,twin=true]", {64: "0.97", 192: "8.8", 224: "11.9"}),
        ("custom_unet[depth_channels=3,twin=true]", {64: "0.87", 192: "7.9"}),
        ("dilated_shuffle", {64: "0.82", 192: "7.41", 224: "10.08"}),
        ("twin_unet", {64: "0.31", 192: "2.75"}),
        ("masknet", {64: "0.31", 192: "2.78"}),
        ("depthmasknet", {64: "0.27", 192: "2.39", 224: "3.26"}),
    ],
)
def test_published_cost(key: str, gmacs: dict[int, str]) -> None:
    for size, expected in gmacs.items():
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            models.build(key).eval()(torch.zeros(1, 3, size, size), torch.zeros(1, 3, size, size))
        digits = len(expected.partition(".")[2])
        assert f"{counter.get_total_flops() / 2e9:.{digits}f}" == expected
