"""``bench predict`` from the weights to the files."""

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BadData, BenchError
from bench.report.pictures.prediction_files import DepthScale
from bench.run.predict import prediction
from bench.run.predict.picture_files import find_pictures
from bench.run.predict.prediction import Predicted, predict_files
from bench.run.trained import trained_run
from registry.contract import Prediction, Quartet
from tests.bench.rectangles import Rectangles
from tests.bench.run.predict.shots import shots
from tests.bench.run.trained_model import make

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("made")
    return folder, make(folder, Rectangles()).id


def predict(made: tuple[Path, str], *words: object):
    folder, run = made
    places = ["--results", folder / "results", "--runs", folder / "runs", "--device", "cpu"]
    return CliRunner().invoke(app, ["predict", run, *map(str, [*words, *places])])


def test_files_are_the_networks_answer_at_their_own_size(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path / "in", {"a": (45, 37), "b": (32, 32)})
    done = predict(made, "--in", tmp_path / "in", "--out", tmp_path / "out", "--npy")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    kinds = ("mask.png", "depth.png", "overlay.jpg", "mask.npy", "depth.npy")
    assert names == {f"{name}_bg_fg_{kind}" for name in "ab" for kind in kinds}
    assert {Image.open(tmp_path / "out" / f"a_bg_fg_{kind}").size for kind in kinds[:3]} == {(45, 37)}
    run = trained_run(made[0] / "results", made[0] / "runs", made[1], CPU)
    images = [
        torch.from_numpy(np.array(Image.open(tmp_path / "in" / f"b_{what}.png"))).permute(2, 0, 1)[None] / 255
        for what in ("bg", "bg_fg")
    ]
    expected = run.predict(Quartet(*images))
    for head, values in expected.heads():
        np.testing.assert_array_equal(np.load(tmp_path / "out" / f"b_bg_fg_{head}.npy"), values.value[0, 0].numpy())
    written = np.array(Image.open(tmp_path / "out" / "b_bg_fg_depth.png"))
    np.testing.assert_allclose(written / 10_000, expected.depth.value[0, 0].numpy(), atol=1e-4)
    assert written.min() > 0


def test_bad_files_are_named_and_the_others_done(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path / "in", {"good": (33, 20), "cut": (40, 40), "sized": (24, 24)})
    cut = tmp_path / "in" / "cut_bg_fg.png"
    cut.write_bytes(cut.read_bytes()[:200])
    Image.new("RGB", (25, 24)).save(tmp_path / "in" / "sized_bg.png")
    with pytest.raises(BadData) as raised:
        raise predict(made, "--in", tmp_path / "in", "--out", tmp_path / "out", "--tile", "16").exception
    assert [Path(name).name for name, _ in raised.value.problems] == ["cut_bg_fg.png", "sized_bg_fg.png"]
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_bad_background_of_all_pictures_is_said_once(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path / "in", {"a": (32, 32), "b": (32, 32)})
    plate = tmp_path / "plate.png"
    plate.write_bytes(b"no picture")
    error = predict(made, "--in", tmp_path / "in", "--bg", plate, "--out", tmp_path / "out").exception
    assert isinstance(error, BadData)
    ((name, reason),) = error.problems
    assert (Path(name), reason.rpartition("; ")[2]) == (plate, "it was to be the background of all pictures")
    assert not (tmp_path / "out").exists()


