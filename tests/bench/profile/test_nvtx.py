"""NVTX ranges: by the ledger's names, in the order the blocks run, every one closed."""

from itertools import count

import pytest
import torch

from bench.profile.nvtx import Ranges
from bench.timing.work import blocks_of
from registry.models import models


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What NVTX was told; it is there in builds for CUDA only."""
    log: list[str] = []
    numbers, names = count(), {}

    def start(name: str) -> int:
        log.append(f"start {name}")
        number = next(numbers)
        names[number] = name
        return number

    monkeypatch.setattr(torch.cuda.nvtx, "range_push", lambda name: log.append(f"push {name}"))
    monkeypatch.setattr(torch.cuda.nvtx, "range_pop", lambda: log.append("pop"))
    monkeypatch.setattr(torch.cuda.nvtx, "range_start", start)
    monkeypatch.setattr(torch.cuda.nvtx, "range_end", lambda number: log.append(f"end {names.pop(number)}"))
    return log


def test_blocks_in_order_and_closed(log: list[str]) -> None:
    model = models.build("masknet")
    ranges = Ranges(model, blocks_of(model))
    images = torch.rand(1, 3, 32, 32)
    with ranges.attached():
        with ranges.forward():
            prediction = model(images, images)
        with ranges("loss/mask.mean"):
            loss = prediction.mask.value.mean()
        with ranges.backward():
            loss.backward()
    pushed = list(dict.fromkeys(line for line in log if line.startswith("push")))
    assert pushed == [
        f"push {name}"
        for name in ("forward", "forward/stems", "forward/first", "forward/second", "forward/head", "loss/mask.mean")
    ]
    assert log.count("pop") == sum(line.startswith("push") for line in log)
    started = [line.removeprefix("start ") for line in log if line.startswith("start")]
    assert list(dict.fromkeys(started)) == [
        "loss backward",
        *(f"backward/{name}" for name in ("head", "second", "first", "stems")),
    ]
    assert [line.removeprefix("end ") for line in log if line.startswith("end")] == started


def test_a_compiled_model_has_whole_passes(log: list[str]) -> None:
    ranges = Ranges(torch.nn.Identity(), {})
    with ranges.attached(), ranges.backward():
        pass
    assert log == ["start backward", "end backward"]
