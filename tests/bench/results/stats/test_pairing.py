"""Which seeds stand against each other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.results.stats.pairing import Pairing

seeds = st.lists(st.integers(0, 9), min_size=1, unique=True)


def test_common_seeds_are_paired_and_others_left_out() -> None:
    assert Pairing.of((0, 1, 2), (2, 1, 7)) == Pairing((1, 2), (1, 2))
    assert Pairing.of((3,), (3,)) == Pairing((3,), (3,))
    assert Pairing.of((0, 1, 2), (1,)) == Pairing((1,), (1,))


def test_too_few_in_common_and_all_count_unpaired() -> None:
    assert Pairing.of((0, 1), (1, 2)) == Pairing((0, 1), (1, 2), paired=False)
    assert Pairing.of(range(5), (4, 3, *range(10, 16))) == Pairing(
        (0, 1, 2, 3, 4), (4, 3, 10, 11, 12, 13, 14, 15), paired=False
    )
    assert Pairing.of((0,), (1, 2)) == Pairing((0,), (1, 2), paired=False)


def test_what_does_not_depend_on_its_seed_stands_against_all() -> None:
    assert Pairing.of((5,), (1, 2, 3), a_random=False) == Pairing((5, 5, 5), (1, 2, 3))
    assert Pairing.of((1, 2), (0,), b_random=False) == Pairing((1, 2), (0, 0))
    both = Pairing.of((0, 1), (3,), a_random=False, b_random=False)
    assert both == Pairing((0,), (3,), random=False)
    assert both.settles


@settings(max_examples=60, deadline=None)
@given(seeds, seeds)
def test_either_side_may_be_a(a: list[int], b: list[int]) -> None:
    forth, back = Pairing.of(a, b), Pairing.of(b, a)
    assert forth.paired == back.paired
    assert (set(forth.a), set(forth.b)) == (set(back.b), set(back.a))
    assert forth.seeds == back.seeds
    assert set(forth.a) <= set(a)
    assert set(forth.b) <= set(b)


@settings(max_examples=60, deadline=None)
@given(seeds, seeds)
def test_a_single_seed_settles_nothing(a: list[int], b: list[int]) -> None:
    pairing = Pairing.of(a, b)
    assert pairing.settles == (min(len(pairing.a), len(pairing.b)) > 1)
    assert not (pairing.settles and min(len(a), len(b)) == 1)
