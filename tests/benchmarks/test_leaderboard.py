"""The leaderboard page from 1,000 records read from disk; ten times as many must cost ten times as much."""

from pathlib import Path

import pytest

from bench.report.leaderboard import leaderboard
from bench.results import store
from tests.bench.records import record


@pytest.mark.parametrize("count", [200, 1000])
def test_leaderboard(benchmark, tmp_path: Path, count: int) -> None:
    template = record().model_dump_json()
    for i in range(count):
        (tmp_path / f"r{i:06}.json").write_text(
            template.replace('"seed":0', f'"seed":{i % 5}').replace('"unet"', f'"n:m{i // 5}"')
        )
    benchmark(lambda: leaderboard(store.read_all(tmp_path)))
