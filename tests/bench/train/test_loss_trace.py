"""`LossTrace`: losses of an epoch, read back window by window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from bench.data.loading.batch import Batch
from bench.timing.window import Window
from bench.train.events import Listener, WindowSummary
from bench.train.failures import Diverged
from bench.train.loss_trace import LossTrace


class Summaries(Listener):
    def __init__(self) -> None:
        self.seen: list[WindowSummary] = []

    def window(self, summary: WindowSummary) -> None:
        self.seen.append(summary)


class State(SimpleNamespace):
    """Stands for the run's state: the sums so far, and when a checkpoint might be written."""

    def __init__(self, done: int = 0, **sums: float) -> None:
        super().__init__(done=done, sums=sums, moments=[])

    def within(self, done: int, sums: dict[str, float]) -> None:
        self.moments.append((done, dict(sums)))


def trace_of(state: Any, listener: Listener, before: int = 0, images: int = 8) -> LossTrace:
    ledger = SimpleNamespace(windows=[Window(steps=2, images=images, seconds=0.25, blocks=None)])
    return LossTrace(3, before, 100, ledger, listener, state)  # type: ignore[arg-type]


def keep(trace: LossTrace, step: int, losses: Sequence[float], names: Sequence[str] = ("total", "mask.bce")) -> None:
    ids = torch.tensor([10 * step, 10 * step + 1])
    batch = Batch(ids, ids, lambda: pytest.fail("the trace reads no sample"))
    trace.keep(batch, {name: torch.tensor(loss) for name, loss in zip(names, losses, strict=True)})


def test_a_window_reports_its_own_means_and_the_place_in_the_run() -> None:
    listener, state = Summaries(), State()
    trace = trace_of(state, listener, before=40)
    for step, total in enumerate((1.0, 3.0)):
        keep(trace, step, (total, total / 2))
    trace.read()
    keep(trace, 2, (8.0, 1.0))
    trace.read()
    assert [(seen.epoch, seen.step, seen.steps) for seen in listener.seen] == [(3, 42, 100), (3, 43, 100)]
    assert [seen.losses for seen in listener.seen] == [{"total": 2.0, "mask.bce": 1.0}, {"total": 8.0, "mask.bce": 1.0}]
    assert [seen.images_per_second for seen in listener.seen] == [32.0, 32.0]
    assert trace.means() == {"total": 4.0, "mask.bce": 1.0}


def test_the_state_gets_the_sums_before_a_checkpoint_may_be_written() -> None:
    state = State()
    trace = trace_of(state, Listener())
    keep(trace, 0, (1.0, 0.5))
    trace.read()
    assert (state.done, state.sums) == (1, {"total": 1.0, "mask.bce": 0.5})
    assert state.moments == [(1, {"total": 1.0, "mask.bce": 0.5})]


@settings(max_examples=30)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=80),
    st.data(),
)
def test_means_do_not_depend_on_windows_or_on_a_resume(losses: list[float], data: st.DataObject) -> None:
    whole = trace_of(State(), Listener())
    for step, loss in enumerate(losses):
        keep(whole, step, (loss,), ("total",))
    whole.collect()

    state = State()
    parts = trace_of(state, Listener())
    for step, loss in enumerate(losses):
        keep(parts, step, (loss,), ("total",))
        if data.draw(st.booleans()):
            parts.collect()
            parts = trace_of(state, Listener())  # a process that goes on from a checkpoint
    if parts._ids:
        parts.collect()
    assert parts.means() == pytest.approx(whole.means())
    assert whole.means()["total"] == pytest.approx(math.fsum(losses) / len(losses), rel=1e-6, abs=1e-6)
    assert state.done == len(losses)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("row", "term"),
    [
        (("bad", 1.0, 1.0), None),  # the sum overflowed, no term did
        (("bad", "bad", 1.0), "mask.bce"),
        (("bad", "bad", "bad"), "mask.bce"),
        (("bad", 1.0, "bad"), "depth.l1"),
        ((1.0, 1.0, "bad"), "depth.l1"),
    ],
)
def test_a_loss_that_is_not_finite_names_its_step_samples_and_term(
    bad: float, row: tuple[float | str, ...], term: str | None
) -> None:
    state, names = State(done=5, total=1.0), ("total", "mask.bce", "depth.l1")
    trace = trace_of(state, Listener())
    keep(trace, 0, (1.0, 1.0, 1.0), names)
    keep(trace, 1, [bad if loss == "bad" else float(loss) for loss in row], names)
    keep(trace, 2, (bad, bad, bad), names)
    with pytest.raises(Diverged) as ended:
        trace.read()
    assert (ended.value.epoch, ended.value.step, ended.value.term) == (3, 7, term)
    assert ended.value.ids.tolist() == [10, 11]
    assert state.moments == [] and state.done == 5, "no checkpoint of a run that has diverged"


def test_a_window_of_any_length_is_read_back_by_a_handful_of_operations() -> None:
    counted: list[object] = []

    class Counted(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            counted.append(operation)
            return operation(*args, **(kwargs or {}))

    trace = trace_of(State(), Listener())
    for step in range(200):
        keep(trace, step, (1.0, 0.5))
    with Counted():
        trace.collect()
    assert len(counted) < 5
