"""A small trainee on the smallest source there is."""

from collections.abc import Callable

import pytest

from bench.profile.trainee import Trainee, trainee
from bench.protocol import find_protocol
from tests.bench.rectangles import Rectangles


@pytest.fixture(scope="session")
def make() -> Callable[..., Trainee]:
    def build(
        model: str = "unet[width=4]",
        batch: int = 4,
        size: int = 32,
        device: str = "cpu",
        engine: str = "eager",
        **changes: str,
    ) -> Trainee:
        protocol = find_protocol("quick").override(batch=batch, size=size, **changes)
        return trainee(model, "bce_ssim", protocol, Rectangles(), "float32", device, engine)

    return build
