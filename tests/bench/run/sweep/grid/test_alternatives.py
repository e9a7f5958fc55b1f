"""Alternatives in brackets: every combination once, and nothing changed elsewhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.run.sweep.grid.alternatives import alternatives
from registry.registry import format_key, parse_key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unet", ["unet"]),
        ("unet[width=16|32|64]", ["unet[width=16]", "unet[width=32]", "unet[width=64]"]),
        ("a[b=1|2,c=true|false]", ["a[b=1,c=true]", "a[b=1,c=false]", "a[b=2,c=true]", "a[b=2,c=false]"]),
        ("a[b= 1 | 2 ]", ["a[b=1]", "a[b=2]"]),
        ("depth: ssim[window=5|11]", ["depth: ssim[window=5]", "depth: ssim[window=11]"]),
        ("a[b='x|y']", ["a[b='x|y']"]),
        ("a[b='x|y'|z]", ["a[b='x|y']", "a[b=z]"]),
        ("a[b=(1,2)|(3,4)]", ["a[b=(1,2)]", "a[b=(3,4)]"]),
    ],
)  # fmt: skip
def test_known(text: str, expected: list[str]) -> None:
    found = alternatives(text)
    assert found == expected


values = st.one_of(st.integers(-99, 99), st.booleans(), st.none(), st.floats(0.001, 9).map(lambda x: round(x, 3)))
names = st.sampled_from("abcde")


@given(st.dictionaries(names, st.lists(values, min_size=1, max_size=3, unique_by=repr), min_size=1, max_size=4))
def test_every_combination_once(params: dict[str, list[object]]) -> None:
    one = {name: [format_key("x", {"v": value})[4:-1] for value in some] for name, some in params.items()}
    text = "net[" + ",".join(f"{name}={'|'.join(some)}" for name, some in one.items()) + "]"
    keys = alternatives(text)
    assert len(keys) == math.prod(len(some) for some in one.values())
    read = [parse_key(key)[1] for key in keys]
    assert len({repr(each) for each in read}) == len({*keys})
    for name in params:
        assert {repr(each[name]) for each in read} == {repr(parse_key(f"x[v={v}]")[1]["v"]) for v in one[name]}
