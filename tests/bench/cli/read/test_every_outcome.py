"""Every outcome of a run, and records of both formats, through every command that reads: no failure is a score."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bench.core.record import Failure
from bench.results import store
from tests.bench.cli import terminals
from tests.bench.records import of_format_1, record
from tests.bench.results_folder import images, keep

OUTCOMES = ("diverged", "oom", "failed", "killed", "timeout")
HOSTILE = "no | such `layer` <img src=x>\nat [red]line[/red] 3"
READING = {
    "leaderboard --show": ["leaderboard", "--show"],
    "leaderboard --csv": ["leaderboard", "--csv", "-"],
    "leaderboard --json": ["leaderboard", "--json", "-"],
    "leaderboard": ["leaderboard", "--out", "board.md"],
    "compare": ["compare", "unet", "wnet"],
    "compare with itself": ["compare", "unet", "unet", "--seeds-a", "0", "--seeds-b", "1"],
    "explain": ["explain", "--metric", "mask_dice"],
    "choose": ["choose", "--no-measure"],
    "export": ["export", "runs.csv"],
    "export --per-image": ["export", "images.csv", "--per-image"],
}
SCORED = {"leaderboard --show", "leaderboard --csv", "leaderboard --json", "compare", "choose", "explain"}
"""Commands whose output is of finished runs alone, so that failures change nothing in it."""


def sound(folder: Path) -> None:
    for seed in range(2):
        keep(folder / "results", 0.70 + seed / 100, seed, model="unet")
        keep(folder / "results", 0.80 + seed / 100, seed, model="wnet")


def failures(folder: Path) -> None:
    """A run of each outcome, of a model that has scores and of a model that has none."""
    for place, outcome in enumerate(OUTCOMES):
        failure = Failure(phase="training", epoch=1, step=3, samples=[4, 5], exception="ValueError", peak_mib=1.5)
        for model in ("unet", "masknet"):
            failed = record(model, seed=10 + place, outcome=outcome, failure=failure)
            store.write(folder / "results", failed.model_copy(update={"reason": HOSTILE}), {})


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, str]]]:
    """What every command says of folders with and without failures."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("sound", "with failures"):
            folder = tmp_path_factory.mktemp(kind.replace(" ", "_"))
            sound(folder)
            if kind != "sound":
                failures(folder)
            patch.chdir(folder)
            texts = {}
            for name, words in READING.items():
                status, texts[name] = terminals.run(patch, terminals.PIPE, *words)
                assert status == 0, (name, texts[name])
            found[kind] = folder, texts
    return found


@pytest.mark.parametrize("name", READING)
def test_every_command_reads_what_did_not_finish(name: str, printed: dict[str, tuple[Path, dict[str, str]]]) -> None:
    assert "Traceback" not in printed["with failures"][1][name]


@pytest.mark.parametrize("name", sorted(SCORED - {"leaderboard --show", "leaderboard --csv", "leaderboard --json"}))
def test_a_failure_changes_no_score(name: str, printed: dict[str, tuple[Path, dict[str, str]]]) -> None:
    before, after = (printed[kind][1][name] for kind in ("sound", "with failures"))
    assert after.replace("2 of 7", "2") == before or "masknet" not in after


def lines(printed: dict[str, tuple[Path, dict[str, str]]], kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed[kind][1]["leaderboard --csv"])))


def test_the_board_counts_failures_beside_the_scores(printed: dict[str, tuple[Path, dict[str, str]]]) -> None:
    before, after = (lines(printed, kind) for kind in ("sound", "with failures"))
    assert [line["model"] for line in after] == [line["model"] for line in before]
    assert {line["model"]: line.pop("unfinished") for line in after} == {"unet": "5", "wnet": "0"}
    assert {line.pop("unfinished") for line in before} == {"0"}
    assert after == before
    assert json.loads(printed["with failures"][1]["leaderboard --json"])[1]["unfinished"] in (0, 5)


def test_the_page_names_each_failure_once_and_escapes_its_reason(
    printed: dict[str, tuple[Path, dict[str, str]]],
) -> None:
    page = (printed["with failures"][0] / "board.md").read_text()
    section = page.split("### Not finished")[1].split("##")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == 2 * len(OUTCOMES)
    for outcome in OUTCOMES:
        assert sum(f"| {outcome} |" in row for row in rows) == 2
    assert all(row.count(" | ") == 5 and "<img" not in row and "\\[red\\]" in row for row in rows)
    assert "### Not finished" not in (printed["sound"][0] / "board.md").read_text()


def test_exports_hold_every_record_and_the_images_of_finished_ones(
    printed: dict[str, tuple[Path, dict[str, str]]],
) -> None:
    folder, _ = printed["with failures"]
    table = list(csv.DictReader((folder / "runs.csv").open()))
    assert len(table) == 4 + 2 * len(OUTCOMES)
    assert {row["outcome"] for row in table} == {"finished", *OUTCOMES}
    for row in table:
        assert bool(row["mask_dice"]) == (row["outcome"] == "finished")
        assert row["reason"] == ("" if row["outcome"] == "finished" else HOSTILE)
    by_image = list(csv.DictReader((folder / "images.csv").open()))
    assert len(by_image) == 4 * len(images(0.7, 0)["sample"])
    assert {row["record"] for row in by_image} == {row["record"] for row in table if row["outcome"] == "finished"}


@pytest.mark.parametrize("name", ["leaderboard --csv", "compare", "choose"])
def test_records_of_format_1_say_what_those_of_format_2_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: dict[str, tuple[Path, dict[str, str]]]
) -> None:
    sound(tmp_path)
    for path in sorted((tmp_path / "results").glob("*.json")):
        if path.name != store.SCHEMA:
            path.write_text(of_format_1(store.read(path)))
    monkeypatch.chdir(tmp_path)
    status, text = terminals.run(monkeypatch, terminals.PIPE, *READING[name])
    assert status == 0, text
    assert text == printed["sound"][1][name]


def test_a_folder_without_a_record_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, words in READING.items():
        status, text = terminals.run(monkeypatch, terminals.PIPE, *words)
        assert "Traceback" not in text
        if name.startswith(("compare", "explain", "choose")):
            assert status == 2, (name, text)
        else:
            assert status == 0, (name, text)
    assert "There are no records yet" in (tmp_path / "board.md").read_text()
