"""Records arranged as people compare them: groups of one protocol and data set, rows of one cell."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.metrics import Metric
from bench.results.record import Record
from bench.spec import canonical_json

Named = tuple[str, Record]
"""A record with its file's name."""


@dataclass(frozen=True)
class Row:
    """A cell with the records of its seeds, by seed, the latest of each."""

    model: str
    recipe: str
    records: Mapping[int, tuple[str, Record]]

    @property
    def learns(self) -> bool:
        """Whether it was trained by gradient; a baseline has no recipe."""
        return any(record.spec.recipe for _, record in self.records.values())

    def values(self, metric: str) -> list[float]:
        """The metric of every seed that has it."""
        scores = (record.test.get(metric) for _, record in self.records.values())
        return [score.value for score in scores if score is not None and score.value is not None]

    def mean(self, metric: str) -> float | None:
        """Mean over seeds."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None


@dataclass(frozen=True)
class Group:
    """What may be ranked together: everything measured under one protocol on one data set.

    Attributes:
        protocol: its label.
        members: all records, failed ones too, by file name.
        board: finished cells, best first, then the baselines that learn nothing.
    """

    protocol: str
    members: Sequence[Named]
    board: Sequence[Row]

    @property
    def title(self) -> str:
        """The protocol and the data in words."""
        return f"{self.protocol} · {data_label(self.members[0][1].spec.data)}"

    @property
    def blank(self) -> list[Row]:
        """The baselines."""
        return [row for row in self.board if not row.learns]

    def best(self, metric: Metric) -> float | None:
        """The best mean of a metric."""
        means = [mean for row in self.board if (mean := row.mean(metric.name)) is not None]
        return None if not means else max(means) if metric.higher_is_better else min(means)


def groups_of(records: Iterable[Named]) -> list[Group]:
    """All groups, those of named protocols before custom ones."""
    found: dict[tuple[str, str], list[Named]] = {}
    for name, record in sorted(records, key=lambda pair: pair[0]):
        place = record.spec.protocol.label, canonical_json(record.spec.data)
        found.setdefault(place, []).append((name, record))
    groups = []
    for (protocol, _), members in sorted(found.items(), key=_group_order):
        made = rows(members)
        learnt = sorted((row for row in made if row.learns), key=_quality)
        blank = sorted((row for row in made if not row.learns), key=lambda row: row.model)
        groups.append(Group(protocol, members, [*learnt, *blank]))
    return groups


def rows(records: Sequence[tuple[str, Record]]) -> list[Row]:
    """Finished records as rows, one a cell; of several records of one run the latest counts."""
    cells: dict[str, dict[int, tuple[str, Record]]] = {}
    for name, record in sorted(records, key=lambda pair: (pair[1].finished, pair[0])):
        if record.outcome == "finished":
            cells.setdefault(record.cell, {})[record.spec.seed] = (name, record)
    made = []
    for seeds in cells.values():
        record = next(iter(seeds.values()))[1]
        made.append(Row(record.spec.model, record.recipe_name, dict(sorted(seeds.items()))))
    return made


def data_label(data: Mapping[str, object]) -> str:
    """A source in a few words; a leaking split is named as such."""
    words = [str(data.get("kind", "data")), f"{data.get('camera', 'unknown')} camera"]
    if data.get("leaks"):
        words.append("**leaking random split**")
    return ", ".join(words)


def _group_order(item: tuple[tuple[str, str], object]) -> tuple[bool, str, bool, str]:
    (protocol, data), _ = item
    return protocol.startswith("custom"), protocol, '"kind":"synthetic"' not in data, data


def _quality(row: Row) -> tuple[float, str, str]:
    """Best first: mean of mask Dice and depth delta1, as far as the row has them."""
    seen = [value for metric in ("mask_dice", "depth_delta1") if (value := row.mean(metric)) is not None]
    return -statistics.fmean(seen) if seen else 0.0, row.model, row.recipe
