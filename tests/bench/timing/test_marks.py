"""Marks on the host's clock and on a stream, by stand-ins for CUDA; blocks between marks."""

from __future__ import annotations

import itertools
import time

import pytest
import torch

from bench.timing.marks import HostMark, MarkedBlock, StreamMark, StreamMarks
from bench.timing.window import Window


class Event:
    """A CUDA event that happens when its stream's clock says."""

    made = 0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        Event.made += 1
        self.at = float("nan")

    def record(self, stream: Stream) -> None:
        self.at = next(stream.clock)

    def elapsed_time(self, later: Event) -> float:
        return later.at - self.at


class Stream:
    def __init__(self) -> None:
        self.clock = itertools.count(0.0, 2.5)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[Stream]:
    """Streams that become current one after another, and the events that were made on them."""
    streams = [Stream(), Stream()]
    order = iter(streams)
    Event.made = 0
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: next(order))
    return streams


def test_host_marks_count_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([1_000_000, 3_500_000, 3_500_000])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    first, second, third = HostMark(), HostMark(), HostMark()
    assert (first.milliseconds_to(second), second.milliseconds_to(third), second.milliseconds_to(first)) == (
        2.5,
        0,
        -2.5,
    )


def test_real_host_marks_never_go_back() -> None:
    marks = [HostMark() for _ in range(200)]
    assert all(a.milliseconds_to(b) >= 0 for a, b in itertools.pairwise(marks))


def test_events_are_made_once_and_recorded_anew_in_every_window(card: list[Stream]) -> None:
    ring = StreamMarks(torch.device("cuda", 0))
    ring.rewind()
    first = [ring() for _ in range(3)]
    assert [first[0].milliseconds_to(mark) for mark in first] == [0.0, 2.5, 5.0]
    ring.rewind()
    second = [ring() for _ in range(4)]
    assert [id(mark) for mark in second[:3]] == [id(mark) for mark in first]
    assert Event.made == 4
    assert [second[0].milliseconds_to(mark) for mark in second] == [0.0, 2.5, 5.0, 7.5]


def test_a_window_keeps_to_the_stream_that_was_current_when_it_began(card: list[Stream]) -> None:
    ring = StreamMarks(torch.device("cuda", 0))
    for stream in card:
        ring.rewind()
        for _ in range(3):
            ring()
        assert next(stream.clock) == 7.5, "three marks on this stream"


def test_a_mark_of_a_stream_is_an_event_with_timing(card: list[Stream]) -> None:
    begin, end = StreamMark(), StreamMark()
    for mark in (begin, end):
        mark.event.record(card[0])  # type: ignore[arg-type]
    assert begin.milliseconds_to(end) == 2.5


class Tally:
    """A recorder whose quantity rises by one with every mark."""

    def __init__(self) -> None:
        self.blocks: list[tuple[str, int, int]] = []
        self._marks = itertools.count()

    def mark(self) -> int:
        return next(self._marks)

    def add(self, name: str, begin: int, end: int) -> None:
        self.blocks.append((name, begin, end))


def test_blocks_are_recorded_when_they_end_whatever_happens_in_them() -> None:
    tally = Tally()
    with MarkedBlock(tally, "outer"):
        with pytest.raises(ZeroDivisionError), MarkedBlock(tally, "inner"):
            raise ZeroDivisionError
        with MarkedBlock(tally, "inner"):
            pass
    assert tally.blocks == [("inner", 1, 2), ("inner", 3, 4), ("outer", 0, 5)]


@pytest.mark.parametrize(
    ("steps", "wait", "bound"),
    [(4, 0.0, True), (4, 0.12, True), (4, 0.125, False), (4, 0.9, False), (1, 0.4, True), (1, 0.5, False)],
)
def test_a_host_is_the_slower_where_the_device_waits_less_than_half_a_step(
    steps: int, wait: float, bound: bool
) -> None:
    assert Window(steps, 8 * steps, 1.0, None, wait_seconds=wait).host_bound is bound
