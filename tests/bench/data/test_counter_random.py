from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.data.counter_random import integers, normal, uniform, whole_numbers

IDS = torch.arange(4000)


def reference_uniform(seed_key: int, identity: int, column: int) -> float:
    """SplitMix64 in plain Python integers."""
    word = (1 << 64) - 1

    def mix(x: int) -> int:
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & word
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & word
        return x ^ (x >> 31)

    golden = 0x9E3779B97F4A7C15
    key = mix(mix((identity * golden + seed_key) & word))
    return (mix((key + (column + 1) * golden) & word) >> 40) / 2**24


def test_uniform_is_splitmix64() -> None:
    from bench.data.counter_random import stream_key

    ids = torch.tensor([0, 1, 7, 123_456_789, 2**40 + 3])
    drawn = uniform(11, "a/b", ids, 6)
    expected = [[reference_uniform(stream_key(11, "a/b"), i, c) for c in range(6)] for i in ids.tolist()]
    assert drawn.tolist() == expected


@pytest.mark.parametrize("first", [2**31 - 2, 2**32 - 2, 2**62, 2**63 - 5])
def test_the_2_to_the_31st_draw(first: int) -> None:
    """Ids beyond 32 bits are no special case: nothing overflows, repeats or leaves its range."""
    from bench.data.counter_random import stream_key

    ids = torch.arange(first, first + 4)
    drawn = uniform(5, "far", ids, 3)
    assert drawn.tolist() == [[reference_uniform(stream_key(5, "far"), i, c) for c in range(3)] for i in ids.tolist()]
    assert len(set(drawn.flatten().tolist())) == drawn.numel()
    assert not set(drawn.flatten().tolist()) & set(uniform(5, "far", ids - 2**31, 3).flatten().tolist())
    assert torch.equal(integers(5, "far", ids, 1000), (drawn[:, 0].double() * 1000).long())
    noise = normal(5, "far", ids, 64)
    assert noise.isfinite().all()
    assert not torch.equal(noise[0], noise[1])
    assert torch.equal(normal(5, "far", ids[2:3], 64), noise[2:3])


@pytest.mark.parametrize(("low", "high"), [(40, 90), (1, 100), (3, 8), (7, 7), (0, 1)])
def test_whole_numbers_never_leave_their_range(low: int, high: int) -> None:
    """In float32 low plus the largest draw rounds up to high + 1: once in 2^24 draws."""
    edges = torch.tensor([0.0, 2.0**-24, 0.5, 1 - 2.0**-24])
    drawn = whole_numbers(edges, low, high)
    assert drawn[0] == low
    assert drawn[-1] == high
    many = whole_numbers(uniform(3, "whole", IDS, 5), low, high)
    counts = [int((many == value).sum()) for value in range(low, high + 1)]
    assert sum(counts) == many.numel()
    assert stats.chisquare(counts).pvalue > 1e-3 or low == high


@pytest.mark.parametrize("columns", [1, 12])
def test_uniform_is_uniform(columns: int) -> None:
    values = uniform(3, "test", IDS, columns).double().numpy().ravel()
    assert 0 <= values.min() and values.max() < 1
    assert stats.kstest(values, "uniform").pvalue > 1e-3
    assert abs(values.mean() - 0.5) < 5 * np.sqrt(1 / 12 / values.size)


def test_normal_is_normal() -> None:
    values = normal(3, "test", IDS, 50).double().numpy().ravel()
    assert stats.kstest(values[::7], "norm").pvalue > 1e-3
    assert abs(values.mean()) < 5 / np.sqrt(values.size)
    assert abs(values.var() - 1) < 5 * np.sqrt(2 / values.size)
    assert abs(stats.kurtosis(values)) < 0.05
    assert 3.5 < np.abs(values).max() < 3.8


@pytest.mark.parametrize("draw", [uniform, normal])
def test_neighbours_do_not_correlate(draw) -> None:
    values = draw(3, "test", IDS, 40).double()
    values = (values - values.mean()) / values.std()
    limit = 5 / np.sqrt(values.numel())
    for lag in (1, 2, 3, 8):
        assert abs((values[lag:] * values[:-lag]).mean()) < limit, "ids"
        assert abs((values[:, lag:] * values[:, :-lag]).mean()) < limit, "columns"
    other = draw(4, "test", IDS, 40).double()
    assert abs((values * (other - other.mean())).mean()) < limit * 2, "seeds"
    other = draw(3, "tests", IDS, 40).double()
    assert abs((values * (other - other.mean())).mean()) < limit * 2, "streams"


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(-(2**40), 2**70),
    ids=st.lists(st.integers(0, 2**62), min_size=1, max_size=9),
    n=st.integers(1, 33),
)
def test_a_draw_depends_on_seed_stream_id_and_column_alone(seed: int, ids: list[int], n: int) -> None:
    for draw in (uniform, normal):
        batch = draw(seed, "x", torch.tensor(ids), n)
        assert batch.shape == (len(ids), n)
        assert torch.equal(batch[:, : n // 2], draw(seed, "x", torch.tensor(ids), n)[:, : n // 2])
        assert torch.equal(batch, draw(seed, "x", torch.tensor(ids), n + 5)[:, :n])
        for row, identity in zip(batch, ids, strict=True):
            assert torch.equal(row, draw(seed, "x", torch.tensor([identity]), n)[0])


def test_integers_are_equally_likely() -> None:
    drawn = integers(5, "test", torch.arange(21_000), 7)
    assert stats.chisquare(torch.bincount(drawn, minlength=7).numpy()).pvalue > 1e-3
    assert set(drawn.tolist()) == set(range(7))
