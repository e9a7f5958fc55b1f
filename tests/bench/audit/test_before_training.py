"""The audit on the command line and before every training: one line, in the record, and a refusal if asked for."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.audit.audit import CHECKS
from bench.cli import app
from bench.core.finding import Unsound
from bench.core.protocol import find_protocol
from bench.results import store
from bench.run.experiment import Experiment
from bench.train.events import Listener
from tests.bench.audit.scenes import Scenes
from tests.bench.command import bench

TINY = find_protocol("quick").override(
    epochs=1, size=32, batch=8, train_samples=16, val_samples=8, test_samples=8, optimizer="adam"
)


def experiment(folder: Path, loss: str, **more) -> Experiment:
    return Experiment(
        ["unet[width=4]"], loss, Scenes(), protocol=TINY, device="cpu", precision="float32",
        results=folder / "results", runs=folder / "runs", **{"seeds": [0], **more},
    )  # fmt: skip


def test_it_is_announced_once_and_recorded(tmp_path: Path) -> None:
    lines: list[str] = []
    made = list(experiment(tmp_path, "bce_rmse", seeds=[0, 1]).run(Listener(), lines.append))
    assert [line for line in lines if line.startswith("audit")] == [f"audit: ok, {len(CHECKS)} checks"]
    audits = {record.spec.model: record.audit for record, _, _ in made}
    assert audits.pop("unet[width=4]") != []
    assert list(audits.values()) == [[], [], []]  # what learns nothing has no recipe
    kept = [record.audit for _, record in store.read_all(tmp_path / "results") if record.spec.recipe]
    assert [[verdict.check for verdict in audit] for audit in kept] == 2 * [[check.__name__ for check in CHECKS]]


def test_what_is_broken_is_trained_all_the_same_and_marked(tmp_path: Path) -> None:
    lines: list[str] = []
    ((record, _, _),) = experiment(tmp_path, "bce_ssim@published", baselines=False).run(Listener(), lines.append)
    assert any(line.startswith("audit: broken: saturated") for line in lines)
    assert next(verdict for verdict in record.audit if verdict.check == "saturated").grade == "broken"


def test_strict_refuses_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Unsound, match=r"saturated: depth\.ssim\[range=255\]"):
        list(experiment(tmp_path, "bce_ssim@published", strict=True).run(Listener(), lambda line: None))
    assert list(tmp_path.iterdir()) == []


def test_strict_trains_what_is_sound(tmp_path: Path) -> None:
    lines: list[str] = []
    list(experiment(tmp_path, "bce_rmse", strict=True, baselines=False).run(Listener(), lines.append))
    assert sum(line.startswith("audit: ok") for line in lines) == 1
    assert len(list((tmp_path / "results").glob("*.json"))) == 1


def test_strict_on_the_command_line(tmp_path: Path) -> None:
    words = ["run", "--model", "unet[width=4]", "--loss", "bce_ssim@published", "--strict", "--size", "32"]
    done = bench(tmp_path, *words)
    assert done.returncode == 5, done.stderr
    assert "saturated" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_sound_experiment() -> None:
    done = CliRunner().invoke(app, ["audit", "--model", "unet[width=4]", "--strict"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"audit: ok, {len(CHECKS)} checks" in done.stdout


def test_a_broken_one(tmp_path: Path) -> None:
    words = ["audit", "--model", "unet[width=4]", "--loss", "bce_ssim@published", "--split", "shared"]
    words += ["--schedule", "step[every=1,gamma=0.01]", "--epochs", "3", "--json", str(tmp_path / "audit.json")]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "audit: broken: saturated, split; warn: schedule" in done.stdout
    assert "[range=255]" in done.stdout
    found = {verdict["check"]: verdict for verdict in json.loads((tmp_path / "audit.json").read_text())}
    assert list(found) == [check.__name__ for check in CHECKS]
    assert found["split"]["grade"] == "broken"
    assert CliRunner().invoke(app, [*words, "--strict"]).exit_code == 5
