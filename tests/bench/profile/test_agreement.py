"""Two profiles agree where their intervals overlap, block by block; one in ten may lie apart."""

import pytest

from bench.profile.agreement import Agreement, agreement
from bench.profile.interval import Interval
from bench.profile.profile import Profile, profile


@pytest.fixture(scope="module")
def one(make) -> Profile:
    trainee = make()
    trainee.ledger.seconds = 0.0  # windows of a single step
    found, _ = profile(trainee, seconds=0.0, sittings=1)
    return found


def above(interval: Interval) -> Interval:
    """An interval that begins where the other has ended."""
    return Interval(value=interval.high + 2, low=interval.high + 1, high=interval.high + 3)


def slowed(one: Profile, *names: str) -> Profile:
    """The same profile, but for some blocks that took longer for certain."""
    blocks = [
        block.model_copy(update={"median_ms": above(block.median_ms)}) if block.name in names else block
        for block in one.blocks
    ]
    return one.model_copy(update={"blocks": tuple(blocks)})


def names(one: Profile) -> list[str]:
    return [block.name for block in one.blocks]


def test_a_profile_agrees_with_itself(one: Profile) -> None:
    found = agreement(one, one.model_copy())
    assert found == Agreement(blocks=len(one.blocks) + 1, apart=())
    assert found.share == 1
    assert found.sentence() == (
        f"twice: {found.blocks} of {found.blocks} blocks within their intervals; the two profiles agree"
    )


def test_a_block_that_lies_apart_is_named(one: Profile) -> None:
    found = agreement(one, slowed(one, "forward/down0", "unattributed"))
    assert found.apart == ("forward/down0", "unattributed")
    assert found.share == pytest.approx(1 - 2 / (len(one.blocks) + 1))
    assert found.sentence().endswith("apart: forward/down0, unattributed")


def test_who_is_slower_does_not_matter(one: Profile) -> None:
    other = slowed(one, "optimizer")
    assert agreement(one, other) == agreement(other, one)


def test_the_whole_step_counts(one: Profile) -> None:
    other = one.model_copy(update={"step_ms": above(one.step_ms)})
    assert agreement(one, other).apart == ("step",)


def test_intervals_that_reach_each_other_agree(one: Profile) -> None:
    wider = one.step_ms.model_copy(update={"low": one.step_ms.high})
    assert agreement(one, one.model_copy(update={"step_ms": wider})).apart == ()


def test_one_in_ten_may_lie_apart(one: Profile) -> None:
    allowed = (len(one.blocks) + 1) // 10
    assert allowed, "a model with blocks enough"
    assert "the two profiles agree; apart" in agreement(one, slowed(one, *names(one)[:allowed])).sentence()
    too_many = agreement(one, slowed(one, *names(one)[: allowed + 1]))
    assert "do not agree: measure longer" in too_many.sentence()


def test_blocks_of_one_alone_are_not_compared(one: Profile) -> None:
    other = one.model_copy(update={"blocks": one.blocks[2:]})
    assert agreement(one, other) == agreement(other, one) == Agreement(blocks=len(one.blocks) - 1, apart=())
