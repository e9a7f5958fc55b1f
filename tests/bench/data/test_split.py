from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BadData, BenchError
from bench.data.split import FRACTIONS, POOLS, Division, Split, find_rule, split_pools

SIZES = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 50), min_size=5, max_size=40)
DISJOINT = {
    "unseen-both": {"background", "object"},
    "unseen-bg": {"background"},
    "unseen-fg": {"object"},
    "shared": set(),
}


def divide(sizes: dict[str, int], seed: int = 0, rule: str = "unseen-both") -> Division:
    return split_pools(dict.fromkeys(POOLS, sizes), seed, rule)


def split(sizes: dict[str, int], seed: int = 0, rule: str = "unseen-both") -> Split:
    return divide(sizes, seed, rule).pools["background"]


def flat(made: Split) -> list[str]:
    return [name for part in made.groups.values() for name in part]


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, seed=st.integers(), rule=st.sampled_from(["unseen-both", "kfold", "kfold[n=4,fold=3]"]))
def test_parts_share_no_group_and_use_every_one(sizes: dict[str, int], seed: int, rule: str) -> None:
    made = split(sizes, seed, rule)
    assert sorted(flat(made)) == sorted(sizes)
    assert all(made.groups[part] for part in FRACTIONS)
    assert not made.leaks
    assert made == split(dict(reversed(sizes.items())), seed, rule), "order must not matter"


@pytest.mark.parametrize("rule", DISJOINT)
def test_a_rule_shares_the_pools_it_says(rule: str) -> None:
    made = divide({f"g{i}": 1 for i in range(20)}, rule=rule)
    assert {pool for pool, parts in made.pools.items() if not parts.leaks} == DISJOINT[rule]
    assert made.leaks == (rule != "unseen-both")
    for pool in set(POOLS) - DISJOINT[rule]:
        assert len({made.pools[pool].groups[part] for part in FRACTIONS}) == 1


def test_quotas_are_met_by_equal_groups() -> None:
    made = split({f"g{i}": 1 for i in range(400)}, seed=1)
    assert {part: len(names) for part, names in made.groups.items()} == {"train": 280, "val": 60, "test": 60}


def test_a_huge_group_lands_in_train() -> None:
    sizes = {"huge": 500, **{f"small{i}": 3 for i in range(40)}}
    for seed in range(5):
        assert "huge" in split(sizes, seed).groups["train"]


def test_the_seed_decides() -> None:
    sizes = {f"g{i}": 1 for i in range(40)}
    for rule in ("unseen-both", "kfold"):
        assert len({split(sizes, seed, rule).groups["test"] for seed in range(5)}) == 5


@settings(max_examples=20, deadline=None)
@given(sizes=SIZES, n=st.integers(3, 5))
def test_every_group_is_tested_on_in_one_fold(sizes: dict[str, int], n: int) -> None:
    folds = [split(sizes, 3, f"kfold[n={n},fold={fold}]").groups for fold in range(n)]
    assert sorted(name for groups in folds for name in groups["test"]) == sorted(sizes)
    assert all(folds[fold]["val"] == folds[(fold + 1) % n]["test"] for fold in range(n))


def test_folds_are_alike_in_size() -> None:
    sizes = {f"g{i}": 1 + i % 7 for i in range(100)}
    held = [sum(sizes[name] for name in split(sizes, 0, f"kfold[fold={i}]").groups["test"]) for i in range(5)]
    assert max(held) - min(held) <= 7


def test_renamed_rules_warn_and_are_described_as_before() -> None:
    sizes = {f"g{i}": 1 for i in range(9)}
    for former, rule in (("group", "unseen-both"), ("random", "shared")):
        with pytest.warns(FutureWarning, match=rule):
            made = divide(sizes, rule=former)
        assert made == divide(sizes, rule=rule)
        assert made.describe() == {"split": former, "leaks": rule == "shared"}
    assert divide(sizes, rule="kfold[fold=2]").describe() == {"split": "kfold[fold=2,n=5]", "leaks": False}
    assert find_rule(" kfold[ fold = 1 ]") == "kfold[fold=1,n=5]"


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    parts = {"train": ["c", "a"], "val": ["b"], "test": ["d"]}
    path.write_text(json.dumps(dict.fromkeys(POOLS, parts)))
    made = divide(dict.fromkeys("abcde", 1), rule=str(path))
    assert made.pools["object"].groups == {"train": ("a", "c"), "val": ("b",), "test": ("d",)}
    assert not made.leaks
    description = made.describe()
    assert description["split"] == "file"
    assert str(tmp_path) not in json.dumps(description)
    path.write_text(json.dumps({pool: {**parts, "val": ["a"]} for pool in POOLS}))
    leaking = divide(dict.fromkeys("abcde", 1), rule=str(path)).describe()
    assert leaking["leaks"]
    assert leaking["split_content"] != description["split_content"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "no split can be read"),
        ("[]", "must hold train, val, test"),
        ('{"background": {"train": ["a"], "val": ["b"], "test": ["x"]}, "object": {}}', "no 'x' in the data"),
        ('{"background": {"train": ["a"], "val": [], "test": ["c"]}, "object": {}}', "background/val is no list"),
    ],
)
def test_a_file_that_does_not_fit(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(BadData, match=reason):
        divide(dict.fromkeys("abc", 1), rule=str(path))
    with pytest.raises(BadData, match=r"missing\.json"):
        divide(dict.fromkeys("abc", 1), rule=str(tmp_path / "missing.json"))


def test_too_few_groups() -> None:
    with pytest.raises(BadData, match=r"things: only 2.*at least 3"):
        split_pools({"background": {"a": 9, "b": 9}}, 0, names={"background": "things"})
    with pytest.raises(BadData, match=r"objects: only 4.*at least 5"):
        split_pools({"object": dict.fromkeys("abcd", 1)}, 0, "kfold")


@pytest.mark.parametrize(
    "rule", ["rand", "kfold[n=2]", "kfold[fold=5]", "kfold[k=3]", "kfold[n=x]", "shared[n=2]", "kfold["]
)
def test_rules_that_do_not_exist(rule: str) -> None:
    with pytest.raises(BenchError, match="split") as caught:
        divide(dict.fromkeys("abcdef", 1), rule=rule)
    assert caught.value.exit_code == 2
