"""Options of sources: every type reads its text, refuses what it cannot be, and names itself in the message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.options import REQUIRED, Option, read_options
from bench.data.sources import BUILT_IN, declared

NUMBERS = st.floats(-1e6, 1e6)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_read_from_their_text(value: int) -> None:
    option = Option("count", int, 0, "")
    assert option.read(str(value)) == option.read(value) == option.read(float(value)) == value
    with pytest.raises(BenchError, match="--count must be a whole number"):
        option.read(value + 0.5)


@given(NUMBERS)
def test_numbers_read_from_their_text(value: float) -> None:
    option = Option("share", float, 0.0, "")
    assert option.read(repr(value)) == option.read(value) == value


@pytest.mark.parametrize("text", ["true", "Yes", "ON", "1"])
def test_switches(text: str) -> None:
    option = Option("skip", bool, False, "")
    assert option.read(text) is True
    opposite = {"true": "False", "Yes": "no", "ON": "off", "1": "0"}[text]
    assert option.read(opposite) is False


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "three", "a whole number, not 'three'"),
        (int, True, "a whole number, not True"),
        (float, "much", "a number, not 'much'"),
        (float, False, "a number, not False"),
        (bool, "perhaps", "true or false, not 'perhaps'"),
        (Path, 3.5, "a path, not 3.5"),
    ],
)
def test_what_it_cannot_be(kind: type, value: Any, words: str) -> None:
    with pytest.raises(BenchError, match=f"--thing must be {words}"):
        Option("thing", kind, None, "").read(value)


@given(low=NUMBERS, width=st.floats(0, 1e6), value=NUMBERS)
def test_limits_are_inclusive(low: float, width: float, value: float) -> None:
    option = Option("x", float, low, "", between=(low, low + width))
    assert option.read(low) == low
    assert option.read(low + width) == low + width
    if low <= value <= low + width:
        assert option.read(value) == value
    else:
        with pytest.raises(BenchError, match="--x must be from"):
            option.read(value)


@pytest.mark.parametrize("text", ["0.5,80", "0.5 80", "0.5, 80", (0.5, 80), [0.5, "80"]])
def test_several_numbers_at_once(text: Any) -> None:
    option = Option("range", float, None, "", numbers=2)
    assert option.read(text) == (0.5, 80.0)
    with pytest.raises(BenchError, match="takes 2 values, not 3"):
        option.read("1 2 3")


def test_repeatable_options_are_tuples() -> None:
    option = Option("root", Path, REQUIRED, "", repeatable=True)
    assert option.read("a") == (Path("a"),)
    assert option.read(["a", "b"]) == (Path("a"), Path("b"))


def test_all_options_of_a_source() -> None:
    options = (Option("a", int, 3, ""), Option("b", Path, REQUIRED, "", flag="bee"), Option("c", str, None, ""))
    assert read_options("mine", options, {"b": "x"}) == {"a": 3, "b": Path("x"), "c": None}
    with pytest.raises(BenchError, match="data source 'mine' needs --bee"):
        read_options("mine", options, {"a": 1})
    with pytest.raises(BenchError, match=r"takes no option 'd' \(it takes: a, b, c\)"):
        read_options("mine", options, {"b": "x", "d": 1})


@pytest.mark.parametrize("kind", BUILT_IN)
def test_declared_options_are_complete(kind: str) -> None:
    options = declared(kind)
    assert len({option.name for option in options}) == len({option.spelled for option in options}) == len(options)
    for option in options:
        assert option.help.endswith("."), f"{kind}: {option.name} has no sentence of help"
        if option.default is not REQUIRED and option.default is not None:
            assert option.read(option.default) == option.default, f"{kind}: the default of {option.name} is refused"
