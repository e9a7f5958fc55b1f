"""What keeps a step from being captured is what the step itself does."""

from __future__ import annotations

import _thread
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

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


@pytest.mark.parametrize(
    "ask",
    [lambda: torch._C._cuda_synchronize(), lambda: torch.cuda.Event.query(None), lambda: torch.cuda.Stream.query(None)],
)
def test_what_torchs_watch_is_silent_of_is_found(
    graph: CudaGraph, monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]
) -> None:
    """On a GPU `torch.cuda.synchronize` calls the first; each breaks a capture off."""
    monkeypatch.setattr(torch._C, "_cuda_synchronize", lambda: None, raising=False)
    for owner in (torch.cuda.Event, torch.cuda.Stream):
        monkeypatch.setattr(owner, "query", lambda _self: True)
    before = torch._C._cuda_synchronize, torch.cuda.Event.query, torch.cuda.Stream.query

    def asks() -> Tensor:
        ask()
        return torch.zeros(1)

    def asks_elsewhere() -> Tensor:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asks).result()

    assert graph.rehearse(asks)[1] == "it waits for the device"
    assert graph.rehearse(asks_elsewhere)[1] is None
    assert (torch._C._cuda_synchronize, torch.cuda.Event.query, torch.cuda.Stream.query) == before


class Allocator:
    """torch's allocator, streams and generator, which a capture alters, and up to 2.11 leaves so if it breaks off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends_itself: bool) -> None:
        self.stream = self.main = object()
        self.aside = object()
        self.recording: set[tuple[int, int]] = set()
        self.pools: set[tuple[int, int]] = set()
        self.capturing = False
        self.ends_itself = ends_itself
        generator = SimpleNamespace(clone_state=lambda: "idle", graphsafe_set_state=self.set_generator)
        for name, value in {
            "current_stream": lambda: self.stream,
            "set_stream": lambda stream: setattr(self, "stream", stream),
            "graph": self.graph,
            "default_generators": (generator,),
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", self.end, raising=False)
        monkeypatch.setattr(torch._C, "_cuda_releasePool", self.release, raising=False)

    @contextmanager
    def graph(self, _graph: object, pool: tuple[int, int], stream: object, capture_error_mode: str) -> Iterator[None]:
        before, self.stream, self.capturing = self.stream, stream, True
        self.recording.add(pool)
        self.pools.add(pool)
        yield
        if self.ends_itself:
            self.stream, self.capturing = before, False
            self.recording.remove(pool)
            self.pools.remove(pool)
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    def set_generator(self, _state: str) -> None:
        self.capturing = False

    def end(self, _device: int, pool: tuple[int, int]) -> None:
        if pool not in self.recording:
            raise RuntimeError("endAllocatePool: not currently recording to mempool_id")
        self.recording.remove(pool)

    def release(self, _device: int, pool: tuple[int, int]) -> None:
        self.pools.remove(pool)


@pytest.mark.parametrize("ends_itself", [False, True])
def test_a_capture_that_breaks_off_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, ends_itself: bool) -> None:
    """The allocator would never free again what another stream used, and no random number could be drawn."""
    allocator = Allocator(monkeypatch, ends_itself)
    made = CudaGraph.__new__(CudaGraph)
    made._stream, made._graph, made._device, made._pool = allocator.aside, object(), 0, (0, 7)
    with pytest.raises(RuntimeError, match="during capture"):
        made.capture(lambda: torch.zeros(1))
    assert allocator.stream is allocator.main
    assert not allocator.recording and not allocator.pools and not allocator.capturing


def test_where_torch_has_no_such_private_parts_the_cause_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Allocator(monkeypatch, ends_itself=True)
    monkeypatch.delattr(torch._C, "_cuda_endAllocateToPool")
    made = CudaGraph.__new__(CudaGraph)
    made._stream, made._graph, made._device, made._pool = object(), object(), 0, (0, 7)
    with pytest.raises(RuntimeError, match="during capture"):
        made.capture(lambda: torch.zeros(1))
