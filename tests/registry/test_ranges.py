"""Ranges: what they hold, how they read, and that every number of every registry has one."""

from __future__ import annotations

import math

import pytest

from registry.errors import BadParameter, RegistryError
from registry.losses import terms
from registry.models import models
from registry.optimizers import optimizers
from registry.ranges import Range, above, at_least, below, between, inside, odd
from registry.registry import Registry
from registry.schedules import schedules
from tests.registry.keys_of import outside


@pytest.mark.parametrize(
    ("allowed", "within", "without", "words"),
    [
        (at_least(1), [1, 1e300], [0.999, -1], "at least 1"),
        (at_least(1, 5), [1, 5], [6], "at least 1 and at most 5"),
        (above(0), [1e-300], [0, -1], "over 0"),
        (above(0, 2), [2], [2.1], "over 0 and at most 2"),
        (between(-1, 1), [-1, 0, 1], [-1.1, 1.1], "at least -1 and at most 1"),
        (inside(0, 1), [0.5], [0, 1], "over 0 and under 1"),
        (below(1), [0, 0.999], [1, -0.1], "at least 0 and under 1"),
        (odd(3), [3, 5, 99], [1, 4, 2], "odd, at least 3"),
        (odd(3, 7), [3, 7], [9], "odd, at least 3 and at most 7"),
        (Range(), [0, -1e300], [], "finite"),
    ],
)
def test_what_a_range_holds(allowed: Range, within: list[float], without: list[float], words: str) -> None:
    assert all(value in allowed for value in within)
    assert not any(value in allowed for value in [*without, math.nan, math.inf, -math.inf])
    assert str(allowed) == words


@pytest.mark.parametrize(
    ("registry", "key"),
    [(registry, name) for registry in (models, optimizers, schedules, terms) for name in registry.names()],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_numbers_outside_are_refused_before_anything_is_built(registry: Registry[object], key: str) -> None:
    entry = registry.get(key)
    for parameter, allowed in entry.ranges.items():
        for value in outside(allowed, entry.type_of(parameter) is int):
            with pytest.raises(BadParameter, match=rf"{parameter} must be"):
                registry.resolve(f"{key}[{parameter}={value}]")


@pytest.mark.parametrize("key", ["unet[width=100000000]", "unet[width=0]", "unet[width=-3]", "twin_unet[dropout=1.0]"])
def test_a_model_that_cannot_be_is_refused_at_once(key: str) -> None:
    with pytest.raises(BadParameter, match="must be at least"):
        models.build(key)


def test_a_range_must_be_of_a_parameter_and_hold_its_default() -> None:
    things: Registry[int] = Registry("thing", "bench list things")
    with pytest.raises(RegistryError, match="a range for 'with', which it does not take"):

        @things.register(ranges={"with": at_least(1)})
        def first(width: int = 2) -> int:
            return width

    with pytest.raises(RegistryError, match="the default of width, 2, is not at least 3"):

        @things.register(ranges={"width": at_least(3)})
        def second(width: int = 2) -> int:
            return width
