"""`soak`: scenarios one after the other until the time is over, counted."""

from __future__ import annotations

import gc
import importlib
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.core.errors import BenchError
from bench.devtools.soak import commands
from bench.devtools.soak.process import finish, start, use_temporary_folder
from bench.devtools.soak.scenarios import SCENARIOS


@dataclass
class Tally:
    """What a soak has found.

    Attributes:
        cases: scenarios that were made, by name and outcome.
        commands: that were given.
        faults: of each case that had some: its number, scenario, faults and the commands with their output.
        seconds: that it took.
    """

    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    commands: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def table(self) -> str:
        """The counts as a Markdown table."""
        lines = ["| scenario | outcome | cases |", "| --- | --- | --- |"]
        lines += [f"| {name} | {outcome} | {count} |" for (name, outcome), count in sorted(self.cases.items())]
        total = f"{self.cases.total()} cases of {self.commands} commands in {self.seconds:.0f} s"
        return "\n".join([*lines, "", f"{total}: {len(self.faults)} with faults"])


def soak(
    folder: Path,
    seconds: float,
    seed: int = 0,
    names: Sequence[str] = (),
    progress: Callable[[Tally, float], object] = lambda tally, left: None,
    only: int | None = None,
) -> Tally:
    """Make random scenarios until the time is over.

    Args:
        folder: to work in; folders of cases with faults stay.
        seconds: that it may take; the last case is finished.
        seed: of the cases, which depend on it and their number alone.
        names: of the scenarios; all, if none is given.
        progress: called after every case with the tally and the seconds that are left.
        only: number of the only case to be made.
    """
    chosen = [*(names or SCENARIOS)]
    weights = [SCENARIOS[name][1] for name in chosen]
    _prepare(folder)
    tally, began = Tally(), time.monotonic()
    number = only or 0
    while (left := seconds - (time.monotonic() - began)) > 0:
        draw = random.Random(f"{seed} {number}")
        [name] = draw.choices(chosen, weights)
        place = folder / f"case{number}"
        place.mkdir(parents=True)
        found = SCENARIOS[name][0](place, draw)
        tally.cases[name, found.outcome] += 1
        tally.commands += len(found.processes)
        if found.faults:
            heading = f"case {number} of seed {seed}, {name}: {'; '.join(dict.fromkeys(found.faults))}"
            told = [f"$ bench {' '.join(each.words)}\n{each.text}" for each in found.processes]
            tally.faults.append("\n".join([heading, f"in {place}", *told]))
        else:
            shutil.rmtree(place, ignore_errors=True)
        tally.seconds = time.monotonic() - began
        progress(tally, left)
        number += 1
        if only is not None:
            break
    return tally


def _prepare(folder: Path) -> None:
    """Import all that commands import, so that a fork is cheap; computes nothing, as that would make threads."""
    use_temporary_folder(folder)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    place, names = folder / "first", folder / "imported.txt"
    place.mkdir(parents=True, exist_ok=True)
    first = start(place, commands.valid(random.Random(0)), imported=names)
    finish([first])
    if first.status:
        raise BenchError(f"an undisturbed run ends with status {first.status}:\n{first.text}")
    for name in names.read_text().split():
        with suppress(Exception):
            importlib.import_module(name)
    names.unlink()
    shutil.rmtree(place)
    gc.collect()
    gc.freeze()
