"""Cells of tables: figures to a fixed number of digits, and what is said of rows that are not whole."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.record import Load, Score, Tuning
from bench.core.record.tuning import TriedValue
from bench.metrics import metrics
from bench.report.markdown.cells import (
    gap_cell,
    heading,
    loss_cell,
    median,
    number,
    percentage,
    plain_number,
    rate_cell,
    rate_text,
    row_label,
    seeds_cell,
)
from bench.report.markdown.tuning_table import chosen_cell, tuning_section
from bench.results.board import Group, groups_of
from tests.bench.records import record


def group_of(*records: object) -> Group:
    (group,) = groups_of([(f"{place}.json", made) for place, made in enumerate(records)])  # type: ignore[misc]
    return group


@settings(max_examples=40)
@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_certainty(share: float) -> None:
    text = percentage(share)
    assert text == "<1 %" if share < 0.01 else text == ">99 %" if share > 0.99 else text not in ("0 %", "100 %")
    if 0.01 <= share <= 0.99:
        assert abs(float(text.removesuffix(" %")) - 100 * share) <= 0.5


@settings(max_examples=40)
@given(st.floats(-1e4, 1e4))
def test_a_score_is_read_back_to_its_digits(value: float) -> None:
    assert float(plain_number(value)) == pytest.approx(value, abs=0.00005001 if abs(value) < 10 else 0.005001)


@pytest.mark.parametrize(("rate", "text"), [(5.25, "5.2"), (99.94, "99.9"), (100.0, "100"), (1234.5, "1234")])
def test_a_rate_has_three_digits(rate: float, text: str) -> None:
    assert rate_text(rate) == text


@pytest.mark.parametrize(
    ("values", "text"), [([], "–"), ([None, None], "–"), ([3.0, None, 1.0], "2.0"), ([1.0, 2.0, 300.0], "2.0")]
)
def test_a_median_is_of_what_is_known(values: list[float | None], text: str) -> None:
    assert median(values) == text


def test_a_heading_has_unit_and_direction() -> None:
    headings = {name: heading(metrics.facts(name)) for name in metrics.default()}
    assert headings["mask_dice"] == "Dice ↑" and headings["depth_rmse"] == "RMSE ↓"
    assert all(text.endswith(("↑", "↓")) and "range" not in text for text in headings.values())


def test_a_number_has_spread_and_skill_where_there_are_some() -> None:
    runs = [record(seed=seed, dice=dice, rmse=None) for seed, dice in enumerate((0.75, 0.85))]
    alone = group_of(*runs)
    (row,) = alone.board
    assert number(row, "mask_dice", alone) == "0.8000 ± 0.0707"
    assert number(row, "mask_dice", alone, bold=True) == "**0.8000** ± 0.0707"
    assert number(row, "depth_rmse", alone) == number(row, "mask_iou", alone) == "–"
    floored = group_of(*runs, record("constant", recipe="", dice=0.6))
    learns, baseline = floored.board
    assert number(learns, "mask_dice", floored) == "0.8000 ± 0.0707 <sub>+0.50</sub>"
    assert number(baseline, "mask_dice", floored) == "0.6000", "a baseline has no skill over itself"
    assert (loss_cell(learns), loss_cell(baseline)) == ("`bce_ssim`", "(learns nothing)")
    assert row_label(learns) == "`unet` with `bce_ssim`" and row_label(baseline) == "`constant`"


@pytest.mark.parametrize("outcome", ["diverged", "oom", "failed", "killed", "timeout"])
def test_seeds_that_did_not_finish_are_counted_as_begun(outcome: str) -> None:
    runs = [record(seed=0), record(seed=1), record(seed=2, outcome=outcome)]
    (row,) = group_of(*runs).board
    assert seeds_cell(row) == "2 of 3"
    (whole,) = group_of(*runs[:2], record(seed=2)).board
    assert seeds_cell(whole) == "3"


def test_seeds_of_another_code_are_marked() -> None:
    (row,) = group_of(record(seed=0), record(seed=1, code="1" * 12)).board
    assert seeds_cell(row) == "2†"


def load(marked: bool, shared: int = 1) -> Load:
    return Load(windows=4, disturbed=4 if marked else 1, marked=marked, shared=shared)


@pytest.mark.parametrize(
    ("loads", "text"),
    [
        ([None, None], "100"),
        ([load(True)], "(100)"),
        ([load(True), load(False)], "100"),
        ([load(True), None], "100"),
        ([load(True, shared=2)], "–"),
    ],
)
def test_a_rate_in_brackets_was_disturbed_throughout(loads: list[Load | None], text: str) -> None:
    assert rate_cell([record(seed=seed, load=each) for seed, each in enumerate(loads)]) == text


def test_a_gap_has_its_sign() -> None:
    assert (gap_cell(None), gap_cell(0.0312), gap_cell(-0.5)) == ("–", "+0.0312", "-0.5000")


def tuned(value: float, edge: str | None, **more: object):
    protocol = record().spec.protocol
    tried = [
        TriedValue(value=0.001, score=0.5, outcome="finished", epochs=2),
        TriedValue(value=0.01, score=None, outcome="diverged", epochs=1),
        TriedValue(value=0.1, score=None, outcome="finished", epochs=2),
    ]
    choice = Tuning(
        parameter="optimizer.lr", value=value, edge=edge, trials=3, weights={"mask": 1.0, "depth": 0.5}, tried=tried,
        untuned=0.003, protocol=protocol, recipe="mask: bce, depth: 2*ssim",
    )  # fmt: skip
    spec = record().spec.model_copy(update={"protocol": protocol.override(optimizer=f"adam[lr={value:g}]")})
    return record(**more).model_copy(update={"spec": spec, "division": "tuned (3 trials)", "tuning": choice})


@pytest.mark.parametrize(
    ("edge", "cell", "words"),
    [
        ("lowest", "optimizer.lr 0.001 (edge)", "lowest of the grid"),
        ("highest", "optimizer.lr 0.001 (edge)", "highest of the grid"),
        (None, "optimizer.lr 0.001", "|  |"),
    ],
)
def test_a_tuned_row_says_what_was_chosen_from_what(edge: str | None, cell: str, words: str) -> None:
    group = group_of(tuned(0.001, edge))
    (row,) = group.board
    assert chosen_cell(row) == cell
    section = tuning_section(group)
    assert "(mask 1, depth 0.5)" in section and words in section
    assert "0.001: 0.500, 0.01: diverged, 0.1: –" in section
    assert "| 0.003 | – |" in section, "the protocol's own value had no score"


def test_an_untuned_board_says_nothing_of_tuning() -> None:
    group = group_of(record())
    assert tuning_section(group) == "" and chosen_cell(group.board[0]) == ""


def test_a_metric_that_is_infinite_cannot_be_in_a_record(tmp_path: Path) -> None:
    for value in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="finite"):
            Score(value=value, images=1)
