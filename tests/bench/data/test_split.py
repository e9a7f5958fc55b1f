from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BadData, BenchError
from bench.data.split import FRACTIONS, split_groups


def flat(split) -> list[str]:
    return [name for part in split.groups.values() for name in part]


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 50), min_size=3, max_size=40),
    seed=st.integers(),
)
def test_parts_share_no_group_and_use_every_one(sizes: dict[str, int], seed: int) -> None:
    split = split_groups(sizes, seed)
    assert sorted(flat(split)) == sorted(sizes)
    assert all(split.groups[part] for part in FRACTIONS)
    assert not split.leaks
    assert split == split_groups(dict(reversed(sizes.items())), seed), "order must not matter"


def test_quotas_are_met_by_equal_groups() -> None:
    split = split_groups({f"g{i}": 1 for i in range(400)}, seed=1)
    assert {part: len(names) for part, names in split.groups.items()} == {"train": 280, "val": 60, "test": 60}


def test_a_huge_group_lands_in_train() -> None:
    sizes = {"huge": 500, **{f"small{i}": 3 for i in range(40)}}
    for seed in range(5):
        assert "huge" in split_groups(sizes, seed).groups["train"]


def test_the_seed_decides() -> None:
    sizes = {f"g{i}": 1 for i in range(40)}
    assert len({split_groups(sizes, seed).groups["test"] for seed in range(5)}) == 5


def test_a_random_split_leaks() -> None:
    split = split_groups({"a": 1, "b": 1}, 0, "random")
    assert split.leaks
    assert all(set(names) == {"a", "b"} for names in split.groups.values())


def test_too_few_groups() -> None:
    with pytest.raises(BadData, match=r"things: only 2.*at least 3"):
        split_groups({"a": 9, "b": 9}, 0, what="things")


def test_unknown_rule() -> None:
    with pytest.raises(BenchError, match="group, random") as caught:
        split_groups({"a": 1, "b": 1, "c": 1}, 0, "rand")
    assert caught.value.exit_code == 2
