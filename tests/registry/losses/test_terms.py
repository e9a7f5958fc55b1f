"""One tester for every term: what holds for all of them, whatever they compute."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.audit.conformance import Check, NotApplicable
from bench.audit.conformance.term import CHECKS
from bench.audit.conformance.term_plugin import TermPlugin
from registry.contract import Head, Target
from registry.losses import terms
from registry.registry import parse_key

SIZE = 24
NAMES = terms.names()
PROPER_ON_DEPTH = ["dice[overlap=min]", "iou[overlap=min]"]
CASES = sorted(
    [(head, name) for name in NAMES for head in terms.get(name).facts["heads"]]
    + [("depth", key) for key in PROPER_ON_DEPTH]
)
KEYS = [
    *NAMES,
    *PROPER_ON_DEPTH,
    "bce[twice=true]",
    "l1[raw=true]",
    "rmse[pool=batch,raw=true]",
    "dssim[padding=zeros,window=5]",
    "dssim[padding=reflect]",
    "ssim[guess=true,raw=true]",
    "ssim[range=255,window=7]",
]
PUBLISHED_FAULTS = {
    ("optimum", "l1[raw=true]"),
    ("optimum", "rmse[pool=batch,raw=true]"),
    ("optimum", "ssim[guess=true,raw=true]"),
}
EVERY_TERM = pytest.mark.parametrize("key", KEYS)
PER_IMAGE = pytest.mark.parametrize("key", [key for key in KEYS if "batch" not in key and "guess" not in key])


def _draw(seed: int, batch: int = 3, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, targets in (0, 1), and validity with a hole near the top of the first image; float64."""
    generator = torch.Generator().manual_seed(seed)
    logits, values = (torch.randn(batch, 1, size, size, generator=generator, dtype=torch.float64) for _ in range(2))
    valid = torch.ones_like(values)
    valid[0, :, 1:5, 9:14] = 0
    return logits, values.sigmoid(), valid


def _value(key: str, logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    return terms.bind(key)(Head(logits), Target(target, valid))


def _perfect(head: str, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A target of the kind the head has, and the logits that say it."""
    _, target, _ = _draw(seed, batch=1)
    if head == "depth":
        return torch.logit(target), target
    target = torch.zeros_like(target)
    target[..., 6:15, 5:12] = 1
    return 40 * target - 20, target


@EVERY_TERM
@pytest.mark.parametrize("check", [check for check in CHECKS if check.grade == "broken"], ids=lambda check: check.name)
def test_conforms(key: str, check: Check[TermPlugin]) -> None:
    if (check.name, key) in PUBLISHED_FAULTS:
        pytest.skip("a published fault, kept on purpose")
    heads = terms.get(parse_key(key)[0]).facts["heads"]
    with suppress(NotApplicable):
        check(TermPlugin(key, terms.bind(key), ("depth",) if key in PROPER_ON_DEPTH else tuple(heads)))


@pytest.mark.parametrize(("head", "key"), CASES)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.3, 3.0]))
def test_perfect_prediction_is_the_optimum(head: str, key: str, seed: int, size: float) -> None:
    logits, target = _perfect(head, seed)
    noise = torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    # A logit of the mask has to cross 0 to be wrong at all in the eyes of a hinge: with 576 pixels many do.
    wrong = logits + noise * size if head == "depth" else logits * (1 - (1 + size) * noise.abs())
    assert _value(key, logits, target) < _value(key, wrong, target)


@EVERY_TERM
def test_gradient_is_the_derivative(key: str) -> None:
    logits, target, _ = _draw(0, batch=2)
    # berHu takes its threshold from the largest error and holds it constant: keep that error out of the leaf.
    target, fixed = (target > 0.5).double() * 0.9, torch.full((2, 1, 1, SIZE), 30.0, dtype=torch.float64)
    target[:, :, 0] = 0
    leaf = logits[:, :, 1:].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: _value(key, torch.cat([fixed, x], dim=2), target), leaf, eps=1e-7, atol=1e-5, fast_mode=True
    )


@EVERY_TERM
@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_uniform_targets(key: str, fill: float) -> None:
    logits, target, valid = _draw(1)
    leaf = logits.float().requires_grad_()
    value = _value(key, leaf, torch.full_like(target, fill).float(), valid.float())
    value.backward()
    assert value.shape == () and value.isfinite() and value > 0
    assert leaf.grad is not None and leaf.grad.isfinite().all() and leaf.grad.any()


@EVERY_TERM
def test_a_constant_prediction_has_a_bounded_gradient(key: str) -> None:
    _, target, valid = _draw(4)
    leaf = torch.zeros_like(target, dtype=torch.float32).requires_grad_()
    _value(key, leaf, target.float(), valid.float()).backward()
    assert leaf.grad is not None and leaf.grad.isfinite().all() and leaf.grad.abs().sum() < 1e3


@PER_IMAGE
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_is_the_mean_over_images(key: str, seed: int) -> None:
    logits, target, valid = _draw(seed)
    valid[2] = 0  # left out of the mean
    alone = [_value(key, logits[i : i + 1], target[i : i + 1], valid[i : i + 1]) for i in range(2)]
    together = _value(key, logits, target, valid)
    torch.testing.assert_close(together, (alone[0] + alone[1]) / 2)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(_value(key, logits[order], target[order], valid[order]), together)


@EVERY_TERM
def test_all_valid_is_the_same_as_no_validity(key: str) -> None:
    logits, target, valid = _draw(5)
    torch.testing.assert_close(_value(key, logits, target, torch.ones_like(valid)), _value(key, logits, target))


@EVERY_TERM
def test_invalid_pixels_have_no_influence_and_no_gradient(key: str) -> None:
    logits, target, valid = _draw(6)
    other, elsewhere, _ = _draw(7)
    hole = valid == 0
    changed = torch.where(hole, 1000 * other, logits)
    before = _value(key, torch.where(hole, 0.0, logits), target, valid)
    leaf = changed.requires_grad_()
    after = _value(key, leaf, torch.where(hole, elsewhere, target), valid)
    after.backward()
    torch.testing.assert_close(after.detach(), before)
    assert leaf.grad is not None and not leaf.grad[hole].any() and leaf.grad[~hole].any()


@pytest.mark.parametrize("key", ["ssim", "dssim", "ms_ssim"])
def test_structure_needs_a_whole_window(key: str) -> None:
    logits, target, valid = _draw(8, size=10 if key != "dssim" else 2)
    with pytest.raises(ValueError, match="window"):
        _value(key, logits, target, valid)


@pytest.mark.parametrize("key", ["ssim", "dssim", "ms_ssim"])
def test_an_image_without_a_whole_window_is_left_out(key: str) -> None:
    logits, target, valid = _draw(9)
    valid[0, :, ::2, ::2] = 0
    rest = _value(key, logits[1:], target[1:], valid[1:])
    torch.testing.assert_close(_value(key, logits, target, valid), rest)


def test_terms_say_where_they_come_from() -> None:
    for name in NAMES:
        entry = terms.get(name)
        assert entry.facts["source"] and set(entry.facts["heads"]) <= {"mask", "depth"}
        assert len(entry.summary) > 20 and math.prod(p in entry.build.__doc__ for p in entry.parameters)
