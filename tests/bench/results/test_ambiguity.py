"""Names that fit several cells: what tells these apart is said, with a few examples, and what is said works."""

import re

import pytest

from bench.core.errors import BenchError
from bench.results.board import Row, rows
from bench.results.find import pick, pick_alike, pick_one
from bench.results.row_names import heading
from tests.bench.records import done_in, record

STILL = {"kind": "synthetic", "camera": "still", "encoding": "metric, 1.0 = 10 m"}
TUNED = "tuned (5 trials)"


def trained(model: str, losses: int = 1, **facts: object) -> list[Row]:
    """Rows of a model under as many losses, the first of them bce_ssim."""
    named = [
        ("bce_ssim", "mask: bce, depth: 2*ssim"),
        *((f"mask: {n}*bce", f"mask: {n}*bce") for n in range(2, losses + 1)),
    ]
    return rows(
        [
            (f"{model} {name} {facts}.json", record(model, text, recipe_name=name, **facts))
            for name, text in named[:losses]
        ]
    )


def said(board: list[Row], *names: str) -> str:
    with pytest.raises(BenchError) as caught:
        pick(board, *names) if len(names) == 2 else pick_one(board, *names)
    assert "\n" not in str(caught.value)
    return str(caught.value)


BASELINES = rows([("baselines.json", record("difference", ""))])


def test_of_several_losses_one_is_to_be_named_and_a_few_are_shown() -> None:
    board = [*trained("unet", 20), *trained("wnet", 20), *BASELINES]
    for names in (("unet", "difference"), ("unet",), ("unet", "wnet"), ("unet", "unet")):
        text = said(board, *names)
        assert "name the loss, as in unet:bce_ssim" in text
        assert "precision" not in text
        assert "--within" not in text
        assert text.count(";") == 4
        assert text.endswith("and 15 more")
        assert len(text) < 500
    assert "as in unet:bce_ssim and wnet:bce_ssim." in said(board, "unet", "wnet")
    assert said(board, "unet").endswith(
        "unet:bce_ssim; unet:mask: 2*bce; unet:mask: 3*bce; unet:mask: 4*bce; unet:mask: 5*bce and 15 more"
    )
    assert "same name" not in said(board, "unet", "wnet")


def test_two_equal_names_are_said_to_be_the_same() -> None:
    assert said(trained("unet", 2), "unet", "unet").startswith(
        "A and B are the same name, unet, which fits several cells"
    )


@pytest.mark.parametrize("names", [("unet",), ("unet", "wnet"), ("unet", "difference"), ("difference", "unet")])
@pytest.mark.parametrize("others", [{"data": STILL}, {"division": TUNED}], ids=["data", "division"])
def test_boards_are_told_apart_by_an_option_that_works(names: tuple[str, ...], others: dict[str, object]) -> None:
    learnt = [row for model in ("unet", "wnet") for facts in ({}, others) for row in trained(model, **facts)]
    still = [("still.json", record("difference", "", data=STILL))]
    board = [*learnt, *BASELINES, *rows(still)]
    text = said(board, *names)
    assert "loss" not in text
    (within,) = re.findall(r'--within "(.*?)"', text)
    found = pick(board, *names, within) if len(names) == 2 else (pick_one(board, *names, within),)
    assert heading(next(row for row in found if row.learns)) in text


def test_an_untuned_board_is_told_from_a_tuned_one() -> None:
    board = [*trained("unet"), *trained("unet", division=TUNED)]
    assert '--within "untuned"' in said(board, "unet")
    assert TUNED in said(board, "unet")


def test_precisions_are_told_apart_by_names_that_work() -> None:
    board = rows([("a.json", record()), ("b.json", done_in("bfloat16", "contiguous"))])
    text = said(board, "unet")
    assert "say the precision, as in unet:bce_ssim:" in text
    names = text.split("There are ")[1].split("; ")
    assert names == ["unet:bce_ssim:float32", "unet:bce_ssim:bfloat16,contiguous"]
    assert [pick_one(board, name) for name in names] == board


def test_what_has_no_other_name_is_named_by_its_file() -> None:
    """Two data sets may have the same heading."""
    board = rows([(f"{root}.json", record(data=STILL | {"content": root})) for root in ("one", "two")])
    assert said(board, "unet").endswith("name a record's file, as in one.json. There are one.json; two.json")


def test_where_no_board_can_be_chosen_files_and_runs_are() -> None:
    board = [*trained("unet"), *trained("unet", data=STILL)]
    with pytest.raises(BenchError, match="--within"):
        pick_alike(board, "unet")
    with pytest.raises(BenchError) as caught:
        pick_alike(board, "unet", by_board=False)
    assert "--within" not in str(caught.value)
    file = next(iter(board[0].records.values()))[0]
    assert f"name a record's file or a run's id, as in {file}. There are {file} (" in str(caught.value)
