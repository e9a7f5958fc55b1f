"""Regressions: the interval is that of the median, and a planted slow-down is found where nothing else is."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from scipy import stats

from bench.errors import BenchError
from bench.regress.regress import finding, regress, worktree

BENCHMARK = """
import time
import pytest

def work(loops):
    total = 0
    for i in range(loops):
        total += i * i
    return total

@pytest.mark.parametrize("loops", [{first}, {second}], ids=["first", "second"])
def test_work(benchmark, loops):
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
    monkeypatch.setattr("bench.regress.regress._LOOK_SLICE", 0.01)
    monkeypatch.setattr("bench.regress.regress._SLICE", 0.01)


def test_a_planted_slow_down_is_named_and_nothing_else(checkout: Path) -> None:
    path = checkout / "tests" / "benchmarks" / "test_work.py"
    path.write_text(BENCHMARK.format(first=20_000, second=60_000))
    answers = {found.name.split("::")[1]: found.answer for found in regress(checkout, "HEAD")}
    assert answers == {"test_work[first]": "same", "test_work[second]": "slower"}


def test_identical_revisions_show_nothing(checkout: Path) -> None:
    findings = regress(checkout, "HEAD", select="first")
    assert [found.answer for found in findings] == ["same"]
    assert [path.name for path in checkout.iterdir() if path.name != ".git"] == ["tests"]


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


@pytest.mark.parametrize("n", [12, 24, 30])
def test_bounds_are_the_exact_ones_of_the_median(n: int) -> None:
    values = [1.0 + i / 1000 for i in range(n)]
    found = finding("x", [values])
    rank = values.index(found.low)
    assert values.index(found.high) == n - 1 - rank
    assert 2 * stats.binom.cdf(rank, n, 0.5) <= 0.01
    assert 2 * stats.binom.cdf(rank + 1, n, 0.5) > 0.01


def test_noise_alone_is_never_slower_and_ten_percent_always_is() -> None:
    draw = random.Random(0)
    for _ in range(200):
        noise = [[draw.gauss(1.0, 0.03) for _ in range(10)] for _ in range(3)]
        assert finding("x", noise).answer == "same"
        slow = [[1.1 * ratio for ratio in pair] for pair in noise]
        assert finding("x", slow).answer == "slower"
        assert finding("x", [[1 / ratio for ratio in pair] for pair in slow]).answer == "faster"


def test_the_first_pair_of_processes_within_the_threshold_acquits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at four, then what each pair of fresh processes measures of those that are still suspected."""
    seen: list[dict[str, float]] = [
        {"calm": 1.0, "noise": 1.08, "late": 1.1, "slow": 1.1},
        {"noise": 1.01, "late": 1.09, "slow": 1.1},
        {"late": 1.04, "slow": 1.1},
        {"slow": 1.1},
    ]
    asked: list[frozenset[str] | None] = []

    def lockstep(
        ours: Path, theirs: Path, select: str, quads: int, seconds: float, only: frozenset[str] | None = None
    ) -> Iterator[tuple[str, list[tuple[float, float]]]]:
        asked.append(only)
        for name, ratio in seen[len(asked) - 1].items():
            yield name, [(ratio, 1.0)] * quads

    monkeypatch.setattr("bench.regress.regress.lockstep", lockstep)
    monkeypatch.setattr("bench.regress.regress.worktree", lambda *_: nullcontext(Path()))
    found = {one.name: one for one in regress(Path(), "HEAD")}
    assert asked == [None, *(frozenset(names) for names in seen[1:])]
    assert {name: one.answer for name, one in found.items()} == dict.fromkeys(seen[0], "same") | {"slow": "slower"}
    assert {name: len(one.processes) for name, one in found.items()} == {"calm": 1, "noise": 1, "late": 2, "slow": 3}
