"""Quantities: units are read strictly."""

import pytest

from bench.core.errors import BenchError
from bench.core.quantity import MEBIBYTES, MILLISECONDS, quantity


@pytest.mark.parametrize(
    ("text", "value"), [("6ms", 6), ("6 ms", 6), ("0.5s", 500), (".5 s", 500), ("1.25ms", 1.25), (" 2s ", 2000)]
)
def test_times(text: str, value: float) -> None:
    assert quantity(text, MILLISECONDS, "--max-latency") == pytest.approx(value)


@pytest.mark.parametrize(("text", "size"), [("2GB", 2e9), ("2GiB", 2**31), ("500MB", 5e8), ("1.5 MiB", 1.5 * 2**20)])
def test_sizes(text: str, size: float) -> None:
    assert quantity(text, MEBIBYTES, "--max-memory") * 2**20 == pytest.approx(size)


WRONG = ["", "6", "ms", "6MS", "6 m", "-6ms", "0ms", "nanms", "infms", "1e3ms", "6ms7", "6,5ms", "6us", "2gb"]


@pytest.mark.parametrize("text", [*WRONG, "9" * 400 + "s"])
def test_what_is_none(text: str) -> None:
    for units in (MILLISECONDS, MEBIBYTES):
        with pytest.raises(BenchError, match="--max-x takes a number above 0 with its unit"):
            quantity(text, units, "--max-x")
