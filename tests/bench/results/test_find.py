"""Cells that differ in precision alone are told apart by saying it."""

import pytest

from bench.core.errors import BenchError
from bench.core.record import Load
from bench.results.board import rows
from bench.results.find import other_settings, passed_over, pick, pick_alike, pick_one, settings, stands_within
from tests.bench.records import record
from tests.bench.report.markdown.test_leaderboard import done_in

BOARD = rows(
    [
        ("a.json", record()),
        ("b.json", done_in("bfloat16")),
        ("c.json", done_in("bfloat16", "contiguous")),
        ("d.json", record("wnet")),
    ]
)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("unet:bce_ssim:float32", "a.json"),
        ("unet:float32", "a.json"),
        ("unet:mask: bce, depth: 2*ssim:float32", "a.json"),
        ("unet:bce_ssim:bfloat16 channels_last", "b.json"),
        ("unet:bce_ssim:bfloat16 contiguous", "c.json"),
    ],
)
def test_a_precision_may_be_said(name: str, file: str) -> None:
    cell, other = pick(BOARD, name, "wnet")
    assert (cell.records[0][0], other.model) == (file, "wnet")


def test_what_is_ambiguous_says_how_to_be_clear() -> None:
    with pytest.raises(BenchError, match="say the precision"):
        pick(BOARD, "unet:bce_ssim:bfloat16", "wnet")


@pytest.mark.parametrize("name", ["unet", "unet:bce_ssim"])
def test_two_names_mean_the_same_precision_where_both_have_it(name: str) -> None:
    cell, other = pick(BOARD, name, "wnet")
    assert (cell.records[0][0], other.records[0][0]) == ("a.json", "d.json")
    everywhere = rows(
        [
            ("a.json", record()),
            ("d.json", record("wnet")),
            *[(f"{m}.json", done_in("bfloat16", model=m)) for m in ("unet", "wnet")],
        ]
    )
    with pytest.raises(BenchError, match="say the precision"):
        pick(everywhere, name, "wnet")
    cell, other = pick(everywhere, f"{name}:bfloat16", "wnet")
    assert (cell.records[0][0], other.records[0][0]) == ("unet.json", "wnet.json")


def test_of_rows_in_several_precisions_those_of_most_seeds_are_meant() -> None:
    """So that a name still means one cell where a machine of another native precision adds a run of its own."""
    committed = [(f"{m}{seed}.json", record(m, seed=seed)) for m in ("unet", "wnet") for seed in range(3)]
    own = [(f"own {m}.json", done_in("bfloat16", model=m)) for m in ("unet", "wnet")]
    board = rows([*committed, *own])
    assert [len(row.records) for row in pick(board, "unet", "wnet")] == [3, 3]
    assert len(pick_one(board, "wnet").records) == 3
    assert [len(row.records) for row in pick_alike(board, "wnet:bce_ssim")] == [3, 1]
    (other,) = other_settings(board, pick_one(board, "wnet"))
    assert settings(other) == "bfloat16 (1 seed)"
    elsewhere = rows([*committed, ("t.json", record("wnet", division="tuned (5 trials)"))])
    with pytest.raises(BenchError, match="fits several cells"):
        pick_one(elsewhere, "wnet")
    losses = rows([*committed, ("l.json", record("wnet", "mask: bce", recipe_name="mask_bce"))])
    with pytest.raises(BenchError, match="fits several cells"):
        pick_alike(losses, "wnet")


def test_of_as_many_seeds_those_that_were_timed_are_meant() -> None:
    """A run that shared its device says nothing of cost."""
    beside = Load(windows=1, disturbed=0, shared=2)
    board = rows(
        [
            *[(f"{m}{seed}.json", record(m, seed=seed, load=beside)) for m in ("unet", "wnet") for seed in range(2)],
            *[
                (f"{m}{seed}b.json", done_in("bfloat16", model=m, seed=seed))
                for m in ("unet", "wnet")
                for seed in range(2)
            ],
        ]
    )
    assert {row.any.spec.precision for row in pick(board, "unet", "wnet")} == {"bfloat16"}
    assert pick_one(board, "wnet").any.spec.precision == "bfloat16"
    assert [row.any.spec.precision for row in pick_alike(board, "wnet")] == ["bfloat16", "float32"]
    (note, _) = passed_over(board, *pick(board, "unet", "wnet"))
    assert note.startswith("unet:bce_ssim is in bfloat16")
    assert note.endswith("there are runs of it in float32 (2 seeds) too")
    both = pick(board, "unet:float32", "unet:bfloat16")
    assert passed_over(board, *both) == []


@pytest.mark.parametrize(
    ("within", "fitting"),
    [
        ("", [True, True]),
        ("quick", [True, True]),
        ("handheld", [True, True]),
        ("tuned", [False, True]),
        ("tuned (5 trials)", [False, True]),
        ("untuned", [True, False]),
        ("camera · untuned", [True, False]),
        ("(", [False, True]),
        ("uick", [False, False]),
        ("standard", [False, False]),
    ],
)
def test_divisions_are_told_apart_by_a_part_of_the_heading(within: str, fitting: list[bool]) -> None:
    board = rows([("a.json", record()), ("b.json", record(division="tuned (5 trials)"))])
    untuned, tuned = sorted(board, key=lambda row: row.records[0][0])
    assert [stands_within(untuned, within), stands_within(tuned, within)] == fitting