def test_no_backgrounds_at_all_is_asked_wrongly(made: tuple[Path, str], tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    error = predict(made, "--in", tmp_path, "--out", tmp_path / "out").exception
    assert isinstance(error, BenchError)
    assert "--bg" in str(error)
    assert error.exit_code == 2


def test_writing_among_the_images_is_refused(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path, {"a": (32, 32)})
    assert "--out" in str(predict(made, "--in", tmp_path, "--out", tmp_path).exception)


def test_a_run_has_three_names(made: tuple[Path, str]) -> None:
    folder, run = made
    record = next((folder / "results").glob("unet*.json"))
    for text in (run, str(record), record.name, record.stem, "unet[width=4]"):
        assert trained_run(folder / "results", folder / "runs", text, CPU).record.id == run
    assert json.loads(record.read_text())["id"] == run
    with pytest.raises(BenchError, match="there is no file"):
        trained_run(folder / "results", folder / "runs", str(folder / "gone" / record.name), CPU)


def test_of_a_model_in_two_precisions_the_run_that_left_weights_is_meant(tmp_path: Path) -> None:
    recorded = [make(tmp_path, Rectangles(), seed=seed) for seed in range(2)]
    own = make(tmp_path, Rectangles(), precision="bfloat16")
    places = tmp_path / "results", tmp_path / "runs"
    assert trained_run(*places, "unet[width=4]", CPU).record.id == recorded[0].id
    for record in recorded:
        shutil.rmtree(tmp_path / "runs" / record.id)
    assert trained_run(*places, "unet[width=4]", CPU).record.id == own.id


def test_lost_weights_are_said(made: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"best\.pt.*--again"):
        trained_run(made[0] / "results", tmp_path, made[1], CPU)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("metric, 1.0 = 10 m", 5000),
        ("metric, 1.0 = 80 m", 10240),
        ("8-bit map, 1.0 = 255, greater is farther", 128),
    ],
)
def test_depth_in_the_unit_of_the_encoding(encoding: str, written: int) -> None:
    assert DepthScale.of(encoding).numbers(np.full((1, 1), 0.5, np.float32)).item() == written


def test_writing_does_not_hold_up_the_network(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path / "in", dict.fromkeys("abc", (32, 32)))
    run = trained_run(made[0] / "results", made[0] / "runs", made[1], CPU)
    others = threading.Event()
    written: list[str] = []

    def write(predicted: Predicted) -> None:
        if predicted.name == "a_bg_fg":
            assert others.wait(60), "the network waits for the writer"
        written.append(predicted.name)
        if len(written) == 2:
            others.set()

    told: list[tuple[str, int, int]] = []
    problems = predict_files(
        run, find_pictures([tmp_path / "in"]).pictures, write, progress=lambda *now: told.append(now)
    )
    assert not problems
    assert written == ["b_bg_fg", "c_bg_fg", "a_bg_fg"]
    assert told == [("a_bg_fg", 0, 3), ("a_bg_fg", 1, 3), ("b_bg_fg", 2, 3), ("c_bg_fg", 3, 3)]


