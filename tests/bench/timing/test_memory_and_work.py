"""Peak memory sees an allocation; multiply-adds equal the formula."""

import resource

import numpy as np
import pytest
import torch
from torch import nn

from bench.timing import memory
from bench.timing.work import gmacs, parameter_count
from registry.contract import Model, Prediction


class TwoConvolutions(Model):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.tied = self.first

    def predict(self, bg, bg_fg) -> Prediction:
        x = self.up(self.first(bg))
        return Prediction(x[:, :1, ::2, ::2], None)

    def blocks(self):
        return {"all": [self.first, self.up]}


def test_gmacs_of_a_convolution_and_a_transposed_one() -> None:
    size = 32
    first = size * size * 8 * 3 * 9
    up = size * size * 8 * 4 * 4
    assert gmacs(TwoConvolutions(), size) == pytest.approx((first + up) / 1e9)


def test_shared_parameters_count_once() -> None:
    assert parameter_count(TwoConvolutions()) == (3 * 8 * 9 + 8) + (8 * 4 * 4 + 4)


def test_counting_leaves_the_model_alone() -> None:
    model = TwoConvolutions().train()
    gmacs(model, 16)
    assert model.training
    assert all(p.device.type == "cpu" for p in model.parameters())


def test_peak_rises_with_an_allocation_and_resets() -> None:
    cpu = torch.device("cpu")
    memory.reset_peak(cpu)
    before = memory.peak_mib(cpu)
    block = np.ones(64 * 2**20, dtype=np.uint8)
    peak = memory.peak_mib(cpu)
    del block
    assert peak - before > 48
    memory.reset_peak(cpu)
    assert memory.peak_mib(cpu) < peak - 32


def test_kept_memory_is_not_paid_for_again() -> None:
    memory.keep_freed(torch.device("cpu"))
    pages = 2**26 // resource.getpagesize()

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.zeros(2**26, dtype=torch.uint8).add_(1)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    faults()  # the first call may fault itself
    assert min(faults() for _ in range(5)) < pages / 8
