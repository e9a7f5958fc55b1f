"""What is made ahead: in order, not too far, and with an end."""

from __future__ import annotations

import time

import pytest
import torch

from bench.data.loading.ahead import OnStream, prefetch
from tests.bench.threads import Threads

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def settled(made: list[int], count: int) -> list[int]:
    """What was made once ``count`` are, or would have been by now."""
    until = time.monotonic() + 5
    while len(made) < count and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.01)
    return list(made)


def test_keeps_the_order_and_stays_so_many_ahead() -> None:
    made: list[int] = []
    results = prefetch(lambda x: made.append(x) or 2 * x, range(6), 2)  # type: ignore[func-returns-value]
    assert not made, "nothing is made before the first is needed"
    assert next(results) == 0
    assert settled(made, 3) == [0, 1, 2]
    assert list(results) == [2, 4, 6, 8, 10]
    assert made == list(range(6))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_it_may_be_ahead(count: int) -> None:
    assert list(prefetch(str, range(count), 2)) == [str(i) for i in range(count)]


def test_who_stops_early_leaves_no_thread() -> None:
    threads = Threads()
    results = prefetch(str, range(100), 2)
    next(results)
    assert [thread.name for thread in threads.begun()] == ["ahead_0"]
    results.close()
    assert not threads.begun()


def test_a_failure_comes_when_its_order_is_due() -> None:
    results = prefetch(lambda x: 1 // x, [1, 1, 0, 1], 2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.cuda
@needs_cuda
def test_copies_arrive_whole_and_timed() -> None:
    device = torch.device("cuda")
    stream = torch.cuda.Stream(device)
    sent = [torch.randint(0, 256, (64, 2**16), dtype=torch.uint8).pin_memory() for _ in range(8)]

    def copied(tensor: torch.Tensor) -> OnStream:
        return OnStream(lambda: [tensor.to(device, non_blocking=True)], stream)

    copies = [copied(tensor) for tensor in sent]
    arrived = [copy.arrive()[0].to(torch.int16) + 1 for copy in copies]
    torch.cuda.synchronize()
    for tensor, arrival, copy in zip(sent, arrived, copies, strict=True):
        assert torch.equal(arrival.cpu(), tensor.to(torch.int16) + 1)
        assert 0 < copy.milliseconds() < 1000
        assert not copy.tensors, "what only keeps the time keeps no memory"
