"""This project against what people use elsewhere: ratios, measured in turns (A B B A) in one process, and printed.

Nothing here fails for being slow: a ratio is read beside what was wanted of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch

from bench.core.machine import pick_device, pick_precision
from bench.core.protocol import find_protocol
from bench.data.augment.pipeline import Augmentation
from bench.data.loading.batch import Batch
from bench.data.loading.loader import Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.sources import open_source
from bench.data.stored.source import Stored
from bench.devtools.overhead import measure, short_protocol
from bench.profile.training import StepRunner
from bench.profile.windows.rounds import TimedWindow
from bench.timing.summary import block_times
from bench.train.assemble import make_run
from tests.benchmarks.conftest import SIZE
from tests.benchmarks.photographs import photographs
from tests.benchmarks.quartet_files import WRITTEN, QuartetFiles, batches, data_loader, quartet_of, write
from tests.benchmarks.ratios import Say, compare, fastest

pytestmark = pytest.mark.ratio

COUNT = 64
SERVED, TRAINED = 32, 8

DEVICE = pick_device()
"""Both sides compute there."""


def wait() -> None:
    """Until the device has done what it was given."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize(DEVICE)


@pytest.fixture(scope="module")
def source() -> Source:
    return open_source("synthetic", camera="still").to(
        DEVICE
    )  # noise would make the peer's files longer than photographs are


