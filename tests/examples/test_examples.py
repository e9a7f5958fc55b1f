"""Every example keeps its contract and runs as its first lines say, in a folder of its own."""

from __future__ import annotations

import runpy
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.bench.command import Command

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PLUGINS = ["my_model:small_net", "my_term:charbonnier", "my_metric:precision_at_half", "my_source:Discs"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in EXAMPLES:
        shutil.copy(path, tmp_path)
    return tmp_path


def test_everything_that_the_commands_do_from_python(folder: Path) -> None:
    done = Command(
        partial(runpy.run_path, "from_python.py", run_name="__main__"), folder, PYTHONPATH=str(ROOT)
    ).result()
    assert done.returncode == 0, done.stderr
    for plugin in PLUGINS:
        assert f"{plugin} passes" in done.stdout
    assert "audit: ok" in done.stdout
    assert "A - B" in done.stdout and "my_metric" in done.stdout
    assert "7 records in" in done.stdout  # two models, two seeds, and three baselines
    assert (folder / "from_python" / "leaderboard.md").read_text().startswith("# ")
    assert len((folder / "from_python" / "runs.csv").read_text().splitlines()) == 8


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_their_first_lines_name_commands_that_exist(path: Path) -> None:
    text = path.read_text()
    lines = [line for line in text.split('"""')[1].splitlines() if line.startswith(("bench ", "python "))]
    assert lines, "an example says how it is run"
    for line in lines:
        assert line.split()[1] in ("check", "run", path.name)
        assert path.stem in line


def test_they_are_short() -> None:
    assert {path.stem for path in EXAMPLES} == {
        "from_python",
        "my_metric",
        "my_model",
        "my_source",
        "my_teacher",
        "my_term",
    }
    assert all(len(path.read_text().splitlines()) < 80 for path in EXAMPLES)
