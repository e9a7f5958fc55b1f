"""All metrics over a batch, and the slowest ones alone."""

import pytest
import torch

from bench.data.source import open_source
from bench.metrics import metrics
from bench.metrics.scores import Scores
from registry.contract import Prediction
from tests.benchmarks.conftest import SIZE


@pytest.mark.parametrize(
    "names", [list(metrics), ["depth_ssim"], ["depth_checkerboard"], ["mask_bf"]], ids=lambda n: n[-1]
)
def test_metrics_of_32(benchmark, names: list[str]) -> None:
    quartet = open_source("synthetic").render("test", torch.arange(32), SIZE)
    draw = torch.Generator().manual_seed(0)
    mask, depth = (torch.randn(32, 1, SIZE, SIZE, generator=draw) for _ in range(2))
    benchmark(lambda: Scores(names).update(Prediction(mask, depth), quartet))
