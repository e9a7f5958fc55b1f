"""All metrics over a batch, and the slowest ones alone."""

import time
from collections.abc import Callable

import pytest
import torch

from bench.data.sources import open_source
from bench.metrics import metrics
from bench.metrics.scores import Scores
from bench.profile.windows.interval import ratio_interval
from bench.profile.windows.rounds import rounds
from registry.contract import Prediction
from registry.losses import parse
from registry.losses.objective import Objective
from registry.models import models
from tests.benchmarks.conftest import SIZE


@pytest.mark.parametrize(
    "names",
    [metrics.default(), ["depth_ssim"], ["depth_checkerboard"], ["mask_bf"], ["mask_hd95"], ["depth_delta1_aligned"]],
    ids=lambda n: n[-1],
)
def test_metrics_of_32(benchmark, names: list[str]) -> None:
    quartet = open_source("synthetic").render("test", torch.arange(32), SIZE)
    draw = torch.Generator().manual_seed(0)
    mask, depth = (torch.randn(32, 1, SIZE, SIZE, generator=draw) for _ in range(2))
    benchmark(lambda: Scores(names).update(Prediction(mask, depth), quartet))


@pytest.mark.ratio
@pytest.mark.parametrize("recipe", ["mask: bce, depth: l1", "mask: bce, depth: ssim"])
def test_metrics_tax(benchmark, capsys, recipe: str) -> None:
    """All metrics over the forward pass of `unet`; a recipe's SSIM and the metric share one map."""
    quartet = open_source("synthetic").render("test", torch.arange(32), SIZE)
    model, objective = models.build("unet").eval(), Objective(parse(recipe))

    @torch.no_grad()
    def forward() -> Prediction:
        return model(quartet.bg, quartet.bg_fg)

    said = forward()

    def score() -> float:
        prediction = Prediction(said.mask_logits, said.depth_logits)
        with torch.no_grad():
            objective(prediction, quartet)
        return seconds(lambda: Scores(metrics.default()).update(prediction, quartet))

    score()
    pairs = rounds(score, lambda: seconds(forward), seconds=1.0)
    tax = ratio_interval([a for a, _ in pairs], [b for _, b in pairs])
    benchmark.extra_info["over the forward pass of unet"] = tax.model_dump()
    with capsys.disabled():
        found = f"{tax.value:.3f} [{tax.low:.3f}, {tax.high:.3f}]"
        print(f"\nall metrics after {recipe!r}, over the forward pass of unet: {found}")
    benchmark(score)


def seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
