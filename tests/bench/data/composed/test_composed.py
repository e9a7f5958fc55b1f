from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import BenchError
from bench.data.composed.source import Composed
from registry.errors import UnknownName
from tests.bench.data.composed.compose import compose

IDS = torch.arange(64)
SHADES = torch.tensor(
    [(200, 30, 40), (20, 180, 60), (250, 250, 10), (10, 20, 240), (128, 0, 128), (250, 128, 0)]
)  # as in conftest


@pytest.fixture(scope="module")
def source(shared_pictures) -> Composed:
    return compose(shared_pictures, resolution=64)


def test_outside_the_mask_nothing_changes_and_inside_alpha_blends(source: Composed) -> None:
    quartet = source.render("train", IDS, 64)
    outside = (quartet.mask == 0).expand_as(quartet.bg)
    assert torch.equal(quartet.bg[outside], quartet.bg_fg[outside])
    colour = SHADES[source.groups("train", IDS)[1]][:, :, None, None] / 255
    expected = quartet.bg * (1 - quartet.mask) + colour * quartet.mask
    torch.testing.assert_close(quartet.bg_fg, expected, atol=2e-3, rtol=0)


def test_alpha_stays_soft(source: Composed) -> None:
    mask = source.render("train", IDS, 64).mask
    assert ((mask > 0.02) & (mask < 0.98)).float().mean() > 0.005
    assert (mask.amax((1, 2, 3)) > 0.95).all()


def test_boxes(source: Composed) -> None:
    mask = source.render("train", torch.arange(400), 64).mask[:, 0] > 0.05
    rows, columns = mask.any(2), mask.any(1)
    lowest = torch.stack([row.nonzero().max() for row in rows])
    longer = torch.maximum(rows.sum(1), columns.sum(1))
    assert lowest.min() >= 31
    assert lowest.min() < 38
    assert lowest.max() >= 62
    assert 0.2 * 64 < longer.min() < 0.32 * 64
    assert 0.6 * 64 < longer.max() <= 0.72 * 64
    assert columns[:, :4].any(1).float().mean() > 0.02, "objects come near both sides"
    assert columns[:, -4:].any(1).float().mean() > 0.02


def test_backgrounds_are_the_middle_squares(pictures) -> None:
    # At the resolution of the photographs nothing is resampled.
    source = compose(pictures)
    background = source.groups("train", IDS)[0]
    shown = source.scenes("train", IDS, 64)  # enlarged: compare means instead of pixels
    for i in range(8):
        pixels = np.asarray(Image.open(pictures.bg / f"room{int(background[i])}_3.png"))[:, 6:66] / 255
        np.testing.assert_allclose(shown.bg[i].mean((1, 2)).numpy(), pixels.mean((0, 1)), atol=5e-3)


def test_depth_at_the_foot(source: Composed) -> None:
    """On the made-up floor depth is a function of the row, so the object's is that of its lowest row."""
    quartet = source.render("train", IDS, 64)
    background = source.groups("train", IDS)[0]
    known = 0
    for i in range(len(IDS)):
        inside = quartet.mask[i, 0] > 0.5
        if quartet.valid[i, 0][inside].min() == 0:
            continue
        known += 1
        lowest = int(inside.any(1).nonzero().max())
        row = (lowest + 1) / 64 * 60
        expected = (1000 + 100 * int(background[i]) + 40 * (59 - row)) / 10_000
        found = quartet.depth[i, 0][inside].max().item()
        assert abs(found - expected) < 0.04 * 2.6, "within the neighbourhood of the foot"
        assert quartet.depth[i, 0][inside].std() < 1e-3 or quartet.depth[i, 0][inside].min() < found
    assert known > 30


def test_an_object_is_never_behind_what_it_covers(pictures) -> None:
    """A near packed_files hangs where objects cover it: they come forward with it."""
    for i in range(6):
        depth = pictures.floor(3000)
        depth[:30, :] = 900
        pictures.save_depth(f"room{i}_3", depth)
    source = compose(pictures)
    quartet = source.render("train", IDS, 64)
    empty = source._at_size[64][0].depths
    pool = source._choose("train", IDS)[0]
    behind = empty[pool][:, None]
    inside = (quartet.mask > 0.5) & (quartet.valid > 0) & (behind >= 0)
    assert (quartet.depth[inside] <= behind[inside]).all()
    over_shelf = inside & (behind < 0.1)
    assert over_shelf.any()
    assert (quartet.depth[over_shelf] == 0.09).all()


def test_holes_stay_holes(source: Composed) -> None:
    quartet = source.render("train", IDS, 64)
    outside = quartet.mask == 0
    background = source._at_size[64][0].depths[source._choose("train", IDS)[0]][:, None]
    assert torch.equal(quartet.valid[outside] > 0, background[outside] >= 0)
    assert torch.equal(quartet.depth[outside & (background >= 0)], background[outside & (background >= 0)])
    assert (quartet.depth[quartet.valid == 0] == 0).all()
    assert set(quartet.valid.unique().tolist()) == {0.0, 1.0}
    rows = (quartet.depth[outside & (quartet.valid > 0)] * 10_000).round().int()
    assert (rows % 10 == 0).all(), "no depth that is nowhere in the file"


def test_no_depth_at_the_foot_means_none_on_the_object(pictures) -> None:
    for i in range(6):
        depth = pictures.floor(1000)
        depth[15:, :] = 0
        pictures.save_depth(f"room{i}_3", depth)
    quartet = compose(pictures).render("train", IDS, 64)
    assert (quartet.valid[quartet.mask > 0.5] == 0).all()
    assert quartet.valid.max() == 1


def test_beyond_ten_metres_is_unknown(pictures) -> None:
    depth = pictures.floor(1000)
    depth[:10] = 12_000
    pictures.save_depth("room0_3", depth)
    source = compose(pictures)
    source.render("train", IDS[:1], 64)
    assert (source._at_size[64][0].depths[0, :8] == -1).all()


def test_units_of_one_encoding_are_told_apart(pictures) -> None:
    """Depth of the same files, read as another unit, is other data."""
    millimetres, fifths = (compose(pictures, depth_unit=unit) for unit in ("mm", "tum"))
    assert millimetres.encoding == fifths.encoding
    assert millimetres.describe() != fifths.describe()
    assert "depth_unit" not in millimetres.describe(), "ids are as before"


def test_eight_bit_depth(pictures) -> None:
    for i in range(6):
        pictures.save_depth(f"room{i}_3", (pictures.floor(0) // 16).astype(np.uint8))
    source = compose(pictures, depth_unit="8bit")
    assert source.encoding != compose(pictures, bg_depth=None).encoding
    quartet = source.render("train", IDS, 64).check()
    assert quartet.valid.min() == 1


def test_unknown_words(pictures) -> None:
    for wrong in ({"depth_unit": "feet"}, {"scenes": "films"}, {"objects": "x"}, {"camera": "none"}, {"split": "fair"}):
        with pytest.raises((BenchError, UnknownName), match=r"choose one of:|bench list"):
            compose(pictures, **wrong)


# What people's folders are like.
