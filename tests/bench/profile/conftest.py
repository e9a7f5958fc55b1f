"""A small trainee on the smallest source there is."""

from collections.abc import Callable

import pytest

from bench.profile.trainee import Trainee, trainee
from bench.protocol import find_protocol
from tests.bench.rectangles import Rectangles


@pytest.fixture(scope="session")
def make() -> Callable[..., Trainee]:
    def build(model: str = "unet[width=4]", loss: str = "bce_ssim", batch: int = 4, size: int = 32) -> Trainee:
        protocol = find_protocol("quick").override(batch=batch, size=size)
        return trainee(model, loss, protocol, Rectangles(), "float32", "cpu")

    return build
