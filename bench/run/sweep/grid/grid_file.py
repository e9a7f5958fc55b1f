"""A grid as a TOML file: the options of ``bench sweep`` by their names, such as ``model = ["unet", "wnet"]``."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError


@dataclass(frozen=True)
class GridOption:
    """What the value of an option is in a file.

    Attributes:
        repeatable: a list, or a single one of its members.
        flag: true or false.
        length: of the list that it is; 1 for a single value.
    """

    repeatable: bool = False
    flag: bool = False
    length: int = 1

    def fault(self, value: object) -> str | None:
        """Why it cannot be that value; None if it can. Whether it is in its range is for the command to say."""
        if isinstance(value, dict):
            return "is a table; options are written at the top, as in seeds = 3"
        if isinstance(value, list):
            if any(isinstance(member, bool | list | dict) for member in value):
                return "takes names or numbers, not " + json.dumps(value, default=str)
            if self.length > 1:
                return None if len(value) == self.length else f"takes {self.length} values, not {len(value)}"
            return None if self.repeatable else "takes one value, not a list"
        if self.length > 1:
            return f"takes a list of {self.length} values, not {value!r}"
        if self.flag != isinstance(value, bool):  # true would pass for the number 1
            return f"takes {'true or false' if self.flag else 'a value'}, not {json.dumps(value, default=str)}"
        return None


def read_grid_file(path: Path, options: Mapping[str, GridOption]) -> dict[str, Any]:
    """The options in a file, by name with underscores, those that may be repeated as lists.

    Args:
        path: of the file.
        options: all that there are, by name with underscores.

    Raises:
        BenchError: it cannot be read, names an option that does not exist (the nearest is in the message), or gives it
            a value of another kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BenchError(f"cannot read the grid {path}: {error}") from error
    given: dict[str, Any] = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in options:
            near = difflib.get_close_matches(name, options, n=2)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise BenchError(f"{path} has an option {key!r} that bench sweep does not take{hint}")
        if name in given:
            raise BenchError(f"{path} has the option {name} twice, with a dash and with an underscore")
        if fault := options[name].fault(value):
            raise BenchError(f"{path}: {key} {fault}")
        given[name] = [value] if options[name].repeatable and not isinstance(value, list) else value
    return given
