"""What is made ahead of its use, by threads and, on CUDA, on a stream of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
U = TypeVar("U")


def prefetch(make: Callable[[T], U], orders: Iterable[T], count: int, threads: int = 1) -> Iterator[U]:
    """``make(order)`` of every order, in order, made by threads that are at most ``count`` ahead.

    Raises:
        Exception: what ``make`` raises, when its order is due.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        pending: deque[Future[U]] = deque()
        try:
            for order in orders:
                pending.append(pool.submit(make, order))
                if len(pending) > count:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


class OnStream:
    """Tensors that are made on a CUDA stream of their own, while the current stream does something else.

    Args:
        make: enqueues the work.
        stream: the work's own.

    Attributes:
        tensors: what ``make`` returned, until they arrive.
    """

    def __init__(self, make: Callable[[], list[Tensor]], stream: torch.cuda.Stream) -> None:
        with torch.cuda.stream(stream):
            self._begin, self._end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
            self._begin.record(stream)
            self.tensors = make()
            self._end.record(stream)

    def arrive(self) -> list[Tensor]:
        """Give the tensors away, for use on the current stream, which waits for them; the host does not."""
        arrived, self.tensors = self.tensors, []
        current = torch.cuda.current_stream(arrived[0].device)
        current.wait_event(self._end)
        for tensor in arrived:
            tensor.record_stream(current)  # their memory was allocated on the other stream
        return arrived

    def milliseconds(self) -> float:
        """How long the work took on its stream; after a synchronisation with the device."""
        return float(self._begin.elapsed_time(self._end))