def test_progress_is_told_before_the_first_picture_is_read_and_by_tile(
    made: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots(tmp_path / "in", {"a": (40, 24)})
    run = trained_run(made[0] / "results", made[0] / "runs", made[1], CPU)
    told: list[tuple[str, int, int]] = []
    read = prediction.read_picture

    def read_late(*what):
        assert told == [("a_bg_fg", 0, 1)]
        return read(*what)

    monkeypatch.setattr(prediction, "read_picture", read_late)
    pictures = find_pictures([tmp_path / "in"]).pictures
    assert not predict_files(run, pictures, lambda predicted: None, 24, progress=lambda *now: told.append(now))
    tiles = [(f"a_bg_fg, tile {number} of 2", 0, 1) for number in (1, 2)]
    assert told == [("a_bg_fg", 0, 1), *tiles, ("a_bg_fg", 1, 1)]


def test_what_cannot_be_written_ends_it(made: tuple[Path, str], tmp_path: Path) -> None:
    shots(tmp_path / "in", dict.fromkeys("abc", (32, 32)))
    run = trained_run(made[0] / "results", made[0] / "runs", made[1], CPU)

    def write(predicted: Predicted) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        predict_files(run, find_pictures([tmp_path / "in"]).pictures, write)


class Particular(nn.Module):
    """Fails in its own way on pictures of certain widths, once it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 2, 1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        mask, depth = self.conv(torch.cat([bg, bg_fg], 1)).split(1, 1)
        width = 0 if self.training else bg.shape[-1]
        if width == 41:
            raise KeyError("no such width")
        if width == 42:
            return Prediction(mask[..., 1:], depth)
        if width == 43:
            return Prediction(mask * float("nan"), depth)
        if width == 44:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.\nMore.")
        return Prediction(mask, depth)


def test_a_network_that_fails_on_one_picture_has_the_others(tmp_path: Path) -> None:
    run = make(tmp_path, Rectangles(), model=f"{__name__}:Particular").id
    shots(tmp_path / "in", {f"w{width}": (width, 20) for width in (40, 41, 42, 43, 44, 45)})
    error = predict((tmp_path, run), "--in", tmp_path / "in", "--out", tmp_path / "out").exception
    assert isinstance(error, BadData)
    reasons = {Path(name).name[:3]: reason for name, reason in error.problems}
    assert set(reasons) == {"w41", "w42", "w43", "w44"}
    assert "KeyError: 'no such width' (test_prediction.py, line" in reasons["w41"]
    assert "a float tensor of (1, 1, 20, 42)" in reasons["w42"]
    assert reasons["w43"] == "the network's mask is not finite"
    assert "--tile" in reasons["w44"]
    assert {path.name[:3] for path in (tmp_path / "out").iterdir()} == {"w40", "w45"}
    assert "all others are predicted" in str(error)


def test_nothing_is_said_of_others_where_there_are_none(made: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a_bg.png", "a_bg_fg.png"):
        (tmp_path / "in" / name).write_bytes(b"no picture")
    error = predict(made, "--in", tmp_path / "in", "--out", tmp_path / "out").exception
    assert isinstance(error, BadData)
    assert "are predicted" not in str(error)


def test_a_run_of_one_image_needs_no_background(tmp_path: Path) -> None:
    run = make(tmp_path, Rectangles(), inputs="image").id
    shots(tmp_path / "in", {"a": (40, 24)})
    (tmp_path / "in" / "a_bg.png").unlink()
    done = predict((tmp_path, run), "--in", tmp_path / "in", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert Image.open(tmp_path / "out" / "a_bg_fg_mask.png").size == (40, 24)


def test_a_run_of_one_image_reads_no_backgrounds_and_says_so(tmp_path: Path) -> None:
    run = make(tmp_path, Rectangles(), inputs="image").id
    shots(tmp_path / "in", {"a": (40, 24)})
    (tmp_path / "plate.png").write_bytes(b"no picture")
    for words in ((), ("--bg", tmp_path / "plate.png")):
        done = predict((tmp_path, run), "--in", tmp_path / "in/a_bg_fg.png", *words, "--out", tmp_path / "out")
        assert done.exit_code == 0, done.output
        assert ("backgrounds are not read" in done.output) == bool(words)
    Image.new("RGB", (8, 8)).save(tmp_path / "in/a_bg.png")
    done = predict((tmp_path, run), "--in", tmp_path / "in", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.output.count("backgrounds are not read") == 1


def test_folders_within_are_mirrored(tmp_path: Path) -> None:
    run = make(tmp_path, Rectangles(), inputs="image").id
    (tmp_path / "in/a/b").mkdir(parents=True)
    for name in ("o.png", "a/b/o.png"):
        Image.new("RGB", (32, 32), "white").save(tmp_path / "in" / name)
    for _ in range(2):  # what the first wrote is no picture of the second
        done = predict((tmp_path, run), "--in", tmp_path / "in", "--out", tmp_path / "in/out")
        assert done.exit_code == 0, done.output
        assert "2 pictures predicted" in done.output
    assert (tmp_path / "in/out/a/b/o_mask.png").is_file()
    assert (tmp_path / "in/out/o_mask.png").is_file()


def test_photographs_that_do_not_use_their_range_are_doubted(tmp_path: Path) -> None:
    run = make(tmp_path, Rectangles(), inputs="image").id
    Image.fromarray(np.full((32, 32), 4095, np.uint16)).save(tmp_path / "a.png")
    done = predict((tmp_path, run), "--in", tmp_path / "a.png", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "warning: photographs of 16 bits are nearly black" in " ".join(done.output.split())


def test_a_head_that_the_model_lacks_is_none_of_its_results(tmp_path: Path) -> None:
    """The recipe trains both heads; the model has one."""
    run = make(tmp_path, Rectangles(), model=f"{__name__}:mask_alone").id
    assert trained_run(tmp_path / "results", tmp_path / "runs", run, CPU).heads == ("mask",)
    shots(tmp_path / "in", {"a": (32, 32)})
    done = predict((tmp_path, run), "--in", tmp_path / "in", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "1 picture predicted" in done.output and "depth in" not in done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a_bg_fg_mask.png", "a_bg_fg_overlay.jpg"}


class MaskAlone(nn.Module):
    """Predicts no depth."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, bg: Tensor, bg_fg: Tensor) -> Prediction:
        return Prediction(self.layer(torch.cat([bg, bg_fg], 1)), None)


def mask_alone() -> nn.Module:
    return MaskAlone()
