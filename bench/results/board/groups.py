"""Records arranged as people compare them: groups with the same protocol, data set and division, and a row per cell."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from bench.core.files import canonical_json
from bench.core.record import UNTUNED, Record
from bench.core.record.metric_facts import MetricFacts
from bench.results.board.row import Row, settled
from bench.results.metric_facts import facts_in
from bench.results.store import Named
from registry.losses import recipes

_HALF_SHARED = {"unseen-bg": "objects are shared", "unseen-fg": "backgrounds are shared"}
"""Splits that are disjoint in backgrounds or objects only, by what all parts share."""


@dataclass(frozen=True)
class Group:
    """What may be ranked together: everything measured under the same protocol, data set and tuning budget.

    Attributes:
        protocol: its label.
        members: all records including failed runs, by file name.
        board: cells with a finished record, by name; the baselines that learn nothing last.
    """

    protocol: str
    members: Sequence[Named]
    board: Sequence[Row]

    @property
    def title(self) -> str:
        """The protocol and the data in words, with six digits of the data's hash to distinguish similar data sets."""
        record = self.members[0][1]
        digest = hashlib.sha256(canonical_json(record.spec.data).encode()).hexdigest()[:6]
        tuned = "" if record.division == UNTUNED else f" · {record.division}"
        return f"{self.protocol} · {data_label(record.spec.data)} ({digest}){tuned}"

    @property
    def failures(self) -> list[Named]:
        """Records of runs that never finished, however often they were tried."""
        done = {record.id for _, record in self.members if record.outcome == "finished"}
        return [(name, record) for name, record in self.members if record.id not in done]

    @property
    def alarms(self) -> list[str]:
        """Contradictions: two results for the same spec, code and arithmetic."""
        return [alarm for row in self.board for part in (row, *row.elsewhere) for alarm in part.alarms]

    @cached_property
    def _latest(self) -> dict[str, dict[str, dict[int, Record]]]:
        """By machine fingerprint and cell, the latest finished record of every seed that had its device to itself."""
        latest: dict[str, dict[str, dict[int, Record]]] = {}
        for _, record in sorted(self.members, key=lambda pair: (pair[1].finished, pair[0])):
            if record.outcome == "finished" and record.is_timed:
                cells = latest.setdefault(record.fingerprint, {})
                cells.setdefault(record.cell, {})[record.spec.seed] = record
        return latest

    def machines(self) -> dict[str, list[tuple[Row, list[Record]]]]:
        """By machine fingerprint: each row with what that machine recorded, the latest of every run."""
        return {
            machine: [(row, list(cells[row.cell].values())) for row in self.board if row.cell in cells]
            for machine, cells in sorted(self._latest.items())
        }

    @cached_property
    def baselines(self) -> list[Row]:
        """The baselines."""
        return [row for row in self.board if not row.learns]

    def baseline_means(self, metric: str) -> list[float]:
        """What the baselines reach."""
        return [mean for row in self.baselines if (mean := row.mean(metric)) is not None]

    @cached_property
    def metrics(self) -> dict[str, MetricFacts]:
        """Facts of the metrics that its records may hold, in the order in which they are shown."""
        return facts_in(record for _, record in self.members)

    @property
    def tables(self) -> dict[str, list[str]]:
        """Metrics by the title of the table in which they stand."""
        tables: dict[str, list[str]] = {}
        for name, facts in self.metrics.items():
            if facts.table is not None:
                tables.setdefault(facts.table, []).append(name)
        return tables

    def on(self, row: Row, fingerprint: str) -> list[Record]:
        """What a machine recorded of a row, the latest of every run."""
        return [*self._latest.get(fingerprint, {}).get(row.cell, {}).values()]


def groups_of(records: Iterable[Named], pool: bool = False) -> list[Group]:
    """All groups, named protocols before custom protocols.

    Args:
        records: in any order.
        pool: count machines as a further random level, instead of showing each kind of arithmetic in a row of its own.
    """
    found: dict[tuple[str, str, str], list[Named]] = {}
    texts: dict[str, str] = {}
    for name, record in sorted(records, key=lambda pair: pair[0]):
        written = repr(record.spec.data)  # a page of 10,000 records knows a handful of data sets
        data = texts[written] if written in texts else texts.setdefault(written, canonical_json(record.spec.data))
        place = record.budget.label, data, record.division
        found.setdefault(place, []).append((name, record))
    for (protocol, data, division), members in found.items():
        if division != UNTUNED:  # what learns nothing has nothing to be tuned, and is a baseline for all
            untuned = found.get((protocol, data, UNTUNED), [])
            members += [(name, record) for name, record in untuned if not record.spec.recipe]
    groups = []
    for (protocol, *_), members in sorted(found.items(), key=_group_order):
        made = sorted(rows(members, pool), key=lambda row: (not row.learns, row.model, row.recipe, row.cell))
        groups.append(Group(protocol, members, made))
    return groups


