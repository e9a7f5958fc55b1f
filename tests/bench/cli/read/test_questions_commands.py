"""``bench explain``, ``slices`` and ``choose`` from outside, on the committed records; none of them imports torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError
from tests.bench.results_folder import keep

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


def test_records_without_facts_of_their_images(tmp_path: Path) -> None:
    keep(tmp_path / "results", 0.7, model="unet")
    ended = CliRunner().invoke(app, ["slices", "unet", "--results", str(tmp_path / "results")])
    assert isinstance(ended.exception, BenchError)
    assert "bench run --model difference" in str(ended.exception)


def test_choose_without_limits_has_no_column_for_them() -> None:
    shown = CliRunner().invoke(app, ["choose", "--no-measure", "--results", RESULTS], catch_exceptions=False).output
    assert "limits" not in shown
    assert "on the front" in shown


def test_from_runs_to_a_choice_by_measured_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models are run on a tiny budget and chosen between; what was measured is measured once."""
    monkeypatch.chdir(tmp_path)
    budget = "--size 32 --batch 8 --epochs 1 --train-samples 16 --val-samples 8 --test-samples 16 --device cpu"
    models = "--model unet[width=4] --model unet[width=24] --no-baselines"
    made = CliRunner().invoke(app, f"run {models} --loss bce {budget}".split(), catch_exceptions=False)
    assert made.exit_code == 0
    words = [
        "choose",
        "--max-latency",
        "10s",
        "--max-memory",
        "2GB",
        "--min",
        "mask_dice=0",
        "--seconds",
        "0.1",
        "--device",
        "cpu",
    ]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "2 of 2 candidates meet the limits" in done.output
    assert "latency, ms" in done.output and "memory, MiB" in done.output
    kept = {path: path.read_text() for path in Path("runs/latency").glob("*.json")}
    found = {made["key"]["model"]: made for made in map(json.loads, kept.values())}
    assert set(found) == {"unet[width=4]", "unet[width=24]"}
    assert all(made["ms"] > 0 and made["low"] <= made["ms"] <= made["high"] for made in found.values())
    assert found["unet[width=4]"]["peak_mib"] < found["unet[width=24]"]["peak_mib"]
    again = CliRunner().invoke(app, words, catch_exceptions=False)
    assert again.output == done.output
    assert {path: path.read_text() for path in Path("runs/latency").glob("*.json")} == kept
    between = sum(made["peak_mib"] for made in found.values()) / 2
    narrow = CliRunner().invoke(app, [*words[:3], "--max-memory", f"{between}MiB", *words[5:]], catch_exceptions=False)
    assert "1 of 2 candidates meet the limits" in narrow.output
    assert "unet[width=24]" not in narrow.output
    none = CliRunner().invoke(app, ["choose", "--max-latency", "0.0001ms", *words[7:]], catch_exceptions=False)
    assert "No candidate meets all the limits" in none.output


@pytest.mark.parametrize("name", ["explain", "slices", "choose"])
def test_no_folder(name: str) -> None:
    ended = CliRunner().invoke(app, [name, *(["unet"] if name == "slices" else []), "--results", "nowhere"])
    assert "there is no folder nowhere" in str(ended.exception)
