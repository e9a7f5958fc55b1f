"""Which benchmarks are slower than at another revision: a look at all, then a second measurement of the suspects."""

from __future__ import annotations

import math
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.errors import BenchError
from bench.regress.pair import lockstep

THRESHOLD = 1.05
_SUSPECT = 1.02
_LOOK_QUADS, _LOOK_SLICE = 4, 0.05
_QUADS, _SLICE = 10, 0.1  # seconds of a turn
_PROCESS_PAIRS = 3
_MISS = 0.01  # share of intervals that may miss the true median

Answer = Literal["slower", "faster", "same"]


class Finding(BaseModel):
    """How long a benchmark takes over how long it took.

    Attributes:
        name: pytest's id.
        ratio: median over quads A B B A.
        low, high: the interval that holds the true median 99 times in 100, by order statistics.
        processes: the median ratio of each pair of fresh processes; after one within 5 % there are no more.
        answer: ``slower`` or ``faster`` when the interval and every pair of processes lie beyond 5 %, else ``same``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    ratio: float
    low: float
    high: float
    processes: list[float]
    answer: Answer


def regress(
    checkout: Path, revision: str, select: str = "", progress: Callable[[str], None] = lambda line: None
) -> list[Finding]:
    """Compare this checkout's benchmarks with those of another revision of it.

    Every benchmark is looked at once. Those that look slower are measured anew in fresh processes, and the answer
    rests on these later measurements alone, so that chance is not selected for.

    Args:
        checkout: the top of a git checkout; its working tree is what is judged.
        revision: what to compare with, as git names it.
        select: pytest's ``-k`` over the benchmarks.
        progress: told a line now and then.

    Raises:
        BenchError: no such revision, or benchmarks that fail.
    """
    with worktree(checkout, revision) as other:
        looked = {}
        for name, quads in lockstep(checkout, other, select, _LOOK_QUADS, _LOOK_SLICE):
            looked[name] = finding(name, [ratios(quads)])
            progress(f"{looked[name].ratio:5.2f}  {name}")
        suspects = frozenset(name for name, seen in looked.items() if seen.ratio > _SUSPECT)
        measured: dict[str, list[list[float]]] = {}
        for pair in range(1, _PROCESS_PAIRS + 1):
            if not suspects:
                break
            progress(f"pair {pair} of {_PROCESS_PAIRS}: measuring {len(suspects)} that look slower again")
            for name, quads in lockstep(checkout, other, select, _QUADS, _SLICE, suspects):
                measured.setdefault(name, []).append(ratios(quads))
            # As every pair must lie beyond the threshold, one that does not acquits.
            suspects = frozenset(name for name in suspects if statistics.median(measured[name][-1]) > THRESHOLD)
    again = {name: finding(name, pairs) for name, pairs in measured.items()}
    # What was looked at once and did not look slower is not slower; more is not claimed of it.
    calm = {name: seen.model_copy(update={"answer": "same"}) for name, seen in looked.items()}
    return list({**calm, **again}.values())


def ratios(quads: Sequence[tuple[float, float]]) -> list[float]:
    """Ours over theirs, a quad."""
    return [ours / theirs for ours, theirs in quads]


def finding(name: str, pairs: Sequence[Sequence[float]]) -> Finding:
    """Judge a benchmark by the ratios of each pair of processes."""
    every = sorted(ratio for pair in pairs for ratio in pair)
    low, high = _median_bounds(every)
    processes = [statistics.median(pair) for pair in pairs]
    answer: Answer = "same"
    if low > THRESHOLD and min(processes) > THRESHOLD:
        answer = "slower"
    elif high < 1 / THRESHOLD and max(processes) < 1 / THRESHOLD:
        answer = "faster"
    return Finding(name=name, ratio=statistics.median(every), low=low, high=high, processes=processes, answer=answer)


def _median_bounds(ordered: Sequence[float]) -> tuple[float, float]:
    """The narrowest pair of order statistics that holds the median in all but `_MISS` cases (Conover 1999, 3.2)."""
    n, below = len(ordered), 0.0
    rank = 0
    while rank < n // 2:
        below += math.comb(n, rank) / 2**n
        if 2 * below > _MISS:
            break
        rank += 1
    return ordered[max(0, rank - 1)], ordered[min(n - 1, n - rank)]


@contextmanager
def worktree(checkout: Path, revision: str) -> Iterator[Path]:
    """Another revision of a checkout in a folder of its own, taken away afterwards."""
    with tempfile.TemporaryDirectory(prefix="revision-") as scratch:
        other = Path(scratch) / "tree"
        made = _git(checkout, "worktree", "add", "--detach", str(other), revision)
        if made.returncode:
            reason = made.stderr.strip().splitlines()[-1:] or ["git failed"]
            raise BenchError(f"cannot check out {revision!r}: {reason[0]}; name a revision of this repository")
        try:
            yield other
        finally:
            _git(checkout, "worktree", "remove", "--force", str(other))


def _git(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, check=False)
