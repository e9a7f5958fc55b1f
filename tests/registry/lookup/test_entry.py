"""Entries: brackets to parameters, with names, types and choices checked."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from registry.errors import BadParameter
from registry.registry import Registry


def test_brackets_reach_the_builder(registry: Registry[Any]) -> None:
    assert registry.build("plain[width=8,big=true]") == (8, 0.5, True, "soft")
    assert registry.build(" plain[ mode = hard , rate = 1 ] ") == (2, 1, False, "hard")
    assert registry.build("plain[]") == registry.build("plain")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("plain[width", "cannot read 'plain"),
        ("plain]width=2[", "cannot read"),
        ("plain[width=2]x", "cannot read"),
        ("", "cannot read"),
        ("plain[width]", "write it as parameter=value"),
        ("plain[width=]", "write it as parameter=value"),
        ("plain[2=3]", "write it as parameter=value"),
        ("plain[width=2,width=3]", "given twice"),
        ("plain[depth=2]", r"takes no parameter 'depth' \(it takes: width, rate, big, mode\)"),
        ("plain[width=2.5]", "width must be of type int"),
        ("plain[width=true]", "width must be of type int"),
        ("plain[width=wide]", "width must be of type int .such as 2., not 'wide'"),
        ("plain[big=1]", "big must be of type bool"),
        ("plain[mode=3]", "mode must be of type str"),
        ("plain[rate=true]", "rate must be of type float"),
        ("plain[rate=1e999]", "rate must be finite"),
        ("plain[width=1" + 400 * "0" + "]", "width must be finite"),
        ("bare", "needs a value for size"),
    ],
)
def test_bad_brackets_say_what_is_wrong(registry: Registry[Any], key: str, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        registry.build(key)


def test_types_are_read_from_annotations(registry: Registry[Any]) -> None:
    @registry.register()
    def typed(
        weights: str | None = None, side: Literal["left", "right"] = "left", size: int | None = None, free=None
    ) -> Any:  # type: ignore[no-untyped-def]
        return weights, side, size, free

    assert registry.build("typed[weights=none,side=right,size=3,free=x]") == (None, "right", 3, "x")
    for key, words in (
        ("weights=3", "weights must be of type str or none, not 3"),
        ("side=up", "side is one of left, right, not 'up'"),
        ("size=2.5", "size must be of type int or none"),
    ):
        with pytest.raises(BadParameter, match=words):
            registry.resolve(f"typed[{key}]")


def test_a_builder_with_open_keywords_takes_any(registry: Registry[Any]) -> None:
    @registry.register()
    def open_ended(**options: Any) -> Any:
        return options

    assert registry.build("open_ended[depth=2,name=x]") == {"depth": 2, "name": "x"}
    assert registry.canonical("open_ended[name=x,depth=2]") == "open_ended[depth=2,name=x]"
