"""Processors and load, on systems that know them and on those that do not."""

from __future__ import annotations

import os

import pytest

from bench.core.processors import load_average, usable_processors
from bench.profile.machine.doctor import examine_threads


def test_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= usable_processors() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 0.7, 0.2), raising=False)
    assert load_average() == 1.5


@pytest.mark.parametrize(("affinity", "expected"), [({3}, 1), ({0, 2, 5}, 3), (None, 64)])
def test_those_that_the_process_may_use(
    affinity: set[int] | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    if affinity is None:  # macOS, Windows
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    else:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: affinity, raising=False)
    assert usable_processors() == expected


def unknown() -> tuple[float, float, float]:
    raise OSError


@pytest.mark.parametrize("lacks", ["the function", "the figure"])
def test_a_machine_is_examined_where_affinity_and_load_are_unknown(lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    if lacks == "the function":
        monkeypatch.delattr(os, "getloadavg", raising=False)
    else:
        monkeypatch.setattr(os, "getloadavg", unknown, raising=False)
    assert load_average() is None
    finding = examine_threads()
    assert finding.grade == "ok" and "on 64 cores" in finding.finding
