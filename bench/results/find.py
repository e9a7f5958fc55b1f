"""Finding cells among the records by what a person calls them, and pairs of them that were measured alike."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.files import canonical_json
from bench.results.ambiguity import ambiguous
from bench.results.board import Row
from bench.results.row_names import (
    full_name,
    full_names,
    heading,
    label,
    names,
    settings,
    spaceless,
    stands_within,
)
from bench.results.stats.pairing import Pairing
from bench.results.store import Records
from registry.errors import UnknownName

_ID = re.compile(r"[0-9a-f]{12}")
"""Of a run."""


def check_finished(records: Records, trained: bool = False) -> None:
    """Refuse a folder without finished runs; to be called where a command needs one.

    Args:
        records: of the folder.
        trained: whether what learns nothing is not enough.

    Raises:
        BadData: there are none, and files that cannot be read.
        BenchError: there are none, or only baselines.
    """
    finished = [record for _, record in records if record.outcome == "finished"]
    if any(record.spec.recipe or not trained for record in finished):
        return
    records.check()
    what = f"runs that finished among {len(records)}" if len(records) else "finished runs"
    what = "trained runs, but baselines alone," if finished else what
    raise BenchError(
        f"there are no {what} in {records.folder}; bench run makes them (bench run --model unet), or name another "
        "folder with --results"
    )


def pick(board: Sequence[Row], a: str, b: str, within: str = "", results: Path | None = None) -> tuple[Row, Row]:
    """The only pair of cells on a board that the two names fit; twice the same cell where both name it.

    Two names of models mean the same loss where both have it. Of pairs that differ in precision and other settings
    alone one that has a verdict counts before one that has not, for which a single seed is too few; of these one in
    the same settings, then that of most seeds, then one that was timed. A name given twice means the same cell twice.
    ``results`` is the folder of the records, for errors.

    Raises:
        UnknownName: a name fits no cell.
        BenchError: they stand on no common board, or on several.
    """
    if spaceless(a) == spaceless(b):
        same = _only(board, (a, b), within, results)
        return same, same
    ours = boards_within(board, within)
    left, right = fitting(ours, a, results), fitting(ours, b, results)
    pairs = [(x, y) for x in left for y in right if comparable(x, y) and x != y]
    pairs = [pair for pair in pairs if _same_loss(*pair)] or pairs
    if len({(_kind(x), _kind(y)) for x, y in pairs}) == 1:  # they differ in settings alone
        most = max(_evidence(*pair) for pair in pairs)
        pairs = [pair for pair in pairs if _evidence(*pair) == most]
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        raise ambiguous((a, b), pairs)
    if left == right and len(left) == 1:
        return left[0], right[0]
    why = "; ".join(_apart(left[0], right[0]))
    raise BenchError(
        f"{a} and {b} were not measured alike and are not compared: {why}. "
        "Run both under the same protocol and data (bench run)"
    )


def pick_one(board: Sequence[Row], text: str, within: str = "", results: Path | None = None) -> Row:
    """The only cell that a name fits; of rows that differ in precision and the like alone, the one of most `strength`.

    ``results`` is the folder of the records, for errors.

    Raises:
        UnknownName: it fits none.
        BenchError: it fits several.
    """
    return _only(board, (text,), within, results)


def pick_alike(
    board: Sequence[Row], text: str, within: str = "", by_board: bool = True, results: Path | None = None
) -> list[Row]:
    """The rows that a name fits, which differ in precision and other settings alone; those of most `strength` first.

    Args:
        board: the rows.
        text: the name.
        within: part of their heading.
        by_board: whether whoever asks can say ``within``, for the error.
        results: folder of the records, for errors.

    Raises:
        UnknownName: it fits none.
        BenchError: it fits several cells of other losses, protocols or data.
    """
    return _alike(board, (text,), within, by_board, results)


def strength(*rows: Row) -> tuple[int, bool]:
    """What decides between rows, or pairs, that differ in precision and the like alone: common seeds, then times.

    A run that shared its device has no times.
    """
    seeds = set.intersection(*(set(row.records) for row in rows))
    return len(seeds), all(record.is_timed for row in rows for _, record in row.records.values())


def _only(board: Sequence[Row], given: tuple[str, ...], within: str, results: Path | None) -> Row:
    """See `pick_one`; the same name, as often as it was given."""
    found = _alike(board, given, within, results=results)
    best = [row for row in found if strength(row) == strength(found[0])]
    if len(best) > 1:
        raise ambiguous(given, [(row,) for row in best])
    return best[0]


def _alike(
    board: Sequence[Row], given: tuple[str, ...], within: str, by_board: bool = True, results: Path | None = None
) -> list[Row]:
    """See `pick_alike`; the same name, as often as it was given."""
    found = fitting(boards_within(board, within), given[0], results)
    if len(set(map(_kind, found))) > 1:
        raise ambiguous(given, [(row,) for row in found], by_board)
    return sorted(found, key=strength, reverse=True)


def boards_within(board: Sequence[Row], within: str) -> list[Row]:
    """The rows whose heading has that part; what learns nothing stands on all boards of its protocol and data.

    Raises:
        BenchError: no row's heading has it.
    """
    learnt = [row for row in board if row.learns and stands_within(row, within)]
    found = [
        row
        for row in board
        if stands_within(row, within) or (not row.learns and any(comparable(row, other) for other in learnt))
    ]
    if not found:
        raise BenchError(f"no protocol or data is called {within!r}; the boards are: {_boards(board)}")
    return found


def _kind(row: Row) -> tuple[str, ...]:
    """What rows share that differ in precision and other settings alone."""
    return row.model, row.recipe, heading(row), canonical_json(row.any.spec.data)


def _evidence(a: Row, b: Row) -> tuple[bool, bool, bool, int, bool]:
    """What decides between pairs that differ in precision and other settings alone, the most important first."""
    pairing = Pairing.of(tuple(a.records), tuple(b.records), a.learns, b.learns)
    alike = _same_settings(a, b) or not (a.learns and b.learns)
    return pairing.settles, alike, pairing.paired, pairing.seeds, strength(a, b)[1]


def fitting(board: Sequence[Row], text: str, results: Path | None = None) -> list[Row]:
    """The rows that a name fits: a cell's, a record's file or a run's id, each of the latter as a row of its own.

    ``results`` is the folder of the records, for errors.

    Raises:
        UnknownName, BenchError: it fits none.
    """
    if text.endswith(".json"):
        return _of_file(board, text)
    if _ID.fullmatch(text):
        return _of_run(board, text)
    wanted = spaceless(text)
    found = [row for row in board if wanted in names(row)]
    exact = {_kind(row) for row in found if wanted in full_names(row)}
    found = [row for row in found if wanted in full_names(row) or _kind(row) not in exact]
    if not found and not any(row.learns for row in board):
        floor = ", ".join(dict.fromkeys(row.model for row in board))
        raise BenchError(f"unknown cell {text!r}: there are only baselines here ({floor}); bench run makes other runs")
    if not found:
        words = ["bench", "leaderboard", "--show", *(["--results", str(results)] if results else [])]
        raise UnknownName("cell", text, {name for row in board for name in (row.model, label(row))}, shlex.join(words))
    return found


def _of_file(board: Sequence[Row], name: str) -> list[Row]:
    """A record by its file's name, as a row of its own."""
    parts = [part for row in board for part in (row, *row.elsewhere)]
    found = [_single(part, seed) for part in parts for seed, (file, _) in part.records.items() if file == name]
    if found:
        return found
    same = [other for part in parts for other, record in part.records.values() if f"_{record.id}_" in name]
    raise BenchError(
        f"{name} does not count: of the same run {', '.join(same)} does"
        if same
        else f"no finished record called {name} stands on the boards that are asked for ({_boards(board)})"
    )


