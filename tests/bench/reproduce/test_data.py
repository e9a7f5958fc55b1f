"""A source as published: depth stretched, inputs turned without their targets, and the description says so."""

import pytest
import torch

from bench.reproduce.published_data import AsPublished, stretch, turn
from tests.bench.rectangles import Rectangles

IDS = torch.arange(6)


def test_depth_is_stretched_over_what_is_known() -> None:
    depth = torch.tensor([[0.2, 0.5, 0.9, 0.6], [0.4, 0.4, 0.4, 0.4]]).view(2, 1, 2, 2)
    valid = torch.tensor([[1.0, 1, 0, 1], [1, 1, 1, 1]]).view(2, 1, 2, 2)
    found = stretch(depth, valid).flatten(1)
    assert found[0].tolist() == pytest.approx([0, 0.75, 0, 1])
    assert found[1].tolist() == [0, 0, 0, 0]


def test_plain_it_is_the_inner_source() -> None:
    inner = Rectangles()
    plain = AsPublished(inner, stretched=False, turned=False)
    for (name, ours), (_, theirs) in zip(
        plain.render("train", IDS, 16).tensors(), inner.render("train", IDS, 16).tensors(), strict=True
    ):
        assert torch.equal(ours, theirs), name


def test_turned_inputs_keep_their_targets_and_the_test_stays_upright() -> None:
    inner = Rectangles()
    turned = AsPublished(inner, stretched=True, turned=True)
    ours, theirs = turned.render("train", IDS, 32), inner.render("train", IDS, 32)
    assert torch.equal(ours.mask, theirs.mask)
    assert not torch.allclose(ours.bg_fg, theirs.bg_fg, atol=0.1)
    assert torch.equal(turned.render("test", IDS, 32).bg_fg, inner.render("test", IDS, 32).bg_fg)
    assert torch.equal(turned.render("train", IDS[2:4], 32).bg_fg, ours.bg_fg[2:4])
    ours.check()


def test_a_turn_is_a_turn() -> None:
    image = torch.zeros(4, 1, 33, 33)
    image[:, :, 16, 26:30] = 1  # to the right of the middle
    draws = torch.tensor([[0.5, 0.9], [0.5, 0.1], [1.0, 0.9], [0.0, 0.9]])  # upright, mirrored, 30 degrees each way
    upright, mirrored, one_way, other_way = turn(image, draws)
    assert torch.allclose(upright, image[0], atol=1e-4)
    assert torch.allclose(mirrored, image[0].flip(-1), atol=1e-4)
    assert torch.allclose(one_way, other_way.flip(-2), atol=1e-4)
    rows, columns = torch.nonzero(one_way[0] > 0.3, as_tuple=True)
    angle = torch.atan2((rows.float().mean() - 16).abs(), columns.float().mean() - 16)
    assert torch.rad2deg(angle).item() == pytest.approx(30, abs=3)


def test_the_description_says_what_differs() -> None:
    plain = AsPublished(Rectangles(), stretched=False, turned=False).describe()
    for changed in (AsPublished(Rectangles(), True, False), AsPublished(Rectangles(), False, True)):
        assert changed.describe() != plain
    assert "per image" in AsPublished(Rectangles(), True, False).encoding
