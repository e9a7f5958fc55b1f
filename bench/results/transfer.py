"""Does learning two tasks at once help or harm each: a joint model against its single-task twins, same budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.record.metric_facts import MetricFacts
from bench.core.spec import RunSpec
from bench.results import store
from bench.results.board import Row, rows
from bench.results.compare import compare_rows
from bench.results.find import check_finished, comparable, strength
from bench.results.metric_facts import facts_in, shown
from bench.results.row_names import heading, label, settings, stands_within
from bench.results.stats.verdict import MetricComparison
from registry.losses import parse
from registry.losses.recipe import HeadPart
from registry.models import models
from registry.registry import parse_key

MARGIN = 0.01
"""A change within 1 % of the figure, mean of both sides', counts as equal."""


@dataclass(frozen=True)
class Transfer:
    """One metric of a joint model against the twin that learns only this task.

    Attributes:
        joint, twin: the cells' labels.
        board: the protocol and data they share, in words.
        metric: its key.
        facts: what is known of it; its head is the task.
        finding: on the joint model, ``joint - twin``; ``worse`` is negative transfer.
        notes: what a reader should know before believing it.
    """

    joint: str
    twin: str
    board: str
    metric: str
    facts: MetricFacts
    finding: MetricComparison
    notes: tuple[str, ...]

    @property
    def change(self) -> tuple[float, float, float] | None:
        """The effect as a share of the twin's figure, and the ends of its interval; None if that figure is 0."""
        found, unit = self.finding, abs(self.finding.b)
        return (found.effect / unit, found.low / unit, found.high / unit) if unit else None


def transfers(results: Path, model: str, within: str = "") -> list[Transfer]:
    """All that a folder of records says about a joint model and its twins.

    A twin counts where it ran under the same protocol on the same data in the same precision, tuned alike, and its
    recipe asks the same of its task. Of several precisions that of most `strength` counts.

    Args:
        results: the folder.
        model: key of the joint model; which its twins are is a fact of its registration.
        within: part of a board's heading, to restrict it to that board.

    Raises:
        UnknownName: no such model.
        BenchError: the model has no twins, or it or every twin lacks records.
    """
    entry, _ = models.resolve(model)
    twins: Sequence[str] = entry.facts.get("twins", ())
    if not twins:
        raise BenchError(f"{model} has no single-task twins; wnet has unet_mask and unet_depth")
    records = store.read_all(results)
    check_finished(records, trained=True)
    board = [row for row in rows(records) if row.learns and stands_within(row, within)]
    pairs = [
        (joint, twin)
        for joint in board
        if joint.model == models.canonical(model)
        for twin in board
        if parse_key(twin.model)[0] in twins and comparable(joint, twin) and _asks_the_same(joint, twin)
    ]
    fair = [(joint, twin) for joint, twin in pairs if _spec(joint).precision == _spec(twin).precision]
    found = [transfer for alike in _by_name(fair) for transfer in _against(results, *alike)]
    if not found:
        needed = " ".join(f"--model {name}" for name in (model, *twins))
        raise BenchError(
            f"there are no records of {model} and a twin in the same precision: bench run {needed} --loss bce_ssim "
            "--precision float32 makes them"
            if pairs
            else f"there are no records of {model} and a twin under the same protocol, data and recipe: "
            f"bench run {needed} --loss bce_ssim makes them"
        )
    return found


def _by_name(pairs: Sequence[tuple[Row, Row]]) -> Iterator[tuple[Row, Row, list[str]]]:
    """The pair that counts of those that differ in precision and the like alone, and what is passed over, in words."""
    groups: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
    for joint, twin in pairs:
        groups.setdefault((label(joint), label(twin), heading(joint)), []).append((joint, twin))
    for alike in groups.values():
        (joint, twin), *others = sorted(alike, key=lambda pair: strength(*pair), reverse=True)
        yield (
            joint,
            twin,
            [
                f"of {label(joint)} and {label(twin)} there are runs in {settings(a)} and {settings(b)} too"
                for a, b in others
            ],
        )


def _against(results: Path, joint: Row, twin: Row, passed_over: Sequence[str]) -> list[Transfer]:
    known = facts_in(record for row in (joint, twin) for _, record in row.records.values())
    heads = [part.head for part in _parts(twin)]
    names = [name for head in heads for name in shown(known, "headline") if known[name].head == head]
    comparison = compare_rows(results, joint, twin, names, MARGIN, relative=True)
    notes = (*comparison.notes, *passed_over)
    return [
        Transfer(label(joint), label(twin), heading(joint), name, known[name], comparison.findings[name], notes)
        for name in names
        if name in comparison.findings
    ]


def _asks_the_same(joint: Row, twin: Row) -> bool:
    """Whether for every task of the twin the joint model's recipe has the same part."""
    return set(map(str, _parts(twin))) <= set(map(str, parse(_spec(joint).recipe).parts))


def _parts(twin: Row) -> list[HeadPart]:
    """What the twin's recipe asks of the heads that the twin has."""
    heads = models.get(parse_key(twin.model)[0]).facts["heads"]
    return [part for part in parse(_spec(twin).recipe).parts if part.head in heads]


def _spec(row: Row) -> RunSpec:
    return next(iter(row.records.values()))[1].spec
