"""The objective: terms, weights, names, spans, missing heads, weightings; and that it never waits for the device."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from registry.contract import Head, Prediction, Quartet, Target
from registry.errors import ContractError, RegistryError
from registry.losses import parse, recipes, terms
from registry.losses.objective import Objective
from registry.losses.weighting import DynamicAverage


@pytest.fixture
def scene(quartet: Quartet) -> Quartet:
    """The shared batch with its holes in a corner, so that SSIM finds whole windows."""
    valid = torch.ones_like(quartet.mask)
    valid[:, :, :9, :9] = 0
    return dataclasses.replace(quartet, valid=valid)


def _prediction(seed: int = 0, **kwargs: Any) -> Prediction:
    generator = torch.Generator().manual_seed(seed)
    mask, depth = (torch.randn(4, 1, 64, 64, generator=generator, **kwargs).requires_grad_() for _ in range(2))
    return Prediction(mask, depth)


class NoHostSync(TorchDispatchMode):
    """Refuses what makes the host wait for the device."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        assert function is not torch.ops.aten._local_scalar_dense.default, "a value was read on the host"
        assert function is not torch.ops.aten.nonzero.default, "a shape depends on values"
        return function(*args, **(kwargs or {}))


def test_total_is_the_weighted_sum_of_terms(scene: Quartet) -> None:
    losses = Objective(parse("mask: bce + 2*dice[smooth=3], depth: 0.5*l1 + ssim"))(_prediction(), scene)
    assert list(losses.terms) == ["mask.bce", "mask.dice[smooth=3]", "depth.l1", "depth.ssim"]
    bce, dice, l1, ssim = losses.terms.values()
    torch.testing.assert_close(losses.heads, {"mask": bce + 2 * dice, "depth": 0.5 * l1 + ssim})
    torch.testing.assert_close(losses.total.detach(), bce + 2 * dice + 0.5 * l1 + ssim)
    assert losses.total.requires_grad and not any(
        v.requires_grad for v in (*losses.terms.values(), *losses.heads.values())
    )
    value, hole = torch.sigmoid(_prediction().depth_logits.detach()), scene.valid == 0
    torch.testing.assert_close(l1, (value - scene.depth).abs()[~hole].mean())


@pytest.mark.parametrize("name", recipes.names())
def test_named_recipes_train_without_waiting_for_the_device(name: str, scene: Quartet) -> None:
    objective, prediction = Objective(parse(name)), _prediction()
    with NoHostSync():
        losses = objective(prediction, scene)
        losses.total.backward()
        objective.epoch_end(losses.heads)
    assert losses.total.isfinite()
    for head in objective.recipe.heads:
        gradient = getattr(prediction, f"{head}_logits").grad
        assert gradient is not None and gradient.isfinite().all() and gradient.any()


def test_no_host_sync_would_be_noticed() -> None:
    with NoHostSync(), pytest.raises(AssertionError, match="on the host"):
        torch.ones(1).item()


def test_spans_are_entered_for_each_term_in_order(scene: Quartet) -> None:
    entered: list[str] = []

    @contextlib.contextmanager
    def span(name: str) -> Iterator[None]:
        entered.append(f"> {name}")
        yield
        entered.append(f"< {name}")

    Objective(parse("depth: l1, mask: dice + bce"))(_prediction(), scene, span)
    names = ["loss/mask.bce", "loss/mask.dice", "loss/depth.l1"]
    assert entered == [f"{mark} {name}" for name in names for mark in "><"]


def laplacian(prediction: Head, target: Target) -> torch.Tensor:
    """A user's term, with a convolution, which autocast would run in half precision."""
    kernel = torch.tensor([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]])
    return torch.nn.functional.conv2d(prediction.value - target.value, kernel).abs().mean()


def test_terms_run_in_float32_under_autocast(scene: Quartet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "terms_of_a_user", sys.modules[__name__])
    objective = Objective(
        parse("mask: bce + edge + lovasz + terms_of_a_user:laplacian, depth: ssim + ms_ssim + ssi + silog")
    )
    half = Prediction(
        *(logits.detach().bfloat16() for logits in (_prediction().mask_logits, _prediction().depth_logits))
    )
    plain = objective(half, scene)
    own = laplacian(half.mask, Target(scene.mask))
    with torch.autocast("cpu", torch.bfloat16):
        cast = objective(half, scene)
    assert plain.total.dtype == torch.float32
    torch.testing.assert_close(dict(cast.terms), dict(plain.terms), rtol=0, atol=0)
    torch.testing.assert_close(cast.terms["mask.terms_of_a_user:laplacian"], own, rtol=0, atol=0)


def test_objective_after_inference_mode(scene: Quartet) -> None:
    objective = Objective(parse("depth: ssim"))
    with torch.inference_mode():
        objective(_prediction(), scene)
    objective(_prediction(), scene).total.backward()


