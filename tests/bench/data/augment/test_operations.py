"""The algebra of movements against matrices, and changes of colour against the standard library."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.augment import augmentations
from bench.data.augment.operation import Affine, Colour, Level, Movement

NUMBERS = st.floats(-3, 3, width=32)
MOVEMENTS = ["crop", "crop[padding=1]", "scale", "scale[high=10,low=0.01]", "rotate", "rotate[degrees=180]"]
DRAWS = st.lists(st.floats(0, 1 - 2.0**-24, width=32), min_size=2, max_size=2)
PIXELS = st.tuples(*[st.floats(0, 1, width=32)] * 3)


def affine(numbers: list[float]) -> Affine:
    return Affine(*(torch.tensor([number], dtype=torch.float64) for number in numbers))


def matrix(movement: Affine) -> np.ndarray:
    """Of homogeneous coordinates, 3 x 3."""
    rows = [[float(value) for value in row] for row in (movement[:3], movement[3:])]
    return np.array([*rows, [0, 0, 1]])


@given(st.lists(NUMBERS, min_size=6, max_size=6), st.lists(NUMBERS, min_size=6, max_size=6))
def test_one_movement_after_another_is_a_product_of_matrices(first: list[float], second: list[float]) -> None:
    before, then = affine(first), affine(second)
    # A movement says where an output is taken from: the last one is applied first.
    np.testing.assert_allclose(matrix(then.after(before)), matrix(before) @ matrix(then), atol=1e-9)


@given(st.lists(NUMBERS, min_size=6, max_size=6).filter(lambda n: abs(n[0] * n[4] - n[1] * n[3]) > 1e-3))
def test_zoom_is_the_inverse_root_of_the_area_that_is_shown(numbers: list[float]) -> None:
    movement = affine(numbers)
    assert float(movement.zoom) == pytest.approx(abs(np.linalg.det(matrix(movement)[:2, :2])) ** -0.5, rel=1e-6)


@settings(max_examples=30)
@given(draws=DRAWS, aspect=st.floats(0.25, 4))
@pytest.mark.parametrize("key", MOVEMENTS)
def test_every_movement_keeps_angles_and_its_limits(key: str, draws: list[float], aspect: float) -> None:
    movement = augmentations.build(key)
    assert isinstance(movement, Movement)
    found = movement.place(torch.tensor([draws[: movement.columns]]), aspect)
    linear = matrix(found)[:2, :2]
    scale = float(found.zoom) ** -1
    np.testing.assert_allclose(linear.T @ linear, np.eye(2) * scale**2, rtol=1e-4, atol=1e-4 * scale**2)
    low, high = {"crop": (1, 1), "rotate": (1, 1), "scale": (1 / 1.25, 1 / 0.8)}[key.partition("[")[0]]
    if key == "scale[high=10,low=0.01]":
        low, high = 0.1, 100
    assert low * (1 - 1e-5) <= scale <= high * (1 + 1e-5)
    limit = {"crop": 0.2, "crop[padding=1]": 2.0}.get(key, 0.0)
    assert abs(float(found.x0)) <= limit * aspect + 1e-6
    assert abs(float(found.y0)) <= limit + 1e-6


def change(key: str, pixel: tuple[float, float, float], draw: float) -> np.ndarray:
    colour = augmentations.build(key)
    assert isinstance(colour, Colour)
    image = torch.tensor(pixel).view(1, 3, 1, 1)
    return colour.change(image, torch.tensor([[draw]]), lambda n: torch.zeros(1, n)).flatten().double().numpy()


def luma(pixel: np.ndarray) -> float:
    return float(np.array([0.299, 0.587, 0.114]) @ pixel)


@given(PIXELS, st.floats(0, 1 - 2.0**-24, width=32))
def test_hue_turns_chroma_as_colorsys_has_it(pixel: tuple[float, float, float], draw: float) -> None:
    turned = change("hue[degrees=180]", pixel, draw)
    y, i, q = colorsys.rgb_to_yiq(*pixel)
    y_turned, i_turned, q_turned = colorsys.rgb_to_yiq(*turned)
    # colorsys rounds its weights to two digits.
    assert y_turned == pytest.approx(y, abs=0.02)
    assert math.hypot(i_turned, q_turned) == pytest.approx(math.hypot(i, q), abs=0.04)
    assert luma(turned) == pytest.approx(luma(np.array(pixel)), abs=1e-5)


@given(PIXELS, st.floats(0, 1 - 2.0**-24, width=32))
def test_a_turn_and_its_opposite_cancel(pixel: tuple[float, float, float], draw: float) -> None:
    there = change("hue[degrees=90]", pixel, draw)
    back = change("hue[degrees=90]", tuple(there), 1 - draw)  # type: ignore[arg-type]
    np.testing.assert_allclose(back, pixel, atol=1e-5)


@given(PIXELS, st.floats(0, 1 - 2.0**-24, width=32))
def test_colours_by_their_formulas(pixel: tuple[float, float, float], draw: float) -> None:
    values, strength = np.array(pixel), 2 * draw - 1
    grey = luma(values)
    np.testing.assert_allclose(change("brightness[amount=0.5]", pixel, draw), values + 0.5 * strength, atol=1e-6)
    np.testing.assert_allclose(
        change("contrast[amount=0.5]", pixel, draw), 0.5 + (values - 0.5) * (1 + 0.5 * strength), atol=1e-6
    )
    np.testing.assert_allclose(
        change("saturation[amount=0.5]", pixel, draw), grey + (values - grey) * (1 + 0.5 * strength), atol=1e-6
    )
    np.testing.assert_allclose(change("grey[p=1]", pixel, draw), [grey] * 3, atol=1e-6)
    np.testing.assert_allclose(change("grey[p=0]", pixel, draw), values, atol=0)


def test_every_operation_is_one_of_three_kinds() -> None:
    kinds = {name: type(augmentations.build(name)) for name in augmentations.names()}
    assert {name for name, kind in kinds.items() if kind is Level} == {"none", "flip", "standard"}
    assert {name for name, kind in kinds.items() if kind is Movement} == {"crop", "scale", "rotate"}
    assert set(kinds.values()) == {Level, Movement, Colour}
