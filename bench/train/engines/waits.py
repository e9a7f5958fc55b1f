"""What a step does that makes the host wait for the device, or ask how far it is: no graph can hold either."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

_WAITS = "called a synchronizing CUDA operation"
"""What torch says of an operation for which the host waits."""
_NEW = "Synchronization debug mode is a prototype"
"""What torch says of the watch itself."""

_ASKING: tuple[tuple[Any, str], ...] = (
    (torch._C, "_cuda_synchronize"),
    (torch._C, "_accelerator_synchronizeDevice"),
    (torch.cuda.Event, "synchronize"),
    (torch.cuda.Event, "query"),
    (torch.cuda.Stream, "query"),
)
"""By owner and name: what waits for the device, or asks how far it is, without a word of torch's watch."""


@contextmanager
def asked_of_device(found: list[str]) -> Iterator[None]:
    """Add to ``found`` what the step asks of the device in Python, of which torch's watch is silent.

    As there, only what this thread and autograd's do counts.
    """
    mine = threading.current_thread()

    def told(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, of which ``found`` is told."""

        def asks(*args: Any, **named: Any) -> Any:
            """In the place of the call."""
            if _of_step(mine):
                found.append(name)
            return call(*args, **named)

        return asks

    calls = [(owner, name, vars(owner)[name]) for owner, name in _ASKING if name in vars(owner)]
    for owner, name, call in calls:
        setattr(owner, name, told(name, call))
    try:
        yield
    finally:
        for owner, name, call in calls:
            setattr(owner, name, call)


def _of_step(mine: threading.Thread) -> bool:
    """Whether the current thread is that of the step, or one that Python did not start, as those of autograd are."""
    thread = threading.current_thread()
    return thread is mine or isinstance(thread, threading._DummyThread)


@contextmanager
def waits_of_step() -> Iterator[list[str]]:
    """What torch's watch for synchronisations says of this thread and of autograd's; other warnings are shown as ever.

    The watch is on for the whole process, and threads that render or copy batches ahead may well wait. These are
    Python's own; a thread of autograd is one that Python did not start.
    """
    found: list[str] = []
    mine, show = threading.current_thread(), warnings.showwarning

    def sort(message: Warning | str, *where: Any, **more: Any) -> None:
        """In the place of `warnings.showwarning`."""
        if _WAITS not in str(message):
            show(message, *where, **more)
        elif _of_step(mine):
            found.append(str(message))

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_NEW)
        warnings.filterwarnings("always", message=f".*{_WAITS}")
        warnings.showwarning = sort
        yield found
