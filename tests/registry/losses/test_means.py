"""A loss over a set of images is one value, whatever the batches."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.contract import Prediction, Quartet
from registry.losses import parse, terms
from registry.losses.means import LossMeans, MeanLosses
from registry.losses.objective import Objective

IMAGES, SIZE = 6, 16
USER = "tests.registry.losses.user_terms"


def scenes(known: tuple[int, ...] = tuple(range(IMAGES)), images: int = IMAGES) -> tuple[Prediction, Quartet]:
    draw = torch.Generator().manual_seed(0)
    image = torch.rand(images, 3, SIZE, SIZE, generator=draw)
    mask, depth = (torch.rand(images, 1, SIZE, SIZE, generator=draw) for _ in range(2))
    valid = torch.zeros_like(depth)
    valid[list(known)] = 1
    # Images differ much, so that a mean that weighs them wrongly is another value.
    logits = torch.randn(images, 1, SIZE, SIZE, generator=draw) + torch.arange(images)[:, None, None, None]
    return Prediction(logits, -logits), Quartet(image, image, mask, depth, valid)


def cut(prediction: Prediction, quartet: Quartet, at: slice) -> tuple[Prediction, Quartet]:
    part = Prediction(prediction.mask_logits[at], prediction.depth_logits[at])
    return part, quartet.map(lambda tensor: tensor[at])


def over(recipe: str, sizes: list[int], known: tuple[int, ...], pooled_batch: int = 4) -> MeanLosses:
    prediction, quartet = scenes(known, sum(sizes))
    means, begin = LossMeans(Objective(parse(recipe)), pooled_batch), 0
    for size in sizes:
        means.update(*cut(prediction, quartet, slice(begin, begin + size)))
        begin += size
    return means.result()


def every_recipe() -> list[str]:
    recipes = []
    for name in terms.names():
        window = "[window=3]" if "window" in terms.get(name).parameters else ""
        recipes += [f"{head}: {name}{window}" for head in terms.get(name).facts["heads"]]
    pooled = ["mask: dice[pool=batch]", "depth: rmse[pool=batch]", "depth: ssim[guess=true,window=3]"]
    own = [f"depth: {USER}:half_l1", f"mask: bce, depth: {USER}:squared_l1 + 0.5*l1, weighting: uncertainty"]
    return [*recipes, *pooled, *own]


@pytest.mark.parametrize("recipe", every_recipe())
@settings(max_examples=5, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), known=st.sets(st.integers(0, 5)))
def test_batches_do_not_matter(recipe, sizes, known):
    images = sum(sizes)
    known = tuple(image for image in known if image < images)
    whole, parts = over(recipe, [images], known), over(recipe, sizes, known)
    assert whole.losses == pytest.approx(parts.losses, rel=1e-5, abs=1e-6)
    assert whole.pooled == parts.pooled and whole.broken == parts.broken == []


@pytest.mark.parametrize("recipe", ["mask: bce + 2*dice, depth: l1 + ssim[window=3]", "mask: lovasz, depth: ssi"])
def test_one_batch_is_the_objectives_own_value(recipe):
    prediction, quartet = scenes((0, 2, 5))
    losses = Objective(parse(recipe))(prediction, quartet)
    expected = {"total": losses.total, **losses.heads, **losses.terms}
    assert over(recipe, [6], (0, 2, 5)).losses == pytest.approx({k: v.item() for k, v in expected.items()}, rel=1e-5)


def test_only_images_with_a_target_count():
    prediction, quartet = scenes((1, 4))
    error = (prediction.depth.value - quartet.depth).abs()[[1, 4]].mean().item()
    for recipe, factor in (("depth: l1", 1), (f"depth: {USER}:half_l1", 0.5)):
        assert over(recipe, [1] * 6, (1, 4)).losses["total"] == pytest.approx(factor * error, rel=1e-5)


def test_pooled_terms_see_batches_of_one_size_and_say_so():
    found = over("mask: dice[pool=batch] + bce, depth: rmse[pool=batch]", [3, 3], tuple(range(6)))
    assert found.pooled == {"mask.dice[pool=batch]": 4, "depth.rmse[pool=batch]": 4}
    objective, (prediction, quartet) = Objective(parse("depth: rmse[pool=batch]")), scenes()
    first, second = (objective(*cut(prediction, quartet, at)).total.item() for at in (slice(4), slice(4, 6)))
    assert found.losses["depth"] == pytest.approx((4 * first + 2 * second) / 6, rel=1e-5)


@pytest.mark.parametrize(
    ("recipe", "places"),
    [
        ("depth: l1", [3]),
        ("depth: ssim[window=3]", [3]),
        (f"depth: {USER}:half_l1", [3]),
        ("depth: rmse[pool=batch]", [0, 1, 2, 3]),
    ],
)
def test_broken_images_are_named(recipe, places):
    prediction, quartet = scenes()
    quartet.depth[3, 0, 2, 2] = torch.nan
    means = LossMeans(Objective(parse(recipe)), pooled_batch=4)
    for at in (slice(2), slice(2, 6)):
        means.update(*cut(prediction, quartet, at))
    found = means.result()
    assert found.broken == places and not math.isfinite(found.losses["total"])


def test_no_image():
    with pytest.raises(ValueError, match="no image"):
        LossMeans(Objective(parse("mask: bce"))).result()
