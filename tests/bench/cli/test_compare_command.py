"""``bench compare`` and ``bench tax`` from outside: what is printed, and what wrong input gets."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bench.cli
from tests.bench.results_folder import keep

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    """Run the command line in a folder, on a terminal of 80 columns: exit status, output, error output."""

    def run(folder: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr("sys.argv", ["bench", *words])
        monkeypatch.setattr("sys.path", [*sys.path])
        with pytest.raises(SystemExit) as ended:
            bench.cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of a joint model, one of its twins, and a model on other data."""
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
    assert "p = 0.25" in out


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
