"""Every table and block of lines for the terminal: hostile names stand as they are, no figure is cut at any width."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Group, RenderableType
from rich.text import Text

from bench.core.finding import Finding
from bench.core.record import Record, Score
from bench.core.record.evaluation import EvaluationRecord
from bench.data.inspection.inspection import Inspection
from bench.metrics import metrics
from bench.report.terminal.findings_table import findings_table
from bench.report.terminal.inspection_table import inspection_lines
from bench.report.terminal.results.board_table import board_tables
from bench.report.terminal.results.choice_table import choice_table
from bench.report.terminal.results.comparison_table import comparison_table
from bench.report.terminal.results.evaluation_table import evaluation_table, order_table
from bench.report.terminal.results.explanation_table import explanation_tables
from bench.report.terminal.results.robustness_table import robustness_table
from bench.report.terminal.results.slices_table import slices_table
from bench.report.terminal.results.transfer_table import transfer_table
from bench.report.terminal.run_summary import result_lines
from bench.report.terminal.runs_table import runs_table
from bench.report.terminal.sweep_plan import failure_line, plan_lines
from bench.results import store
from bench.results.board import groups_of
from bench.results.board.overview import overview
from bench.results.board.standings import Images
from bench.results.choose.choice import choose
from bench.results.choose.limit import Limit
from bench.results.compare import compare_rows
from bench.results.explain.explained import Effect, Explained, VariancePart
from bench.results.explain.explanation import Explanation
from bench.results.explain.grid import Grid
from bench.results.explain.next_cell import NextCell
from bench.results.slices.attribute import Slice
from bench.results.slices.slice_score import Gap, SliceScore
from bench.results.slices.slices import SliceFigures, Slices
from bench.results.stats.pairing import Pairing
from bench.results.stats.ranks.kendall import RankAgreement
from bench.results.transfer import Transfer
from bench.run.evaluate.board_evaluation import BoardEvaluation
from bench.run.robust.robustness import Curve, Robustness
from bench.run.stored_runs import StoredRun
from bench.run.sweep.plan import Plan
from tests.bench.records import ENVIRONMENT, record
from tests.bench.report.terminal.drawn import ESCAPE, HOSTILE, WIDTHS, drawn, figures, squeezed
from tests.bench.results_folder import keep

FACTS = {name: metrics.facts(name) for name in ("mask_dice", "depth_rmse")}
IMAGES = np.ones(8, dtype=np.bool_)


def board(folder: Path, name: str):
    """A leaderboard of a model of that name and of another."""
    for seed in range(3):
        keep(folder, 0.80 + seed / 100, seed, model=name)
        keep(folder, 0.70 + seed / 50, seed, model="wnet", recipe=f"mask: {name}", recipe_name=f"mask: {name}")
    (group,) = groups_of(store.read_all(folder))
    return group


def failed(name: str) -> Record:
    return record(model=name, recipe_name=name, outcome="failed", reason=f"ValueError: {name}")


def _findings(name: str, _: Path) -> RenderableType:
    broken = Finding(check=name, grade="broken", finding=f"{name} is 11.25", advice=f"mend {name}")
    return findings_table([broken, Finding(check="split", grade="ok", finding="nothing of 2,048 is shared")])


def _inspection(name: str, _: Path) -> RenderableType:
    found = Inspection(
        source={"kind": name, "split": "unseen-both"},
        parts={"train": {"quartets": 12345, "looked_at": 256, "backgrounds": 59, "objects": 60}},
        fields={"bg": {"mean": [0.125, 0.25, 0.375], "std": [0.5, 0.625, 0.75]}},
        coverage=[0.01, 0.02, 0.15, 0.4, 0.9],
        depth={"encoding": "metric, 1.0 = 10 m", "known": 0.9, "median": 0.3125, "histogram": [0.0, 0.5, 1.0, 0.25]},
        sizes={f"{side}x{side}": side for side in range(100, 108)},
        notes=[f"{name}: 3 .txt not looked at"],
        findings=[Finding(check="files", grade="warn", finding=name, advice=f"mend {name}")],
    )
    return Group(*map(Text, inspection_lines(found)))


def _runs(name: str, folder: Path) -> RenderableType:
    stored = StoredRun(
        folder / name.replace("/", "-"), record(model=name).spec, "unfinished", 2**21, time.time() - 7300
    )
    return runs_table([stored, StoredRun(folder / "packed", None, "packed samples", 5 * 2**20, time.time() - 50)])


def _summary(name: str, _: Path) -> RenderableType:
    baselines = [record(model="constant", recipe="", dice=0.5, rmse=0.1)]
    lines = result_lines(record(model=name, dice=0.75), Path("results/x.json"), Path("runs"), False, baselines)
    return Group(Text(lines), Text(result_lines(failed(name), Path("results/x.json"), Path("runs"), True, baselines)))


def _plan(name: str, _: Path) -> RenderableType:
    cell = SimpleNamespace(label=f"{name} x bce", model=name, recipe_name="bce")
    plan = Plan(
        cells=[cell] * 3, left_out=[cell] * 10, alike=[[cell] * 2], seeds=5, tasks=18, trials=40, trials_done=12,
        done=7, failed=[failed(name)] * 9, left=[SimpleNamespace(trial=None)] * 2, to_come=4, seconds=9000.0,
        unknown=1, needed=3_200_000_000, free=1_100_000_000, at_once=2,
    )  # fmt: skip
    return Group(*map(Text, plan_lines(plan, f"bench sweep {name} --again")))


def _comparison(name: str, folder: Path) -> RenderableType:
    rows = board(folder, name).board
    return comparison_table(compare_rows(folder, *rows, metrics=["mask_dice", "depth_rmse", "mask_iou"]))


def _board(name: str, folder: Path) -> RenderableType:
    return board_tables([*overview([board(folder, name)], Images(folder))], [*FACTS], FACTS)


def _choice(name: str, folder: Path, least: float = 0.6) -> RenderableType:
    group = board(folder, name)
    return choice_table(choose(folder, group, [Limit("mask_dice", least, False, f"--min mask_dice={least}")]))


def _explanation(name: str, _: Path) -> RenderableType:
    parts = [VariancePart("architecture", 0.04, 0.8, 0.5, 0.95), VariancePart("seed", 0.01, 0.2, 0.005, 0.5)]
    effects = [Effect(name, 0.0125, -0.01, 0.03, 5), Effect("wnet", -0.0125, -0.03, 0.01, 2)]
    grid = Grid([(name, name, [0.8, 0.81]), ("wnet", name, [0.7])])
    explained = {key: Explained(grid, parts, effects, effects[:1], np.ones(4), []) for key in FACTS}
    following = [NextCell(name, f"mask: {name}", 7, 0.375)]
    return explanation_tables(
        [Explanation(name, explained, FACTS, following, [f"bench run {name}"], [f"a single loss, {name}"])]
    )


def _transfer(name: str, folder: Path) -> RenderableType:
    rows = board(folder, name).board
    found = compare_rows(folder, *rows, metrics=["mask_dice"]).findings["mask_dice"]
    notes = (f"of {name} no other seed ran",)
    return transfer_table([Transfer(name, f"{name}:twin", name, "mask_dice", FACTS["mask_dice"], found, notes)])


def _slices(name: str, folder: Path) -> RenderableType:
    score, other = SliceScore(0.8125, 0.78, 0.84), SliceScore(0.75, 0.7, 0.8)
    gap = Gap(0.0625, 0.01, 0.11, 0.003, 0.03)
    whole = SliceFigures(
        Slice("", "all images", IMAGES), {"mask_dice": score}, {"mask_dice": other}, {"mask_dice": gap}
    )
    part = SliceFigures(Slice("object size", f"{name} to 0.05", IMAGES), {"mask_dice": score}, {}, {"mask_dice": gap})
    both = Pairing((0,), (0,))
    few = ["4 objects"]
    return slices_table(Slices(name, f"{name}:2", "quick", [*FACTS], FACTS, both, whole, [part], few, name))


def _robustness(name: str, _: Path) -> RenderableType:
    values = (0.9, 0.85, 0.8, 0.6, 0.4, None)
    curve = Curve(name, f"{name} blurs", "px", (0.5, 1.0, 2.0, 4.0, 8.0), values, (0.5,) * 6, 4)
    return robustness_table(
        Robustness(name, "0" * 12, {}, 256, "mask_dice", FACTS["mask_dice"], name, (curve,), (f"note on {name}",))
    )


def _evaluation(name: str, _: Path) -> RenderableType:
    scores = {"mask_dice": Score(value=0.625, images=60), "depth_rmse": Score(value=None, images=0)}
    trained = record(model=name, dice=0.875)
    found = EvaluationRecord(
        run=trained.id, cell=trained.cell, record="x.json", model=name, recipe_name=name, seed=0,
        trained_on=trained.spec.data, data={"kind": name, "camera": "still"}, size=64, samples=60, fitted_on=256,
        test=scores, baselines={"difference": scores, name: {}}, skill={"mask_dice": 0.25, "depth_rmse": None},
        metrics=FACTS, notes=[f"{name} has no depth"], finished="", code="", environment=ENVIRONMENT,
    )  # fmt: skip
    return evaluation_table(found, trained)


def _order(name: str, _: Path) -> RenderableType:
    here, there = np.array([0.8125, 0.75]), np.array([0.5, np.nan])
    known, unknown = RankAgreement(1.0, 0.25, 1.0, here, there), RankAgreement(-1.0, np.nan, np.nan, here, there)
    agreements = {"mask_dice": known, "depth_rmse": unknown}
    return order_table(BoardEvaluation(name, (name, "wnet"), (3, 1), agreements, FACTS, (name, "unet")))


TABLES: dict[str, Callable[[str, Path], RenderableType]] = {
    function.__name__.strip("_"): function
    for function in (
        _findings, _inspection, _runs, _summary, _plan, _comparison, _board, _choice, _explanation, _transfer, _slices,
        _robustness, _evaluation, _order,
    )
} | {"choice without an answer": lambda name, folder: _choice(name, folder, 0.99)}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], RenderableType]:
    """Each table with each name, made once."""
    kept: dict[tuple[str, str], RenderableType] = {}

    def table(which: str, kind: str) -> RenderableType:
        if (which, kind) not in kept:
            kept[which, kind] = TABLES[which](HOSTILE[kind], tmp_path_factory.mktemp("records"))
        return kept[which, kind]

    return table


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("which", TABLES)
def test_names_stand_as_they_are_and_no_figure_is_cut(which: str, kind: str, made: Any) -> None:
    table = made(which, kind)
    piped = drawn(table, terminal=False)
    assert not ESCAPE.search(piped)
    assert HOSTILE[kind] in piped, piped
    whole = figures(piped)
    assert whole
    for width in WIDTHS:
        text = drawn(table, width)
        assert "…" not in text
        assert squeezed(HOSTILE[kind])[:4] in squeezed(text)
        if "Left out at this width" in " ".join(text.split()):
            assert not figures(text) - whole, (width, text)
        elif kind != "long":  # a word longer than the terminal is folded, and the figures in it with it
            assert not whole - figures(text), (width, whole - figures(text), text)
    assert squeezed(drawn(table, 200)) == squeezed(piped) or kind in ("long",), "a wide terminal shows what a pipe gets"


@pytest.mark.parametrize("outcome", ["diverged", "oom", "failed", "killed", "timeout"])
def test_a_failed_run_is_a_line_whatever_its_reason(outcome: str) -> None:
    line = failure_line(record(outcome=outcome, reason="one\ntwo\t\r three" + 300 * "x"))
    assert len(line.splitlines()) == 1
    assert line.startswith(f"{outcome}: unet x bce_ssim, seed 0: one two three")
    assert len(line) < 260
