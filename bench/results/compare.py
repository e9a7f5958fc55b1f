"""Is A better than B: two cells under the same protocol and data set, metric by metric, from their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.core.amount import amount
from bench.core.errors import BenchError
from bench.core.record import Record
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.aligned import Aligned
from bench.results.board import Row, rows
from bench.results.find import check_finished, passed_over, pick
from bench.results.metric_facts import facts_in, find_key, shown
from bench.results.missing_runs import missing_runs
from bench.results.nothing_in_common import nothing_in_common
from bench.results.one_training import one_training
from bench.results.record_file import record_name
from bench.results.row_names import heading, label, labels, named_arithmetic, named_machine
from bench.results.stats.difference import Difference
from bench.results.stats.pairing import Pairing
from bench.results.stats.verdict import MetricComparison, judge, lacking

MARGIN = 0.05
"""Differences within this share of the distance from a perfect score, mean of both sides', count as equal."""

_LACKING = "not in both records"
"""Why a metric is not compared that a side lacks."""


@dataclass(frozen=True)
class Comparison:
    """Two cells side by side.

    Attributes:
        a, b: the cells' labels, ``model:loss``; with the precision where they would be equal.
        board: the protocol and data that both share, in words.
        pairing: the seeds of either side that count.
        images, groups: test images both were scored on, and how many ``backgrounds`` and ``objects`` these show (the
            former alone where objects have no names, see `Grouping.shown`).
        findings: by metric.
        facts: what is known of the metrics, by key.
        skipped: metrics that could not be compared, with the reason.
        notes: what a reader should know before believing it.
    """

    a: str
    b: str
    board: str
    pairing: Pairing
    images: int
    groups: Mapping[str, int]
    findings: Mapping[str, MetricComparison]
    facts: Mapping[str, MetricFacts]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]


def compare(
    results: Path,
    a: str,
    b: str,
    metrics: Sequence[str] = (),
    within: str = "",
    margin: float = MARGIN,
    seeds_a: Sequence[int] = (),
    seeds_b: Sequence[int] = (),
) -> Comparison:
    """Compare two cells of a folder of records.

    Args:
        results: the folder.
        a, b: each ``model:loss`` (a recipe's name or text), ``model`` where that is enough, a record's
            file, or a run's id.
        metrics: keys; empty for those whose facts say `compared`, and what the user's `--metric` added.
        within: part of a board's heading, such as ``quick``, where both cells stand in several.
        margin: what counts as equal, as a share of the distance from a perfect score, mean of both sides'.
        seeds_a, seeds_b: seeds of either side; empty for all. With them a cell can stand against itself.

    Raises:
        UnknownName: no such cell or metric.
        BenchError: no such seed, the cells were not measured alike, they have none of the metrics in common, or a name
            fits several.
        BadData: records without per-image metrics beside them.
    """
    records = store.read_all(results)
    check_finished(records)
    known = facts_in(record for _, record in records)
    metrics = [find_key(name, known) for name in metrics]
    board = rows(records)
    left, right = pick(board, record_name(results, a), record_name(results, b), within, results)
    compared = compare_rows(results, chosen(left, seeds_a), chosen(right, seeds_b), metrics=metrics, margin=margin)
    if not compared.findings and all(reason == _LACKING for reason in compared.skipped.values()):
        raise nothing_in_common((left, right), metrics)
    notes = [*compared.notes, *passed_over(board, left, right)]
    if not seeds_a and not seeds_b and not compared.pairing.settles:
        notes += missing_runs(board, left, right)
    return replace(compared, notes=tuple(notes))


def chosen(row: Row, seeds: Sequence[int]) -> Row:
    """A cell with some of its seeds alone; with all of them where none are named.

    Raises:
        BenchError: it has no such seed.
    """
    missing = [seed for seed in seeds if seed not in row.records]
    if missing:
        raise BenchError(
            f"{label(row)} has no seed {', '.join(map(str, missing))}; it has {', '.join(map(str, row.records))}"
        )
    return replace(row, records={seed: row.records[seed] for seed in dict.fromkeys(seeds)}) if seeds else row


