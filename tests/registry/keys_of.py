"""Keys with parameters drawn from what a registry says they may be, for tests that hold for all of them."""

from __future__ import annotations

import inspect
import math
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from registry.ranges import Range
from registry.registry import Entry, Registry, format_key


def is_number(entry: Entry[Any], parameter: str) -> bool:
    """Whether a parameter takes numbers."""
    hint = entry.type_of(parameter)
    return bool({int, float} & {hint, *get_args(hint)})


def without_range(registry: Registry[Any]) -> list[str]:
    """Every parameter of an entry that takes numbers and does not say which."""
    entries = [registry.get(name) for name in registry.names()]
    return [f"{e.name}[{p}]" for e in entries for p in e.parameters if is_number(e, p) and p not in e.ranges]


def outside(allowed: Range, whole: bool) -> list[float]:
    """Numbers just outside a range, and far outside."""
    step = 2 if allowed.odd else 1
    found: list[float] = [10**400] if whole else [math.inf]
    if allowed.low > -math.inf:
        found += [allowed.low if allowed.low_open else allowed.low - step, -1e30 if not whole else -(10**30)]
    if allowed.high < math.inf:
        found += [allowed.high if allowed.high_open else allowed.high + step, 1e30 if not whole else 10**30]
    if allowed.odd:
        found.append(allowed.low + 1)
    return [int(value) if whole else value for value in found]


def inside(allowed: Range, whole: bool, most: float) -> st.SearchStrategy[Any]:
    """Numbers of a range up to ``most``, its ends among them, small ones as often as large ones."""
    low, high = max(allowed.low, -1e6), min(allowed.high, most)
    if whole:
        values = st.integers(int(low), int(high)).filter(lambda value: value in allowed)
        return values | st.sampled_from([v for v in (int(low), int(high)) if v in allowed])
    ends = [v for v in (low, high, low + 1e-6, high - 1e-6, low + 1e-3) if v in allowed]
    powers = st.floats(-6, 6).map(lambda exponent: low + 10**exponent).filter(lambda value: value in allowed)
    return st.sampled_from(ends) | powers | st.floats(low, high).filter(lambda value: value in allowed)


@st.composite
def keys(draw: st.DrawFn, entry: Entry[Any], most: dict[str, float] | None = None) -> str:
    """A key of an entry with some of its parameters set to legal values; ``most`` lowers a range's end."""
    params: dict[str, Any] = {}
    for name, default in entry.parameters.items():
        if default is not inspect.Parameter.empty and draw(st.booleans()):
            continue
        hint = entry.type_of(name)
        if get_origin(hint) is Literal:
            params[name] = draw(st.sampled_from(get_args(hint)))
        elif hint is bool:
            params[name] = draw(st.booleans())
        elif is_number(entry, name):
            assert name in entry.ranges, (
                f"{entry.name} has no range for {name}: name it in ranges={{...}} of its register()"
            )
            whole = float not in (get_args(hint) if get_origin(hint) is Union else (hint,))
            params[name] = draw(inside(entry.ranges[name], whole, (most or {}).get(name, math.inf)))
    return format_key(entry.name, params)
