"""Choosing from a board: limits, the front by brute force, its probabilities, and what comes nearest."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.core.errors import BenchError
from bench.report.terminal.results.choice_table import choice_table
from bench.results.board.row import Row
from bench.results.choose.choice import Choice, board_of, choose
from bench.results.choose.front import front
from bench.results.choose.limit import LATENCY, MEMORY, Limit, metric_limits
from bench.results.metric_facts import facts_in
from bench.results.store.latency import Latency, LatencyKey
from registry.errors import UnknownName
from tests.bench.results_folder import keep

MS = {"unet": 5.0, "wnet": 9.0, "masknet": 6.0, "twin_unet": 2.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """wnet is better than unet and slower; masknet is worse than unet and slower; twin_unet has one seed."""
    for seed in range(3):
        for model, dice in (("unet", 0.8), ("wnet", 0.9), ("masknet", 0.7)):
            keep(tmp_path, dice + 0.004 * seed, seed, model=model)
    keep(tmp_path, 0.75, 0, model="twin_unet")
    keep(tmp_path, 0.3, 0, model="difference", recipe="")
    return tmp_path


def measured(rows: list[Row]) -> list[Latency]:
    key = {"code": "", "size": 64, "precision": "float32", "memory_format": "channels_last", "fingerprint": "f"}
    return [
        Latency(
            key=LatencyKey(model=row.model, **key), ms=MS[row.model], low=0.9 * MS[row.model], high=1.1 * MS[row.model],
            restarts=4, peak_mib=10 * MS[row.model], measured="2026-01-01T00:00:00+00:00",
        )
        for row in rows
    ]  # fmt: skip


def chosen(folder: Path, *limits: Limit, metrics: tuple[str, ...] = ()) -> Choice:
    return choose(folder, board_of(folder), limits, metrics, measured)


def test_what_has_no_probability_says_why(folder: Path) -> None:
    next(folder.glob("unet*.images.csv")).unlink()
    found = chosen(folder)
    assert {candidate.row.model: candidate.unknown for candidate in found.candidates} == {
        "wnet": "", "unet": "a missing or damaged per-image table", "masknet": "", "twin_unet": "a single seed",
    }  # fmt: skip
    assert "· has no probability: a missing or damaged per-image table, a single seed." in text(found)
    (alarm,) = found.alarms
    assert alarm.startswith("unet") and f"Alarm: {alarm[:90]}" in text(found)


def test_where_nothing_learns_the_way_out_is_named(tmp_path: Path) -> None:
    keep(tmp_path, 0.3, 0, model="difference", recipe="")
    with pytest.raises(BenchError, match="no model that learns has finished in"):
        board_of(tmp_path)


def within(ms: float) -> Limit:
    return Limit(LATENCY, ms, True, f"--max-latency {ms}ms")


def text(choice: Choice) -> str:
    page = io.StringIO()
    Console(width=160, file=page).print(choice_table(choice))
    return page.getvalue()


def test_the_front_and_how_sure_it_is(folder: Path) -> None:
    found = {candidate.row.model: candidate for candidate in chosen(folder).candidates}
    assert set(found) == {"unet", "wnet", "masknet", "twin_unet"}
    assert {model for model, candidate in found.items() if candidate.front} == {"unet", "wnet", "twin_unet"}
    assert (found["wnet"].chance_front or 0) > 0.95
    assert found["masknet"].chance_front == pytest.approx(0, abs=0.05)
    assert found["twin_unet"].chance_front is None


def test_limits_and_their_chances(folder: Path) -> None:
    limits = metric_limits(["mask_dice=0.8"], False, facts_in([]))
    found = {candidate.row.model: candidate for candidate in chosen(folder, within(5.0), *limits).candidates}
    assert {model for model, candidate in found.items() if candidate.meets} == {"unet"}
    assert 0.2 < (found["unet"].chance_meets or 0) < 0.7  # its latency is as likely above 5 ms as below
    assert found["wnet"].chance_meets == 0
    shown = text(chosen(folder, within(5.0), *limits))
    assert "1 of 4 candidates" in shown
    assert "masknet" not in shown


def test_what_comes_nearest_where_nothing_fits(folder: Path) -> None:
    limits = [within(4.0), *metric_limits(["mask_dice=0.85"], False, facts_in([]))]
    found = chosen(folder, *limits)
    nearest = {limit.name: [candidate.row.model for candidate in near] for limit, near in found.nearest.items()}
    assert nearest[LATENCY][0] == "wnet"  # the only one that meets the other limit
    assert nearest["mask_dice"][0] == "twin_unet"
    assert "No candidate meets all the limits" in text(found)
    assert "2.2 times it" in text(found)
    assert "every candidate meets it" in text(chosen(folder, within(1.0), Limit(MEMORY, 1e6, True, "--max-memory 1TB")))


def test_without_measuring_parameters_count(folder: Path) -> None:
    found = choose(folder, board_of(folder), [])
    assert found.objectives == ["mask_dice", "parameters"]
    assert [candidate.row.model for candidate in found.candidates if candidate.front] == ["wnet"]


def test_metrics_that_count_beside_those_of_the_limits(folder: Path) -> None:
    assert chosen(folder, metrics=("depth_rmse",)).objectives == ["depth_rmse", LATENCY, MEMORY]


def test_boards(folder: Path) -> None:
    keep(folder, 0.8, data={"kind": "other", "camera": "still"})
    with pytest.raises(BenchError, match="several boards"):
        board_of(folder)
    assert board_of(folder, "other").board[0].model == "unet"
    with pytest.raises(BenchError, match="no board"):
        board_of(folder, "nothing")


@pytest.mark.parametrize(
    "words", ["mask_dice", "mask_dice=", "=0.5", "mask_dice=high", "mask_dice=nan", "depth_rmse=0.5"]
)
def test_limits_that_are_none(words: str) -> None:
    with pytest.raises(BenchError):
        metric_limits([words], False, facts_in([]))


def test_a_limit_on_the_wrong_side_says_the_right_one() -> None:
    with pytest.raises(BenchError, match=r"lower is better; write --max depth_rmse=0\.5"):
        metric_limits(["depth_rmse=0.5"], False, facts_in([]))
    with pytest.raises(UnknownName):
        metric_limits(["no_such=1"], True, facts_in([]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=8))
def test_the_front_by_its_definition(points: list[tuple[int, int, bool]]) -> None:
    values = np.array([point[:2] for point in points], dtype=float)
    eligible = np.array([point[2] for point in points])
    expected = [
        ok and not any(good and (v >= u).all() and (v > u).any() for v, good in zip(values, eligible, strict=True))
        for u, ok in zip(values, eligible, strict=True)
    ]
    np.testing.assert_array_equal(front(values, eligible), expected)
