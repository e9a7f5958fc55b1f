"""Every loss term, forward and backward, and the recipes people use."""

import time
from collections.abc import Callable

import pytest
import pytorch_msssim
import torch
from torch import Tensor

from bench.profile.windows.interval import ratio_interval
from bench.profile.windows.rounds import rounds
from registry import ssim
from registry.contract import Prediction, Quartet
from registry.losses import parse, terms
from registry.losses.objective import Objective
from tests.benchmarks.conftest import SIZE


def step(recipe: str, head: str) -> None:
    draw = torch.Generator().manual_seed(0)
    shape = (16, 1, SIZE, SIZE)
    logits = torch.randn(shape, generator=draw).requires_grad_()
    target = torch.rand(shape, generator=draw)
    images = torch.zeros(16, 3, SIZE, SIZE)
    quartet = Quartet(images, images, target.round(), target, torch.ones(shape))
    prediction = Prediction(**{f"{head}_logits": logits})
    Objective(parse(recipe), heads=(head,))(prediction, quartet).total.backward()


@pytest.mark.parametrize("term", [name for name in terms.names() if name != "depth_edge"])
def test_term(benchmark, term: str) -> None:
    head = terms.get(term).facts["heads"][0]
    benchmark(step, f"{head}: {term}", head)


def ours(x: Tensor, y: Tensor, window: int) -> Tensor:
    return ssim.ssim_map(x, y, window).mean()


def theirs(x: Tensor, y: Tensor, window: int) -> Tensor:
    return pytorch_msssim.ssim(x, y, data_range=1.0, win_size=window)


@pytest.mark.ratio
@pytest.mark.parametrize(("size", "window"), [(64, 11), (64, 3), (112, 11)])
def test_ssim_over_pytorch_msssim(benchmark, capsys, size: int, window: int) -> None:
    """Forward and backward, ours over theirs, interleaved A B B A."""
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.rand(16, 1, size, size, generator=draw) for _ in range(2))
    x.requires_grad_()

    def there_and_back(similarity: Callable[[Tensor, Tensor, int], Tensor]) -> float:
        began = time.perf_counter()
        torch.autograd.grad(similarity(x, y, window), x)
        return time.perf_counter() - began

    there_and_back(ours), there_and_back(theirs)
    pairs = rounds(lambda: there_and_back(ours), lambda: there_and_back(theirs), seconds=0.5)
    ratio = ratio_interval([a for a, _ in pairs], [b for _, b in pairs])
    benchmark.extra_info["over pytorch_msssim"] = ratio.model_dump()
    with capsys.disabled():
        said = f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
        print(f"\nSSIM {window}x{window} at {size} px, forward and backward, over pytorch_msssim: {said}")
    benchmark(there_and_back, ours)
