"""A CUDA graph's stand-in on a machine without a GPU."""

import torch

from bench.train.engines.room import Room


class Tape:
    """A recording that keeps the work instead of its kernels; a replay works on the very same tensors."""

    def __init__(self) -> None:
        self.replays = 0
        self.free = 2**40

    def room(self) -> Room:
        return Room(wanted=2**30, free=self.free)

    def aside(self, work):
        return work()

    def rehearse(self, work):
        return work(), None

    def capture(self, work):
        self.work, self.values = work, torch.empty(0)
        return self.values

    def replay(self) -> None:
        self.replays += 1
        values = self.work()
        self.values.resize_(values.shape).copy_(values)
