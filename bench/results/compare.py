"""Is A better than B: two cells of one protocol and one data set, metric by metric, from their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.core.errors import BadData, BenchError
from bench.core.metric_facts import MetricFacts
from bench.results import store
from bench.results.board import Row, rows
from bench.results.find import heading, label, pick
from bench.results.metric_facts import facts_in, find_key, shown
from bench.results.stats.bootstrap import Scored, paired_bootstrap
from bench.results.stats.verdict import Finding, judge

MARGIN = 0.05
"""Differences within this share of B's distance from a perfect score count as equal."""


@dataclass(frozen=True)
class Comparison:
    """Two cells side by side.

    Attributes:
        a, b: the cells' labels, ``model:loss``.
        board: the protocol and data that both share, in words.
        seeds: pairs of seeds, of A and of B; the same number twice except where two single records were named.
        images, groups: test images both were scored on, and the backgrounds these show.
        findings: by metric.
        facts: what is known of the metrics, by key.
        skipped: metrics that could not be compared, with the reason.
        notes: what a reader should know before believing it.
    """

    a: str
    b: str
    board: str
    seeds: tuple[tuple[int, int], ...]
    images: int
    groups: int
    findings: Mapping[str, Finding]
    facts: Mapping[str, MetricFacts]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]


def compare(
    results: Path, a: str, b: str, metrics: Sequence[str] = (), within: str = "", margin: float = MARGIN
) -> Comparison:
    """Compare two cells of a folder of records.

    Args:
        results: the folder.
        a, b: each ``model:loss`` (a recipe's name or text), ``model`` where that is enough, or a record's file.
        metrics: keys; empty for those whose facts say `compared`, and what one's own `--metric` added.
        within: part of a board's heading, such as ``quick``, where both cells stand in several.
        margin: what counts as equal, as a share of B's distance from a perfect score.

    Raises:
        UnknownName: no such cell or metric.
        BenchError: the cells were not measured alike, or the name fits several.
        BadData: records without per-image metrics beside them.
    """
    records = store.read_all(results)
    known = facts_in(record for _, record in records)
    metrics = [find_key(name, known) for name in metrics]
    return compare_rows(results, *pick(rows(records), a, b, within), metrics=metrics, margin=margin)


def compare_rows(
    results: Path,
    a: Row,
    b: Row,
    metrics: Sequence[str] = (),
    margin: float = MARGIN,
    relative: bool = False,
) -> Comparison:
    """Compare two cells that stand on one board.

    Args:
        results: the folder of their records.
        a, b: the cells.
        metrics: keys; empty for those whose facts say `compared`, and what one's own `--metric` added.
        margin: a share of B's distance from a perfect score; a share of B's figure if ``relative``.
        relative: ask for the change as a share of B's figure.

    Raises:
        BenchError: no seed or no test image in common.
        BadData: records without per-image metrics beside them.
    """
    pairs = _pairs(a, b)
    aligned = _Aligned.of(results, a, b, pairs)
    findings: dict[str, Finding] = {}
    skipped: dict[str, str] = {}
    known = facts_in(record for row in (a, b) for _, record in row.records.values())
    for name in metrics or shown(known, "compared"):
        one = known[name]
        try:
            a_scores, b_scores = (aligned.scored(side, name, one) for side in ("a", "b"))
            left, right = paired_bootstrap(a_scores, b_scores, aligned.groups)
        except LookupError:
            skipped[name] = "not in both records"
        except ValueError as error:
            skipped[name] = str(error)
        else:
            reach = margin if relative else margin * abs(one.perfect - float(right.by_seed.mean()))
            findings[name] = judge(left, right, one.higher_is_better, reach, relative)
    return Comparison(
        a=label(a),
        b=label(b),
        board=heading(a),
        seeds=tuple(pairs),
        images=len(aligned.groups),
        groups=len(set(aligned.groups.tolist())),
        findings=findings,
        facts=known,
        skipped=skipped if metrics else {n: r for n, r in skipped.items() if r != "not in both records"},
        notes=tuple(_notes(a, b, pairs, aligned)),
    )


