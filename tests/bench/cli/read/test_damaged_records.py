"""A damaged record is named at the end, with exit status 3, and everything that does not need it works."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BadData
from bench.results import store
from tests.bench.records import record
from tests.bench.results_folder import keep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for model, dice in (("unet", 0.7), ("wnet", 0.8)):
        for seed in (0, 1):
            keep(tmp_path / "results", dice, seed, model=model)
    bad = store.write(tmp_path / "results", record("masknet"), {})
    bad.write_text(bad.read_text()[:200])
    return tmp_path


@pytest.mark.parametrize("missing", [False, True], ids=["truncated", "missing"])
@pytest.mark.parametrize(
    "words",
    [["leaderboard", "--show"], ["leaderboard", "--csv", "-"], ["leaderboard", "--out", "{}/page.md"],
     ["choose", "--no-measure"], ["report", "--out", "{}/report.html"], ["explain"],
     ["export", "{}/images.csv", "--per-image"]],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_a_damaged_table_is_named_by_whatever_needs_it(tmp_path: Path, words: list[str], missing: bool) -> None:
    results = tmp_path / "results"
    for model, dice in (("unet", 0.7), ("wnet", 0.8), ("masknet", 0.6)):
        for seed in (0, 1):
            keep(results, dice, seed, model=model)
    table = next(results.glob(f"masknet*s1*{store.IMAGES}"))
    if missing:
        table.unlink()
    else:
        table.write_text(table.read_text()[:200])
    done = CliRunner().invoke(app, [word.format(tmp_path) for word in words] + [f"--results={results}"])
    assert isinstance(done.exception, BadData), done.output
    assert table.name in str(done.exception)
    assert "a table with its record, out of" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["compare", "wnet", "unet"], None),
        (["export", "{}/runs.csv"], "runs.csv"),
        (["export", "{}/images.csv", "--per-image"], "images.csv"),
        (["leaderboard", "--out", "{}/page.md"], "page.md"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_what_does_not_need_a_damaged_record_works(folder: Path, words: list[str], written: str | None) -> None:
    words = [word.format(folder) for word in words]
    done = CliRunner().invoke(app, [*words, f"--results={folder / 'results'}"])
    assert isinstance(done.exception, BadData)
    assert done.exception.exit_code == 3
    assert "masknet" in str(done.exception)
    if written is None:
        assert "mask_dice" in done.output
    else:
        assert "unet" in (folder / written).read_text()
