"""What a soak does again and again: each scenario disturbs commands in a folder and gives what it found."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.devtools.soak import checks, commands
from bench.devtools.soak.process import Process, finish, run, start

WRITERS = 8
_LIMITS = (0, 300, 2_000, 8_000, 20_000, 60_000, 150_000, 400_000)
"""Bytes that a file may have where the disk is full: between them lie records, pages, checkpoints, packed samples."""


@dataclass
class Found:
    """What a scenario came to.

    Attributes:
        outcome: in a few words, to be counted.
        faults: what should not be.
        processes: the commands that were given.
    """

    outcome: str = ""
    faults: list[str] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def check(self, process: Process, allowed: Sequence[int]) -> None:
        """Take a command that is over, and look at how it ended and at what it left."""
        self.processes.append(process)
        self.faults += checks.ended_well(process, allowed)
        self.faults += checks.processes_gone(process.folder)
        self.faults += checks.records_whole(process.folder / "results")
        self.faults += checks.page_whole(process.folder / "page.md")


Scenario = Callable[[Path, random.Random], Found]


def undisturbed(folder: Path, draw: random.Random) -> Found:
    """A valid run leaves one record, and nothing else is left to be done."""
    found = Found("finished")
    found.check(run(folder, commands.valid(draw)), [0])
    return _complete(found, folder, runs=1)


def refused(folder: Path, draw: random.Random) -> Found:
    """An invalid request ends with a message and exit status 2 or 3, and writes nothing."""
    process = run(folder, commands.invalid(draw))
    found = Found(f"exit {process.status}")
    found.check(process, [2, 3])
    found.faults += checks.nothing_written(folder)
    return found


def failed(folder: Path, draw: random.Random) -> Found:
    """A run that fails is a record with its outcome, and exit status 4."""
    found = Found()
    found.check(run(folder, commands.failing(draw)), [4])
    kinds = [kind for records in checks.outcomes(folder).values() for kind in records]
    found.outcome = " ".join(kinds)
    if len(kinds) != 1 or kinds[0] not in ("failed", "diverged", "oom"):
        found.faults.append(f"left records {kinds}")
    found.faults += [fault for fault in checks.no_strays(folder) if "checkpoint" not in fault]
    return found


def killed(folder: Path, draw: random.Random) -> Found:
    """A run that is killed up to three times and begun again ends with one finished record."""
    return _signalled(folder, draw, commands.valid(draw), runs=1, seconds=3.0)


def swept(folder: Path, draw: random.Random) -> Found:
    """So does a sweep, with all of its runs."""
    return _signalled(folder, draw, commands.swept(draw, draw.choice((1, 2))), runs=4, seconds=20.0)


def _signalled(folder: Path, draw: random.Random, words: list[str], runs: int, seconds: float) -> Found:
    found, outcome = Found(), []
    for _ in range(draw.randint(1, 3)):
        number = draw.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
        at = draw.uniform(0, seconds)
        twice = [(at + draw.uniform(0, 0.3), number)] if number == signal.SIGINT and draw.random() < 0.3 else []
        process = run(folder, words, [(at, number), *twice])
        outcome.append({0: "finished", -9: "killed"}.get(process.status or 0, f"exit {process.status}"))
        found.check(process, [0, -9] if number == signal.SIGKILL else [0, 128 + number, *_early(process)])
        checks.age(folder)
    found.check(run(folder, words), [0])
    found.outcome = f"{outcome[0]}, continued"
    return _complete(found, folder, runs)


def _early(process: Process) -> list[int]:
    """SIGTERM ends a process that has not said a word by itself: it takes signals only then."""
    return [] if process.text else [-signal.SIGTERM]


def full(folder: Path, draw: random.Random) -> Found:
    """Where files may not grow, a run ends with words; with room again it ends as if nothing had been."""
    words = commands.valid(draw)
    process = run(folder, words, file_bytes=draw.choice(_LIMITS))
    return _refilled(folder, words, process)


def small_disk(folder: Path, draw: random.Random) -> Found:
    """The same on a file system of a few kilobytes, where mounting is allowed."""
    words, size = commands.valid(draw), draw.choice((8, 64, 128, 256, 512, 1024))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        return Found("not allowed here")
    try:
        process = run(folder, words)
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True, capture_output=True)
        return _refilled(folder, words, process)
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def _refilled(folder: Path, words: list[str], process: Process) -> Found:
    found = Found("finished" if process.status == 0 else f"exit {process.status}")
    found.check(process, [0, 2])
    said = ("free some space", "make room", "warning: no ", "cannot write", "No space left", "File too large")
    if process.status and not any(words in process.text for words in said):
        found.faults.append("does not say that there is no room")
    found.faults += [f"half written: {path.name}" for path in folder.rglob("*") if path.suffix in checks.TEMPORARY]
    found.check(run(folder, words), [0])
    return _complete(found, folder, runs=1)


def together(folder: Path, draw: random.Random) -> Found:
    """Eight processes write into one folder of results, some of them the same run: none is lost, and none is half."""
    words, found = commands.valid(draw), Found()
    seeds = [draw.randrange(WRITERS - 2) for _ in range(WRITERS)]
    processes = [start(folder, [*words, "--first-seed", str(seed)]) for seed in seeds]

    def check() -> None:
        """Whether records and page are whole while all write."""
        found.faults += [*checks.records_whole(folder / "results"), *checks.page_whole(folder / "page.md")]

    finish(processes, check)
    for process in processes:
        found.check(process, [0])
    found.outcome = f"{WRITERS} at once"
    return _complete(found, folder, len({*seeds}))


def _complete(found: Found, folder: Path, runs: int) -> Found:
    """Whether every run has one finished record, and nothing is left that is not a result."""
    records = checks.outcomes(folder)
    finished = [kinds.count("finished") for kinds in records.values()]
    if finished != [1] * runs:
        found.faults.append(f"finished records by run: {finished}, and there are {runs} runs")
    found.faults += checks.no_strays(folder)
    return found


SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "undisturbed": (undisturbed, 2),
    "refused": (refused, 6),
    "failed": (failed, 3),
    "killed": (killed, 6),
    "full": (full, 4),
    "small disk": (small_disk, 3),
    "eight at once": (together, 2),
    "sweep killed": (swept, 1),
}
"""Scenarios by name, each with how often it comes beside the others."""
