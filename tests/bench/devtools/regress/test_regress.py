"""Regressions: the interval is that of the median, and a planted slow-down is found where nothing else is."""

import math
import random
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from scipy import stats

from bench.core.errors import BenchError
from bench.devtools.regress import regress as regression
from bench.devtools.regress.regress import finding, regress, suspected, worktree

BENCHMARK = """
import os
import pytest

def work(loops):
    total = 0
    for i in range(loops):
        total += i * i
    return total

@pytest.mark.parametrize("loops", [{first}, {second}], ids=["first", "second"])
def test_work(benchmark, loops):
    assert len(os.sched_getaffinity(0)) == 1
    benchmark(work, loops)

@pytest.mark.ratio
def test_against_something_else(benchmark):
    benchmark.extra_info["ratio"] = 2.0  # by itself: not offered to be compared between revisions
"""


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with two benchmarks, committed once."""
    folder = tmp_path / "tests" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "test_work.py").write_text(BENCHMARK.format(first=20_000, second=20_000))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "_SCREEN_SLICE", 0.01)
    monkeypatch.setattr(regression, "_SLICE", 0.01)


def test_a_planted_slow_down_is_named_and_nothing_else(checkout: Path) -> None:
    path = checkout / "tests" / "benchmarks" / "test_work.py"
    path.write_text(BENCHMARK.format(first=20_000, second=60_000))
    answers = {found.name.split("::")[1]: found.answer for found in regress(checkout, "HEAD")}
    assert answers == {"test_work[first]": "not slower", "test_work[second]": "slower"}


def test_identical_revisions_show_nothing(checkout: Path) -> None:
    findings = regress(checkout, "HEAD", select="first")
    assert [found.answer for found in findings] == ["not slower"]
    assert [path.name for path in checkout.iterdir() if path.name != ".git"] == ["tests"]


def test_nothing_to_compare_is_no_success(checkout: Path) -> None:
    with pytest.raises(BenchError, match="share no benchmark of those that --select 'nothing_of_that_name'"):
        regress(checkout, "HEAD", select="nothing_of_that_name")
    (checkout / "tests" / "benchmarks" / "test_work.py").write_text("def test_other(benchmark):\n    benchmark(int)\n")
    with pytest.raises(BenchError, match=r"HEAD share no benchmark$"):
        regress(checkout, "HEAD")


def test_an_unknown_revision_is_named(checkout: Path) -> None:
    with pytest.raises(BenchError, match="no-such-branch"), worktree(checkout, "no-such-branch"):
        pass


def test_failing_benchmarks_show_their_last_words(checkout: Path) -> None:
    (checkout / "tests" / "benchmarks" / "test_work.py").write_text("def test_work(benchmark):\n    1 / 0\n")
    git(checkout, "commit", "-qam", "broken")
    with pytest.raises(BenchError, match="ZeroDivisionError"):
        regress(checkout, "HEAD")
    (checkout / "tests" / "benchmarks" / "test_work.py").write_text("syntax error")
    with pytest.raises(BenchError, match="SyntaxError"):
        regress(checkout, "HEAD")


def test_a_benchmark_that_fails_at_its_turn_is_told(checkout: Path) -> None:
    late = "calls = []\n\ndef work():\n    calls.append(1)\n    1 / (len(calls) < 3)\n\n"
    path = checkout / "tests" / "benchmarks" / "test_work.py"
    path.write_text(late + "def test_work(benchmark):\n    benchmark(work)\n")
    git(checkout, "commit", "-qam", "late")
    with pytest.raises(BenchError, match="benchmarks failed"):
        regress(checkout, "HEAD")


def noisy(draw: random.Random, truth: float, pairs: int = regression._PAIRS) -> list[list[float]]:
    """Quads of pairs of processes, as noisy as was measured: 3 % between processes, 5 % within."""
    middles = [math.log(truth) + draw.gauss(0, 0.03) for _ in range(pairs)]
    return [[math.exp(middle + draw.gauss(0, 0.05)) for _ in range(6)] for middle in middles]


def test_bounds_are_students_over_the_pairs_of_processes() -> None:
    pairs = noisy(random.Random(0), 1.2)
    logs = [statistics.median(map(math.log, pair)) for pair in pairs]
    found = finding("x", pairs)
    low, high = stats.t.interval(0.95, len(logs) - 1, loc=statistics.mean(logs), scale=stats.sem(logs))
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((low, high))


def test_noise_alone_is_never_slower_and_ten_percent_nearly_always_is() -> None:
    draw = random.Random(0)

    def slower(truth: float) -> int:
        count = 0
        for _ in range(500):
            pairs = noisy(draw, truth)
            kept = all(suspected(pairs[:k]) for k in range(1, len(pairs) + 1))
            count += kept and finding("x", pairs).answer == "slower"
        return count

    assert slower(1.0) == 0
    assert slower(1.1) > 450
    assert slower(1.2) > 495


def test_a_suspect_is_measured_until_it_is_acquitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at all, then what each pair of fresh processes measures of those that are still suspected."""
    looks = {"calm": 1.0, "noise": 1.08, "late": 1.1, "slow": 1.1}
    later = {"noise": [0.99], "late": [1.09, 0.95], "slow": [1.1] * regression._PAIRS}
    ours, theirs = Path("ours"), Path("theirs")
    requested: list[set[str] | None] = []

    def lockstep(
        a: Path, b: Path, select: str, quads: int, seconds: float, only: frozenset[str] | None = None
    ) -> Iterator[tuple[str, list[tuple[float, float]]]]:
        requested.append(only and set(only))
        turn = len(requested) - 2
        for name in only or looks:
            ratio = looks[name] if only is None else later[name][turn]
            assert (a, b) == ((theirs, ours) if turn % 2 and only else (ours, theirs))
            yield name, [(ratio, 1.0) if a == ours else (1.0, ratio)] * quads

    monkeypatch.setattr(regression, "lockstep", lockstep)
    monkeypatch.setattr(regression, "worktree", lambda *_: nullcontext(theirs))
    found = {change.name: change for change in regress(ours, "HEAD")}
    assert requested[:3] == [None, {"noise", "late", "slow"}, {"late", "slow"}]
    assert requested[3:] == [{"slow"}] * (regression._PAIRS - 2)
    answers = {name: change.answer for name, change in found.items()}
    assert answers == dict.fromkeys(looks, "not slower") | {"slow": "slower"}
    assert {name: len(change.processes) for name, change in found.items()} == {
        "calm": 1,
        "noise": 1,
        "late": 2,
        "slow": regression._PAIRS,
    }
