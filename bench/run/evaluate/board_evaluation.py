"""All cells of a leaderboard on another data set: does their order hold on it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bench.core.errors import BenchError
from bench.core.progress import Progress, no_progress
from bench.core.record import UNTUNED
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.aligned import Aligned
from bench.results.board import Group, groups_of
from bench.results.metric_facts import shown
from bench.results.row_names import has_part, label
from bench.results.stats.ranks.kendall import Measured, RankAgreement, agreement
from bench.results.store import evaluations
from bench.run.evaluate.evaluation import Evaluator
from bench.run.trained import load_run
from bench.train.checkpoints.training_state import BEST

_FEWEST = 2


@dataclass(frozen=True)
class BoardEvaluation:
    """A leaderboard on another data set.

    Attributes:
        title: of the leaderboard.
        cells: labels of those that were evaluated.
        seeds: of each, how many.
        agreements: by metric, of the order on the leaderboard's own test and of that on the other data.
        facts: of these metrics.
        left_out: cells without weights, or without per-image metrics.
        notes: of the evaluations, each once.
    """

    title: str
    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    agreements: Mapping[str, RankAgreement]
    facts: Mapping[str, MetricFacts]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_board(results: Path, text: str) -> Group:
    """The only leaderboard whose heading is a text, or has it as a part; ``untuned`` ends a heading without tuning.

    Raises:
        BenchError: none does, or several do.
    """
    groups = groups_of(store.read_all(results))
    found = [group for group in groups if text == group.title] or [
        group for group in groups if has_part(_heading(group), text)
    ]
    if len(found) != 1:
        titles = "; ".join(map(_heading, found or groups)) or "none, for want of finished records"
        raise BenchError(f"{'several leaderboards are' if found else 'no leaderboard is'} called {text!r}: {titles}")
    return found[0]


def _heading(group: Group) -> str:
    return group.title + (f" · {UNTUNED}" if group.members[0][1].division == UNTUNED else "")


def evaluate_board(
    evaluator: Evaluator, group: Group, runs: Path, device: torch.device, progress: Progress = no_progress
) -> BoardEvaluation:
    """Evaluate every seed of every cell that left weights, and set the two orders against each other.

    Args:
        evaluator: on the other data.
        group: the leaderboard.
        runs: folder of weights.
        device: where to compute.
        progress: called after every run.

    Raises:
        BenchError: fewer than two cells have weights, or a cell cannot be evaluated on the other data.
    """
    chosen: dict[int, list[str]] = {}
    rows = [row for row in group.board if row.learns]
    for place, row in enumerate(rows):
        names = [name for name, record in row.records.values() if (runs / record.id / BEST).exists()]
        if names and all((evaluator.results / name).with_suffix(store.IMAGES).exists() for name in names):
            chosen[place] = names
    if len(chosen) < _FEWEST:
        raise BenchError(
            f"{len(chosen)} of {len(rows)} cells left weights in {runs}: an order needs {_FEWEST} at least"
        )
    evaluated: dict[str, str] = {}
    notes: dict[str, None] = {}
    total = sum(map(len, chosen.values()))
    for place, names in chosen.items():
        for name, record in rows[place].records.values():
            if name in names:
                evaluation, path = evaluator.evaluate(load_run(runs, name, record, device))
                notes |= dict.fromkeys(evaluation.notes)
                evaluated[name] = path.name
                progress(label(rows[place]), len(evaluated), total)
    cells = [rows[place] for place in chosen]
    agreements = _agreements(evaluator.results, list(chosen.values()), evaluated, group.metrics)
    return BoardEvaluation(
        title=group.title,
        cells=tuple(map(label, cells)),
        seeds=tuple(map(len, chosen.values())),
        agreements=agreements,
        facts={name: group.metrics[name] for name in agreements},
        left_out=tuple(label(row) for place, row in enumerate(rows) if place not in chosen),
        notes=tuple(notes),
    )


def _agreements(
    results: Path,
    names: Sequence[Sequence[str]],
    evaluated: Mapping[str, str],
    facts: Mapping[str, MetricFacts],
) -> dict[str, RankAgreement]:
    """By headline metric; those that a cell lacks on either side are left out."""
    flat = [name for of_cell in names for name in of_cell]
    own = Aligned.of(results, flat)
    other = Aligned.of(results / evaluations.FOLDER, [evaluated[name] for name in flat], evaluations.read_images)
    found = {}
    for metric in shown(facts, "headline"):
        try:
            here = Measured([own.scored(of_cell, metric, facts[metric]) for of_cell in names], own.grouping)
            away = [other.scored([evaluated[name] for name in of_cell], metric, facts[metric]) for of_cell in names]
        except KeyError:
            continue
        found[metric] = agreement(here, Measured(away, other.grouping), np.random.default_rng(0))
    return found
