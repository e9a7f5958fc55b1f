"""The command line from outside: what a user types, what is written, and what wrong input gets."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from bench.cli.check.listing import Kind
from bench.report.markdown.excerpt import MARKER
from bench.report.terminal.lists import lines
from bench.train.checkpoints import training_state
from tests.bench.command import Command, bench, run_main

SMALL = ["--epochs=1", "--size=32", "--batch=8", "--train-samples=16", "--val-samples=8", "--test-samples=8"]
README_BEFORE = f"# Mine\n<!-- {MARKER} -->\n<!-- /{MARKER} -->\n"
UNET = ["--model", "unet[width=4]"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small run, by a process that imports everything itself."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "README.md").write_text(README_BEFORE)
    command = [sys.executable, "-m", "bench", "run", *UNET, "--loss", "bce_ssim", *SMALL]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "mask_dice" in done.stdout
    return folder


def test_a_run_leaves_a_record_a_picture_and_a_leaderboard(finished: Path) -> None:
    names = sorted(path.name for path in (finished / "results").glob("*.json"))
    assert len(names) == 5  # the network, three baselines, the schema
    path = next((finished / "results").glob("unet*.json"))
    record = json.loads(path.read_text())
    assert record["outcome"] == "finished"
    assert record["timings"]["steps"] == 2
    assert path.with_suffix(".images.csv").exists()
    assert Image.open(finished / "runs" / record["id"] / "predictions.png").size[0] > 500
    assert list((finished / "runs" / record["id"] / "tensorboard").iterdir())
    page = (finished / "leaderboard.md").read_text()
    assert path.name in page
    assert "custom" in page
    assert str(finished) not in path.read_text() + page


def test_a_run_leaves_the_readme_alone(finished: Path) -> None:
    assert (finished / "README.md").read_text() == README_BEFORE
    assert "README.md" in bench(finished, "leaderboard").stdout
    assert "`unet[width=4]`" in (finished / "README.md").read_text()


def test_leaderboard_check(finished: Path) -> None:
    assert bench(finished, "leaderboard").returncode == 0
    assert bench(finished, "leaderboard", "--check").returncode == 0
    page = finished / "leaderboard.md"
    text = page.read_text()
    page.write_text(text + "x")
    stale = bench(finished, "leaderboard", "--check")
    assert stale.returncode == 1
    assert "bench leaderboard" in stale.stderr
    assert bench(finished, "leaderboard").returncode == 0
    assert page.read_text() == text


def test_what_is_done_is_not_done_again_unless_asked(finished: Path) -> None:
    before = set((finished / "results").iterdir())
    done = bench(finished, "run", *UNET, "--loss", "bce_ssim", *SMALL)
    assert done.returncode == 0
    assert "--again" in done.stdout
    assert set((finished / "results").iterdir()) == before


def test_a_models_layers(tmp_path: Path) -> None:
    done = bench(tmp_path, "show", "wnet", "--size", "64")
    assert done.returncode == 0, done.stderr
    assert "8,678,274 parameters" in done.stdout
    assert "Conv2d" in done.stdout


def test_doctor_names_what_is_there(tmp_path: Path) -> None:
    done = bench(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert all(word in done.stdout for word in ("timm", "device", "GFLOP/s", "GB/s"))
    assert "broken" not in done.stdout


def test_export(finished: Path) -> None:
    assert bench(finished, "export", "runs.csv").returncode == 0
    assert bench(finished, "export", "images.csv", "--per-image").returncode == 0
    assert len((finished / "runs.csv").read_text().splitlines()) == 5  # a heading, the network, three baselines
    assert len((finished / "images.csv").read_text().splitlines()) == 1 + 4 * 8


@pytest.mark.parametrize("kind", Kind)
def test_lists(tmp_path: Path, kind: str) -> None:
    done = bench(tmp_path, "list", kind)
    assert done.returncode == 0
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == [name for name, _ in lines(kind)]
    few = bench(tmp_path, "list", kind, "no_such_*")
    assert few.returncode == 2 and "See all with: bench list" in few.stderr


def test_a_protocol_is_printed_and_read_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(bench(tmp_path, "list", "protocols", "quick").stdout.replace("64", "32"))
    done = bench(tmp_path, "run", *UNET, *SMALL, "--no-baselines", "--protocol", "mine.toml")
    assert done.returncode == 0, done.stderr
    record = json.loads(next(tmp_path.glob("results/unet*.json")).read_text())
    assert record["spec"]["protocol"]["base"] == "quick" and record["spec"]["protocol"]["stages"][0]["size"] == 32


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--model", "unett"], ["unknown model", "unet", "bench list models"]),
        (["run", "--model", "unet[widht=3]"], ["widht", "width"]),
        (["run", "--model", "unet", "--loss", "bce_sim"], ["bce_ssim", "bench list losses"]),
        (["run", "--model", "unet", "--loss", "mask: bce + , depth: l1"], ["^"]),
        (["run", "--model", "unet", "--protocol", "quik"], ["quick", "bench list protocols"]),
        (["run", "--model", "unet", "--data", "composed"], ["--bg", "--fg"]),
        (["run", "--model", "unet", "--data", "synthetics"], ["synthetics", "mean synthetic"]),
        (["run", "--model", "unet", "--camera", "drone"], ["drone", "bench list cameras"]),
        (["run", "--model", "unet", "--optimizer", "adam[rate=1]"], ["rate", "lr"]),
        (["run", "--model", "unet", "--augmentation", "flop"], ["flop", "flip"]),
        (["run", "--model", "unet", "--optimizer", "adam[lr=-1.0]"], ["lr must be over 0"]),
        (["run", "--model", "unet", "--schedule", "step[every=0]"], ["every must be at least 1"]),
        (["run", "--model", "unet", "--train-samples", "4"], ["4 training samples", "8"]),
        (["run", "--model", "depthmasknet", "--protocol", "standard"], ["multiples of 32", "112", "--size"]),
        (["run", "--model", "unet", "--batch", "0"], ["--batch", "1"]),
        (["run", "--model", "unet", "--device", "cuda:77"], ["cuda:77", "cpu"]),
        (["run", "--model", "unet", "--precision", "int4"], ["int4", "float32"]),
        (["run", "--model", "nowhere.at_all:net"], ["nowhere", "importable"]),
        (["show", "wnet", "--size", "33"], ["multiples of 16"]),
        (["leaderboard", "--results", "nothing"], ["nothing"]),
    ],
)
def test_mistakes_end_in_2_and_say_the_way_out(tmp_path: Path, words: list[str], says: list[str]) -> None:
    done = bench(tmp_path, *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert all(part in done.stderr for part in says), done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_bad_images_are_all_named_and_nothing_is_written(tmp_path: Path) -> None:
    for folder in ("bg", "fg"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "bg" / "good.png")
    (tmp_path / "bg" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    Image.new("RGB", (20, 20)).save(tmp_path / "fg" / "opaque.png")
    done = bench(tmp_path, "run", *UNET, *SMALL, "--data", "composed", "--bg", "bg", "--fg", "fg")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "torn.jpg" in done.stderr
    assert "opaque.png" in done.stderr
    assert not (tmp_path / "results").exists()


README = Path(__file__).parents[3] / "README.md"


def test_the_readmes_model_and_term_run_as_they_stand(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "mine.py").write_text("\n".join(blocks))
    loss = "mask: bce, depth: mine:charbonnier[eps=0.02] + ssim"
    done = bench(tmp_path, "run", "--model", "mine:Net", "--loss", loss, *SMALL, "--no-baselines")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "audit: " in done.stdout
    assert "audit: broken" not in done.stdout
    assert "mine:Net" in (tmp_path / "leaderboard.md").read_text()
    assert bench(tmp_path, "show", "mine:Net").returncode == 0


def keep_every_epoch(words: tuple[str, ...]) -> None:
    training_state.EVERY = 0.0
    run_main(words)


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    words = ("run", *UNET, *SMALL[1:], "--epochs", "24", "--no-baselines")
    for kind in (signal.SIGINT, signal.SIGKILL):
        written = {path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/last.pt")}
        command = Command(partial(keep_every_epoch, words), tmp_path)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and command.running:
            if {path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/last.pt")} - written:
                break
            time.sleep(0.02)
        os.kill(command.process, kind)
        stopped = command.result()
        assert stopped.returncode == (130 if kind == signal.SIGINT else -signal.SIGKILL)
        announced = "a checkpoint is written; the same command goes on from there" in stopped.stderr
        assert announced == (kind == signal.SIGINT)
    done = bench(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch" in done.stdout
    record = json.loads(next(tmp_path.glob("results/unet*.json")).read_text())
    assert len(record["epochs"]) == 24
    assert record["resumed"] == 2


def test_a_diverged_run_is_recorded(tmp_path: Path) -> None:
    steep = ["--loss", "mask: 1e30*l2[raw=true]", "--optimizer", "sgd[lr=1000]", "--epochs", "3"]
    done = bench(tmp_path, "run", *UNET, *SMALL[1:], "--no-baselines", *steep)
    assert done.returncode == 4
    record = json.loads(next(tmp_path.glob("results/unet*.json")).read_text())
    assert record["outcome"] == "diverged"
    assert record["failure"]["phase"] == "training" and record["failure"]["samples"]
    assert "### Not finished" in (tmp_path / "leaderboard.md").read_text()


def test_help_does_not_import_torch(tmp_path: Path) -> None:
    code = "import sys, bench.cli; assert not {'torch', 'numpy', 'pydantic', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