@pytest.fixture(scope="module")
def files(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quartets")
    write(folder, source, COUNT)
    return folder


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("tier", ["resident", "streamed"])
def test_serving(benchmark, say: Say, source: Source, files: Path, tmp_path: Path, tier: str, written: str) -> None:
    """Quartets a second handed out, against `DataLoader` with Pillow."""
    peers = WRITTEN[written](files, COUNT, SIZE)
    budget = 2**30 if tier == "resident" else 0
    loader = Loader(source, "train", COUNT, SIZE, SERVED, budget, packed_files=PackedFiles(tmp_path))
    assert loader.tier == tier
    same(loader, peers)
    passes = 100

    def ours() -> float:
        began = time.perf_counter()
        served = sum(len(batch.arrive()) for epoch in range(passes) for batch in loader.epoch(0, epoch))
        wait()
        return (time.perf_counter() - began) / served

    def reading(workers: int) -> TimedWindow:
        reader = data_loader(peers, SERVED, workers)

        def read() -> float:
            began = time.perf_counter()
            served = sum(len(batch.arrive()) for batch in batches(reader, DEVICE))
            wait()
            return (time.perf_counter() - began) / served

        return read

    workers, peer = fastest(reading)
    what = f"quartets served, {tier}, over DataLoader + Pillow ({written}, {workers} workers)"
    compare(benchmark, say, what, "20 from the packed store", ours, peer)


def same(loader: Loader, peers: QuartetFiles) -> None:
    """The peer's quartets are ours, but for what JPEG and two ways of shrinking make of them."""
    mine = next(iter(loader.in_order())).arrive()
    images = torch.stack([peers[i][0] for i in range(len(mine))])
    for (name, x), (_, y) in zip(mine.tensors(), quartet_of(images.to(DEVICE)).tensors(), strict=True):
        assert (x - y).abs().mean() < 0.05, name


def learner(source: Source, batch: int = TRAINED) -> StepRunner:
    """unet in what this machine computes in natively."""
    protocol = find_protocol("quick").override(batch=batch)
    run = make_run("unet", "bce_ssim", protocol, source.describe(), precision=pick_precision(DEVICE))
    return StepRunner(run, source, DEVICE)


def stored(files: Path) -> Source:
    """The peer's files as a stored set."""
    names = " ".join(f"{field}={{id}}_{field}.jpg" for field in ("bg", "bg_fg", "mask", "depth"))
    return Stored(files, files=names, split="shared", depth_unit="8bit", packed=None).to(DEVICE)


def training(runner: StepRunner, epoch: Callable[[], Iterable[Batch]]) -> TimedWindow:
    """Trains for an epoch a window; seconds an image."""

    def train() -> float:
        began = time.perf_counter()
        for batch in epoch():
            runner.step(1, batch)
        wait()
        return (time.perf_counter() - began) / COUNT

    return train


@pytest.mark.parametrize("written", WRITTEN)
def test_training(benchmark, say: Say, source: Source, files: Path, all_cores: None, written: str) -> None:
    """Images a second of the same step, fed by our loader and by `DataLoader` with Pillow."""
    runner, peers = learner(source), WRITTEN[written](files, COUNT, SIZE)
    loader = Loader(stored(files), "train", COUNT, SIZE, TRAINED, 2**30)

    def reading(workers: int) -> TimedWindow:
        reader = data_loader(peers, TRAINED, workers)
        return training(runner, lambda: batches(reader, DEVICE))

    workers, peer = fastest(reading)
    what = f"images trained, unet, over DataLoader + Pillow ({written}, {workers} workers)"
    compare(benchmark, say, what, "1.15 on two cores", training(runner, lambda: loader.epoch(0, 1)), peer)


def test_training_over_lightning(benchmark, say: Say, source: Source, files: Path, all_cores: None) -> None:
    """Images a second of our step, and of Lightning's with the same network, recipe, optimizer and files."""
    lightning = pytest.importorskip("lightning")
    runner, other, peers = learner(source), learner(source), WRITTEN["usual"](files, COUNT, SIZE)
    loader = Loader(stored(files), "train", COUNT, SIZE, TRAINED, 2**30)
    augmentation = Augmentation(other.spec.protocol.augmentation, 0, COUNT)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.objective = other.model, other.objective
            self.ends: list[float] = []

        def training_step(self, batch, _):
            images, ids = batch
            quartet = augmentation(quartet_of(images), 1, ids)
            return self.objective(self.model(quartet.bg, quartet.bg_fg), quartet).total

        def configure_optimizers(self):
            return other.optimizer

        def on_train_epoch_end(self) -> None:
            wait()
            self.ends = [*self.ends[-1:], time.perf_counter()]

    def reading(workers: int) -> TimedWindow:
        reader, module = data_loader(peers, TRAINED, workers), Module()

        def fit() -> float:
            trainer = lightning.Trainer(
                accelerator="gpu" if DEVICE.type == "cuda" else "cpu",
                devices=1,
                precision="bf16-mixed" if other.spec.precision == "bfloat16" else "32-true",
                max_epochs=2,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(module, reader)
            return (module.ends[1] - module.ends[0]) / COUNT  # the second epoch: starting is not held against it

        return fit

    workers, peer = fastest(reading)
    what = f"images trained, unet, over Lightning + DataLoader + Pillow ({workers} workers)"
    compare(benchmark, say, what, "1.15 on two cores", training(runner, lambda: loader.epoch(0, 1)), peer, 30.0)


@pytest.mark.parametrize(
    ("kind", "camera", "cores", "wanted"),
    [("synthetic", "handheld", 1, 500), ("composed", "handheld", 2, 3000), ("composed", "still", 2, 3000)],
    ids=["synthetic-handheld", "composed-handheld", "composed-still"],
)
def test_rendering(benchmark, say: Say, tmp_path: Path, kind: str, camera: str, cores: int, wanted: int) -> None:
    """Quartets a second made from nothing, as a live loader makes them."""
    made = open_source(kind, camera=camera, **(photographs(tmp_path) if kind == "composed" else {})).to(DEVICE)
    torch.set_num_threads(cores)
    ids = torch.arange(64)

    def render() -> None:
        made.render("train", ids, SIZE)
        wait()

    render()
    benchmark(render)
    if benchmark.stats is not None:
        rate = len(ids) / benchmark.stats.stats.median
        benchmark.extra_info["a_second"] = rate
        say(f"{kind}, {camera}, {cores} thread(s): {rate:,.0f} quartets rendered a second; wanted: {wanted:,}")


def test_the_whole_loop_over_a_bare_one(benchmark, say: Say, all_cores: None) -> None:
    """Images a second of `bench run` with everything on, over the barest loop on tensors in memory; one round."""
    (ratio,) = benchmark.pedantic(measure, args=("unet", "bce_ssim", 1, "auto", short_protocol(1024)))
    benchmark.extra_info["ratio"] = ratio.run
    say(f"images trained by the whole loop over a bare one, unet: {ratio.run:.3f}; wanted: 0.97")


@pytest.mark.parametrize("batch", [8, 32])
def test_waiting_for_streamed_data(benchmark, say: Say, source: Source, tmp_path: Path, batch: int) -> None:
    """Share of a training step spent waiting for the next batch of a packed file."""
    runner = learner(source, batch)
    loader = Loader(source, "train", 8 * batch, SIZE, batch, 0, packed_files=PackedFiles(tmp_path))
    assert loader.tier == "streamed"
    stream = ((1, ready) for _ in range(1000) for ready in loader.epoch(0, 1))
    runner.window(batches=stream)
    runner.ledger.seconds = 2.0
    benchmark.pedantic(runner.window, kwargs={"instrumented": True, "batches": stream})
    times, _ = block_times([runner.ledger.windows[-1]])
    benchmark.extra_info["data_wait"] = times["data_wait"].share
    say(f"data_wait, streamed, unet, batch {batch}: {times['data_wait'].share:.2%} of the step; wanted: under 1 %")
