"""Every command line that help and pages give as an example is read: its options and the names in it exist."""

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from bench.cli import app
from bench.core.protocol import find_protocol
from registry.losses import parse
from registry.models import models

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GRID = 'model = ["unet"]\n'
PROGRAM = typer.main.get_command(app)


def lines_of_pages() -> Iterator[tuple[str, str]]:
    """Where it stands, and the command, for each line of a block of shell commands."""
    for page in PAGES:
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.S | re.M):
            if language in ("", "sh", "bash", "shell"):
                whole = block.replace("\\\n", " ")
                yield from ((page.name, line) for line in whole.splitlines() if line.startswith("bench "))


def lines_of_help() -> Iterator[tuple[str, str]]:
    """Where it stands, and the command, for each example in a command's help."""
    for folder in ("train", "read", "use", "check", "develop"):
        for path in sorted((ROOT / "bench" / "cli" / folder).glob("[!_]*.py")):
            module = importlib.import_module(f"bench.cli.{folder}.{path.stem}")
            for name, text in inspect.getmembers(module, lambda value: isinstance(value, str)):
                if name.endswith("EXAMPLES"):
                    yield from ((f"{folder}/{path.stem}", line) for line in text.strip().splitlines())


def parsed(line: str) -> tuple[click.Context, click.Command]:
    """The command and its values, as click reads the line; nothing is run."""
    _, *words = shlex.split(line, comments=True)
    context: click.Context = click.Context(PROGRAM, info_name="bench")
    command: click.Command = PROGRAM
    while isinstance(command, click.Group):
        name, command, words = command.resolve_command(context, words)
        assert command is not None
        context = click.Context(command, info_name=name, parent=context)
    return command.make_context(command.name, words, parent=context.parent), command


LINES = [*lines_of_pages(), *lines_of_help()]


def test_there_are_examples_of_every_command() -> None:
    shown = {" ".join(parsed_name(line)) for _, line in lines_of_help()}
    commands = {command.name for command in app.registered_commands}
    assert commands <= shown
    assert {"data inspect", "data pack", "data export"} <= shown
    assert len([page for page, _ in LINES if page == "README.md"]) > 20


def parsed_name(line: str) -> list[str]:
    words = line.split()[1:3]
    return words if words[0] == "data" else words[:1]


@pytest.mark.parametrize(("where", "line"), LINES, ids=[f"{where}: {line[:60]}" for where, line in LINES])
def test_it_is_read(where: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(GRID)
    context, command = parsed(line)
    values = context.params
    if command.name == "sweep":
        return  # patterns of names
    keys = values.get("model") or []
    for key in [keys] if isinstance(keys, str) else keys:
        if ":" not in key:
            models.canonical(key)
    recipes = values.get("loss") or []
    for recipe in [recipes] if isinstance(recipes, str) else recipes:
        if not re.search(r"\b(my_term\w*|mine\w*):", recipe):
            parse(recipe)
    if isinstance(values.get("protocol"), str) and not values["protocol"].endswith(".toml"):
        find_protocol(values["protocol"])
