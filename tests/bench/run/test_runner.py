"""The runner: outcomes that are no success are recorded, and one run has one trainer."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from bench.core.code import code_version
from bench.core.errors import BenchError
from bench.core.protocol import find_protocol
from bench.core.spec import RunSpec
from bench.report.picture import prediction_picture
from bench.results import store
from bench.run.runner import Runner, _lock
from bench.train.compatibility import check_sizes
from registry.contract import Prediction, Quartet
from tests.bench.rectangles import Rectangles

CPU = torch.device("cpu")
SMALL = {"size": 32, "batch": 8, "epochs": 1, "train_samples": 16, "val_samples": 8, "test_samples": 8}


def spec(source: Rectangles, model: str = "unet[width=4]") -> RunSpec:
    protocol = find_protocol("quick").override(**SMALL)
    return RunSpec(model=model, recipe="mask: bce, depth: l1", protocol=protocol, data=source.describe())


def runner(folder: Path, source: Rectangles) -> Runner:
    return Runner(source, CPU, folder / "runs", folder / "results")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_short_memory_is_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def train(*_: object) -> None:
        raise error

    monkeypatch.setattr("bench.run.runner.train", train)
    record, path = runner(tmp_path, Rectangles()).run(spec(Rectangles()), "mine")
    assert record.outcome == "oom"
    assert record.peak_mib > 0
    assert list(store.read_all(tmp_path / "results")) == [(path.name, record)]


def test_other_errors_are_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bench.run.runner.train", train)
    with pytest.raises(RuntimeError, match="a bug"):
        runner(tmp_path, Rectangles()).run(spec(Rectangles()), "mine")


class NaNAtLast(nn.Module):
    """Sound while it trains and is validated, then NaN."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)
        self.passes = 0

    def forward(self, bg: torch.Tensor, bg_fg: torch.Tensor) -> Prediction:
        logits = self.conv(torch.cat([bg, bg_fg], 1))
        self.passes += not self.training
        return Prediction(logits[:, :1], logits[:, 1:] * (torch.nan if self.passes > 2 else 1.0))


def test_nan_predictions_are_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.models.models.build", lambda key: NaNAtLast())
    record, _ = runner(tmp_path, Rectangles()).run(spec(Rectangles(), "mine:NaNAtLast"), "mine")
    assert record.outcome == "diverged"
    assert record.test == {}


def test_one_run_has_one_trainer(tmp_path: Path) -> None:
    run_spec = spec(Rectangles())
    folder = tmp_path / "runs" / run_spec.id
    folder.mkdir(parents=True)
    with _lock(folder), pytest.raises(BenchError, match="another process"):
        runner(tmp_path, Rectangles()).run(run_spec, "mine")
    assert runner(tmp_path, Rectangles()).run(run_spec, "mine")[0].outcome == "finished"


@pytest.mark.parametrize(("recipe", "columns"), [("mask: bce, depth: l1", 6), ("mask: bce", 5), ("depth: l1", 5)])
def test_a_head_that_nothing_trains_is_not_drawn(tmp_path: Path, recipe: str, columns: int) -> None:
    run_spec = spec(Rectangles()).model_copy(update={"recipe": recipe})
    record, _ = runner(tmp_path, Rectangles()).run(run_spec, "mine")
    with Image.open(tmp_path / "runs" / record.id / "predictions.png") as picture:
        assert picture.width == 132 * columns + 4  # bg, bg_fg, mask, depth, and what was predicted


def test_a_picture_needs_no_known_depth() -> None:
    images, flat = torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    picture = prediction_picture(Quartet(images, images, flat, flat, flat), Prediction(flat, flat))
    assert picture.width > picture.height


def test_the_code_of_ones_own_model_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "my_own_net.py"
    path.write_text("x = 1\n")
    before = code_version("my_own_net:net", "mask: bce")
    assert before != code_version()
    code_version.cache_clear()
    path.write_text("x = 2\n")
    assert code_version("my_own_net:net", "mask: bce") != before
    assert code_version("unet", "mask: bce, depth: l1") == code_version()


def test_sizes_name_a_multiple() -> None:
    model = nn.Module()
    model.stride = 32
    protocol = find_protocol("standard")
    with pytest.raises(BenchError, match=r"multiples of 32, not 112 .* --size 192"):
        check_sizes(RunSpec(model="m", recipe="mask: bce", protocol=protocol, data={}), model)
