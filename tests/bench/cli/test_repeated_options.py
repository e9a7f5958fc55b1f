"""An option that takes a single value is given once: the last one would win silently."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError

COMPOSED = ["run", "--model", "unet", "--data", "composed", "--fg", "c"]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ([*COMPOSED, "--bg", "a", "--bg", "b"], "--bg"),
        ([*COMPOSED, "--bg=a", "--bg=b"], "--bg"),
        (["run", "--model", "unet", "--size", "32", "--batch", "8", "--size", "64"], "--size"),
        (["run", "-m", "unet", "--loss", "bce", "-l", "dice"], "--loss"),
        (["leaderboard", "--out", "a.md", "--out", "b.md"], "--out"),
        (["profile", "--model", "unet", "--json", "a", "--json", "a"], "--json"),
        (["data", "inspect", "--samples", "8", "--samples", "8"], "--samples"),
    ],
)
def test_an_option_given_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, BenchError)
    assert str(error) == f"{option} is given 2 times; it takes a single value"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["list", "models", "--help"],
        ["run", "--model", "unet", "--model", "wnet", "--metric", "mask_hd95", "--metric", "mask_iou", "--help"],
        ["run", "--loss", "--loss", "--help"],  # the second is the value of the first
        ["run", "--again", "--again", "--help"],
    ],
)
def test_what_may_stand_several_times_may(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 0
