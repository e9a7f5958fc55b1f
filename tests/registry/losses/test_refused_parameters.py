"""Parameters by their values that once trained silently to nonsense: refused when the key is read."""

from __future__ import annotations

import pytest

from registry.errors import RegistryError
from registry.losses import parse


@pytest.mark.parametrize(
    ("term", "says"),
    [
        ("ssim[window=4]", "window must be odd, at least 3 and at most 63, not 4"),
        ("ssim[window=1]", "window must be odd, at least 3 and at most 63, not 1"),
        ("ms_ssim[window=10]", "window must be odd"),
        ("focal[gamma=-0.5]", "gamma must be at least 0 and at most 50, not -0.5"),
        ("focal[gamma=51]", "gamma must be at least 0 and at most 50, not 51"),
        ("focal[gamma=nan]", "gamma"),
        ("focal[balance=1]", "balance must be over 0 and under 1"),
    ],
)
@pytest.mark.parametrize("recipe", ["mask: {}", "mask: bce + 0.5*{}"])
def test_a_parameter_that_cannot_be_is_refused_in_a_recipe(term: str, says: str, recipe: str) -> None:
    with pytest.raises(RegistryError) as refused:
        parse(recipe.format(term))
    assert says in str(refused.value)


@pytest.mark.parametrize("term", ["ssim[window=3]", "ssim[window=63]", "focal[gamma=0]", "focal[gamma=0.5]"])
def test_the_ends_of_a_range_are_in_it(term: str) -> None:
    parse(f"mask: {term}")
