"""The leaderboard page from records read from disk: ten times as many must cost ten times as much."""

from pathlib import Path

import pytest

from bench.report.markdown.leaderboard import leaderboard
from bench.results import store
from bench.results.store import records
from tests.bench.records import record
from tests.bench.results_folder import images

IMAGES = 256
COUNTS = (1000, 10_000)
"""In this order, so that each prints how it compares with the one before."""

_seconds: dict[int, float] = {}


def write(folder: Path, count: int) -> None:
    """Cells of five seeds each, with per-image metrics beside every record."""
    table = images(0.8, 0, IMAGES)
    names = ",".join(table)
    lines = [",".join(f"{value:.5g}" for value in row) for row in zip(*table.values(), strict=True)]
    text = "\n".join([names, *lines, ""])
    for i in range(count):
        made = record(f"n:m{i // 5}", seed=i % 5, dice=0.5 + 0.4 * i / count)
        (folder / f"r{i:06}.json").write_text(store.sealed(made))
        (folder / f"r{i:06}{store.IMAGES}").write_text(text)
    assert len(store.read_all(folder)) == count


def read(folder: Path) -> store.Records:
    """As a command does, which has read none of them before."""
    records._parse.cache_clear()
    return store.read_all(folder)


def test_leaderboard_of_500(benchmark, tmp_path: Path) -> None:
    write(tmp_path, 500)
    benchmark(lambda: leaderboard(read(tmp_path), folder=tmp_path))


@pytest.mark.ratio
@pytest.mark.parametrize("count", COUNTS)
def test_leaderboard(benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int) -> None:
    write(tmp_path, count)
    benchmark.pedantic(lambda: leaderboard(read(tmp_path), folder=tmp_path), rounds=3)
    if benchmark.stats is None:
        return
    _seconds[count] = benchmark.stats.stats.min
    line = f"leaderboard of {count:,} records: {_seconds[count]:.2f} s"
    if count == COUNTS[-1]:
        line += "; wanted: 3 s"
    for fewer in (other for other in _seconds if other < count):
        ratio = _seconds[count] / _seconds[fewer]
        benchmark.extra_info["ratio"] = ratio
        line += f"; {ratio:.1f} times as long as {fewer:,}, of which there are {count / fewer:.0f} times as many"
    with capsys.disabled():
        print(f"\n  {line}", end="", flush=True)
