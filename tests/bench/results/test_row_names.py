"""What rows answer to, and how rows of the same label are told apart."""

import pytest

from bench.results.board import Row, rows
from bench.results.row_names import full_name, full_names, labels, names, stands_within
from tests.bench.records import done_in, record


def row(**changes: object) -> Row:
    """A row of one record."""
    (only,) = rows([("a.json", done_in(**changes))])  # type: ignore[arg-type]
    return only


def test_the_full_name_is_one_word_and_no_other_rows() -> None:
    usual, unusual = row(precision="bfloat16"), row(precision="bfloat16", memory_format="contiguous")
    assert full_name(usual) == "unet:bce_ssim:bfloat16"
    assert full_name(unusual) == "unet:bce_ssim:bfloat16,contiguous"
    for one, other in ((usual, unusual), (unusual, usual)):
        assert full_name(one) in names(one) & full_names(one)
        assert full_name(one) not in full_names(other)


def test_labels_that_would_be_equal_have_what_tells_the_rows_apart() -> None:
    plain, quick = row(precision="float32"), row(precision="bfloat16")
    assert labels(plain, row(model="wnet", precision="float32")) == ("unet:bce_ssim", "wnet:bce_ssim")
    assert labels(plain, quick) == ("unet:bce_ssim:float32", "unet:bce_ssim:bfloat16")
    assert labels(plain, plain) == ("unet:bce_ssim", "unet:bce_ssim")
    here, there = (rows([("a.json", record(arithmetic=digit * 12))])[0] for digit in "ab")
    assert labels(here, there) == tuple(f"unet:bce_ssim (arithmetic {digit * 12})" for digit in "ab")


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
