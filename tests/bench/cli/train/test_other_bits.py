"""The same spec, code and machine with other bits: an alarm from `bench run` and on the page, and the first stays."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.record import Record
from bench.results import store

RUN = (
    "run --model unet[width=4] --loss bce --size 32 --batch 8 --epochs 1 --train-samples 16 --val-samples 8 "
    "--test-samples 8 --no-baselines --device cpu"
)


def bench(words: str) -> str:
    done = CliRunner().invoke(app, words.split(), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def records() -> list[tuple[str, Record]]:
    return list(store.read_all(Path("results")))


def with_other_bits(record: Record) -> Record:
    scores = {name: score.model_copy(update={"value": 0.125}) for name, score in record.test.items()}
    return record.model_copy(update={"test": scores, "checksum": None})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run was made, whose record then got other bits."""
    monkeypatch.chdir(tmp_path)
    bench(RUN)
    ((name, first),) = records()
    Path("results", name).write_text(store.sealed(with_other_bits(first)))
    return tmp_path


def test_a_repetition_with_other_bits_is_an_alarm_and_the_first_stays(folder: Path) -> None:
    ((first, _),) = records()
    said = bench(f"{RUN} --again")
    second = next(name for name, _ in records() if name != first)
    assert f"alarm: seed 0 of `unet[width=4]` has two results by one code on one kind of arithmetic: {first}" in said
    assert f"which counts, and {second}" in said
    page = Path("leaderboard.md").read_text()
    assert second in page.split("### Alarms")[1]
    row = next(line for line in page.splitlines() if "`unet[width=4]`" in line)
    assert "0.1250" in row
    assert "alarm: seed 0 of `unet[width=4]` has two results" in bench("compare unet[width=4] unet[width=4]")
    assert f"already run on this machine with this code: results/{first}" in bench(RUN)


def test_a_repetition_with_the_same_bits_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bench(RUN)
    assert "alarm" not in bench(f"{RUN} --again")
    assert len(records()) == 2
    assert "### Alarms" not in Path("leaderboard.md").read_text()
