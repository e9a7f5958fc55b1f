"""What terms do not see: mirrors, memory, precision; and what they must see: being nearer is better."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from registry.contract import Head, Target
from registry.losses import terms

KEYS = [*terms.names(), "dice[overlap=min]", "iou[overlap=min]", "dssim[padding=reflect]", "dssim[padding=zeros]"]
EVERY_TERM = pytest.mark.parametrize("key", KEYS)
SIDE = 32
CONVEX = ["bce", "l1", "l2", "rmse", "berhu[share=1]"]
SEEDS = st.integers(0, 10_000)


def scene(seed: int, side: int = SIDE, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, soft targets, and what is known of them: all but a corner."""
    draw = torch.Generator().manual_seed(seed)
    logits, values = (2 * torch.randn(batch, 1, side, side, generator=draw, dtype=torch.float64) for _ in range(2))
    known = torch.ones_like(values)
    known[0, :, :9, :5] = 0
    return logits, values.sigmoid(), known


def value(key: str, logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    return terms.bind(key)(Head(logits), Target(target, known))


@EVERY_TERM
@pytest.mark.parametrize("turn", ["left for right", "upside down", "transposed"])
def test_mirrored_pictures_have_the_same_loss(key: str, turn: str) -> None:
    side = 33 if key == "gradient" else SIDE  # every 2**k-th pixel from either end
    turned = {
        "left for right": lambda maps: maps.flip(-1),
        "upside down": lambda maps: maps.flip(-2),
        "transposed": lambda maps: maps.transpose(-1, -2),
    }[turn]
    parts = scene(0, side)
    torch.testing.assert_close(value(key, *map(turned, parts)), value(key, *parts))


@EVERY_TERM
@pytest.mark.parametrize("memory", ["channels last", "every second column", "expanded", "offset"])
def test_where_numbers_lie_in_memory_does_not_matter(key: str, memory: str) -> None:
    parts = scene(1)
    if memory == "expanded":
        parts = tuple(part[:1] for part in parts)  # type: ignore[assignment]
    placed = {
        "channels last": lambda maps: maps.to(memory_format=torch.channels_last),
        "every second column": lambda maps: torch.stack([maps, maps + 7], dim=-1).flatten(-2)[..., ::2],
        "expanded": lambda maps: maps.expand(3, -1, -1, -1),
        "offset": lambda maps: torch.cat([maps, maps])[len(maps) :],
    }[memory]
    torch.testing.assert_close(value(key, *map(placed, parts)), value(key, *parts))


@EVERY_TERM
def test_float32_is_float64_to_its_own_precision(key: str) -> None:
    parts = scene(2)
    found = value(key, *(part.float() for part in parts))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), value(key, *parts), rtol=2e-5, atol=2e-6)


@EVERY_TERM
def test_half_precision_logits_are_compared_in_float32(key: str) -> None:
    logits, target, known = (part.float() for part in scene(3))
    for dtype in (torch.bfloat16, torch.float16):
        half = logits.to(dtype)
        assert torch.equal(value(key, half, target, known), value(key, half.float(), target, known))


@EVERY_TERM
def test_arguments_are_left_alone_and_the_answer_is_the_same_again(key: str) -> None:
    parts = scene(4)
    kept = [part.clone() for part in parts]
    first = value(key, *parts)
    assert torch.equal(value(key, *parts), first)
    assert all(torch.equal(part, before) for part, before in zip(parts, kept, strict=True))


@EVERY_TERM
def test_an_image_twice_is_as_bad_as_once(key: str) -> None:
    parts = scene(5, batch=1)
    torch.testing.assert_close(value(key, *(part.repeat(3, 1, 1, 1) for part in parts)), value(key, *parts))


@pytest.mark.parametrize("key", ["bce", "focal", "l1", "l2", "rmse", "berhu", "edge", "gradient"])
@settings(max_examples=5)
@given(seed=SEEDS)
def test_exchanging_object_and_background_changes_nothing(key: str, seed: int) -> None:
    logits, target, known = scene(seed, side=12)
    torch.testing.assert_close(value(key, -logits, 1 - target, known), value(key, logits, target, known))


