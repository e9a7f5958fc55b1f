"""From windows to timings against numpy: quantiles, shares, closure, and which windows count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.timing.summary import block_rows, block_times, summarise_windows, undisturbed
from bench.timing.window import Window

MS = st.floats(0.01, 50)


@st.composite
def marked(draw: st.DrawFn) -> list[Window]:
    """Windows whose blocks leave some time of every step, and between steps, without a name."""
    windows = []
    for _ in range(draw(st.integers(1, 4))):
        steps = draw(st.integers(1, 5))
        blocks = {name: draw(st.lists(MS, min_size=steps, max_size=steps)) for name in ("forward", "backward")}
        rest, between = (draw(st.lists(MS, min_size=steps, max_size=steps)) for _ in range(2))
        step = [sum(parts) for parts in zip(*blocks.values(), rest, strict=True)]
        seconds = (sum(step) + sum(between)) / 1e3
        windows.append(Window(steps, 8 * steps, seconds, {**blocks, "step": step}))
    return windows


@settings(max_examples=60)
@given(marked())
def test_blocks_are_what_numpy_says(windows: list[Window]) -> None:
    blocks, closure = block_times(windows)
    whole = sum(1e3 * window.seconds for window in windows)
    named = 0.0
    for name in ("forward", "backward"):
        row = np.concatenate([(window.blocks or {})[name] for window in windows])
        found = blocks[name]
        expected = np.quantile(row, [0.25, 0.5, 0.75, 0.95])
        np.testing.assert_allclose([found.q1_ms, found.median_ms, found.q3_ms, found.p95_ms], expected, rtol=1e-9)
        assert found.share == pytest.approx(row.sum() / whole)
        named += row.sum()
    assert closure == pytest.approx(named / whole)
    assert sum(block.share for block in blocks.values()) == pytest.approx(1)


@given(marked())
def test_rows_hold_every_millisecond_of_the_windows(windows: list[Window]) -> None:
    rows = block_rows(windows)
    assert {len(row) for row in rows.values()} == {sum(window.steps for window in windows)}
    assert sum(map(sum, rows.values())) == pytest.approx(sum(1e3 * window.seconds for window in windows))
    assert min(rows["unattributed"]) > 0


def test_a_block_that_some_windows_lack_counts_as_nothing_in_them() -> None:
    windows = [
        Window(2, 2, 0.02, {"step": [10.0, 10.0], "clip": [4.0, 6.0]}),
        Window(2, 2, 0.02, {"step": [10.0, 10.0]}),
    ]
    rows = block_rows(windows)
    assert rows["clip"] == [4.0, 6.0, 0.0, 0.0]
    assert rows["unattributed"] == pytest.approx([6.0, 4.0, 10.0, 10.0])


def test_disturbed_windows_count_only_where_there_are_no_others() -> None:
    calm, noisy = Window(1, 1, 1.0, None), Window(1, 1, 9.0, None, disturbed="another process")
    assert undisturbed([calm, noisy]) == [calm]
    assert undisturbed([noisy, noisy]) == [noisy, noisy]
    assert summarise_windows([calm, noisy, calm, noisy, calm]).step_ms == pytest.approx(1e3)
    assert summarise_windows([noisy] * 3).step_ms == pytest.approx(9e3)


@given(st.lists(st.floats(0.1, 9), min_size=3, max_size=9))
def test_rates_are_medians_of_plain_windows_without_the_first(seconds: list[float]) -> None:
    windows = [Window(4, 32, each, None) for each in seconds]
    timings = summarise_windows(windows)
    assert timings.images_per_second == pytest.approx(np.median([32 / each for each in seconds[1:]]))
    assert timings.step_ms == pytest.approx(np.median([250 * each for each in seconds[1:]]))
    assert timings.steps == 4 * len(seconds)
    assert timings.seconds == pytest.approx(sum(seconds))
    assert timings.perturbation is None


def test_marked_windows_give_the_rate_where_there_are_no_plain_ones() -> None:
    windows = [Window(1, 8, seconds, {"step": [1e3 * seconds]}) for seconds in (5.0, 1.0, 1.0)]
    assert summarise_windows(windows).images_per_second == pytest.approx(8)


@pytest.mark.parametrize("change", [{"disturbed": "load"}, {"engine": "graphed"}])
def test_perturbation_leaves_out_what_is_not_alike(change: dict[str, str]) -> None:
    def windows(**odd: str) -> list[Window]:
        plain = [Window(1, 1, 1.0, None) for _ in range(4)]
        step = {"step": [1100.0]}
        return [
            plain[0],
            plain[1],
            Window(1, 1, 1.1, step),
            Window(1, 1, 1.0, None, **odd),
            Window(1, 1, 1.3, step),
            plain[3],
        ]  # type: ignore[arg-type]

    assert summarise_windows(windows()).perturbation == pytest.approx(1.2)
    found = summarise_windows(windows(**change)).perturbation
    assert found is None if "disturbed" in change else found == pytest.approx(1.1)