def _pairs(a: Row, b: Row) -> list[tuple[int, int]]:
    """Seeds in common; what learns nothing has one result for all seeds; two single records are a pair as they are."""
    if not a.learns and not b.learns:
        return [(next(iter(a.records)), next(iter(b.records)))]
    if not a.learns:
        return [(next(iter(a.records)), seed) for seed in b.records]
    if not b.learns:
        return [(seed, next(iter(b.records))) for seed in a.records]
    common = [(seed, seed) for seed in a.records if seed in b.records]
    if common:
        return common
    if len(a.records) == len(b.records) == 1:
        return [(next(iter(a.records)), next(iter(b.records)))]
    raise BenchError(
        f"{label(a)} has seeds {', '.join(map(str, a.records))} and {label(b)} {', '.join(map(str, b.records))}: "
        "none in common. Run the same ones (bench run --seeds N)"
    )


def _notes(a: Row, b: Row, pairs: Sequence[tuple[int, int]], aligned: _Aligned) -> list[str]:
    notes = []
    if a.learns and b.learns and any(x != y for x, y in pairs):
        notes.append("the seeds differ: order and augmentation of the samples are not shared")
    alone = {*a.records, *b.records} - {seed for pair in pairs for seed in pair}
    if alone:
        notes.append(f"seeds that only one of them has do not count: {', '.join(map(str, sorted(alone)))}")
    if aligned.left_out:
        notes.append(f"{aligned.left_out} test images are not in all records and do not count")
    records = [record for row in (a, b) for _, record in row.records.values()]
    for what, values in (
        ("code", {record.code for record in records}),
        ("precision", {record.spec.precision for record in records if record.spec.recipe}),
        ("memory format", {record.spec.memory_format for record in records if record.spec.recipe}),
    ):
        if len(values) > 1:
            notes.append(f"the {what} was not the same: {', '.join(sorted(values))}")
    return notes


@dataclass(frozen=True)
class _Aligned:
    """The per-image tables of both sides on the images common to all of them, a row a pair of seeds."""

    tables: Mapping[str, Sequence[Mapping[str, npt.NDArray[np.float64]]]]
    groups: npt.NDArray[np.int64]
    left_out: int

    @classmethod
    def of(cls, results: Path, a: Row, b: Row, pairs: Sequence[tuple[int, int]]) -> _Aligned:
        raw = {
            "a": [_read(results, a.records[seed][0]) for seed, _ in pairs],
            "b": [_read(results, b.records[seed][0]) for _, seed in pairs],
        }
        samples = [table["sample"] for side in raw.values() for table in side]
        common = sorted(set(samples[0]).intersection(*samples[1:]))
        if not common:
            raise BenchError(f"{label(a)} and {label(b)} have no test image in common")
        aligned = {side: [_rows_of(table, common) for table in tables] for side, tables in raw.items()}
        groups = aligned["a"][0]["background"].astype(np.int64)
        return cls(aligned, groups, len(set().union(*samples)) - len(common))

    def scored(self, side: str, name: str, facts: MetricFacts) -> Scored:
        """One metric of one side, (pairs, images); a KeyError where a record lacks it."""
        tables = self.tables[side]
        values = np.stack([table[name] for table in tables])
        if np.isnan(values).all():
            raise KeyError(name)
        weights = None if facts.weight is None else np.stack([table[facts.weight] for table in tables])
        return Scored(values, weights, facts.power)


def _read(results: Path, name: str) -> dict[str, list[float]]:
    table = store.read_images(results / name)
    if not table:
        raise BadData([(name, "no per-image metrics beside it")], "a comparison needs the .images.csv files too")
    return table


def _rows_of(table: Mapping[str, Sequence[float]], samples: Sequence[float]) -> dict[str, npt.NDArray[np.float64]]:
    place = {sample: row for row, sample in enumerate(table["sample"])}
    order = [place[sample] for sample in samples]
    return {name: np.asarray(column, dtype=np.float64)[order] for name, column in table.items()}