def rows(records: Sequence[Named], pool: bool = False) -> list[Row]:
    """Records as rows, one row per cell that has a finished record.

    A row is a cell on a single kind of arithmetic: that on which most seeds have finished, of several the one that was
    first. The others stand beneath it, and are never mixed with it unless machines are pooled.
    """
    cells: dict[tuple[str, str], dict[str, list[Named]]] = {}
    for name, record in records:
        division = record.division if record.spec.recipe else ""
        cells.setdefault((division, record.cell), {}).setdefault(record.arithmetic_key, []).append((name, record))
    made = []
    for by_arithmetic in cells.values():
        parts = sorted(filter(None, map(_row, by_arithmetic.values())), key=_standing)
        if parts:
            made.append(replace(parts[0], elsewhere=tuple(parts[1:]), pooled=pool and len(parts) > 1))
    return made


def _row(records: Sequence[Named]) -> Row | None:
    """The records of a cell on the same kind of arithmetic as a row; None if none of them finished."""
    chosen, alarms = settled(pair for pair in records if pair[1].outcome == "finished")
    if not chosen:
        return None
    unfinished = {
        record.spec.seed: (name, record)
        for name, record in sorted(records, key=lambda pair: pair[1].finished)
        if record.outcome != "finished" and record.spec.seed not in chosen
    }
    record = next(iter(chosen.values()))[1]
    return Row(record.spec.model, recipe_label(record), chosen, dict(sorted(unfinished.items())), alarms=tuple(alarms))


def _standing(row: Row) -> tuple[int, str, str]:
    return -len(row.records), min(record.finished for _, record in row.records.values()), row.arithmetic


def recipe_label(record: Record) -> str:
    """The recipe's name, as long as that name still means the text that was run; else the text."""
    return _label(record.recipe_name, record.spec.recipe)


@cache
def _label(name: str, text: str) -> str:
    return name if not text or (name in recipes.names() and recipes.build(name) == text) else text


def rate(records: Iterable[Record]) -> float | None:
    """Images a second in training, median over records of the same machine; see `timed`."""
    rates = [record.timings.images_per_second for record in timed(records)]
    known = [rate for rate in rates if rate is not None]
    return statistics.median(known) if known else None


def timed(records: Iterable[Record]) -> list[Record]:
    """Those whose times count: of runs that had their device to themselves, the undisturbed ones, if there are any."""
    alone = [record for record in records if record.is_timed]
    return [record for record in alone if record.load is None or not record.load.marked] or alone


def disturbed(records: Iterable[Record]) -> bool:
    """Whether others kept the machine busy in every window of all these records."""
    loads = [record.load for record in records]
    return bool(loads) and all(load is not None and load.marked for load in loads)


def data_label(data: Mapping[str, object]) -> str:
    """A source in a few words; a leaking split is named as such."""
    words = [str(data.get("kind", "data")), f"{data.get('camera', 'unknown')} camera"]
    split = str(data.get("split", "group"))
    halved = split in _HALF_SHARED and data.get("leaks", True) and _names_objects(data)
    if halved:
        words.append(f"split {split} ({_HALF_SHARED[split]})")
    elif data.get("leaks"):
        words.append("**leaking shared split**")
    elif split != "group":
        words.append(f"split {split}")
    return ", ".join(words)


def _names_objects(data: Mapping[str, object]) -> bool:
    """Whether objects have groups of their own; stored sets count none where they have not."""
    parts = data.get("parts")
    return not isinstance(parts, dict) or any(sizes.get("objects", 1) for sizes in parts.values())


def _group_order(item: tuple[tuple[str, str, str], object]) -> tuple[bool, str, str, bool, str]:
    (protocol, data, division), _ = item
    return protocol.startswith("custom"), protocol, division, '"kind":"synthetic"' not in data, data
