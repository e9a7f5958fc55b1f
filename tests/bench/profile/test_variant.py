"""Training steps by name: what a second one takes over from the first; all are read before a model is built."""

from __future__ import annotations

import pytest
import torch

from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.profile import variant
from bench.profile.training import StepRunner
from bench.profile.variant import Variant, runners
from registry.errors import RegistryError
from registry.losses import parse
from tests.bench.rectangles import Rectangles

FIRST = Variant("unet[width=4]", parse("bce_ssim"), "eager", "float32", "channels_last")
SMALL = find_protocol("quick").override(batch=4, size=32)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("wnet", None, None, None), Variant("wnet", FIRST.recipe, "eager", "float32", "channels_last")),
        (("wnet:bce", None, None, None), Variant("wnet", parse("bce"), "eager", "float32", "channels_last")),
        (
            (None, "compiled", "bfloat16", "contiguous"),
            Variant(FIRST.model, FIRST.recipe, "compiled", "bfloat16", "contiguous"),
        ),
        ((None, None, None, None), None),
    ],
)
def test_a_second_one_differs_in_what_is_given(given: tuple[str | None, ...], expected: Variant | None) -> None:
    assert FIRST.against(*given) == expected


def test_both_are_trained_as_they_say() -> None:
    second = Variant("unet[width=8]", parse("mask: bce"), "eager", "bfloat16", "contiguous")
    a, b = runners([FIRST, second], Rectangles(), SMALL, torch.device("cpu"))
    assert (a.spec.model, a.spec.precision, a.spec.memory_format) == ("unet[width=4]", "float32", "channels_last")
    assert (b.spec.model, b.spec.precision, b.spec.memory_format) == ("unet[width=8]", "bfloat16", "contiguous")
    assert (b.batch, b.size) == (4, 32)


@pytest.mark.parametrize(
    ("second", "error", "message"),
    [
        (Variant("unett", FIRST.recipe), RegistryError, "unet"),
        (Variant("unet", FIRST.recipe, engine="warp"), BenchError, "unknown engine"),
        (Variant("unet", FIRST.recipe, precision="int4"), BenchError, "unknown precision"),
        (Variant("unet", FIRST.recipe, memory_format="rows"), BenchError, "unknown memory format"),
    ],
)
def test_all_names_are_read_before_a_model_is_built(
    second: Variant, error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object, **__: object) -> StepRunner:
        raise AssertionError("a model is built")

    monkeypatch.setattr(variant, "StepRunner", build)
    with pytest.raises(error, match=message):
        runners([FIRST, second], Rectangles(), SMALL, torch.device("cpu"))
