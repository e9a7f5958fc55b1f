"""The options that `bench run` and `bench sweep` share are those of `RunOptions`, under the same names."""

from __future__ import annotations

from dataclasses import fields

from bench.cli.options.groups import MachineOptions
from bench.cli.options.runs import CommonOptions
from bench.run.options import RunOptions


def test_the_command_line_gives_what_the_library_takes() -> None:
    defaults = {field.name: field.default for field in fields(RunOptions)}
    others = {"protocol", "seeds", "metrics", "interruption"}
    assert vars(MachineOptions()) | CommonOptions().given() == {
        name: value for name, value in defaults.items() if name not in others
    }
