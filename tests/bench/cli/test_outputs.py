"""Outputs and numbers on the command line are tried before any work, for every command that takes them."""

import csv
import io
import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BenchError
from tests.bench.results_folder import keep

RUN = ["run", "--model", "unet[width=4]", "--no-baselines"]
WRITTEN = {
    "--out of run": [*RUN, "--out"],
    "--results of run": [*RUN, "--results"],
    "--runs of run": [*RUN, "--runs"],
    "--out of leaderboard": ["leaderboard", "--out"],
    "--csv of leaderboard": ["leaderboard", "--csv"],
    "--json of leaderboard": ["leaderboard", "--json"],
    "--out of report": ["report", "--out"],
    "OUT of export": ["export"],
    "--json of audit": ["audit", "--model", "unet[width=4]", "--json"],
    "--json of inspect": ["data", "inspect", "--json"],
    "--sheet of inspect": ["data", "inspect", "--sheet"],
    "--out of reproduce": ["reproduce", "000", "--out"],
    "--json of profile": ["profile", "--model", "unet[width=4]", "--json"],
    "--html of profile": ["profile", "--model", "unet[width=4]", "--html"],
    "--trace of profile": ["profile", "--model", "unet[width=4]", "--trace"],
    "--out of tax": ["tax", "--out"],
    "--json of check": ["check", "unet[width=4]", "--json"],
    "--json of robust": ["robust", "unet:bce", "--json"],
    "--picture of robust": ["robust", "unet:bce", "--picture"],
    "--out of predict": ["predict", "unet:bce", "--in", "results", "--out"],
    "--out of data export": ["data", "export", "--files", "003", "--count", "4", "--out"],
    "--out of sweep": ["sweep", "--model", "unet[width=4]", "--loss", "bce", "--out"],
}
PRINTED = "--csv of leaderboard", "--json of leaderboard", "OUT of export"
MADE_OF_RECORDS = [name for name in WRITTEN if name.split(" ", 2)[-1] in ("leaderboard", "report", "export")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keep(tmp_path / "results", 0.7, 0, model="unet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", WRITTEN)
def test_what_cannot_be_written_is_refused_before_any_work(name: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(app, [*WRITTEN[name], "/proc/nowhere/x"])
    assert isinstance(done.exception, BenchError) and done.exception.exit_code == 2, done.output
    assert str(done.exception).startswith(f"{name.split()[0]}: cannot write /proc/nowhere/x")
    assert done.output == ""
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in PRINTED])
def test_no_file_is_called_as_standard_output_is(name: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(app, [*WRITTEN[name], "-"])
    assert isinstance(done.exception, BenchError) and done.exception.exit_code == 2, done.output
    assert str(done.exception).startswith(f"{name.split()[0]}: cannot write -: it means standard output")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", PRINTED)
def test_a_table_goes_to_standard_output_alone(name: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(app, [*WRITTEN[name], "-"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout) if "json" in name else [*csv.DictReader(io.StringIO(done.stdout))]
    assert rows[0]["model"] == "unet"
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", MADE_OF_RECORDS)
def test_a_device_is_written_to_and_stays_one(name: str, folder: Path) -> None:
    try:
        os.mknod(folder / "nul", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device needs root")
    done = CliRunner().invoke(app, [*WRITTEN[name], "nul"])
    assert done.exit_code == 0, done.output
    assert (folder / "nul").is_char_device()
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.parametrize(
    "words",
    [
        f"{option} {value}"
        for option, values in {
            "--epochs": ("0", "-1", "nan", "inf", "9" * 21),
            "--size": ("-8", "999999999", "1e2"),
            "--batch": ("0", "99999999999"),
            "--train-samples": ("-5", "0", "9" * 12),
            "--seeds": ("0", "-1", "99999999999"),
            "--first-seed": ("-1", "9" * 21),
            "--optimizer": ("adam[lr=nan]", "adam[lr=inf]", "adam[lr=-1]", "adam[lr=0]"),
            "--schedule": ("step[every=0]", "step[every=-1]", "cosine[x=1]"),
            "--model": ("unet[width=100000000]", "unet[width=-1]", "unet[width=nan]", "unet[width=0]"),
        }.items()
        for value in values
    ],
)
def test_numbers_that_cannot_be_are_refused_before_any_work(words: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(app, [*RUN, *words.split()])
    error = done.exception
    assert error is not None
    assert done.exit_code == 2 or type(error).__module__.startswith(("bench.core.errors", "registry.errors")), error
    assert sorted(folder.rglob("*")) == before
