"""Quantities: units are read strictly."""

import pytest

from bench.core.errors import BenchError
from bench.core.quantity import MEBIBYTES, MILLISECONDS, SECONDS, quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [("6ms", 6), ("6 ms", 6), ("0.5s", 500), (".5 s", 500), ("1.25ms", 1.25), (" 2s ", 2000), ("1e3ms", 1000)],
)
def test_times(text: str, value: float) -> None:
    assert quantity(text, MILLISECONDS, "--max-latency") == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1e3", 1000), ("1.5E-1h", 540)]
)
def test_a_number_alone_is_of_seconds(text: str, seconds: float) -> None:
    assert quantity(text, SECONDS, "--timeout") == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "-3s", "nan", "inf", "1d", "1e", "e3", "1e3e", "1e-999"])
def test_what_is_no_stretch_of_time(text: str) -> None:
    with pytest.raises(
        BenchError,
        match=r"--timeout takes a number above 0 with its unit \(s, m, h; s where it has none\), such as 6s, not",
    ):
        quantity(text, SECONDS, "--timeout")


@pytest.mark.parametrize("text", ["1e9", "999999999999h", "1e99h", "1e999", "9" * 400 + "s"])
def test_what_is_too_great(text: str) -> None:
    with pytest.raises(BenchError, match=f"--timeout takes less than 1000000000 s, not '{text}'"):
        quantity(text, SECONDS, "--timeout")
    assert quantity("277777h", SECONDS, "--timeout") < 1e9
    for most, units in (("ms", MILLISECONDS), ("MiB", MEBIBYTES)):
        with pytest.raises(BenchError, match=f"--max-x takes less than 1000000000 {most}, not"):
            quantity(f"1e9{most}", units, "--max-x")


@pytest.mark.parametrize(("text", "size"), [("2GB", 2e9), ("2GiB", 2**31), ("500MB", 5e8), ("1.5 MiB", 1.5 * 2**20)])
def test_sizes(text: str, size: float) -> None:
    assert quantity(text, MEBIBYTES, "--max-memory") * 2**20 == pytest.approx(size)


WRONG = ["", "6", "ms", "6MS", "6 m", "-6ms", "0ms", "nanms", "infms", "1e3", "6ms7", "6,5ms", "6us", "2gb"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_none(text: str) -> None:
    for units in (MILLISECONDS, MEBIBYTES):
        with pytest.raises(BenchError, match="--max-x takes a number above 0 with its unit"):
            quantity(text, units, "--max-x")
