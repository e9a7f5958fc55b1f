"""A system is run in both forms, its figures are kept, and the page is a function of them."""

from functools import partial
from pathlib import Path

import pytest
import torch

from bench.core import files
from bench.core.errors import BadData
from bench.core.protocol import Stage
from bench.reproduce.measures import coefficient, root_error
from bench.reproduce.page import page, section
from bench.reproduce.reproduction import FigureRow, Reproduction, TrialResult, latest, write
from bench.reproduce.run import Reproducer
from bench.reproduce.system import Budget, QuotedFigure, System, Trial, TrialForm
from bench.reproduce.systems import SYSTEMS
from bench.results import store
from tests.bench.command import bench
from tests.bench.rectangles import Rectangles

TINY = Budget((Stage(size=16, batch=8, epochs=6),), samples=32)
RMSE = partial(root_error, head="depth")
SYSTEM = System(
    key="000",
    title="A small one",
    stretched=True,
    trials=(
        Trial(
            title="Divided twice",
            fault="Too small. Put right.",
            published=TrialForm("unet[width=4]", "bce@published", "adam[lr=0.03]", "constant"),
            corrected=TrialForm("unet[width=4]", "bce", "adam[lr=0.03]", "constant", augmentation="flip"),
            figures=(
                QuotedFigure("Coef", ".003", partial(coefficient, divided=255), coefficient),
                QuotedFigure("RMSE", "–", RMSE, RMSE),
            ),
            small=TINY,
            full=TINY,
        ),
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reproduced")


@pytest.fixture(scope="module")
def reproduced(folder: Path) -> Reproduction:
    return Reproducer(Rectangles(), torch.device("cpu"), folder, folder / "runs").reproduce(SYSTEM)


def test_both_forms_are_run_and_recorded(folder: Path, reproduced: Reproduction) -> None:
    (trial,) = reproduced.trials
    records = dict(store.read_all(folder))
    assert set(trial.records.values()) == set(records)
    published, corrected = (records[trial.records[form]].spec for form in ("published", "corrected"))
    assert "standardised[std=255]" in published.recipe
    assert "standardised" not in corrected.recipe
    assert published.protocol.stages == corrected.protocol.stages
    assert reproduced.data["encoding"].startswith("per image")


def test_the_published_fault_shows_and_is_put_right(reproduced: Reproduction) -> None:
    coef, rmse = reproduced.trials[0].rows
    assert coef.published < coef.truth < 0.008  # the truth itself scores next to nothing
    assert coef.corrected > 0.3
    assert rmse.truth == pytest.approx(0, abs=1e-4)
    assert rmse.corrected < rmse.published


def row(value: float | None) -> FigureRow:
    return FigureRow(figure="Coef", quoted=".003", published=value, corrected=0.5, truth=None)


def made(when: str, system: str = "002", full: bool = False, value: float | None = 0.25) -> Reproduction:
    trial = TrialResult(
        title=SYSTEMS[system].trials[0].title,
        samples=32,
        stages="6 x 16 px (batch 8)",
        rows=[row(value)],
        outcomes={"published": "diverged", "corrected": "finished"},
        records={"published": "a.json", "corrected": "b.json"},
    )
    return Reproduction(
        system=system,
        full=full,
        data={"kind": "synthetic", "camera": "still", "encoding": "metric"},
        made=when,
        code="0" * 12,
        machine="A processor",
        seconds=3.2,
        trials=[trial],
    )


def test_the_latest_of_each_counts(tmp_path: Path) -> None:
    for reproduction in (
        made("2026-01-02T00:00:00+00:00", value=0.2),
        made("2026-01-01T00:00:00+00:00", value=0.1),
        made("2026-01-01T00:00:00+00:00", full=True),
        made("2026-01-01T00:00:00+00:00", system="001"),
    ):
        write(tmp_path, reproduction)
    found = latest(tmp_path)
    assert [(each.system, each.full) for each in found] == [("001", False), ("002", False), ("002", True)]
    assert found[1].trials[0].rows[0].published == 0.2
    assert page(found) == page(latest(tmp_path))


def test_the_page_shows_figures_faults_and_failures() -> None:
    shown = section(made("2026-01-02T00:00:00+00:00", value=None))
    assert "| Coef | .003 | – | 0.5 | – |" in shown
    assert SYSTEMS["002"].trials[0].fault in shown
    assert "The published form ended as diverged." in shown
    assert "still camera" in shown


def test_a_damaged_reproduction_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, made("2026-01-02T00:00:00+00:00"))
    path.write_text("{")
    with pytest.raises(BadData, match=path.name):
        latest(tmp_path)


def test_from_the_command_line(tmp_path: Path) -> None:
    unknown = bench(tmp_path, "reproduce", "009")
    assert unknown.returncode == 2
    assert "published system" in unknown.stderr
    assert bench(tmp_path, "reproduce").returncode == 2
    stale = bench(tmp_path, "reproduce", "--check")
    assert stale.returncode == 1
    write(tmp_path / "results/reproduction", made("2026-01-02T00:00:00+00:00"))
    files.replace(tmp_path / "docs/reproduction.md", page(latest(tmp_path / "results/reproduction")))
    assert bench(tmp_path, "reproduce", "--check").returncode == 0
