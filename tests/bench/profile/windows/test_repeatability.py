"""Two profiles agree where their intervals overlap, block by block; one in ten may lie apart."""

import pytest

from bench.profile.profile import profile
from bench.profile.windows.interval import Interval
from bench.profile.windows.repeatability import Agreement, agreement

ONE = {f"block{i}": Interval(value=i + 1.0, low=i + 0.5, high=i + 1.5) for i in range(12)}


def slowed(*names: str) -> dict[str, Interval]:
    """The same, but for some blocks that took longer for certain."""
    above = {name: ONE[name].high + 1 for name in names}
    return ONE | {name: Interval(value=low + 1, low=low, high=low + 2) for name, low in above.items()}


def test_a_profile_agrees_with_itself() -> None:
    found = agreement(ONE, dict(ONE))
    assert found == Agreement(blocks=12, apart=())
    assert found.share == 1
    assert found.sentence() == "twice: 12 of 12 blocks within their intervals; the two profiles agree"


def test_a_block_that_lies_apart_is_named() -> None:
    found = agreement(ONE, slowed("block3", "block7"))
    assert found.apart == ("block3", "block7")
    assert found.share == pytest.approx(10 / 12)
    assert found.sentence().endswith("apart: block3, block7")


def test_who_is_slower_does_not_matter() -> None:
    assert agreement(ONE, slowed("block3")) == agreement(slowed("block3"), ONE)


def test_intervals_that_reach_each_other_agree() -> None:
    touching = ONE["block3"].model_copy(update={"low": ONE["block3"].high, "high": 99.0})
    assert agreement(ONE, ONE | {"block3": touching}).apart == ()


def test_one_in_ten_may_lie_apart() -> None:
    assert "the two profiles agree; apart" in agreement(ONE, slowed("block0")).sentence()
    assert "do not agree: measure longer" in agreement(ONE, slowed("block0", "block1")).sentence()


def test_blocks_of_one_alone_are_not_compared() -> None:
    fewer = {name: ONE[name] for name in [*ONE][2:]}
    assert agreement(ONE, fewer) == agreement(fewer, ONE) == Agreement(blocks=10, apart=())


def test_two_profiles_in_turn(make) -> None:
    runner = make()
    runner.ledger.seconds = 0.0  # windows of a single step
    found, _ = profile(runner, seconds=0.0, restarts=2, twice=True)
    assert found.restarts == 4
    assert found.agreement is not None
    assert found.agreement.blocks == len(found.blocks) + 1
