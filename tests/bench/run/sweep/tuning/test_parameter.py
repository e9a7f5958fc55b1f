"""A number by its path: read, set, refused; and the values that are tried."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.run.sweep.tuning.parameter import Parameter
from bench.run.sweep.tuning.trial_grid import TrialGrid
from registry.errors import RegistryError
from tests.bench.records import record

SPEC = record(recipe="mask: bce + 0.5*tversky, depth: 2*ssim").spec


@pytest.mark.parametrize(
    ("path", "value", "new", "where", "text"),
    [
        ("optimizer.lr", 0.003, 0.01, "optimizer", "adam[lr=0.01]"),
        ("optimizer.weight_decay", 0.0, 0.1, "optimizer", "adam[lr=0.003,weight_decay=0.1]"),
        ("schedule.warmup", 0.2, 0.5, "schedule", "onecycle[warmup=0.5]"),
        ("loss.depth.ssim.weight", 2, 0.5, "recipe", "mask: bce + 0.5*tversky, depth: 0.5*ssim"),
        ("loss.depth.ssim.window", 11, 5, "recipe", "mask: bce + 0.5*tversky, depth: 2*ssim[window=5]"),
        ("loss.mask.tversky.alpha", 0.3, 0.5, "recipe", "mask: bce + 0.5*tversky[alpha=0.5], depth: 2*ssim"),
        ("loss.mask.bce.weight", 1, 3, "recipe", "mask: 3*bce + 0.5*tversky, depth: 2*ssim"),
    ],
)
def test_a_number_is_read_and_set(path: str, value: float, new: float, where: str, text: str) -> None:
    parameter = Parameter(path)
    assert parameter.get(SPEC) == value
    changed = parameter.set(SPEC, new)
    assert (changed.recipe if where == "recipe" else getattr(changed.protocol, where)) == text
    assert parameter.get(changed) == new
    assert parameter.set(changed, value) == SPEC
    assert changed.seed == SPEC.seed


@pytest.mark.parametrize("path", ["lr", "optimizer", "optimizer.", "loss.depth.ssim", "loss.edge.bce.weight", "a.b"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(BenchError, match="cannot tune"):
        Parameter(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("optimizer.momentum", "has no parameter 'momentum' to tune"),
        ("loss.depth.l1.weight", "has no term l1 on depth; exclude it"),
        ("loss.mask.ssim.weight", "has no term ssim on mask"),
    ],
)
def test_what_a_cell_does_not_have(path: str, reason: str) -> None:
    with pytest.raises(BenchError, match=reason):
        Parameter(path).get(SPEC)


def test_a_value_that_it_cannot_have() -> None:
    with pytest.raises(RegistryError, match="lr"):
        Parameter("optimizer.lr").set(SPEC, -1)
    with pytest.raises(RegistryError, match="window"):
        Parameter("loss.depth.ssim.window").set(SPEC, 4)


def test_a_range_is_in_equal_ratios() -> None:
    assert TrialGrid.parse("optimizer.lr=3e-4..3e-2@5").values == (0.0003, 0.000949, 0.003, 0.00949, 0.03)
    assert TrialGrid.parse("loss.depth.ssim.weight=2,0.5,1").values == (0.5, 1, 2)


@given(st.floats(1e-6, 1), st.floats(2, 1e4), st.integers(2, 12))
def test_ranges(low: float, ratio: float, count: int) -> None:
    low = float(f"{low:.3g}")
    high = float(f"{low * ratio:.3g}")
    if ratio ** (1 / (count - 1)) < 1.02:
        return
    values = TrialGrid.parse(f"optimizer.lr={low!r}..{high!r}@{count}").values
    assert values[0] == low and values[-1] == high and len(values) == count
    steps = [math.log(b / a) for a, b in itertools.pairwise(values)]
    assert max(steps) - min(steps) < 0.03


@pytest.mark.parametrize(
    "text",
    ["optimizer.lr", "optimizer.lr=", "optimizer.lr=1", "optimizer.lr=1..2", "optimizer.lr=2..1@3",
     "optimizer.lr=0..1@3", "optimizer.lr=a,b", "optimizer.lr=nan,1", "optimizer.lr=1..1.001@9", "optimizer.lr=1..2@1"],
)  # fmt: skip
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(BenchError, match="--tune"):
        TrialGrid.parse(text)
