"""A split read from a JSON file: the groups of each part by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from bench.core.errors import BadData
from bench.data.split.division import FRACTIONS, Division, Pool, Split


def read_split(path: Path, pools: Mapping[Pool, Mapping[str, int]]) -> Division:
    """The split that a JSON file states.

    Args:
        path: of the file, see `bench.data.split`.
        pools: how many files or identities each group of the data has.

    Raises:
        BadData: it cannot be read, or names groups that the data does not have; every fault is in the message.
    """
    problems = []
    try:
        content = path.read_bytes()
        stated = json.loads(content)
    except (OSError, ValueError) as error:
        raise BadData([(str(path), f"no split can be read from it: {error}")]) from error
    splits: dict[Pool, Split] = {}
    for pool, sizes in pools.items():
        parts = stated.get(pool) if isinstance(stated, dict) else None
        if not isinstance(parts, dict) or set(parts) != set(FRACTIONS):
            problems.append((str(path), f"{pool!r} must hold {', '.join(FRACTIONS)}, each a list of names"))
            continue
        for part, value in parts.items():
            stated_names = parts[part] = [_name(name) for name in value] if isinstance(value, list) else []
            unknown = [name for name in stated_names if name not in sizes]
            if not stated_names:
                problems.append((str(path), f"{pool}/{part} is no list of names"))
            if unknown:
                known_names = ", ".join(sorted(sizes)[:5])
                problems.append((str(path), f"{pool}/{part}: no {unknown[0]!r} in the data (it has {known_names} ...)"))
        if not problems:
            splits[pool] = Split({part: tuple(sorted(set(parts[part]))) for part in FRACTIONS})
    if problems:
        raise BadData(problems)
    return Division("file", splits, hashlib.sha256(content).hexdigest()[:16])


def _name(stated: object) -> object:
    """A group's name; a whole number is one, too."""
    return str(stated) if type(stated) is int else stated
