"""The race between precisions and memory formats."""

import itertools
from collections.abc import Iterator

import pytest
import torch

from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.run.fastest import race, rates_of
from tests.bench.progress_log import Told
from tests.bench.rectangles import Rectangles
from tests.bench.run.test_choice import ALL, HALF, HALF_TURNED, PLAIN

CPU = torch.device("cpu")
TINY = find_protocol("quick").override(size=16, batch=2, train_samples=32)


def ticking(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_the_race_takes_medians_after_a_warm_up_and_drops_the_hopeless() -> None:
    fast, near = ticking(9, 1, 5, 1, 1, 2), ticking(9, 1.2, 1.2, 1.1, 1.1, 1.1)
    slow = ticking(0.1, 1.3, 1.4)  # asked for a third window, it would raise StopIteration
    runners = {HALF: fast, HALF_TURNED: near, PLAIN: slow}
    found = race({one: lambda times=times: next(times) for one, times in runners.items()})
    assert found == {HALF: 1, HALF_TURNED: 1.1, PLAIN: 1.3}


def test_what_cannot_be_trained_is_out_of_the_race() -> None:
    def fails() -> float:
        raise RuntimeError("not implemented for 'BFloat16'")

    assert race({PLAIN: lambda: 1.0, HALF: fails}) == {PLAIN: 1.0}
    assert race({HALF: fails}) == {}


def test_rates_of_a_real_model_leave_out_what_it_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = RunSpec(model="unet[width=4]", recipe="mask: bce", protocol=TINY, data=Rectangles().describe())
    monkeypatch.setattr("bench.timing.ledger.time.perf_counter", itertools.count(step=0.1).__next__)
    told = Told()
    rates = rates_of(spec, ALL, Rectangles(), CPU, told)
    assert told.words[-1] == "unet[width=4] in each, in turn"
    assert list(rates) == ALL
    assert all(rate > 0 for rate in rates.values())
    assert rates_of(spec.model_copy(update={"model": "constant"}), ALL, Rectangles(), CPU) == {}


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_rates_on_a_gpu() -> None:
    spec = RunSpec(model="unet[width=4]", recipe="mask: bce", protocol=TINY, data=Rectangles().describe())
    before = torch.cuda.memory_allocated()
    assert list(rates_of(spec, ALL, Rectangles(), torch.device("cuda"))) == ALL
    assert torch.cuda.memory_allocated() <= before + 2**24
