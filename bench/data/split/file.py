"""A split read from a JSON file: the groups of each part by name."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import BadData
from bench.data.split.division import FRACTIONS, POOLS, Division, Pool, Split


def read_split(
    path: Path, pools: Mapping[Pool, Mapping[str, int]], called: Mapping[Pool, Mapping[str, str]] | None = None
) -> Division:
    """The split that a JSON file states.

    Args:
        path: of the file, see `bench.data.split`.
        pools: how many files or identities each group of the data has.
        called: other names of the groups of a pool, with the group of each.

    Raises:
        BadData: it cannot be read, or names groups that the data does not have; every fault is in the message.
    """
    problems = []
    try:
        content = path.read_bytes()
        stated = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise BadData([(str(path), f"no split can be read from it: {error}")]) from error
    splits: dict[Pool, Split] = {}
    for pool, sizes in pools.items():
        parts = stated.get(pool) if isinstance(stated, dict) else None
        if not isinstance(parts, dict) or set(parts) != set(FRACTIONS):
            problems.append((str(path), _what_is_wrong(stated, pool)))
            continue
        other = (called or {}).get(pool, {})
        for part, value in parts.items():
            stated_names = value if isinstance(value, list) else []
            strange = [name for name in stated_names if not isinstance(name, str) and type(name) is not int]
            if not stated_names:
                problems.append((str(path), f"{pool}/{part} is no list of names"))
            if strange:
                problems.append((str(path), f"{pool}/{part}: {json.dumps(strange[0])} is no name of a group"))
                continue
            groups = parts[part] = [_group(str(name), sizes, other) for name in stated_names]
            unknown = [name for name, group in zip(stated_names, groups, strict=True) if group not in sizes]
            if unknown:
                known_names = ", ".join(name.removeprefix("=") for name in sorted(sizes)[:5])
                reason = f"no {str(unknown[0])!r} in the data (it has {known_names} ...)"
                problems.append((str(path), f"{pool}/{part}: {reason}"))
        if not problems:
            splits[pool] = Split({part: tuple(sorted(set(parts[part]))) for part in FRACTIONS})
    if problems:
        raise BadData(problems)
    return Division("file", splits, hashlib.sha256(content).hexdigest()[:16])


def _what_is_wrong(stated: Any, pool: Pool) -> str:
    """Why a pool has not the three parts: what is missing, and which keys mean nothing there."""
    whole = f"{pool!r} must hold {', '.join(FRACTIONS)}, each a list of names"
    if not isinstance(stated, dict):
        return whole
    if pool not in stated:
        return f"{whole}; it is missing{_strange('the file', stated, POOLS)}"
    parts = stated[pool]
    if not isinstance(parts, dict):
        return whole
    missing = [part for part in FRACTIONS if part not in parts]
    lacks = f"; {', '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing" if missing else ""
    return f"{whole}{lacks}{_strange('it', parts, tuple(FRACTIONS))}"


def _strange(where: str, keys: Iterable[str], known: Sequence[str]) -> str:
    """The keys that mean nothing, each with what it may be meant for."""
    named = []
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
            named.append(repr(key) + "".join(f" (did you mean {name}?)" for name in near))
    return f"; {where} has {', '.join(named)}" if named else ""


def _group(name: str, sizes: Mapping[str, int], called: Mapping[str, str]) -> str:
    """The group of a name."""
    return name if name in sizes else called.get(name, name)
