"""What a run tells the sweep that started it: events as plain data, never more than one a second while it trains."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.core.record import Epoch, Phase, Record
from bench.core.spec import RunSpec
from bench.train.events import Listener, Preview, WindowSummary

Emit = Callable[[dict[str, Any]], None]
"""Sends an event; it has a ``kind`` and values that JSON can hold."""

SECONDS = 1.0
"""Between two events of a run's progress."""


class Reporter(Listener):
    """Turns what a run says into events.

    Args:
        emit: sends one.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._last = float("-inf")

    def preparing(self, what: str, done: int, total: int) -> None:
        """Say what is done before training."""
        self._now_and_then({"kind": "progress", "what": what, "done": done, "total": total})

    def notice(self, words: str) -> None:
        """Pass it on."""
        self._emit({"kind": "notice", "words": words})

    def started(self, spec: RunSpec, folder: Path, resumed_at: int, step: int = 0) -> None:
        """Training begins."""
        self._emit({"kind": "started", "resumed": step > 0, "steps": spec.protocol.steps})

    def phase(self, name: Phase) -> None:
        """Name the phase."""
        self._now_and_then({"kind": "progress", "what": name})

    def window(self, summary: WindowSummary) -> None:
        """Say how far it is, and how fast."""
        rate = summary.images_per_second
        self._now_and_then(
            {"kind": "progress", "what": "training", "done": summary.step, "total": summary.steps, "rate": rate}
        )

    def epoch(self, epoch: Epoch) -> None:
        """Say how good it is on validation."""
        self._emit({"kind": "epoch", "epoch": epoch.epoch, "metrics": epoch.val_metrics})

    def finished(self, record: Record, folder: Path, preview: Preview | None) -> None:
        """Nothing: the worker says where the record lies."""

    def _now_and_then(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self._last >= SECONDS:
            self._last = now
            self._emit(event)
