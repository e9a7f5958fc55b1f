"""The fewest runs that give cells the seeds in common that a verdict needs, as commands."""

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
    spec = alike.spec
    usual_engine = "eager" if alike.environment.gpu_memory_gib is None else ""  # a GPU may choose another by itself
    together: dict[tuple[str, tuple[str, ...], int, int], list[str]] = {}
    for name, seeds in lacking.items():
        row, tuning = cells[name], cells[name].any.tuning
        in_loss = tuning is not None and tuning.recipe != row.any.spec.recipe
        loss = tuning.recipe if tuning is not None and in_loss else row.recipe
        key = loss, _tuned(tuning), min(seeds), max(seeds) - min(seeds) + 1
        together.setdefault(key, []).append(row.model)
    found = []
    for (loss, tuned, first, count), models in together.items():
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
        found.append(shlex.join([*words, "--seeds", str(count)]))
    return found


def _tuned(tuning: Tuning | None) -> tuple[str, ...]:
    """The options of a sweep that tunes like that."""
    if tuning is None:
        return ()
    values = ",".join(f"{each.value:.15g}" for each in tuning.tried if not each.reference)
    words = ["--tune", f"{tuning.parameter}={values}", *(["--prune"] if tuning.pruned else [])]
    if set(tuning.weights.values()) != {1.0}:
        words += ["--weights", ",".join(f"{head}={weight:.15g}" for head, weight in tuning.weights.items())]
    return tuple(words)
