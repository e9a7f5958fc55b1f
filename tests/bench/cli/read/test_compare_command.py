"""``bench compare`` and ``bench tax`` from outside: what is printed, and what wrong input gets."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.command import status_here
from tests.bench.results_folder import keep

ROOT = Path(__file__).parents[4]
Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Run the command line in a folder, on a terminal of 80 columns: exit status, output, error output."""

    def run(folder: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "80")
        return status_here(monkeypatch, *words), *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of a joint model, of a twin, and of a model on other data."""
    folder = tmp_path_factory.mktemp("compared")
    for seed in range(3):
        keep(folder / "results", 0.80, seed, model="wnet")
        keep(folder / "results", 0.90, seed, model="unet_mask")
    keep(folder / "results", 0.90, model="unet", data={"kind": "synthetic", "camera": "still"})
    return folder


def test_a_comparison_is_printed_whole_on_a_narrow_terminal(folder: Path, command: Bench) -> None:
    status, out, err = command(folder, "compare", "wnet:bce_ssim", "unet_mask", "--metric", "mask_dice")
    assert status == 0, err
    assert "mask_dice ↑" in out
    assert "worse" in out
    assert "…" not in out
    assert "Only 5 objects" in out


def test_seeds_of_either_side(folder: Path, command: Bench) -> None:
    status, out, err = command(folder, "compare", "wnet", "wnet", "--seeds-a", "0", "--seeds-b", "1,2")
    assert status == 0, err
    assert "seeds 0 against 1, 2" in out
    assert "no verdict" in out


def test_neither_torch_nor_scipys_statistics_are_imported(folder: Path) -> None:
    """They would take seconds; a comparison of records needs neither."""
    script = (
        "import sys, bench.cli\n"
        "sys.argv = ['bench', 'compare', 'wnet:bce_ssim', 'unet_mask']\n"
        "try:\n    bench.cli.main()\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "print([name for name in ('torch', 'scipy.stats', 'pandas') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "mask_dice" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_transfer_is_printed(folder: Path, command: Bench) -> None:
    status, out, err = command(folder, "compare", "--transfer", "wnet")
    assert status == 0, err
    assert "harms" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["compare", "wnet", "unet"], ["not measured alike", "camera handheld against still", "bench run"]),
        (["compare", "wnte", "unet"], ["unknown cell", "wnet"]),
        (["compare", "wnet"], ["name two cells"]),
        (["compare", "wnet", "wnet", "--seeds-a", "0", "--seeds-b", "7"], ["no seed 7", "0, 1, 2"]),
        (["compare", "wnet", "wnet", "--seeds-a", "all"], ["'all' is no list of seeds"]),
        (["compare", "--transfer", "unet"], ["no single-task twins"]),
        (["compare", "wnet", "unet_mask", "--results", "nowhere"], ["nowhere"]),
        (["compare", "wnet", "unet_mask", "--metric", "mask_dise"], ["mask_dice", "bench list metrics"]),
        (["tax", "--loss", "bce_sim"], ["bce_ssim", "bench list losses"]),
    ],
)
def test_mistakes_end_in_2_and_say_the_way_out(folder: Path, command: Bench, words: list[str], says: list[str]) -> None:
    status, out, err = command(folder, *words)
    assert status == 2, out + err
    assert all(part in err for part in says), err
    assert "Traceback" not in err


def test_the_tax_of_one_loss(tmp_path: Path, command: Bench) -> None:
    status, out, err = command(tmp_path, "tax", "--loss", "bce_ssim", "--size", "32", "--batch", "4", "--out", "tax.md")
    assert status == 0, err
    assert "`bce_ssim`" in out
    assert "`bce_ssim`" in (tmp_path / "tax.md").read_text()
