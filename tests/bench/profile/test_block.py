"""`Block`, and time lines for a trace viewer: from what was counted to rates by hand."""

from __future__ import annotations

import json

import pytest

from bench.core.record.timings import BlockTime
from bench.profile.block import block_of
from bench.profile.machine.ceiling import Ceiling
from bench.profile.trace import chrome_trace
from bench.profile.windows.interval import Interval
from bench.timing.census import Count
from bench.timing.ledger import STEP, TimelineEntry

CEILING = Ceiling(gflops=100.0, gigabytes=10.0)


def time(ms: float) -> BlockTime:
    return BlockTime(median_ms=ms, q1_ms=ms, q3_ms=ms, p95_ms=ms, share=0.5)


def block(ms: float, **counted: int):
    return block_of("forward", time(ms), Interval(value=ms, low=ms, high=ms), Count(**counted), CEILING)


def test_rates_are_what_was_done_over_the_time() -> None:
    found = block(10.0, macs=250_000_000, moved=20_000_000, kept=3 * 2**20, peak=5 * 2**20, operations=7)
    assert (found.gmacs, found.gflops) == pytest.approx((0.25, 50.0))
    assert (found.gigabytes, found.moved_mib) == pytest.approx((2.0, 20e6 / 2**20))
    assert (found.kept_mib, found.peak_mib, found.operations) == (3.0, 5.0, 7)


@pytest.mark.parametrize(
    ("counted", "share"),
    [
        ({"macs": 250_000_000}, 0.5),  # 5 ms of arithmetic in 10 ms
        ({"moved": 20_000_000}, 0.2),  # 2 ms of copying in 10 ms
        ({"macs": 250_000_000, "moved": 20_000_000}, 0.5),
        ({"macs": 50_000_000, "moved": 80_000_000}, 0.8),
    ],
)
def test_the_ceiling_that_binds_is_the_higher_of_the_two(counted: dict[str, int], share: float) -> None:
    assert block(10.0, **counted).of_ceiling == pytest.approx(share)


def test_a_block_that_does_nothing_of_a_kind_has_no_rate_of_it() -> None:
    found = block(10.0)
    assert (found.gflops, found.gigabytes, found.of_ceiling) == (None, None, None)
    assert block(0.0, macs=1).gflops is not None, "no division by 0"


def entry(name: str, begin: float, length: float, step: int = 0) -> TimelineEntry:
    return TimelineEntry(step, name, begin, length)


def test_a_trace_has_steps_and_blocks_on_tracks_of_their_own_in_microseconds() -> None:
    intervals = [entry("loss/mask.bce", 2.0, 0.5), entry("forward/down1", 0.0, 2.0), entry(STEP, 0.0, 3.0, 4)]
    trace = json.loads(json.dumps(chrome_trace(intervals, "unet")))
    names = {event["args"]["name"] for event in trace["traceEvents"] if event["ph"] == "M"}
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert names == {"step", "block", "unet"}
    assert [event["name"] for event in events] == [STEP, "forward/down1", "loss/mask.bce"], "the longer of two first"
    assert [(event["ts"], event["dur"], event["tid"]) for event in events] == [
        (0, 3000, 0),
        (0, 2000, 1),
        (2000, 500, 1),
    ]
    assert [event["cat"] for event in events] == [STEP, "forward", "loss"] and events[0]["args"] == {"step": 4}


def test_an_empty_trace_is_one_too() -> None:
    assert [event["ph"] for event in chrome_trace([], "x")["traceEvents"]] == ["M", "M", "M"]
