"""Mirrored objects have the group of what they mirror, however a data set numbers them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.stored.naming.groups import mirrored
from bench.data.stored.naming.published import PER_BACKGROUND, PER_PAIR, PER_PART, PUBLISHED

NUMBERS = st.integers(1, 10**6)


@given(NUMBERS)
def test_with_numbers_of_what_they_mirror_nothing_changes(number: int) -> None:
    assert mirrored("none")(str(number)) == str(number)


@given(NUMBERS)
def test_of_a_pair_the_odd_number_is_the_object(number: int) -> None:
    group = mirrored("pairs")
    assert group(str(2 * number)) == group(str(2 * number - 1)) == str(2 * number - 1)


@given(NUMBERS, st.integers(1, 1000))
def test_a_number_greater_by_so_many_mirrors(number: int, many: int) -> None:
    group, first = mirrored(str(many)), (number - 1) % many + 1
    assert group(str(first)) == group(str(first + many)) == str(first)


@pytest.mark.parametrize("flips", ["none", "pairs", "100"])
@given(st.text("abc_", min_size=1, max_size=4))
def test_names_that_are_no_numbers_stay(flips: str, name: str) -> None:
    assert mirrored(flips)(name) == name


@pytest.mark.parametrize("flips", ["0", "-1", "both", "", "1.5", "PAIRS"])
def test_what_numbers_nothing_is_refused(flips: str) -> None:
    with pytest.raises(BenchError, match=r"--flips is none, pairs, or how much greater .*, not"):
        mirrored(flips)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 40))
def test_numbers_of_layout_000_by_its_loops(bg: int, item: int, place: int) -> None:
    """Parts of 20 objects; in each 100 backgrounds of 20 objects of 40 places."""
    part, within = divmod(item - 1, 20)
    number = part * PER_PART + (bg - 1) * PER_BACKGROUND + within * PER_PAIR + place
    layout = PUBLISHED[0]
    assert layout.name == "000"
    assert layout.meaning({"n": str(number)}) == (str(bg), str(item), str(number))
