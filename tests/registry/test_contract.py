"""Quartets, targets and predictions: their parts, the checks, and their messages."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from registry.contract import Prediction, Quartet, Target, check_prediction
from registry.errors import ContractError


def test_a_quartet_without_a_background_serves_zeros(quartet: Quartet) -> None:
    alone = dataclasses.replace(quartet, bg=None)
    bg, bg_fg = alone.inputs
    assert not bg.any() and bg.shape == bg_fg.shape and bg_fg is quartet.bg_fg
    assert [name for name, _ in alone.tensors()] == ["bg_fg", "mask", "depth", "valid"]
    assert len(alone) == 4 and alone.map(torch.clone).bg is None and alone.check() is alone
    assert quartet.inputs[0] is quartet.bg


def test_targets_bring_where_they_are_known(quartet: Quartet) -> None:
    known = torch.zeros_like(quartet.mask)
    both = dataclasses.replace(quartet, mask_valid=known)
    assert both.target("mask").valid is known and both.target("depth").valid is quartet.valid
    assert quartet.target("mask").valid is None and Quartet(None, quartet.bg_fg).target("depth") is None
    assert torch.equal(dict(both.map(lambda t: t + 1).tensors())["mask_valid"], known + 1)


def test_what_is_stored_where_nothing_is_known_is_no_value() -> None:
    target = Target(torch.tensor([0.5, torch.nan]), torch.tensor([1.0, 0.0]))
    assert target.value.tolist() == [0.5, 0] and target.known.tolist() == [1, 0]
    assert target.is_known is not None and target.is_known.tolist() == [True, False]
    everywhere = Target(torch.tensor([0.5, 0.25]))
    assert everywhere.value is everywhere.stored and everywhere.is_known is None and everywhere.known.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mask": torch.full((4, 1, 64, 64), 1.5)}, r"mask lies in \[1.5, 1.5\]"),
        ({"depth": torch.full((4, 1, 64, 64), torch.nan)}, "depth lies in"),
        ({"mask": torch.zeros(4, 1, 32, 64)}, "mask has shape"),
        ({"valid": None}, "come together"),
        ({"mask": None, "mask_valid": torch.ones(4, 1, 64, 64)}, "mask_valid comes with a mask"),
        ({"mask_valid": torch.ones(4, 3, 64, 64)}, "mask_valid has shape"),
    ],
)
def test_check_names_what_is_wrong(quartet: Quartet, changes: dict[str, Any], words: str) -> None:
    quartet.valid = torch.ones_like(quartet.valid)
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(quartet, **changes).check()


def test_check_does_not_mind_what_is_stored_where_nothing_is_known(quartet: Quartet) -> None:
    quartet.depth = torch.where(quartet.valid > 0, quartet.depth, torch.nan)
    quartet.mask_valid = torch.zeros_like(quartet.mask)
    quartet.mask = quartet.mask + 7
    assert quartet.check() is quartet


IMAGES = torch.zeros(2, 3, 8, 8)
LOGITS = torch.zeros(2, 1, 8, 8)


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        ((LOGITS, LOGITS), "returned an object of type tuple.*return registry.contract.Prediction"),
        (LOGITS, r"returned a tensor of shape \(2, 1, 8, 8\)"),
        (None, "returned None"),
        (Prediction(), "without mask_logits and depth_logits"),
        (Prediction(LOGITS[:, 0]), r"shape \(2, 8, 8\) .* as mask_logits, not a float tensor of \(2, 1, 8, 8\)"),
        (Prediction(LOGITS, LOGITS[..., ::2, ::2]), "as depth_logits"),
        (Prediction(LOGITS[:1]), r"\(1, 1, 8, 8\)"),
        (Prediction(LOGITS.long()), "type int64 as mask_logits"),
        (Prediction([LOGITS]), "an object of type list as mask_logits"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_prediction_is_told_what_came(prediction: object, words: str) -> None:
    with pytest.raises(ContractError, match=f"mine:Net .*{words.removeprefix('returned ')}"):
        check_prediction(prediction, IMAGES, "mine:Net")


@pytest.mark.parametrize(
    "prediction", [Prediction(LOGITS), Prediction(None, LOGITS.bfloat16()), Prediction(LOGITS, LOGITS)]
)
def test_a_right_prediction_passes(prediction: Prediction) -> None:
    assert check_prediction(prediction, IMAGES, "mine:Net") is prediction
