"""A grid as a TOML file: the options of ``bench sweep`` by their names, such as ``model = ["unet", "wnet"]``."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError


def read_grid_file(path: Path, options: Collection[str], repeatable: Collection[str]) -> dict[str, Any]:
    """The options in a file, by name with underscores, those that may be repeated as lists.

    Args:
        path: of the file.
        options: names of all options there are, with underscores.
        repeatable: those that take several values.

    Raises:
        BenchError: it cannot be read, or names an option that does not exist; the nearest is in the message.
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
        if isinstance(value, dict):
            raise BenchError(f"{path}: {key} is a table; options are written at the top: {key} = ...")
        given[name] = [value] if name in repeatable and not isinstance(value, list) else value
        if isinstance(value, list) and name not in repeatable:
            raise BenchError(f"{path}: {key} takes one value, not a list")
    return given
