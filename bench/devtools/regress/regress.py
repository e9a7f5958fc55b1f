"""Which benchmarks are slower than at another revision: a glance at all, then a second measurement of the suspects."""

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

from bench.core.errors import BenchError
from bench.devtools.regress.lockstep import lockstep
from bench.profile.windows.interval import grouped_interval

THRESHOLD = 1.05
FOUND = 1.10
"""A slow-down that is to be found, however noisy the machine."""

_SCREEN_QUADS, _SCREEN_SLICE = 4, 0.05
_SCREEN_SUSPECT = 1.01
_PAIRS, _QUADS, _SLICE = 12, 6, 0.1  # of processes; in each; seconds of a turn
_SPREAD = 0.1
"""How far below the truth a pair's logarithm falls once in a hundred: two processes of a revision differ by 2 to 4 %
(standard deviation), as their memory lies differently."""

Answer = Literal["slower", "not slower"]


class BenchmarkChange(BaseModel):
    """How long a benchmark takes over how long it took.

    Attributes:
        name: pytest's id.
        ratio: median over quads A B B A.
        low, high: of what was measured in fresh processes, its 95 % interval, by Student's t over the pairs of them;
            of what was only screened, the range of its quads.
        processes: the median ratio of each pair of fresh processes; no more were made of what was acquitted.
        answer: ``slower`` when the whole interval lies beyond 5 %.
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
) -> list[BenchmarkChange]:
    """Compare this checkout's benchmarks with those of another revision of it.

    Every benchmark is screened once. Those that seem slower are measured anew in pairs of fresh processes until they
    are acquitted, and the answer rests on these later measurements alone, so that chance is not selected for.

    Args:
        checkout: the top of a git checkout; its working tree is what is judged.
        revision: what to compare with, as git names it.
        select: pytest's ``-k`` over the benchmarks.
        progress: called with a line now and then.

    Raises:
        BenchError: no such revision, benchmarks that fail, or none that both have.
    """
    with worktree(checkout, revision) as other:
        screened = {}
        for name, quads in lockstep(checkout, other, select, _SCREEN_QUADS, _SCREEN_SLICE):
            screened[name] = finding(name, [ratios(quads)])
            progress(f"{screened[name].ratio:5.2f}  {name}")
        if not screened:
            chosen = f" of those that --select {select!r} names" if select else ""
            raise BenchError(f"nothing to compare: this working tree and {revision} share no benchmark{chosen}")
        suspects = frozenset(name for name, change in screened.items() if change.ratio > _SCREEN_SUSPECT)
        measured: dict[str, list[list[float]]] = {}
        for pair in range(_PAIRS):
            if not suspects:
                break
            progress(f"pair {pair + 1} of at most {_PAIRS}: measuring {len(suspects)} that seem slower again")
            for name, found in _pair(checkout, other, select, suspects, swapped=pair % 2 == 1):
                measured.setdefault(name, []).append(found)
            suspects = frozenset(name for name in suspects if suspected(measured[name]))
    again = {name: finding(name, pairs) for name, pairs in measured.items()}
    return list({**screened, **again}.values())


def _pair(
    ours: Path, theirs: Path, select: str, only: frozenset[str], swapped: bool
) -> Iterator[tuple[str, list[float]]]:
    """Ratios of a pair of fresh processes; theirs goes first where they are swapped."""
    first, second = (theirs, ours) if swapped else (ours, theirs)
    for name, quads in lockstep(first, second, select, _QUADS, _SLICE, only):
        yield name, ratios([(b, a) for a, b in quads] if swapped else quads)


def ratios(quads: Sequence[tuple[float, float]]) -> list[float]:
    """Ours over theirs, a quad."""
    return [ours / theirs for ours, theirs in quads]


def suspected(pairs: Sequence[Sequence[float]]) -> bool:
    """Whether the pairs of processes so far leave room for a slow-down of `FOUND`."""
    logs = [math.log(statistics.median(pair)) for pair in pairs]
    return statistics.fmean(logs) > math.log(FOUND) - _SPREAD / math.sqrt(len(logs))


def finding(name: str, pairs: Sequence[Sequence[float]]) -> BenchmarkChange:
    """Judge a benchmark by the ratios of each pair of processes."""
    logs = grouped_interval([[math.log(ratio) for ratio in pair] for pair in pairs])
    ratio, low, high = (math.exp(x) for x in (logs.value, logs.low, logs.high))
    slower = len(pairs) == _PAIRS and low > THRESHOLD
    return BenchmarkChange(
        name=name,
        ratio=ratio,
        low=low,
        high=high,
        processes=[statistics.median(pair) for pair in pairs],
        answer="slower" if slower else "not slower",
    )


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
