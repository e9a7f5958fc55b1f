"""What binds: found where it was planted, and the advice's gain is there when it is followed."""

import time
from itertools import repeat

import pytest

from bench.profile.bottleneck import bottleneck, fixed_share, judge


@pytest.mark.parametrize("images", [0.5, 2.0])
def test_fixed_share_of_a_line(images: float) -> None:
    def seconds(count: float) -> float:
        return 3.0 + 7.0 * count

    assert fixed_share(seconds(images) / seconds(1.0), images) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("waits", "fixed", "tier", "precision", "kind", "gain"),
    [
        (0.5, 0.1, "live", "float32", "input", 2.0),
        (0.5, 0.9, "resident", "float32", "input", None),
        (0.02, 0.5, "live", "bfloat16", "launch", 2 / 1.5),
        (0.02, 0.1, "resident", "float32", "compute", None),
        (-0.05, -0.1, "resident", "bfloat16", "compute", None),
    ],
)
def test_verdicts(waits, fixed, tier, precision, kind, gain) -> None:
    found, advice, predicted = judge(waits, fixed, tier, precision)
    assert found == kind
    assert advice
    assert predicted == (None if gain is None else pytest.approx(gain))


def test_a_slow_loader_is_found_and_the_cure_gives_what_was_predicted(make) -> None:
    one = make(batch=2, size=16)
    one.ledger.seconds = 0.0
    quick = one.batches

    def slow():
        for item in quick:
            time.sleep(0.05)
            yield item

    one.batches, one.loader.tier = slow(), "live"
    found = bottleneck(one, seconds=0.0)
    assert found.kind == "input"
    assert found.loading_ms >= 50
    assert "input-bound" in found.sentence()
    before = one.window()
    after = min(one.window(batches=repeat(next(quick))) for _ in range(3))
    assert before / after - 1 >= 0.5 * (found.gain - 1)


def test_fixed_costs_are_found(make) -> None:
    one = make(batch=2, size=16)
    one.ledger.seconds = 0.0
    one.model.register_forward_hook(lambda *_: time.sleep(0.05))
    found = bottleneck(one, seconds=0.0)
    assert found.kind == "launch"
    assert found.other_batch == 4
    assert found.gain > 1.3
