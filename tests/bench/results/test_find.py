"""Cells that differ in precision alone are told apart by saying it."""

from pathlib import Path

import pytest

from bench.core.errors import BadData, BenchError
from bench.core.record import Load, Record
from bench.core.spec import Precision
from bench.results import store
from bench.results.board import rows
from bench.results.compare import compare
from bench.results.find import other_settings, passed_over, pick, pick_alike, pick_one
from bench.results.row_names import full_name, settings
from bench.results.slices.slices import slices
from bench.results.transfer import transfers
from registry.errors import UnknownName
from tests.bench.records import done_in, record
from tests.bench.results_folder import keep

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


def test_a_name_as_it_is_shown_means_that_row_and_no_other() -> None:
    """Its precision alone is what a row of the usual memory format is shown in."""
    cell, _ = pick(BOARD, "unet:bce_ssim:bfloat16", "wnet")
    assert cell.records[0][0] == "b.json"
    for row in BOARD:
        assert pick_one(BOARD, full_name(row)) == row
    unusual = rows([("c.json", done_in("bfloat16", "contiguous"))])
    assert pick_one(unusual, "unet:bfloat16").records[0][0] == "c.json"


def several(model: str, seeds: int, precision: Precision, **facts: object) -> list[tuple[str, Record]]:
    return [
        (f"{model} {precision} {seed}.json", record(model, seed=seed, precision=precision, **facts))
        for seed in range(seeds)
    ]


def test_a_pair_that_has_a_verdict_counts_before_one_in_the_same_settings() -> None:
    usual = [*several("unet", 3, "float32"), *several("wnet", 3, "bfloat16")]
    board = rows([*usual, *several("unet", 1, "bfloat16")])
    pair = pick(board, "unet", "wnet")
    assert [settings(row) for row in pair] == ["float32 (3 seeds)", "bfloat16 (3 seeds)"]
    (note,) = passed_over(board, *pair)
    assert note.endswith("in bfloat16 (1 seed) too, called unet:bce_ssim:bfloat16")
    assert settings(pick(board, note.split()[-1], "wnet")[0]) == "bfloat16 (1 seed)"
    both = rows([*usual, *several("unet", 2, "bfloat16")])
    assert [settings(row) for row in pick(both, "unet", "wnet")] == ["bfloat16 (2 seeds)", "bfloat16 (3 seeds)"]


def test_against_a_baseline_the_row_of_most_seeds_counts() -> None:
    """A baseline has one seed and no precision of its own: neither speaks for a row beside it."""
    baselines = [("baselines.json", record("difference", ""))]
    board = rows([*several("unet", 2, "float32"), *several("unet", 3, "bfloat16"), *baselines])
    assert settings(pick(board, "unet", "difference")[0]) == "bfloat16 (3 seeds)"


def test_a_name_given_twice_means_the_same_cell_twice() -> None:
    board = rows([*several("unet", 2, "float32"), *several("unet", 3, "bfloat16")])
    a, b = pick(board, "unet", "unet ")
    assert a is b
    assert settings(a) == "bfloat16 (3 seeds)"


def test_a_baseline_stands_on_the_boards_of_all_divisions() -> None:
    tuned = several("unet", 2, "float32", division="tuned (5 trials)")
    baselines = [("baselines.json", record("difference", ""))]
    board = rows([*several("unet", 3, "float32"), *tuned, *baselines])
    for within, seeds in (("tuned", 2), ("untuned", 3)):
        for pair in (("unet", "difference"), ("difference", "unet")):
            assert {len(row.records) for row in pick(board, *pair, within)} == {1, seeds}
    with pytest.raises(BenchError, match="no protocol or data is called 'standard'"):
        pick(board, "unet", "difference", "standard")


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
    assert note.endswith("there are runs of it in float32 (2 seeds) too, called unet:bce_ssim:float32")
    both = pick(board, "unet:float32", "unet:bfloat16")
    assert passed_over(board, *both) == []


def test_a_folder_without_finished_runs_is_said(tmp_path: Path) -> None:
    for ask in (
        lambda: compare(tmp_path, "unet", "wnet"),
        lambda: slices(tmp_path, "unet"),
        lambda: transfers(tmp_path, "wnet"),
    ):
        with pytest.raises(BenchError, match=f"no finished runs in {tmp_path}; bench run makes them"):
            ask()
    store.write(tmp_path, record(outcome="diverged"), {})
    with pytest.raises(BenchError, match=f"no runs that finished among 1 in {tmp_path}"):
        compare(tmp_path, "unet", "wnet")


def test_baselines_alone_are_no_trained_runs(tmp_path: Path) -> None:
    for model in ("difference", "constant"):
        keep(tmp_path, 0.3, model=model, recipe="")
    assert compare(tmp_path, "difference", "constant").findings
    with pytest.raises(BenchError, match=r"only baselines here \(constant, difference\); bench run"):
        compare(tmp_path, "unet", "difference")
    with pytest.raises(BenchError, match=f"no trained runs, but baselines alone, in {tmp_path}; bench run makes"):
        transfers(tmp_path, "wnet")


def test_of_a_folder_whose_records_are_all_damaged_these_are_named(tmp_path: Path) -> None:
    store.write(tmp_path, record(), {}).write_text("{")
    with pytest.raises(BadData, match="unet_bce-ssim"):
        compare(tmp_path, "unet", "wnet")


def test_an_unknown_name_is_answered_by_the_model_with_parameters_and_a_command_that_works() -> None:
    board = rows(
        [("a.json", record("unet[width=8]")), ("b.json", record("custom_unet")), ("c.json", record("masknet"))]
    )
    with pytest.raises(UnknownName, match=r"did you mean unet\[width=8\] or ") as raised:
        pick(board, "custom_unet", "unet", results=Path("my results"))
    assert str(raised.value).endswith("See all with: bench leaderboard --show --results 'my results'")
    with pytest.raises(UnknownName, match=r"bench leaderboard --show$"):
        pick_one(board, "unet")
