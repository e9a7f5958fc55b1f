"""A run's network for several pictures at once, each on its share of the processor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bench.run.trained import TrainedRun

_PIXELS = 2**18
"""Pixels that keep a thread busy: a picture has one thread for each so many."""


class Networks:
    """Lends a run's network, to as many threads at once as the processor has cores.

    A layer divided among threads waits for the slowest of them, and of a small picture it has little to divide: two
    pictures at once, on a thread each, take three quarters to four fifths of the time of one after the other on two.
    A large picture has all threads to itself, so that memory is bounded as well.

    Every borrower has modules of its own, as a model may keep something of a forward pass; the weights are shared. On
    a GPU, or for a model of a user's own, there is one network, which serves one picture after the other.

    Args:
        run: whose network.
    """

    def __init__(self, run: TrainedRun) -> None:
        self._threads = torch.get_num_threads()
        self._on_cpu = run.device.type == "cpu"
        copies = run.copies(self._threads - 1) if self._on_cpu else []
        self._idle = [run, *copies]
        self.count = len(self._idle)
        self._free = self._threads
        self._turn = threading.Lock()
        self._returned = threading.Condition()

    @contextmanager
    def borrow(self, pixels: int) -> Iterator[TrainedRun]:
        """A network for a picture, once there is a free one with enough threads; those who wait are served in turn.

        Torch computes in the calling thread with as many threads as the picture deserves.

        Args:
            pixels: that the network is given at once.
        """
        share = self._threads if self.count == 1 else max(1, min(self._threads, pixels // _PIXELS))
        with self._turn, self._returned:
            self._returned.wait_for(lambda: self._idle and self._free >= share)
            self._free -= share
            run = self._idle.pop()
        try:
            if self._on_cpu and torch.get_num_threads() != share:
                torch.set_num_threads(share)  # of this thread, and of those that begin later
            yield run
        finally:
            with self._returned:
                self._free += share
                self._idle.append(run)
                self._returned.notify()

    def close(self) -> None:
        """Leave torch's number of threads as it was; in the thread that made this."""
        torch.set_num_threads(self._threads)
