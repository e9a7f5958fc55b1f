"""What keeps a step from being captured is what the step itself does."""

from __future__ import annotations

import _thread
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from bench.data.loading.packed import pack, unpack
from bench.train.engines.cuda_graph import CudaGraph, refill
from tests.bench.rectangles import Rectangles

WAIT = "called a synchronizing CUDA operation (Triggered internally at a file)"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> CudaGraph:
    """A graph whose rehearsals run on a CPU, under a watch that warns as torch's does."""
    modes: list[str | int] = [0]

    def watch(mode: str | int) -> None:
        modes.append(mode)
        warnings.warn("Synchronization debug mode is a prototype feature", stacklevel=1)

    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: modes[-1])
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", watch)
    made = CudaGraph.__new__(CudaGraph)
    monkeypatch.setattr(made, "aside", lambda work: work(), raising=False)
    return made


def wait() -> Tensor:
    warnings.warn(WAIT, stacklevel=2)
    return torch.zeros(1)


def elsewhere() -> Tensor:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(wait).result()


def test_a_step_that_waits_is_found_each_time(graph: CudaGraph) -> None:
    for _ in range(2):  # a warning is not passed over because it was given before
        assert graph.rehearse(wait)[1] == "it waits for the device"
        assert torch.cuda.get_sync_debug_mode() == 0


def test_another_thread_may_wait_meanwhile(graph: CudaGraph) -> None:
    """As one does that renders ahead without kernels, and one that gathers for a user's source."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        result, why = graph.rehearse(elsewhere)
    assert why is None
    assert torch.equal(result, torch.zeros(1))
    assert shown == []


def test_a_backward_pass_that_waits_is_found(graph: CudaGraph) -> None:
    """Autograd runs it in a thread of its own, which Python knows nothing of."""

    def backward() -> Tensor:
        done = threading.Event()

        def run() -> None:
            wait()
            done.set()

        _thread.start_new_thread(run, ())
        assert done.wait(10)
        return torch.zeros(1)

    assert graph.rehearse(backward)[1] == "it waits for the device"


def test_other_warnings_are_shown(graph: CudaGraph) -> None:
    def warned() -> Tensor:
        warnings.warn("of a user's model", stacklevel=1)
        return torch.zeros(1)

    with pytest.warns(UserWarning, match="of a user's model") as shown:
        assert graph.rehearse(warned)[1] is None
    assert len(shown) == 1


def test_a_batch_is_copied_to_where_a_graph_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it by one operation: each costs the host a launch, in every step."""
    given = unpack(pack(Rectangles().render("train", torch.arange(3), 16)))
    recorded = given.map(torch.zeros_like)
    places = [tensor.data_ptr() for _, tensor in recorded.tensors()]
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        refill(recorded, given)
    assert [event.name for event in seen.events() if event.cpu_parent is None] == ["aten::_foreach_copy_"]
    assert [tensor.data_ptr() for _, tensor in recorded.tensors()] == places
    for (name, tensor), (_, expected) in zip(recorded.tensors(), given.tensors(), strict=True):
        assert torch.equal(tensor, expected), name
        assert tensor.stride() == expected.stride(), name
