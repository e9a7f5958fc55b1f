"""Stored quartets against `DataLoader` with Pillow on the same files: packing, and serving what is packed."""

from __future__ import annotations

import io
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.data.loading.loader import Loader
from bench.data.stored.source import Stored
from bench.data.synthetic.source import Synthetic
from bench.profile.windows.rounds import TimedWindow
from tests.benchmarks.conftest import SIZE
from tests.benchmarks.quartet_files import PIXELS, WRITTEN, QuartetFiles, batches, data_loader
from tests.benchmarks.ratios import Say, compare, fastest

pytestmark = pytest.mark.ratio

BACKGROUNDS = 8
PACKED, SERVED = 10_000, 1_024
"""Quartets of either benchmark: opening a set costs as much for few as for many."""
FILES = "bg={bg}_bg.jpg bg_fg={bg}_{fg}_bg_fg.jpg mask={bg}_{fg}_mask.jpg depth={bg}_{fg}_depth.jpg"


@pytest.fixture(autouse=True)
def all_sets_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stored, "worth_packing", 1)


def write(folder: Path, count: int) -> Path:
    """Every object on every background, as published sets have it: JPEG of 224 px, quality 90."""
    rooms = Synthetic(camera="still")
    grounds = rooms.render("train", torch.arange(BACKGROUNDS), PIXELS).bg
    for g, ground in enumerate(grounds):
        (folder / f"{g:03}_bg.jpg").write_bytes(jpeg(ground))
    for objects in torch.arange(count // BACKGROUNDS).split(64):
        shown = rooms.render("train", objects, PIXELS)
        for o, bg_fg, mask, depth in zip(objects.tolist(), shown.bg_fg, shown.mask, shown.depth, strict=True):
            targets = {"mask": jpeg(mask), "depth": jpeg(depth)}
            for g, ground in enumerate(grounds):
                composite = jpeg(ground * (1 - mask) + bg_fg * mask)
                for name, content in {"bg_fg": composite, **targets}.items():
                    (folder / f"{g:03}_{o:03}_{name}.jpg").write_bytes(content)
    return folder


def jpeg(image: torch.Tensor) -> bytes:
    pixels = (image * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0]).save(made := io.BytesIO(), "JPEG", quality=90)
    return made.getvalue()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("many"), PACKED)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("stored"), SERVED)


class Composites(QuartetFiles):
    """Quartets of a few backgrounds, which share their files."""

    def _open(self, i: int, name: str) -> Image.Image:
        o, g = divmod(i, BACKGROUNDS)
        return Image.open(self.folder / (f"{g:03}_bg.jpg" if name == "bg" else f"{g:03}_{o:03}_{name}.jpg"))


def reading(files: Path, count: int, written: str, batch: int = 32):
    """A pass of the peer over all files, by workers; seconds a quartet."""
    peers = type("Peers", (Composites, WRITTEN[written]), {})(files, count, SIZE)

    def with_workers(workers: int) -> TimedWindow:
        reader = data_loader(peers, batch, workers)

        def read() -> float:
            began = time.perf_counter()
            served = sum(len(ready.arrive()) for ready in batches(reader, torch.device("cpu")))
            return (time.perf_counter() - began) / served

        return read

    return with_workers


def opened(files: Path, packed: Path | None) -> Stored:
    return Stored(files, files=FILES, split="shared", depth_unit="8bit", packed=packed)


@pytest.mark.parametrize("written", WRITTEN)
def test_packing(benchmark, say: Say, many: Path, tmp_path: Path, all_cores: None, written: str) -> None:
    """Quartets a second from pointing at JPEG files to a pack of 64 px, against a pass of `DataLoader` with Pillow."""

    def ours() -> float:
        shutil.rmtree(tmp_path / "packed", ignore_errors=True)
        began = time.perf_counter()
        assert opened(many, tmp_path / "packed").pack(SIZE).is_complete
        return (time.perf_counter() - began) / PACKED

    peer = reading(many, PACKED, written)(workers := os.cpu_count() or 1)
    peer()
    what = f"{PACKED:,} quartets packed, over one pass of DataLoader + Pillow ({written}, {workers} workers)"
    compare(benchmark, say, what, "2 with the same cores", ours, peer)


@pytest.mark.parametrize("written", WRITTEN)
def test_serving(benchmark, say: Say, files: Path, tmp_path: Path, written: str) -> None:
    """Quartets a second handed out once they are packed, against `DataLoader` with Pillow."""
    source = opened(files, tmp_path / "packed")
    source.pack(SIZE)
    loader = Loader(source, "train", source.count("train"), SIZE, 32, 2**30)
    assert loader.tier == "resident"
    passes = 20

    def ours() -> float:
        began = time.perf_counter()
        served = sum(len(batch.arrive()) for epoch in range(passes) for batch in loader.epoch(0, epoch))
        return (time.perf_counter() - began) / served

    workers, peer = fastest(reading(files, SERVED, written), (0, os.cpu_count() or 1))
    what = f"stored quartets served, over DataLoader + Pillow ({written}, {workers} workers)"
    compare(benchmark, say, what, "20", ours, peer)


def test_rows_of_a_pack_are_what_the_files_hold(files: Path, tmp_path: Path) -> None:
    """Faster, and the same: within what decoding JPEG at half size changes."""
    source = opened(files, None)
    quartet = source.render("train", torch.arange(8), SIZE)
    for i, row in enumerate(source.rows("train", torch.arange(8))):
        name = source.catalogue.entries[row].image.name
        whole = np.asarray(Image.open(files / name).resize((SIZE, SIZE), Image.Resampling.BILINEAR)) / 255
        assert np.abs(quartet.bg_fg[i].permute(1, 2, 0).numpy() - whole).mean() < 0.02
    assert quartet.bg_fg.shape == (8, 3, SIZE, SIZE)
