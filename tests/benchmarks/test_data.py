"""Sources, cameras, augmentation, and the loader's three tiers."""

from pathlib import Path

import pytest
import torch

from bench.data.augment.pipeline import augment
from bench.data.loading.loader import Loader
from bench.data.loading.packed_files import PackedFiles
from bench.data.source import Source
from bench.data.sources import open_source
from tests.benchmarks.conftest import SIZE
from tests.benchmarks.photographs import photographs

IDS = torch.arange(32)


@pytest.fixture(scope="module", params=["synthetic", "composed"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    files = photographs(tmp_path_factory.mktemp("photographs")) if request.param == "composed" else {}
    return open_source(request.param, **files)


def test_render_32(benchmark, source: Source) -> None:
    benchmark(source.render, "train", IDS, SIZE)


def test_render_32_without_camera(benchmark, source: Source) -> None:
    benchmark(source.scenes, "train", IDS, SIZE)


@pytest.mark.parametrize("level", ["flip", "standard"])
def test_augment_32(benchmark, level: str) -> None:
    quartet = open_source("synthetic").render("train", IDS, SIZE)
    benchmark(augment, quartet, 0, 1, IDS, level)


@pytest.mark.parametrize("tier", ["resident", "streamed", "live"])
def test_epoch_of_128(benchmark, tmp_path: Path, tier: str) -> None:
    budget, packed_files = 2**30 if tier == "resident" else 0, None if tier == "live" else PackedFiles(tmp_path)
    loader = Loader(open_source("synthetic"), "train", 128, SIZE, 16, budget, packed_files=packed_files)
    assert loader.tier == tier
    benchmark(lambda: sum(len(batch.arrive()) for batch in loader.epoch(0, 1)))
