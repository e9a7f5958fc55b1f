"""``bench leaderboard`` from outside: the page, its excerpt, the terminal, CSV and JSON."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bench.cli import app
from bench.report.markdown.excerpt import MARKER
from tests.bench.results_folder import keep

BEGIN, END = f"<!-- {MARKER} -->\n", f"<!-- /{MARKER} -->\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for seed in range(2):
        keep(tmp_path / "results", 0.7, seed, model="unet")
        keep(tmp_path / "results", 0.9, seed, model="wnet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def bench(*words: str) -> Result:
    return CliRunner().invoke(app, ["leaderboard", *words])


def test_on_the_terminal(folder: Path) -> None:
    ended = bench("--show", "--sort", "mask_dice", "--where", "model=*net")
    assert ended.exit_code == 0, ended.output
    assert ended.output.index("wnet") < ended.output.index("unet")
    assert "0.9000 ± 0.0000" in ended.output
    assert not (folder / "leaderboard.md").exists()


def test_as_csv_and_json(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(bench("--csv", "-").output)))
    assert [row["model"] for row in rows] == ["wnet", "unet"]
    assert float(rows[0]["mask_dice"]) == pytest.approx(0.9)
    assert bench("--json", "board.json", "--where", "model=unet").exit_code == 0
    assert [row["model"] for row in json.loads((folder / "board.json").read_text())] == ["unet"]


def test_the_readmes_excerpt_keeps_the_files_mode_link_and_line_endings(folder: Path) -> None:
    real = folder / "docs" / "front.md"
    real.parent.mkdir()
    real.write_bytes(f"top\n{BEGIN}{END}bottom\n".replace("\n", "\r\n").encode())
    real.chmod(0o640)
    (folder / "README.md").symlink_to(real)
    assert bench().exit_code == 0
    assert (folder / "README.md").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    content = real.read_bytes().decode()
    assert "`wnet`" in content
    assert content.count("\n") == content.count("\r\n")
    assert bench("--check").exit_code == 0


def test_a_stale_page_is_named(folder: Path) -> None:
    assert bench().exit_code == 0
    (folder / "leaderboard.md").write_text("old")
    ended = bench("--check")
    assert ended.exit_code == 1
    assert (folder / "leaderboard.md").read_text() == "old"


@pytest.mark.parametrize("words", [["--pool", "seeds"], ["--results", "nowhere"], ["--show", "--where", "no_such=1"]])
def test_wrong_input(folder: Path, words: list[str]) -> None:
    ended = bench(*words)
    assert ended.exit_code == 1  # the error itself: bench.cli.main makes a message and an exit status of it
    assert type(ended.exception).__name__ == "BenchError"


def test_it_needs_no_torch(folder: Path) -> None:
    import subprocess
    import sys

    code = "import sys; from pathlib import Path; from bench.report.pages import pages"
    code += "; pages(Path('results'), Path('page.md'))"
    code += "; assert not {'torch', 'scipy.stats', 'pandas'} & set(sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, env=environment)
