"""Stopping in good order: the first signal lets the step finish and a checkpoint be written, the second leaves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from bench.core.errors import Interrupted


class Interruption:
    """Takes SIGINT and SIGTERM. Outside of `deferred` a signal raises at once, within at its end.

    >>> interruption = Interruption()
    >>> with interruption.deferred():
    ...     interruption.handle(signal.SIGTERM)
    ...     interruption.requested
    True
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._deferred = False

    def install(self) -> None:
        """Take the signals of this process from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle)

    def handle(self, number: int, _: object = None) -> None:
        """A signal came.

        Raises:
            Interrupted: it cannot wait, or is the second.
        """
        again = self._signal is not None
        self._signal = number
        if again or not self._deferred:
            self.leave("stopped; the same command goes on from the last checkpoint")

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within, the work looks at `requested` itself wherever it can stop."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False

    @property
    def requested(self) -> bool:
        """Whether a signal came that waits for the work to stop."""
        return self._signal is not None

    def leave(self, message: str) -> None:
        """End the program as the signal asks.

        Raises:
            Interrupted: always; with the exit status of the signal.
        """
        raise Interrupted(message, 128 + (self._signal or signal.SIGINT))
