"""What binds: found where it was planted, and the advice's gain is there when it is followed."""

import time
from itertools import repeat

import pytest

from bench.profile import bottleneck as bottleneck_module
from bench.profile.bottleneck import bottleneck, fixed_share, judge
from tests.bench.progress_log import Told


@pytest.mark.parametrize("images", [0.5, 2.0])
def test_fixed_share_of_a_line(images: float) -> None:
    def seconds(count: float) -> float:
        return 3.0 + 7.0 * count

    assert fixed_share(seconds(images) / seconds(1.0), images) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("waits", "fixed", "tier", "faster", "kind", "words", "gain"),
    [
        (0.5, 0.1, "live", None, "input", "in memory", 2.0),
        (0.5, 0.2, "resident", None, "input", "--size 32", 1 / (0.2 + 0.2)),
        (0.02, 0.5, "live", 1.5, "launch", "batch", 2 / 1.5),
        (0.02, 0.1, "resident", 1.5, "compute", "bfloat16", 1.5),
        (0.02, 0.1, "resident", 0.9, "compute", "--size 32", 1 / (0.1 + 0.225)),
        (-0.05, -0.1, "resident", None, "compute", "--size 32", 4.0),
    ],
)
def test_verdicts(waits, fixed, tier, faster, kind, words, gain) -> None:
    found, advice, predicted = judge(waits, fixed, tier, 64, faster)
    assert found == kind
    assert words in advice
    assert predicted == pytest.approx(gain)


def test_a_slow_loader_is_found_and_the_cure_gives_what_was_predicted(make) -> None:
    runner = make(batch=2, size=16)
    runner.ledger.seconds = 0.0
    quick = runner.batches

    def slow():
        for item in quick:
            time.sleep(0.05)
            yield item

    runner.batches, runner.loader.tier = slow(), "live"
    progress = Told()
    found = bottleneck(runner, seconds=0.0, progress=progress)
    assert "loading only" in progress.words
    assert found.kind == "input"
    assert found.loading_ms >= 50
    assert "input-bound" in found.sentence()
    before = runner.window()
    after = min(runner.window(batches=repeat(next(quick))) for _ in range(3))
    assert before / after - 1 >= 0.5 * (found.gain - 1)


def test_fixed_costs_are_found_and_a_larger_batch_gives_what_was_predicted(make) -> None:
    def sleepy(batch: int):
        runner = make(batch=batch, size=16)
        runner.ledger.seconds = 0.0
        runner.model.register_forward_hook(lambda *_: time.sleep(0.05))
        return runner

    runner = sleepy(2)
    found = bottleneck(runner, seconds=0.0)
    assert found.kind == "launch"
    assert found.other_batch == 4
    assert found.gain > 1.3
    before, after = (min(side.window() for _ in range(3)) / side.batch for side in (runner, sleepy(4)))
    assert before / after - 1 >= 0.5 * (found.gain - 1)


def test_heavy_pixels_are_found_and_fewer_give_what_was_predicted(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bottleneck_module, "pick_precision", lambda _: "float32")

    def heavy(size: int):
        runner = make(batch=4, size=size)
        runner.ledger.seconds = 0.0
        runner.model.register_forward_hook(lambda _, images, __: time.sleep(4e-5 * images[0][:, 0].numel()))
        return runner

    runner = heavy(32)
    found = bottleneck(runner, seconds=0.0)
    assert found.kind == "compute"
    assert "--size 16" in found.advice
    before, after = (min(side.window() for _ in range(3)) for side in (runner, heavy(16)))
    assert before / after - 1 >= 0.5 * (found.gain - 1)
