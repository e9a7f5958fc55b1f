"""What the GPU script measures, and in what time."""

from __future__ import annotations

import importlib

import pytest

from bench.devtools.gpu.plan import COMMANDS, LIMIT, RESERVE, TINY, Scale, parts


@pytest.mark.parametrize("name", COMMANDS)
def test_all_parts_of_a_command_are_reached_though_each_takes_its_limit(name: str) -> None:
    assert sum(part.limit for part in COMMANDS[name].values()) <= LIMIT - RESERVE


def test_a_part_means_the_same_in_every_command() -> None:
    assert all(part == parts()[name] for command in COMMANDS.values() for name, part in command.items())


def test_every_part_names_a_function_that_exists_and_has_a_limit() -> None:
    for name, part in parts().items():
        module, function = part.function.split(":")
        assert callable(getattr(importlib.import_module(f"bench.devtools.gpu.{module}"), function)), name
        assert 0 < part.limit <= 600 and part.about


def test_the_tiny_scale_is_smaller_throughout() -> None:
    whole = Scale()
    for name in ("size", "seconds", "epoch_samples", "epoch_batches", "short_samples", "profile_seconds", "evaluated"):
        assert getattr(TINY, name) < getattr(whole, name), name
