"""A cell's scores by slice of the test images, or the gaps between two cells; from their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.core.errors import BenchError
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.aligned import Aligned
from bench.results.board import Group, groups_of
from bench.results.board import rows as rows_of
from bench.results.board.row import Row
from bench.results.find import check_finished, passed_over, pick, pick_one
from bench.results.metric_facts import facts_in, find_key, shown
from bench.results.missing_runs import missing_runs
from bench.results.nothing_in_common import nothing_in_common
from bench.results.record_file import record_name
from bench.results.row_names import heading, label, labels
from bench.results.slices.attribute import Slice, image_facts, same_images
from bench.results.slices.slice_score import Gap, SliceScore, correct
from bench.results.stats.pairing import Pairing
from bench.results.stats.scored import Scored
from bench.results.stats.verdict import lacking
from bench.results.store import Named

T = TypeVar("T")


@dataclass(frozen=True)
class SliceFigures:
    """What is known of a slice, by metric; what could not be computed is left out.

    Attributes:
        slice: the images.
        a, b: figures of either cell; ``b`` is empty for a single cell.
        gaps: A less B.
    """

    slice: Slice
    a: Mapping[str, SliceScore]
    b: Mapping[str, SliceScore]
    gaps: Mapping[str, Gap]


@dataclass(frozen=True)
class Slices:
    """Scores by slice.

    Attributes:
        a, b: the cells' labels, with the precision where they would be equal; ``b`` is empty for a single cell.
        board: protocol and data, in words.
        metrics: keys of those shown, in order.
        facts: what is known of them.
        pairing: the seeds of either side; of A against themselves for a single cell.
        whole: all images.
        parts: the slices, attribute by attribute.
        few: backgrounds or objects that are too few, in words.
        described_by: the file of the record that says what the images are like; "" where a compared one does.
        notes: what a reader should know before believing it.
    """

    a: str
    b: str
    board: str
    metrics: Sequence[str]
    facts: Mapping[str, MetricFacts]
    pairing: Pairing
    whole: SliceFigures
    parts: Sequence[SliceFigures]
    few: Sequence[str]
    described_by: str
    notes: Sequence[str] = ()

    def largest(self, count: int = 5) -> list[tuple[SliceFigures, str]]:
        """The slices and metrics in which the two cells differ most, as a share of what both lack on all images.

        Args:
            count: how many.
        """
        found = [
            (abs(gap.effect) / self._unit(name), part, name) for part in self.parts for name, gap in part.gaps.items()
        ]
        found.sort(key=lambda item: -item[0])
        return [(part, name) for _, part, name in found[:count]]

    def _unit(self, metric: str) -> float:
        if metric not in self.whole.a or metric not in self.whole.b:
            return float("inf")
        means = self.whole.a[metric].mean, self.whole.b[metric].mean
        return lacking(1.0, *means, self.facts[metric].perfect) or float("inf")


def slices(results: Path, a: str, b: str = "", metrics: Sequence[str] = (), within: str = "") -> Slices:
    """Headline metrics by slice of the test images.

    Args:
        results: folder of records.
        a: a cell, ``model:loss``, a record's file, or a run's id.
        b: another to set against it; empty for none.
        metrics: keys; empty for the headline metrics.
        within: part of a board's heading, where the names stand in several.

    Raises:
        UnknownName: no such cell or metric.
        BenchError: a name fits several; no cell has the metrics; no record says what the test images are like.
        BadData: records without per-image metrics beside them.
    """
    records = store.read_all(results)
    check_finished(records)
    groups = groups_of(records)
    board = rows_of(records)
    first, second = record_name(results, a), record_name(results, b)
    rows = pick(board, first, second, within, results) if b else (pick_one(board, first, within, results),)
    known = facts_in(record for _, record in records)
    names = [find_key(name, known) for name in metrics] or shown(known, "headline")
    places = {(row.cell, row.any.division) for row in rows}
    group = next(group for group in groups if places <= {(row.cell, row.any.division) for row in group.board})
    found = slices_of(results, group, rows, [name for name in names if name in group.metrics], records)
    if not found.metrics:
        raise nothing_in_common(rows, names if metrics else ())
    lacking = [name for name in names if name not in found.metrics] if metrics else []
    left_out = [f"{name} is not in {'both' if b else 'the'} records" for name in lacking]
    missing = [] if found.pairing.settles else missing_runs(board, *rows)
    return replace(found, notes=[*left_out, *passed_over(board, *rows), *missing])


def slices_of(
    results: Path, group: Group, rows: Sequence[Row], metrics: Sequence[str], records: Sequence[Named] = ()
) -> Slices:
    """The same of a row of a group, or of two.

    Args:
        results: folder of records.
        group: that the rows stand in.
        rows: a single row, or two to be compared.
        metrics: keys.
        records: any of which with the same test images may describe them; those of the group are among them.

    Raises:
        BenchError: no record says what the test images are like.
        BadData: records without per-image metrics beside them.
    """
    first, last = rows[0], rows[-1]
    pairing = Pairing.of(tuple(first.records), tuple(last.records), first.learns, last.learns)
    sides = [[row.records[seed][0] for seed in seeds] for row, seeds in ((first, pairing.a), (last, pairing.b))]
    aligned = Aligned.of(results, [*sides[0], *sides[1]])
    samples = next(iter(aligned.tables.values()))["sample"].tolist()
    own = [*sides[0], *sides[1]]
    others = same_images((*group.members, *records), next(iter(first.records.values()))[1])
    described = image_facts(results, dict.fromkeys([*own, *others]), samples)
    if described is None:
        raise BenchError(
            f"no record says what the test images of {heading(first)} are like: all were made before that was "
            "recorded. They are the same for every model: run any model once on this data at this size; a baseline "
            "takes seconds (bench run --model difference ...)"
        )
    scored = {name: _scored(aligned, sides, name, group.metrics[name]) for name in metrics}
    defined = {name: both for name, both in scored.items() if both is not None}
    everything = Slice("", "all images", np.ones(len(samples), dtype=np.bool_))
    cuts = [everything, *(part for attribute in described.attributes for part in attribute.slices())]
    figures = [_figures(cut, defined, group.metrics, aligned, pairing, compared=len(rows) > 1) for cut in cuts]
    names = labels(first, last) if len(rows) > 1 else (label(first), "")
    return Slices(
        a=names[0],
        b=names[1],
        board=heading(first),
        metrics=list(defined),
        facts=group.metrics,
        pairing=pairing,
        whole=figures[0],
        parts=_corrected(figures[1:]),
        few=aligned.grouping.few,
        described_by="" if described.record in own else described.record,
    )


def _scored(
    aligned: Aligned, sides: Sequence[Sequence[str]], metric: str, facts: MetricFacts
) -> tuple[Scored, Scored] | None:
    """Both sides on a metric; None where a side lacks it."""
    try:
        a, b = (aligned.scored(side, metric, facts) for side in sides)
    except LookupError:
        return None
    return a, b


def _figures(
    cut: Slice,
    scored: Mapping[str, tuple[Scored, Scored]],
    known: Mapping[str, MetricFacts],
    aligned: Aligned,
    pairing: Pairing,
    compared: bool,
) -> SliceFigures:
    grouping, images = aligned.grouping, cut.images
    a = {name: SliceScore.of(left, grouping, images, known[name].bounds) for name, (left, _) in scored.items()}
    b, gaps = {}, {}
    for name, both in scored.items() if compared else ():
        b[name] = SliceScore.of(both[1], grouping, images, known[name].bounds)
        gaps[name] = Gap.of(*both, grouping, pairing, images, known[name].bounds)
    return SliceFigures(cut, _known(a), _known(b), _known(gaps))


def _known(found: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in found.items() if value is not None}


def _corrected(parts: Sequence[SliceFigures]) -> list[SliceFigures]:
    corrected = correct(dict(_p_values(parts)))
    return [
        replace(
            part,
            gaps={name: replace(gap, corrected=corrected.get((index, name))) for name, gap in part.gaps.items()},
        )
        for index, part in enumerate(parts)
    ]


def _p_values(parts: Sequence[SliceFigures]) -> Iterator[tuple[tuple[int, str], float]]:
    for index, part in enumerate(parts):
        for name, gap in part.gaps.items():
            if gap.p is not None:
                yield (index, name), gap.p
