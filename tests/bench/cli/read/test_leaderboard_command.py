"""``bench leaderboard`` from outside: the page, its excerpt, the terminal, CSV and JSON."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bench.cli import app
from bench.core.errors import BenchError
from bench.core.record import Load
from bench.report.markdown.excerpt import MARKER
from bench.results import store
from tests.bench.records import record
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


def test_rows_that_are_left_out_change_no_tie_and_that_is_said(folder: Path) -> None:
    whole = {row["model"]: row for row in csv.DictReader(io.StringIO(bench("--csv", "-").output))}
    alone = bench("--csv", "-", "--where", "model!=wnet").output
    (row,) = csv.DictReader(io.StringIO(alone))
    assert row == whole["unet"]
    assert "1 of 2 rows; tie and best are those of the whole board." in bench("--show", "--where", "model!=wnet").output
    assert "of the whole board" not in bench("--show").output


def test_the_terminal_counts_the_rows_that_the_readme_does(folder: Path) -> None:
    keep(folder / "results", 0.2, 0, model="difference", recipe="")
    keep(folder / "results", 0.2, 0, model="difference", recipe="", arithmetic="b" * 12)
    beside = Load(windows=2, disturbed=0, shared=2)
    for weight in range(2, 22):
        keep(folder / "results", 0.5, 0, model="unet", recipe=f"mask: bce, depth: {weight}*l1", load=beside)
    (folder / "README.md").write_text(FRONT)
    assert bench().exit_code == 0
    assert "of 23 in all" in (folder / "README.md").read_text()
    assert "2 of 23 rows;" in bench("--show", "--where", "seeds>1").output


def test_an_alarm_stands_below_the_board(folder: Path) -> None:
    assert "Alarm" not in bench("--show").output
    keep(folder / "results", 0.6, 1, model="wnet")
    assert "Alarm: seed 1 of `wnet` has two results" in bench("--show").output


def test_a_folder_with_nothing_to_show_says_so(folder: Path) -> None:
    for path in (folder / "results").iterdir():
        path.unlink()
    assert "no records in results yet; a first one: bench run" in bench("--show").output
    store.write(folder / "results", record(outcome="failed", reason="ValueError: x"), {})
    assert "none of the 1 records in results has a score" in bench("--show").output
    keep(folder / "results", 0.2, 0, model="difference", recipe="")
    assert "difference" in bench("--show").output
    assert "no row matches" in bench("--show", "--where", "model=wnet").output


FRONT = f"top\n{BEGIN}old\n{END}bottom\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_readmes_line_endings_are_kept(folder: Path, ending: str) -> None:
    (folder / "README.md").write_bytes(FRONT.replace("\n", ending).encode())
    assert bench().exit_code == 0
    content = (folder / "README.md").read_bytes().decode()
    assert "`wnet`" in content and "old" not in content
    assert content.startswith("top" + ending) and content.endswith("bottom" + ending)
    assert content.count("\r\n") == (content.count("\n") if ending == "\r\n" else 0)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_the_readmes_mode_is_kept(folder: Path, mode: int) -> None:
    (folder / "README.md").write_text(FRONT)
    (folder / "README.md").chmod(mode)
    assert bench().exit_code == 0
    assert "`wnet`" in (folder / "README.md").read_text()
    assert (folder / "README.md").stat().st_mode & 0o777 == mode


def test_mixed_line_endings_outside_the_markers_are_kept(folder: Path) -> None:
    (folder / "README.md").write_bytes(f"top\r\nsecond\n{BEGIN}{END}bottom\r\n".encode())
    assert bench().exit_code == 0
    content = (folder / "README.md").read_bytes()
    assert content.startswith(b"top\r\nsecond\n<!--") and content.endswith(b"bottom\r\n")
    assert content.count(b"\r\n") == 2


def test_a_readme_that_is_a_link_stays_one(folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "docs" / "front.md").write_text(FRONT)
    (folder / "README.md").symlink_to(Path("docs") / "front.md")
    assert bench().exit_code == 0
    assert (folder / "README.md").readlink() == Path("docs") / "front.md"
    assert "`wnet`" in (folder / "docs" / "front.md").read_text()


@pytest.mark.parametrize("text", ["no markers\n", f"only the first\n{BEGIN}", f"only the last\n{END}", f"{END}{BEGIN}"])
def test_a_readme_without_both_markers_is_left_alone(folder: Path, text: str) -> None:
    (folder / "README.md").write_text(text)
    before = (folder / "README.md").stat()
    assert bench().exit_code == 0
    assert (folder / "README.md").read_text() == text
    assert (folder / "README.md").stat().st_mtime_ns == before.st_mtime_ns


def test_a_readme_that_is_up_to_date_is_not_written_again(folder: Path) -> None:
    (folder / "README.md").write_text(FRONT)
    assert bench().exit_code == 0
    before = (folder / "README.md").stat()
    assert "up to date" in bench().output
    assert bench("--check").exit_code == 0
    after = (folder / "README.md").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_readme_that_is_no_utf8_is_named(folder: Path) -> None:
    (folder / "README.md").write_bytes(b"caf\xe9")
    ended = bench()
    assert isinstance(ended.exception, BenchError)
    assert "README.md is not UTF-8" in str(ended.exception)
    assert (folder / "README.md").read_bytes() == b"caf\xe9"


def test_a_stale_page_is_named(folder: Path) -> None:
    assert bench().exit_code == 0
    (folder / "leaderboard.md").write_text("old")
    ended = bench("--check")
    assert ended.exit_code == 1
    assert ended.output.endswith("leaderboard.md; run: bench leaderboard\n")
    assert (folder / "leaderboard.md").read_text() == "old"


def test_a_stale_page_of_other_records_is_named_with_the_command_that_renews_it(folder: Path) -> None:
    ended = bench("--check", "--out", "other page.md", "--pool", "machines")
    assert ended.exit_code == 1
    assert ended.output.endswith("run: bench leaderboard --out 'other page.md' --pool machines\n")


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
