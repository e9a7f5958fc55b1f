"""Every loss term, forward and backward, and the recipes people use."""

import pytest
import torch

from registry.contract import Prediction, Quartet
from registry.losses import terms
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
    Objective(recipe, heads=(head,))(prediction, quartet).total.backward()


@pytest.mark.parametrize("term", [name for name in terms.names() if name != "depth_edge"])
def test_term(benchmark, term: str) -> None:
    head = terms.get(term).facts["heads"][0]
    benchmark(step, f"{head}: {term}", head)
