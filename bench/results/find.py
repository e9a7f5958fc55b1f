"""Finding cells among the records by what a person calls them, and pairs of them that were measured alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bench.core.errors import BenchError
from bench.core.files import canonical_json
from bench.core.record import UNTUNED, Record
from bench.results.board import Row, data_label
from registry.errors import UnknownName

_ID = re.compile(r"[0-9a-f]{12}")
"""Of a run."""


def label(row: Row) -> str:
    """``model:loss``, or the model alone where nothing is learnt."""
    return f"{row.model}:{row.recipe}" if row.learns else row.model


def named_machine(record: Record) -> str:
    """What computed, by name: another machine is worth another seed."""
    about = record.environment
    return f"{about.device} ({about.instructions}, {about.threads} threads)"


def named_arithmetic(record: Record) -> str:
    """A kind of arithmetic in words, and by its digest where it was measured: names do not say all."""
    about = record.environment
    digest = f", arithmetic {record.arithmetic}" if record.arithmetic else ""
    return f"{about.label}, {about.instructions} ({record.fingerprint}{digest})"


def heading(row: Row) -> str:
    """The protocol and the data a cell was measured under, in words."""
    record = _any(row)
    tuned = "" if record.division == UNTUNED else f" · {record.division}"
    return f"{record.budget.label} · {data_label(record.spec.data)}{tuned}"


def stands_within(row: Row, within: str) -> bool:
    """Whether a row's heading has that part, from the beginning of a word on; ``untuned`` is one where no tuning is.

    >>> re.search(_from_a_word("tuned"), "quick v1 · untuned") is None
    True
    """
    text = heading(row) + (f" · {UNTUNED}" if _any(row).division == UNTUNED else "")
    return re.search(_from_a_word(within), text) is not None


def _from_a_word(part: str) -> str:
    return r"(?<!\w)" + re.escape(part)


def pick(board: Sequence[Row], a: str, b: str, within: str = "") -> tuple[Row, Row]:
    """The only pair of cells on a board that the two names fit; twice the same cell where both name it.

    Two names of models mean the same loss, and the same precision and other settings, where both have such a row; where
    both have several, those with most seeds in common, then those that were timed.

    Raises:
        UnknownName: a name fits no cell.
        BenchError: they stand on no common board, or on several.
    """
    ours = [row for row in board if stands_within(row, within)]
    if not ours:
        raise BenchError(f"no protocol or data is called {within!r}; the boards are: {_boards(board)}")
    left, right = _fitting(ours, a), _fitting(ours, b)
    pairs = [(x, y) for x in left for y in right if comparable(x, y) and x != y]
    for alike in (_same_loss, _same_settings):
        pairs = [pair for pair in pairs if alike(*pair)] or pairs
    if len({(x.recipe, y.recipe, heading(x)) for x, y in pairs}) == 1:  # they differ in settings alone
        most = max(strength(*pair) for pair in pairs)
        pairs = [pair for pair in pairs if strength(*pair) == most]
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        records = "; ".join(f"{_name(x)} and {_name(y)} ({heading(x)})" for x, y in pairs)
        raise BenchError(
            f"{a} and {b} fit several pairs: say the precision (wnet:bce_ssim:float32), name the records' files, "
            f"or use --within. There are: {records}"
        )
    if left == right and len(left) == 1:
        return left[0], right[0]
    why = "; ".join(_apart(left[0], right[0]))
    raise BenchError(
        f"{a} and {b} were not measured alike and are not compared: {why}. "
        "Run both under the same protocol and data (bench run)"
    )


def pick_one(board: Sequence[Row], text: str, within: str = "") -> Row:
    """The only cell that a name fits; of rows that differ in precision and the like alone, the one of most `strength`.

    Raises:
        UnknownName: it fits none.
        BenchError: it fits several.
    """
    found = pick_alike(board, text, within)
    best = [row for row in found if strength(row) == strength(found[0])]
    if len(best) > 1:
        raise _several(text, best)
    return best[0]


def pick_alike(board: Sequence[Row], text: str, within: str = "") -> list[Row]:
    """The rows that a name fits, which differ in precision and other settings alone; those of most `strength` first.

    Raises:
        UnknownName: it fits none.
        BenchError: it fits several cells of other losses, protocols or data.
    """
    ours = [row for row in board if stands_within(row, within)]
    if not ours:
        raise BenchError(f"no protocol or data is called {within!r}; the boards are: {_boards(board)}")
    found = _fitting(ours, text)
    if len({(row.model, row.recipe, heading(row), canonical_json(_any(row).spec.data)) for row in found}) > 1:
        raise _several(text, found)
    return sorted(found, key=strength, reverse=True)


def strength(*rows: Row) -> tuple[int, bool]:
    """What decides between rows, or pairs, that differ in precision and the like alone: common seeds, then times.

    A run that shared its device has no times.
    """
    seeds = set.intersection(*(set(row.records) for row in rows))
    return len(seeds), all(record.is_timed for row in rows for _, record in row.records.values())


def _several(text: str, found: Sequence[Row]) -> BenchError:
    return BenchError(
        f"{text} fits several cells: say the precision (wnet:bce_ssim:float32), name a record's file, or use "
        f"--within. There are: {'; '.join(f'{_name(row)} ({heading(row)})' for row in found)}"
    )


def _fitting(board: Sequence[Row], text: str) -> list[Row]:
    if text.endswith(".json"):
        return _of_file(board, text)
    if _ID.fullmatch(text):
        return _of_run(board, text)
    wanted = text.replace(" ", "")
    found = [row for row in board if wanted in {name.replace(" ", "") for name in _names(row)}]
    if not found:
        raise UnknownName(
            "cell", text, {name for row in board for name in (row.model, label(row))}, "bench leaderboard"
        )
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


def _names(row: Row) -> set[str]:
    """All that a cell answers to; its precision and memory format may be named too, where its name is shared."""
    spec = _any(row).spec
    plain = {row.model, label(row), f"{row.model}:{spec.recipe}"}
    return (
        plain
        | {f"{name}:{spec.precision} {spec.memory_format}" for name in plain}
        | {f"{name}:{spec.precision}" for name in plain}
    )


def _name(row: Row) -> str:
    return next(iter(row.records.values()))[0]


def _any(row: Row) -> Record:
    return next(iter(row.records.values()))[1]


def comparable(a: Row, b: Row) -> bool:
    """Whether both were measured under the same protocol and data, and tuned alike unless a side learns nothing."""
    first, second = _any(a), _any(b)
    places = [(record.budget.label, canonical_json(record.spec.data)) for record in (first, second)]
    return places[0] == places[1] and (first.division == second.division or not (a.learns and b.learns))


def settings(row: Row) -> str:
    """A row's precision and the like, and its seeds, in words."""
    count = len(row.records)
    return f"{_any(row).spec.precision_label} ({count} seed{'' if count == 1 else 's'})"


def passed_over(board: Sequence[Row], *taken: Row) -> list[str]:
    """Rows of the same cells, in other precisions and the like, that were not taken, in words."""
    by_cell = {row.cell: row for row in taken}
    return [
        f"{label(row)} is in {settings(row)}; there are runs of it in {', '.join(map(settings, others))} too"
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
    settings = [(s.precision, s.memory_format, s.engine, s.inputs) for s in (_any(a).spec, _any(b).spec)]
    return settings[0] == settings[1]


def _boards(board: Sequence[Row]) -> str:
    return "; ".join(sorted({heading(row) for row in board})) or "none, for want of finished records"


def _apart(a: Row, b: Row) -> list[str]:
    """The conditions in which two cells differ, a line each."""
    facts = [
        {"protocol": record.budget.label, "division": record.division, **record.spec.data}
        for record in (_any(a), _any(b))
    ]
    lines = [
        f"{what} {facts[0].get(what)} against {facts[1].get(what)}"
        for what in dict.fromkeys([*facts[0], *facts[1]])
        if facts[0].get(what) != facts[1].get(what) and not isinstance(facts[0].get(what), dict | list)
    ]
    return lines or ["the content of the data differs"]
