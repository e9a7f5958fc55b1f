"""Quartets, targets and predictions: their parts, the checks, and their messages."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.contract import Head, Prediction, Quartet, Target, check_prediction
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


UNKNOWN = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=9)


@settings(max_examples=30)
@given(places=UNKNOWN, stored=st.sampled_from([math.nan, math.inf, -math.inf, 7.0]))
def test_what_is_stored_where_a_target_is_unknown_reaches_neither_value_nor_gradient(places, stored: float) -> None:
    value, valid = torch.full((4, 1, 8, 8), 0.25), torch.ones(4, 1, 8, 8)
    for i, row, column in places:
        value[i, 0, row, column], valid[i, 0, row, column] = stored, 0
    target = Target(value, valid)
    assert target.is_known is not None
    assert torch.equal(target.value, torch.where(valid > 0.5, 0.25, 0.0))
    logits = torch.zeros(4, 1, 8, 8, requires_grad=True)
    head = Head(logits)
    ((head.value - target.value).square() * target.known).sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert torch.equal(logits.grad != 0, valid > 0.5)
    Quartet(None, torch.zeros(4, 3, 8, 8), depth=value, valid=valid).check()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_heads_are_float32_whatever_the_model_ran_in(dtype: torch.dtype) -> None:
    logits = torch.linspace(-9, 9, 64, dtype=dtype).view(1, 1, 8, 8)
    head = Head(logits)
    expected = torch.float64 if dtype == torch.float64 else torch.float32
    assert head.logits.dtype == head.value.dtype == expected
    torch.testing.assert_close(head.value, torch.sigmoid(logits.to(expected)))


def test_a_comparison_is_made_once_for_a_tensor_and_never_kept_with_a_graph() -> None:
    head, true, calls = Head(torch.zeros(1, 1, 8, 8)), torch.ones(1, 1, 8, 8), []

    def compare() -> torch.Tensor:
        calls.append(1)
        return head.value + true

    with torch.no_grad():
        first = head.compared(true, "sum", compare)
        assert head.compared(true, "sum", compare) is first
        head.compared(true.clone(), "sum", compare)
        head.compared(true, "other", compare)
    assert len(calls) == 3
    head.compared(true, "sum", compare)
    assert len(calls) == 4


def test_heads_are_left_out_by_name() -> None:
    whole = Prediction(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8))
    assert [name for name, _ in whole.heads()] == ["mask", "depth"]
    assert [name for name, _ in whole.only(("depth",)).heads()] == ["depth"]
    assert whole.only(("depth",)).depth_logits is whole.depth_logits
    assert whole.mask is whole.mask, "activated once"
