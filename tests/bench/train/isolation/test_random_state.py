"""Random states of torch, numpy and Python: seeded together, kept for a checkpoint, and watched."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.train.checkpoints import checkpoint
from bench.train.isolation.random_state import (
    kept_random_state,
    random_state,
    reseeded_by,
    restore_random_state,
    seed_all,
)

CPU = torch.device("cpu")
Draw = Callable[[], object]
DRAWS: dict[str, Draw] = {
    "torch": lambda: torch.rand(3).tolist(),
    "torch normal": lambda: torch.randn(3).tolist(),
    "numpy": lambda: np.random.random(3).tolist(),
    "numpy normal": lambda: np.random.normal(size=1).tolist(),  # leaves half of a pair behind
    "random": lambda: random.random(),
    "random gauss": lambda: random.gauss(0, 1),
}
SEEDS: dict[str, Draw] = {
    "torch": lambda: torch.manual_seed(7),
    "numpy": lambda: np.random.seed(7),
    "random": lambda: random.seed(7),
}


def drawn() -> list[object]:
    return [draw() for draw in DRAWS.values()]


@settings(max_examples=15)
@given(st.integers(0, 2**63 - 1))
def test_a_seed_decides_all_draws(seed: int) -> None:
    seed_all(seed)
    first = drawn()
    seed_all(seed)
    assert drawn() == first
    seed_all(seed ^ 1)
    assert all(a != b for a, b in zip(drawn(), first, strict=True))


@settings(max_examples=15)
@given(st.lists(st.sampled_from(list(DRAWS)), max_size=6), st.integers(0, 99))
def test_a_restored_state_goes_on_where_it_was(before: list[str], seed: int) -> None:
    seed_all(seed)
    for name in before:
        DRAWS[name]()
    state = random_state(CPU)
    expected = drawn()
    seed_all(seed + 1)
    restore_random_state(state, CPU)
    assert drawn() == expected


def test_a_state_survives_a_checkpoint(tmp_path: Path) -> None:
    seed_all(3)
    np.random.normal()  # half of a pair is left
    checkpoint.save(tmp_path / "last.pt", {"random": random_state(CPU)})
    expected = drawn()
    restore_random_state(checkpoint.load(tmp_path / "last.pt", CPU)["random"], CPU)
    assert drawn() == expected


@pytest.mark.parametrize("broken", ["torch", "numpy", "python", "cuda"])
def test_half_a_state_is_none(broken: str) -> None:
    state = random_state(CPU)
    del state[broken]
    with pytest.raises(KeyError, match=broken):
        restore_random_state(state, CPU)


@pytest.mark.parametrize("name", DRAWS)
def test_draws_within_change_no_draw_outside(name: str) -> None:
    seed_all(5)
    expected = drawn()
    seed_all(5)
    with kept_random_state(CPU):
        DRAWS[name]()
    assert drawn() == expected


def test_the_state_is_put_back_after_an_error_too() -> None:
    seed_all(5)
    expected = drawn()
    seed_all(5)
    with pytest.raises(ValueError, match="within"), kept_random_state(CPU):
        drawn()
        raise ValueError("within")
    assert drawn() == expected


@pytest.mark.parametrize("name", DRAWS)
def test_drawing_is_no_seeding(name: str) -> None:
    assert reseeded_by(DRAWS[name], CPU) == []


@pytest.mark.parametrize("name", SEEDS)
def test_seeding_is_found_by_its_generator(name: str) -> None:
    def work() -> None:
        drawn()
        SEEDS[name]()
        drawn()

    seed_all(5)
    expected = drawn()
    seed_all(5)
    assert reseeded_by(work, CPU) == [name]
    assert drawn() == expected, "the states are put back"


def test_all_generators_that_are_seeded_are_named() -> None:
    assert reseeded_by(lambda: seed_all(1), CPU) == ["torch", "numpy", "random"]


def test_a_generator_of_its_own_is_no_affair_of_others() -> None:
    def work() -> None:
        torch.Generator().manual_seed(1)
        np.random.default_rng(1).random()
        random.Random(1).random()

    assert reseeded_by(work, CPU) == []
