"""The ledger: windows, closure, shares and rates, with a clock that the test turns by hand."""

import time
from types import SimpleNamespace

import pytest
import torch

from bench.timing import ledger as ledger_module
from bench.timing import marks
from bench.timing.ledger import UNCAPTURED, Ledger
from bench.timing.summary import summarise_windows
from bench.timing.window import Window


class Clock:
    """Stands in for `time`: moves only when a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.now / 2

    def perf_counter_ns(self) -> int:
        return round(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (ledger_module, marks):
        monkeypatch.setattr(module, "time", clock)
    return clock


def run(clock: Clock, steps: int) -> Ledger:
    """Steps of 10 ms: 1 wait, 4 forward, 3 backward, 2 unnamed."""

    def batches():
        for i in range(steps):
            clock.now += 0.001
            yield i

    ledger = Ledger(torch.device("cpu"), seconds=0.05, min_steps=2)
    for _ in ledger.steps(batches(), images=8):
        with ledger("forward"):
            clock.now += 0.004
        clock.now += 0.002
        with ledger("backward"):
            clock.now += 0.003
    return ledger


def test_windows_alternate_and_cover_all_steps(clock: Clock) -> None:
    ledger = run(clock, 23)
    assert [w.steps for w in ledger.windows] == [5, 5, 5, 5, 3]
    assert [w.blocks is None for w in ledger.windows] == [False, True, False, True, False]
    assert sum(w.seconds for w in ledger.windows) == pytest.approx(0.23)


def test_timings_are_what_the_clock_said(clock: Clock) -> None:
    timings = run(clock, 50).timings()
    assert timings.images_per_second == pytest.approx(800)
    assert timings.step_ms == pytest.approx(10)
    assert {name: round(block.median_ms, 6) for name, block in timings.blocks.items()} == {
        "data_wait": 1.0,
        "forward": 4.0,
        "backward": 3.0,
        "unattributed": 2.0,
    }
    assert sum(block.share for block in timings.blocks.values()) == pytest.approx(1.0)
    assert timings.closure == pytest.approx(0.8)
    assert timings.perturbation == pytest.approx(1.0)


def test_callback_time_counts_to_the_next_window(clock: Clock) -> None:
    ledger = Ledger(torch.device("cpu"), seconds=0.0, min_steps=1)

    def pause() -> None:
        clock.now += 0.5

    for _ in ledger.steps([1, 2], images=1, after_window=pause):
        clock.now += 0.01
    assert [w.seconds for w in ledger.windows] == pytest.approx([0.01, 0.51])


def test_intervals_of_the_last_window(clock: Clock) -> None:
    ledger = Ledger(torch.device("cpu"), seconds=0.0, min_steps=2)
    for _ in ledger.window(iter([1, 2]), images=1, instrumented=True):
        with ledger("forward"):
            clock.now += 0.004
        clock.now += 0.001
    rows = [(i.step, i.name, round(i.begin_ms, 6), round(i.length_ms, 6)) for i in ledger.intervals()]
    assert rows == [
        (0, "data_wait", 0, 0),
        (0, "forward", 0, 4),
        (0, "step", 0, 5),
        (1, "data_wait", 5, 0),
        (1, "forward", 5, 4),
        (1, "step", 5, 5),
    ]
    assert ledger.windows[0].processor_seconds == pytest.approx(0.005)
    for _ in ledger.window(iter([1, 2]), images=1, instrumented=False):
        pass
    assert ledger.intervals() == []


def test_state_round_trip(clock: Clock) -> None:
    ledger = run(clock, 23)
    other = Ledger(torch.device("cpu"))
    other.load_state(ledger.state())
    assert other.timings() == ledger.timings()


def test_real_sleeps_are_attributed() -> None:
    ledger = Ledger(torch.device("cpu"), seconds=0.0, min_steps=6)
    for _ in ledger.window(iter(range(6)), images=1, instrumented=True):
        with ledger("forward"):
            time.sleep(0.004)
        with ledger("backward"):
            time.sleep(0.002)
    timings = ledger.timings()
    assert timings.blocks["forward"].median_ms >= 4.0
    assert timings.blocks["backward"].median_ms >= 2.0
    assert timings.closure is not None
    assert timings.closure > 0.9


def test_perturbation_compares_neighbours() -> None:
    windows = [
        Window(1, 1, 1.0, None),
        Window(1, 1, 2.2, {"step": [2.2]}),
        Window(1, 1, 3.0, None),
        Window(1, 1, 2.4, {"step": [2.4]}),
        Window(1, 1, 1.0, None),
        Window(1, 1, 9.0, {"step": [9.0]}),
    ]
    assert summarise_windows(windows).perturbation == pytest.approx(2.4 / 2.0)


def test_nothing_measured_says_nothing() -> None:
    timings = summarise_windows([])
    assert timings.images_per_second is None
    assert timings.closure is None


@pytest.mark.parametrize(
    ("engine", "marked"), [("eager", "eager"), ("graphed", "eager"), ("compiled", UNCAPTURED), (UNCAPTURED, UNCAPTURED)]
)
def test_windows_say_how_their_steps_were_run(engine: str, marked: str) -> None:
    """Outside its graph a compiled step is compiled still."""
    ledger = Ledger(torch.device("cpu"), seconds=0.0, min_steps=1, plain_engine=engine)
    for instrumented in (False, True):
        for _ in ledger.window(iter([0]), 1, instrumented):
            pass
    assert [window.engine for window in ledger.windows] == [engine, marked]


@pytest.mark.parametrize(("engine", "steps"), [("eager", 20), (UNCAPTURED, 20), ("compiled", 4)])
def test_blocks_of_compiled_steps_are_timed_in_as_few_eager_ones_as_may_be(engine: str, steps: int) -> None:
    ledger = Ledger(torch.device("cpu"), seconds=60.0, plain_engine=engine)
    for _ in ledger.window(iter(range(20)), images=1, instrumented=True):
        pass
    assert ledger.windows[0].steps == steps


def test_only_the_last_tag_is_summed_up() -> None:
    windows = [Window(4, 32, 1.0, None, tag="64 px"), Window(4, 32, 2.0, None, tag="112 px")]
    timings = summarise_windows(windows)
    assert timings.images_per_second == 16
    assert timings.steps == 8


def test_a_device_that_waits_for_the_host_leaves_nothing_to_wait_for() -> None:
    steps = {"steps": 10, "images": 40, "seconds": 1.0, "blocks": None}
    assert Window(**steps, wait_seconds=0.02).host_bound
    assert not Window(**steps, wait_seconds=0.2).host_bound


@pytest.mark.parametrize(
    ("cuda", "engine", "expected"),
    [
        (False, "eager", [0, 2, 4, 6, 8]),
        (True, "eager", [1, 9]),
        (True, UNCAPTURED, [1, 9]),
        (True, "graphed", [1]),
        (False, "compiled", [1]),
    ],
)
def test_which_windows_of_a_stage_are_instrumented(cuda: bool, engine: str, expected: list[int]) -> None:
    ledger = Ledger(torch.device("cpu"), plain_engine=engine)
    ledger._cuda = cuda
    ledger.windows = [Window(1, 1, 1.0, None, tag="another stage")]
    instrumented = []
    for i in range(10):
        instrumented += [i] if ledger._is_next_instrumented() else []
        ledger.windows.append(Window(1, 1, 1.0, None))
    assert instrumented == expected


def test_a_window_by_itself_holds_the_reading_of_its_events(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs the host a call: that is part of what measuring costs."""

    class Event:
        def milliseconds_to(self, _later: "Event") -> float:
            clock.now += 0.001
            return 1.0

    stream = SimpleNamespace(synchronize=lambda: None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _device: stream)
    ledger = Ledger(torch.device("cpu"), seconds=0.0, min_steps=2)
    ledger._cuda, ledger._ring, ledger.mark = True, SimpleNamespace(rewind=lambda: None), Event
    for instrumented, expected in ((False, 0.02), (True, 0.02 + 4 * 0.001)):
        for _ in ledger.window(iter([1, 2]), images=1, instrumented=instrumented):
            clock.now += 0.01
        assert ledger.windows[-1].seconds == pytest.approx(expected)
        assert ledger.windows[-1].processor_seconds == pytest.approx(expected / 2)
