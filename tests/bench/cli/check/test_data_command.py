"""``bench data`` and ``--data stored``, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bench.cli import app
from bench.core.errors import BadData, BenchError
from tests.bench.data.stored.conftest import Folder

runner = CliRunner()


def bench(*words: object):
    """Exit status and what is printed; errors are raised as `main` would meet them."""
    result = runner.invoke(app, ["data", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path / "data", backgrounds=6, objects=6).root


def test_inspect_prints_draws_writes_and_ends_as_it_found(root: Path) -> None:
    words = (
        "inspect",
        "--data",
        "stored",
        "--root",
        root,
        "--split",
        "unseen-bg",
        "--size",
        "48",
        "--sheet",
        "s.png",
        "--json",
        "f.json",
    )
    done = bench(*words)
    assert done.exit_code == 0
    assert "recognised as pairs" in done.output
    assert Image.open("s.png").width > 300
    findings = json.loads(Path("f.json").read_text())["findings"]
    assert {finding["check"] for finding in findings if finding["grade"] != "ok"} <= {"parts"}
    (root / "bg_fg/x.heic").write_bytes(b"")
    assert bench(*words).exit_code == 0
    assert bench(*words, "--strict").exit_code == 5
    assert bench(*words, "--foreground", "black").exit_code == 5


def test_bad_files_end_in_3_and_nothing_is_written(root: Path) -> None:
    (root / "mask/bg001_fg001_01.png").write_bytes(b"x")
    before = sorted(Path().rglob("*"))
    with pytest.raises(BadData, match="not an image"):
        bench("inspect", "--data", "stored", "--root", root, "--json", "f.json")
    assert sorted(Path().rglob("*")) == before
    assert bench("inspect", "--data", "stored", "--root", root, "--split", "unseen-bg", "--skip-bad").exit_code == 0


def test_export_and_pack(root: Path) -> None:
    words = (
        "export",
        "--data",
        "stored",
        "--root",
        root,
        "--split",
        "shared",
        "--files",
        "004",
        "--count",
        "36",
        "--size",
        "48",
    )
    done = bench(*words, "--out", "four.zip")
    assert "36 quartets in layout 004" in done.output
    with pytest.raises(BenchError, match="exists already"):
        bench(*words, "--out", "four.zip")
    packed = bench(
        "pack", "--data", "stored", "--root", "four.zip", "--split", "shared", "--size", "24", "--size", "32"
    )
    assert packed.output.count("36 quartets of") == 2
    with pytest.raises(BenchError, match="only --data stored"):
        bench("pack", "--size", "24")
    with pytest.raises(BenchError, match="known: 000"):
        bench("export", "--files", "005", "--count", "3", "--out", "x")


def test_one_is_singular(root: Path) -> None:
    data = ("--data", "stored", "--root", root, "--split", "shared")
    assert "1 quartet in layout 003" in bench("export", *data, "--files", "003", "--count", "1", "--out", "x").output
    (root / "notes.txt").touch()
    for path in (root / "bg_fg").iterdir():
        number = path.stem.partition("_")[0]
        if number not in ("bg001", "bg002", "bg003") or "_fg001" not in path.stem:
            for field in ("bg_fg", "mask", "depth"):
                (root / field / path.name).unlink(missing_ok=True)
    said = bench("inspect", "--data", "stored", "--root", root, "--split", "unseen-bg").output
    assert "1 quartet, 1 inspected: 1 background, 1 object\n" in said
    assert "1 other file not looked at" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--files", "005", "--out", "x"), "known: 000"),
        (("--files", "003", "--out", "x", "--part", "tset"), "known: all, train"),
        (("--files", "003", "--out", "file"), "file is a file: choose a folder"),
        (("--files", "003", "--out", "file/x"), "--out: cannot write"),
        (("--files", "003", "--out", "file.zip"), "exists already"),
    ],
)
def test_an_export_is_refused_before_data_is_opened(root: Path, words: tuple[str, ...], reason: str) -> None:
    """Opening may take minutes; the root here is none."""
    Path("file").touch()
    Path("file.zip").touch()
    with pytest.raises(BenchError, match=reason):
        bench("export", "--data", "stored", "--root", "nowhere", "--count", "3", *words)


def test_masks_of_classes_are_a_warning_wherever_data_is_opened(root: Path) -> None:
    for path in (root / "mask").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 255 * 2).save(path)
    done = bench("export", "--data", "stored", "--root", root, "--files", "pairs", "--count", "2", "--out", "x")
    assert "data: WARNING: masks hold the numbers 0, 2" in done.stderr
    assert "--mask-values 'fg=2'" in done.stderr


def test_an_export_of_more_than_there_is_says_so(root: Path) -> None:
    """What validation and test lack of their shares training has."""
    words = ("export", "--data", "stored", "--root", root, "--files", "pairs", "--size", "16")
    left = "split unseen-both: 16 train, 1 val, 1 test"
    done = bench(*words, "--count", "17", "--out", "some")
    assert left in done.output
    assert "some: 17 quartets in layout pairs" in done.output
    done = bench(*words, "--count", "20", "--out", "all")
    assert "all: 18 quartets in layout pairs (not 20: the data has no more)" in done.output


def test_a_stopped_export_goes_on_and_another_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.data.stored.export import exporter

    words = ("export", "--files", "003", "--count", "12", "--size", "32", "--rooms", "12", "--figures", "12")
    assert bench(*words, "--out", "whole").exit_code == 0
    monkeypatch.setattr(exporter, "_AT_ONCE", 4)
    write, calls = exporter._write, []

    def stop(*given, **named):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write(*given, **named)

    monkeypatch.setattr(exporter, "_write", stop)
    assert runner.invoke(app, ["data", *words, "--out", "part"]).exit_code != 0
    with pytest.raises(BenchError, match="not empty"):
        bench(*words[:3], "--count", "13", *words[5:], "--out", "part")
    assert bench(*words, "--out", "part").exit_code == 0
    assert len(calls) == 4, "two of three pieces existed"
    files = {
        name: {path.relative_to(name): path.read_bytes() for path in Path(name).rglob("*") if path.is_file()}
        for name in ("whole", "part")
    }
    assert files["whole"] == files["part"]


def test_a_depth_range_is_two_numbers(root: Path) -> None:
    done = bench("inspect", "--data", "stored", "--root", root, "--split", "shared", "--depth-range", "0", "4")
    assert "metric, 1.0 = 4 m" in done.output
