"""A slower twin is found slower; opponents are read from the command line's text."""

import time

import pytest
import torch

from bench.profile.windows.interleaved import compare, opponent
from registry.errors import RegistryError
from registry.losses import parse
from tests.bench.progress_log import Told


def test_a_planted_delay_is_found(make) -> None:
    runner, other = make(batch=2, size=16), make(batch=2, size=16)
    build = other._build

    def slow() -> torch.nn.Module:
        model = build()
        model.register_forward_hook(lambda *_: time.sleep(0.1))
        return model

    other._build = slow  # every restart builds anew
    other.restart()
    progress = Told()
    found = compare(runner, other, seconds=0.5, progress=progress)
    assert "restart 4 of 4, in turn A B B A" in progress.words
    assert found.answer == "faster"
    assert found.ratio.high < 1
    assert found.b_ms.value - found.a_ms.value > 50
    assert "faster" in found.sentence()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wnet", ("wnet", "mask: dice")),
        ("wnet:bce_ssim", ("wnet", parse("bce_ssim").text)),
        ("unet[width=8]:mask: bce, depth: l1", ("unet[width=8]", "mask: bce, depth: l1")),
        ("registry.models.unet:unet", ("registry.models.unet:unet", "mask: dice")),
        ("registry.models.unet:unet:mask: bce", ("registry.models.unet:unet", "mask: bce")),
    ],
)
def test_opponents(text: str, expected: tuple[str, str]) -> None:
    model, recipe = opponent(text, parse("mask: dice"))
    assert (model, recipe.text) == expected


@pytest.mark.parametrize("text", ["wnett", "wnett:mask: bce", "wnet:mask: bcee"])
def test_opponents_that_are_none(text: str) -> None:
    with pytest.raises(RegistryError):
        opponent(text, parse("mask: dice"))
