"""Keys as text: every value has a canonical spelling that reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.registry import Registry, format_key, parse_key

NAMES = st.text("abcdefgh_/.:", min_size=1).filter(lambda text: text.strip() == text)
TEXTS = st.text("abcN01.,'\"=()[]\\ -", max_size=6)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.one_of(NUMBERS, st.booleans(), st.none(), TEXTS, st.tuples(st.integers(), st.integers()))


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("plain", "plain"),
        ("plain[width=2]", "plain"),
        ("plain[rate=0.25,big=TRUE,width=3]", "plain[big=true,rate=0.25,width=3]"),
        ("plain[rate=3e-3]", "plain[rate=0.003]"),
        ("plain[ rate = 0.0030 ]", "plain[rate=0.003]"),
        ("plain[rate=5e-1]", "plain"),
        ("plain[rate=1]", "plain[rate=1]"),
        ("plain[rate=1.0]", "plain[rate=1]"),
        ("plain[rate=1e20]", "plain[rate=1e+20]"),
        ("plain[mode='a, b']", "plain[mode='a, b']"),
        ("plain[mode='3']", "plain[mode='3']"),
        ("plain[mode='true']", "plain[mode='true']"),
        ("plain[big=false, mode='soft']", "plain"),
        ("other[mode=hard]", "plain[mode=hard]"),
    ],
)
def test_canonical_is_one_spelling(registry: Registry[Any], key: str, canonical: str) -> None:
    registry.alias("other", "plain")
    assert registry.canonical(key) == canonical
    assert registry.canonical(canonical) == canonical
    assert registry.build(key) == registry.build(canonical)


@settings(max_examples=200, deadline=None)
@given(name=NAMES, params=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), VALUES, max_size=4))
def test_parsing_undoes_formatting(name: str, params: dict[str, Any]) -> None:
    assert parse_key(format_key(name, params)) == (name, params)