@pytest.mark.parametrize("key", CONVEX)
@settings(max_examples=5)
@given(seed=SEEDS)
def test_on_the_way_to_the_target_the_loss_falls(key: str, seed: int) -> None:
    logits, target, known = scene(seed, side=9)
    start = logits.sigmoid()
    way = [value(key, torch.logit(start + at * (target - start)), target, known) for at in torch.linspace(0, 1, 6)]
    assert all(later < earlier for earlier, later in pairwise(way))


@pytest.mark.parametrize("key", ["dice", "iou", "tversky", "focal", "bce", "lovasz"])
@settings(max_examples=5)
@given(seed=SEEDS)
def test_more_certainty_of_what_is_right_is_better(key: str, seed: int) -> None:
    logits, target, _ = scene(seed, side=9)
    true = (target > 0.5).double()
    way = [value(key, logits + step * (2 * true - 1), true) for step in (0.0, 0.3, 1.0, 3.0, 20.0)]
    assert all(later <= earlier for earlier, later in pairwise(way))
    assert way[-1] < way[0]


@settings(max_examples=10)
@given(seed=SEEDS, shift=st.floats(0, 0.3), scale=st.floats(0.1, 0.6))
def test_ssi_does_not_see_scale_and_shift(seed: int, shift: float, scale: float) -> None:
    logits, target, known = scene(seed, side=9)
    other = torch.logit(shift + scale * logits.sigmoid())
    torch.testing.assert_close(value("ssi", other, target, known), value("ssi", logits, target, known))


@settings(max_examples=10)
@given(seed=SEEDS, factor=st.floats(0.2, 1.0))
def test_silog_of_focus_1_does_not_see_a_common_factor(seed: int, factor: float) -> None:
    logits, target, known = scene(seed, side=9)
    close = {"rtol": 1e-3, "atol": 1e-4}  # eps, which keeps the logarithm finite, is no part of the factor
    parts = (torch.logit(0.1 + 0.8 * logits.sigmoid()), 0.1 + 0.8 * target, known)
    other = (torch.logit(factor * parts[0].sigmoid()), *parts[1:])
    key = "silog[eps=1e-6,focus=1]"
    torch.testing.assert_close(value(key, *other), value(key, *parts), **close)


RELATIONS = {
    "focal without focus is bce": lambda v: (v("focal[gamma=0]"), v("bce")),
    "Tversky of halves is Dice of twice the smoothing": lambda v: (
        v("tversky[alpha=0.5,beta=0.5,smooth=3]"),
        v("dice[overlap=min,smooth=6]"),
    ),
    "Tversky of ones is IoU": lambda v: (v("tversky[alpha=1,beta=1]"), v("iou[overlap=min]")),
    "the square of rmse is l2": lambda v: (v("rmse") ** 2, v("l2") + 1e-6),
    "berHu that never bends is l1": lambda v: (v("berhu[share=1]"), v("l1")),
    "silog without focus holds what it does not see": lambda v: (
        v("silog[focus=0.5]") * 2,
        v("silog[focus=0]") + v("silog[focus=1]"),
    ),
    "focal is linear in its balance": lambda v: (v("focal[balance=0.2]") + v("focal[balance=0.8]"), 2 * v("focal")),
    "pooled over a single image is of the image": lambda v: (v("dice[pool=batch]"), v("dice")),
    "a single scale of MS-SSIM of a small map is SSIM": lambda v: (
        1 - (1 - v("ms_ssim[window=31]")) ** (1 / sum((0.0448, 0.2856, 0.3001, 0.2363, 0.1333))),
        v("ssim[window=31]"),
    ),
}


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_terms_are_related(relation: str, seed: int) -> None:
    logits, target, _ = scene(seed, batch=1)
    # A prediction that resembles its target, so that no similarity is negative.
    near = torch.logit(0.9 * target + 0.1 * logits.sigmoid())
    found, expected = RELATIONS[relation](lambda key: value(key, near, target))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_dice_and_iou_rank_alike(seed: int) -> None:
    """With D and J the similarities of a pixel's smoothing, J = D / (2 - D)."""
    logits, target, _ = scene(seed, side=9, batch=1)
    dice, iou = (1 - value(f"{name}[smooth=1e-6]", logits, (target > 0.5).double()) for name in ("dice", "iou"))
    torch.testing.assert_close(iou, dice / (2 - dice), rtol=1e-5, atol=1e-7)
