"""Where the rows of a table stand: who leads, who cannot be told from the leader, and how probably each is the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import count, islice
from pathlib import Path

from bench.core.errors import BadData, BenchError
from bench.core.record import Record
from bench.core.record.metric_facts import MetricFacts
from bench.results import store
from bench.results.aligned import Aligned
from bench.results.board.row import Row
from bench.results.stats.grouping import Grouping
from bench.results.stats.machines import machine_means
from bench.results.stats.ranks.best import best_chances
from bench.results.stats.ranks.ranking import Contender, Rank, rank

MOST = 40
"""The best rows of a table, whose difference from the leader is judged; the images of more take long to read."""

SINGLE, NO_TABLE, NO_VALUE = (
    "a single seed",
    "a missing or damaged per-image table",
    "per-image values that are missing, infinite or of other images",
)
BEYOND = f"not among the {MOST} best rows"
"""With these, and ``no`` and a metric's name, `why_unranked` says why a row has no place."""


def ranking(shown: Sequence[str], metrics: Mapping[str, MetricFacts]) -> str:
    """The metric that the rows of a table are ranked by: the first whose facts say that it ranks, else the first."""
    return next((name for name in shown if metrics[name].ranks), shown[0])


@dataclass(frozen=True)
class Standing:
    """A row's place in a table.

    Attributes:
        row: it.
        value: mean of the table's headline metric; None where the row has none.
        place: its tie group and the corrected p of no difference from the leader; both None where it is not ranked.
        best: probability of being the best; None likewise.
        unranked: why it is not ranked, see `why_unranked`; empty where it is, and for what learns nothing.
    """

    row: Row
    value: float | None
    place: Rank
    best: float | None
    unranked: str = ""

    @property
    def leads(self) -> bool:
        """Whether no row is significantly better."""
        return self.place.tie == 1


@dataclass(frozen=True)
class Images:
    """Reads the per-image metrics beside records, each file once.

    Attributes:
        folder: of the records; None where there is no folder to read from.
    """

    folder: Path | None

    @cached_property
    def _kept(self) -> dict[tuple[frozenset[str], tuple[str, ...]], Aligned]:
        return {}

    @cached_property
    def _problems(self) -> dict[str, str]:
        return {}

    @cached_property
    def _read(self) -> Callable[[Path, frozenset[str]], dict[str, list[float]]]:
        return cache(store.read_images)

    def has(self, names: Iterable[str]) -> bool:
        """Whether every one of these records has its table, as it was written."""
        folder = self.folder
        return folder is not None and all(
            (folder / name).with_suffix(store.IMAGES).exists() and not self.problem(name) for name in names
        )

    def problem(self, name: str) -> str:
        """What is wrong with the table that a record should have, its file's name first; empty where nothing is.

        Args:
            name: of the record.
        """
        if self.folder is None:
            return ""
        if name not in self._problems:
            try:
                store.check_images(self.folder / name)
                self._problems[name] = ""
            except BadData as error:
                self._problems[name] = "; ".join(f"{file}: {reason}" for file, reason in error.problems)
        return self._problems[name]

    def samples(self, name: str) -> frozenset[float]:
        """The test images in the table of a record that has one."""
        assert self.folder is not None
        return frozenset(self._read(self.folder / name, frozenset(store.IDS))["sample"])

    def of(self, names: Sequence[str], metrics: Mapping[str, MetricFacts]) -> Aligned | None:
        """The tables of some records on their common images; None where a table is damaged, or no image is in common.

        Args:
            names: of the records.
            metrics: facts of the columns that are wanted, by key.
        """
        if self.folder is None or not names:
            return None
        weights = (facts.weight for facts in metrics.values() if facts.weight is not None)
        columns = frozenset([*store.IDS, *metrics, *weights])
        key = columns, tuple(names)
        if key not in self._kept:
            try:
                self._kept[key] = Aligned.of(self.folder, names, lambda path: self._read(path, columns))
            except (BadData, BenchError):
                return None
        return self._kept[key]


def standings(rows: Sequence[Row], metric: str, facts: MetricFacts, images: Images) -> list[Standing]:
    """The rows of a table in order: by the mean of its headline metric, several seeds before a single seed.

    What learns nothing comes last. Ties are judged on the seeds that rows have in common, corrected within the table.

    Args:
        rows: of the same group.
        metric: the headline metric's key.
        facts: what is known about it.
        images: per-image metrics.
    """
    sign = 1.0 if facts.higher_is_better else -1.0
    values = {id(row): row.mean(metric) for row in rows}

    def order(row: Row) -> tuple[bool, bool, bool, float, str, str]:
        """What rows are sorted by, the best first."""
        value = values[id(row)]
        place = 0.0 if value is None else -sign * value
        return not row.learns, value is None, len(row.values(metric)) < 2, place, row.model, row.recipe

    ordered = sorted(rows, key=order)
    judged = [row for row in ordered if row.learns and len(row.values(metric)) > 1][:MOST]
    places, chances = _judge(judged, metric, facts, images)
    unplaced = Rank(None, None)
    found = [Standing(row, values[id(row)], places.get(id(row), unplaced), chances.get(id(row))) for row in ordered]
    few = {id(row) for row in judged}
    return [
        standing
        if standing.place.tie is not None or not standing.row.learns
        else replace(standing, unranked=why_unranked(standing.row, {metric: facts}, images, id(standing.row) in few))
        for standing in found
    ]


