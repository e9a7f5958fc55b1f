"""Prediction of many pictures: reading, network and writing at once, against the slowest of them alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from bench.data.synthetic.source import Synthetic
from bench.report.pictures.prediction_files import DepthScale, PredictionFiles
from bench.run.predict.picture_files import PictureFile
from bench.run.predict.prediction import (
    THREADS,
    Predicted,
    map_ahead,
    predict_files,
    predict_picture,
    read_picture,
)
from bench.run.trained import trained_run
from tests.bench.run.trained_model import make
from tests.benchmarks.quartet_files import PIXELS, write
from tests.benchmarks.test_ratios import Say, compare

pytestmark = pytest.mark.ratio

COUNT = 48


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a line that is seen whatever is captured."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return line


def test_predicting(benchmark, say: Say, tmp_path: Path) -> None:
    """Pictures a second, over the slowest of its three parts alone: a network on one core of two, 224 px."""
    source = Synthetic(camera="still")
    record = make(tmp_path, source, model="unet[width=16]")
    run = trained_run(tmp_path / "results", tmp_path / "runs", record.id, torch.device("cpu"))
    (tmp_path / "in").mkdir()
    write(tmp_path / "in", source, COUNT)
    pictures = [
        PictureFile(f"{i:04}", tmp_path / f"in/{i:04}_bg_fg.jpg", tmp_path / f"in/{i:04}_bg.jpg") for i in range(COUNT)
    ]
    (tmp_path / "out").mkdir()
    files = PredictionFiles(tmp_path / "out", DepthScale.of(source.encoding))
    made: list[Predicted] = []
    assert not predict_files(run, pictures, made.append)
    assert made[0].photograph.shape == (PIXELS, PIXELS, 3)

    def timed(work: Callable[[], object]) -> Callable[[], float]:
        def window() -> float:
            began = time.perf_counter()
            work()
            return (time.perf_counter() - began) / COUNT

        return window

    images = [read_picture(picture) for picture in pictures]

    def network() -> None:
        for picture, (bg, bg_fg) in zip(pictures, images, strict=True):
            predict_picture(run, picture.name, bg, bg_fg)

    def write_all() -> None:
        with ThreadPoolExecutor(THREADS) as writers:
            list(writers.map(files, made))

    parts = {
        "reading": timed(lambda: list(map_ahead(read_picture, pictures))),
        "network": timed(network),
        "writing": timed(write_all),
    }
    slowest = max(parts, key=lambda name: parts[name]())
    what = f"pictures predicted, over {slowest} alone"
    compare(
        benchmark,
        say,
        what,
        "0.9 on two free cores",
        timed(lambda: predict_files(run, pictures, files)),
        parts[slowest],
    )
    assert len(list((tmp_path / "out").iterdir())) == 3 * COUNT
