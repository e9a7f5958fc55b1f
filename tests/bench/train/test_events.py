"""Listeners of a run: every event reaches every listener in order, and an optional listener that fails ends no run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.record import Epoch
from bench.report.listeners.prediction_picture import PredictionPicture
from bench.report.listeners.tensorboard import TensorBoard
from bench.report.listeners.terminal import Terminal
from bench.report.listeners.thumbnails import Thumbnails
from bench.train.events import Listener, Listeners, OptionalListener, WindowSummary
from tests.bench.records import record

RECORD = record()
EPOCH = Epoch(epoch=1, size=8, learning_rate=0.1, train_loss={}, val_loss={}, val_metrics={})
EVENTS: dict[str, tuple[Any, ...]] = {
    "preparing": ("rendering", 1, 2),
    "notice": ("a checkpoint of other code",),
    "started": (RECORD.spec, Path("runs/x"), 1, 64),
    "phase": ("training",),
    "window": (WindowSummary(1, 8, 64, {"total": 0.5}, 100.0),),
    "epoch": (EPOCH,),
    "predictions": (1, lambda count: None),
    "finished": (RECORD, Path("runs/x"), None),
}
PASSED_ON = ("started", "window", "epoch", "predictions", "finished")
"""Events that draw something; the others are no optional listener's."""


class Recorder(Listener):
    """Keeps every event with its arguments; raises at those in ``fails``."""

    def __init__(self, name: str = "", calls: list[Any] | None = None, fails: tuple[str, ...] = ()) -> None:
        self.name, self.calls, self.fails = name, [] if calls is None else calls, fails

    def __getattribute__(self, name: str) -> Any:
        if name not in EVENTS:
            return super().__getattribute__(name)

        def event(*given: Any) -> None:
            self.calls.append((self.name, name, given))
            if name in self.fails:
                raise OSError("no space left on device")

        return event


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_event_is_tested_here() -> None:
    assert public(Listener) == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_a_plain_listener_does_nothing(event: str) -> None:
    assert getattr(Listener(), event)(*EVENTS[event]) is None


@pytest.mark.parametrize("event", EVENTS)
def test_every_listener_gets_the_event_in_order(event: str) -> None:
    calls: list[Any] = []
    getattr(Listeners([Recorder("first", calls), Recorder("second", calls)]), event)(*EVENTS[event])
    assert calls == [(name, event, EVENTS[event]) for name in ("first", "second")]


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_listener_raises_reaches_the_run(event: str) -> None:
    calls: list[Any] = []
    both = Listeners([Recorder("first", calls, fails=(event,)), Recorder("second", calls)])
    with pytest.raises(OSError, match="no space"):
        getattr(both, event)(*EVENTS[event])
    assert [name for name, *_ in calls] == ["first"]


@pytest.mark.parametrize("event", EVENTS)
def test_an_optional_listener_gets_what_can_be_drawn(event: str) -> None:
    listener, notices = Recorder(), list[str]()
    getattr(OptionalListener(listener, "picture", notices.append), event)(*EVENTS[event])
    assert listener.calls == ([("", event, EVENTS[event])] if event in PASSED_ON else [])
    assert notices == []


@pytest.mark.parametrize("event", PASSED_ON)
def test_a_failed_optional_listener_is_a_notice_and_rests_until_the_next_run(event: str) -> None:
    listener, notices = Recorder(fails=(event,)), list[str]()
    optional = OptionalListener(listener, "picture", notices.append)
    calls: dict[str, Callable[[], None]] = {
        name: lambda name=name: getattr(optional, name)(*EVENTS[name]) for name in PASSED_ON
    }
    calls[event]()
    assert notices == ["warning: no picture of this run: no space left on device"]
    for name in set(PASSED_ON) - {"started"}:
        calls[name]()
    assert len(listener.calls) == 1 and len(notices) == 1
    listener.fails = ()
    calls["started"]()
    calls["finished"]()
    assert [name for _, name, _ in listener.calls[1:]] == ["started", "finished"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=["KeyboardInterrupt", "SystemExit"])
def test_an_optional_listener_swallows_no_interruption(error: BaseException) -> None:
    class Interrupted(Listener):
        def epoch(self, epoch: Epoch) -> None:
            raise error

    with pytest.raises(type(error)):
        OptionalListener(Interrupted(), "picture", lambda words: None).epoch(EPOCH)


@pytest.mark.parametrize("kind", [Terminal, TensorBoard, PredictionPicture, Thumbnails])
def test_listeners_override_events_alone_with_their_arguments(kind: type[Listener]) -> None:
    """A misspelt event would be called by nobody."""
    own = {name for name in vars(kind) if not name.startswith("_")} - {"summary"}
    assert own and own <= set(EVENTS)
    for name in own:
        assert [*inspect.signature(getattr(kind, name)).parameters] == [
            *inspect.signature(getattr(Listener, name)).parameters
        ]
