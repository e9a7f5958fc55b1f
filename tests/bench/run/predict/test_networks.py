"""`Networks`: who has one when, with how many threads."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bench.data.loading.ahead import prefetch
from bench.run.predict.networks import Networks
from bench.run.trained import TrainedRun, trained_run
from registry.contract import Prediction, Quartet
from tests.bench.rectangles import Rectangles
from tests.bench.run.trained_model import make

THREADS = 3
SMALL, MIDDLING, LARGE = 64, 2 * 2**18, 10 * 2**18


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    usual = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(usual)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("made")
    return trained_run(folder / "results", folder / "runs", make(folder, Rectangles()).id, torch.device("cpu"))


def test_as_many_small_pictures_at_once_as_threads(run: TrainedRun) -> None:
    networks = Networks(run)
    together = threading.Barrier(THREADS, timeout=60)

    def work(_: int) -> int:
        with networks.borrow(SMALL):
            together.wait()
            return torch.get_num_threads()

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(work, range(3 * THREADS))) == [1] * (3 * THREADS)


@pytest.mark.parametrize(("pixels", "threads"), [(SMALL, 1), (MIDDLING, 2), (LARGE, THREADS)])
def test_threads_by_size(run: TrainedRun, pixels: int, threads: int) -> None:
    networks = Networks(run)
    with networks.borrow(pixels):
        assert torch.get_num_threads() == threads
    networks.close()
    assert torch.get_num_threads() == THREADS


def test_a_large_picture_is_alone_and_is_not_passed_by(run: TrainedRun) -> None:
    networks = Networks(run)
    inside: set[int] = set()
    order: list[int] = []
    guard = threading.Lock()

    def work(pixels: int) -> None:
        with networks.borrow(pixels):
            with guard:
                inside.add(threading.get_ident())
                order.append(pixels)
                assert pixels != LARGE or len(inside) == 1
            run.predict(Quartet(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)))
            with guard:
                inside.remove(threading.get_ident())

    list(prefetch(work, [SMALL, SMALL, LARGE, *[SMALL] * 40], 50, 8))
    assert LARGE in order[:12], "small ones that came later went first"


def test_weights_are_shared_and_modules_are_not(run: TrainedRun) -> None:
    copy, _ = run.copies(2)
    assert copy.model is not run.model
    assert [id(tensor) for tensor in copy.model.parameters()] == [id(tensor) for tensor in run.model.parameters()]
    assert not {id(module) for module in copy.model.modules()} & {id(module) for module in run.model.modules()}


def test_state_of_a_forward_pass_is_not_shared(run: TrainedRun) -> None:
    """A buffer may hold something of the picture; weights do not."""
    (copy,) = run.copies(1)
    buffers = [{id(tensor) for tensor in one.model.buffers()} for one in (run, copy)]
    assert buffers[0] and not buffers[0] & buffers[1]
    assert all(map(torch.equal, run.model.buffers(), copy.model.buffers()))


class Remembering(nn.Module):
    """Keeps its input between two layers, as some published models do."""

    stride = 1
    held: Tensor

    def keep(self, value: Tensor) -> None:
        self.held = value

    def kept(self) -> Tensor:
        return self.held

    def forward(self, bg: Tensor | None, bg_fg: Tensor) -> Prediction:
        self.keep(bg_fg)
        threading.Event().wait(0.002)
        return Prediction(self.kept()[:, :1], self.kept()[:, 1:2])


class InBuffer(Remembering):
    """Keeps it in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("held", torch.zeros(1, 3, 8, 8))

    def keep(self, value: Tensor) -> None:
        self.held.copy_(value)


class InClosure(Remembering):
    """Keeps it where a hook can reach it, and every copy of the hook."""

    def __init__(self) -> None:
        super().__init__()
        features: dict[str, Tensor] = {}
        self.layer = nn.Identity()
        self.layer.register_forward_hook(lambda module, inputs, output: features.update(held=output))
        self.kept = lambda: features["held"]

    def keep(self, value: Tensor) -> None:
        self.layer(value)


class OfItsModule(Remembering):
    """Keeps it in a variable of its module."""

    def keep(self, value: Tensor) -> None:
        globals()["_held"] = value

    def kept(self) -> Tensor:
        return _held


class ItsOwnCopy(Remembering):
    """Cannot be copied, and does not say so."""

    def __deepcopy__(self, memo: object) -> "ItsOwnCopy":
        return self


_held = torch.zeros(1)


@pytest.mark.parametrize("kind", [Remembering, InBuffer, InClosure, OfItsModule, ItsOwnCopy])
def test_a_model_that_keeps_something_of_a_forward_pass(run: TrainedRun, kind: type[Remembering]) -> None:
    """In one network for all, or in copies that share it, pictures computed at once would be exchanged."""
    networks = Networks(replace(run, model=kind()))

    def work(value: float) -> float:
        picture = torch.full((1, 3, 8, 8), value)
        with networks.borrow(SMALL) as network:
            logits = network.predict(Quartet(picture, picture)).mask_logits
            assert logits is not None
            return logits.mean().item()

    values = [i / 64 for i in range(64)]
    assert list(prefetch(work, values, 8, 8)) == values


def test_a_known_model_with_a_hook_of_its_users(run: TrainedRun) -> None:
    model = deepcopy(run.model)
    seen: list[Tensor] = []
    next(model.children()).register_forward_hook(lambda module, inputs, output: seen.append(output))
    networks = Networks(replace(run, model=model))
    assert networks.count == 1
    with networks.borrow(SMALL):
        assert torch.get_num_threads() == THREADS
