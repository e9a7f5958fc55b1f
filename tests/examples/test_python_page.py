"""docs/python.md has every command, and each of its blocks runs as it stands, but for a smaller budget."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import shutil
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image

from bench.cli import app
from bench.core.protocol import find_protocol
from bench.data.sources import open_source
from bench.data.stored.export import export
from bench.run.experiment import Experiment
from bench.train.events import Listener

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text()
BLOCKS = dict(re.findall(r"\*\*`bench ([\w ]+)`\*\*\n\n```python\n(.*?)```", PAGE, re.S))
NAMED = sorted({*re.findall(r"`((?:bench|registry)(?:\.\w+)+)`", re.sub(r"```python.*?```", "", PAGE, flags=re.S))})
"""Dotted names outside its blocks."""
TINY = {"epochs": 1, "size": 32, "batch": 8, "train_samples": 16, "val_samples": 8, "test_samples": 8}
SMALLER = {
    'find_protocol("quick")': f'find_protocol("quick").override(**{TINY})',
    'models=["unet", "wnet"]': 'models=["unet[width=4]"]',
    'Grid(["unet", "wnet"], ["bce_ssim", "bce"])': 'Grid(["unet[width=4]"], ["bce"])',
    "seeds=range(3)": "seeds=[0]",
    "seconds=20": "seconds=0.1",
    "samples=256": "samples=8",
    "samples=64": "samples=8",
    "count=1000": "count=8",
    "batch=32": "batch=2",
    '"unet", "bce_ssim"': '"unet[width=4]", "bce_ssim"',
    "wnet:bce_ssim": "unet[width=4]:bce_ssim",
    'slices(Path("results"), "unet"': 'slices(Path("results"), "unet[width=4]"',
}
PRINTED = {
    "run": r"unet\[width=4\] finished",
    "sweep": r"unet\[width=4\] bce finished",
    "profile": "unattributed",
    "tax": "bce_ssim ",
    "runs": "finished",
    "leaderboard": "leaderboard.md",
    "report": r"\d{7}",
    "compare": "mask_dice (better|worse|equal|cannot separate)",
    "explain": "seed ",
    "choose": "wnet True ",
    "slices": "mask area ",
    "export": "mask_dice",
    "predict": r"\[\]",
    "evaluate": "evaluations",
    "robust": "blur",
    "audit": "ok ",
    "check": "ok ",
    "list": "ugent_unet",
    "show": "Conv2d",
    "doctor": "device",
    "data inspect": "ok ",
    "data pack": "runs/packed/stored",
    "data export": r"\d",
}
NOT_RUN = {"reproduce", "regress"}
"""Minutes each: tested where they are defined."""


def commands(group: typer.Typer = app, prefix: str = "") -> set[str]:
    """Every command of the program, with the group that it is in."""
    found = {f"{prefix}{command.name}" for command in group.registered_commands}
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        found |= commands(inner.typer_instance, f"{prefix}{inner.typer_instance.info.name or inner.name or 'data'} ")
    return found


def test_the_page_has_a_block_for_every_command() -> None:
    assert set(BLOCKS) == commands()
    assert set(BLOCKS) >= set(PRINTED) | NOT_RUN


@pytest.mark.parametrize("command", BLOCKS)
def test_what_it_imports_exists_and_takes_its_arguments(command: str) -> None:
    tree = ast.parse(BLOCKS[command])
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            module = importlib.import_module(node.module)
            names |= {alias.name: getattr(module, alias.name) for alias in node.names}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in calls:
        called = names.get(ast.unparse(call.func))
        if called is not None:
            keywords = {str(keyword.arg): None for keyword in call.keywords}
            inspect.signature(called).bind(*call.args, **keywords)


@pytest.mark.parametrize("name", NAMED)
def test_what_it_names_exists(name: str) -> None:
    pkgutil.resolve_name(name)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results and weights of a tiny run, photographs, and quartets."""
    folder = tmp_path_factory.mktemp("trained")
    tiny = find_protocol("quick").override(**TINY | {"test_samples": 64})
    made = Experiment(
        models=["unet[width=4]"],
        loss="bce_ssim",
        protocol=tiny,
        seeds=[0],
        source=open_source("synthetic"),
        results=folder / "results",
        runs=folder / "runs",
    )
    assert [record.outcome for record, _, _ in made.run(Listener(), print) if record.recipe_name != "none"] == [
        "finished"
    ]
    (folder / "photos").mkdir()
    for path in ("photos/a.jpg", "empty_room.jpg"):
        Image.new("RGB", (48, 32), "teal").save(folder / path)
    export(open_source("synthetic", camera="still"), "003", 256, folder / "quartets.zip", 32)
    return folder


@pytest.mark.parametrize("command", sorted(set(BLOCKS) - NOT_RUN))
def test_it_runs(
    command: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copy(ROOT / "examples" / "my_model.py", tmp_path)
    if command in ("compare", "leaderboard", "explain", "choose"):
        shutil.rmtree(tmp_path / "results")
        shutil.copytree(ROOT / "results", tmp_path / "results")
    code = BLOCKS[command]
    for whole, small in SMALLER.items():
        code = code.replace(whole, small)
    torch.manual_seed(0)
    exec(compile(code, f"docs/python.md: {command}", "exec"), {"__name__": "__main__"})
    assert re.search(PRINTED.get(command, r"\S"), capsys.readouterr().out)
