"""Pages that a command makes of the committed records are as that command makes them today."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.devtools.gpu import page

ROOT = Path(__file__).parent.parent
PAGES = {
    "results": "leaderboard.md",
    **{f"results/{name}": f"docs/{name}.md" for name in ("tuned", "photographs", "h200")},
}


def steady(text: str) -> str:
    """Without probabilities, which are drawn: another processor rounds them otherwise."""
    return re.sub(r"[<>]?\d+ %", "%", text)


def test_every_folder_of_whole_runs_has_a_page() -> None:
    whole = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("results/**/*_quick_*.images.csv")}
    assert whole - {"results/same_cell", "results/reproduction"} == set(PAGES)


@pytest.mark.parametrize("records", PAGES)
def test_a_page_is_what_its_command_makes(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made, front = Path(PAGES[records]), ROOT / "README.md"
    shutil.copytree(ROOT / records, records, ignore=lambda _, names: [name for name in names if "." not in name])
    made.parent.mkdir(exist_ok=True)
    shutil.copy(front, "README.md")
    asked = ["leaderboard", "--results", records, "--out", str(made)]
    ended = CliRunner().invoke(app, asked)
    assert ended.exit_code == 0, ended.output
    for name in {made, *([Path("README.md")] if records == "results" else [])}:
        assert steady(name.read_text()) == steady((ROOT / name).read_text()), f"stale: bench {' '.join(asked)}"


def test_the_schema_of_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "results/tuned", "results")
    assert CliRunner().invoke(app, ["leaderboard"]).exit_code == 0
    assert Path("results/schema.json").read_text() == (ROOT / "results/schema.json").read_text()


def test_what_was_measured_on_a_gpu(tmp_path: Path) -> None:
    copy = tmp_path / "gpu.md"
    shutil.copy(ROOT / "docs/gpu.md", copy)
    page.main([str(ROOT / "results/gpu/h200.jsonl"), "--page", str(copy)])
    assert copy.read_text() == (ROOT / "docs/gpu.md").read_text()
