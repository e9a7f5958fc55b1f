"""Records arranged as people compare them: groups of one protocol and data set, rows of one cell."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.core.files import canonical_json
from bench.core.metric_facts import MetricFacts
from bench.core.record import Record
from bench.results.metric_facts import facts_in, shown

Named = tuple[str, Record]
"""A record with its file's name."""


@dataclass(frozen=True)
class Row:
    """A cell with the records of its seeds, by seed, the latest of each."""

    model: str
    recipe: str
    records: Mapping[int, tuple[str, Record]]

    @property
    def any(self) -> Record:
        """One of its records, for what all of them share."""
        return next(iter(self.records.values()))[1]

    @property
    def cell(self) -> str:
        """The cell's hash."""
        return self.any.cell

    @property
    def mixed(self) -> bool:
        """Whether its seeds were run by different versions of the code."""
        return len({record.code for _, record in self.records.values()}) > 1

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
        """The protocol and the data in words, with six digits of the data's hash to tell like ones apart."""
        data = self.members[0][1].spec.data
        digest = hashlib.sha256(canonical_json(data).encode()).hexdigest()[:6]
        return f"{self.protocol} · {data_label(data)} ({digest})"

    @property
    def failures(self) -> list[Named]:
        """Records of runs that never finished, however often they were tried."""
        done = {record.id for _, record in self.members if record.outcome == "finished"}
        return [(name, record) for name, record in self.members if record.id not in done]

    def machines(self) -> dict[str, list[tuple[Row, list[Record]]]]:
        """By machine fingerprint: each row with what was recorded there, the latest of every run."""
        latest: dict[str, dict[str, dict[int, Record]]] = {}
        for _, record in sorted(self.members, key=lambda pair: (pair[1].finished, pair[0])):
            if record.outcome == "finished":
                cells = latest.setdefault(record.fingerprint, {})
                cells.setdefault(record.cell, {})[record.spec.seed] = record
        return {
            machine: [(row, list(cells[row.cell].values())) for row in self.board if row.cell in cells]
            for machine, cells in sorted(latest.items())
        }

    @property
    def blank(self) -> list[Row]:
        """The baselines."""
        return [row for row in self.board if not row.learns]

    @cached_property
    def metrics(self) -> dict[str, MetricFacts]:
        """Facts of the metrics that its records hold, in the order in which they are shown."""
        return facts_in(record for row in self.board for _, record in row.records.values())

    def best(self, metric: str) -> float | None:
        """The best mean of a metric."""
        means = [mean for row in self.board if (mean := row.mean(metric)) is not None]
        return None if not means else max(means) if self.metrics[metric].higher_is_better else min(means)


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


_HALF_SHARED = {"unseen-bg": "objects are shared", "unseen-fg": "backgrounds are shared"}
"""Splits that are disjoint in one of the two, by what all parts share."""


def data_label(data: Mapping[str, object]) -> str:
    """A source in a few words; a leaking split is named as such."""
    words = [str(data.get("kind", "data")), f"{data.get('camera', 'unknown')} camera"]
    split = str(data.get("split", "group"))
    if split in _HALF_SHARED:
        words.append(f"split {split} ({_HALF_SHARED[split]})")
    elif data.get("leaks"):
        words.append("**leaking shared split**")
    elif split != "group":
        words.append(f"split {split}")
    return ", ".join(words)


def _group_order(item: tuple[tuple[str, str], object]) -> tuple[bool, str, bool, str]:
    (protocol, data), _ = item
    return protocol.startswith("custom"), protocol, '"kind":"synthetic"' not in data, data


def _quality(row: Row) -> tuple[int, float, str, str]:
    """Best first: those with more heads, then by the mean of the metrics that rank, as far as they are there."""
    ranking = shown(facts_in([row.any]), "ranks")
    seen = [value for metric in ranking if (value := row.mean(metric)) is not None]
    return -len(seen), -statistics.fmean(seen) if seen else 0.0, row.model, row.recipe
