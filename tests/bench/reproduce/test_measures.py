"""The authors' figures: known values, plain numpy, and the numbers that gave the published faults away."""

import numpy as np
import pytest
import torch

from bench.reproduce.measures import (
    Outputs,
    blended_iou,
    coefficient,
    depth_contrast,
    depth_logits_are_target,
    foreground_share,
    inverted_rmse,
    loss,
    mask_iou,
    mean_error,
    pooled_dice,
    root_error,
    value_is_target,
)


def random_outputs(mean: float = 0.5, std: float = 0.27, count: int = 8, side: int = 32) -> Outputs:
    """Random logits; masks of 5 % binary squares; depth of a given mean and spread, beta distributed."""
    random = torch.Generator().manual_seed(0)
    shape = (count, 1, side, side)
    mask = torch.zeros(shape)
    mask[..., 4:11, 4:11] = 1
    concentration = mean * (1 - mean) / std**2 - 1
    beta = np.random.default_rng(0).beta(mean * concentration, (1 - mean) * concentration, size=shape)
    predicted = (torch.randn(shape, generator=random) for _ in range(2))
    return Outputs(*predicted, mask, torch.from_numpy(beta).float(), torch.ones(shape))


def arrays(outputs: Outputs, head: str) -> tuple[np.ndarray, np.ndarray]:
    predicted, target = (outputs.mask_logits, outputs.mask) if head == "mask" else (outputs.depth_logits, outputs.depth)
    return 1 / (1 + np.exp(-predicted.double().numpy())), target.double().numpy()


def test_system_000_could_not_see_success() -> None:
    outputs = random_outputs()
    perfect = value_is_target(outputs)
    mask_only = Outputs(perfect.mask_logits, None, outputs.mask, outputs.depth, outputs.valid)
    assert coefficient(mask_only, divided=255) == pytest.approx(2 / 256, rel=1e-3)  # .0078
    flat = Outputs(None, torch.zeros_like(outputs.depth), outputs.mask, outputs.depth, outputs.valid)
    assert coefficient(flat, divided=255) == pytest.approx(2 * outputs.depth.mean().item() / 255, rel=0.01)  # .0039
    assert loss(perfect, "bce", times=0.5) < loss(outputs, "bce", times=0.5)
    assert coefficient(mask_only) == pytest.approx(1, abs=1e-3)


def test_system_000s_floor() -> None:
    outputs = random_outputs(0.5091, 0.2817)
    p_mask, p_depth = (torch.logit((t / 255).clamp(1e-7, 1)) for t in (outputs.mask, outputs.depth))
    at_floor = Outputs(p_mask, p_depth, outputs.mask, outputs.depth, outputs.valid)
    assert loss(at_floor, "bce@published", times=0.5) == pytest.approx(0.0076, abs=0.0002)


def test_system_001_cannot_fall_below_its_floor() -> None:
    outputs = random_outputs()
    certain = Outputs((outputs.mask * 2 - 1) * 50, outputs.depth_logits, outputs.mask, outputs.depth, outputs.valid)
    background = 1 - outputs.mask.mean().item()
    floor = background * np.log(2) + (1 - background) * np.log1p(np.exp(-1))
    assert loss(certain, "mask: bce[twice=true]") == pytest.approx(floor, rel=1e-5)
    assert floor == pytest.approx(0.675, abs=0.005)


def test_system_002_scores_a_perfect_depth_badly() -> None:
    perfect = depth_logits_are_target(random_outputs(0.4998, 0.2730, count=64))
    predicted, target = arrays(perfect, "depth")
    assert pooled_dice(perfect, "depth") == pytest.approx(
        2 * (predicted * target).sum() / (predicted.sum() + target.sum()), rel=1e-5
    )
    assert mean_error(perfect, "depth") == pytest.approx(np.abs(predicted - target).mean(), rel=1e-5)
    assert root_error(perfect, "depth") == pytest.approx(np.sqrt(((predicted - target) ** 2).mean()), rel=1e-5)
    assert pooled_dice(perfect, "depth") == pytest.approx(0.585, abs=0.02)
    assert mean_error(perfect, "depth") == pytest.approx(0.202, abs=0.01)
    assert root_error(perfect, "depth") == pytest.approx(0.242, abs=0.01)


def test_system_003s_blank_and_average() -> None:
    outputs = random_outputs()
    blank = Outputs(
        torch.full_like(outputs.mask, -9), torch.zeros_like(outputs.depth), outputs.mask, outputs.depth, outputs.valid
    )
    assert foreground_share(blank) == depth_contrast(blank) == 0
    perfect = value_is_target(outputs)
    assert foreground_share(perfect) == pytest.approx(1)
    assert depth_contrast(perfect) == pytest.approx(1, abs=1e-4)


def test_system_004s_rmse_rises_as_the_error_falls() -> None:
    outputs = random_outputs(0.298, 0.116)
    near = Outputs(
        *(torch.logit((t + 0.05).clamp(0.01, 0.99)) for t in (outputs.mask, outputs.depth)),
        outputs.mask,
        outputs.depth,
        outputs.valid,
    )
    assert root_error(near, "depth") < root_error(outputs, "depth")
    assert inverted_rmse(near) > inverted_rmse(outputs)
    roots = []
    for head in ("mask", "depth"):
        predicted, target = arrays(outputs, head)
        roots.append(np.sqrt(((predicted - target)[target > 1e-4] ** 2).mean()))
    assert inverted_rmse(outputs) == pytest.approx(1 / np.mean(roots), rel=1e-5)


def test_system_004s_iou_has_a_ceiling() -> None:
    perfect = value_is_target(random_outputs(0.298, 0.116, count=32))
    assert blended_iou(perfect) == pytest.approx(0.603, abs=0.01)
    assert mask_iou(perfect) == 1


def test_loss_counts_every_image_once_and_heads_there_are() -> None:
    outputs = random_outputs(count=40)  # more than one batch of the measure, the second smaller
    predicted, target = arrays(outputs, "mask")
    entropy = -(target * np.log(predicted) + (1 - target) * np.log(1 - predicted)).mean()
    mask_only = Outputs(outputs.mask_logits, None, outputs.mask, outputs.depth, outputs.valid)
    assert loss(mask_only, "bce") == pytest.approx(entropy, rel=1e-5)


def test_a_head_that_is_not_there() -> None:
    outputs = random_outputs()
    with pytest.raises(LookupError, match="depth"):
        root_error(Outputs(outputs.mask_logits, None, outputs.mask, outputs.depth, outputs.valid), "depth")
