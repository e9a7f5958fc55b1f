"""The page while a sweep goes on: after runs, now and then, at no great cost."""

from pathlib import Path

import pytest

from bench.report.live_page import SECONDS, SHARE, LivePage
from bench.results import store
from tests.bench.records import record
from tests.bench.run.sweep.made_up import Clock, task


def test_it_is_written_after_runs_but_not_after_each(tmp_path: Path) -> None:
    clock, page = Clock(), tmp_path / "page.md"
    live = LivePage(tmp_path / "results", page, clock)
    texts = []
    for seed in range(3):
        made = record("unet", seed=seed)
        store.write(tmp_path / "results", made, {})
        live.ended(task("unet", seed), made, made=True)
        texts.append(page.read_text())
        clock.now += 0.6 * SECONDS
    assert texts[0] == texts[1] != texts[2]


def test_a_page_that_takes_long_is_written_seldom(tmp_path: Path) -> None:
    clock = Clock()

    def slow() -> float:
        clock.now += 5.0  # every look at the clock takes that long
        return clock.now

    live = LivePage(tmp_path / "results", tmp_path / "page.md", slow)
    live.ended(task(), record(), made=True)
    assert live.pause == pytest.approx(5.0 / SHARE)


def test_what_cannot_be_written_ends_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    LivePage(tmp_path / "results", tmp_path / "page.md").ended(task(), record(), made=True)
