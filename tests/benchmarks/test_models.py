"""Every registered model, forward and forward with backward."""

import pytest
import torch

from registry.models import models

IMAGES = 2
NETWORKS = [name for name in models.names() if not models.get(name).facts.get("fitted")]


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest):
    torch.manual_seed(0)
    return models.build(request.param).train()


def images(network) -> tuple[torch.Tensor, torch.Tensor]:
    size = max(16, network.stride)  # those without any stride do the most work a pixel
    size = size if network.stride == 1 else 2 * size
    draw = torch.Generator().manual_seed(0)
    bg, bg_fg = (torch.rand(IMAGES, 3, size, size, generator=draw) for _ in range(2))
    return bg, bg_fg


def test_forward(benchmark, network) -> None:
    pair = images(network)

    def forward() -> None:
        with torch.no_grad():
            network(*pair)

    benchmark(forward)


def test_forward_and_backward(benchmark, network) -> None:
    pair = images(network)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        sum(head.logits.square().mean() for _, head in network(*pair).heads()).backward()

    benchmark(step)