def why_unranked(row: Row, metrics: Mapping[str, MetricFacts], images: Images, judged: bool) -> str:
    """Why a row that learns has no place, in words.

    Args:
        row: it.
        metrics: facts of those that it was to be judged by, by key.
        images: per-image metrics.
        judged: whether it was among the rows whose images were read.
    """
    for metric, facts in metrics.items():
        if not row.values(metric):
            return f"no {facts.head} {facts.column}".replace("  ", " ")
    if any(len(row.values(metric)) < 2 for metric in metrics):
        return "a single machine" if row.pooled else SINGLE
    if not judged:
        return BEYOND
    return NO_VALUE if images.has(name for metric in metrics for name in _names(row, metric)) else NO_TABLE


def _judge(
    rows: Sequence[Row], metric: str, facts: MetricFacts, images: Images
) -> tuple[dict[int, Rank], dict[int, float | None]]:
    """Tie groups and chances by row, of rows with several values each."""
    by_metric, grouping = entries(rows, {metric: facts}, images)
    if grouping is None:
        return {}, {}
    places = rank(by_metric[metric], grouping, facts.higher_is_better)
    chances = best_chances(by_metric[metric], grouping, facts.higher_is_better)
    return {int(key): place for key, place in places.items()}, {int(key): chance for key, chance in chances.items()}


def entries(
    rows: Sequence[Row], metrics: Mapping[str, MetricFacts], images: Images
) -> tuple[dict[str, dict[str, Contender]], Grouping | None]:
    """Rows image by image, on the images that all of them share.

    Args:
        rows: those whose records have no tables are left out, and on a metric those that it says nothing of.
        metrics: facts by key.
        images: per-image metrics.

    Returns:
        By metric and by ``str(id(row))``, and how the images are grouped; None where nothing is known of any row.
    """
    runs = {id(row): [name for metric in metrics for name in _names(row, metric)] for row in rows}
    having = _alike([row for row in rows if images.has(runs[id(row)])], runs, images)
    aligned = images.of([*dict.fromkeys(name for row in having for name in runs[id(row)])], metrics)
    found: dict[str, dict[str, Contender]] = {metric: {} for metric in metrics}
    if aligned is None:
        return found, None
    unpaired = count(-1, -1)
    for metric, facts in metrics.items():
        for row in having:
            with suppress(LookupError, ValueError):  # no value at all, or infinite values: no place
                entry = _entry(row, metric, facts, aligned, unpaired)
                entry.figures  # noqa: B018  # checks them
                found[metric][str(id(row))] = entry
    return found, aligned.grouping


def _alike(rows: Sequence[Row], runs: Mapping[int, Sequence[str]], images: Images) -> list[Row]:
    """The rows that share test images with all before them: one of other images takes no place from the others."""
    kept: list[Row] = []
    shared: frozenset[float] = frozenset()
    for row in rows:
        own = [images.samples(name) for name in runs[id(row)]]
        common = frozenset.intersection(*own, *([shared] if kept else [])) if own else frozenset()
        if common:
            kept.append(row)
            shared = common
    return kept


def _entry(row: Row, metric: str, facts: MetricFacts, aligned: Aligned, unpaired: Iterator[int]) -> Contender:
    """A row by its seeds; by its machines, each the mean of its seeds, where machines are pooled.

    Machines bear numbers that are nobody's seeds, so that those of one row are not set against those of another.
    """
    parts = [(part, aligned.scored([*part.values()], metric, facts)) for part in _runs(row, metric)]
    if not row.pooled:
        (runs, scored), *_ = parts
        return Contender(tuple(runs), scored)
    return Contender(tuple(islice(unpaired, len(parts))), machine_means([scored for _, scored in parts]))


def _runs(row: Row, metric: str) -> list[dict[int, str]]:
    """Of each part of a row, the record's file by seed, as far as it has the metric."""
    scored = [
        {seed: name for seed, (name, record) in part.records.items() if _has(record, metric)} for part in row.parts
    ]
    return [part for part in scored if part]


def _names(row: Row, metric: str) -> list[str]:
    return [name for part in _runs(row, metric) for name in part.values()]


def _has(record: Record, metric: str) -> bool:
    score = record.test.get(metric)
    return score is not None and score.value is not None
