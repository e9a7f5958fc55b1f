"""What a sweep needs of whatever makes its tasks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from bench.run.sweep.task import Task


@dataclass(frozen=True)
class Event:
    """What a task tells.

    Attributes:
        key: of the task.
        kind: ``started`` (its training begins), ``progress``, ``epoch``, ``notice``, ``waiting`` (for the device),
            ``acquired`` (it has it), ``recorded``, ``refused`` (it cannot begin), ``ended`` (its process is over).
        values: by the kind: ``path`` and ``outcome`` of a record; ``status`` of a process, negative for a signal.
    """

    key: str
    kind: str
    values: dict[str, Any]


class Executor(Protocol):
    """Makes tasks, as many at once as it has room for."""

    @property
    def room(self) -> int:
        """Tasks that it can take now."""

    def submit(self, task: Task) -> None:
        """Begin a task."""

    def wait(self, seconds: float) -> Iterable[Event]:
        """What tasks tell, waiting so long for the first."""

    def stop(self, key: str, kill: bool = False) -> None:
        """Ask a task to write a checkpoint and end; with ``kill``, end it now. Its ``ended`` follows."""

    def close(self) -> None:
        """End what still goes on, and whatever was started for it."""