def compare_rows(
    results: Path,
    a: Row,
    b: Row,
    metrics: Sequence[str] = (),
    margin: float = MARGIN,
    relative: bool = False,
) -> Comparison:
    """Compare two cells of the same board.

    Args:
        results: the folder of their records.
        a, b: the cells.
        metrics: keys; empty for those whose facts say `compared`, and what the user's `--metric` added.
        margin: a share of the distance from a perfect score, mean of both sides'; of the figures' mean if ``relative``.
        relative: whether equal means a small change, instead of a small part of what is lacking.

    Raises:
        BenchError: no test image in common.
        BadData: records without per-image metrics beside them.
    """
    pairing = Pairing.of(tuple(a.records), tuple(b.records), a.learns, b.learns)
    files = [row.records[seed][0] for row, seeds in ((a, pairing.a), (b, pairing.b)) for seed in seeds]
    aligned = Aligned.of(results, files)
    findings: dict[str, MetricComparison] = {}
    skipped: dict[str, str] = {}
    known = facts_in(record for row in (a, b) for _, record in row.records.values())
    for name in metrics or shown(known, "compared"):
        facts = known[name]
        try:
            left, right = (
                aligned.scored(side, name, facts) for side in (files[: len(pairing.a)], files[len(pairing.a) :])
            )
            difference = Difference.of(left, right, aligned.grouping, pairing)
        except LookupError:
            skipped[name] = _LACKING
        except ValueError as error:
            skipped[name] = str(error)
        else:
            sides = float(difference.a.mean()), float(difference.b.mean())
            equal = margin * (abs(sides[0]) + abs(sides[1])) / 2 if relative else lacking(margin, *sides, facts.perfect)
            findings[name] = judge(difference, facts.higher_is_better, equal, facts.bounds)
    names = labels(a, b)
    return Comparison(
        a=names[0],
        b=names[1],
        board=heading(a),
        pairing=pairing,
        images=len(aligned.grouping),
        groups=aligned.grouping.shown,
        findings=findings,
        facts=known,
        skipped=skipped if metrics else {n: r for n, r in skipped.items() if r != _LACKING},
        notes=tuple(_notes(a, b, pairing, aligned)),
    )


def _notes(a: Row, b: Row, pairing: Pairing, aligned: Aligned) -> Iterator[str]:
    counted = {*((a.cell, seed) for seed in pairing.a), *((b.cell, seed) for seed in pairing.b)}
    records = [
        record for row in (a, b) for _, record in row.records.values() if (row.cell, record.spec.seed) in counted
    ]
    if a.cell == b.cell and pairing.paired:
        yield "both sides are the same runs"
    yield from one_training(a, b)
    if not pairing.paired:
        yield "the seeds differ and are not paired: order and augmentation of the samples are not shared"
    alone = [
        f"{', '.join(map(str, sorted(set(row.records) - set(seeds))))} of {side}"
        for side, row, seeds in (("A", a, pairing.a), ("B", b, pairing.b))
        if set(row.records) - set(seeds)
    ]
    if alone:
        yield f"seeds that only A or only B has do not count: {'; '.join(alone)}"
    if aligned.left_out:
        yield f"{aligned.left_out} test images are not in all records and do not count"
    for side, row in (("A", a), ("B", b)) if a.cell != b.cell else (("A", a),):
        yield from (f"alarm: {alarm}" for alarm in row.alarms)
        for other in row.elsewhere if row.learns else ():
            yield f"{side} was also run on another kind of arithmetic, which does not count: {elsewhere(other)}"
    learnt = [record for record in records if record.spec.recipe]
    for what, values in (
        ("code", {record.code for record in records}),
        ("machine", {named_machine(record) for record in learnt}),
        ("torch version", {record.environment.packages.get("torch", "unknown") for record in learnt}),
        ("precision", {record.spec.precision for record in learnt}),
        ("memory format", {record.spec.memory_format for record in learnt}),
    ):
        if len(values) > 1:
            yield f"the {what} was not the same: {', '.join(sorted(values))}"
    yield from _other_packages(learnt)
    hidden = _hidden(learnt)
    if hidden:
        yield hidden


def _other_packages(records: Sequence[Record]) -> Iterator[str]:
    """Packages beside torch that can change a number and were not of the same version wherever that is recorded."""
    versions: dict[str, set[str]] = {}
    for record in records:
        for package, version in record.environment.packages.items():
            versions.setdefault(package, set()).add(version)
    for package, found in sorted(versions.items()):
        if package != "torch" and len(found) > 1:
            yield f"the {package} version was not the same: {', '.join(sorted(found))}"


def elsewhere(row: Row) -> str:
    """What a cell gave on another kind of arithmetic: its first headline figure, seeds, and where."""
    known = facts_in(record for _, record in row.records.values())
    figures = [f"{name} {mean:.4f}, " for name in shown(known, "headline") if (mean := row.mean(name)) is not None]
    return f"{''.join(figures[:1])}{amount(len(row.records), 'seed')}, on {named_arithmetic(row.any)}"


def _hidden(records: Sequence[Record]) -> str | None:
    """What tells kinds of arithmetic apart that bear the same names."""
    by_name: dict[tuple[str, ...], set[str]] = {}
    for record in records:
        names = named_machine(record), record.environment.packages.get("torch", ""), record.spec.precision
        by_name.setdefault(names, set()).add(record.arithmetic or "not measured")
    kinds = next((kinds for kinds in by_name.values() if len(kinds) > 1), None)
    return None if kinds is None else f"the arithmetic was not the same, whatever its names: {', '.join(sorted(kinds))}"
