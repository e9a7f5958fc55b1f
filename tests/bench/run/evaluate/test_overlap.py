"""An evaluation whose test shows what the run was trained on says so, with how many samples."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from bench.data.composed.source import Composed
from bench.data.source import Source
from bench.data.stored.source import Stored
from bench.data.synthetic.source import Synthetic
from bench.run import trained_on
from bench.run.evaluate.evaluation import Evaluator
from bench.run.evaluate.overlap import overlap
from bench.run.trained import TrainedRun, trained_run
from tests.bench.data.conftest import Pictures
from tests.bench.data.stored.conftest import Folder
from tests.bench.run.trained_model import make

CPU = torch.device("cpu")


def run_on(folder: Path, source: Source, **changes: object) -> TrainedRun:
    make(folder, source, **changes)
    return trained_run(folder / "results", folder / "runs", "unet[width=4]", CPU)


def said(run: TrainedRun, source: Source) -> str:
    return overlap(run, source, 4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Folder(tmp_path_factory.mktemp("data"), 6, 6).root


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return run_on(tmp_path_factory.mktemp("made"), Stored(data, split="unseen-bg", packed=None))


def test_the_same_pictures_under_another_split(run: TrainedRun, data: Path, tmp_path: Path) -> None:
    source = Stored(data, split="kfold[n=3,fold=1]", packed=None)
    test = source.shown("test", torch.arange(4))
    known = trained_on.read(run.folder)
    backgrounds = sum(name in known for name in test["background"])
    assert 0 < backgrounds
    evaluation, _ = Evaluator(source, tmp_path).evaluate(run)
    assert evaluation.leaks
    assert evaluation.notes[0].startswith("LEAKS: of the ")
    assert f"{backgrounds} show a background that the run was trained on" in said(run, source)


def test_its_own_test_part_is_no_leak(run: TrainedRun, data: Path) -> None:
    assert said(run, Stored(data, split="unseen-bg", packed=None)) == ""
    assert said(run, Stored(data, split="unseen-bg", depth_range=(0, 20), packed=None)) == ""


def test_the_same_photographs_in_another_set(run: TrainedRun, data: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    shutil.copytree(data, copied)
    shutil.rmtree(copied / "depth")
    (copied / "bg_fg/bg001_fg001_01.png").unlink()
    (copied / "mask/bg001_fg001_01.png").unlink()
    source = Stored(copied, split="kfold[n=3,fold=1]", packed=None)
    assert source.describe()["content"] != run.record.spec.data["content"]
    assert said(run, source).startswith("LEAKS: of the 4 test samples")


def test_other_pictures_are_no_leak(run: TrainedRun, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other", 6, 6)
    for file in (other.root / "bg").iterdir():
        file.write_bytes(file.read_bytes() + b"\0")
    for file in (other.root / "bg_fg").iterdir():
        file.write_bytes(file.read_bytes() + b"\0")
    assert said(run, Stored(other.root, split="kfold[n=3,fold=1]", packed=None)) == ""


def test_where_a_run_left_no_word_its_description_tells(run: TrainedRun, data: Path) -> None:
    kept = run.folder / trained_on.FILE
    before = kept.read_text()
    kept.unlink()
    try:
        told = said(run, Stored(data, split="kfold[n=3,fold=1]", packed=None))
    finally:
        kept.write_text(before)
    assert "the same pictures under split unseen-bg, data seed 0; here others are the test" in told


def test_rooms_and_figures_of_one_seed(tmp_path: Path) -> None:
    run = run_on(tmp_path, Synthetic(rooms=6, figures=6))
    assert said(run, Synthetic(rooms=6, figures=6, camera="still")) == "", "the same test, seen by another camera"
    assert said(run, Synthetic(rooms=6, figures=6, seed=1)) == ""
    assert "show a background" in said(run, Synthetic(rooms=6, figures=6, split="kfold[n=3,fold=1]"))


def test_cut_outs_and_photographs(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    bg, fg = pictures.bg, pictures.fg
    run = run_on(tmp_path, Composed(bg, fg, resolution=32), recipe="mask: bce")
    assert said(run, Composed(bg, fg, resolution=32)) == ""
    others = [said(run, Composed(bg, fg, seed=seed, resolution=32)) for seed in range(1, 5)]
    assert any("show a background" in told for told in others)
    assert any("show an object" in told for told in others)
