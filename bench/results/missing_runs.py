"""Commands of further runs that belong to a board: the fewest that a verdict needs, and single ones."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from bench.core.record import Record, Tuning
from bench.results.board import Row
from bench.results.find import other_settings
from bench.results.row_names import label

ENOUGH = 2
"""Seeds of which a verdict can be had."""


def missing_runs(board: Sequence[Row], *taken: Row) -> list[str]:
    """A note that names the commands; none where nothing is missing, or where training began from other weights.

    Of the precisions and other settings in which any of the cells was run, that which needs the fewest further runs:
    every cell in it, with the seeds that the one of most seeds has there, of `ENOUGH` at least. A tuned cell is given
    to a sweep that tunes it as it was, which finds the trials that are kept.

    Args:
        board: all rows there are.
        taken: those that lack seeds in common, of one protocol and data set. A part of a row lacks nothing: it was
            chosen by whoever named a record; nor does a cell against itself or another precision of it.
    """
    if not all(any(row is one for row in board) for one in taken) or len(set(map(label, taken))) < len(taken):
        return []
    rows = [row for one in taken for row in (one, *other_settings(board, one))]
    cells: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.learns:
            cells.setdefault(label(row), {}).setdefault(row.any.spec.precision_label, row)
    options = []
    for settings in dict.fromkeys(settings for there in cells.values() for settings in there):
        had = [set(there[settings].records) if settings in there else set() for there in cells.values()]
        wanted = max(had, key=len)
        while len(wanted) < ENOUGH:
            wanted = wanted | {next(seed for seed in range(len(wanted) + 1) if seed not in wanted)}
        lacking = {name: wanted - seeds for name, seeds in zip(cells, had, strict=True) if wanted - seeds}
        record = next(there[settings].any for there in cells.values() if settings in there)
        options.append((sum(map(len, lacking.values())), len(wanted), lacking, record))
    if not options:
        return []
    count, seeds, lacking, record = min(options, key=lambda option: (option[0], -option[1]))
    if not count or record.spec.init:
        return []
    commands = _commands(lacking, {name: next(iter(there.values())) for name, there in cells.items()}, record)
    trials = "; trials that are not kept here are made again" if any(row.any.tuning for row in rows) else ""
    return [f"with this board's budget and data, {' and '.join(commands)} makes it {seeds} seeds{trials}"]


def _commands(lacking: Mapping[str, set[int]], cells: Mapping[str, Row], alike: Record) -> list[str]:
    """One for all models that lack the same seeds under the same loss, in the settings of a record."""
    together: dict[tuple[str, tuple[str, ...], int, int], list[str]] = {}
    for name, seeds in lacking.items():
        row = cells[name]
        key = _loss(row), _tuned(row.any.tuning), min(seeds), max(seeds) - min(seeds) + 1
        together.setdefault(key, []).append(row.model)
    return [_command(models, loss, tuned, alike, *seeds) for (loss, tuned, *seeds), models in together.items()]


def further_run(board: Sequence[Row], model: str, loss: str, seed: int) -> str:
    """The command that adds a seed of a cell to a board.

    In the settings of the cell's row and tuned as that was; a cell that the board lacks takes after the first row of
    its model, of its loss, or at all.

    Args:
        board: rows of one board that learn, the strongest of each cell first.
        model, loss: of the cell.
        seed: to run.
    """
    likeness = [(_tunes_its_loss(row) and row.recipe != loss, row.model != model, row.recipe != loss) for row in board]
    like = board[likeness.index(min(likeness))]
    text = _loss(like) if like.recipe == loss else loss
    return _command([model], text, _tuned(like.any.tuning), like.any, seed, 1)


def _tunes_its_loss(row: Row) -> bool:
    return row.any.tuning is not None and row.any.tuning.recipe != row.any.spec.recipe


def _loss(row: Row) -> str:
    """The loss that a command names: of a row that tuned a number in it, the one before."""
    tuning = row.any.tuning
    return tuning.recipe if tuning is not None and _tunes_its_loss(row) else row.recipe


def _command(models: Sequence[str], loss: str, tuned: Sequence[str], alike: Record, first: int, count: int) -> str:
    """One of models that lack the same seeds under the same loss, in the settings of a record."""
    spec = alike.spec
    usual_engine = "eager" if alike.environment.gpu_memory_gib is None else ""  # a GPU may choose another by itself
    words = ["bench", "sweep" if tuned else "run"]
    for model in models:
        words += ["--model", model]
    words += ["--loss", loss, *tuned, "--precision", spec.precision]
    unusual = (
        ("--memory-format", spec.memory_format, "channels_last"),
        ("--engine", spec.engine, usual_engine),
        ("--inputs", spec.inputs, "pair"),
        ("--first-seed", str(first), "0"),
    )
    words += [word for option, value, usual in unusual if value != usual for word in (option, value)]
    return shlex.join([*words, "--seeds", str(count)])


def _tuned(tuning: Tuning | None) -> tuple[str, ...]:
    """The options of a sweep that tunes like that."""
    if tuning is None:
        return ()
    values = ",".join(f"{each.value:.15g}" for each in tuning.tried if not each.reference)
    words = ["--tune", f"{tuning.parameter}={values}", *(["--prune"] if tuning.pruned else [])]
    if set(tuning.weights.values()) != {1.0}:
        words += ["--weights", ",".join(f"{head}={weight:.15g}" for head, weight in tuning.weights.items())]
    return tuple(words)
