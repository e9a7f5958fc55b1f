"""The table of ``bench show`` agrees with the published ones: as many rows, every parameter once, in blocks."""

import pytest

from bench.core.errors import BenchError
from bench.report.layers import activation_mib, layers
from registry.models import models

PUBLISHED = {"masknet": (9, 76_097), "depthmasknet": (91, 7_083_874), "twin_unet": (70, 2_161_666)}


@pytest.mark.parametrize("key", PUBLISHED)
def test_convolutions_and_norms_are_the_published_rows(key: str) -> None:
    rows = [row for row in layers(models.build(key), 64) if row.kind in ("Conv2d", "BatchNorm2d")]
    assert (len(rows), sum(row.parameters for row in rows)) == PUBLISHED[key]
    assert all(row.block for row in rows)


def test_activations_are_those_of_the_shapes() -> None:
    rows = layers(models.build("masknet"), 64, batch=2)
    assert rows[0].shape == (2, 32, 64, 64)
    assert activation_mib(rows[:1]) == 2 * 32 * 64 * 64 * 4 / 2**20


def test_a_size_that_does_not_fit_is_named() -> None:
    with pytest.raises(BenchError, match="multiples of 32"):
        layers(models.build("depthmasknet"), 48)
