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
from bench.results.find import boards_within, check_finished, comparable, fitting, strength
from bench.results.metric_facts import facts_in, shown
from bench.results.missing_runs import missing_runs
from bench.results.row_names import full_name, heading, label, settings
from bench.results.stats.pairing import Pairing
from bench.results.stats.verdict import MetricComparison
from registry.losses import parse, recipes
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
        model: key of the joint model, whose registration says which its twins are, or a cell of it, ``model:loss``.
        within: part of a board's heading, to restrict it to that board.

    Raises:
        UnknownName: no such model or cell.
        BenchError: the model has no twins, it or every twin lacks records, or no board has such a heading.
    """
    key, _, loss = model.partition(":")
    of_cell = loss in recipes.names() or (bool(loss) and parse_key(key)[0] in models.names())  # else module:function
    key = models.canonical(key if of_cell else model)
    twins: Sequence[str] = models.resolve(key)[0].facts.get("twins", ())
    if not twins:
        raise BenchError(f"{key} has no single-task twins; wnet has unet_mask and unet_depth")
    records = store.read_all(results)
    check_finished(records, trained=True)
    board = [row for row in boards_within(rows(records), within) if row.learns]
    joints = fitting(board, model, results) if of_cell else [row for row in board if row.model == key]
    pairs = [
        (joint, twin)
        for joint in joints
        for twin in board
        if parse_key(twin.model)[0] in twins and comparable(joint, twin) and _asks_the_same(joint, twin)
    ]
    fair = [(joint, twin) for joint, twin in pairs if _spec(joint).precision == _spec(twin).precision]
    found = [transfer for alike in _by_name(fair, board) for transfer in _against(results, *alike)]
    if not found:
        needed = " ".join(f"--model {name}" for name in (key, *twins))
        makes = f"bench run {needed} --loss bce_ssim makes them"
        if not pairs:
            raise BenchError(
                f"there are no records of {key} and a twin under the same protocol, data and recipe: {makes}"
            )
        first = pairs[0][0]
        apart = {label(twin): twin for joint, twin in pairs if joint is first}
        runs = missing_runs(board, first, *apart.values())
        raise BenchError(f"there are no records of {key} and a twin in the same precision: {(*runs, makes)[0]}")
    return found


def _by_name(pairs: Sequence[tuple[Row, Row]], board: Sequence[Row]) -> Iterator[tuple[Row, Row, list[str]]]:
    """Of pairs that differ in precision and the like alone the one that counts, with notes on others and more runs."""
    groups: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
    for joint, twin in pairs:
        groups.setdefault((label(joint), label(twin), heading(joint)), []).append((joint, twin))
    chosen = []
    for alike in groups.values():
        (joint, twin), *others = sorted(alike, key=lambda pair: strength(*pair), reverse=True)
        chosen.append((joint, twin, _passed_over(joint, twin, others)))
    for joint, twin, notes in chosen:
        lacking = [b for a, b, _ in chosen if a is joint and not _settles(a, b)]
        yield joint, twin, notes if _settles(joint, twin) else [*notes, *missing_runs(board, joint, *lacking)]


def _settles(joint: Row, twin: Row) -> bool:
    return Pairing.of(tuple(joint.records), tuple(twin.records)).settles


def _passed_over(joint: Row, twin: Row, others: Sequence[tuple[Row, Row]]) -> list[str]:
    if not others:
        return []
    there = "; ".join(f"{settings(a)} and {settings(b)}" for a, b in others)
    names = dict.fromkeys(full_name(a) for a, _ in others if a.cell != joint.cell)
    option = f", with --transfer {' or '.join(names)}" if names else ""
    return [f"of {label(joint)} and {label(twin)} there are runs in {there} too{option}"]


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
