"""Every term at every legal parameter: finite, whatever is predicted, whatever is stored where nothing is known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from registry.contract import Head, Prediction, Quartet, Target
from registry.losses import parse, terms
from registry.losses.objective import Objective
from tests.registry.keys_of import keys, without_range

SIZE = 24
FARTHEST = 1e4
MOST = {"window": 23}
EVERY_TERM = pytest.mark.parametrize("name", terms.names())


def logits_of(kind: str, draw: torch.Generator) -> Tensor:
    """Logits (3, 1, SIZE, SIZE) up to +-1e4."""
    noise = torch.randn(3, 1, SIZE, SIZE, generator=draw)
    return {
        "far": noise.sign() * FARTHEST,
        "farthest up": torch.full_like(noise, FARTHEST),
        "farthest down": torch.full_like(noise, -FARTHEST),
        "every size": noise * 10 ** (4 * torch.rand(noise.shape, generator=draw)),
        "moderate": noise * 18,
        "zero": torch.zeros_like(noise),
    }[kind].clamp(-FARTHEST, FARTHEST)


def target_of(kind: str, draw: torch.Generator) -> Tensor:
    """A target (3, 1, SIZE, SIZE) in [0, 1]."""
    noise = torch.rand(3, 1, SIZE, SIZE, generator=draw)
    return {"soft": noise, "hard": noise.round(), "empty": noise * 0, "full": noise * 0 + 1, "flat": noise * 0 + 0.3}[
        kind
    ]


LOGITS = ["far", "farthest up", "farthest down", "every size", "moderate", "zero"]
TARGETS = ["soft", "hard", "empty", "full", "flat"]


@EVERY_TERM
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(), seed=st.integers(0, 10_000), far=st.sampled_from(LOGITS), truth=st.sampled_from(TARGETS),
    holes=st.sampled_from(["none", "a few", "a corner", "an image", "everything"]),
)  # fmt: skip
def test_value_and_gradient_are_finite(
    name: str, data: st.DataObject, seed: int, far: str, truth: str, holes: str
) -> None:
    key = data.draw(keys(terms.get(name), MOST))
    draw = torch.Generator().manual_seed(seed)
    logits, target = logits_of(far, draw).requires_grad_(), target_of(truth, draw)
    valid = torch.ones_like(target)
    if holes == "a few":
        valid = (torch.rand(target.shape, generator=draw) > 0.02).float()
    elif holes == "a corner":
        valid[..., :6, :6] = 0
    elif holes == "an image":
        valid[1] = 0
    elif holes == "everything":
        valid.zero_()
    stored = torch.where(valid > 0.5, target, torch.nan)
    value = terms.bind(key)(Head(logits), Target(stored, None if holes == "none" else valid))
    value.backward()
    assert value.shape == () and value.isfinite(), key
    assert logits.grad is not None and logits.grad.isfinite().all(), key
    assert not logits.grad[valid < 0.5].any(), key


@EVERY_TERM
@pytest.mark.parametrize("stored", [torch.nan, torch.inf, -1e30, 7.0])
def test_what_is_stored_where_nothing_is_known_changes_no_bit(name: str, stored: float) -> None:
    draw = torch.Generator().manual_seed(3)
    logits, target = torch.randn(3, 1, SIZE, SIZE, generator=draw), torch.rand(3, 1, SIZE, SIZE, generator=draw)
    valid = torch.ones_like(target)
    valid[0, :, :5, :5] = 0
    valid[1] = 0
    results = []
    for filler in (0.25, stored):
        leaf = logits.clone().requires_grad_()
        value = terms.bind(name)(Head(leaf), Target(torch.where(valid > 0.5, target, filler), valid))
        value.backward()
        with torch.no_grad():
            evaluated = terms.bind(name)(Head(logits), Target(torch.where(valid > 0.5, target, filler), valid))
        results.append((value.detach(), evaluated, leaf.grad))
    for plain, other in zip(*results, strict=True):
        assert torch.equal(plain, other)


@pytest.mark.parametrize("name", [name for name in terms.names() if "mask" in terms.get(name).facts["heads"]])
def test_an_objective_leaves_out_what_is_unknown_of_a_mask(name: str, quartet: Quartet) -> None:
    assert quartet.mask is not None
    known = torch.ones_like(quartet.mask)
    known[:, :, :20, :20] = 0
    quartet.mask, quartet.mask_valid = torch.where(known > 0, quartet.mask, torch.nan), known
    logits = torch.randn(4, 1, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = Objective(parse(f"mask: {name}"))(Prediction(logits), quartet)
    losses.total.backward()
    assert losses.total.isfinite() and losses.total > 0
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert logits.grad.any() and not logits.grad[known < 1].any()


def test_a_users_term_that_multiplies_by_what_is_known_meets_no_nan() -> None:
    target = Target(torch.tensor([[[[0.5, torch.nan]]]]), torch.tensor([[[[1.0, 0.0]]]]))
    logits = torch.zeros(1, 1, 1, 2, requires_grad=True)
    ((Head(logits).value - target.value).abs() * target.known).sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 50.0])
@pytest.mark.parametrize("logit", [-1e4, -90.0, -18.0, 0.0, 18.0, 90.0, 1e4])
def test_focal_against_its_derivative(gamma: float, logit: float) -> None:
    """With a certain target and z its logit: d/dz of (1-q)^g * -log q, in closed form."""
    z = torch.tensor(logit, dtype=torch.float64)
    wrong, entropy = torch.sigmoid(-z), torch.nn.functional.softplus(-z)
    expected = -(wrong**gamma) * (gamma * torch.sigmoid(z) * entropy + wrong)
    leaf = torch.full((1, 1, 1, 1), logit, requires_grad=True)
    terms.bind(f"focal[gamma={gamma}]")(Head(leaf), Target(torch.ones(1, 1, 1, 1))).backward()
    assert leaf.grad is not None
    torch.testing.assert_close(leaf.grad.double().squeeze(), expected, rtol=1e-4, atol=1e-7)


def test_a_window_is_symmetric() -> None:
    draw = torch.Generator().manual_seed(0)
    logits, target = torch.randn(1, 1, SIZE, SIZE, generator=draw), torch.rand(1, 1, SIZE, SIZE, generator=draw)
    for name in ("ssim", "dssim", "ms_ssim"):
        for window in (3, 5, 7):
            term = terms.bind(f"{name}[window={window}]")
            plain = term(Head(logits), Target(target))
            mirrored = term(Head(logits.flip(-1)), Target(target.flip(-1)))
            torch.testing.assert_close(mirrored, plain, rtol=0, atol=1e-5)


def test_every_number_has_a_range() -> None:
    assert without_range(terms) == []
