"""A profile with its bottleneck and the batch that fits: each is kept before the next is begun."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.core.errors import BenchError
from bench.profile.profile import Profile
from bench.profile.training import StepRunner
from bench.profile.whole_profile import whole_profile
from tests.bench.rectangles import Rectangles


def test_what_was_measured_is_kept_before_what_follows(make: Callable[..., StepRunner]) -> None:
    kept: list[Profile] = []
    with pytest.raises(BenchError, match="too few"):
        whole_profile(make(), Rectangles(), 0, bottleneck=True, memory_budget=1, keep=kept.append)
    assert [(found.bottleneck is None, found.fit) for found in kept] == [(True, None), (False, None)]


def test_nothing_is_added_that_was_not_asked_for(make: Callable[..., StepRunner]) -> None:
    kept: list[Profile] = []
    found, intervals = whole_profile(make(), Rectangles(), 0, keep=kept.append)
    assert kept == [found]
    assert (found.bottleneck, found.fit) == (None, None)
    assert intervals
