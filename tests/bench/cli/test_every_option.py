"""Every option of every command, as the program declares them: ranges, types, near-miss names, and what help says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from bench.cli import app
from bench.cli.usage import UsageError, usage_message
from bench.core.errors import BenchError

PROGRAM = typer.main.get_command(app)


def commands(group: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command by its words, those of groups too."""
    if hasattr(group, "commands"):
        for name, command in group.commands.items():
            yield from commands(command, (*names, name))
    else:
        yield " ".join(names), group


COMMANDS = dict(commands(PROGRAM))


def options(name: str) -> list[Any]:
    """The options of a command; `--help` is click's own."""
    return [param for param in COMMANDS[name].params if param.param_type_name == "option" and param.name != "help"]


def refusal(name: str, *words: str) -> str:
    """What is said of a command line that is refused before the command begins; nothing is run."""
    line = [*name.split(), *words]
    try:
        context: Any = PROGRAM.context_class(PROGRAM, info_name="bench")
        for part in name.split()[:-1]:
            context = PROGRAM.context_class(PROGRAM, info_name=part, parent=context)
        COMMANDS[name].make_context(name.split()[-1], [*words], parent=context)
    except UsageError as error:
        return usage_message(error, line)
    except BenchError as error:
        return str(error)
    return ""


def long(option: Any) -> str:
    found: str = next(name for name in option.opts if name.startswith("--"))
    return found


def kind(option: Any) -> str:
    """What its value, or each of its values, is: ``int``, ``float``, ``str``, ``Path`` ..."""
    return str(option.bare_type()).removeprefix("list[").removesuffix("]")


NUMBERS = [(name, option) for name in COMMANDS for option in options(name) if kind(option) in ("int", "float")]
IDS = [f"{name} {long(option)}" for name, option in NUMBERS]


def test_the_program_has_the_options_that_are_tested() -> None:
    assert len(COMMANDS) > 20 and len(NUMBERS) > 60
    assert {"data inspect", "run", "choose", "predict"} <= set(COMMANDS)


@pytest.mark.parametrize(("name", "option"), NUMBERS, ids=IDS)
def test_a_word_is_no_number(name: str, option: Any) -> None:
    noun = "integer" if kind(option) == "int" else "number"
    assert f"{long(option)} must be a valid {noun}, not 'many'" in refusal(name, long(option), "many")
    assert f"{long(option)} must be a valid {noun}, not ''" in refusal(name, f"{long(option)}=")


@pytest.mark.parametrize(("name", "option"), NUMBERS, ids=IDS)
def test_what_is_out_of_range_is_refused_with_the_range(name: str, option: Any) -> None:
    least, most = option.min, option.max
    below, above = (least - 1 if least is not None else None), (most + 1 if most is not None else None)
    for value, bound in ((below, least), (above, most)):
        if value is None:
            continue
        text = refusal(name, f"{long(option)}={value}")
        assert text.startswith(f"{long(option)} must be ") and f"not '{value}'" in text, text
        assert str(bound).removesuffix(".0") in text
        assert text.endswith(f"; see: bench {name} --help")
    for value in (least, most):
        if value is not None:
            assert f"{long(option)} must" not in refusal(name, f"{long(option)}={value}"), "the end itself is in it"


@pytest.mark.parametrize(("name", "option"), NUMBERS, ids=IDS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_no_number_is_infinite_or_none(name: str, option: Any, value: str) -> None:
    """NaN is in every range, as it is neither below nor above anything."""
    text = refusal(name, f"{long(option)}={value}", *required(name, option))
    assert text.startswith(f"{long(option)} must be "), text


def required(name: str, but: Any) -> list[str]:
    """Words for whatever else the command cannot do without."""
    words: list[str] = []
    for param in COMMANDS[name].params:
        if param.required and param is not but:
            value = "8" if kind(param) == "int" else "train" if param.name == "part" else "x"
            value = "models" if param.name == "kind" else value
            words += [value] if param.param_type_name == "argument" else [long(param), value]
    return words


@pytest.mark.parametrize("name", COMMANDS)
def test_a_misspelt_option_is_refused_with_the_right_one(name: str) -> None:
    known = {spelling for option in options(name) for spelling in (*option.opts, *option.secondary_opts)}
    for option in options(name):
        right = long(option)
        wrong = right[:-2] + right[-1] + right[-2]  # two letters change places
        if len(right) < 7 or wrong in known:
            continue
        text = refusal(name, wrong, "1")
        assert text.startswith(f"No such option: {wrong}"), text
        assert right in text, text
        assert f"see: bench {name} --help" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_without_its_value_is_refused(name: str) -> None:
    for option in options(name):
        if not option.is_flag:
            text = refusal(name, long(option))
            count = "an argument" if option.nargs == 1 else f"{option.nargs} arguments"
            assert text == f"Option '{long(option)}' requires {count}; see: bench {name} --help"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_stands_once_unless_it_is_repeatable(name: str) -> None:
    for option in options(name):
        if option.is_flag:
            continue
        twice = [long(option), "8", f"{long(option)}=8"]
        if option.nargs > 1:
            twice = [long(option), "1", "8", long(option), "1", "8"]
        text = refusal(name, *twice)
        if option.multiple:  # of the data's the source knows, see test_refusals
            assert "is given" not in text
            if long(option) != "--tune":  # its command says what to do with the second
                assert option.rich_help_panel == "Data" or "epeatable" in option.help, f"the help of {long(option)}"
        else:
            assert text == f"{option.opts[0]} is given 2 times; it takes a single value", text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_is_explained(name: str) -> None:
    for param in COMMANDS[name].params:
        about = getattr(param, "help", None)
        if getattr(param, "hidden", False) or param.name == "help":
            continue
        assert about, f"{name}: {param.name}"
        assert about[0].isupper() or about.split()[0].strip(",;") in ALLOWED or not about[0].isalpha(), about
        assert about.split(" \\[default")[0].rstrip()[-1] in ".)", f"{name}: {about!r}"


ALLOWED = {"auto", "eager", "float32", "channels_last", "train", "model", "machines:", "metric=number", "handheld"} | {
    "module:attribute", "mm", "median", "unseen-both",
}  # fmt: skip
"""Values with which an explanation may begin."""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_option_is_of_the_same_kind_everywhere(name: str) -> None:
    """`--size` is a number of pixels in every command, not a text in one of them."""
    kinds: dict[str, str] = {}
    for other in COMMANDS:
        for option in options(other):
            kinds.setdefault(long(option), kind(option))
    differing = {"--metric", "--out", "--csv", "--json", "--seeds", "--bg", "--files", "--budget", "--check"}
    for option in options(name):
        if long(option) not in differing:
            assert kind(option) == kinds[long(option)], (name, long(option))


@pytest.mark.parametrize("name", COMMANDS)
def test_files_to_write_stand_together_in_help(name: str) -> None:
    for option in options(name):
        if re.search(r"^Write (?!nothing).*(JSON|page)|, PNG|to this file|Chrome trace", option.help):
            assert option.rich_help_panel == "Files", f"{name}: {long(option)}"


@pytest.mark.parametrize("name", COMMANDS)
def test_arguments_are_spelled_alike(name: str) -> None:
    for param in COMMANDS[name].params:
        if param.param_type_name == "argument":
            assert (param.metavar or param.name).islower(), f"{name}: {param.metavar}"
