"""The ceiling is measured: no work on this machine beats it by much."""

import time

import torch

from bench.profile.machine.ceiling import measure_ceiling


def test_a_product_and_a_copy_are_near_their_ceilings() -> None:
    ceiling = measure_ceiling(torch.device("cpu"), torch.float32)
    x = torch.rand(512, 512)
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        x @ x
        seconds.append(time.perf_counter() - began)
    rate = 2 * 512**3 / min(seconds) / 1e9
    assert 0.1 < rate / ceiling.gflops < 10, "the same order of magnitude"
    assert 0.1 < ceiling.gigabytes < 10_000
