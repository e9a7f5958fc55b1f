"""Groups of options: spelled out in a command's signature and help, passed to it as an object."""

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pytest
import typer
from typer.testing import CliRunner

import bench.cli
from bench.cli import app
from bench.cli.options.data import option_help
from bench.cli.options.expand import expand, plain
from bench.core.errors import BenchError
from bench.data.sources import BUILT_IN, declared


@dataclass(frozen=True)
class Group:
    panel: ClassVar[str] = "A panel"

    width: Annotated[int, typer.Option(min=1, help="Such as unet[width=64].")] = 32
    names: Annotated[list[str] | None, typer.Option("--name", help="Repeatable.")] = None


@dataclass(frozen=True)
class Wide(Group):
    width: Annotated[int, typer.Option(min=1)] = 64


def command_of(group: type[Group], calls: list[object]) -> typer.Typer:
    def run(*, key: Annotated[str, typer.Argument()], options: group, again: bool = False) -> None:  # type: ignore[valid-type]
        """Run it."""
        calls.append((key, options, again))

    made = typer.Typer(rich_markup_mode="rich")
    made.command()(expand(run))
    return made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["unet"], ("unet", Group(), False)),
        (["unet", "--width", "8", "--name", "a", "--name", "b", "--again"], ("unet", Group(8, ["a", "b"]), True)),
    ],
)
def test_a_group_arrives_as_an_object(words: list[str], expected: object) -> None:
    calls: list[object] = []
    ended = CliRunner().invoke(command_of(Group, calls), words)
    assert ended.exit_code == 0, ended.output
    assert calls == [expected]


def test_a_group_may_change_a_default() -> None:
    calls: list[object] = []
    CliRunner().invoke(command_of(Wide, calls), ["unet"])
    assert calls == [("unet", Wide(64), False)]


def test_ranges_are_checked_and_help_stands_in_its_panel() -> None:
    made = command_of(Group, [])
    assert CliRunner().invoke(made, ["unet", "--width", "0"]).exit_code == 2
    page = CliRunner().invoke(made, ["--help"]).output
    assert "A panel" in page
    assert "unet[width=64]" in page


def test_two_options_of_one_name_are_a_mistake() -> None:
    def run(*, width: int = 1, options: Group) -> None: ...

    with pytest.raises(TypeError, match="width"):
        expand(run)


@pytest.mark.parametrize(
    "text", ["unet[width=64]", "[x>=1]", "a[1]", "no markup", "'unet:mask: bce'", "a:mask:b[c=1]:cat:"]
)
def test_markup_means_itself(text: str) -> None:
    from rich.text import Text

    assert Text.from_markup(plain(text)).plain == text


@pytest.mark.parametrize("name", [command.name or "" for command in app.registered_commands])
def test_every_command_has_help_with_examples_to_copy(name: str) -> None:
    page = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert "Examples:" in page
    assert any(line.strip().startswith(f"bench {name}") for line in page.splitlines())
    assert "..." not in page.split("Usage")[1].split("╭")[0].replace("[OPTIONS]", "").replace("]...", "")


def test_examples_stand_in_help_as_they_are_typed() -> None:
    for module in pkgutil.walk_packages(bench.cli.__path__, "bench.cli."):
        for name, lines in vars(importlib.import_module(module.name)).items():
            if name.endswith("EXAMPLES"):
                command = lines.split()[1:3] if name != "EXAMPLES" else lines.split()[1:2]
                page = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}).output
                shown = [line.strip() for line in page.splitlines()]
                assert [line for line in lines.strip().splitlines() if line not in shown] == []


def test_a_plugin_that_ends_the_program_is_named_with_its_place() -> None:
    """A plug-in that exits with status 0 would look like success."""

    def command(name: str) -> None:
        raise SystemExit(0)

    with pytest.raises(BenchError, match=r"plug-in ended the program: SystemExit: 0 \(test_options.py, line \d+\)"):
        expand(command)(name="x")


def test_help_has_the_words_and_the_default_of_every_source() -> None:
    kinds = {kind: option for kind in BUILT_IN for option in declared(kind) if option.name == "depth_unit"}
    said = option_help(kinds, None)
    for kind, option in kinds.items():
        assert f"{option.help.removesuffix('.')} ({kind}). [default: {option.default}]" in said
    cameras = {kind: option for kind in BUILT_IN for option in declared(kind) if option.name == "camera"}
    assert option_help(cameras, None).endswith("[default: handheld (synthetic, composed), still (stored)]")
    assert option_help(cameras, "still").endswith("[default: still]")
