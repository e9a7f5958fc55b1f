"""A kill in the middle of training, in this process."""

from __future__ import annotations

from bench.train.events import Listener, WindowSummary


class Killed(BaseException):
    """What a process does not survive, nor anything in it."""


class DiesAt(Listener):
    """Ends training as a kill would, when so many steps are done."""

    def __init__(self, step: int) -> None:
        self.step = step

    def window(self, summary: WindowSummary) -> None:
        if summary.step >= self.step:
            raise Killed