def test_standardised_targets(scene: Quartet) -> None:
    prediction = _prediction()
    shifted = Objective(parse("depth~standardised[mean=0.2,std=0.5]: l2[raw=true]"))(prediction, scene).total
    error = (prediction.depth_logits - (scene.depth - 0.2) / 0.5).square()
    expected = (error * scene.valid).flatten(1).sum(1) / scene.valid.flatten(1).sum(1)
    torch.testing.assert_close(shifted, expected.mean())


def test_a_missing_head_is_refused_with_the_way_out(scene: Quartet) -> None:
    alone = Prediction(_prediction().mask_logits)
    with pytest.raises(RegistryError, match=r"trains depth, which the model.*--loss 'mask: bce'"):
        Objective(parse("bce_ssim"))(alone, scene)
    losses = Objective(parse("bce_ssim"), heads=("mask",))(alone, scene)
    assert list(losses.terms) == ["mask.bce"]
    torch.testing.assert_close(losses.total, terms.bind("bce")(alone.mask, Target(scene.mask)))
    with pytest.raises(RegistryError, match="which the data does not have"):
        Objective(parse("bce_ssim"))(_prediction(), Quartet(scene.bg, scene.bg_fg, mask=scene.mask))
    with pytest.raises(RegistryError, match="trains none of"):
        Objective(parse("mask: bce"), heads=("depth",))


def test_fixed_weighting_has_no_state() -> None:
    assert not Objective(parse("bce")).state_dict() and not list(Objective(parse("bce")).parameters())


def test_uncertainty_follows_kendall(scene: Quartet) -> None:
    objective = Objective(parse("mask: bce, depth: 2*l1, weighting: uncertainty"))
    (log_variance,) = objective.parameters()
    with torch.no_grad():
        log_variance.copy_(torch.tensor([0.5, -1.0]))
    losses = objective(_prediction(), scene)
    losses.total.backward()
    heads, s = np.array([losses.heads["mask"].item(), losses.heads["depth"].item()]), np.array([0.5, -1.0])
    assert losses.total.item() == pytest.approx((np.exp(-s) * heads + s).sum(), rel=1e-6)
    assert log_variance.grad.numpy() == pytest.approx(1 - np.exp(-s) * heads, rel=1e-5)


def test_dynamic_weight_average_follows_liu(scene: Quartet) -> None:
    objective = Objective(parse("mask: bce, depth: l1, weighting: dwa"))
    weights = objective.get_submodule("weighting").get_buffer("weights")
    history = [{"mask": 0.8, "depth": 0.4}, {"mask": 0.4, "depth": 0.3}, {"mask": 0.3, "depth": 0.3}]
    objective.epoch_end(history[0])
    assert weights.tolist() == [1, 1]
    for before, after in itertools.pairwise(history):
        objective.epoch_end(after)
        ratio = np.exp(np.array([after[h] / before[h] for h in ("mask", "depth")]) / 2)
        assert weights.numpy() == pytest.approx(2 * ratio / ratio.sum(), rel=1e-6)
    losses = objective(_prediction(), scene)
    expected = weights[0] * losses.heads["mask"] + weights[1] * losses.heads["depth"]
    torch.testing.assert_close(losses.total.detach(), expected)
    again = Objective(parse("mask: bce, depth: l1, weighting: dwa"))
    again.load_state_dict(objective.state_dict())
    torch.testing.assert_close(again(_prediction(), scene).total, losses.total)


def test_a_head_that_reaches_zero_does_not_spoil_the_weights() -> None:
    average = DynamicAverage(2)
    for means in ([0.0, 1.0], [0.0, 0.5]):
        average.epoch_end(torch.tensor(means))
    assert average.weights.tolist() == [1, 1]


FOREIGN = {
    "one value per image": lambda p, t: (p.value - t.value).abs().flatten(1).mean(1),
    "a map": lambda p, t: (p.value - t.value).abs(),
    "one value in a list": lambda p, t: (p.value - t.value).abs().mean()[None],
    "a float": lambda p, t: (p.value - t.value).abs().mean().item(),
    "nothing": lambda p, t: None,
    "a count": lambda p, t: (p.value > t.value).sum(),
    "a pair": lambda p, t: ((p.value - t.value).abs().mean(), 1),
}
CAME = {
    "one value per image": r"a tensor of shape \(4,\)",
    "a map": r"a tensor of shape \(4, 1, 64, 64\)",
    "one value in a list": r"a tensor of shape \(1,\)",
    "a float": "an object of type float",
    "nothing": "returned None",
    "a count": r"a tensor of shape \(\) and type int64",
    "a pair": "an object of type tuple",
}


@pytest.mark.parametrize("recipe", ["mask: own:term, depth: own:term", "mask: bce, depth: own:term + l1"])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_term_that_returns_something_else_is_told_what_came(
    name: str, recipe: str, scene: Quartet, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("own")
    module.term = FOREIGN[name]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own", module)
    monkeypatch.setattr(terms, "_made", {})
    with pytest.raises(ContractError, match=rf"loss term 'own:term' returned .*{CAME[name].removeprefix('returned ')}"):
        Objective(parse(recipe))(_prediction(), scene)
