"""Bars have the lengths they should; a trace holds every interval, steps around their blocks."""

import json
from itertools import pairwise

import numpy as np
import pytest

from bench.profile.trace import chrome_trace
from bench.report.pictures.bars import Stack, bar, stacked_bars
from bench.timing.ledger import STEP


@pytest.mark.parametrize(("share", "text"), [(0.0, ""), (0.5, "████"), (1.0, "████████"), (2.0, "████████")])
def test_bars_of_text(share: float, text: str) -> None:
    assert bar(share, 8) == text


def test_a_bar_grows_by_eighths() -> None:
    assert len({bar(i / 64, 8) for i in range(65)}) == 65


def test_stacked_segments_are_as_long_as_their_times() -> None:
    picture = np.asarray(stacked_bars([Stack("one", [("forward/a", 30.0), ("backward/a", 60.0), ("optimizer", 10.0)])]))
    row = picture[24 + 26 + 5]  # through the bar, above its labels
    colours, counts = np.unique(row[24:-24], axis=0, return_counts=True)
    lengths = sorted(counts[colours.sum(1) < 765])[-3:]
    assert np.array(lengths) / sum(lengths) == pytest.approx([0.1, 0.3, 0.6], abs=0.01)


def test_bars_of_two_share_one_scale() -> None:
    stacks = [Stack("long", [("forward/a", 100.0)]), Stack("short", [("forward/a", 25.0)])]
    picture = np.asarray(stacked_bars(stacks)).astype(int)
    blue = (picture[:, :, 2] - picture[:, :, 0] > 30).sum(1)
    assert sorted(set(blue[blue > 200]))[0] / max(blue) == pytest.approx(0.25, abs=0.02)


def test_trace_of_real_steps(make) -> None:
    runner = make()
    runner.ledger.min_steps = 3
    runner.window(instrumented=True)
    trace = json.loads(json.dumps(chrome_trace(runner.ledger.intervals(), "tiny")))
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    steps = {event["args"]["step"]: event for event in events if event["name"] == STEP}
    assert len(steps) == runner.ledger.windows[-1].steps >= 3
    for event in events:
        step = steps[event["args"]["step"]]
        assert event["ts"] >= step["ts"] - 1e-6
        assert event["ts"] + event["dur"] <= step["ts"] + step["dur"] + 1e-6
    assert [e["ts"] for e in events] == sorted(e["ts"] for e in events)
    blocks = [event for event in events if event["name"] != STEP]
    assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-6 for a, b in pairwise(blocks))
    window = runner.ledger.windows[-1]
    assert sum(e["dur"] for e in steps.values()) / 1e6 == pytest.approx(window.seconds, rel=0.05)
