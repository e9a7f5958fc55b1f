"""What was measured is written before anything is printed: a closed pipe, or a full terminal log, loses none of it."""

from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bench.cli import app
from bench.profile import training

PROFILE = ["profile", "--model=unet[width=4]", "--device=cpu", "--batch=2", "--size=16", "--seconds=0"]
COMMANDS = {
    "profile": (
        [*PROFILE, "--bottleneck"],
        {"--json": "p.json", "--trace": "t.json", "--html": "p.html", "--picture": "p.png"},
    ),
    "profile --vs": ([*PROFILE, "--vs=unet[width=8]"], {"--json": "vs.json"}),
    "tax": (["tax", "--loss=bce", "--size=16", "--batch=1", "--device=cpu"], {"--out": "tax.md"}),
    "audit": (["audit", "--model=unet[width=4]", "--loss=bce", "--train-samples=64"], {"--json": "audit.json"}),
    "check": (["check", "examples.my_term:charbonnier", "--head=depth"], {"--json": "check.json"}),
}


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a step or two: nothing here depends on how well they measure."""
    monkeypatch.setitem(training._WINDOW_SECONDS, "cpu", 0.01)


class Closed(Exception):
    """Nobody reads what is printed."""


def closed(*_args: object, **_more: object) -> None:
    raise Closed


@pytest.mark.parametrize("name", COMMANDS)
def test_files_are_complete_when_printing_fails(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, files = COMMANDS[name]
    monkeypatch.setattr(Console, "print", closed)
    monkeypatch.setattr(typer, "echo", closed)
    given = [f"{option}={tmp_path / file}" for option, file in files.items()]
    done = CliRunner().invoke(app, [*words, *given])
    assert isinstance(done.exception, Closed), done.output
    assert {path.name for path in tmp_path.iterdir()} == set(files.values())
    assert all(path.stat().st_size > 100 for path in tmp_path.iterdir())
