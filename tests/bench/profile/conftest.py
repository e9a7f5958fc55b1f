"""A small runner on the smallest source there is."""

from collections.abc import Callable

import pytest
import torch

from bench.core.protocol import find_protocol
from bench.profile.training import StepRunner
from bench.train.assemble import make_run
from bench.train.engines.engine import engine_named
from tests.bench.rectangles import Rectangles


@pytest.fixture(scope="session")
def make() -> Callable[..., StepRunner]:
    def build(
        model: str = "unet[width=4]",
        batch: int = 4,
        size: int = 32,
        device: str = "cpu",
        engine: str = "eager",
        **changes: str,
    ) -> StepRunner:
        protocol = find_protocol("quick").override(batch=batch, size=size, **changes)
        run = make_run(model, "bce_ssim", protocol, Rectangles().describe())
        where = torch.device(device)
        return StepRunner(run, Rectangles(), where, engine=engine_named(engine, where))

    return build
