"""A table of figures: a figure of several words is neither folded nor cut on any terminal."""

from __future__ import annotations

import pytest

from bench.report.terminal.figure_table import FigureTable
from tests.bench.report.terminal.drawn import drawn

FIGURE, REMARK = "0.8517 [0.8391, 0.8612]", "best with 96 %, of 12 seeds"


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_what_belongs_together_stays_on_one_line(width: int) -> None:
    table = FigureTable(["model"], ["mask Dice (95 % interval)"], ["what is known"])
    table.add("a name of several words that may be folded", FIGURE, REMARK)
    text = drawn(table, width)
    for whole in ("mask Dice (95 % interval)", "what is known", FIGURE, REMARK):
        assert any(whole in line for line in text.splitlines()), text


def test_names_are_folded_between_words_where_room_is_short() -> None:
    table = FigureTable(["model"], ["Dice"])
    table.add("first second third", "0.8517")
    lines = drawn(table, 16).splitlines()
    assert [line.split()[0] for line in lines] == ["model", "first", "second", "third"]
    assert drawn(table, 80).splitlines()[1].split() == ["first", "second", "third", "0.8517"]
