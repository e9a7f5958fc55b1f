"""``bench explain``, ``slices`` and ``choose`` from outside, on the committed records; none of them imports torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError

RESULTS = str(Path(__file__).parents[4] / "results")
COMMANDS = {
    "explain": (["explain", "--metric", "mask_dice"], "architecture"),
    "choose": (["choose", "--no-measure", "--max", "depth_rmse=0.062"], "candidates meet the limits"),
}


@pytest.mark.parametrize(("words", "expected"), COMMANDS.values(), ids=list(COMMANDS))
def test_it_answers_without_torch(words: list[str], expected: str) -> None:
    program = (
        "import sys\n"
        "from bench.cli import app\n"
        f"app({[*words, '--results', RESULTS]!r}, standalone_mode=False)\n"
        "assert not {'torch', 'scipy.stats', 'pandas'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["slices", "unet"], "no record says what the test images of"),
        (["choose", "--max-latency", "6"], "with its unit"),
        (["choose", "--max-latency", "6ms", "--no-measure"], "--no-measure"),
        (["choose", "--min", "depth_rmse=0.1"], "write --max"),
        (["explain", "--within", "nothing"], "no board"),
    ],
)
def test_wrong_input(words: list[str], message: str) -> None:
    ended = CliRunner().invoke(app, [*words, "--results", RESULTS])
    assert isinstance(ended.exception, BenchError)
    assert message in str(ended.exception)


@pytest.mark.parametrize("name", ["explain", "slices", "choose"])
def test_no_folder(name: str) -> None:
    ended = CliRunner().invoke(app, [name, *(["unet"] if name == "slices" else []), "--results", "nowhere"])
    assert "there is no folder nowhere" in str(ended.exception)