def _of_run(board: Sequence[Row], run: str) -> list[Row]:
    """A run by its id, as a row of its own; where several kinds of arithmetic have it, that whose row counts."""
    for parts in (board, [part for row in board for part in row.elsewhere]):
        found = [
            _single(part, seed) for part in parts for seed, (_, record) in part.records.items() if record.id == run
        ]
        if found:
            return found
    raise BenchError(f"no finished run {run} stands on the boards that are asked for ({_boards(board)})")


def _single(row: Row, seed: int) -> Row:
    return replace(row, records={seed: row.records[seed]}, elsewhere=())


def comparable(a: Row, b: Row) -> bool:
    """Whether both were measured under the same protocol and data, and tuned alike unless a side learns nothing."""
    first, second = a.any, b.any
    places = [(record.budget.label, canonical_json(record.spec.data)) for record in (first, second)]
    return places[0] == places[1] and (first.division == second.division or not (a.learns and b.learns))


def passed_over(board: Sequence[Row], *taken: Row) -> list[str]:
    """Rows of the same cells, in other precisions and the like, that were not taken, in words."""
    by_cell = {row.cell: row for row in taken}
    return [
        f"{label(row)} is in {settings(row)}; there are runs of it in {', '.join(map(settings, others))} too, "
        f"called {', '.join(map(full_name, others))}"
        for row in by_cell.values()
        if (others := [other for other in other_settings(board, row) if other.cell not in by_cell])
    ]


def other_settings(board: Sequence[Row], row: Row) -> list[Row]:
    """Rows of the same model, loss, protocol and data that were computed in another precision or the like."""
    return [
        other
        for other in board
        if (other.model, other.recipe) == (row.model, row.recipe) and other.cell != row.cell and comparable(other, row)
    ]


def _same_loss(a: Row, b: Row) -> bool:
    return a.recipe == b.recipe


def _same_settings(a: Row, b: Row) -> bool:
    """Whether both were computed in the same precision, memory format and engine, from the same inputs."""
    settings = [(s.precision, s.memory_format, s.engine, s.inputs) for s in (a.any.spec, b.any.spec)]
    return settings[0] == settings[1]


def _boards(board: Sequence[Row]) -> str:
    return "; ".join(sorted({heading(row) for row in board})) or "none, for want of finished records"


def _apart(a: Row, b: Row) -> list[str]:
    """The conditions in which two cells differ, a line each."""
    facts = [
        {"protocol": record.budget.label, "division": record.division, **record.spec.data} for record in (a.any, b.any)
    ]
    lines = [
        f"{what} {facts[0].get(what)} against {facts[1].get(what)}"
        for what in dict.fromkeys([*facts[0], *facts[1]])
        if facts[0].get(what) != facts[1].get(what) and not isinstance(facts[0].get(what), dict | list)
    ]
    return lines or ["the content of the data differs"]
